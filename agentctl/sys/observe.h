// The state of one agent: observed on this machine, or wanted by its spec. Changes nothing.
#pragma once

#include "plan/state.h"
#include "sys/agent.h"
#include "sys/machine.h"

// What verbs want of an agent.
enum intent {
    INTENT_DEFINED, // everything but the running service, which stays as it is observed
    INTENT_RUNNING,
    INTENT_STOPPED, // nothing runs; the rest stays as it is observed
    INTENT_GONE,
};

// What stands in the way of making an agent (a user of that name that is not the agent's, a workspace that
// can't be read) is an error, but not in the way of stopping and removing one: then it counts as different,
// and what is somebody else's as absent.
int observe_state(struct machine *m, const struct agent *a, enum intent intent, struct state *ret,
                  struct error *err) _must_check_;
int want_state(const struct agent *a, enum intent intent, const struct state *observed, struct state *ret,
               struct error *err) _must_check_;
