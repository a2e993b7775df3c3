// Units as unit files: the goldens of every mode on both kinds of host, and the syntax of single values.
#include "unit_fixture.h"

#include <errno.h>

// With UPDATE_GOLDENS in the environment a golden is written instead of compared.
static char *golden_path(const char *name)
{
    const char *root = getenv("SOURCE_ROOT");
    char *path = NULL;
    assert_true(asprintf(&path, "%s/tests/golden/unit/%s", root ? root : ".", name) > 0);
    return path;
}

static char *read_file(const char *path)
{
    _cleanup_fclose_ FILE *f = fopen(path, "re");
    if (!f)
        fail_msg("%s: %s", path, strerror(errno));
    char *text = NULL;
    size_t size = 0;
    ssize_t n = getdelim(&text, &size, '\0', f);
    if (n < 0)
        fail_msg("%s: empty", path);
    return text;
}

static void compare_golden(const char *name, const struct unit *u)
{
    _cleanup_free_ char *path = golden_path(name);
    _cleanup_free_ char *text = unit_text(u);
    assert_non_null(text);
    if (getenv("UPDATE_GOLDENS")) {
        _cleanup_fclose_ FILE *f = fopen(path, "we");
        assert_non_null(f);
        assert_true(fputs(text, f) >= 0);
        return;
    }
    _cleanup_free_ char *expected = read_file(path);
    if (!str_equal(text, expected))
        fail_msg("%s differs from\n%s", path, text);
}

static void open_representative(struct fixture *f, enum mode mode, struct host host)
{
    struct error err = { 0 };
    _cleanup_free_ char *path = golden_path("representative.agent");
    _cleanup_free_ char *text = read_file(path);
    fixture_open(f, "coder", "/var/lib/agents", host);
    if (spec_parse(f->spec, "representative.agent", text, strlen(text), &err) < 0)
        fail_msg("%s", err.text);
    fixture_set(f, "Mode", mode_name(mode));
    if (spec_check(f->spec, "coder", &err) < 0)
        fail_msg("%s", err.text);
}

static void test_goldens(void **state)
{
    const struct {
        const char *name;
        struct host host;
    } hosts[] = { { "debian12", debian12 }, { "debian13", debian13 } };
    (void)state;
    for (enum mode mode = 0; mode < MODE_COUNT; mode++)
        for (size_t i = 0; i < ARRAY_SIZE(hosts); i++) {
            struct fixture f;
            char name[128];
            open_representative(&f, mode, hosts[i].host);
            _cleanup_unit_ struct unit service = fixture_service(&f);
            (void)snprintf(name, sizeof(name), "%s.%s.service", mode_name(mode), hosts[i].name);
            compare_golden(name, &service);
            _cleanup_unit_ struct unit slice = fixture_slice(&f);
            compare_golden("agents-coder.slice", &slice); // the same in every mode and on every host
            fixture_close(&f);
        }
}

static void expect_text(struct property p, const char *expected)
{
    const struct unit u = { .properties = &p, .count = 1 };
    p.section = "Service";
    p.unit_key = "Key";
    _cleanup_free_ char *text = unit_text(&u);
    assert_non_null(text);
    assert_true(str_prefix(text, "[Service]\n"));
    assert_string_equal(text + strlen("[Service]\n"), expected);
}

static void test_strings(void **state)
{
    (void)state;
    expect_text((struct property){ .type = PROPERTY_STRING, .string = (char *)"50% of $x \"y\"" },
                "Key=50%% of $x \"y\"\n");
    expect_text((struct property){ .type = PROPERTY_BOOLEAN, .boolean = true }, "Key=yes\n");
    expect_text((struct property){ .type = PROPERTY_BOOLEAN, .boolean = false }, "Key=no\n");
}

static void test_numbers(void **state)
{
    (void)state;
    expect_text((struct property){ .type = PROPERTY_UINT64, .number = 512 }, "Key=512\n");
    expect_text((struct property){ .type = PROPERTY_UINT64, .number = UINT64_MAX }, "Key=infinity\n");
    expect_text((struct property){ .type = PROPERTY_UINT32, .number = 7 }, "Key=7\n");
    expect_text((struct property){ .type = PROPERTY_INT32, .number = 500 }, "Key=500\n");
    expect_text((struct property){ .type = PROPERTY_USEC, .number = 90000000 }, "Key=1min 30s\n");
    expect_text((struct property){ .type = PROPERTY_USEC, .number = UINT64_MAX }, "Key=infinity\n");
    expect_text((struct property){ .type = PROPERTY_QUOTA, .number = 500000 }, "Key=50%\n");
    expect_text((struct property){ .type = PROPERTY_QUOTA, .number = 333000 }, "Key=33.3%\n");
    expect_text((struct property){ .type = PROPERTY_QUOTA, .number = UINT64_MAX }, "Key=\n");
    expect_text((struct property){ .type = PROPERTY_FILE_MODE, .number = 077 }, "Key=0077\n");
    expect_text((struct property){ .type = PROPERTY_ERRNO, .number = EPERM }, "Key=EPERM\n");
    expect_text((struct property){ .type = PROPERTY_ERRNO, .number = ENOSYS }, "Key=38\n");
    expect_text((struct property){ .type = PROPERTY_CAPABILITIES }, "Key=\n");
    expect_text((struct property){ .type = PROPERTY_NAMESPACES, .number = 0x04000000 }, "Key=uts\n");
    expect_text((struct property){ .type = PROPERTY_NAMESPACES, .number = 0x14000000 }, "Key=user uts\n");
    expect_text((struct property){ .type = PROPERTY_NAMESPACES }, "Key=yes\n");
}

static void test_lists(void **state)
{
    char *items[] = { (char *)"A=b c", (char *)"D=50%", (char *)"E=\"\\", NULL };
    (void)state;
    expect_text((struct property){ .type = PROPERTY_STRINGS, .strings = { items, 3 } },
                "Key=\"A=b c\" D=50%% \"E=\\\"\\\\\"\n");
    expect_text((struct property){ .type = PROPERTY_SET, .set = { true, { items + 1, 1 } } }, "Key=D=50%%\n");
    expect_text((struct property){ .type = PROPERTY_SET, .set = { false, { items + 1, 1 } } },
                "Key=~D=50%%\n");
}

// '$' begins a variable in a command line, and nowhere else.
static void test_command_line(void **state)
{
    char *argv[] = { (char *)"/bin/echo", (char *)"$HOME %h", (char *)"", NULL };
    (void)state;
    expect_text((struct property){ .type = PROPERTY_EXEC, .strings = { argv, 3 } },
                "Key=/bin/echo \"$$HOME %%h\" \"\"\n");
}

static void test_paths(void **state)
{
    struct bind binds[] = { { (char *)"/a", (char *)"/a" },
                            { (char *)"/a", (char *)"/b" },
                            { (char *)"-/c", (char *)"/c" } };
    char *pairs[] = { (char *)"/run", (char *)"ro", (char *)"/dev/shm", (char *)"rw,size=1G", NULL };
    struct io_limit limits[] = { { (char *)"/", 10000000 }, { (char *)"/dev/vda", UINT64_MAX } };
    (void)state;
    expect_text((struct property){ .type = PROPERTY_BINDS, .binds = { binds, 3 } },
                "Key=/a\nKey=/a:/b\nKey=-/c\n");
    expect_text((struct property){ .type = PROPERTY_BINDS }, "");
    expect_text((struct property){ .type = PROPERTY_STRING_PAIRS, .strings = { pairs, 4 } },
                "Key=/run:ro\nKey=/dev/shm:rw,size=1G\n");
    expect_text((struct property){ .type = PROPERTY_DEVICE_LIMITS, .limits = { limits, 2 } },
                "Key=/ 10000000\nKey=/dev/vda infinity\n");
    expect_text((struct property){ .type = PROPERTY_DEVICE_LIMITS }, "");
}

static void test_prefixes(void **state)
{
    struct prefix items[] = { { .family = FAMILY_IPV4, .bytes = { 10 }, .length = 8 },
                              { .family = FAMILY_IPV6, .bytes = { [15] = 1 }, .length = 128 },
                              { .family = FAMILY_IPV4 } };
    (void)state;
    expect_text((struct property){ .type = PROPERTY_PREFIXES, .prefixes = { items, 3 } },
                "Key=10.0.0.0/8 ::1 0.0.0.0/0\n");
    expect_text((struct property){ .type = PROPERTY_PREFIXES }, "");
}

static void test_sections(void **state)
{
    struct property p[] = {
        { .section = "Unit", .unit_key = "A", .type = PROPERTY_BOOLEAN },
        { .section = "Unit", .unit_key = "B", .type = PROPERTY_BOOLEAN },
        { .section = "Service", .unit_key = "C", .type = PROPERTY_BOOLEAN },
    };
    const struct unit u = { .properties = p, .count = 3 };
    (void)state;
    _cleanup_free_ char *text = unit_text(&u);
    assert_string_equal(text, "[Unit]\nA=no\nB=no\n\n[Service]\nC=no\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_goldens),      cmocka_unit_test(test_strings),  cmocka_unit_test(test_numbers),
        cmocka_unit_test(test_lists),        cmocka_unit_test(test_paths),    cmocka_unit_test(test_prefixes),
        cmocka_unit_test(test_command_line), cmocka_unit_test(test_sections),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
