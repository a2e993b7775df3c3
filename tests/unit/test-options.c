// The option parser on a verb of its own: what it fills in, and every way to get it wrong.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "cmd/verb.h"
#include "spec/key.h"

static const char *const plain_options[] = { "json", "follow", "lines", "quiet", "since", NULL };

static const struct verb plain = {
    .name = "look", .operands = "[NAME...]", .options = plain_options, .operands_max = 2
};

static const char *const maker_options[] = { "file", "dry-run", NULL };

static const struct verb maker = {
    .name = "make",
    .operands = "NAME [-- COMMAND...]",
    .options = maker_options,
    .takes_keys = true,
    .takes_command = true,
    .operands_min = 1,
    .operands_max = 1,
};

#define WORDS_MAX 16

// words: NULL-terminated, without the verb.
static int parse(const struct verb *verb, const char *const *words, struct options *o, bool *ret_help,
                 struct error *err)
{
    static char *argv[WORDS_MAX + 2]; // options borrow from it
    int argc = 0;
    argv[argc++] = (char *)verb->name;
    for (; words[argc - 1]; argc++)
        argv[argc] = (char *)words[argc - 1];
    argv[argc] = NULL;
    *ret_help = false;
    return options_parse(verb, argc, argv, o, ret_help, err);
}

#define WORDS(...) ((const char *const[]){ __VA_ARGS__, NULL })

static void check_ok(const struct verb *verb, const char *const *words, struct options *o)
{
    _cleanup_error_ struct error err = { 0 };
    bool help = false;
    if (parse(verb, words, o, &help, &err) < 0)
        fail_msg("%s", err.text);
    assert_false(help);
}

static void check_error(const struct verb *verb, const char *const *words, const char *expected)
{
    _cleanup_error_ struct error err = { 0 };
    struct options o = { 0 };
    bool help = false;
    assert_true(parse(verb, words, &o, &help, &err) < 0);
    assert_string_equal(err.text, expected);
    assert_int_equal(err.class, ERROR_USAGE);
    options_clear(&o);
}

static void test_mixed_with_operands(void **state)
{
    (void)state;
    struct options o = { 0 };
    check_ok(&plain, WORDS("one", "--json=pretty", "two", "-f", "-n", "5"), &o);
    assert_int_equal(o.json, JSON_PRETTY);
    assert_true(o.follow);
    assert_string_equal(o.lines, "5");
    assert_int_equal(o.argc, 2);
    assert_string_equal(o.argv[0], "one");
    assert_string_equal(o.argv[1], "two");
    assert_int_equal(o.command_argc, 0);
    options_clear(&o);
}

static void test_bundled_letters(void **state)
{
    (void)state;
    struct options o = { 0 };
    check_ok(&plain, WORDS("-qfn7"), &o);
    assert_true(o.quiet && o.follow);
    assert_string_equal(o.lines, "7");
    options_clear(&o);
}

static void test_last_one_counts(void **state)
{
    (void)state;
    struct options o = { 0 };
    check_ok(&plain, WORDS("--json=short", "--json", "off", "--since", "today", "--since=now"), &o);
    assert_int_equal(o.json, JSON_OFF);
    assert_string_equal(o.since, "now");
    options_clear(&o);
}

static void test_keys_in_order(void **state)
{
    (void)state;
    struct options o = { 0 };
    check_ok(&maker, WORDS("--memory", "512M", "x", "--set", "Agent.Mode=minimal", "--cpu=50%", "--set=A.B="),
             &o);
    assert_int_equal(o.assignments.count, 4);
    assert_string_equal(o.assignments.items[0], "memory=512M");
    assert_string_equal(o.assignments.items[1], "Agent.Mode=minimal");
    assert_string_equal(o.assignments.items[2], "cpu=50%");
    assert_string_equal(o.assignments.items[3], "A.B=");
    options_clear(&o);
}

static void test_command(void **state)
{
    (void)state;
    struct options o = { 0 };
    check_ok(&maker, WORDS("x", "--dry-run", "--", "/bin/sh", "-c", "--", "--json"), &o);
    assert_int_equal(o.argc, 1);
    assert_true(o.dry_run);
    assert_int_equal(o.command_argc, 4);
    assert_string_equal(o.command_argv[0], "/bin/sh");
    assert_string_equal(o.command_argv[2], "--");
    assert_string_equal(o.command_argv[3], "--json");
    options_clear(&o);
}

// "--" as an option's value does not begin the command; a name behind the command's "--" is no operand.
static void test_dashes_as_value(void **state)
{
    (void)state;
    struct options o = { 0 };
    check_ok(&maker, WORDS("--file", "--", "x", "--", "y"), &o);
    assert_string_equal(o.file, "--");
    assert_int_equal(o.argc, 1);
    assert_int_equal(o.command_argc, 1);
    options_clear(&o);

    o = (struct options){ 0 };
    check_ok(&maker, WORDS("x", "--"), &o);
    assert_int_equal(o.command_argc, 0);
    options_clear(&o);
}

static void test_help_before_counts(void **state)
{
    (void)state;
    _cleanup_error_ struct error err = { 0 };
    struct options o = { 0 };
    bool help = false;
    assert_int_equal(parse(&maker, WORDS("--help"), &o, &help, &err), 0);
    assert_true(help);
    options_clear(&o);
}

static void test_unknown(void **state)
{
    (void)state;
    check_error(&maker, WORDS("--memroy", "1G"), "make: unknown option --memroy; did you mean --memory?");
    check_error(&maker, WORDS("--memroy=1G"), "make: unknown option --memroy; did you mean --memory?");
    check_error(&plain, WORDS("--jsno=off"), "look: unknown option --jsno; did you mean --json?");
    check_error(&plain, WORDS("--zebra-crossing"), "look: unknown option --zebra-crossing");
    check_error(&plain, WORDS("-z"), "look: unknown option -z");
    check_error(&plain, WORDS("-fz"), "look: unknown option -z");
    check_error(&plain, WORDS("--memory=1G"), "look: unknown option --memory");
    check_error(&maker, WORDS("--cp=1"), "make: --cp could be several options; write it in full");
}

static void test_values(void **state)
{
    (void)state;
    check_error(&plain, WORDS("--lines"), "look: --lines needs a value");
    check_error(&plain, WORDS("-n"), "look: -n needs a value");
    check_error(&plain, WORDS("--follow=yes"), "look: --follow takes no value");
    check_error(&plain, WORDS("--json=loud"), "look: --json=loud: not one of short, pretty, off");
    check_error(&plain, WORDS("--json="), "look: --json=: not one of short, pretty, off");
    check_error(&maker, WORDS("--set", "MemoryMax=1G"), "make: --set=MemoryMax=1G: not Section.Key=value");
    check_error(&maker, WORDS("--set", "Agent.Mode"), "make: --set=Agent.Mode: not Section.Key=value");
    check_error(&maker, WORDS("--set", "Mode=a.b"), "make: --set=Mode=a.b: not Section.Key=value");
    check_error(&maker, WORDS("--file="), "make: --file=: no file name");
}

static void test_counts(void **state)
{
    (void)state;
    check_error(&maker, WORDS("--dry-run"), "make: too few names; usage: agentctl make NAME [-- COMMAND...]");
    check_error(&maker, WORDS("x", "/bin/sh"),
                "make: what is '/bin/sh'? usage: agentctl make NAME [-- COMMAND...]");
    check_error(&plain, WORDS("a", "b", "c"), "look: what is 'c'? usage: agentctl look [NAME...]");
    check_error(&plain, WORDS("a", "--", "b"), "look: takes no command after '--'");
}

// Every row is complete, and no name or letter is there twice, key options included.
static void test_rows(void **state)
{
    (void)state;
    for (size_t i = 0; i < option_row_count; i++) {
        const struct option_row *row = &option_rows[i];
        assert_non_null(row->help);
        assert_true(row->argument == ARGUMENT_NONE ? !row->parse : row->parse && row->placeholder);
        assert_null(key_find_option(row->name));
        assert_ptr_equal(option_find(row->name), row);
        for (size_t j = 0; j < i; j++)
            assert_true(row->letter == 0 || row->letter != option_rows[j].letter);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_mixed_with_operands),
        cmocka_unit_test(test_bundled_letters),
        cmocka_unit_test(test_last_one_counts),
        cmocka_unit_test(test_keys_in_order),
        cmocka_unit_test(test_command),
        cmocka_unit_test(test_dashes_as_value),
        cmocka_unit_test(test_help_before_counts),
        cmocka_unit_test(test_unknown),
        cmocka_unit_test(test_values),
        cmocka_unit_test(test_counts),
        cmocka_unit_test(test_rows),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
