// Addresses, prefixes, ports and protocols as text, and back. Never resolves a name, never accepts a notation
// that two parsers could read as two addresses (octal, hex, missing parts, v4-mapped, zones).
#include "base/address.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/number.h"
#include "base/text.h"

#define NO_NAMES "host names are not supported yet; give an address or a prefix"
#define NOT_IPV4 "not an IPv4 address: it takes four decimal numbers from 0 to 255 without leading zeros"

static size_t family_bytes(enum address_family family)
{
    return family == FAMILY_IPV4 ? 4 : 16;
}

static int parse_ipv4(const char *text, uint8_t *ret, struct error *err)
{
    const char *p = text;
    for (int i = 0; i < 4; i++) {
        size_t n = strspn(p, "0123456789");
        if (n == 0 || n > 3 || (n > 1 && *p == '0'))
            return error_class(err, ERROR_USAGE, NOT_IPV4);
        unsigned value = 0;
        for (size_t k = 0; k < n; k++)
            value = value * 10 + (unsigned)(p[k] - '0');
        if (value > 255 || p[n] != (i < 3 ? '.' : '\0'))
            return error_class(err, ERROR_USAGE, NOT_IPV4);
        ret[i] = (uint8_t)value;
        p += n + 1;
    }
    return 0;
}

static bool is_mapped(const uint8_t bytes[16])
{
    static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };
    return memcmp(bytes, mapped, sizeof(mapped)) == 0;
}

static int parse_ipv6(const char *text, uint8_t *ret, struct error *err)
{
    uint8_t bytes[16];
    if (strchr(text, '%'))
        return error_class(err, ERROR_USAGE, "an IPv6 zone (%%interface) is not part of an address here");
    if (strchr(text, '.'))
        return error_class(err, ERROR_USAGE,
                           "IPv4 notation inside an IPv6 address; write the IPv4 address alone");
    if (inet_pton(AF_INET6, text, bytes) != 1)
        return error_class(err, ERROR_USAGE, "not an IPv6 address");
    if (is_mapped(bytes))
        return error_class(err, ERROR_USAGE, "an IPv4-mapped address; write %u.%u.%u.%u instead", bytes[12],
                           bytes[13], bytes[14], bytes[15]);
    memcpy(ret, bytes, sizeof(bytes));
    return 0;
}

// What kind of text this is, so that the message fits: an address needs a colon or only digits and dots. A
// last label that starts with a digit is a number to inet_aton() (hex, octal), never a name.
static int parse_address(const char *text, struct prefix *ret, struct error *err)
{
    if (strchr(text, ':')) {
        ret->family = FAMILY_IPV6;
        return parse_ipv6(text, ret->bytes, err);
    }
    const char *dot = strrchr(text, '.');
    const char *last = dot ? dot + 1 : text;
    if (*text && strspn(last, "0123456789") == 0 && *last)
        return error_class(err, ERROR_USAGE, NO_NAMES);
    ret->family = FAMILY_IPV4;
    return parse_ipv4(text, ret->bytes, err);
}

static void mask_bytes(uint8_t bytes[16], unsigned length)
{
    for (unsigned i = 0; i < 16; i++) {
        unsigned keep = length >= (i + 1) * 8 ? 8 : length <= i * 8 ? 0 : length - i * 8;
        bytes[i] &= (uint8_t)(0xff00U >> keep);
    }
}

static int set_length(struct prefix *p, const char *length, struct error *err)
{
    unsigned full = p->family == FAMILY_IPV4 ? 32 : 128;
    uint64_t value = full;
    if (length && parse_unsigned(length, 0, full, &value, err) < 0)
        return error_class(err, ERROR_USAGE, "the prefix length must be from 0 to %u", full);
    struct prefix masked = *p;
    masked.length = (uint8_t)value;
    mask_bytes(masked.bytes, masked.length);
    if (memcmp(masked.bytes, p->bytes, sizeof(masked.bytes)) != 0) {
        char suggestion[PREFIX_TEXT_MAX];
        prefix_format(&masked, suggestion);
        return error_class(err, ERROR_USAGE, "host bits are set beyond /%u (did you mean %s?)", masked.length,
                           suggestion);
    }
    *p = masked;
    return 0;
}

int prefix_parse(const char *text, struct prefix *ret, struct error *err)
{
    char address[PREFIX_TEXT_MAX];
    if (strlen(text) >= sizeof(address))
        return error_class(err, ERROR_USAGE, strpbrk(text, ":/") ? "too long for an address" : NO_NAMES);
    (void)snprintf(address, sizeof(address), "%s", text); // it fits
    char *slash = strchr(address, '/');
    if (slash)
        *slash = '\0';

    char *start = address;
    if (*start == '[') {
        size_t n = strlen(start);
        if (start[n - 1] != ']' || !strchr(start, ':'))
            return error_class(err, ERROR_USAGE, "brackets go around an IPv6 address: [2001:db8::1]");
        start[n - 1] = '\0';
        start++;
    }
    struct prefix p = { 0 };
    int r = parse_address(start, &p, err);
    if (r < 0)
        return r;
    r = set_length(&p, slash ? slash + 1 : NULL, err);
    if (r < 0)
        return r;
    *ret = p;
    return 0;
}

// The longest run of at least two zero groups, the first of equals (RFC 5952, 4.2).
static void longest_zeros(const unsigned groups[8], int *ret_start, int *ret_end)
{
    *ret_start = -1;
    *ret_end = -1;
    for (int i = 0; i < 8; i++) {
        int end = i;
        while (end < 8 && groups[end] == 0)
            end++;
        if (end - i >= 2 && end - i > *ret_end - *ret_start) {
            *ret_start = i;
            *ret_end = end;
        }
    }
}

// inet_ntop() is no use: it writes some addresses with an IPv4 tail, which prefix_parse() refuses.
static void format_ipv6(const uint8_t bytes[16], char *ret, size_t size)
{
    unsigned groups[8];
    for (int i = 0; i < 8; i++)
        groups[i] = (unsigned)bytes[2 * i] << 8 | bytes[2 * i + 1];
    int start = 0;
    int end = 0;
    longest_zeros(groups, &start, &end);
    size_t n = 0;
    for (int i = 0; i < 8; i++) {
        if (i == start) {
            n += (size_t)snprintf(ret + n, size - n, "::");
            i = end - 1;
        } else {
            n += (size_t)snprintf(ret + n, size - n, "%s%x", i > 0 && i != end ? ":" : "", groups[i]);
        }
    }
}

static void format_address(const struct prefix *p, char *ret, size_t size)
{
    const uint8_t *b = p->bytes;
    if (p->family == FAMILY_IPV4)
        (void)snprintf(ret, size, "%u.%u.%u.%u", b[0], b[1], b[2], b[3]); // every caller's buffer is larger
    else
        format_ipv6(b, ret, size);
}

bool prefix_is_single(const struct prefix *p)
{
    return p->length == family_bytes(p->family) * 8;
}

void prefix_format(const struct prefix *p, char ret[PREFIX_TEXT_MAX])
{
    format_address(p, ret, PREFIX_TEXT_MAX);
    size_t n = strlen(ret);
    if (!prefix_is_single(p))
        (void)snprintf(ret + n, PREFIX_TEXT_MAX - n, "/%u", p->length); // at most 43 bytes in all
}

bool prefix_equal(const struct prefix *a, const struct prefix *b)
{
    return prefix_compare(a, b) == 0;
}

bool prefix_contains(const struct prefix *outer, const struct prefix *inner)
{
    if (outer->family != inner->family || outer->length > inner->length)
        return false;
    uint8_t bytes[16];
    memcpy(bytes, inner->bytes, sizeof(bytes));
    mask_bytes(bytes, outer->length);
    return memcmp(bytes, outer->bytes, family_bytes(outer->family)) == 0;
}

int prefix_compare(const struct prefix *a, const struct prefix *b)
{
    if (a->family != b->family)
        return a->family < b->family ? -1 : 1;
    int c = memcmp(a->bytes, b->bytes, family_bytes(a->family));
    if (c != 0)
        return c;
    return (int)a->length - (int)b->length;
}

static int parse_port_range(const char *text, struct port_range *ret, struct error *err)
{
    char buffer[16];
    uint64_t first = 0;
    uint64_t last = 0;
    if (strlen(text) >= sizeof(buffer))
        return error_class(err, ERROR_USAGE, "not a port or a range of ports");
    (void)snprintf(buffer, sizeof(buffer), "%s", text); // it fits
    char *dash = strchr(buffer, '-');
    if (dash)
        *dash = '\0';
    if (parse_unsigned(buffer, 1, 65535, &first, err) < 0 ||
        parse_unsigned(dash ? dash + 1 : buffer, 1, 65535, &last, err) < 0)
        return error_class(err, ERROR_USAGE, "port %s: must be from 1 to 65535, or a range of these", text);
    if (first > last)
        return error_class(err, ERROR_USAGE, "port range %s is reversed", text);
    *ret = (struct port_range){ (uint16_t)first, (uint16_t)last };
    return 0;
}

static int compare_ranges(const void *a, const void *b)
{
    const struct port_range *x = a;
    const struct port_range *y = b;
    return x->first != y->first ? (int)x->first - (int)y->first : (int)x->last - (int)y->last;
}

// Sorts, and joins ranges that overlap or touch.
static void merge_ranges(struct endpoint *e)
{
    qsort(e->ports, e->port_count, sizeof(e->ports[0]), compare_ranges);
    size_t n = 0;
    for (size_t i = 0; i < e->port_count; i++) {
        struct port_range *last = n > 0 ? &e->ports[n - 1] : NULL;
        if (last && e->ports[i].first <= (unsigned)last->last + 1) {
            if (e->ports[i].last > last->last)
                last->last = e->ports[i].last;
        } else {
            e->ports[n++] = e->ports[i];
        }
    }
    memset(&e->ports[n], 0, (e->port_count - n) * sizeof(e->ports[0]));
    e->port_count = n;
}

// Takes the list apart in place.
static int parse_ports(char *text, struct endpoint *e, struct error *err)
{
    char *rest = text;
    for (char *word = NULL; (word = strsep(&rest, ","));) {
        if (e->port_count == ENDPOINT_PORTS_MAX)
            return error_class(err, ERROR_USAGE, "more than %d ports; use ranges or several entries",
                               ENDPOINT_PORTS_MAX);
        int r = parse_port_range(word, &e->ports[e->port_count], err);
        if (r < 0)
            return r;
        e->port_count++;
    }
    merge_ranges(e);
    return 0;
}

const char *protocol_name(enum protocol p)
{
    return p == PROTOCOL_TCP ? "tcp" : p == PROTOCOL_UDP ? "udp" : "any";
}

static int parse_protocol(const char *text, unsigned *ret, struct error *err)
{
    static const enum protocol protocols[] = { PROTOCOL_TCP, PROTOCOL_UDP, PROTOCOL_ANY };
    for (size_t i = 0; i < ARRAY_SIZE(protocols); i++)
        if (strcmp(text, protocol_name(protocols[i])) == 0) {
            *ret = protocols[i];
            return 0;
        }
    return error_class(err, ERROR_USAGE, "unknown protocol; it must be tcp, udp or any");
}

// Cuts "/tcp" off the end; "/24" is a prefix length and stays.
static char *cut_protocol(char *text)
{
    char *slash = strrchr(text, '/');
    if (!slash || !slash[1] || strspn(slash + 1, "0123456789") > 0)
        return NULL;
    *slash = '\0';
    return slash + 1;
}

// Cuts ":80,443" off the end: after the last ']' or, without brackets, at the only colon.
static char *cut_ports(char *text)
{
    char *bracket = strrchr(text, ']');
    char *colon = strchr(bracket ? bracket : text, ':');
    if (!colon || (!bracket && strchr(colon + 1, ':')))
        return NULL;
    *colon = '\0';
    return colon + 1;
}

int endpoint_parse(const char *text, struct endpoint *ret, struct error *err)
{
    char buffer[ENDPOINT_TEXT_MAX];
    if (strlen(text) >= sizeof(buffer))
        return error_class(err, ERROR_USAGE, "too long");
    if (text_has_control(text, strlen(text)))
        return error_class(err, ERROR_USAGE, "a control character in an address");
    (void)snprintf(buffer, sizeof(buffer), "%s", text); // it fits
    char *protocol = cut_protocol(buffer);
    char *ports = cut_ports(buffer);
    struct endpoint e = { .protocols = ports ? PROTOCOL_TCP : PROTOCOL_ANY };
    int r = prefix_parse(buffer, &e.prefix, err);
    if (r == 0 && ports)
        r = parse_ports(ports, &e, err);
    if (r == 0 && protocol)
        r = parse_protocol(protocol, &e.protocols, err);
    if (r < 0)
        return r;
    *ret = e;
    return 0;
}

void endpoint_format(const struct endpoint *e, char ret[ENDPOINT_TEXT_MAX])
{
    char address[PREFIX_TEXT_MAX];
    format_address(&e->prefix, address, sizeof(address));
    bool brackets = e->prefix.family == FAMILY_IPV6 && e->port_count > 0;
    size_t n = (size_t)snprintf(ret, ENDPOINT_TEXT_MAX, brackets ? "[%s]" : "%s", address);
    if (!prefix_is_single(&e->prefix))
        n += (size_t)snprintf(ret + n, ENDPOINT_TEXT_MAX - n, "/%u", e->prefix.length);
    // 16 ranges of at most 12 bytes each fit as well.
    for (size_t i = 0; i < e->port_count; i++) {
        const struct port_range *range = &e->ports[i];
        n += (size_t)snprintf(ret + n, ENDPOINT_TEXT_MAX - n, "%c%u", i > 0 ? ',' : ':', range->first);
        if (range->last > range->first)
            n += (size_t)snprintf(ret + n, ENDPOINT_TEXT_MAX - n, "-%u", range->last);
    }
    if (e->protocols != (unsigned)(e->port_count > 0 ? PROTOCOL_TCP : PROTOCOL_ANY))
        (void)snprintf(ret + n, ENDPOINT_TEXT_MAX - n, "/%s", protocol_name((enum protocol)e->protocols));
}

bool endpoint_equal(const struct endpoint *a, const struct endpoint *b)
{
    if (!prefix_equal(&a->prefix, &b->prefix) || a->protocols != b->protocols ||
        a->port_count != b->port_count)
        return false;
    for (size_t i = 0; i < a->port_count; i++)
        if (a->ports[i].first != b->ports[i].first || a->ports[i].last != b->ports[i].last)
            return false;
    return true;
}
