// The base of the table: the floor as intervals, the dispatch, and that all parts refer to parts that exist.
#include "expect.h"

#include "encode/ruleset_rule.h"
#include "plan/egress.h"

static void build(struct ruleset *ret)
{
    _cleanup_error_ struct error err = { 0 };
    expect_ok(ruleset_build_base(65536, 99999, ret, &err), &err);
}

static bool has_chain(const struct ruleset *rs, const char *name)
{
    for (size_t i = 0; i < rs->chain_count; i++)
        if (str_equal(rs->chains[i].name, name))
            return true;
    return false;
}

static const struct set *find_set(const struct ruleset *rs, const char *name)
{
    for (size_t i = 0; i < rs->set_count; i++)
        if (str_equal(rs->sets[i].name, name))
            return &rs->sets[i];
    return NULL;
}

static bool has_counter(const struct ruleset *rs, const char *name)
{
    for (size_t i = 0; i < rs->counter_count; i++)
        if (str_equal(rs->counters[i], name))
            return true;
    return false;
}

static void check_reference(const struct ruleset *rs, const struct statement *s)
{
    switch (s->kind) {
    case GOTO:
        assert_true(has_chain(rs, s->name));
        break;
    case COUNTER:
        assert_true(has_counter(rs, s->name));
        break;
    case LOG:
        assert_non_null(s->name);
        break;
    default:
        assert_true(!s->name || find_set(rs, s->name));
    }
}

static void test_references(void **state)
{
    _cleanup_ruleset_ struct ruleset rs = { 0 };
    build(&rs);
    for (size_t i = 0; i < rs.rule_count; i++) {
        assert_true(has_chain(&rs, rs.rules[i].chain));
        for (size_t k = 0; k < rs.rules[i].count; k++)
            check_reference(&rs, &rs.rules[i].statements[k]);
    }
    for (size_t i = 0; i < rs.element_count; i++) {
        const struct set *set = find_set(&rs, rs.elements[i].set);
        assert_non_null(set);
        assert_true(set->fixed);
        assert_int_equal(set->type->bytes, rs.elements[i].key_size);
    }
}

// Every chain that others go to ends with a verdict, so that none falls back to where it came from.
static void test_chains_end(void **state)
{
    _cleanup_ruleset_ struct ruleset rs = { 0 };
    build(&rs);
    for (size_t i = 0; i < rs.chain_count; i++) {
        const struct rule *last = NULL;
        for (size_t k = 0; k < rs.rule_count; k++)
            if (str_equal(rs.rules[k].chain, rs.chains[i].name))
                last = &rs.rules[k];
        assert_non_null(last);
        if (rs.chains[i].hook == NO_HOOK) {
            assert_int_equal(last->count, 1);
            assert_true(last->statements[0].kind == GOTO || last->statements[0].kind == ACCEPT ||
                        last->statements[0].kind == REJECT_PROHIBITED);
        }
    }
}

static bool in_interval(const uint8_t *address, size_t size, const struct element *start,
                        const struct element *end)
{
    return memcmp(address, start->key, size) >= 0 && (!end || memcmp(address, end->key, size) < 0);
}

// Whether the intervals of the set hold the address.
static bool set_holds(const struct ruleset *rs, const char *set, const uint8_t *address)
{
    for (size_t i = 0; i < rs->element_count; i++) {
        const struct element *e = &rs->elements[i];
        if (!str_equal(e->set, set) || e->interval_end)
            continue;
        bool ended = i + 1 < rs->element_count && rs->elements[i + 1].interval_end;
        if (in_interval(address, e->key_size, e, ended ? e + 1 : NULL))
            return true;
    }
    return false;
}

// First and last address of each prefix are in the set, their neighbours only if another prefix has them.
static void test_floor_intervals(void **state)
{
    _cleanup_ruleset_ struct ruleset rs = { 0 };
    build(&rs);
    for (size_t i = 0; i < egress_floor_count; i++) {
        const struct prefix *p = &egress_floor[i];
        const char *set = p->family == FAMILY_IPV4 ? SET_FLOOR4 : SET_FLOOR6;
        struct prefix edge = *p;
        edge.length = p->family == FAMILY_IPV4 ? 32 : 128;
        assert_true(set_holds(&rs, set, edge.bytes));
        for (unsigned bit = p->length; bit < edge.length; bit++)
            edge.bytes[bit / 8] |= (uint8_t)(0x80 >> bit % 8);
        assert_true(set_holds(&rs, set, edge.bytes));

        int byte = edge.length / 8 - 1;
        while (byte >= 0 && ++edge.bytes[byte] == 0)
            byte--;
        if (byte < 0)
            continue;
        bool other = false;
        for (size_t k = 0; k < egress_floor_count; k++)
            other = other || prefix_contains(&egress_floor[k], &edge);
        assert_int_equal(set_holds(&rs, set, edge.bytes), other);
    }
}

static void test_dispatch(void **state)
{
    _cleanup_ruleset_ struct ruleset rs = { 0 };
    build(&rs);
    static const char *const expected[] = {
        "meta skuid vmap @agents",
        "meta skuid != 65536-99999 accept",
        "meta skuid 65536-99999 goto strangers",
        "ct direction original ct mark vmap @flows",
        "ct direction original ct mark 0x61010000-0x6101869f goto strangers",
    };
    for (size_t i = 0; i < ARRAY_SIZE(expected); i++) {
        _cleanup_free_ char *text = rule_text(&rs.rules[i]);
        assert_string_equal(rs.rules[i].chain, "output");
        assert_string_equal(text, expected[i]);
    }
}

static void test_ranges(void **state)
{
    _cleanup_error_ struct error err = { 0 };
    struct ruleset rs = { 0 };
    expect_refused(ruleset_build_base(0, 10, &rs, &err), &err,
                   "UIDs 0-10: not a range within 1-16777215, which is what a packet's mark can hold");
    expect_refused(ruleset_build_base(11, 10, &rs, &err), &err,
                   "UIDs 11-10: not a range within 1-16777215, which is what a packet's mark can hold");
    expect_refused(
        ruleset_build_base(65536, 16777216, &rs, &err), &err,
        "UIDs 65536-16777216: not a range within 1-16777215, which is what a packet's mark can hold");
    assert_null(rs.rules);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_references),      cmocka_unit_test(test_chains_end),
        cmocka_unit_test(test_floor_intervals), cmocka_unit_test(test_dispatch),
        cmocka_unit_test(test_ranges),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
