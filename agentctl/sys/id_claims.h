// Who on this host has a claim to a UID or GID: users, their primary groups, groups, subordinate ids.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

enum id_claim_kind {
    CLAIM_USER,
    CLAIM_PRIMARY_GROUP,
    CLAIM_GROUP,
    CLAIM_SUBUIDS,
    CLAIM_SUBGIDS,
    CLAIM_COUNT
};

struct id_claim {
    uint32_t first, last; // both included
    enum id_claim_kind kind;
    char *name;
};

struct id_claims {
    struct id_claim *items;
    size_t count;
};

void id_claims_clear(struct id_claims *c);
#define _cleanup_claims_ _cleanup_(id_claims_clear)

// All claims of the user database's files that touch first..last.
int id_claims_read(uint32_t first, uint32_t last, struct id_claims *ret, struct error *err) _must_check_;
// The claim that covers the id and reaches farthest, or NULL.
const struct id_claim *id_claims_find(const struct id_claims *c, uint32_t id);
// "user bob", "subordinate UIDs of bob"; the caller frees. NULL: out of memory.
char *id_claim_text(const struct id_claim *claim) _must_check_;
