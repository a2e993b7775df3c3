// The directory that holds all workspaces.
#pragma once

#include <stdbool.h>

#include "base/error.h"
#include "plan/names.h"

// Opens it. Anybody else than root being able to rename what is in it is an error. Returns -ENOENT without
// text if it does not exist and make is false.
int workspace_root_open(const struct agent_names *names, bool make, int *ret_fd, char **ret_path,
                        struct error *err) _must_check_;
