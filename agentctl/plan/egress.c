// The floor and the policy of one agent, as data. Decides what is explicit; never talks to a kernel and never
// looks at this host's addresses.
#include "plan/egress.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define IPV4(a, b, c, d, bits)                                                                               \
    {                                                                                                        \
        .family = FAMILY_IPV4, .bytes = { a, b, c, d }, .length = bits                                       \
    }
// The first six bytes of an IPv6 prefix; all of ours fit.
#define IPV6(a, b, c, d, e, f, bits)                                                                         \
    {                                                                                                        \
        .family = FAMILY_IPV6, .bytes = { a, b, c, d, e, f }, .length = bits                                 \
    }

// IANA's special-purpose registries less the documentation ranges, which lead nowhere.
const struct prefix egress_floor[] = {
    IPV4(0, 0, 0, 0, 8),        // "this network": Linux takes 0.0.0.0 for loopback
    IPV4(10, 0, 0, 0, 8),       // private
    IPV4(100, 64, 0, 0, 10),    // shared by carriers; some clouds' metadata (100.100.100.200)
    IPV4(127, 0, 0, 0, 8),      // loopback
    IPV4(169, 254, 0, 0, 16),   // link-local; cloud metadata
    IPV4(172, 16, 0, 0, 12),    // private
    IPV4(192, 0, 0, 0, 24),     // protocol assignments; Oracle's metadata (192.0.0.192)
    IPV4(192, 168, 0, 0, 16),   // private
    IPV4(198, 18, 0, 0, 15),    // benchmarks: proxies' and VPNs' invented addresses
    IPV4(224, 0, 0, 0, 4),      // multicast
    IPV4(240, 0, 0, 0, 4),      // reserved, broadcast
    IPV6(0, 0, 0, 0, 0, 0, 96), // unspecified, loopback, IPv4-compatible
    { .family = FAMILY_IPV6, .bytes = { [10] = 0xff, [11] = 0xff }, .length = 96 }, // IPv4-mapped
    IPV6(0x00, 0x64, 0xff, 0x9b, 0, 0, 96), // NAT64: any IPv4 address, private ones too
    IPV6(0x00, 0x64, 0xff, 0x9b, 0, 1, 48), // NAT64 of a site's own
    IPV6(0x20, 0x01, 0, 0, 0, 0, 32),       // Teredo: IPv4 inside
    IPV6(0x20, 0x02, 0, 0, 0, 0, 16),       // 6to4: IPv4 inside
    IPV6(0xfc, 0, 0, 0, 0, 0, 7),           // private; cloud metadata (fd00:ec2::254)
    IPV6(0xfe, 0x80, 0, 0, 0, 0, 10),       // link-local
    IPV6(0xfe, 0xc0, 0, 0, 0, 0, 10),       // site-local, once
    IPV6(0xff, 0, 0, 0, 0, 0, 8),           // multicast
};
const size_t egress_floor_count = ARRAY_SIZE(egress_floor);

bool egress_is_explicit(const struct endpoint *e)
{
    if (prefix_is_single(&e->prefix))
        return true;
    for (size_t i = 0; i < egress_floor_count; i++)
        if (prefix_contains(&egress_floor[i], &e->prefix))
            return true;
    return false;
}

static int compare_ports(const struct endpoint *a, const struct endpoint *b)
{
    for (size_t i = 0; i < a->port_count && i < b->port_count; i++) {
        if (a->ports[i].first != b->ports[i].first)
            return a->ports[i].first < b->ports[i].first ? -1 : 1;
        if (a->ports[i].last != b->ports[i].last)
            return a->ports[i].last < b->ports[i].last ? -1 : 1;
    }
    return (a->port_count > b->port_count) - (a->port_count < b->port_count);
}

static int compare_endpoints(const void *x, const void *y)
{
    const struct endpoint *a = x, *b = y;
    int r = prefix_compare(&a->prefix, &b->prefix);
    if (r == 0)
        r = compare_ports(a, b);
    if (r == 0)
        r = (a->protocols > b->protocols) - (a->protocols < b->protocols);
    return r;
}

static int copy_allow(const struct endpoint_list *from, struct endpoint_list *to)
{
    if (from->count == 0)
        return 0;
    to->items = calloc(from->count, sizeof(*to->items));
    if (!to->items)
        return -ENOMEM;

    memcpy(to->items, from->items, from->count * sizeof(*to->items));
    qsort(to->items, from->count, sizeof(*to->items), compare_endpoints);
    for (size_t i = 0; i < from->count; i++)
        if (to->count == 0 || !endpoint_equal(&to->items[to->count - 1], &to->items[i]))
            to->items[to->count++] = to->items[i];
    return 0;
}

int egress_policy_build(const struct agent_names *names, const struct spec *spec, uint32_t uid,
                        struct egress_policy *ret, struct error *err)
{
    _cleanup_egress_ struct egress_policy p = {
        .agent = strdup(names->agent),
        .chain = strdup(names->chain),
        .uid = uid,
        .egress = spec->egress,
        .loopback = spec->loopback,
    };
    if (!p.agent || !p.chain)
        return error_oom(err);
    if (p.egress != EGRESS_NONE && copy_allow(&spec->allow, &p.allow) < 0)
        return error_oom(err);

    *ret = p;
    p = (struct egress_policy){ 0 };
    return 0;
}

void egress_policy_clear(struct egress_policy *p)
{
    free(p->agent);
    free(p->chain);
    free(p->allow.items);
    *p = (struct egress_policy){ 0 };
}
