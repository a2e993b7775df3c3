// Wanted against observed: the very plan, step by step, for each verb and for states that a killed run
// leaves.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "base/text.h"
#include "plan/diff.h"

// struct agent_names owns its strings; these are borrowed and never written.
static const struct agent_names names = {
    .agent = (char *)"coder",
    .user = (char *)"agent-coder",
    .service = (char *)"agent-coder.service",
    .slice = (char *)"agents-coder.slice",
    .directory = (char *)"/var/lib/agents/coder",
    .home = (char *)"/var/lib/agents/coder/home",
    .work = (char *)"/var/lib/agents/coder/work",
    .spec_file = (char *)"/etc/agentctl/agents/coder.agent",
    .launch_file = (char *)"/run/agentctl/launch/coder",
    .slice_cgroup = (char *)"agents.slice/agents-coder.slice",
    .chain = (char *)"agent-coder",
};

static char spec_text[] = "[Service]\nCommand=/bin/true\n";
static char other_spec_text[] = "[Service]\nCommand=/bin/false\n";
static char launch_text[] = "[Launch]\nCommand=/bin/true\n";

static const struct state gone = { .uid = 65536 };
static const struct state defined = {
    .uid = 65536,
    .ledger = PRESENCE_CURRENT,
    .account = PRESENCE_CURRENT,
    .workspace = PRESENCE_CURRENT,
    .rules = PRESENCE_CURRENT,
    .spec_text = spec_text,
};

static struct state running(void)
{
    struct state s = defined;
    s.slice = true;
    s.limits = PRESENCE_CURRENT;
    s.service = SERVICE_RUNNING;
    s.launch_text = launch_text;
    return s;
}

// Asserts that the plan's step names, joined with spaces, are the expected ones.
static void assert_plan(const struct state *wanted, const struct state *observed, const char *expected)
{
    _cleanup_plan_ struct plan plan = { 0 };
    _cleanup_error_ struct error err = { 0 };
    assert_int_equal(diff_states(&names, wanted, observed, &plan, &err), 0);
    _cleanup_text_ struct text t = { 0 };
    for (size_t i = 0; i < plan.count; i++)
        text_addf(&t, "%s%s", i > 0 ? " " : "", step_rows[plan.steps[i].kind].name);
    _cleanup_free_ char *actual = text_take(&t);
    assert_string_equal(actual, expected);
}

static void test_create(void **state)
{
    (void)state;
    assert_plan(&defined, &gone, "reserve-uid write-spec create-account make-workspace install-rules");
}

static void test_same_is_empty(void **state)
{
    (void)state;
    const struct state up = running();
    assert_plan(&defined, &defined, "");
    assert_plan(&up, &up, "");
    assert_plan(&gone, &gone, "");
}

static void test_create_after_a_killed_create(void **state)
{
    (void)state;
    struct state half = { .uid = 65536, .ledger = PRESENCE_CURRENT, .spec_text = spec_text };
    assert_plan(&defined, &half, "create-account make-workspace install-rules");
    half.account = PRESENCE_DIFFERENT;
    assert_plan(&defined, &half, "create-account make-workspace install-rules");
}

static void test_drift_is_mended(void **state)
{
    (void)state;
    struct state drifted = defined;
    drifted.rules = PRESENCE_DIFFERENT;
    assert_plan(&defined, &drifted, "install-rules");
    drifted = defined;
    drifted.workspace = PRESENCE_DIFFERENT;
    assert_plan(&defined, &drifted, "make-workspace");
}

static void test_start(void **state)
{
    (void)state;
    const struct state up = running();
    assert_plan(&up, &defined, "start-slice open-loopback write-launch start-service");
}

static void test_start_again_after_the_command_ended(void **state)
{
    (void)state;
    const struct state up = running();
    struct state ended = running();
    ended.service = SERVICE_STOPPED;
    assert_plan(&up, &ended, "write-launch start-service");
    ended.service = SERVICE_FAILED;
    assert_plan(&up, &ended, "write-launch start-service");
}

static void test_start_installs_lost_rules_first(void **state)
{
    (void)state;
    const struct state up = running();
    struct state flushed = defined;
    flushed.rules = PRESENCE_ABSENT;
    assert_plan(&up, &flushed, "install-rules start-slice open-loopback write-launch start-service");
}

static void test_stop(void **state)
{
    (void)state;
    const struct state up = running();
    assert_plan(&defined, &up, "stop-service kill-processes remove-launch stop-slice close-loopback");
}

static void test_stop_resets_a_failed_unit(void **state)
{
    (void)state;
    struct state failed = running();
    failed.service = SERVICE_FAILED;
    failed.slice = false;
    assert_plan(&defined, &failed, "stop-service kill-processes remove-launch");
}

static void test_destroy(void **state)
{
    (void)state;
    const struct state up = running();
    assert_plan(&gone, &up,
                "stop-service kill-processes remove-launch stop-slice remove-spec remove-workspace "
                "remove-account remove-rules retire-uid");
    assert_plan(&gone, &defined,
                "kill-processes remove-spec remove-workspace remove-account remove-rules retire-uid");
}

static void test_destroy_after_a_killed_destroy(void **state)
{
    (void)state;
    const struct state half = { .uid = 65536, .ledger = PRESENCE_CURRENT, .rules = PRESENCE_CURRENT };
    assert_plan(&gone, &half, "remove-rules retire-uid");
}

static void test_changed_spec(void **state)
{
    (void)state;
    struct state changed = defined;
    changed.spec_text = other_spec_text;
    assert_plan(&changed, &defined, "write-spec");
    struct state up = running();
    struct state wanted = running();
    wanted.spec_text = other_spec_text;
    up.limits = PRESENCE_DIFFERENT;
    assert_plan(&wanted, &up, "write-spec set-limits");
}

static void test_limits_that_somebody_changed(void **state)
{
    (void)state;
    struct state up = running();
    const struct state wanted = running();
    up.limits = PRESENCE_DIFFERENT;
    assert_plan(&wanted, &up, "set-limits");
    up.service = SERVICE_STOPPED;
    assert_plan(&wanted, &up, "set-limits write-launch start-service");
}

static void test_changed_rules_change_the_address_filter_too(void **state)
{
    (void)state;
    struct state up = running();
    const struct state wanted = running();
    up.rules = PRESENCE_DIFFERENT;
    assert_plan(&wanted, &up, "set-limits install-rules");
    struct state stopped = defined;
    stopped.rules = PRESENCE_DIFFERENT;
    assert_plan(&defined, &stopped, "install-rules");
}

// Nothing but the end of what runs may stand between a person and a stop.
static void test_stop_leaves_the_rest_as_it_is(void **state)
{
    (void)state;
    const struct state up = { .uid = 65536,
                              .ledger = PRESENCE_CURRENT,
                              .account = PRESENCE_DIFFERENT,
                              .rules = PRESENCE_DIFFERENT,
                              .slice = true,
                              .service = SERVICE_RUNNING,
                              .launch_text = launch_text };
    struct state wanted = up;
    wanted.slice = false;
    wanted.service = SERVICE_STOPPED;
    wanted.launch_text = NULL;
    assert_plan(&wanted, &up, "stop-service kill-processes remove-launch stop-slice close-loopback");
}

static void test_objects_name_what_is_touched(void **state)
{
    (void)state;
    _cleanup_plan_ struct plan plan = { 0 };
    _cleanup_error_ struct error err = { 0 };
    assert_int_equal(diff_states(&names, &defined, &gone, &plan, &err), 0);
    assert_string_equal(plan.steps[0].object, "UID 65536");
    assert_string_equal(plan.steps[1].object, "/etc/agentctl/agents/coder.agent");
    assert_string_equal(plan.steps[2].object, "agent-coder");
    assert_string_equal(plan.steps[3].object, "/var/lib/agents/coder");
    assert_string_equal(plan.steps[4].object, "coder");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_create),
        cmocka_unit_test(test_same_is_empty),
        cmocka_unit_test(test_create_after_a_killed_create),
        cmocka_unit_test(test_drift_is_mended),
        cmocka_unit_test(test_start),
        cmocka_unit_test(test_start_again_after_the_command_ended),
        cmocka_unit_test(test_start_installs_lost_rules_first),
        cmocka_unit_test(test_stop),
        cmocka_unit_test(test_stop_resets_a_failed_unit),
        cmocka_unit_test(test_destroy),
        cmocka_unit_test(test_destroy_after_a_killed_destroy),
        cmocka_unit_test(test_changed_spec),
        cmocka_unit_test(test_limits_that_somebody_changed),
        cmocka_unit_test(test_changed_rules_change_the_address_filter_too),
        cmocka_unit_test(test_stop_leaves_the_rest_as_it_is),
        cmocka_unit_test(test_objects_name_what_is_touched),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
