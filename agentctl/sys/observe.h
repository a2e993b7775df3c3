// The state of one agent: observed on this machine, or wanted by its spec. Changes nothing.
#pragma once

#include "plan/state.h"
#include "sys/agent.h"
#include "sys/machine.h"

// A user or group of the agent's name that is not the one the ledger knows is an error: it is somebody
// else's.
int observe_state(struct machine *m, const struct agent *a, struct state *ret,
                  struct error *err) _must_check_;

// What verbs want of an agent.
enum intent {
    INTENT_DEFINED, // everything but the running service, which stays as it is observed
    INTENT_RUNNING,
    INTENT_STOPPED,
    INTENT_GONE,
};
int want_state(const struct agent *a, enum intent intent, const struct state *observed, struct state *ret,
               struct error *err) _must_check_;
