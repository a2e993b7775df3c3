// What a running service was started with, of all that can't be changed while it runs: kept in /run beside
// the launch file, so that a spec that has changed since does not look as if it were in force.
#pragma once

#include <stdbool.h>

#include "base/error.h"
#include "plan/host.h"
#include "sys/agent.h"

int record_write(const struct agent *a, const struct host *host, struct error *err) _must_check_;
int record_remove(const struct agent_names *names, struct error *err) _must_check_;
// True if a restart would change something. False too if there is no record (nothing was started).
int record_is_outdated(const struct agent *a, const struct host *host, bool *ret,
                       struct error *err) _must_check_;
