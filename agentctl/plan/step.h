// Plans as data: a list of steps from one closed table, each with its order, its text and the text of its
// undo. Pure; what a step does is in sys/apply.c.
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"

// Steps run in this order.
enum step_kind {
    // making
    STEP_RESERVE_UID,
    STEP_WRITE_SPEC,
    STEP_CREATE_ACCOUNT,
    STEP_MAKE_WORKSPACE,
    STEP_SET_LIMITS,
    STEP_INSTALL_RULES, // after the limits: as long as it is missing, both are known to be
    // starting
    STEP_START_SLICE,
    STEP_OPEN_LOOPBACK,
    STEP_WRITE_LAUNCH,
    STEP_START_SERVICE,
    // stopping
    STEP_STOP_SERVICE,
    STEP_KILL_PROCESSES,
    STEP_REMOVE_LAUNCH,
    STEP_STOP_SLICE,
    STEP_CLOSE_LOOPBACK,
    // removing; the spec goes first, so that nothing makes a half-removed agent again, and the ledger's entry
    // last,
    // so that it stays known until nothing is left
    STEP_REMOVE_SPEC,
    STEP_REMOVE_WORKSPACE,
    STEP_REMOVE_ACCOUNT,
    STEP_REMOVE_RULES,
    STEP_RETIRE_UID,
    STEP_COUNT,
};

struct step_row {
    const char *name; // stable, for --json: "create-account"
    const char *text; // for people: "create user and group"
    const char *undo; // "removed user and group"; NULL: nothing takes this step back
};

extern const struct step_row step_rows[STEP_COUNT];

struct step {
    enum step_kind kind;
    char *object; // "agent-coder"
};

struct plan {
    struct step *steps;
    size_t count;
};

void plan_clear(struct plan *p);
#define _cleanup_plan_ _cleanup_(plan_clear)
int plan_add(struct plan *p, enum step_kind kind, const char *object, struct error *err) _must_check_;
bool plan_contains(const struct plan *p, enum step_kind kind) _pure_;
// "create user and group agent-coder". The caller frees; NULL: out of memory.
char *step_text(const struct step *s) _must_check_;
