// The rows of the property table (plan/properties.c), for the builder (plan/unit.c) and the test that walks
// them.
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "plan/unit.h"

enum unit_kind { KIND_SERVICE, KIND_SLICE };

// What this systemd must have been built with; otherwise it accepts the property and does nothing.
enum property_need {
    NEED_SECCOMP = 1 << 0,
    NEED_BPF_FRAMEWORK = 1 << 1,
};

// Finishes a value that depends on the spec: p holds the mode's own value already. Returns 1, or 0 to leave
// the property out. err: the cause, without the key.
typedef int (*property_fill)(const struct unit_input *input, struct property *p, struct error *err);

struct property_row {
    const char *name, *unit_key, *section; // D-Bus name, unit-file key and section
    const char *layer;                     // NULL: not isolation
    const char *value[MODE_COUNT];         // as text, words separated by spaces; NULL: not in this mode
    property_fill fill;                    // NULL: the value is complete
    enum unit_kind kind;
    enum property_type type;
    unsigned since; // first systemd that knows it; 0: every one that agentctl supports
    unsigned needs; // enum property_need, or-ed
    bool optional;  // a host that lacks it is shown and not refused
    bool jit_lifts; // Jit=yes leaves it out
    bool live;      // can be changed while the unit runs
};

extern const struct property_row property_rows[];
extern const size_t property_row_count;

// A mechanism of the mode that the launcher, not systemd, is to enforce.
struct launcher_row {
    const char *name, *layer;
    bool wanted[MODE_COUNT], required[MODE_COUNT];
};

extern const struct launcher_row launcher_rows[];
extern const size_t launcher_row_count;
