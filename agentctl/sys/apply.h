// Runs a plan. Every step of the table has its function here, and its undo.
#pragma once

#include "plan/state.h"
#include "plan/step.h"
#include "sys/agent.h"
#include "sys/machine.h"

// Runs the steps in order. If one fails, or SIGINT, SIGTERM or SIGHUP arrives between two, what was done is
// taken back in reverse order; err says which step failed, why, and what was undone. The machine must be
// locked.
int apply_plan(struct machine *m, struct agent *a, const struct state *observed, const struct plan *plan,
               struct error *err) _must_check_;
