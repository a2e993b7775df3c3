// The JSON of `agentctl status`. Its shape is documented in man/agentctl.1.scd.
#pragma once

#include <jansson.h>

#include "cmd/status_detail.h"

// NULL: out of memory.
json_t *status_json(const struct view *v, const struct status_detail *d, bool counters_known) _must_check_;
