// nftables rules as netlink bytes: the base table and one agent's chain, elements and removal, each as messages
// of one atomic batch. Built with libnftnl; opens nothing. nft/agentctl.nft is the readable reference.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "plan/egress.h"

// A batch under construction. Each message remembers a text of what it does, so that the kernel's refusal of
// message N can name the rule.
struct ruleset_batch;
struct ruleset_batch *ruleset_batch_new(void); // NULL: out of memory
struct ruleset_batch *ruleset_batch_free(struct ruleset_batch *b);
DEFINE_CLEANUP(struct ruleset_batch, ruleset_batch_free)
#define _cleanup_batch_ _cleanup_(ruleset_batch_freep)

// Table, base chains, maps, sets and floor; UIDs first..last without a chain are refused everything.
int ruleset_add_base(struct ruleset_batch *b, uint32_t uid_first, uint32_t uid_last, struct error *err) _must_check_;
// The agent's chain, rules and map elements. The chain must not exist in the kernel, or be removed before in the
// same batch (ruleset_remove_agent()).
int ruleset_add_agent(struct ruleset_batch *b, const struct egress_policy *p, struct error *err) _must_check_;
int ruleset_remove_agent(struct ruleset_batch *b, const struct egress_policy *p, struct error *err) _must_check_;
int ruleset_remove_table(struct ruleset_batch *b, struct error *err) _must_check_;

// The finished bytes (borrowed), with batch begin and end. Sequence numbers count up from first_sequence.
int ruleset_batch_finish(struct ruleset_batch *b, uint32_t first_sequence, const void **ret_data, size_t *ret_size,
                         struct error *err) _must_check_;
// What the message with that sequence number does: "rule 'tcp dport { 80, 443 } accept' in chain agent-coder".
const char *ruleset_batch_describe(const struct ruleset_batch *b, uint32_t sequence);

// An agent's rules as canonical text in nft's own syntax, a line each, for `show --nft`, plans and comparing with
// what the kernel holds. The caller frees.
char *ruleset_agent_text(const struct egress_policy *p) _must_check_;
