// Paths are absolute, in one form, and hold nothing that a unit file could misread.
#include "expect.h"

#include <limits.h>

#include "spec/path.h"

static void test_normal_form(void **state)
{
    static const struct {
        const char *text, *path;
    } cases[] = {
        { "/", "/" },
        { "//", "/" },
        { "/srv/data", "/srv/data" },
        { "/srv//data/", "/srv/data" },
        { "/a/.b/..c/...", "/a/.b/..c/..." },
        { "/\xc3\xa4", "/\xc3\xa4" },
        { "/a:b", "/a:b" },
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        _cleanup_error_ struct error err = { 0 };
        _cleanup_free_ char *path = NULL;
        expect_ok(path_normalise(cases[i].text, &path, &err), &err);
        assert_string_equal(path, cases[i].path);
    }
}

static void test_refused(void **state)
{
    static const struct {
        const char *text, *cause;
    } cases[] = {
        { "", "not an absolute path" },
        { "srv", "not an absolute path" },
        { "~/x", "not an absolute path" },
        { "/srv/../etc", "a path must not contain . or .." },
        { "/srv/.", "a path must not contain . or .." },
        { "/..", "a path must not contain . or .." },
        { "/a\nb", "a control character in a path" },
        { "/a\xff", "a control character in a path" },
        { "/a b", "a space, quote, backslash or % in a path, which systemd may lose when it reloads" },
        { "/a%h", "a space, quote, backslash or % in a path, which systemd may lose when it reloads" },
        { "/a\\x20", "a space, quote, backslash or % in a path, which systemd may lose when it reloads" },
        { "/a\"", "a space, quote, backslash or % in a path, which systemd may lose when it reloads" },
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        _cleanup_error_ struct error err = { 0 };
        char *path = NULL;
        expect_refused(path_normalise(cases[i].text, &path, &err), &err, cases[i].cause);
        assert_null(path);
    }
    char longer[PATH_MAX + 1];
    memset(longer, 'a', sizeof(longer) - 1);
    longer[0] = '/';
    longer[PATH_MAX] = '\0';
    _cleanup_error_ struct error err = { 0 };
    _cleanup_free_ char *path = NULL;
    expect_refused(path_normalise(longer, &path, &err), &err, "longer than 4095 bytes");
    longer[PATH_MAX - 1] = '\0';
    expect_ok(path_normalise(longer, &path, &err), &err);
}

static void test_within(void **state)
{
    assert_true(path_is_within("/etc", "/etc"));
    assert_true(path_is_within("/etc/x", "/etc"));
    assert_true(path_is_within("/etc", "/"));
    assert_true(path_is_within("/", "/"));
    assert_false(path_is_within("/etcetera", "/etc"));
    assert_false(path_is_within("/", "/etc"));
    assert_false(path_is_within("/var/etc", "/etc"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_normal_form),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_within),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
