// The system's own administration tools, run without a shell.
#pragma once

#include "base/error.h"

// Runs argv (argv[0]: a tool's bare name, looked up in the system's directories only) with a clean
// environment, no input, in its own process group, and waits for it. err: the tool, how it ended, and what it
// said, in one line.
int tool_run(const char *const argv[], struct error *err) _must_check_;
