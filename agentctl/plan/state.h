// The state of one agent on one machine. One shape for what is wanted and what is observed; diff.h compares them.
// Pure data: sys/observe.c fills the observed one, sys/wanted.c the wanted one.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"

enum rules_state { RULES_ABSENT, RULES_DIFFERENT, RULES_CURRENT };

struct state {
    bool uid_reserved; // in the ledger, live
    uint32_t uid;      // valid if uid_reserved (observed) or anything is wanted
    char *spec;        // canonical text of the spec file; NULL: none
    bool account;      // user and group exist, with that UID
    bool workspace;    // the directories exist, with the right owners, modes and ACLs
    bool workspace_any; // something of the workspace exists (observed)
    enum rules_state rules;
    bool slice;        // active
    bool service;      // active or activating
    bool service_failed; // loaded and failed: the unit's name is taken until it is reset
    bool launch;       // the launch file exists
    char *launch_text; // its content
    bool unattended;   // observed: processes of the UID outside the service
};

void state_clear(struct state *s);
#define _cleanup_state_ _cleanup_(state_clear)
