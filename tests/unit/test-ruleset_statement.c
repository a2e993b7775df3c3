// The table of statements: every row has a text and expressions, which survive netlink.
#include "expect.h"

#include <libmnl/libmnl.h>
#include <stdio.h>
#include <libnftnl/expr.h>
#include <libnftnl/rule.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>

#include "encode/ruleset_rule.h"
#include "sys/nft_compare.h"

static struct statement example(enum statement_kind kind)
{
    return (struct statement){
        .kind = kind,
        .first = 1000,
        .last = 2000,
        .name = "a-name", // libnftnl reads back no objref whose name needs no padding
        .protocols = PROTOCOL_UDP,
        .prefix = { .family = FAMILY_IPV6, .bytes = { 0x20, 0x01, 0x0d, 0xb8 }, .length = 32 }
    };
}

static bool read_back_as(const struct rule *rule, const struct rule *expected)
{
    static char buffer[8192];
    struct nftnl_rule *r = rule_object(rule);
    assert_non_null(r);
    memset(buffer, 0, sizeof(buffer));
    struct nlmsghdr *m = nftnl_nlmsg_build_hdr(buffer, NFT_MSG_NEWRULE, NFPROTO_INET, 0, 1);
    nftnl_rule_nlmsg_build_payload(m, r);
    nftnl_rule_free(r);
    struct rule_comparison c = { .wanted = expected, .end = expected + 1, .chain = "chain" };
    assert_int_equal(each_rule_compare(m, &c), MNL_CB_OK);
    return rule_comparison_finish(&c);
}

static void test_every_row(void **state)
{
    for (int kind = 0; kind < STATEMENT_COUNT; kind++) {
        struct rule rule = { .chain = "chain", .count = 1 };
        rule.statements[0] = example((enum statement_kind)kind);
        _cleanup_free_ char *text = rule_text(&rule);
        assert_non_null(text);
        assert_true(strlen(text) > 0);
        assert_null(strchr(text, '%'));
        if (!read_back_as(&rule, &rule))
            fail_msg("%s is not read back as it was written", text);
    }
}

// No two rows come to the same text or the same expressions.
static void test_rows_differ(void **state)
{
    for (int a = 0; a < STATEMENT_COUNT; a++)
        for (int b = 0; b < STATEMENT_COUNT; b++) {
            struct rule x = { .chain = "chain", .count = 1 }, y = x;
            x.statements[0] = example((enum statement_kind)a);
            y.statements[0] = example((enum statement_kind)b);
            _cleanup_free_ char *text_x = rule_text(&x), *text_y = rule_text(&y);
            assert_int_equal(str_equal(text_x, text_y), a == b);
            assert_int_equal(read_back_as(&x, &y), a == b);
        }
}

static void expect_text(struct statement s, const char *expected)
{
    struct rule rule = { .chain = "chain", .count = 1 };
    rule.statements[0] = s;
    _cleanup_free_ char *text = rule_text(&rule);
    assert_string_equal(text, expected);
}

static void test_texts(void **state)
{
    expect_text((struct statement){ .kind = PORT, .protocols = PROTOCOL_TCP, .first = 80, .last = 80 },
                "tcp dport 80");
    expect_text((struct statement){ .kind = PORT, .protocols = PROTOCOL_UDP, .first = 80, .last = 81 },
                "udp dport 80-81");
    expect_text((struct statement){ .kind = PORT, .protocols = PROTOCOL_ANY, .first = 53, .last = 53 },
                "th dport 53");
    expect_text((struct statement){ .kind = MARK_SET, .first = 0x61010000 }, "meta mark set 0x61010000");
    expect_text((struct statement){ .kind = LOG, .name = "agentctl coder refused: " },
                "log prefix \"agentctl coder refused: \" flags skuid");
    expect_text((struct statement){ .kind = LIMIT, .first = 10, .last = 20 },
                "limit rate 10/minute burst 20 packets");
}

// A prefix of any length is one that the kernel compares as it should: a bit more or less is another.
static void test_prefix_lengths(void **state)
{
    for (int family = 0; family < FAMILY_COUNT; family++) {
        uint8_t bits = family == FAMILY_IPV4 ? 32 : 128;
        for (uint8_t length = 1; length < bits; length++) {
            struct rule rule = { .chain = "chain", .count = 1 }, longer = rule;
            rule.statements[0] =
                (struct statement){ .kind = ADDRESS,
                                    .prefix = { .family = (enum address_family)family, .length = length } };
            longer.statements[0] = rule.statements[0];
            longer.statements[0].prefix.length++;
            assert_true(read_back_as(&rule, &rule));
            assert_false(read_back_as(&rule, &longer));
        }
    }
}

static const void *bytes_of(struct nftnl_expr *x, uint16_t attribute, uint32_t expected_size)
{
    uint32_t size = 0;
    const void *data = nftnl_expr_get(x, attribute, &size);
    assert_non_null(data);
    assert_int_equal(size, expected_size);
    return data;
}

// The kernel computes (address & mask) ^ xor and compares: the bytes, without any help of ours.
static void test_prefix_within_a_byte(void **state)
{
    static const uint8_t mask[16] = { 0xff, 0xff, 0xff, 0xff, 0x80 }, zero[16];
    struct rule rule = { .chain = "chain", .count = 1 };
    rule.statements[0] = example(ADDRESS);
    rule.statements[0].prefix.length = 33;
    struct nftnl_rule *r = rule_object(&rule);
    struct nftnl_expr_iter *i = nftnl_expr_iter_create(r);
    static const char *const names[] = { "meta", "cmp", "payload", "bitwise", "cmp" };
    for (size_t k = 0; k < ARRAY_SIZE(names); k++) {
        struct nftnl_expr *x = nftnl_expr_iter_next(i);
        assert_string_equal(nftnl_expr_get_str(x, NFTNL_EXPR_NAME), names[k]);
        if (k == 3) {
            assert_memory_equal(bytes_of(x, NFTNL_EXPR_BITWISE_MASK, 16), mask, 16);
            assert_memory_equal(bytes_of(x, NFTNL_EXPR_BITWISE_XOR, 16), zero, 16);
        } else if (k == 4) {
            assert_memory_equal(bytes_of(x, NFTNL_EXPR_CMP_DATA, 16), rule.statements[0].prefix.bytes, 16);
        }
    }
    assert_null(nftnl_expr_iter_next(i));
    nftnl_expr_iter_destroy(i);
    nftnl_rule_free(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_row),
        cmocka_unit_test(test_rows_differ),
        cmocka_unit_test(test_texts),
        cmocka_unit_test(test_prefix_lengths),
        cmocka_unit_test(test_prefix_within_a_byte),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
