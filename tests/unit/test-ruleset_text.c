// The goldens of rules: tests/golden/nft/EGRESS-LOOPBACK[-allow].nft is an agent's chain for each
// combination. With AGENTCTL_GOLDEN_UPDATE=1 they are written instead: review them.
#include "policy.h"

#include <stdio.h>

#include "base/text.h"
#include "encode/ruleset.h"
#include "encode/ruleset_rule.h"

static char *golden_path(enum egress egress, enum loopback loopback, bool allow)
{
    const char *root = getenv("SOURCE_ROOT");
    assert_non_null(root);
    _cleanup_text_ struct text t = { 0 };
    text_addf(&t, "%s/tests/golden/nft/%s-%s%s.nft", root, egress_name(egress), loopback_name(loopback),
              allow ? "-allow" : "");
    char *path = text_take(&t);
    assert_non_null(path);
    return path;
}

static void expect_file(const char *path, const char *text)
{
    const char *update = getenv("AGENTCTL_GOLDEN_UPDATE");
    bool writing = str_equal(update, "1");
    char golden[16384];
    _cleanup_fclose_ FILE *f = fopen(path, writing ? "we" : "re");
    if (!f)
        fail_msg("%s: no such golden", path);
    if (writing) {
        assert_true(fputs(text, f) >= 0);
        return;
    }
    size_t n = fread(golden, 1, sizeof(golden) - 1, f);
    golden[n] = '\0';
    assert_string_equal(golden, text);
}

static void test_goldens(void **state)
{
    for (int egress = 0; egress < EGRESS_COUNT; egress++)
        for (int loopback = 0; loopback < LOOPBACK_COUNT; loopback++)
            for (int allow = 0; allow < 2; allow++) {
                _cleanup_egress_ struct egress_policy p = { 0 };
                make_policy(&p, (enum egress)egress, (enum loopback)loopback,
                            allow ? allow_every_kind : allow_nothing);
                _cleanup_free_ char *text = ruleset_agent_text(&p);
                assert_non_null(text);
                _cleanup_free_ char *path = golden_path(p.egress, p.loopback, allow);
                expect_file(path, text);
            }
}

// What an Allow= comes to, rule by rule.
static void expect_allow(const char *allow, const char *const *expected)
{
    const char *const list[] = { allow, NULL };
    _cleanup_error_ struct error err = { 0 };
    _cleanup_egress_ struct egress_policy p = { 0 };
    _cleanup_ruleset_ struct ruleset rs = { 0 };
    make_policy(&p, EGRESS_LIST, LOOPBACK_NONE, list);
    expect_ok(ruleset_build_agent(&p, &rs, &err), &err);
    size_t i = 3;
    for (; *expected; expected++, i++) {
        _cleanup_free_ char *text = rule_text(&rs.rules[i]);
        assert_non_null(text);
        assert_string_equal(text, *expected);
    }
    assert_int_equal(rs.rules[i].statements[0].kind, LIMIT);
}

#define EXPECT_ALLOW(allow, ...) expect_allow(allow, (const char *const[]){ __VA_ARGS__, NULL })
#define COUNTED " counter name \"accepted-coder\" accept"
#define ABOVE4 " ip daddr != @floor4 fib daddr type != @own_addresses" COUNTED
#define ABOVE6 " ip6 daddr != @floor6 fib daddr type != @own_addresses" COUNTED

static void test_allow(void **state)
{
    EXPECT_ALLOW("198.51.100.1", "ip daddr 198.51.100.1 meta l4proto @transports" COUNTED);
    EXPECT_ALLOW("198.51.100.1/tcp", "ip daddr 198.51.100.1 meta l4proto tcp" COUNTED);
    EXPECT_ALLOW("198.51.100.1:443", "ip daddr 198.51.100.1 tcp dport 443" COUNTED);
    EXPECT_ALLOW("198.51.100.1:443/udp", "ip daddr 198.51.100.1 udp dport 443" COUNTED);
    EXPECT_ALLOW("198.51.100.1:80,443,8000-8010", "ip daddr 198.51.100.1 tcp dport 80" COUNTED,
                 "ip daddr 198.51.100.1 tcp dport 443" COUNTED,
                 "ip daddr 198.51.100.1 tcp dport 8000-8010" COUNTED);
    EXPECT_ALLOW("198.51.100.0/24:443", "ip daddr 198.51.100.0/24 tcp dport 443" ABOVE4);
    EXPECT_ALLOW("[2001:db8::]/33:443", "ip6 daddr 2001:db8::/33 tcp dport 443" ABOVE6);
    EXPECT_ALLOW("10.0.0.0/9:443",
                 "ip daddr 10.0.0.0/9 tcp dport 443 fib daddr type != @own_addresses" COUNTED);
    EXPECT_ALLOW("0.0.0.0/0:443",
                 "ip daddr != @floor4 tcp dport 443 fib daddr type != @own_addresses" COUNTED);
    EXPECT_ALLOW("[::]/0",
                 "ip6 daddr != @floor6 meta l4proto @transports fib daddr type != @own_addresses" COUNTED);
    EXPECT_ALLOW("127.0.0.1:5432", "ip daddr 127.0.0.1 tcp dport 5432 fib daddr type local" COUNTED);
    EXPECT_ALLOW("[::1]:5432", "ip6 daddr ::1 tcp dport 5432 fib daddr type local" COUNTED);
}

// Both protocols with ports is what no spec can say in one entry, but a policy can.
static void test_both_protocols_with_ports(void **state)
{
    _cleanup_error_ struct error err = { 0 };
    _cleanup_egress_ struct egress_policy p = { 0 };
    _cleanup_ruleset_ struct ruleset rs = { 0 };
    make_policy(&p, EGRESS_LIST, LOOPBACK_NONE, (const char *const[]){ "10.0.0.5:53", NULL });
    p.allow.items[0].protocols = PROTOCOL_ANY;
    expect_ok(ruleset_build_agent(&p, &rs, &err), &err);
    _cleanup_free_ char *text = rule_text(&rs.rules[3]);
    assert_string_equal(text, "ip daddr 10.0.0.5 meta l4proto @transports th dport 53" COUNTED);
}

static void test_no_text_without_a_ruleset(void **state)
{
    _cleanup_egress_ struct egress_policy p = { 0 };
    make_policy(&p, EGRESS_LIST, LOOPBACK_NONE, allow_nothing);
    p.uid = 0;
    assert_null(ruleset_agent_text(&p));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_goldens),
        cmocka_unit_test(test_allow),
        cmocka_unit_test(test_both_protocols_with_ports),
        cmocka_unit_test(test_no_text_without_a_ruleset),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
