// Plans as data: a list of steps from one closed table, each with its order, its undo and its text. Pure; what a
// step does is in sys/apply.c.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/text.h"

enum step_kind {
    // making
    STEP_RESERVE_UID,
    STEP_WRITE_SPEC,
    STEP_CREATE_ACCOUNT,
    STEP_MAKE_WORKSPACE,
    STEP_INSTALL_RULES,
    // starting
    STEP_START_SLICE,
    STEP_OPEN_LOOPBACK,
    STEP_WRITE_LAUNCH,
    STEP_START_SERVICE,
    // changing what runs
    STEP_SET_LIMITS,
    // stopping
    STEP_STOP_SERVICE,
    STEP_KILL_PROCESSES,
    STEP_REMOVE_LAUNCH,
    STEP_CLOSE_LOOPBACK,
    STEP_STOP_SLICE,
    // removing
    STEP_REMOVE_WORKSPACE,
    STEP_REMOVE_ACCOUNT,
    STEP_REMOVE_RULES,
    STEP_RETIRE_UID,
    STEP_REMOVE_SPEC,
    STEP_COUNT,
};

// One row a kind. Steps run in the order of the table.
struct step_row {
    const char *name;    // "create-account", stable, for --json
    const char *text;    // what it does, for people; %s is the step's object
    enum step_kind undo; // the step that takes it back, or STEP_COUNT: there is none
};

extern const struct step_row step_rows[STEP_COUNT];

struct step {
    enum step_kind kind;
    char *object; // "agent-coder (UID 65536)"
};

struct plan {
    struct step *steps;
    size_t count;
};

void plan_clear(struct plan *p);
#define _cleanup_plan_ _cleanup_(plan_clear)
int plan_add(struct plan *p, enum step_kind kind, const char *object, struct error *err) _must_check_;
// A line a step, for --dry-run. The caller frees; NULL: out of memory.
char *plan_text(const struct plan *p) _must_check_;
