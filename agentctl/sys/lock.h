// The lock that every changing verb holds: one command at a time changes things.
#pragma once

#include <stdint.h>

#include "base/error.h"

// Waits up to timeout_usec. err: which command holds it (pid and verb). *ret_fd: close to release; the kernel
// releases it when the process dies.
int lock_acquire(const char *verb, uint64_t timeout_usec, int *ret_fd, struct error *err) _must_check_;
