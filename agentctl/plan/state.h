// The state of one agent on one machine. One shape for what is wanted and what is observed; diff.h compares
// them. Pure data: sys/observe.c fills both.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"

enum presence {
    PRESENCE_ABSENT,
    PRESENCE_DIFFERENT, // there, but not as wanted: owner, mode, a rule, a text
    PRESENCE_CURRENT,
};

enum service_state {
    SERVICE_STOPPED,
    SERVICE_FAILED, // stopped; the unit is kept with its result until it is reset
    SERVICE_RUNNING,
};

struct state {
    uint32_t uid;
    enum presence ledger, account, workspace, rules;
    enum presence limits; // of the running slice, as the kernel holds them; absent: there is no slice
    char
        *spec_text; // canonical text of the spec file, or the file as it is if it can't be parsed; NULL: none
    char *spec_file;   // observed: the file as it is, for the undo
    char *launch_text; // what the launcher is told; NULL: no launch file
    bool slice;
    enum service_state service;
};

void state_clear(struct state *s);
#define _cleanup_state_ _cleanup_(state_clear)
