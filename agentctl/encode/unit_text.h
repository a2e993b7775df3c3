// A unit as the text of a unit file, for `show --unit`: the same property list that the D-Bus message is made
// from, in systemd's syntax (values escaped, '%' doubled). Loaded as a file, it is the same unit.
#pragma once

#include "plan/unit.h"

// The caller frees. NULL on out of memory.
char *unit_text(const struct unit *u) _must_check_;
