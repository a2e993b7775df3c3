// The text of `agentctl status`, without log lines.
#pragma once

#include "cmd/status_detail.h"

// Writes to standard output, whose state the caller checks.
int status_print(const struct view *v, const struct status_detail *d, bool counters_known,
                 struct error *err) _must_check_;
