// What the kernel's nftables hold, for nft.c only. Functions return 0 or the kernel's bare negative errno
// (-EINTR: the rules changed while they were read, start anew); the caller words it.
#pragma once

#include <libmnl/libmnl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "encode/ruleset_rule.h"

#define NFT_BUFFER_SIZE 65536 // the kernel fills at most 32 KiB at once

struct nft {
    struct mnl_socket *socket;
    uint32_t sequence;
    char request[4096];
    char answer[NFT_BUFFER_SIZE];
};

// A message under construction in n->request. flags: NLM_F_DUMP for all of a kind, NLM_F_ACK for one.
struct nlmsghdr *nft_request(struct nft *n, uint16_t type, uint16_t flags);
// Sends it and hands each answer to each(), which returns MNL_CB_OK, or MNL_CB_ERROR with errno set.
int nft_query(struct nft *n, struct nlmsghdr *request, mnl_cb_t each, void *userdata) _must_check_;

// For nft_query(): all counters of the table.
struct nlmsghdr *nft_request_counters(struct nft *n);

// Changes whenever anybody changes any rule.
int nft_read_generation(struct nft *n, uint32_t *ret) _must_check_;
// Whether the table exists.
int nft_read_table(struct nft *n, bool *ret) _must_check_;
// Whether chains beginning with "agent-" exist besides the one given.
int nft_read_other_agents(struct nft *n, const char *chain, bool *ret) _must_check_;
// The part of wanted (chains, counters, elements) that exists, whatever it is like, and elements that belong
// to the UID but are not wanted (a slice that is gone). An agent's ruleset only.
int nft_read_present(struct nft *n, const struct ruleset *wanted, uint32_t uid,
                     struct ruleset *ret) _must_check_;
// Whether the kernel's chains, sets, counters, rules and elements are those of wanted.
int nft_compare(struct nft *n, const struct ruleset *wanted, bool *ret_same) _must_check_;
