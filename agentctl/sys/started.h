// Whether a started service has come as far as its own command: the launcher execs it, and may fail to.
#pragma once

#include "base/error.h"
#include "sys/manager.h"

// Waits until the unit's main process runs something else than the launcher, or has ended. A launcher that
// could not run the command, or a command that is not found, is an error.
int started_await_command(struct manager *m, const char *unit, const char *launcher,
                          struct error *err) _must_check_;
