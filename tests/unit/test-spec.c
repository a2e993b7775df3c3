// Specs are made with their defaults, laid over each other, and compared.
#include "expect.h"

#include <stdio.h>

#include "base/number.h"
#include "spec/key.h"

static struct spec *parsed(const char *text)
{
    _cleanup_error_ struct error err = { 0 };
    struct spec *s = spec_new();
    expect_ok(spec_parse(s, "f", text, strlen(text), &err), &err);
    return s;
}

static void test_defaults(void **state)
{
    _cleanup_spec_ struct spec *s = spec_new();
    assert_int_equal(s->assigned, 0);
    assert_int_equal(s->mode, MODE_STANDARD);
    assert_int_equal(s->egress, EGRESS_PUBLIC);
    assert_int_equal(s->loopback, LOOPBACK_OWN);
    assert_int_equal(s->restart, RESTART_ON_FAILURE);
    assert_int_equal(s->restart_usec, USEC_PER_SEC);
    assert_int_equal(s->start_limit_burst, 5);
    assert_int_equal(s->start_limit_interval_usec, 60 * USEC_PER_SEC);
    assert_int_equal(s->timeout_stop_usec, 10 * USEC_PER_SEC);
    assert_true(s->runtime_max_usec == LIMIT_INFINITY);
    assert_true(s->cpu_quota == LIMIT_INFINITY);
    assert_int_equal(s->memory_max, UINT64_C(2) << 30);
    assert_int_equal(s->memory_swap_max, 0);
    assert_int_equal(s->tasks_max, 512);
    assert_false(s->jit);
    assert_null(s->working_directory);
    assert_null(spec_free(NULL));
}

static void expect_merged(const char *base, const char *over, const char *dump)
{
    _cleanup_error_ struct error err = { 0 };
    _cleanup_spec_ struct spec *a = parsed(base);
    _cleanup_spec_ struct spec *b = parsed(over);
    expect_ok(spec_merge(a, b, &err), &err);
    _cleanup_free_ char *text = spec_dump(a);
    assert_string_equal(text, dump);
}

static void test_scalars_replace(void **state)
{
    expect_merged("[Resources]\nMemoryMax=1G\nTasksMax=9\n", "[Resources]\nMemoryMax=3G\n",
                  "[Resources]\nMemoryMax=3G\nTasksMax=9\n");
    expect_merged("[Resources]\nMemoryMax=1G\n", "[Resources]\nMemoryMax=\n", "[Resources]\nMemoryMax=2G\n");
    expect_merged("[Resources]\nMemoryMax=1G\n", "", "[Resources]\nMemoryMax=1G\n");
    expect_merged("[Service]\nCommand=/bin/a x\n", "[Service]\nCommand=/bin/b\n",
                  "[Service]\nCommand=/bin/b\n");
    expect_merged("[Agent]\nDescription=a\n", "[Agent]\nDescription=\n", "[Agent]\nDescription=\n");
}

static void test_lists_add_unless_reset(void **state)
{
    expect_merged("[Network]\nAllow=1.1.1.1\n", "[Network]\nAllow=2.2.2.2 1.1.1.1\n",
                  "[Network]\nAllow=1.1.1.1\nAllow=2.2.2.2\n");
    expect_merged("[Network]\nAllow=1.1.1.1\n", "[Network]\nAllow=\nAllow=2.2.2.2\n",
                  "[Network]\nAllow=\nAllow=2.2.2.2\n");
    expect_merged("[Network]\nAllow=1.1.1.1\n", "[Network]\nAllow=\n", "[Network]\nAllow=\n");
    expect_merged("[Service]\nEnvironment=A=1 B=2\n", "[Service]\nEnvironment=B=3 C=4\n",
                  "[Service]\nEnvironment=A=1\nEnvironment=B=3\nEnvironment=C=4\n");
    expect_merged("[Filesystem]\nBindPaths=/a:/x\n", "[Filesystem]\nBindPaths=/b:/x /c\n",
                  "[Filesystem]\nBindPaths=/b:/x\nBindPaths=/c\n");
    expect_merged("[Resources]\nIOReadBandwidthMax=/ 1M\n", "[Resources]\nIOReadBandwidthMax=/ 2M\n",
                  "[Resources]\nIOReadBandwidthMax=/ 2M\n");
    expect_merged("[Filesystem]\nReadOnlyPaths=/a\n", "[Filesystem]\nReadOnlyPaths=/a /b\n",
                  "[Filesystem]\nReadOnlyPaths=/a\nReadOnlyPaths=/b\n");
}

// Laying over in two steps or one makes no difference, resets included.
static void test_merging_is_associative(void **state)
{
    static const char a[] = "[Network]\nAllow=1.1.1.1\n";
    static const char b[] = "[Network]\nAllow=\nAllow=2.2.2.2\n";
    static const char c[] = "[Network]\nAllow=3.3.3.3\n";
    _cleanup_error_ struct error err = { 0 };
    _cleanup_spec_ struct spec *left = parsed(a);
    _cleanup_spec_ struct spec *right = parsed(a);
    _cleanup_spec_ struct spec *inner = parsed(b);
    _cleanup_spec_ struct spec *second = parsed(b);
    _cleanup_spec_ struct spec *third = parsed(c);
    expect_ok(spec_merge(left, second, &err), &err);
    expect_ok(spec_merge(left, third, &err), &err);
    expect_ok(spec_merge(inner, third, &err), &err);
    expect_ok(spec_merge(right, inner, &err), &err);
    assert_true(spec_equal(left, right));
}

static void test_egress_after_merging(void **state)
{
    static const struct {
        const char *base, *over;
        enum egress egress;
    } cases[] = {
        { "", "[Agent]\nMode=maximum\n", EGRESS_LIST },
        { "[Agent]\nMode=maximum\n", "", EGRESS_LIST },
        { "[Agent]\nMode=minimal\n", "[Agent]\nMode=maximum\n", EGRESS_LIST },
        { "[Network]\nEgress=open\n", "[Agent]\nMode=maximum\n", EGRESS_OPEN },
        { "[Agent]\nMode=maximum\n", "[Network]\nEgress=none\n", EGRESS_NONE },
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        _cleanup_error_ struct error err = { 0 };
        _cleanup_spec_ struct spec *base = parsed(cases[i].base);
        _cleanup_spec_ struct spec *over = parsed(cases[i].over);
        expect_ok(spec_merge(base, over, &err), &err);
        assert_int_equal(base->egress, cases[i].egress);
    }
}

static void test_merging_respects_bounds(void **state)
{
    _cleanup_error_ struct error err = { 0 };
    _cleanup_spec_ struct spec *a = spec_new();
    _cleanup_spec_ struct spec *b = spec_new();
    for (int i = 0; i < 200; i++) {
        char path[16];
        (void)snprintf(path, sizeof(path), "/a%d", i);
        expect_ok(spec_assign(a, "ReadOnlyPaths", path, &err), &err);
        path[1] = 'b';
        expect_ok(spec_assign(b, "ReadOnlyPaths", path, &err), &err);
    }
    expect_refused(spec_merge(a, b, &err), &err, "[Filesystem] ReadOnlyPaths=: more than 256 entries");
}

// Every key makes a difference to spec_equal().
static void test_equality(void **state)
{
    static const char *const values[] = { "x",   "maximum", "/bin/x", "A=1",  "always", "7s",      "7",
                                          "yes", "7%",      "7M",     "/x 7", "none",   "1.2.3.4", "host" };
    for (size_t i = 0; i < spec_key_count; i++) {
        _cleanup_spec_ struct spec *plain = spec_new();
        _cleanup_spec_ struct spec *other = spec_new();
        assert_true(spec_equal(plain, other));
        bool assigned = false;
        for (size_t k = 0; !assigned && k < ARRAY_SIZE(values); k++) {
            _cleanup_error_ struct error err = { 0 };
            assigned = spec_assign(other, spec_keys[i].name, values[k], &err) == 0;
        }
        assert_true(assigned);
        assert_false(spec_equal(plain, other));
        plain->assigned = other->assigned; // the value alone
        assert_false(spec_equal(plain, other));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_defaults),
        cmocka_unit_test(test_scalars_replace),
        cmocka_unit_test(test_lists_add_unless_reset),
        cmocka_unit_test(test_merging_is_associative),
        cmocka_unit_test(test_egress_after_merging),
        cmocka_unit_test(test_merging_respects_bounds),
        cmocka_unit_test(test_equality),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
