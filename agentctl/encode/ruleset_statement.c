// THE table of statements: each match and action as nft's text and as the kernel's expressions. Decides
// nothing about policy.
#include "encode/ruleset_rule.h"

#include <arpa/inet.h>
#include <errno.h>
#include <libnftnl/expr.h>
#include <libnftnl/rule.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_log.h>
#include <linux/netfilter/nf_tables.h>
#include <net/if.h>
#include <netinet/in.h>
#include <string.h>

#include "encode/ruleset_expression.h"

// The kernel's bits of `ct state` (NF_CT_STATE_BIT and its untracked and invalid sisters).
#define CT_INVALID 0x01
#define CT_ESTABLISHED 0x02
#define CT_RELATED 0x04
#define CT_NEW 0x08
#define CT_UNTRACKED 0x40

#define WARNING_LEVEL 4     // LOGLEVEL_WARNING, what nft takes when none is given
#define SLICE_LEVEL 2       // agents.slice/agents-NAME.slice
#define IPV4_DESTINATION 16 // offset in the header
#define IPV6_DESTINATION 24
#define PORT_DESTINATION 2 // the same in TCP and UDP

static void ct_direction(struct emitter *e, const struct statement *s)
{
    emit_ct(e, NFT_CT_DIRECTION);
    emit_cmp_u8(e, NFT_CMP_EQ, s->kind == CT_REPLY);
}

static void ct_state(struct emitter *e, const struct statement *s)
{
    uint32_t mask =
        s->kind == CT_STATE_KNOWN ? CT_ESTABLISHED | CT_RELATED : CT_INVALID | CT_NEW | CT_UNTRACKED;
    uint32_t none = 0;
    emit_ct(e, NFT_CT_STATE);
    emit_bitwise(e, &mask, sizeof(mask));
    emit_cmp(e, NFT_CMP_NEQ, &none, sizeof(none));
}

static void ct_mark(struct emitter *e, const struct statement *s)
{
    if (s->kind == CT_MARK_SET) {
        emit_value_u32(e, s->first);
        struct nftnl_expr *x = emit(e, "ct");
        expression_set_u32(x, NFTNL_EXPR_CT_KEY, NFT_CT_MARK);
        expression_set_u32(x, NFTNL_EXPR_CT_SREG, NFT_REG_1);
        return;
    }
    emit_ct(e, NFT_CT_MARK);
    if (s->kind == CT_MARK_VMAP)
        emit_vmap(e, s->name);
    else
        emit_range_u32(e, s->first, s->last, false);
}

static void skuid(struct emitter *e, const struct statement *s)
{
    emit_meta(e, NFT_META_SKUID);
    if (s->kind == SKUID_VMAP)
        emit_vmap(e, s->name);
    else
        emit_range_u32(e, s->first, s->last, s->kind == SKUID_NOT_IN_RANGE);
}

static void loopback(struct emitter *e, const struct statement *s)
{
    static const char name[IFNAMSIZ] = "lo";
    emit_meta(e, s->kind == OUT_LOOPBACK ? NFT_META_OIFNAME : NFT_META_IIFNAME);
    emit_cmp(e, s->kind == NOT_IN_LOOPBACK ? NFT_CMP_NEQ : NFT_CMP_EQ, name, sizeof(name));
}

static void mark(struct emitter *e, const struct statement *s)
{
    if (s->kind == MARK_SET) {
        emit_value_u32(e, s->first);
        struct nftnl_expr *x = emit(e, "meta");
        expression_set_u32(x, NFTNL_EXPR_META_KEY, NFT_META_MARK);
        expression_set_u32(x, NFTNL_EXPR_META_SREG, NFT_REG_1);
        return;
    }
    emit_meta(e, NFT_META_MARK);
    emit_range_u32(e, s->first, s->last, false);
}

static void emit_family(struct emitter *e, enum address_family family)
{
    emit_meta(e, NFT_META_NFPROTO);
    emit_cmp_u8(e, NFT_CMP_EQ, family == FAMILY_IPV4 ? NFPROTO_IPV4 : NFPROTO_IPV6);
}

static void emit_destination(struct emitter *e, enum address_family family, uint32_t bytes)
{
    emit_payload(e, NFT_PAYLOAD_NETWORK_HEADER, family == FAMILY_IPV4 ? IPV4_DESTINATION : IPV6_DESTINATION,
                 bytes);
}

// As nft does it: whole bytes are loaded alone, other lengths go through a mask.
static void address(struct emitter *e, const struct statement *s)
{
    const struct prefix *p = &s->prefix;
    uint32_t bytes = p->family == FAMILY_IPV4 ? 4 : 16;
    emit_family(e, p->family);
    if (p->length > 0 && p->length % 8 == 0) {
        emit_destination(e, p->family, p->length / 8);
        emit_cmp(e, NFT_CMP_EQ, p->bytes, p->length / 8);
        return;
    }
    uint8_t mask[16] = { 0 };
    for (unsigned bit = 0; bit < p->length; bit++)
        mask[bit / 8] |= (uint8_t)(0x80 >> bit % 8);
    emit_destination(e, p->family, bytes);
    emit_bitwise(e, mask, bytes);
    emit_cmp(e, NFT_CMP_EQ, p->bytes, bytes);
}

static void address_not_in(struct emitter *e, const struct statement *s)
{
    if (!s->family_known)
        emit_family(e, s->prefix.family);
    emit_destination(e, s->prefix.family, s->prefix.family == FAMILY_IPV4 ? 4 : 16);
    emit_lookup(e, s->name, true);
}

static void protocol(struct emitter *e, const struct statement *s)
{
    emit_meta(e, NFT_META_L4PROTO);
    if (s->kind == PROTOCOL_IN)
        emit_lookup(e, s->name, false);
    else
        emit_cmp_u8(e, NFT_CMP_EQ, s->protocols == PROTOCOL_UDP ? IPPROTO_UDP : IPPROTO_TCP);
}

static void port(struct emitter *e, const struct statement *s)
{
    uint16_t first = htons((uint16_t)s->first), last = htons((uint16_t)s->last);
    if (s->protocols != PROTOCOL_ANY) {
        emit_meta(e, NFT_META_L4PROTO);
        emit_cmp_u8(e, NFT_CMP_EQ, s->protocols == PROTOCOL_UDP ? IPPROTO_UDP : IPPROTO_TCP);
    }
    emit_payload(e, NFT_PAYLOAD_TRANSPORT_HEADER, PORT_DESTINATION, sizeof(uint16_t));
    if (s->kind == PORT_IN) {
        emit_lookup(e, s->name, false);
    } else if (first == last) {
        emit_cmp(e, NFT_CMP_EQ, &first, sizeof(first));
    } else {
        emit_cmp(e, NFT_CMP_GTE, &first, sizeof(first));
        emit_cmp(e, NFT_CMP_LTE, &last, sizeof(last));
    }
}

static void fib(struct emitter *e, const struct statement *s)
{
    uint32_t local = 2; // RTN_LOCAL
    struct nftnl_expr *x = emit(e, "fib");
    expression_set_u32(x, NFTNL_EXPR_FIB_DREG, NFT_REG_1);
    expression_set_u32(x, NFTNL_EXPR_FIB_RESULT, NFT_FIB_RESULT_ADDRTYPE);
    expression_set_u32(x, NFTNL_EXPR_FIB_FLAGS, NFTA_FIB_F_DADDR);
    if (s->kind == FIB_NOT_IN)
        emit_lookup(e, s->name, true);
    else
        emit_cmp(e, NFT_CMP_EQ, &local, sizeof(local));
}

static void socket_slice(struct emitter *e, const struct statement *s)
{
    if (s->kind == MARK_SOCKET_SLICE_IN)
        emit_meta(e, NFT_META_MARK);
    emit_socket(e, NFT_SOCKET_CGROUPV2, SLICE_LEVEL,
                s->kind == MARK_SOCKET_SLICE_IN ? NFT_REG32_01 : NFT_REG_1);
    emit_lookup(e, s->name, false);
}

// Whether a socket is bound to the wildcard address can only be told of a full socket, and both answers
// match.
static void socket_found(struct emitter *e, const struct statement *s)
{
    emit_socket(e, NFT_SOCKET_WILDCARD, 0, NFT_REG_1);
    emit_cmp_u8(e, NFT_CMP_GTE, 0);
    emit_cmp_u8(e, NFT_CMP_LTE, 1);
}

static void limit(struct emitter *e, const struct statement *s)
{
    struct nftnl_expr *x = emit(e, "limit");
    if (!x)
        return;
    nftnl_expr_set_u64(x, NFTNL_EXPR_LIMIT_RATE, s->first);
    nftnl_expr_set_u64(x, NFTNL_EXPR_LIMIT_UNIT, 60);
    nftnl_expr_set_u32(x, NFTNL_EXPR_LIMIT_BURST, s->last);
    nftnl_expr_set_u32(x, NFTNL_EXPR_LIMIT_TYPE, NFT_LIMIT_PKTS);
    nftnl_expr_set_u32(x, NFTNL_EXPR_LIMIT_FLAGS, 0);
}

static void log_packet(struct emitter *e, const struct statement *s)
{
    struct nftnl_expr *x = emit(e, "log");
    expression_set_string(e, x, NFTNL_EXPR_LOG_PREFIX, s->name);
    expression_set_u32(x, NFTNL_EXPR_LOG_LEVEL, WARNING_LEVEL);
    expression_set_u32(x, NFTNL_EXPR_LOG_FLAGS, NF_LOG_UID);
}

static void counter(struct emitter *e, const struct statement *s)
{
    if (s->kind == COUNTER_MAP)
        emit_meta(e, NFT_META_MARK);
    struct nftnl_expr *x = emit(e, "objref");
    if (s->kind == COUNTER_MAP) {
        expression_set_u32(x, NFTNL_EXPR_OBJREF_SET_SREG, NFT_REG_1);
        expression_set_string(e, x, NFTNL_EXPR_OBJREF_SET_NAME, s->name);
    } else {
        expression_set_u32(x, NFTNL_EXPR_OBJREF_IMM_TYPE, NFT_OBJECT_COUNTER);
        expression_set_string(e, x, NFTNL_EXPR_OBJREF_IMM_NAME, s->name);
    }
}

static void verdict(struct emitter *e, const struct statement *s)
{
    struct nftnl_expr *x = emit(e, "immediate");
    expression_set_u32(x, NFTNL_EXPR_IMM_DREG, NFT_REG_VERDICT);
    expression_set_u32(x, NFTNL_EXPR_IMM_VERDICT, s->kind == ACCEPT ? NF_ACCEPT : (uint32_t)NFT_GOTO);
    if (s->kind == GOTO)
        expression_set_string(e, x, NFTNL_EXPR_IMM_CHAIN, s->name);
}

static void reject(struct emitter *e, const struct statement *s)
{
    struct nftnl_expr *x = emit(e, "reject");
    if (!x)
        return;
    bool reset = s->kind == REJECT_RESET;
    nftnl_expr_set_u32(x, NFTNL_EXPR_REJECT_TYPE, reset ? NFT_REJECT_TCP_RST : NFT_REJECT_ICMPX_UNREACH);
    nftnl_expr_set_u8(x, NFTNL_EXPR_REJECT_CODE, reset ? 0 : NFT_REJECT_ICMPX_ADMIN_PROHIBITED);
}

// In the text: %n name, %x and %X first and last in hexadecimal, %d and %D in decimal, %r the range of ports,
// %a the prefix, %f its family, %p the protocol.
static const struct {
    const char *text;
    void (*emit)(struct emitter *e, const struct statement *s);
} statement_rows[STATEMENT_COUNT] = {
    [CT_ORIGINAL] = { "ct direction original", ct_direction },
    [CT_REPLY] = { "ct direction reply", ct_direction },
    [CT_STATE_KNOWN] = { "ct state established,related", ct_state },
    [CT_STATE_UNKNOWN] = { "ct state invalid,new,untracked", ct_state },
    [CT_MARK_IN_RANGE] = { "ct mark %x-%X", ct_mark },
    [CT_MARK_VMAP] = { "ct mark vmap @%n", ct_mark },
    [CT_MARK_SET] = { "ct mark set %x", ct_mark },
    [SKUID_VMAP] = { "meta skuid vmap @%n", skuid },
    [SKUID_IN_RANGE] = { "meta skuid %d-%D", skuid },
    [SKUID_NOT_IN_RANGE] = { "meta skuid != %d-%D", skuid },
    [IN_LOOPBACK] = { "iifname \"lo\"", loopback },
    [NOT_IN_LOOPBACK] = { "iifname != \"lo\"", loopback },
    [OUT_LOOPBACK] = { "oifname \"lo\"", loopback },
    [MARK_IN_RANGE] = { "meta mark %x-%X", mark },
    [MARK_SET] = { "meta mark set %x", mark },
    [ADDRESS] = { "%f daddr %a", address },
    [ADDRESS_NOT_IN] = { "%f daddr != @%n", address_not_in },
    [PROTOCOL] = { "meta l4proto %p", protocol },
    [PROTOCOL_IN] = { "meta l4proto @%n", protocol },
    [PORT] = { "%p dport %r", port },
    [PORT_IN] = { "%p dport @%n", port },
    [FIB_LOCAL] = { "fib daddr type local", fib },
    [FIB_NOT_IN] = { "fib daddr type != @%n", fib },
    [SOCKET_SLICE_IN] = { "socket cgroupv2 level 2 @%n", socket_slice },
    [MARK_SOCKET_SLICE_IN] = { "meta mark . socket cgroupv2 level 2 @%n", socket_slice },
    [SOCKET_FOUND] = { "socket wildcard 0-1", socket_found },
    [LIMIT] = { "limit rate %d/minute burst %D packets", limit },
    [LOG] = { "log prefix \"%n\" flags skuid", log_packet },
    [COUNTER] = { "counter name \"%n\"", counter },
    [COUNTER_MAP] = { "counter name meta mark map @%n", counter },
    [ACCEPT] = { "accept", verdict },
    [GOTO] = { "goto %n", verdict },
    [REJECT_RESET] = { "reject with tcp reset", reject },
    [REJECT_PROHIBITED] = { "reject with icmpx admin-prohibited", reject },
};

int statement_add_expressions(const struct statement *s, struct nftnl_rule *rule)
{
    struct emitter e = { .rule = rule };
    statement_rows[s->kind].emit(&e, s);
    return e.failed ? -ENOMEM : 0;
}

static void add_field(const struct statement *s, char field, struct text *t)
{
    char prefix[PREFIX_TEXT_MAX];
    switch (field) {
    case 'n':
        text_add(t, s->name);
        break;
    case 'x':
    case 'X':
        text_addf(t, "0x%08x", field == 'x' ? s->first : s->last);
        break;
    case 'd':
    case 'D':
        text_addf(t, "%u", field == 'd' ? s->first : s->last);
        break;
    case 'r':
        text_addf(t, "%u", s->first);
        if (s->last != s->first)
            text_addf(t, "-%u", s->last);
        break;
    case 'a':
        prefix_format(&s->prefix, prefix);
        text_add(t, prefix);
        break;
    case 'f':
        text_add(t, s->prefix.family == FAMILY_IPV4 ? "ip" : "ip6");
        break;
    case 'p':
        text_add(t, s->protocols == PROTOCOL_ANY ? "th" : protocol_name((enum protocol)s->protocols));
        break;
    }
}

void statement_add_text(const struct statement *s, struct text *t)
{
    for (const char *p = statement_rows[s->kind].text; *p; p++)
        if (*p == '%')
            add_field(s, *++p, t);
        else
            text_add_n(t, p, 1);
}
