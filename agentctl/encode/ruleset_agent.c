// One agent's chain, counters and elements, as data, from its policy. The order of an agent's rules is
// decided here and nowhere else.
#include "encode/ruleset_rule.h"

#include <errno.h>
#include <string.h>

static const struct prefix loopback_prefixes[] = {
    { .family = FAMILY_IPV4, .bytes = { 127 }, .length = 8 },
    { .family = FAMILY_IPV6, .bytes = { [15] = 1 }, .length = 128 },
};

// A rule under construction: address first, because it is the cheapest to fail, the verdict last.
struct draft {
    struct statement statements[RULE_STATEMENTS_MAX];
    size_t count;
};

static void draft_add(struct draft *d, struct statement s)
{
    d->statements[d->count++] = s;
}

// What an Allow= opens of the floor.
enum opening {
    OPENS_LOOPBACK, // it lies within loopback: the host's own servers there
    OPENS_ADDRESS,  // a single address, even if it is this host's own
    OPENS_PREFIX,   // it lies inside the floor: everything in it but this host's own addresses
    OPENS_NOTHING,
};

static enum opening endpoint_opening(const struct endpoint *e)
{
    for (size_t i = 0; i < ARRAY_SIZE(loopback_prefixes); i++)
        if (prefix_contains(&loopback_prefixes[i], &e->prefix))
            return OPENS_LOOPBACK;
    if (prefix_is_single(&e->prefix))
        return OPENS_ADDRESS;
    return egress_is_explicit(e) ? OPENS_PREFIX : OPENS_NOTHING;
}

static struct statement above_floor(enum address_family family, bool family_known)
{
    return (struct statement){ .kind = ADDRESS_NOT_IN,
                               .prefix.family = family,
                               .family_known = family_known,
                               .name = family == FAMILY_IPV4 ? SET_FLOOR4 : SET_FLOOR6 };
}

static void add_protocols(struct draft *d, unsigned protocols)
{
    if (protocols == PROTOCOL_ANY)
        draft_add(d, (struct statement){ .kind = PROTOCOL_IN, .name = SET_TRANSPORTS });
    else
        draft_add(d, (struct statement){ .kind = PROTOCOL, .protocols = protocols });
}

static void add_ports(struct draft *d, const struct endpoint *e, const struct port_range *ports)
{
    if (!ports || e->protocols == PROTOCOL_ANY)
        add_protocols(d, e->protocols);
    if (ports)
        draft_add(d,
                  (struct statement){
                      .kind = PORT, .protocols = e->protocols, .first = ports->first, .last = ports->last });
}

// Closes what the entry does not open.
static void add_guard(struct draft *d, const struct endpoint *e, enum opening opening)
{
    if (opening == OPENS_NOTHING && e->prefix.length > 0)
        draft_add(d, above_floor(e->prefix.family, true));
    if (opening == OPENS_NOTHING || opening == OPENS_PREFIX)
        draft_add(d, (struct statement){ .kind = FIB_NOT_IN, .name = SET_OWN_ADDRESSES });
    if (opening == OPENS_LOOPBACK)
        draft_add(d, (struct statement){ .kind = FIB_LOCAL });
}

static void accept_counted(struct ruleset *rs, const char *chain, struct draft *d, const char *counter)
{
    draft_add(d, (struct statement){ .kind = COUNTER, .name = counter });
    draft_add(d, (struct statement){ .kind = ACCEPT });
    ruleset_add_rule(rs, chain, d->statements, d->count);
}

// One rule for each range of ports: no anonymous sets, so that the kernel's rules can be compared one by one.
static void add_allow(struct ruleset *rs, const char *chain, const struct endpoint *e, const char *counter)
{
    enum opening opening = endpoint_opening(e);
    for (size_t i = 0; i == 0 || i < e->port_count; i++) {
        struct draft d = { 0 };
        if (e->prefix.length > 0)
            draft_add(&d, (struct statement){ .kind = ADDRESS, .prefix = e->prefix });
        else
            draft_add(&d, above_floor(e->prefix.family, false));
        add_ports(&d, e, e->port_count ? &e->ports[i] : NULL);
        add_guard(&d, e, opening);
        accept_counted(rs, chain, &d, counter);
    }
}

// public: web pages on public addresses. open: everything above the floor. In both families.
static void add_reach(struct ruleset *rs, const char *chain, enum egress egress, const char *counter)
{
    for (unsigned family = 0; family < FAMILY_COUNT; family++) {
        struct draft d = { 0 };
        draft_add(&d, above_floor((enum address_family)family, false));
        if (egress == EGRESS_PUBLIC)
            draft_add(&d, (struct statement){ .kind = PORT_IN, .protocols = PROTOCOL_TCP, .name = SET_WEB });
        else
            add_protocols(&d, PROTOCOL_ANY);
        draft_add(&d, (struct statement){ .kind = FIB_NOT_IN, .name = SET_OWN_ADDRESSES });
        accept_counted(rs, chain, &d, counter);
    }
}

// Servers of the agent itself on 127.0.0.1 and ::1, with the mark by which input tells whose they must be. A
// broadcast on loopback would reach others' sockets: only addresses.
static void add_loopback(struct ruleset *rs, const char *chain, uint32_t mark)
{
    for (size_t i = 0; i < ARRAY_SIZE(loopback_prefixes); i++)
        RULE(rs, chain, { .kind = OUT_LOOPBACK }, { .kind = ADDRESS, .prefix = loopback_prefixes[i] },
             { .kind = FIB_LOCAL }, { .kind = PROTOCOL_IN, .name = SET_TRANSPORTS },
             { .kind = MARK_SET, .first = mark }, { .kind = ACCEPT });
}

// A reset seems to come from the refused address. Where the unit's own address filter (IPAddressDeny=) covers
// that address it drops the reset, and the agent would wait for its time-out: there an ICMP error tells it,
// which the filter does not see.
static void add_refusal(struct ruleset *rs, const char *chain, enum egress egress)
{
    bool denied_all = egress == EGRESS_NONE || egress == EGRESS_LIST;
    for (unsigned family = 0; !denied_all && family < FAMILY_COUNT; family++) {
        struct draft d = { 0 };
        draft_add(&d, above_floor((enum address_family)family, false));
        draft_add(&d, (struct statement){ .kind = GOTO, .name = CHAIN_REFUSE });
        ruleset_add_rule(rs, chain, d.statements, d.count);
    }
    RULE(rs, chain, { .kind = GOTO, .name = CHAIN_UNREACHABLE });
}

static void add_rules(struct ruleset *rs, const struct egress_policy *p, const char *accepted,
                      const char *refused)
{
    const char *chain = ruleset_name(rs, "%s", p->chain);
    const char *prefix = ruleset_name(rs, "agentctl %s refused: ", p->agent);
    bool loopback = p->loopback != LOOPBACK_NONE;

    RULE(rs, chain, { .kind = CT_REPLY }, { .kind = GOTO, .name = loopback ? CHAIN_REPLIES : CHAIN_INBOUND });
    RULE(rs, chain, { .kind = CT_MARK_SET, .first = MARK_OWN | p->uid });
    // Whatever is allowed below on this host: never another agent's server.
    RULE(rs, chain, { .kind = OUT_LOOPBACK }, { .kind = MARK_SET, .first = MARK_HOST | p->uid });

    for (size_t i = 0; p->egress != EGRESS_NONE && i < p->allow.count; i++)
        add_allow(rs, chain, &p->allow.items[i], accepted);
    if (loopback)
        add_loopback(rs, chain, (p->loopback == LOOPBACK_HOST ? MARK_HOST : MARK_OWN) | p->uid);
    if (p->egress == EGRESS_PUBLIC || p->egress == EGRESS_OPEN)
        add_reach(rs, chain, p->egress, accepted);

    RULE(rs, chain, LIMITED_LOG(prefix));
    RULE(rs, chain, { .kind = COUNTER, .name = refused });
    add_refusal(rs, chain, p->egress);
}

// Keys are as the kernel's registers hold them: marks, UIDs and cgroup ids in this machine's byte order.
static void add_elements(struct ruleset *rs, const struct egress_policy *p, const char *refused)
{
    const char *chain = ruleset_name(rs, "%s", p->chain);
    const uint32_t marks[] = { MARK_OWN | p->uid, MARK_HOST | p->uid };

    struct element e = { .set = SET_AGENTS, .key_size = sizeof(p->uid), .chain = chain };
    memcpy(e.key, &p->uid, sizeof(p->uid));
    ruleset_add_element(rs, &e);
    e.set = SET_FLOWS;
    memcpy(e.key, &marks[0], sizeof(marks[0]));
    ruleset_add_element(rs, &e);

    for (size_t i = 0; i < ARRAY_SIZE(marks); i++) {
        e = (struct element){ .set = SET_REFUSALS, .key_size = sizeof(marks[i]), .counter = refused };
        memcpy(e.key, &marks[i], sizeof(marks[i]));
        ruleset_add_element(rs, &e);
    }
    if (p->slice_cgroup_id == 0)
        return;
    for (size_t i = 0; i < ARRAY_SIZE(marks); i++) {
        e = (struct element){ .set = SET_SERVERS, .key_size = sizeof(marks[i]) + sizeof(p->slice_cgroup_id) };
        memcpy(e.key, &marks[i], sizeof(marks[i]));
        memcpy(e.key + sizeof(marks[i]), &p->slice_cgroup_id, sizeof(p->slice_cgroup_id));
        ruleset_add_element(rs, &e);
    }
    e = (struct element){ .set = SET_SLICES, .key_size = sizeof(p->slice_cgroup_id) };
    memcpy(e.key, &p->slice_cgroup_id, sizeof(p->slice_cgroup_id));
    ruleset_add_element(rs, &e);
}

int ruleset_build_agent(const struct egress_policy *p, struct ruleset *ret, struct error *err)
{
    if (p->uid == 0 || p->uid > MARK_UID_MAX)
        return error_set(err, EINVAL, "UID %u: not within 1-%u, which is what a packet's mark can hold",
                         p->uid, MARK_UID_MAX);

    _cleanup_ruleset_ struct ruleset rs = { 0 };
    const char *accepted = ruleset_name(&rs, "accepted-%s", p->agent);
    const char *refused = ruleset_name(&rs, "refused-%s", p->agent);
    ruleset_add_counter(&rs, accepted);
    ruleset_add_counter(&rs, refused);
    ruleset_add_chain(&rs, ruleset_name(&rs, "%s", p->chain), NO_HOOK);
    add_rules(&rs, p, accepted, refused);
    add_elements(&rs, p, refused);
    if (rs.failed)
        return error_oom(err);
    *ret = rs;
    rs = (struct ruleset){ 0 };
    return 0;
}
