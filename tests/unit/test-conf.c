// agentctl.conf: its defaults, its own keys, and the defaults that it gives to all agents.
#include "expect.h"

#include "base/number.h"
#include "plan/conf.h"

static void test_defaults(void **state)
{
    _cleanup_conf_ struct conf c = { 0 };
    _cleanup_error_ struct error err = { 0 };
    expect_ok(conf_init(&c, &err), &err);
    assert_int_equal(c.uid_first, 65536);
    assert_int_equal(c.uid_last, 99999);
    assert_string_equal(c.workspaces, "/var/lib/agents");
    assert_null(c.operator_group);
    assert_int_equal(c.lock_timeout_usec, 30 * USEC_PER_SEC);
    assert_int_equal(c.defaults->assigned, 0);
}

static void test_every_key(void **state)
{
    static const char text[] =
        "# host\n[Host]\nUIDRange=70000-70999\nWorkspaces=/srv/agents/\nOperatorGroup=ops\n"
        "LockTimeoutSec=2min\n";
    _cleanup_conf_ struct conf c = { 0 };
    _cleanup_error_ struct error err = { 0 };
    expect_ok(conf_init(&c, &err), &err);
    expect_ok(conf_parse(&c, "agentctl.conf", text, strlen(text), &err), &err);
    assert_int_equal(c.uid_first, 70000);
    assert_int_equal(c.uid_last, 70999);
    assert_string_equal(c.workspaces, "/srv/agents");
    assert_string_equal(c.operator_group, "ops");
    assert_int_equal(c.lock_timeout_usec, 120 * USEC_PER_SEC);
    static const char back[] = "[Host]\nOperatorGroup=\nWorkspaces=\nLockTimeoutSec=0\n";
    expect_ok(conf_parse(&c, "agentctl.conf", back, strlen(back), &err), &err);
    assert_null(c.operator_group);
    assert_string_equal(c.workspaces, "/var/lib/agents");
    assert_int_equal(c.lock_timeout_usec, 0);
}

static void test_defaults_for_agents(void **state)
{
    static const char text[] = "[Host]\nOperatorGroup=ops\n[Agent]\nMode=maximum\n[Resources]\nMemoryMax=1G\n"
                               "[Network]\nAllow=10.0.0.5:53/udp\n";
    _cleanup_conf_ struct conf c = { 0 };
    _cleanup_error_ struct error err = { 0 };
    expect_ok(conf_init(&c, &err), &err);
    expect_ok(conf_parse(&c, "agentctl.conf", text, strlen(text), &err), &err);
    _cleanup_free_ char *dump = spec_dump(c.defaults);
    assert_string_equal(dump, "[Agent]\nMode=maximum\n\n[Resources]\nMemoryMax=1G\n\n[Network]\n"
                              "Allow=10.0.0.5:53/udp\n");
    assert_int_equal(c.defaults->egress, EGRESS_LIST);
}

static void expect_problem(const char *text, const char *problem)
{
    _cleanup_conf_ struct conf c = { 0 };
    _cleanup_error_ struct error err = { 0 };
    expect_ok(conf_init(&c, &err), &err);
    expect_refused(conf_parse(&c, "c", text, strlen(text), &err), &err, problem);
}

static void test_refused(void **state)
{
    static const char range[] =
        "c:2: [Host] UIDRange=: not a range of UIDs from 65536 to 16777215 (65536-99999)";
    expect_problem("[Host]\nUIDRange=\n", range);
    expect_problem("[Host]\nUIDRange=65536\n", range);
    expect_problem("[Host]\nUIDRange=0-99\n", range);
    expect_problem("[Host]\nUIDRange=65536-4294967295\n", range);
    expect_problem("[Host]\nUIDRange=65536-99999x\n", range);
    expect_problem("[Host]\nUIDRange=99999-65536\n", "c:2: [Host] UIDRange=: the range is reversed");
    expect_problem("[Host]\nUIDRange=50000-70000\n", range);
    expect_problem("[Host]\nUIDRange=65536-16777216\n", range);
    expect_problem("[Host]\nWorkspaces=agents\n", "c:2: [Host] Workspaces=: not an absolute path");
    static const char *const roots[] = { "/",    "/tmp/a",     "/run/agents", "/home/agents",
                                         "/etc", "/usr/local", "/var",        "/var/lib/agentctl" };
    for (size_t i = 0; i < ARRAY_SIZE(roots); i++) {
        _cleanup_text_ struct text text = { 0 };
        _cleanup_text_ struct text problem = { 0 };
        text_addf(&text, "[Host]\nWorkspaces=%s\n", roots[i]);
        text_addf(&problem, "c:2: [Host] Workspaces=: %s is temporary, hidden from agents, or the system's",
                  roots[i]);
        expect_problem(text.data, problem.data);
    }
    expect_problem("[Host]\nOperatorGroup=Ops Team\n", "c:2: [Host] OperatorGroup=: not a group's name");
    expect_problem("[Host]\nOperatorGroup=1000\n", "c:2: [Host] OperatorGroup=: not a group's name");
    expect_problem("[Host]\nLockTimeoutSec=infinity\n", "c:2: [Host] LockTimeoutSec=: must be at most 1h");
    expect_problem("[Host]\nLockTimeoutSec=x\n",
                   "c:2: [Host] LockTimeoutSec=: not a duration (30s, 1min 30s, 2h, infinity)");
}

static void test_names_refused(void **state)
{
    expect_problem(
        "[Host]\nUIDRnage=1-2\nColour=red\n",
        "c:2: [Host] UIDRnage=: unknown key; did you mean UIDRange=?\nc:3: [Host] Colour=: unknown key");
    expect_problem("[Hots]\nUIDRange=1-2\n", "c:1: [Hots]: unknown section; did you mean [Host]?");
    expect_problem("UIDRange=1-2\n", "c:1: UIDRange=: outside of a section");
    expect_problem("[Resources]\nMemoryMax=x\nMemryMax=1\n",
                   "c:2: [Resources] MemoryMax=: not a size (512M, 1.5G, infinity)\n"
                   "c:3: [Resources] MemryMax=: unknown key; did you mean MemoryMax=?");
}

static void test_what_belongs_to_one_agent(void **state)
{
    expect_problem("[Agent]\nTemplate=python\nDescription=x\nMode=unrestricted\n[Service]\nCommand=/bin/x\n",
                   "c:2: [Agent] Template=: belongs to one agent, not to the host\n"
                   "c:3: [Agent] Description=: belongs to one agent, not to the host\n"
                   "c:4: [Agent] Mode=: must be asked for by name, one agent at a time\n"
                   "c:6: [Service] Command=: belongs to one agent, not to the host");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_defaults),
        cmocka_unit_test(test_every_key),
        cmocka_unit_test(test_defaults_for_agents),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_names_refused),
        cmocka_unit_test(test_what_belongs_to_one_agent),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
