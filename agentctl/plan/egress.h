// Egress: where an agent's packets may go, as data: the floor, and what Allow=, Egress= and Loopback= come
// to. The rules for the kernel (encode/ruleset.h) and systemd's IP filters (plan/properties.c) are both made
// from it. Pure.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/address.h"
#include "base/error.h"
#include "plan/names.h"
#include "spec/spec.h"

// The floor: prefixes that stay closed unless Allow= names that very place. Sorted by prefix_compare(),
// without overlaps. The addresses of this host belong to it too, but only the kernel knows them.
extern const struct prefix egress_floor[];
extern const size_t egress_floor_count;
// True if e opens part of the floor explicitly: it lies inside a floor prefix, or is a single address (which
// may be this host's own). A wider Allow= (0.0.0.0/0) never opens the floor.
bool egress_is_explicit(const struct endpoint *e) _pure_;

// Everything nftables must know about one agent.
struct egress_policy {
    char *agent; // name
    char *chain; // names.chain
    uint32_t uid;
    enum egress egress;
    enum loopback loopback;
    struct endpoint_list allow; // sorted, without duplicates; empty with EGRESS_NONE, which no Allow= opens
    uint64_t slice_cgroup_id;   // inode of the slice's cgroup directory; 0: the slice is not there
};

// slice_cgroup_id is 0 afterwards; who knows it sets it.
int egress_policy_build(const struct agent_names *names, const struct spec *spec, uint32_t uid,
                        struct egress_policy *ret, struct error *err) _must_check_;
void egress_policy_clear(struct egress_policy *p);
#define _cleanup_egress_ _cleanup_(egress_policy_clear)
