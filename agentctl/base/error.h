// What went wrong, in one line for people: the lowest level that knows the cause sets it, callers wrap it
// with the object. Only cmd/ and main.c print it.
#pragma once

#include <stddef.h>

#include "base/cleanup.h"

// What an error means for the exit status of the command (man agentctl, EXIT STATUS).
enum error_class {
    ERROR_FAILED = 1,      // something could not be done
    ERROR_USAGE = 2,       // the command line, a spec or a template is wrong; nothing was changed
    ERROR_NOT_RUNNING = 3, // not running, or drift found
    ERROR_NO_AGENT = 4,    // there is no agent of that name
};

struct error {
    enum error_class class;
    char *text; // one line, or one line for each problem of a spec; NULL while there is no error
};

// Releases the text; the struct can be used again. Takes one that holds no error.
void error_clear(struct error *err);

// Sets "formatted: strerror(errno_value)" and returns -errno_value. The earlier text, if any, is replaced.
int error_errno(struct error *err, int errno_value, const char *format, ...) _printf_(3, 4);

// Sets the formatted text with class ERROR_FAILED and returns -errno_value; no strerror is added.
int error_set(struct error *err, int errno_value, const char *format, ...) _printf_(3, 4);

// Sets the formatted text with the given class and returns -EINVAL.
int error_class(struct error *err, enum error_class class, const char *format, ...) _printf_(3, 4);

// Sets "out of memory" and returns -ENOMEM.
int error_oom(struct error *err);

// Puts "formatted: " before the text there is (each line of it) and returns r unchanged. Keeps the class.
int error_wrap(struct error *err, int r, const char *format, ...) _printf_(3, 4);

// Adds one more line to the text (a spec reports all its problems in one go); class becomes the given one.
// Returns -EINVAL.
int error_add(struct error *err, enum error_class class, const char *format, ...) _printf_(3, 4);

#define _cleanup_error_ _cleanup_(error_clear)
