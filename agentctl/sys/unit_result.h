// Why a unit ended, in words.
#pragma once

#include "base/error.h"
#include "sys/manager.h"

// "Result=exit-code, main process exited, status 203/EXEC". *ret is NULL if the unit tells nothing; the
// caller frees.
int unit_result_describe(struct manager *m, const char *unit, char **ret, struct error *err) _must_check_;
