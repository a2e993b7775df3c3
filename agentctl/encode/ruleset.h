// nftables rules as netlink bytes and as text. A ruleset (ruleset_rule.h) is the base table or what belongs
// to one agent; a batch is a list of messages that the kernel takes as a whole or not at all. Built with
// libnftnl; opens nothing. nft/agentctl.nft is the readable reference.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "plan/egress.h"

struct ruleset;

// A batch under construction. Each message remembers a text of what it does, so that the kernel's refusal of
// message N can name the rule. Appending never fails halfway: ruleset_batch_finish() reports it.
struct ruleset_batch;
struct ruleset_batch *ruleset_batch_new(void); // NULL: out of memory
struct ruleset_batch *ruleset_batch_free(struct ruleset_batch *b);
DEFINE_CLEANUP(struct ruleset_batch, ruleset_batch_free)
#define _cleanup_batch_ _cleanup_(ruleset_batch_freep)

// Makes everything in rs exist, whatever existed before: chains hold exactly these rules, fixed sets exactly
// these elements, counters go on counting. An element whose key is there with another value must be removed
// first.
void ruleset_batch_add(struct ruleset_batch *b, const struct ruleset *rs);
// Removes the elements of rs, then its chains, then its counters. All of them must exist.
void ruleset_batch_remove(struct ruleset_batch *b, const struct ruleset *rs);
void ruleset_batch_remove_table(struct ruleset_batch *b);

// The finished bytes (borrowed), with batch begin and end. Sequence numbers count up from first_sequence,
// which is that of the begin. The kernel takes the batch only while its rules are of that generation; 0: in
// any case.
int ruleset_batch_finish(struct ruleset_batch *b, uint32_t first_sequence, uint32_t generation,
                         const void **ret_data, size_t *ret_size, struct error *err) _must_check_;
// What the message with that sequence number does: "rule 'ip daddr 10.0.0.5 accept' in chain agent-coder".
const char *ruleset_batch_describe(const struct ruleset_batch *b, uint32_t sequence);

// An agent's chain as `nft --stateless list chain` prints it. The caller frees; NULL: out of memory, or a
// policy that no ruleset can be built from.
char *ruleset_agent_text(const struct egress_policy *p) _must_check_;
