// The base of the table: sets, shared chains and the dispatch, as data. Says what holds for every agent and
// for everybody else; knows no single agent.
#include "encode/ruleset_rule.h"

#include <errno.h>
#include <linux/netfilter/nf_tables.h>
#include <netinet/in.h>
#include <string.h>

// nft's numbers of types (its datatype.h); the kernel only keeps them for listings.
#define TYPE_IPV4_ADDR 7
#define TYPE_IPV6_ADDR 8
#define TYPE_INET_PROTO 12
#define TYPE_INET_SERVICE 13
#define TYPE_MARK 19
#define TYPE_UID 24
#define TYPE_FIB_ADDRTYPE 38
#define TYPE_CGROUPSV2 46
#define CONCATENATION(a, b) ((a) << 6 | (b))

static const struct set_type ipv4_prefixes = { "type ipv4_addr", TYPE_IPV4_ADDR, 4, NFT_SET_INTERVAL, false };
static const struct set_type ipv6_prefixes = { "type ipv6_addr", TYPE_IPV6_ADDR, 16, NFT_SET_INTERVAL,
                                               false };
static const struct set_type address_types = { "type fib_addrtype", TYPE_FIB_ADDRTYPE, 4, 0, true };
static const struct set_type protocols = { "type inet_proto", TYPE_INET_PROTO, 1, 0, false };
static const struct set_type ports = { "type inet_service", TYPE_INET_SERVICE, 2, 0, false };
static const struct set_type uid_to_chain = { "type uid : verdict", TYPE_UID, 4, NFT_SET_MAP, true };
static const struct set_type mark_to_chain = { "type mark : verdict", TYPE_MARK, 4, NFT_SET_MAP, true };
static const struct set_type mark_to_counter = { "type mark : counter", TYPE_MARK, 4, NFT_SET_OBJECT, true };
static const struct set_type slices = { "type cgroupsv2", TYPE_CGROUPSV2, 8, 0, true };
static const struct set_type marks_and_slices = { "type mark . cgroupsv2",
                                                  CONCATENATION(TYPE_MARK, TYPE_CGROUPSV2), 12, 0, false };

static const struct set base_sets[] = {
    { SET_FLOOR4, &ipv4_prefixes, true },
    { SET_FLOOR6, &ipv6_prefixes, true },
    { SET_OWN_ADDRESSES, &address_types, true },
    { SET_TRANSPORTS, &protocols, true },
    { SET_WEB, &ports, true },
    { SET_AGENTS, &uid_to_chain, false },
    { SET_FLOWS, &mark_to_chain, false },
    { SET_REFUSALS, &mark_to_counter, false },
    { SET_SERVERS, &marks_and_slices, false },
    { SET_SLICES, &slices, false },
};

static const struct chain base_chains[] = {
    { "output", HOOK_OUTPUT },      { "input", HOOK_INPUT },         { CHAIN_REPLIES, NO_HOOK },
    { CHAIN_INBOUND, NO_HOOK },     { "own_loopback", NO_HOOK },     { "host_loopback", NO_HOOK },
    { "strangers", NO_HOOK },       { "refused_loopback", NO_HOOK }, { CHAIN_REFUSE, NO_HOOK },
    { CHAIN_UNREACHABLE, NO_HOOK },
};

static void add_value(struct ruleset *rs, const char *set, const void *key, size_t size)
{
    struct element e = { .set = set, .key_size = size };
    memcpy(e.key, key, size);
    ruleset_add_element(rs, &e);
}

// The first address beyond the prefix; false if there is none.
static bool prefix_end(const struct prefix *p, uint8_t ret[16])
{
    memcpy(ret, p->bytes, 16);
    unsigned carry = p->length % 8 ? 1U << (8 - p->length % 8) : 1;
    for (int i = (p->length - 1) / 8; i >= 0 && carry; i--) {
        carry += ret[i];
        ret[i] = (uint8_t)carry;
        carry >>= 8;
    }
    return carry == 0;
}

// An interval is its first address and, marked as an end, the first one beyond it.
static void add_floor(struct ruleset *rs)
{
    for (size_t i = 0; i < egress_floor_count; i++) {
        const struct prefix *p = &egress_floor[i];
        struct element e = { .set = p->family == FAMILY_IPV4 ? SET_FLOOR4 : SET_FLOOR6,
                             .key_size = p->family == FAMILY_IPV4 ? 4 : 16 };
        memcpy(e.key, p->bytes, sizeof(e.key));
        ruleset_add_element(rs, &e);
        e.interval_end = true;
        if (prefix_end(p, e.key))
            ruleset_add_element(rs, &e);
    }
}

static void add_fixed_elements(struct ruleset *rs)
{
    static const uint32_t own_addresses[] = { 2, 3, 4 }; // RTN_LOCAL, RTN_BROADCAST, RTN_ANYCAST
    static const uint8_t transports[] = { IPPROTO_TCP, IPPROTO_UDP };
    const uint16_t web[] = { htons(80), htons(443) };

    add_floor(rs);
    for (size_t i = 0; i < ARRAY_SIZE(own_addresses); i++)
        add_value(rs, SET_OWN_ADDRESSES, &own_addresses[i], sizeof(own_addresses[i]));
    for (size_t i = 0; i < ARRAY_SIZE(transports); i++)
        add_value(rs, SET_TRANSPORTS, &transports[i], sizeof(transports[i]));
    for (size_t i = 0; i < ARRAY_SIZE(web); i++)
        add_value(rs, SET_WEB, &web[i], sizeof(web[i]));
}

// What an agent sends is judged in its chain, by the socket's owner or, where the socket has none any more,
// by the connection's mark. Who owns a socket and is no agent passes at the second rule. A UID of the agents'
// range that has no chain is refused everything. Only the connection's opener is judged by the mark: its
// other side may be anybody, and so are the resets that the kernel makes.
static void add_output(struct ruleset *rs, uint32_t first, uint32_t last)
{
    RULE(rs, "output", { .kind = SKUID_VMAP, .name = SET_AGENTS });
    RULE(rs, "output", { .kind = SKUID_NOT_IN_RANGE, .first = first, .last = last }, { .kind = ACCEPT });
    RULE(rs, "output", { .kind = SKUID_IN_RANGE, .first = first, .last = last },
         { .kind = GOTO, .name = "strangers" });
    RULE(rs, "output", { .kind = CT_ORIGINAL }, { .kind = CT_MARK_VMAP, .name = SET_FLOWS });
    RULE(rs, "output", { .kind = CT_ORIGINAL },
         { .kind = CT_MARK_IN_RANGE, .first = MARK_OWN | first, .last = MARK_OWN | last },
         { .kind = GOTO, .name = "strangers" });

    RULE(rs, "strangers", LIMITED_LOG("agentctl stranger refused: "));
    RULE(rs, "strangers", { .kind = COUNTER, .name = "strangers" });
    RULE(rs, "strangers", { .kind = GOTO, .name = CHAIN_REFUSE });
}

// Loopback is judged where the receiver is known. Nobody outside reaches an agent's servers.
static void add_input(struct ruleset *rs)
{
    RULE(rs, "input", { .kind = IN_LOOPBACK },
         { .kind = MARK_IN_RANGE, .first = MARK_OWN, .last = MARK_OWN | MARK_UID_MAX },
         { .kind = GOTO, .name = "own_loopback" });
    RULE(rs, "input", { .kind = IN_LOOPBACK },
         { .kind = MARK_IN_RANGE, .first = MARK_HOST, .last = MARK_HOST | MARK_UID_MAX },
         { .kind = GOTO, .name = "host_loopback" });
    RULE(rs, "input", { .kind = NOT_IN_LOOPBACK }, { .kind = CT_STATE_UNKNOWN },
         { .kind = SOCKET_SLICE_IN, .name = SET_SLICES }, { .kind = GOTO, .name = CHAIN_INBOUND });

    RULE(rs, CHAIN_REPLIES, { .kind = OUT_LOOPBACK }, { .kind = ACCEPT });
    RULE(rs, CHAIN_REPLIES, { .kind = GOTO, .name = CHAIN_INBOUND });

    RULE(rs, CHAIN_INBOUND, LIMITED_LOG("agentctl inbound refused: "));
    RULE(rs, CHAIN_INBOUND, { .kind = COUNTER, .name = "inbound" });
    RULE(rs, CHAIN_INBOUND, { .kind = GOTO, .name = CHAIN_REFUSE });
}

// Every packet is looked at, not only a connection's first, so that a tightened policy ends what is open.
// Only where there is no full socket (the handshake's last packet, a connection in TIME_WAIT) the
// connection's state has to do.
static void add_loopback(struct ruleset *rs)
{
    RULE(rs, "own_loopback", { .kind = MARK_SOCKET_SLICE_IN, .name = SET_SERVERS }, { .kind = ACCEPT });
    RULE(rs, "own_loopback", { .kind = SOCKET_FOUND }, { .kind = GOTO, .name = "refused_loopback" });
    RULE(rs, "own_loopback", { .kind = CT_STATE_KNOWN }, { .kind = ACCEPT });
    RULE(rs, "own_loopback", { .kind = GOTO, .name = "refused_loopback" });

    RULE(rs, "host_loopback", { .kind = MARK_SOCKET_SLICE_IN, .name = SET_SERVERS }, { .kind = ACCEPT });
    RULE(rs, "host_loopback", { .kind = SOCKET_SLICE_IN, .name = SET_SLICES },
         { .kind = GOTO, .name = "refused_loopback" });
    RULE(rs, "host_loopback", { .kind = ACCEPT });

    RULE(rs, "refused_loopback", LIMITED_LOG("agentctl loopback refused: "));
    RULE(rs, "refused_loopback", { .kind = COUNTER_MAP, .name = SET_REFUSALS });
    RULE(rs, "refused_loopback", { .kind = GOTO, .name = CHAIN_REFUSE });

    RULE(rs, CHAIN_REFUSE, { .kind = PROTOCOL, .protocols = PROTOCOL_TCP }, { .kind = REJECT_RESET });
    RULE(rs, CHAIN_REFUSE, { .kind = REJECT_PROHIBITED });
    RULE(rs, CHAIN_UNREACHABLE, { .kind = REJECT_PROHIBITED });
}

int ruleset_build_base(uint32_t uid_first, uint32_t uid_last, struct ruleset *ret, struct error *err)
{
    if (uid_first == 0 || uid_first > uid_last || uid_last > MARK_UID_MAX)
        return error_set(err, EINVAL,
                         "UIDs %u-%u: not a range within 1-%u, which is what a packet's mark can hold",
                         uid_first, uid_last, MARK_UID_MAX);

    _cleanup_ruleset_ struct ruleset rs = { 0 };
    for (size_t i = 0; i < ARRAY_SIZE(base_sets); i++)
        ruleset_add_set(&rs, &base_sets[i]);
    for (size_t i = 0; i < ARRAY_SIZE(base_chains); i++)
        ruleset_add_chain(&rs, base_chains[i].name, base_chains[i].hook);
    ruleset_add_counter(&rs, "strangers");
    ruleset_add_counter(&rs, "inbound");
    add_fixed_elements(&rs);
    add_output(&rs, uid_first, uid_last);
    add_input(&rs);
    add_loopback(&rs);
    if (rs.failed)
        return error_oom(err);
    *ret = rs;
    rs = (struct ruleset){ 0 };
    return 0;
}
