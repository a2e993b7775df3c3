// The step table is complete, its names are unique, and plans keep their order.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "plan/step.h"

static void test_every_row_is_filled(void **state)
{
    (void)state;
    for (size_t i = 0; i < STEP_COUNT; i++) {
        assert_non_null(step_rows[i].name);
        assert_non_null(step_rows[i].text);
    }
}

static void test_names_are_unique(void **state)
{
    (void)state;
    for (size_t i = 0; i < STEP_COUNT; i++)
        for (size_t j = i + 1; j < STEP_COUNT; j++)
            assert_string_not_equal(step_rows[i].name, step_rows[j].name);
}

static void test_making_and_starting_can_be_undone(void **state)
{
    (void)state;
    for (size_t i = 0; i < STEP_COUNT; i++)
        assert_true((step_rows[i].undo != NULL) == (i < STEP_STOP_SERVICE));
}

static void test_plan_keeps_order_and_texts(void **state)
{
    (void)state;
    _cleanup_plan_ struct plan plan = { 0 };
    _cleanup_error_ struct error err = { 0 };
    assert_int_equal(plan_add(&plan, STEP_RESERVE_UID, "UID 65536", &err), 0);
    assert_int_equal(plan_add(&plan, STEP_CREATE_ACCOUNT, "agent-coder", &err), 0);
    assert_int_equal(plan.count, 2);
    assert_true(plan_contains(&plan, STEP_CREATE_ACCOUNT));
    assert_false(plan_contains(&plan, STEP_START_SERVICE));
    _cleanup_free_ char *first = step_text(&plan.steps[0]);
    _cleanup_free_ char *second = step_text(&plan.steps[1]);
    assert_string_equal(first, "reserve UID 65536");
    assert_string_equal(second, "create user and group agent-coder");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_row_is_filled),
        cmocka_unit_test(test_names_are_unique),
        cmocka_unit_test(test_making_and_starting_can_be_undone),
        cmocka_unit_test(test_plan_keeps_order_and_texts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
