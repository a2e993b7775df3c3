// The launch file reads back as it was written, whatever the arguments hold, and nothing else is accepted.
#include "expect.h"

#include "plan/launch.h"

static struct launch_policy policy(const char *const words[], size_t count)
{
    struct launch_policy p = { .agent = strdup("coder"), .mode = MODE_MAXIMUM };
    assert_non_null(p.agent);
    for (size_t i = 0; i < count; i++)
        assert_int_equal(strv_add(&p.command, words[i]), 0);
    return p;
}

static void test_text(void **state)
{
    static const char *const words[] = { "/usr/bin/python3", "-c", "print('a b')\nexit()", "" };
    _cleanup_(launch_policy_clear) struct launch_policy p = policy(words, ARRAY_SIZE(words));
    _cleanup_free_ char *text = launch_policy_dump(&p);
    assert_string_equal(text, "[Launch]\nAgent=coder\nMode=maximum\n"
                              "Command=/usr/bin/python3 -c \"print('a b')\\x0aexit()\" \"\"\n");
}

static void test_there_and_back(void **state)
{
    static const char *const words[] = { "/bin/x", "$HOME", "%h",         "a\\", "\\", "\"", "'",
                                         "#",      ";",     "\t\n\r\x1b", "[x]", "=",  " " };
    _cleanup_(launch_policy_clear) struct launch_policy p = policy(words, ARRAY_SIZE(words));
    _cleanup_(launch_policy_clear) struct launch_policy back = { 0 };
    _cleanup_error_ struct error err = { 0 };
    _cleanup_free_ char *text = launch_policy_dump(&p);
    expect_ok(launch_policy_parse(&back, "f", text, strlen(text), &err), &err);
    assert_string_equal(back.agent, "coder");
    assert_int_equal(back.mode, MODE_MAXIMUM);
    assert_true(strv_equal(&back.command, &p.command));
}

static void test_refused(void **state)
{
    static const struct {
        const char *text, *problem;
    } cases[] = {
        { "", "f: [Launch] Agent=: missing" },
        { "[Launch]\nAgent=coder\n", "f: [Launch] Command=: missing" },
        { "[Launch]\nCommand=/bin/x\n", "f: [Launch] Agent=: missing" },
        { "[Launch]\nAgent=coder\nCommand=/bin/x\n", "f: [Launch] Mode=: missing" },
        { "[Launch]\nMode=none\nMode=standard\n", "f:2: [Launch] Mode=: not a mode" },
        { "[Launch]\nMode=minimal\nMode=standard\n", "f:3: [Launch] Mode=: assigned twice" },
        { "[Launch]\nAgent=coder\nCommand=\n", "f:3: [Launch] Command=: empty" },
        { "[Launch]\nAgent=coder\nCommand=/bin/x \"\n", "f:3: [Launch] Command=: a quote \" is not closed" },
        { "[Launch]\nAgent=coder\nCommand=/bin/x \\xff\n",
          "f:3: [Launch] Command=: an argument that is not valid UTF-8 text" },
        { "[Launch]\nAgent=../x\nCommand=/bin/x\n",
          "f:2: [Launch] Agent=: agent ../x: not a name: a name must begin with a letter from a to z" },
        { "[Launch]\nAgent=a\nAgent=b\nCommand=/bin/x\nCommand=/bin/y\n",
          "f:3: [Launch] Agent=: assigned twice\nf:5: [Launch] Command=: assigned twice" },
        { "[Launch]\nAgent=a\nCommand=/bin/x\nUser=root\n", "f:4: [Launch] User=: unknown key" },
        { "[Other]\nAgent=a\n", "f:1: not a line of a launch file\nf:2: not a line of a launch file" },
        { "Agent=a\n", "f:1: not a line of a launch file" },
        { "[Launch]\nAgent=a\x01\n", "f:2: control character \\x01 in column 8" },
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        _cleanup_error_ struct error err = { 0 };
        struct launch_policy p = { 0 };
        expect_refused(launch_policy_parse(&p, "f", cases[i].text, strlen(cases[i].text), &err), &err,
                       cases[i].problem);
        assert_null(p.agent);
        assert_int_equal(p.command.count, 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_text),
        cmocka_unit_test(test_there_and_back),
        cmocka_unit_test(test_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
