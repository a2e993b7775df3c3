// The checks of an effective spec, by subject. Internal to spec/.
#pragma once

#include "spec/spec.h"

// Where problems go.
struct check {
    const struct spec *spec;
    const char *agent;
    struct error *err;
    unsigned problems;
};

// Adds "agent NAME: [Section] Key=: cause".
void check_problem(struct check *c, const char *section, const char *key, const char *format, ...)
    _printf_(4, 5);

// BindPaths= and BindReadOnlyPaths=: nothing that would hand over the host.
void check_binds(struct check *c);
