// The goldens of specs: tests/golden/spec/X.agent parses, checks and gives X.dump;
// tests/golden/unhappy/X.agent gives the problems of X.err, word for word. A file without its partner fails.
// With AGENTCTL_GOLDEN_UPDATE=1 the expectations are written instead: review them. The templates are read
// too.
#include "expect.h"

#include <dirent.h>
#include <stdio.h>

#include "spec/spec.h"

#define AGENT "coder" // the agent that every golden is checked for

static char *join_path(const char *directory, const char *name, const char *suffix)
{
    _cleanup_text_ struct text t = { 0 };
    const char *root = getenv("SOURCE_ROOT");
    assert_non_null(root);
    text_addf(&t, "%s/%s/%s%s", root, directory, name, suffix);
    char *path = text_take(&t);
    assert_non_null(path);
    return path;
}

// NULL if there is no such file.
static char *read_file(const char *path, size_t *ret_size)
{
    static char buffer[1 << 20];
    _cleanup_fclose_ FILE *f = fopen(path, "re");
    if (!f)
        return NULL;
    size_t n = fread(buffer, 1, sizeof(buffer) - 1, f);
    assert_false(ferror(f));
    buffer[n] = '\0';
    char *copy = malloc(n + 1);
    assert_non_null(copy);
    memcpy(copy, buffer, n + 1);
    *ret_size = n;
    return copy;
}

static void expect_file(const char *path, const char *content)
{
    const char *update = getenv("AGENTCTL_GOLDEN_UPDATE");
    if (update && str_equal(update, "1")) {
        _cleanup_fclose_ FILE *f = fopen(path, "we");
        assert_non_null(f);
        assert_int_equal(fwrite(content, 1, strlen(content), f), strlen(content));
        return;
    }
    size_t n = 0;
    _cleanup_free_ char *expected = read_file(path, &n);
    if (!expected || !str_equal(expected, content))
        print_error("%s\n--- expected\n%s--- got\n%s", path, expected ? expected : "(no such file)\n",
                    content);
    assert_non_null(expected);
    assert_string_equal(content, expected);
}

// The names without suffix of a directory's files with it, sorted.
static void list_names(const char *directory, const char *suffix, struct strv *ret)
{
    _cleanup_free_ char *path = join_path(directory, "", "");
    struct dirent **entries = NULL;
    int n = scandir(path, &entries, NULL, alphasort);
    assert_true(n >= 0);
    for (int i = 0; i < n; i++) {
        char *name = entries[i]->d_name;
        if (str_suffix(name, suffix) && name[0] != '.') {
            name[strlen(name) - strlen(suffix)] = '\0';
            assert_int_equal(strv_add(ret, name), 0);
        }
        free(entries[i]);
    }
    free((void *)entries);
}

// Every file is a spec or the expectation of one.
static void expect_pairs(const char *directory, const char *suffix)
{
    _cleanup_strv_ struct strv specs = { 0 };
    _cleanup_strv_ struct strv expectations = { 0 };
    _cleanup_strv_ struct strv all = { 0 };
    list_names(directory, ".agent", &specs);
    list_names(directory, suffix, &expectations);
    list_names(directory, "", &all);
    assert_true(strv_equal(&specs, &expectations));
    assert_int_equal(all.count, specs.count + expectations.count);
}

// Parses and, if that is fine, checks.
static int read_spec(const char *directory, const char *name, struct spec *s, struct error *err)
{
    size_t n = 0;
    _cleanup_free_ char *path = join_path(directory, name, ".agent");
    _cleanup_free_ char *text = read_file(path, &n);
    _cleanup_text_ struct text file = { 0 };
    assert_non_null(text);
    text_addf(&file, "%s.agent", name);
    int r = spec_parse(s, file.data, text, n, err);
    return r < 0 ? r : spec_check(s, AGENT, err);
}

#define HAPPY "tests/golden/spec"
#define UNHAPPY "tests/golden/unhappy"

static void test_happy(void **state)
{
    _cleanup_strv_ struct strv names = { 0 };
    list_names(HAPPY, ".agent", &names);
    assert_true(names.count > 0);
    STRV_FOREACH (name, &names) {
        _cleanup_error_ struct error err = { 0 };
        _cleanup_spec_ struct spec *s = spec_new();
        _cleanup_spec_ struct spec *back = spec_new();
        expect_ok(read_spec(HAPPY, name, s, &err), &err);
        _cleanup_free_ char *dump = spec_dump(s);
        _cleanup_free_ char *path = join_path(HAPPY, name, ".dump");
        expect_file(path, dump);
        expect_ok(spec_parse(back, "dump", dump, strlen(dump), &err), &err);
        assert_true(spec_equal(s, back));
    }
    expect_pairs(HAPPY, ".dump");
}

static void test_unhappy(void **state)
{
    _cleanup_strv_ struct strv names = { 0 };
    list_names(UNHAPPY, ".agent", &names);
    assert_true(names.count >= 45);
    STRV_FOREACH (name, &names) {
        _cleanup_error_ struct error err = { 0 };
        _cleanup_spec_ struct spec *s = spec_new();
        if (read_spec(UNHAPPY, name, s, &err) >= 0)
            fail_msg("%s.agent was accepted", name);
        assert_int_equal(err.class, ERROR_USAGE);
        _cleanup_text_ struct text problems = { 0 };
        text_addf(&problems, "%s\n", err.text);
        _cleanup_free_ char *path = join_path(UNHAPPY, name, ".err");
        expect_file(path, problems.data);
    }
    expect_pairs(UNHAPPY, ".err");
}

static void test_templates(void **state)
{
    _cleanup_strv_ struct strv names = { 0 };
    list_names("templates", ".agent", &names);
    assert_true(names.count > 0);
    STRV_FOREACH (name, &names) {
        _cleanup_error_ struct error err = { 0 };
        _cleanup_spec_ struct spec *base = spec_new();
        _cleanup_spec_ struct spec *own = spec_new();
        size_t n = 0;
        _cleanup_free_ char *path = join_path("templates", name, ".agent");
        _cleanup_free_ char *text = read_file(path, &n);
        expect_ok(spec_parse(base, name, text, n, &err), &err);
        assert_int_equal(base->command.count, 0); // what runs is the agent's business
        expect_ok(spec_assign(own, "Service.Command", "/bin/true", &err), &err);
        expect_ok(spec_merge(base, own, &err), &err);
        expect_ok(spec_check(base, AGENT, &err), &err);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_happy),
        cmocka_unit_test(test_unhappy),
        cmocka_unit_test(test_templates),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
