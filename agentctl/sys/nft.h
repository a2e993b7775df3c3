// The one place that talks to nftables. Every change is one atomic batch; readers see all of it or nothing.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "plan/conf.h"
#include "plan/egress.h"

struct nft; // an open netlink socket

// Needs CAP_NET_ADMIN for everything, reading included. err says in one line whether the privilege is missing
// or the kernel has no nf_tables.
int nft_open(struct nft **ret, struct error *err) _must_check_;
struct nft *nft_close(struct nft *n);
DEFINE_CLEANUP(struct nft, nft_close)
#define _cleanup_nft_ _cleanup_(nft_closep)

// Makes the kernel's rules for this agent exactly those of the policy: base table if it is absent, chain,
// rules, elements, in one batch that replaces what was there. A refusal names the rule.
int nft_agent_install(struct nft *n, const struct conf *conf, const struct egress_policy *p,
                      struct error *err) _must_check_;
// Removes the agent's chain and elements, and the table with the last agent. Fine if nothing is there.
int nft_agent_remove(struct nft *n, const struct egress_policy *p, struct error *err) _must_check_;

// Whether the kernel holds exactly the policy's rules.
enum nft_match {
    NFT_MATCH_ABSENT,    // no chain and no elements
    NFT_MATCH_DIFFERENT, // something differs: a rule, an element, the base table
    NFT_MATCH_SAME,
};
int nft_agent_match(struct nft *n, const struct conf *conf, const struct egress_policy *p,
                    enum nft_match *ret, struct error *err) _must_check_;

struct nft_counter {
    uint64_t packets, bytes;
};

// Network counters of one agent since its rules were installed.
struct nft_counters {
    struct nft_counter accepted, refused;
};

// Counters of many agents with one dump: policies[i] -> ret[i] (zero where the kernel has no such chain).
int nft_counters_read(struct nft *n, const struct egress_policy *policies, size_t count,
                      struct nft_counters *ret, struct error *err) _must_check_;
