// The error object keeps class and text, wraps every line, and never loses an error.
#include "expect.h"

#include <errno.h>

static void test_set_and_replace(void **state)
{
    _cleanup_error_ struct error err = { 0 };
    assert_int_equal(error_set(&err, EBUSY, "lock %s: held", "a"), -EBUSY);
    assert_string_equal(err.text, "lock a: held");
    assert_int_equal(err.class, ERROR_FAILED);
    assert_int_equal(error_errno(&err, ENOENT, "file %d", 3), -ENOENT);
    assert_string_equal(err.text, "file 3: No such file or directory");
    assert_int_equal(error_class(&err, ERROR_NO_AGENT, "no agent"), -EINVAL);
    assert_int_equal(err.class, ERROR_NO_AGENT);
    error_clear(&err);
    assert_null(err.text);
    error_clear(&err);
}

static void test_wrap_puts_the_object_before_every_line(void **state)
{
    _cleanup_error_ struct error err = { 0 };
    assert_int_equal(error_add(&err, ERROR_USAGE, "one"), -EINVAL);
    assert_int_equal(error_add(&err, ERROR_USAGE, "two %d", 2), -EINVAL);
    assert_string_equal(err.text, "one\ntwo 2");
    assert_int_equal(error_wrap(&err, -EINVAL, "agent %s", "coder"), -EINVAL);
    assert_string_equal(err.text, "agent coder: one\nagent coder: two 2");
    assert_int_equal(err.class, ERROR_USAGE);
}

static void test_wrap_of_nothing_is_nothing(void **state)
{
    _cleanup_error_ struct error err = { 0 };
    assert_int_equal(error_wrap(&err, -EIO, "x"), -EIO);
    assert_null(err.text);
}

static void test_percent_signs_are_not_formats(void **state)
{
    _cleanup_error_ struct error err = { 0 };
    assert_int_equal(error_set(&err, EINVAL, "%s", "100%s"), -EINVAL);
    assert_int_equal(error_wrap(&err, -EINVAL, "%s", "50%n"), -EINVAL);
    assert_string_equal(err.text, "50%n: 100%s");
}

static void test_out_of_memory_needs_none(void **state)
{
    struct error err = { 0 };
    assert_int_equal(error_oom(&err), -ENOMEM);
    assert_string_equal(err.text, "out of memory");
    assert_int_equal(error_wrap(&err, -ENOMEM, "agent coder"), -ENOMEM);
    assert_string_equal(err.text, "out of memory");
    error_clear(&err); // the text is static and must not be freed
    assert_null(err.text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_set_and_replace),
        cmocka_unit_test(test_wrap_puts_the_object_before_every_line),
        cmocka_unit_test(test_wrap_of_nothing_is_nothing),
        cmocka_unit_test(test_percent_signs_are_not_formats),
        cmocka_unit_test(test_out_of_memory_needs_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
