// The files of the user database, line by line, as they are: what the tools wrote, not what a cache or a name
// service makes of it.
#pragma once

#include <stddef.h>

#include "base/error.h"

#define USER_FIELDS_MAX 10

// Calls each() for every line of a colon-separated file, with its fields (at most USER_FIELDS_MAX, the last
// one takes the rest), until it returns non-zero; that is returned. Fields may be changed. A file that does
// not exist has no lines.
int user_file_each(const char *path, int (*each)(char **fields, size_t count, void *userdata), void *userdata,
                   struct error *err) _must_check_;
