// Buffers, vectors, control characters, quoting and its inverse, nearest names.
#include "expect.h"

#include "base/text.h"

static void test_buffer_grows_and_is_handed_over(void **state)
{
    _cleanup_text_ struct text t = { 0 };
    for (int i = 0; i < 1000; i++)
        text_addf(&t, "%d,", i % 10);
    text_add_n(&t, "xyz", 2);
    assert_int_equal(t.length, 2002);
    _cleanup_free_ char *s = text_take(&t);
    assert_int_equal(strlen(s), 2002);
    assert_null(t.data);
    _cleanup_free_ char *empty = text_take(&t);
    assert_string_equal(empty, "");
}

static void test_vectors(void **state)
{
    _cleanup_strv_ struct strv v = { 0 };
    _cleanup_strv_ struct strv copy = { 0 };
    assert_int_equal(strv_add(&v, "a"), 0);
    assert_int_equal(strv_addf(&v, "%d", 7), 0);
    assert_int_equal(strv_take(&v, NULL), -12); // what strdup() returned when memory ran out
    assert_int_equal(v.count, 2);
    assert_null(v.items[2]);
    assert_int_equal(strv_copy(&copy, &v), 0);
    assert_true(strv_equal(&v, &copy));
    assert_true(strv_contains(&copy, "7"));
    assert_false(strv_contains(&copy, "8"));
    assert_int_equal(strv_add(&copy, "z"), 0);
    assert_false(strv_equal(&v, &copy));
    _cleanup_free_ char *joined = strv_join(&copy, ", ");
    assert_string_equal(joined, "a, 7, z");
    size_t seen = 0;
    STRV_FOREACH (item, &copy)
        seen += strlen(item);
    assert_int_equal(seen, 3);
}

static void test_control_characters(void **state)
{
    static const struct {
        const char *bytes;
        size_t n;
        bool control;
    } cases[] = {
        { "plain text", 10, false },
        { "\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80", 9, false },
        { "a\nb", 3, true },
        { "a\tb", 3, true },
        { "a\0b", 3, true },
        { "\x1b[2J", 4, true },
        { "\x7f", 1, true },
        { "\xc2\x9b"
          "31m",
          5, true }, // C1 CSI
        { "\xc2\xa0", 2, false },
        { "\xff", 1, true },
        { "\xc0\xaf", 2, true },
        { "\xed\xa0\x80", 3, true }, // overlong, surrogate
        { "\xf4\x90\x80\x80", 4, true },
        { "\xe2\x82", 2, true }, // above U+10FFFF, cut off
        { "", 0, false },
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
        assert_int_equal(text_has_control(cases[i].bytes, cases[i].n), cases[i].control);
}

static void test_printable(void **state)
{
    _cleanup_free_ char *s = text_printable("a\n\x1b[\xff\\\xc3\xa4\0z", 10);
    assert_string_equal(s, "a\\x0a\\x1b[\\xff\\\\\xc3\xa4\\x00z");
    assert_false(text_has_control(s, strlen(s)));
}

static void expect_words(const char *value, size_t count, const char *const words[])
{
    _cleanup_error_ struct error err = { 0 };
    _cleanup_strv_ struct strv v = { 0 };
    expect_ok(words_split(value, &v, &err), &err);
    assert_int_equal(v.count, count);
    for (size_t i = 0; i < count; i++)
        assert_string_equal(v.items[i], words[i]);
}

static void test_words(void **state)
{
    expect_words("", 0, NULL);
    expect_words("   ", 0, NULL);
    expect_words(" a  b ", 2, (const char *const[]){ "a", "b" });
    expect_words("\"a b\" 'c d'", 2, (const char *const[]){ "a b", "c d" });
    expect_words("x\"y z\"w", 1, (const char *const[]){ "xy zw" });
    expect_words("\"\" ''", 2, (const char *const[]){ "", "" });
    expect_words("a\\nb \\x41 \\s \\\\ \\\"", 5, (const char *const[]){ "a\nb", "A", " ", "\\", "\"" });
    expect_words("$HOME %h # ;", 4, (const char *const[]){ "$HOME", "%h", "#", ";" });
}

static void test_broken_quoting(void **state)
{
    static const struct {
        const char *value, *cause;
    } cases[] = {
        { "\"a", "a quote \" is not closed" }, { "a 'b c", "a quote ' is not closed" },
        { "a\\", "a backslash at the end" },   { "\\q", "unknown escape \\q" },
        { "\\x4", "unknown escape \\x" },      { "\\x00", "NUL character in a word" },
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        _cleanup_error_ struct error err = { 0 };
        _cleanup_strv_ struct strv v = { 0 };
        expect_refused(words_split(cases[i].value, &v, &err), &err, cases[i].cause);
        assert_int_equal(v.count, 0);
    }
}

static void test_join_is_the_inverse(void **state)
{
    static const char *const words[] = {
        "",           "plain",     "two words", "quote\"quote", "apos'apos", "back\\slash",
        "trailing\\", "new\nline", "tab\t",     "\x01\x1f\x7f", "#comment",  ";x",
        "$HOME",      "%n",        "\xc3\xa4",  "--flag=value", " ",
    };
    _cleanup_strv_ struct strv v = { 0 };
    _cleanup_strv_ struct strv back = { 0 };
    _cleanup_error_ struct error err = { 0 };
    for (size_t i = 0; i < ARRAY_SIZE(words); i++)
        assert_int_equal(strv_add(&v, words[i]), 0);
    _cleanup_free_ char *joined = words_join(&v);
    assert_false(text_has_control(joined, strlen(joined)));
    expect_ok(words_split(joined, &back, &err), &err);
    assert_true(strv_equal(&v, &back));
}

static const char *candidate(size_t i, const void *userdata)
{
    static const char *const names[] = { "MemoryMax", "MemoryHigh", "TasksMax", "Egress", "Jit" };
    return i < ARRAY_SIZE(names) ? names[i] : NULL;
}

static void test_nearest(void **state)
{
    assert_string_equal(nearest_name("MemryMax", candidate, NULL), "MemoryMax");
    assert_string_equal(nearest_name("memorymax", candidate, NULL), "MemoryMax");
    assert_string_equal(nearest_name("TaskMax", candidate, NULL), "TasksMax");
    assert_string_equal(nearest_name("Egerss", candidate, NULL), "Egress");
    assert_string_equal(nearest_name("Jti", candidate, NULL), "Jit");
    assert_null(nearest_name("Colour", candidate, NULL));
    assert_null(nearest_name("", candidate, NULL));
    char longer[200];
    memset(longer, 'a', sizeof(longer));
    longer[199] = '\0';
    assert_null(nearest_name(longer, candidate, NULL));
}

static void test_suffix_and_prefix(void **state)
{
    assert_true(str_suffix("a.agent", ".agent"));
    assert_false(str_suffix("agent", ".agent"));
    assert_true(str_prefix("a.agent", "a."));
    assert_true(str_equal(NULL, NULL));
    assert_false(str_equal(NULL, ""));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_buffer_grows_and_is_handed_over),
        cmocka_unit_test(test_vectors),
        cmocka_unit_test(test_control_characters),
        cmocka_unit_test(test_printable),
        cmocka_unit_test(test_words),
        cmocka_unit_test(test_broken_quoting),
        cmocka_unit_test(test_join_is_the_inverse),
        cmocka_unit_test(test_nearest),
        cmocka_unit_test(test_suffix_and_prefix),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
