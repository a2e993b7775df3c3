// What the unit tests share: cmocka in its order, and assertions on fallible functions.
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/error.h"

// The call, which takes err, succeeds; its message is shown if it does not.
#define expect_ok(call, err)                                                                                 \
    do {                                                                                                     \
        int r_ = (call);                                                                                     \
        if (r_ < 0)                                                                                          \
            print_error("%s: %s\n", #call, (err)->text ? (err)->text : "no text");                           \
        assert_int_equal(r_, 0);                                                                             \
        assert_null((err)->text);                                                                            \
    } while (0)

// The call is refused with exactly this text; err is empty afterwards.
#define expect_refused(call, err, expected)                                                                  \
    do {                                                                                                     \
        int r_ = (call);                                                                                     \
        assert_true(r_ < 0);                                                                                 \
        assert_non_null((err)->text);                                                                        \
        assert_string_equal((err)->text, expected);                                                          \
        error_clear(err);                                                                                    \
    } while (0)
