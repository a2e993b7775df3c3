// The property table itself: every row is complete, none is there twice, every constant is what its type can
// hold.
#include "unit_fixture.h"

#include <ctype.h>

#include "plan/properties.h"

static bool is_one_of(const char *word, const char *const *words)
{
    for (; *words; words++)
        if (str_equal(word, *words))
            return true;
    return false;
}

static void test_rows_are_complete(void **state)
{
    static const char *const layers[] = { "process", "filesystem", "syscall", "network", NULL };
    (void)state;
    assert_true(property_row_count > 0);
    for (size_t i = 0; i < property_row_count; i++) {
        const struct property_row *row = &property_rows[i];
        assert_non_null(row->name);
        assert_non_null(row->unit_key);
        assert_true(row->type < PROPERTY_TYPE_COUNT);
        assert_true(!row->layer || is_one_of(row->layer, layers));
        assert_true(row->kind == KIND_SERVICE || row->kind == KIND_SLICE);
        const char *own = row->kind == KIND_SERVICE ? "Service" : "Slice";
        assert_true(str_equal(row->section, own) || str_equal(row->section, "Unit"));
        bool used = false;
        for (size_t mode = 0; mode < MODE_COUNT; mode++)
            used |= row->value[mode] != NULL;
        if (!used)
            fail_msg("%s: no mode sets it", row->name);
    }
}

// Several rows of one name: only SystemCallFilter, whose deny-lists take away from the allow-list before
// them.
static void test_no_row_twice(void **state)
{
    (void)state;
    for (size_t i = 0; i < property_row_count; i++)
        for (size_t j = i + 1; j < property_row_count; j++) {
            const struct property_row *a = &property_rows[i];
            const struct property_row *b = &property_rows[j];
            if (a->kind != b->kind || !str_equal(a->name, b->name))
                continue;
            assert_string_equal(a->name, "SystemCallFilter");
            assert_true(b->value[MODE_MAXIMUM][0] == '~');
        }
}

static void check_constant(const struct property_row *row, const char *value)
{
    switch (row->type) {
    case PROPERTY_BOOLEAN:
        assert_true(str_equal(value, "yes") || str_equal(value, "no"));
        break;
    case PROPERTY_UINT64:
    case PROPERTY_UINT32:
    case PROPERTY_INT32:
    case PROPERTY_USEC:
    case PROPERTY_QUOTA:
    case PROPERTY_FILE_MODE:
        if (!str_equal(value, "infinity"))
            for (const char *c = value; *c; c++)
                assert_true(isdigit((unsigned char)*c));
        assert_true(*value || row->fill);
        break;
    case PROPERTY_ERRNO:
        assert_string_equal(value, "EPERM");
        break;
    case PROPERTY_NAMESPACES:
        assert_string_equal(value, "uts");
        break;
    case PROPERTY_CAPABILITIES:
    case PROPERTY_BINDS:
    case PROPERTY_PREFIXES:
    case PROPERTY_DEVICE_LIMITS:
    case PROPERTY_EXEC:
        assert_string_equal(value, "");
        break;
    case PROPERTY_STRING_PAIRS: {
        size_t spaces = 0;
        for (const char *c = value; *c; c++)
            spaces += *c == ' ';
        assert_true(!*value || spaces % 2 == 1);
        // systemd writes a '%' in mount options doubled and reads it back so
        assert_null(strchr(value, '%'));
        break;
    }
    default:
        assert_true(*value || row->fill);
        assert_null(strstr(value, "  "));
    }
}

static void test_constants_fit_their_types(void **state)
{
    (void)state;
    for (size_t i = 0; i < property_row_count; i++)
        for (size_t mode = 0; mode < MODE_COUNT; mode++)
            if (property_rows[i].value[mode])
                check_constant(&property_rows[i], property_rows[i].value[mode]);
}

// A stricter mode drops nothing that a looser one sets.
static void test_modes_grow(void **state)
{
    (void)state;
    for (size_t i = 0; i < property_row_count; i++)
        for (size_t mode = MODE_UNRESTRICTED; mode < MODE_MAXIMUM; mode++)
            if (property_rows[i].value[mode] && !property_rows[i].value[mode + 1])
                fail_msg("%s: %s sets it, the next mode does not", property_rows[i].name,
                         mode_name((enum mode)mode));
}

// Isolation is never optional by accident: these, and no others, may be missing on a host.
static void test_optional_rows(void **state)
{
    static const char *const optional[] = { "RestartSteps", "RestartMaxDelayUSec", "PrivatePIDs",
                                            "RestrictNetworkInterfaces", NULL };
    (void)state;
    for (size_t i = 0; i < property_row_count; i++)
        assert_int_equal(property_rows[i].optional, is_one_of(property_rows[i].name, optional));
}

// What filters system calls is nothing without seccomp.
static void test_seccomp_rows_need_seccomp(void **state)
{
    static const char *const filters[] = { "SystemCallFilter",        "SystemCallErrorNumber",
                                           "SystemCallArchitectures", "RestrictAddressFamilies",
                                           "RestrictNamespaces",      "RestrictRealtime",
                                           "RestrictSUIDSGID",        "LockPersonality",
                                           "MemoryDenyWriteExecute",  NULL };
    (void)state;
    for (size_t i = 0; i < property_row_count; i++)
        assert_int_equal((property_rows[i].needs & NEED_SECCOMP) != 0,
                         is_one_of(property_rows[i].name, filters));
}

// Trap: these three are accepted and ignored without the BPF framework.
static void test_bpf_rows_need_the_framework(void **state)
{
    static const char *const ignored[] = { "SocketBindDeny", "SocketBindAllow", "RestrictFileSystems",
                                           "RestrictNetworkInterfaces", NULL };
    (void)state;
    for (size_t i = 0; i < property_row_count; i++)
        assert_int_equal((property_rows[i].needs & NEED_BPF_FRAMEWORK) != 0,
                         is_one_of(property_rows[i].name, ignored));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows_are_complete),
        cmocka_unit_test(test_no_row_twice),
        cmocka_unit_test(test_constants_fit_their_types),
        cmocka_unit_test(test_modes_grow),
        cmocka_unit_test(test_optional_rows),
        cmocka_unit_test(test_seccomp_rows_need_seccomp),
        cmocka_unit_test(test_bpf_rows_need_the_framework),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
