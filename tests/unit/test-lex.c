// The lexer: systemd's lines, continuation and comments, and every byte that must not get through.
#include "expect.h"

#include <errno.h>

#include "spec/spec.h"

struct record {
    struct text lines;
    int answer;
};

static int record_line(const struct spec_line *line, void *userdata)
{
    struct record *r = userdata;
    text_addf(&r->lines, "%u %s", line->number, line->section ? line->section : "-");
    if (line->key)
        text_addf(&r->lines, " %s=<%s>", line->key, line->value);
    text_add(&r->lines, "\n");
    return r->answer;
}

static void expect_lines(const char *text, size_t n, const char *lines, const char *problems)
{
    _cleanup_error_ struct error err = { 0 };
    struct record r = { 0 };
    int result = spec_lex("f", text, n, record_line, &r, &err);
    _cleanup_free_ char *got = text_take(&r.lines);
    assert_string_equal(got, lines);
    assert_int_equal(result, problems ? -EINVAL : 0);
    if (problems)
        assert_string_equal(err.text, problems);
    else
        assert_null(err.text);
    if (problems)
        assert_int_equal(err.class, ERROR_USAGE);
}

#define LEX(text, lines, problems) expect_lines(text, sizeof(text) - 1, lines, problems)

static void test_lines(void **state)
{
    LEX("", "", NULL);
    LEX("\n\n  \n", "", NULL);
    LEX("# c\n ; c\n\t# c\n", "", NULL);
    LEX("[A]\nx=1\n", "1 A\n2 A x=<1>\n", NULL);
    LEX("[A]\nx=1", "1 A\n2 A x=<1>\n", NULL);
    LEX("  [A]  \n\t x \t=\t a  b \t\n", "1 A\n2 A x=<a  b>\n", NULL);
    LEX("x=1\n", "1 - x=<1>\n", NULL);
    LEX("[A]\nx=\ny==\nz=a=b\n", "1 A\n2 A x=<>\n3 A y=<=>\n4 A z=<a=b>\n", NULL);
    LEX("[A]\n[B]\nx=#;\n[A]\n", "1 A\n2 B\n3 B x=<#;>\n4 A\n", NULL);
    LEX("[A]\nx=a\tb\n", "1 A\n2 A x=<a b>\n", NULL);
    LEX("[A]\nx=\xc3\xa4\n", "1 A\n2 A x=<\xc3\xa4>\n", NULL);
}

static void test_continuation(void **state)
{
    LEX("[A]\nx=a\\\nb\ny=1\n", "1 A\n2 A x=<a b>\n4 A y=<1>\n", NULL);
    LEX("[A]\nx=a \\\n\t b \\\n c\n", "1 A\n2 A x=<a    b   c>\n", NULL);
    LEX("[A]\nx=a\\\n# comment\n; comment \\\nb\n", "1 A\n2 A x=<a b>\n", NULL);
    LEX("[A]\nx=a\\\n\ny=b\n", "1 A\n2 A x=<a>\n4 A y=<b>\n", NULL);
    LEX("[A]\nx=a\\\\\ny=b\n", "1 A\n2 A x=<a\\\\>\n3 A y=<b>\n", NULL);
    LEX("[A]\nx=a\\\\\\\nb\n", "1 A\n2 A x=<a\\\\ b>\n", NULL);
    LEX("[A]\nx=a\\", "1 A\n2 A x=<a>\n", NULL);
    LEX("[A]\nx=a\\\n[B]\n", "1 A\n2 A x=<a [B]>\n", NULL);
    LEX("# comment \\\n[A]\n", "2 A\n", NULL); // a comment is not continued
}

static void test_malformed_lines(void **state)
{
    LEX("[A]\nfoo\nx=1\n", "1 A\n3 A x=<1>\n", "f:2: neither a section header, a comment nor Key=value");
    LEX("=1\n", "", "f:1: not a key before '='; keys are letters and digits");
    LEX("a b=1\n", "", "f:1: not a key before '='; keys are letters and digits");
    LEX("[A]\n[B\nx=1\n[]\ny=2\n[C] x\nz=3\n[D E]\n[F]\nw=1\n", "1 A\n9 F\n10 F w=<1>\n",
        "f:2: not a section header; it is [Name] and nothing else in the line\n"
        "f:4: not a section header; it is [Name] and nothing else in the line\n"
        "f:6: not a section header; it is [Name] and nothing else in the line\n"
        "f:8: not a section header; it is [Name] and nothing else in the line");
}

static void test_bytes(void **state)
{
    LEX("[A]\nx=a\0b\n", "1 A\n", "f:2: control character \\x00 in column 4");
    LEX("\0", "", "f:1: control character \\x00 in column 1");
    LEX("[A]\nx=\x1b[2J\ny=1\n", "1 A\n3 A y=<1>\n", "f:2: control character \\x1b in column 3");
    LEX("# \x1b]0;x\x07\n[A]\n", "2 A\n", "f:1: control character \\x1b in column 3");
    LEX("[A]\nx=\x7f\n", "1 A\n", "f:2: control character \\x7f in column 3");
    LEX("[A]\nx=\xc2\x9b\n", "1 A\n", "f:2: control character U+009B in column 3");
    LEX("[A]\nx=a\xff\n", "1 A\n", "f:2: not valid UTF-8");
    LEX("[A]\nx=a\t\xc3\n", "1 A\n", "f:2: not valid UTF-8");
    LEX("[A]\nx=a\rb\n", "1 A\n", "f:2: control character \\x0d in column 4");
    LEX("[A]\nx=a \\\n\x01 b\ny=1\n", "1 A\n4 A y=<1>\n", "f:3: control character \\x01 in column 1");
}

static void test_windows_files(void **state)
{
    LEX("[A]\r\nx=1\r\n", "1 A\n2 A x=<1>\n",
        "f:1: line ends in CR LF (\\x0d); save the file with Unix line ends");
    LEX("\xef\xbb\xbf[A]\nx=1\n", "1 A\n2 A x=<1>\n",
        "f:1: the file begins with a byte order mark; save it without one");
}

static void test_long_lines(void **state)
{
    _cleanup_text_ struct text t = { 0 };
    text_add(&t, "[A]\nx=");
    for (int i = 0; i < SPEC_LINE_MAX / 16; i++)
        text_add(&t, "0123456789abcde\\\n"); // continued: the length of the whole counts
    text_add(&t, "\ny=1\n");
    expect_lines(t.data, t.length, "1 A\n8195 A y=<1>\n", "f:2: line longer than 131072 bytes");
}

static void test_stops_at_too_many_problems(void **state)
{
    _cleanup_text_ struct text t = { 0 };
    _cleanup_error_ struct error err = { 0 };
    struct record r = { 0 };
    for (int i = 0; i < SPEC_PROBLEMS_MAX + 10; i++)
        text_add(&t, "junk\n");
    assert_int_equal(spec_lex("f", t.data, t.length, record_line, &r, &err), -EINVAL);
    assert_true(str_suffix(err.text, "\nf: more than 50 problems; the rest was not read"));
}

static void test_the_callers_answer(void **state)
{
    static const char text[] = "[A]\nx=1\ny=2\n";
    _cleanup_error_ struct error err = { 0 };
    struct record problem = { .answer = 1 };
    assert_int_equal(spec_lex("f", text, sizeof(text) - 1, record_line, &problem, &err), -EINVAL);
    assert_string_equal(problem.lines.data, "1 A\n2 A x=<1>\n3 A y=<2>\n");
    text_clear(&problem.lines);
    struct record fatal = { .answer = -ENOMEM };
    assert_int_equal(spec_lex("f", text, sizeof(text) - 1, record_line, &fatal, &err), -ENOMEM);
    assert_string_equal(fatal.lines.data, "1 A\n");
    text_clear(&fatal.lines);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lines),
        cmocka_unit_test(test_continuation),
        cmocka_unit_test(test_malformed_lines),
        cmocka_unit_test(test_bytes),
        cmocka_unit_test(test_windows_files),
        cmocka_unit_test(test_long_lines),
        cmocka_unit_test(test_stops_at_too_many_problems),
        cmocka_unit_test(test_the_callers_answer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
