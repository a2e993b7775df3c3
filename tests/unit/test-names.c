// Names that are allowed, everything that is derived from one, and the way back from a unit.
#include "expect.h"

#include "plan/names.h"

static void test_valid_names(void **state)
{
    static const char *const names[] = { "a", "coder", "a-b", "a--b", "x1", "abcdefghijklmnopqrstuvw" };
    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        _cleanup_error_ struct error err = { 0 };
        assert_true(agent_name_valid(names[i]));
        expect_ok(agent_name_check(names[i], &err), &err);
    }
}

static void test_refused_names(void **state)
{
    static const struct {
        const char *name, *text;
    } cases[] = {
        { "", "agent : not a name: a name must not be empty" },
        { "Coder", "agent Coder: not a name: a name must begin with a letter from a to z" },
        { "1a", "agent 1a: not a name: a name must begin with a letter from a to z" },
        { "-a", "agent -a: not a name: a name must begin with a letter from a to z" },
        { "a-", "agent a-: not a name: a name must not end in '-'" },
        { "a_b", "agent a_b: not a name: a name holds only a to z, 0 to 9 and '-'" },
        { "a.b", "agent a.b: not a name: a name holds only a to z, 0 to 9 and '-'" },
        { "a/b", "agent a/b: not a name: a name holds only a to z, 0 to 9 and '-'" },
        { "../x", "agent ../x: not a name: a name must begin with a letter from a to z" },
        { "a\nb", "agent a\\x0ab: not a name: a name holds only a to z, 0 to 9 and '-'" },
        { "a\xc3\xa4", "agent a\xc3\xa4: not a name: a name holds only a to z, 0 to 9 and '-'" },
        { "a@b", "agent a@b: not a name: a name holds only a to z, 0 to 9 and '-'" },
        { "abcdefghijklmnopqrstuvwx",
          "agent abcdefghijklmnopqrstuvwx: not a name: a name has at most 23 characters" },
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        _cleanup_error_ struct error err = { 0 };
        assert_false(agent_name_valid(cases[i].name));
        expect_refused(agent_name_check(cases[i].name, &err), &err, cases[i].text);
    }
}

static void test_everything_of_a_name(void **state)
{
    _cleanup_names_ struct agent_names n = { 0 };
    _cleanup_error_ struct error err = { 0 };
    expect_ok(agent_names_init(&n, "my-coder-2", "/srv/agents", &err), &err);
    assert_string_equal(n.agent, "my-coder-2");
    assert_string_equal(n.user, "agent-my-coder-2");
    assert_string_equal(n.service, "agent-my-coder-2.service");
    assert_string_equal(n.slice, "agents-my\\x2dcoder\\x2d2.slice");
    assert_string_equal(n.directory, "/srv/agents/my-coder-2");
    assert_string_equal(n.home, "/srv/agents/my-coder-2/home");
    assert_string_equal(n.work, "/srv/agents/my-coder-2/work");
    assert_string_equal(n.spec_file, "/etc/agentctl/agents/my-coder-2.agent");
    assert_string_equal(n.launch_file, "/run/agentctl/launch/my-coder-2");
    assert_string_equal(n.slice_cgroup, "agents.slice/agents-my\\x2dcoder\\x2d2.slice");
    assert_string_equal(n.chain, "agent-my-coder-2");
    agent_names_clear(&n);
    assert_null(n.agent);
}

static void test_a_bad_name_makes_nothing(void **state)
{
    struct agent_names n = { 0 };
    _cleanup_error_ struct error err = { 0 };
    assert_true(agent_names_init(&n, "../x", "/var/lib/agents", &err) < 0);
    assert_int_equal(err.class, ERROR_USAGE);
    assert_null(n.agent);
}

static void test_longest_user_fits(void **state)
{
    _cleanup_names_ struct agent_names n = { 0 };
    _cleanup_error_ struct error err = { 0 };
    expect_ok(agent_names_init(&n, "abcdefghijklmnopqrstuvw", "/var/lib/agents", &err), &err);
    assert_true(strlen(n.user) < 32);
}

static void test_agent_of_unit(void **state)
{
    static const struct {
        const char *unit, *agent;
    } cases[] = {
        { "agent-coder.service", "coder" },
        { "agent-my-coder.service", "my-coder" },
        { "agents-coder.slice", "coder" },
        { "agents-my\\x2dcoder.slice", "my-coder" },
        { "agents-my-coder.slice", NULL }, // a slice inside of agents-my.slice
        { "agents.slice", NULL },
        { "agents-.slice", NULL },
        { "agent-.service", NULL },
        { "agent-Coder.service", NULL },
        { "agent-coder.scope", NULL },
        { "agent-coder", NULL },
        { "ssh.service", NULL },
        { "agent-a\\x2db.service", NULL },
        { "agents-a\\x2d.slice", NULL },
        { "", NULL },
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        _cleanup_free_ char *agent = agent_of_unit(cases[i].unit);
        if (cases[i].agent)
            assert_string_equal(agent, cases[i].agent);
        else
            assert_null(agent);
    }
}

static void test_there_and_back(void **state)
{
    static const char *const names[] = { "a", "a-b", "x2d", "a-x2d-b" };
    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        _cleanup_names_ struct agent_names n = { 0 };
        _cleanup_error_ struct error err = { 0 };
        expect_ok(agent_names_init(&n, names[i], "/var/lib/agents", &err), &err);
        _cleanup_free_ char *of_service = agent_of_unit(n.service);
        _cleanup_free_ char *of_slice = agent_of_unit(n.slice);
        assert_string_equal(of_service, names[i]);
        assert_string_equal(of_slice, names[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_valid_names),          cmocka_unit_test(test_refused_names),
        cmocka_unit_test(test_everything_of_a_name), cmocka_unit_test(test_a_bad_name_makes_nothing),
        cmocka_unit_test(test_longest_user_fits),    cmocka_unit_test(test_agent_of_unit),
        cmocka_unit_test(test_there_and_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
