// Files and options to a spec: every problem with its place, misspelt names with the nearest, lists and
// resets.
#include "expect.h"

#include "spec/spec.h"

static void expect_parsed(const char *text, const char *dump)
{
    _cleanup_error_ struct error err = { 0 };
    _cleanup_spec_ struct spec *s = spec_new();
    expect_ok(spec_parse(s, "f.agent", text, strlen(text), &err), &err);
    _cleanup_free_ char *got = spec_dump(s);
    assert_string_equal(got, dump);
}

static void expect_problems(const char *text, const char *problems)
{
    _cleanup_error_ struct error err = { 0 };
    _cleanup_spec_ struct spec *s = spec_new();
    expect_refused(spec_parse(s, "f.agent", text, strlen(text), &err), &err, problems);
}

static void test_files(void **state)
{
    expect_parsed("", "");
    expect_parsed("[Agent]\n[Network]\n", "");
    expect_parsed("[Network]\nEgress=list\n[Agent]\nMode=minimal\n[Network]\nEgress=none\n",
                  "[Agent]\nMode=minimal\n\n[Network]\nEgress=none\n");
    expect_parsed("[Service]\nCommand=/bin/a\nCommand=/bin/b c\n", "[Service]\nCommand=/bin/b c\n");
}

static void test_lists_add_and_reset(void **state)
{
    expect_parsed("[Service]\nEnvironment=A=1\nEnvironment=B=2\n",
                  "[Service]\nEnvironment=A=1\nEnvironment=B=2\n");
    expect_parsed("[Service]\nEnvironment=A=1\nEnvironment=\nEnvironment=B=2\n",
                  "[Service]\nEnvironment=\nEnvironment=B=2\n");
    expect_parsed("[Service]\nEnvironment=\n", "[Service]\nEnvironment=\n");
}

static void test_empty_scalars_are_defaults(void **state)
{
    expect_parsed("[Resources]\nMemoryMax=1G\nMemoryMax=\n", "[Resources]\nMemoryMax=2G\n");
    expect_parsed("[Service]\nWorkingDirectory=/x\nWorkingDirectory=\n", "[Service]\nWorkingDirectory=\n");
}

static void test_egress_follows_mode(void **state)
{
    static const struct {
        const char *text;
        enum egress egress;
    } cases[] = {
        { "", EGRESS_PUBLIC },
        { "[Agent]\nMode=unrestricted\n", EGRESS_OPEN },
        { "[Agent]\nMode=minimal\n", EGRESS_OPEN },
        { "[Agent]\nMode=maximum\n", EGRESS_LIST },
        { "[Agent]\nMode=maximum\nMode=minimal\n", EGRESS_OPEN },
        { "[Network]\nEgress=none\n[Agent]\nMode=minimal\n", EGRESS_NONE },
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        _cleanup_error_ struct error err = { 0 };
        _cleanup_spec_ struct spec *s = spec_new();
        expect_ok(spec_parse(s, "f", cases[i].text, strlen(cases[i].text), &err), &err);
        assert_int_equal(s->egress, cases[i].egress);
    }
}

static void test_places_of_problems(void **state)
{
    expect_problems("Mode=minimal\n", "f.agent:1: Mode=: outside of a section; it belongs to [Agent]");
    expect_problems("Colour=red\n", "f.agent:1: Colour=: outside of a section");
    expect_problems("[Agents]\nMode=minimal\nModus=x\n",
                    "f.agent:1: [Agents]: unknown section; did you mean [Agent]?\n"
                    "f.agent:3: [Agents] Modus=: unknown key; did you mean Mode=?");
    expect_problems("[Colours]\nRed=1\n", "f.agent:1: [Colours]: unknown section");
    expect_problems("[Colours]\n", "f.agent:1: [Colours]: unknown section");
    expect_problems("[Agent]\nMemoryMax=1G\n",
                    "f.agent:2: [Agent] MemoryMax=: not a key of this section; it belongs to [Resources]");
    expect_problems("[Agent]\nMemryMax=1G\n",
                    "f.agent:2: [Agent] MemryMax=: unknown key; did you mean MemoryMax= of [Resources]?");
    expect_problems("[Resources]\nmemorymax=1G\nUnlikely=1\n",
                    "f.agent:2: [Resources] memorymax=: unknown key; did you mean MemoryMax=?\n"
                    "f.agent:3: [Resources] Unlikely=: unknown key");
    expect_problems("[Resources]\nMemoryMax=\\\n 2GG\n\nfoo\nTasksMax=x\n",
                    "f.agent:2: [Resources] MemoryMax=: not a size (512M, 1.5G, infinity)\n"
                    "f.agent:5: neither a section header, a comment nor Key=value\n"
                    "f.agent:6: [Resources] TasksMax=: must be from 1 to 2147483647, or infinity");
}

static void expect_assigned(const char *name, const char *value, const char *dump)
{
    _cleanup_error_ struct error err = { 0 };
    _cleanup_spec_ struct spec *s = spec_new();
    expect_ok(spec_assign(s, name, value, &err), &err);
    _cleanup_free_ char *got = spec_dump(s);
    assert_string_equal(got, dump);
}

static void test_options(void **state)
{
    expect_assigned("memory", "512M", "[Resources]\nMemoryMax=512M\n");
    expect_assigned("MemoryMax", "512M", "[Resources]\nMemoryMax=512M\n");
    expect_assigned("Resources.MemoryMax", " 512M ", "[Resources]\nMemoryMax=512M\n");
    expect_assigned("env", "A=1 B=2", "[Service]\nEnvironment=A=1\nEnvironment=B=2\n");
    expect_assigned("env", "", "[Service]\nEnvironment=\n");
    expect_assigned("Service.Command", "/bin/sh -c 'a\\nb'", "[Service]\nCommand=/bin/sh -c \"a\\x0ab\"\n");
}

static void test_options_refused(void **state)
{
    static const struct {
        const char *name, *value, *text;
    } cases[] = {
        { "memory", "2GG", "--memory: not a size (512M, 1.5G, infinity)" },
        { "MemoryMax", "2GG", "MemoryMax: not a size (512M, 1.5G, infinity)" },
        { "Resources.MemoryMax", "x", "Resources.MemoryMax: not a size (512M, 1.5G, infinity)" },
        { "memry", "1G", "memry: unknown option or key; did you mean memory?" },
        { "MemryMax", "1G", "MemryMax: unknown option or key; did you mean MemoryMax?" },
        { "Resources.MemryMax", "1G", "Resources.MemryMax: unknown key; did you mean Resources.MemoryMax?" },
        { "Resorces.MemoryMax", "1G", "Resorces.MemoryMax: unknown key; did you mean Resources.MemoryMax?" },
        { "resources.memorymax", "1G",
          "resources.memorymax: unknown key; did you mean Resources.MemoryMax?" },
        { "Agent.MemoryMax", "1G", "Agent.MemoryMax: unknown key; did you mean Resources.MemoryMax?" },
        { "Agent.Unlikely", "1", "Agent.Unlikely: unknown key of [Agent]" },
        { "Colours.Red", "1", "Colours.Red: unknown option or key" },
        { "", "1", ": unknown option or key" },
        { ".", "1", ".: unknown option or key" },
        { "a\x1b[2J", "1", "a\\x1b[2J: unknown option or key" },
        { "description", "a\nb", "--description: a control character or invalid UTF-8 in the value" },
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        _cleanup_error_ struct error err = { 0 };
        _cleanup_spec_ struct spec *s = spec_new();
        expect_refused(spec_assign(s, cases[i].name, cases[i].value, &err), &err, cases[i].text);
        assert_int_equal(s->assigned, 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_files),
        cmocka_unit_test(test_lists_add_and_reset),
        cmocka_unit_test(test_empty_scalars_are_defaults),
        cmocka_unit_test(test_egress_follows_mode),
        cmocka_unit_test(test_places_of_problems),
        cmocka_unit_test(test_options),
        cmocka_unit_test(test_options_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
