// An agent's rules: what must hold for every policy, whatever the order and number of rules.
#include "policy.h"

#include "encode/ruleset_rule.h"

static const struct statement *find(const struct rule *rule, enum statement_kind kind)
{
    for (size_t i = 0; i < rule->count; i++)
        if (rule->statements[i].kind == kind)
            return &rule->statements[i];
    return NULL;
}

static void build(enum egress egress, enum loopback loopback, const char *const *allow, struct ruleset *ret)
{
    _cleanup_error_ struct error err = { 0 };
    _cleanup_egress_ struct egress_policy p = { 0 };
    make_policy(&p, egress, loopback, allow);
    expect_ok(ruleset_build_agent(&p, ret, &err), &err);
}

// Whether the address that the rule names opens the floor on purpose.
static bool is_explicit(const struct rule *rule)
{
    const struct statement *address = find(rule, ADDRESS);
    struct endpoint e = { 0 };
    if (!address)
        return false;
    e.prefix = address->prefix;
    return egress_is_explicit(&e);
}

static void check_accepting_rule(const struct rule *rule)
{
    const struct statement *ports = find(rule, PORT);
    assert_int_equal(rule->statements[rule->count - 1].kind, ACCEPT);
    assert_true(find(rule, ADDRESS) || find(rule, ADDRESS_NOT_IN));
    // TCP and UDP only
    assert_true(find(rule, PROTOCOL) || find(rule, PROTOCOL_IN) || find(rule, PORT_IN) ||
                (ports && ports->protocols != PROTOCOL_ANY));
    if (!is_explicit(rule)) {
        assert_non_null(find(rule, ADDRESS_NOT_IN));
        assert_non_null(find(rule, FIB_NOT_IN));
    }
    // what stays on this host is not counted as egress
    assert_true(find(rule, COUNTER) || find(rule, OUT_LOOPBACK));
}

static void check_every_policy(void (*check)(const struct ruleset *rs, enum egress egress,
                                             enum loopback loopback))
{
    for (int egress = 0; egress < EGRESS_COUNT; egress++)
        for (int loopback = 0; loopback < LOOPBACK_COUNT; loopback++)
            for (int allow = 0; allow < 2; allow++) {
                _cleanup_ruleset_ struct ruleset rs = { 0 };
                build((enum egress)egress, (enum loopback)loopback, allow ? allow_every_kind : allow_nothing,
                      &rs);
                check(&rs, (enum egress)egress, (enum loopback)loopback);
            }
}

static void check_closed(const struct ruleset *rs, enum egress egress, enum loopback loopback)
{
    assert_true(rs->rule_count >= 6);
    const struct rule *last = &rs->rules[rs->rule_count - 1];
    assert_int_equal(last->count, 1);
    assert_int_equal(last->statements[0].kind, GOTO);
    assert_string_equal(last->statements[0].name, CHAIN_UNREACHABLE);
    // above the floor a reset tells it in both families, unless the unit's own filter would drop that
    bool resets = egress == EGRESS_PUBLIC || egress == EGRESS_OPEN;
    for (size_t i = rs->rule_count - 3; resets && i < rs->rule_count - 1; i++)
        assert_string_equal(find(&rs->rules[i], GOTO)->name, CHAIN_REFUSE);
    size_t counted = rs->rule_count - (resets ? 4 : 2);
    assert_non_null(find(&rs->rules[counted], COUNTER));
    // the limit must not decide about anything but the log
    const struct rule *log = &rs->rules[counted - 1];
    assert_int_equal(log->count, 2);
    assert_non_null(find(log, LIMIT));
    assert_non_null(find(log, LOG));
    for (size_t i = 0; i < rs->rule_count; i++) {
        assert_string_equal(rs->rules[i].chain, "agent-coder");
        if (find(&rs->rules[i], ACCEPT))
            check_accepting_rule(&rs->rules[i]);
    }
}

static void test_every_policy_is_closed_at_the_end(void **state)
{
    check_every_policy(check_closed);
}

static void check_identity(const struct ruleset *rs, enum egress egress, enum loopback loopback)
{
    // answers first: a connection that others opened never gets the agent's mark
    assert_non_null(find(&rs->rules[0], CT_REPLY));
    assert_string_equal(find(&rs->rules[0], GOTO)->name,
                        loopback == LOOPBACK_NONE ? CHAIN_INBOUND : CHAIN_REPLIES);
    assert_int_equal(find(&rs->rules[1], CT_MARK_SET)->first, 0x61010000);
    assert_int_equal(rs->rules[1].count, 1);
    assert_non_null(find(&rs->rules[2], OUT_LOOPBACK));
    assert_int_equal(find(&rs->rules[2], MARK_SET)->first, 0x62010000);
}

static void test_every_policy_marks_first(void **state)
{
    check_every_policy(check_identity);
}

static void check_loopback(const struct ruleset *rs, enum egress egress, enum loopback loopback)
{
    size_t accepting = 0;
    for (size_t i = 3; i < rs->rule_count; i++) {
        const struct statement *mark = find(&rs->rules[i], MARK_SET);
        if (!mark)
            continue;
        accepting++;
        assert_non_null(find(&rs->rules[i], OUT_LOOPBACK));
        assert_non_null(find(&rs->rules[i], FIB_LOCAL));
        assert_int_equal(mark->first, loopback == LOOPBACK_HOST ? 0x62010000 : 0x61010000);
    }
    assert_int_equal(accepting, loopback == LOOPBACK_NONE ? 0 : 2);
}

static void test_loopback(void **state)
{
    check_every_policy(check_loopback);
}

static void check_none(const struct ruleset *rs, enum egress egress, enum loopback loopback)
{
    for (size_t i = 0; egress == EGRESS_NONE && i < rs->rule_count; i++)
        assert_true(!find(&rs->rules[i], ACCEPT) || find(&rs->rules[i], OUT_LOOPBACK));
}

static void test_none_accepts_nothing_but_loopback(void **state)
{
    check_every_policy(check_none);
}

// Even where the policy was not built by egress_policy_build().
static void test_none_ignores_a_list(void **state)
{
    _cleanup_error_ struct error err = { 0 };
    _cleanup_egress_ struct egress_policy p = { 0 };
    _cleanup_ruleset_ struct ruleset rs = { 0 };
    make_policy(&p, EGRESS_LIST, LOOPBACK_NONE, allow_every_kind);
    p.egress = EGRESS_NONE;
    expect_ok(ruleset_build_agent(&p, &rs, &err), &err);
    check_none(&rs, EGRESS_NONE, LOOPBACK_NONE);
}

static void test_a_host_prefix_does_not_open_own_addresses(void **state)
{
    static const char *const allow[] = { "10.1.0.0/16", NULL };
    _cleanup_ruleset_ struct ruleset rs = { 0 };
    build(EGRESS_LIST, LOOPBACK_NONE, allow, &rs);
    assert_non_null(find(&rs.rules[3], FIB_NOT_IN));
    assert_null(find(&rs.rules[3], ADDRESS_NOT_IN));
}

static void test_a_single_address_opens_everything(void **state)
{
    static const char *const allow[] = { "203.0.113.5:443", NULL };
    _cleanup_ruleset_ struct ruleset rs = { 0 };
    build(EGRESS_LIST, LOOPBACK_NONE, allow, &rs);
    assert_null(find(&rs.rules[3], FIB_NOT_IN));
    assert_null(find(&rs.rules[3], ADDRESS_NOT_IN));
    assert_int_equal(find(&rs.rules[3], PORT)->first, 443);
}

static void test_elements_without_a_slice(void **state)
{
    _cleanup_ruleset_ struct ruleset rs = { 0 };
    build(EGRESS_OPEN, LOOPBACK_OWN, allow_nothing, &rs);
    const uint32_t uid = 65536, own = 0x61010000, host = 0x62010000;
    assert_int_equal(rs.element_count, 4);
    assert_string_equal(rs.elements[0].set, SET_AGENTS);
    assert_string_equal(rs.elements[0].chain, "agent-coder");
    assert_memory_equal(rs.elements[0].key, &uid, sizeof(uid));
    assert_string_equal(rs.elements[1].set, SET_FLOWS);
    assert_string_equal(rs.elements[1].chain, "agent-coder");
    assert_memory_equal(rs.elements[1].key, &own, sizeof(own));
    assert_string_equal(rs.elements[2].set, SET_REFUSALS);
    assert_string_equal(rs.elements[2].counter, "refused-coder");
    assert_memory_equal(rs.elements[2].key, &own, sizeof(own));
    assert_memory_equal(rs.elements[3].key, &host, sizeof(host));
}

static void test_elements_with_a_slice(void **state)
{
    _cleanup_error_ struct error err = { 0 };
    _cleanup_egress_ struct egress_policy p = { 0 };
    _cleanup_ruleset_ struct ruleset rs = { 0 };
    make_policy(&p, EGRESS_OPEN, LOOPBACK_OWN, allow_nothing);
    p.slice_cgroup_id = UINT64_C(0x123456789a);
    expect_ok(ruleset_build_agent(&p, &rs, &err), &err);
    assert_int_equal(rs.element_count, 7);
    for (size_t i = 4; i < 6; i++) {
        assert_string_equal(rs.elements[i].set, SET_SERVERS);
        assert_int_equal(rs.elements[i].key_size, 12);
        assert_memory_equal(rs.elements[i].key + 4, &p.slice_cgroup_id, 8);
    }
    assert_string_equal(rs.elements[6].set, SET_SLICES);
    assert_memory_equal(rs.elements[6].key, &p.slice_cgroup_id, 8);
}

static void test_uid_that_no_mark_holds(void **state)
{
    _cleanup_error_ struct error err = { 0 };
    _cleanup_egress_ struct egress_policy p = { 0 };
    struct ruleset rs = { 0 };
    make_policy(&p, EGRESS_OPEN, LOOPBACK_OWN, allow_nothing);
    p.uid = 0;
    expect_refused(ruleset_build_agent(&p, &rs, &err), &err,
                   "UID 0: not within 1-16777215, which is what a packet's mark can hold");
    p.uid = UINT32_C(1) << 24;
    expect_refused(ruleset_build_agent(&p, &rs, &err), &err,
                   "UID 16777216: not within 1-16777215, which is what a packet's mark can hold");
    assert_null(rs.rules);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_policy_is_closed_at_the_end),
        cmocka_unit_test(test_every_policy_marks_first),
        cmocka_unit_test(test_loopback),
        cmocka_unit_test(test_none_accepts_nothing_but_loopback),
        cmocka_unit_test(test_none_ignores_a_list),
        cmocka_unit_test(test_a_host_prefix_does_not_open_own_addresses),
        cmocka_unit_test(test_a_single_address_opens_everything),
        cmocka_unit_test(test_elements_without_a_slice),
        cmocka_unit_test(test_elements_with_a_slice),
        cmocka_unit_test(test_uid_that_no_mark_holds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
