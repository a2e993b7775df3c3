// The floor, what opens it, and the policy that a spec comes to.
#include "expect.h"

#include "plan/egress.h"

static struct endpoint parse(const char *text)
{
    _cleanup_error_ struct error err = { 0 };
    struct endpoint e = { 0 };
    expect_ok(endpoint_parse(text, &e, &err), &err);
    return e;
}

static bool in_floor(const char *text)
{
    struct endpoint e = parse(text);
    for (size_t i = 0; i < egress_floor_count; i++)
        if (prefix_contains(&egress_floor[i], &e.prefix))
            return true;
    return false;
}

static void test_floor_is_sorted_without_overlaps(void **state)
{
    for (size_t i = 1; i < egress_floor_count; i++) {
        assert_true(prefix_compare(&egress_floor[i - 1], &egress_floor[i]) < 0);
        assert_false(prefix_contains(&egress_floor[i - 1], &egress_floor[i]));
        assert_false(prefix_contains(&egress_floor[i], &egress_floor[i - 1]));
    }
}

static void test_floor_has_no_host_bits(void **state)
{
    for (size_t i = 0; i < egress_floor_count; i++) {
        const struct prefix *p = &egress_floor[i];
        assert_in_range(p->length, 1, p->family == FAMILY_IPV4 ? 32 : 128);
        for (unsigned bit = p->length; bit < 128; bit++)
            assert_int_equal(p->bytes[bit / 8] & 0x80 >> bit % 8, 0);
    }
}

static void test_floor_holds_what_must_stay_closed(void **state)
{
    static const char *const closed[] = {
        "0.0.0.0",
        "10.0.0.0/8",
        "10.255.255.255",
        "100.64.0.0/10",
        "100.100.100.200",
        "127.0.0.1",
        "127.255.255.255",
        "169.254.169.254",
        "172.16.0.1",
        "172.31.255.255",
        "192.168.1.1",
        "192.0.0.192",
        "198.18.0.1",
        "198.19.255.255",
        "224.0.0.1",
        "239.255.255.250",
        "240.0.0.1",
        "255.255.255.255",
        "[::]",
        "[::1]",
        "[64:ff9b::a00:1]",
        "[64:ff9b:1::1]",
        "[2001::1]",
        "[2002:a00:1::1]",
        "[fc00::1]",
        "[fd00:ec2::254]",
        "[fdff:ffff::1]",
        "[fe80::1]",
        "[febf::1]",
        "[fec0::1]",
        "[ff02::fb]",
    };
    for (size_t i = 0; i < ARRAY_SIZE(closed); i++)
        if (!in_floor(closed[i]))
            fail_msg("%s is not in the floor", closed[i]);
}

static void test_floor_leaves_the_rest_open(void **state)
{
    static const char *const open[] = {
        "1.1.1.1",         "9.255.255.255", "11.0.0.0",      "100.63.255.255",    "100.128.0.0",
        "126.255.255.255", "128.0.0.0",     "169.253.0.1",   "169.255.0.1",       "172.15.255.255",
        "172.32.0.0",      "192.0.1.0",     "192.167.255.1", "192.169.0.1",       "198.17.255.1",
        "198.20.0.1",      "223.255.255.1", "192.0.2.1",     "198.51.100.1",      "203.0.113.1",
        "[2001:db8::1]",   "[2001:1::1]",   "[2003::1]",     "[2606:4700::1111]", "[fbff::1]",
        "[64:ff9b:2::1]",
    };
    for (size_t i = 0; i < ARRAY_SIZE(open); i++)
        if (in_floor(open[i]))
            fail_msg("%s is in the floor", open[i]);
}

static void test_explicit(void **state)
{
    static const struct {
        const char *text;
        bool explicit;
    } cases[] = {
        { "10.0.0.5", true },         { "10.0.0.0/24:443", true },      { "10.0.0.0/8", true },
        { "198.51.100.1:443", true }, { "[2001:db8::1]:53/udp", true }, { "[fd00::]/64", true },
        { "[fe80::]/10", true },      { "0.0.0.0/0:22", false },        { "0.0.0.0/1", false },
        { "8.0.0.0/6", false },       { "198.51.100.0/24", false },     { "[::]/0", false },
        { "[2001:db8::]/32", false }, { "[fe00::]/9", false },          { "172.0.0.0/8", false },
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct endpoint e = parse(cases[i].text);
        if (egress_is_explicit(&e) != cases[i].explicit)
            fail_msg("%s: explicit is %d", cases[i].text, !cases[i].explicit);
    }
}

static const struct agent_names names = { .agent = (char[]){ "coder" }, .chain = (char[]){ "agent-coder" } };

static void test_policy_is_sorted_without_duplicates(void **state)
{
    _cleanup_error_ struct error err = { 0 };
    struct endpoint allow[] = { parse("[2001:db8::1]:443"),  parse("198.51.100.1:443"),
                                parse("10.0.0.0/8"),         parse("198.51.100.1:80"),
                                parse("198.51.100.1:443"),   parse("198.51.100.1:443/udp"),
                                parse("198.51.100.1:80,443") };
    struct spec spec = { .egress = EGRESS_LIST,
                         .loopback = LOOPBACK_HOST,
                         .allow = { .items = allow, .count = ARRAY_SIZE(allow) } };
    _cleanup_egress_ struct egress_policy p = { 0 };
    expect_ok(egress_policy_build(&names, &spec, 65536, &p, &err), &err);
    assert_string_equal(p.agent, "coder");
    assert_string_equal(p.chain, "agent-coder");
    assert_int_equal(p.uid, 65536);
    assert_int_equal(p.egress, EGRESS_LIST);
    assert_int_equal(p.loopback, LOOPBACK_HOST);
    assert_int_equal(p.slice_cgroup_id, 0);

    static const char *const expected[] = { "10.0.0.0/8",       "198.51.100.1:80",      "198.51.100.1:80,443",
                                            "198.51.100.1:443", "198.51.100.1:443/udp", "[2001:db8::1]:443" };
    assert_int_equal(p.allow.count, ARRAY_SIZE(expected));
    for (size_t i = 0; i < ARRAY_SIZE(expected); i++) {
        struct endpoint e = parse(expected[i]);
        assert_true(endpoint_equal(&p.allow.items[i], &e));
    }
}

static void test_policy_of_none_allows_nothing(void **state)
{
    _cleanup_error_ struct error err = { 0 };
    struct endpoint allow[] = { parse("198.51.100.1:443") };
    struct spec spec = { .egress = EGRESS_NONE, .allow = { .items = allow, .count = 1 } };
    _cleanup_egress_ struct egress_policy p = { 0 };
    expect_ok(egress_policy_build(&names, &spec, 65536, &p, &err), &err);
    assert_int_equal(p.allow.count, 0);
}

static void test_policy_clears_twice(void **state)
{
    _cleanup_error_ struct error err = { 0 };
    struct spec spec = { .egress = EGRESS_OPEN };
    struct egress_policy p = { 0 };
    expect_ok(egress_policy_build(&names, &spec, 65536, &p, &err), &err);
    egress_policy_clear(&p);
    assert_null(p.agent);
    egress_policy_clear(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_floor_is_sorted_without_overlaps),
        cmocka_unit_test(test_floor_has_no_host_bits),
        cmocka_unit_test(test_floor_holds_what_must_stay_closed),
        cmocka_unit_test(test_floor_leaves_the_rest_open),
        cmocka_unit_test(test_explicit),
        cmocka_unit_test(test_policy_is_sorted_without_duplicates),
        cmocka_unit_test(test_policy_of_none_allows_nothing),
        cmocka_unit_test(test_policy_clears_twice),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
