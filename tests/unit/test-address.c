// One notation for each address: what is read, that it is written canonically, and what is refused with which
// words.
#include "expect.h"

#include <stdio.h>

#include "base/address.h"

#define NOT_IPV4 "not an IPv4 address: it takes four decimal numbers from 0 to 255 without leading zeros"
#define NO_NAMES "host names are not supported yet; give an address or a prefix"
#define NOT_IPV6 "not an IPv6 address"
#define EMBEDDED "IPv4 notation inside an IPv6 address; write the IPv4 address alone"
#define ZONE "an IPv6 zone (%interface) is not part of an address here"
#define BRACKETS "brackets go around an IPv6 address: [2001:db8::1]"

static void test_prefixes(void **state)
{
    static const struct {
        const char *text, *canonical;
    } cases[] = {
        { "198.51.100.10", "198.51.100.10" },
        { "198.51.100.10/32", "198.51.100.10" },
        { "198.51.100.0/24", "198.51.100.0/24" },
        { "0.0.0.0/0", "0.0.0.0/0" },
        { "255.255.255.255", "255.255.255.255" },
        { "10.0.0.0/9", "10.0.0.0/9" },
        { "2001:DB8::1", "2001:db8::1" },
        { "2001:0db8:0:0:0:0:0:1", "2001:db8::1" },
        { "[2001:db8::]/32", "2001:db8::/32" },
        { "2001:db8::/32", "2001:db8::/32" },
        { "::/0", "::/0" },
        { "::1", "::1" },
        { "::", "::" },
        { "1::", "1::" },
        { "::1:2", "::1:2" }, // inet_ntop() would write ::0.1.0.2
        { "2001:db8:0:1:0:0:0:1", "2001:db8:0:1::1" },
        { "2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1" },
        { "2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1" },
        { "fe80::/10", "fe80::/10" },
        { "1:2:3:4:5:6:7::", "1:2:3:4:5:6:7:0" },
        { "::ffff:0:0:1", "::ffff:0:0:1" }, // not a mapped one: the 16 ones stand elsewhere
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        _cleanup_error_ struct error err = { 0 };
        struct prefix p = { 0 };
        struct prefix again = { 0 };
        char text[PREFIX_TEXT_MAX];
        expect_ok(prefix_parse(cases[i].text, &p, &err), &err);
        prefix_format(&p, text);
        assert_string_equal(text, cases[i].canonical);
        expect_ok(prefix_parse(text, &again, &err), &err);
        assert_true(prefix_equal(&p, &again));
    }
}

static void test_prefixes_refused(void **state)
{
    static const struct {
        const char *text, *cause;
    } cases[] = {
        { "", NOT_IPV4 },
        { "1.2.3", NOT_IPV4 },
        { "1.2.3.4.5", NOT_IPV4 },
        { "256.1.1.1", NOT_IPV4 },
        { "1.2.3.4.", NOT_IPV4 },
        { "1..2.3", NOT_IPV4 },
        { "010.0.0.1", NOT_IPV4 },
        { "10.0.0.01", NOT_IPV4 },
        { "0x7f.0.0.1", NOT_IPV4 },
        { "127.0.0.0x1", NOT_IPV4 },
        { "0x7f000001", NOT_IPV4 },
        { "2130706433", NOT_IPV4 },
        { "127.1", NOT_IPV4 },
        { "1.2.3.-4", NO_NAMES },
        { "1.2.3.4 ", NOT_IPV4 },
        { " 1.2.3.4", NOT_IPV4 },
        { "example.com", NO_NAMES },
        { "localhost", NO_NAMES },
        { "*.example.com", NO_NAMES },
        { "example.com/24", NO_NAMES },
        { "a-very-long-host-name-that-has-more-than-sixty-four-characters.example.com", NO_NAMES },
        { "::ffff:1.2.3.4", EMBEDDED },
        { "::1.2.3.4", EMBEDDED },
        { "::ffff:102:304", "an IPv4-mapped address; write 1.2.3.4 instead" },
        { "::ffff:0:0/96", "an IPv4-mapped address; write 0.0.0.0 instead" },
        { "fe80::1%eth0", ZONE },
        { "2001:db8::1::2", NOT_IPV6 },
        { "2001:db8", NOT_IPV6 },
        { ":", NOT_IPV6 },
        { "12345::", NOT_IPV6 },
        { "g::", NOT_IPV6 },
        { "1:2:3:4:5:6:7:8:9", NOT_IPV6 },
        { "[1.2.3.4]", BRACKETS },
        { "[2001:db8::1", BRACKETS },
        { "[]", BRACKETS },
        { "[", BRACKETS },
        { "2001:db8::1]", NOT_IPV6 },
        { "1.2.3.4/33", "the prefix length must be from 0 to 32" },
        { "1.2.3.4/", "the prefix length must be from 0 to 32" },
        { "1.2.3.4/-1", "the prefix length must be from 0 to 32" },
        { "1.2.3.4/024", "the prefix length must be from 0 to 32" },
        { "1.2.3.4/255.255.255.0", "the prefix length must be from 0 to 32" },
        { "1.2.3.0/24/24", "the prefix length must be from 0 to 32" },
        { "::/129", "the prefix length must be from 0 to 128" },
        { "198.51.100.7/24", "host bits are set beyond /24 (did you mean 198.51.100.0/24?)" },
        { "1.2.3.4/0", "host bits are set beyond /0 (did you mean 0.0.0.0/0?)" },
        { "2001:db8::1/32", "host bits are set beyond /32 (did you mean 2001:db8::/32?)" },
        { "0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000",
          "too long for an address" },
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        _cleanup_error_ struct error err = { 0 };
        struct prefix p = { .length = 77 };
        expect_refused(prefix_parse(cases[i].text, &p, &err), &err, cases[i].cause);
        assert_int_equal(p.length, 77); // untouched
    }
}

static struct prefix prefix(const char *text)
{
    _cleanup_error_ struct error err = { 0 };
    struct prefix p = { 0 };
    expect_ok(prefix_parse(text, &p, &err), &err);
    return p;
}

static void test_containment_and_order(void **state)
{
    struct prefix all = prefix("0.0.0.0/0");
    struct prefix ten = prefix("10.0.0.0/8");
    struct prefix host = prefix("10.1.2.3");
    struct prefix odd = prefix("10.128.0.0/9");
    struct prefix six = prefix("::/0");
    struct prefix one = prefix("::1");
    assert_true(prefix_contains(&all, &ten));
    assert_true(prefix_contains(&ten, &host));
    assert_true(prefix_contains(&host, &host));
    assert_false(prefix_contains(&host, &ten));
    assert_false(prefix_contains(&odd, &host));
    assert_false(prefix_contains(&all, &one));
    assert_true(prefix_contains(&six, &one));
    assert_true(prefix_is_single(&host));
    assert_true(prefix_is_single(&one));
    assert_false(prefix_is_single(&ten));
    const struct prefix *sorted[] = { &all, &ten, &host, &odd, &six, &one };
    for (size_t i = 0; i < ARRAY_SIZE(sorted); i++)
        for (size_t k = 0; k < ARRAY_SIZE(sorted); k++) {
            int c = prefix_compare(sorted[i], sorted[k]);
            assert_true((c < 0) == (i < k));
            assert_true((c == 0) == (i == k));
        }
}

static void test_mapped_prefix_is_written(void **state)
{
    const struct prefix mapped = { .family = FAMILY_IPV6,
                                   .bytes = { [10] = 0xff, [11] = 0xff },
                                   .length = 96 };
    char text[PREFIX_TEXT_MAX];
    prefix_format(&mapped, text);
    assert_string_equal(text, "::ffff:0:0/96");
}

static void test_endpoints(void **state)
{
    static const struct {
        const char *text, *canonical;
    } cases[] = {
        { "198.51.100.10", "198.51.100.10" },
        { "198.51.100.10/any", "198.51.100.10" },
        { "198.51.100.10/tcp", "198.51.100.10/tcp" },
        { "198.51.100.0/24/udp", "198.51.100.0/24/udp" },
        { "198.51.100.0/24:443", "198.51.100.0/24:443" },
        { "198.51.100.0/24:443/tcp", "198.51.100.0/24:443" },
        { "10.0.0.5:53/udp", "10.0.0.5:53/udp" },
        { "10.0.0.5:53/any", "10.0.0.5:53/any" },
        { "[2001:db8::]/32:80,443,8000-8010/tcp", "[2001:db8::]/32:80,443,8000-8010" },
        { "[2001:db8::1]:53/udp", "[2001:db8::1]:53/udp" },
        { "[2001:db8::1]", "2001:db8::1" },
        { "2001:db8::/32/udp", "2001:db8::/32/udp" },
        { "1.2.3.4:443,80", "1.2.3.4:80,443" },
        { "1.2.3.4:80,81,82-90", "1.2.3.4:80-90" },
        { "1.2.3.4:80,80,70-100,90-110", "1.2.3.4:70-110" },
        { "1.2.3.4:1-65535", "1.2.3.4:1-65535" },
        { "1.2.3.4:65535,65535", "1.2.3.4:65535" },
        { "1.2.3.4:9,7,5,3,1", "1.2.3.4:1,3,5,7,9" },
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        _cleanup_error_ struct error err = { 0 };
        struct endpoint e = { 0 };
        struct endpoint again = { 0 };
        char text[ENDPOINT_TEXT_MAX];
        expect_ok(endpoint_parse(cases[i].text, &e, &err), &err);
        endpoint_format(&e, text);
        assert_string_equal(text, cases[i].canonical);
        expect_ok(endpoint_parse(text, &again, &err), &err);
        assert_true(endpoint_equal(&e, &again));
    }
}

static void test_longest_endpoint_fits(void **state)
{
    _cleanup_error_ struct error err = { 0 };
    char text[ENDPOINT_TEXT_MAX];
    char canonical[ENDPOINT_TEXT_MAX];
    int n = snprintf(text, sizeof(text), "[1111:2222:3333:4444:5555:6666:7777:8880]/125:");
    for (int i = 0; i < ENDPOINT_PORTS_MAX; i++)
        n += snprintf(text + n, sizeof(text) - (size_t)n, "%s%d-%d", i > 0 ? "," : "", 10000 + 10 * i,
                      10001 + 10 * i);
    (void)snprintf(text + n, sizeof(text) - (size_t)n, "/any");
    struct endpoint e = { 0 };
    expect_ok(endpoint_parse(text, &e, &err), &err);
    endpoint_format(&e, canonical);
    assert_string_equal(canonical, text);
}

#define PORT_CAUSE(p) "port " p ": must be from 1 to 65535, or a range of these"

static void test_endpoints_refused(void **state)
{
    static const struct {
        const char *text, *cause;
    } cases[] = {
        { "1.2.3.4:0", PORT_CAUSE("0") },
        { "1.2.3.4:65536", PORT_CAUSE("65536") },
        { "1.2.3.4:", PORT_CAUSE("") },
        { "1.2.3.4:80,", PORT_CAUSE("") },
        { "1.2.3.4:-80", PORT_CAUSE("-80") },
        { "1.2.3.4:80-", PORT_CAUSE("80-") },
        { "1.2.3.4:080", PORT_CAUSE("080") },
        { "1.2.3.4:https", PORT_CAUSE("https") },
        { "1.2.3.4:0-10", PORT_CAUSE("0-10") },
        { "1.2.3.4:1-2-3", PORT_CAUSE("1-2-3") },
        { "1.2.3.4:8010-8000", "port range 8010-8000 is reversed" },
        { "1.2.3.4:80000000000000000", "not a port or a range of ports" },
        { "1.2.3.4:1,3,5,7,9,11,13,15,17,19,21,23,25,27,29,31,33",
          "more than 16 ports; use ranges or several entries" },
        { "1.2.3.4:80/sctp", "unknown protocol; it must be tcp, udp or any" },
        { "1.2.3.4/TCP", "unknown protocol; it must be tcp, udp or any" },
        { "1.2.3.4:80/tcp/udp", PORT_CAUSE("80/tcp") },
        { "example.com:443", NO_NAMES },
        { "*.example.com:443/tcp", NO_NAMES },
        { "2001:db8::1:443/x", "unknown protocol; it must be tcp, udp or any" },
        { "[2001:db8::1]443", BRACKETS },
        { "[2001:db8::1]:443:80", PORT_CAUSE("443:80") },
        { "1.2.3.4/24:443", "host bits are set beyond /24 (did you mean 1.2.3.0/24?)" },
        { "1.2.3.4:8\n0", "a control character in an address" },
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        _cleanup_error_ struct error err = { 0 };
        struct endpoint e = { .port_count = 77 };
        expect_refused(endpoint_parse(cases[i].text, &e, &err), &err, cases[i].cause);
        assert_int_equal(e.port_count, 77);
    }
    char longer[ENDPOINT_TEXT_MAX + 10];
    memset(longer, '1', sizeof(longer) - 1);
    longer[sizeof(longer) - 1] = '\0';
    _cleanup_error_ struct error err = { 0 };
    struct endpoint e = { 0 };
    expect_refused(endpoint_parse(longer, &e, &err), &err, "too long");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_prefixes),
        cmocka_unit_test(test_prefixes_refused),
        cmocka_unit_test(test_containment_and_order),
        cmocka_unit_test(test_mapped_prefix_is_written),
        cmocka_unit_test(test_endpoints),
        cmocka_unit_test(test_longest_endpoint_fits),
        cmocka_unit_test(test_endpoints_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
