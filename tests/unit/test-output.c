// What is printed: nothing raw for a terminal, columns that stand, JSON of any bytes.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/number.h"
#include "cmd/output.h"

static void check_sanitized(const char *data, size_t n, const char *expected)
{
    _cleanup_free_ char *text = output_sanitize(data, n, "  ");
    assert_non_null(text);
    assert_string_equal(text, expected);
}

#define CHECK_SANITIZED(literal, expected) check_sanitized(literal, sizeof(literal) - 1, expected)

static void test_sanitize(void **state)
{
    (void)state;
    CHECK_SANITIZED("", "");
    CHECK_SANITIZED("plain", "plain");
    CHECK_SANITIZED("gr\xc3\xbc\xc3\x9f", "gr\xc3\xbc\xc3\x9f");
    CHECK_SANITIZED("a\tb\\n", "a\tb\\n");
    CHECK_SANITIZED("one\ntwo\n\n", "one\n  two");
    CHECK_SANITIZED("\x1b]0;title\x07x", "\\x1b]0;title\\x07x");
    CHECK_SANITIZED("\x1b[2Jx", "\\x1b[2Jx");
    CHECK_SANITIZED("\x1b[1;31mred\x1b[0m!", "red!");
    CHECK_SANITIZED("\x1b[31", "\\x1b[31");
    CHECK_SANITIZED("\x1b", "\\x1b");
    CHECK_SANITIZED("\x1b\x1b[31m", "\\x1b");
    CHECK_SANITIZED("\x1b[\x1b[0m31mx", "\\x1b[31mx"); // what removing leaves behind is no sequence
    CHECK_SANITIZED("a\rb\x08\x7f", "a\\x0db\\x08\\x7f");
    CHECK_SANITIZED("c1 \xc2\x9b"
                    "31m",
                    "c1 \\xc2\\x9b31m");
    CHECK_SANITIZED("nul \0 there", "nul \\x00 there");
    CHECK_SANITIZED("bad \xff\xfe", "bad \\xff\\xfe");
}

static void check_json(const char *data, size_t n, const char *expected, size_t m)
{
    json_t *string = output_json_string(data, n);
    assert_non_null(string);
    assert_int_equal(json_string_length(string), m);
    assert_memory_equal(json_string_value(string), expected, m);
    json_decref(string);
}

#define CHECK_JSON(literal, expected) check_json(literal, sizeof(literal) - 1, expected, sizeof(expected) - 1)
#define REPLACEMENT "\xef\xbf\xbd"

static void test_json_string(void **state)
{
    (void)state;
    CHECK_JSON("", "");
    CHECK_JSON("a\nb\x1b", "a\nb\x1b");
    CHECK_JSON("a\0b", "a\0b");
    CHECK_JSON("\xff", REPLACEMENT);
    CHECK_JSON("a\xff\xc3\xbc", "a" REPLACEMENT "\xc3\xbc");
    CHECK_JSON("\xe2\x82", REPLACEMENT REPLACEMENT);
    CHECK_JSON("\xe2\x82\xac\xe2", "\xe2\x82\xac" REPLACEMENT);
    CHECK_JSON("\xf0\x9f\x98\x80\x80z", "\xf0\x9f\x98\x80" REPLACEMENT "z");
}

static void test_json_number(void **state)
{
    (void)state;
    json_t *number = output_json_number(5);
    assert_int_equal(json_integer_value(number), 5);
    json_decref(number);
    assert_true(json_is_null(output_json_number(LIMIT_INFINITY)));
    assert_true(json_is_null(output_json_number((uint64_t)INT64_MAX + 1)));
}

static void check_table(struct output_table *t, bool legend, const char *expected)
{
    _cleanup_error_ struct error err = { 0 };
    _cleanup_free_ char *text = NULL;
    size_t size = 0;
    FILE *f = open_memstream(&text, &size);
    assert_non_null(f);
    assert_int_equal(output_table_print(t, legend, f, &err), 0);
    assert_int_equal(fclose(f), 0);
    assert_string_equal(text, expected);
}

static void test_table(void **state)
{
    (void)state;
    static const char *const headings[] = { "NAME", ">PID", "STATE" };
    _cleanup_table_ struct output_table *t = output_table_new(3, headings);
    assert_non_null(t);
    check_table(t, true, "NAME  PID  STATE\n");
    check_table(t, false, "");
    assert_int_equal(output_table_add(t, (const char *const[]){ "a", "12345", "running" }), 0);
    assert_int_equal(output_table_add(t, (const char *const[]){ "gr\xc3\xbcn\x1b", NULL, "x" }), 0);
    check_table(t, true,
                "NAME        PID  STATE\n"
                "a         12345  running\n"
                "gr\xc3\xbcn\\x1b      -  x\n");
    check_table(t, false,
                "a         12345  running\n"
                "gr\xc3\xbcn\\x1b      -  x\n");
}

static void check_span(uint64_t usec, const char *expected)
{
    char text[64];
    output_span(usec, text, sizeof(text));
    assert_string_equal(text, expected);
}

static void test_times(void **state)
{
    (void)state;
    check_span(0, "0s");
    check_span(59 * USEC_PER_SEC, "59s");
    check_span(60 * USEC_PER_SEC, "1min");
    check_span(61 * USEC_PER_SEC, "1min 1s");
    check_span(7500 * USEC_PER_SEC, "2h 5min");
    check_span(3601 * USEC_PER_SEC, "1h");
    check_span(90000 * USEC_PER_SEC, "1d 1h");

    char text[64];
    output_ago(10 * USEC_PER_SEC, 75 * USEC_PER_SEC, text, sizeof(text));
    assert_string_equal(text, "1min 5s ago");
    output_ago(75 * USEC_PER_SEC, 10 * USEC_PER_SEC, text, sizeof(text)); // a clock that went back
    assert_string_equal(text, "0s ago");
    output_cpu(12345, text, sizeof(text));
    assert_string_equal(text, "12ms");
    output_cpu(12500000, text, sizeof(text));
    assert_string_equal(text, "12.5s");
    output_cpu(125 * USEC_PER_SEC, text, sizeof(text));
    assert_string_equal(text, "2min 5s");
    output_size(LIMIT_INFINITY, text, sizeof(text));
    assert_string_equal(text, "-");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sanitize),    cmocka_unit_test(test_json_string),
        cmocka_unit_test(test_json_number), cmocka_unit_test(test_table),
        cmocka_unit_test(test_times),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
