// Opening things in directories that an agent may have arranged: one component at a time, never through a
// link, never out of the directory.
#pragma once

#include <stdbool.h>
#include <stdint.h>

// openat2(2) with RESOLVE_BENEATH, RESOLVE_NO_SYMLINKS and RESOLVE_NO_MAGICLINKS, as an O_RDONLY directory.
// stay_on_mount: a mount point is refused too (-EXDEV). Returns the descriptor or negative errno: -ELOOP for
// a symbolic link, -ENOTDIR for another object.
int beneath_open_directory(int directory_fd, const char *name, bool stay_on_mount);
