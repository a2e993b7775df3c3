// Absolute paths as a spec may hold them. Pure: looks at text only, so links are not seen; what opens a path
// must still not follow them.
#pragma once

#include <stdbool.h>

#include "base/cleanup.h"
#include "base/error.h"

// A normalised copy (no "//", no trailing "/"), which the caller frees. Refused: relative paths, "." and
// "..", more than PATH_MAX - 1 bytes, and white space, quotes, backslashes, '%' and control characters, which
// not every version of systemd keeps when it reads its own fragments again. err: the bare cause.
int path_normalise(const char *text, char **ret, struct error *err) _must_check_;

// True for directory itself and everything below it. Both normalised.
bool path_is_within(const char *path, const char *directory) _pure_;
