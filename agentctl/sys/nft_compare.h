// Comparing one part of the kernel's nftables, as its message tells it, with the model, for nft_dump.c only.
// Each function is a libmnl callback whose userdata is the structure before it.
#pragma once

#include <libmnl/libmnl.h>
#include <stdbool.h>
#include <stddef.h>

#include "encode/ruleset_rule.h"

int each_table_compare(const struct nlmsghdr *message, void *ret_awake); // bool: not dormant

struct chain_comparison {
    const struct chain *wanted;
    bool same;
};
int each_chain_compare(const struct nlmsghdr *message, void *comparison);

struct set_comparison {
    const struct set *wanted;
    bool same;
};
int each_set_compare(const struct nlmsghdr *message, void *comparison);

// Every element that the kernel names must be among the wanted ones.
struct element_comparison {
    const struct element *wanted;
    size_t count;
    size_t seen;
    bool different;
};
int each_element_compare(const struct nlmsghdr *message, void *comparison);

// Rules of one chain, in order; those of other chains are skipped in wanted.
struct rule_comparison {
    const struct rule *wanted, *end;
    const char *chain;
    bool different;
};
int each_rule_compare(const struct nlmsghdr *message, void *comparison);
bool rule_comparison_finish(struct rule_comparison *c); // true: the same, and none is missing
