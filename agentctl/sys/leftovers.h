// What the system keeps under a user's name outside the user database, and would give to the next user of it.
#pragma once

#include "base/error.h"

// err names the first one that is there.
int leftovers_check(const char *user, struct error *err) _must_check_;
int leftovers_remove(const char *user, struct error *err) _must_check_;
