// Whole files: read with a bound, replaced atomically. For the modules of sys/ that own files.
#pragma once

#include <stddef.h>

#include "base/error.h"

enum file_trust {
    FILE_ANY,     // whatever the path leads to: a file that the caller of the command named, a pipe
    FILE_REGULAR, // a regular file, not through a symbolic link
    FILE_ROOT,    // that, root's, and writable by nobody else: it steers what root does
};

#define FILE_SIZE_MAX (1024 * 1024)
#define FILE_DIRECTORY_MODE 0755

// Reads a file of at most max bytes; a NUL is put behind them. -ENOENT without text in err if it does not
// exist.
int file_read(const char *path, enum file_trust trust, size_t max, char **ret, size_t *ret_n,
              struct error *err) _must_check_;
// The same for a descriptor; path is for messages.
int file_read_fd(int fd, const char *path, size_t max, char **ret, size_t *ret_n,
                 struct error *err) _must_check_;

// Opens a directory, making it and its missing parents (0755, whatever the umask). Returns the descriptor, or
// negative errno without a message.
int file_make_directory(const char *path) _must_check_;

// Replaces the file: temporary file beside it, fsync, rename, fsync of the directory. Missing parents are
// made. Whatever is there and is not a regular file is refused. One writer at a time (the lock).
int file_write(const char *path, const char *data, size_t n, unsigned mode, struct error *err) _must_check_;
// Removes the file and makes that durable; fine if absent.
int file_remove(const char *path, struct error *err) _must_check_;
