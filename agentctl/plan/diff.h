// The difference between the state that is wanted and the one observed, as a plan. Pure.
#pragma once

#include "plan/names.h"
#include "plan/state.h"
#include "plan/step.h"

// The steps that turn observed into wanted, in the order of the step table; empty if there is nothing to do.
int diff_states(const struct agent_names *names, const struct state *wanted, const struct state *observed,
                struct plan *ret, struct error *err) _must_check_;
