// Batches, read back: every message of the bytes is parsed by libnftnl and compared with what it was made
// from.
#include "policy.h"

#include <arpa/inet.h>
#include <libmnl/libmnl.h>
#include <libnftnl/chain.h>
#include <libnftnl/expr.h>
#include <libnftnl/rule.h>
#include <libnftnl/set.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>

#include "encode/ruleset.h"
#include "encode/ruleset_rule.h"
#include "sys/nft_compare.h"

#define FIRST 1000

struct fixture {
    struct egress_policy policy;
    struct ruleset base, agent;
    struct ruleset_batch *batch;
    const char *data;
    size_t size;
};

static int set_up(void **state)
{
    static struct fixture f;
    _cleanup_error_ struct error err = { 0 };
    f = (struct fixture){ .batch = ruleset_batch_new() };
    assert_non_null(f.batch);
    make_policy(&f.policy, EGRESS_PUBLIC, LOOPBACK_OWN, allow_every_kind);
    f.policy.slice_cgroup_id = 4711;
    expect_ok(ruleset_build_base(65536, 99999, &f.base, &err), &err);
    expect_ok(ruleset_build_agent(&f.policy, &f.agent, &err), &err);
    *state = &f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    ruleset_clear(&f->base);
    ruleset_clear(&f->agent);
    egress_policy_clear(&f->policy);
    (void)ruleset_batch_free(f->batch);
    return 0;
}

static void finish(struct fixture *f, uint32_t generation)
{
    _cleanup_error_ struct error err = { 0 };
    const void *data = NULL;
    expect_ok(ruleset_batch_finish(f->batch, FIRST, generation, &data, &f->size, &err), &err);
    f->data = data;
}

// The next message, or NULL after the last. Start with NULL.
static const struct nlmsghdr *next(const struct fixture *f, const struct nlmsghdr *m)
{
    const char *p = m ? (const char *)m + MNL_ALIGN(m->nlmsg_len) : f->data;
    if (p == f->data + f->size)
        return NULL;
    m = (const struct nlmsghdr *)p;
    assert_true(p + sizeof(*m) <= f->data + f->size && p + m->nlmsg_len <= f->data + f->size);
    return m;
}

static bool is_message(const struct nlmsghdr *m, int type)
{
    return m->nlmsg_type == (NFNL_SUBSYS_NFTABLES << 8 | type);
}

static size_t count_messages(const struct fixture *f, int type)
{
    size_t n = 0;
    for (const struct nlmsghdr *m = next(f, NULL); m; m = next(f, m))
        n += is_message(m, type);
    return n;
}

static void test_envelope(void **state)
{
    struct fixture *f = *state;
    ruleset_batch_add(f->batch, &f->base);
    ruleset_batch_add(f->batch, &f->agent);
    finish(f, 42);

    uint32_t sequence = FIRST;
    const struct nlmsghdr *last = NULL;
    for (const struct nlmsghdr *m = next(f, NULL); m; m = next(f, m)) {
        assert_int_equal(m->nlmsg_seq, sequence++);
        assert_true(m->nlmsg_flags & NLM_F_REQUEST);
        assert_int_equal(m->nlmsg_len % 4, 0);
        last = m;
    }
    const struct nlmsghdr *begin = next(f, NULL);
    const struct nfgenmsg *header = mnl_nlmsg_get_payload(begin);
    assert_int_equal(begin->nlmsg_type, NFNL_MSG_BATCH_BEGIN);
    assert_int_equal(ntohs(header->res_id), NFNL_SUBSYS_NFTABLES);
    const struct nlattr *generation = mnl_nlmsg_get_payload_offset(begin, sizeof(*header));
    assert_int_equal(mnl_attr_get_type(generation), NFNL_BATCH_GENID);
    assert_int_equal(ntohl(mnl_attr_get_u32(generation)), 42);
    assert_int_equal(last->nlmsg_type, NFNL_MSG_BATCH_END);
}

static void test_no_generation(void **state)
{
    struct fixture *f = *state;
    finish(f, 0);
    assert_int_equal(next(f, NULL)->nlmsg_len, MNL_NLMSG_HDRLEN + sizeof(struct nfgenmsg));
    assert_int_equal(next(f, next(f, NULL))->nlmsg_type, NFNL_MSG_BATCH_END);
}

// A batch that the kernel found stale is built anew; one that is sent twice has other numbers.
static void test_finished_twice(void **state)
{
    struct fixture *f = *state;
    _cleanup_error_ struct error err = { 0 };
    const void *data = NULL;
    ruleset_batch_add(f->batch, &f->base);
    finish(f, 42);
    size_t size = f->size;
    expect_ok(ruleset_batch_finish(f->batch, 2000, 43, &data, &f->size, &err), &err);
    f->data = data;
    assert_int_equal(f->size, size);
    assert_int_equal(next(f, NULL)->nlmsg_seq, 2000);
    assert_string_equal(ruleset_batch_describe(f->batch, 2001), "table inet agentctl");
}

// libnftnl writes the names in an objref without a NUL, for which its own parser waits unless padding
// follows.
static bool is_unreadable(const struct rule *rule)
{
    for (size_t i = 0; i < rule->count; i++)
        if ((rule->statements[i].kind == COUNTER || rule->statements[i].kind == COUNTER_MAP) &&
            strlen(rule->statements[i].name) % 4 == 0)
            return true;
    return false;
}

static bool is_rule_of(const struct nlmsghdr *m, const char *chain)
{
    struct nftnl_rule *r = nftnl_rule_alloc();
    assert_int_equal(nftnl_rule_nlmsg_parse(m, r), 0);
    assert_string_equal(nftnl_rule_get_str(r, NFTNL_RULE_TABLE), "agentctl");
    assert_int_equal(nftnl_rule_get_u32(r, NFTNL_RULE_FAMILY), NFPROTO_INET);
    bool is = str_equal(nftnl_rule_get_str(r, NFTNL_RULE_CHAIN), chain);
    nftnl_rule_free(r);
    return is;
}

// Returns how many rules had to be taken on trust.
static size_t read_back_rules(const struct fixture *f, const struct ruleset *rs)
{
    size_t trusted = 0;
    for (size_t i = 0; i < rs->chain_count; i++) {
        struct rule_comparison c = { .wanted = rs->rules,
                                     .end = rs->rules + rs->rule_count,
                                     .chain = rs->chains[i].name };
        for (const struct nlmsghdr *m = next(f, NULL); m; m = next(f, m)) {
            if (!is_message(m, NFT_MSG_NEWRULE) || !is_rule_of(m, c.chain))
                continue;
            while (!str_equal(c.wanted->chain, c.chain))
                c.wanted++;
            if (is_unreadable(c.wanted)) {
                c.wanted++;
                trusted++;
            } else {
                assert_int_equal(each_rule_compare(m, &c), MNL_CB_OK);
            }
        }
        assert_true(rule_comparison_finish(&c));
    }
    return trusted;
}

static void test_rules_read_back(void **state)
{
    struct fixture *f = *state;
    ruleset_batch_add(f->batch, &f->base);
    ruleset_batch_add(f->batch, &f->agent);
    finish(f, 0);
    assert_int_equal(count_messages(f, NFT_MSG_NEWRULE), f->base.rule_count + f->agent.rule_count);
    assert_int_equal(read_back_rules(f, &f->base), 1); // "refusals"
    assert_int_equal(read_back_rules(f, &f->agent), 0);
}

static void test_chains_read_back(void **state)
{
    struct fixture *f = *state;
    ruleset_batch_add(f->batch, &f->base);
    finish(f, 0);
    size_t i = 0;
    for (const struct nlmsghdr *m = next(f, NULL); m; m = next(f, m))
        if (is_message(m, NFT_MSG_NEWCHAIN)) {
            struct chain_comparison c = { .wanted = &f->base.chains[i++] };
            assert_int_equal(each_chain_compare(m, &c), MNL_CB_OK);
            assert_true(c.same);
        }
    assert_int_equal(i, f->base.chain_count);

    struct chain input = { .name = "output", .hook = HOOK_INPUT };
    struct chain_comparison c = { .wanted = &input };
    for (const struct nlmsghdr *m = next(f, NULL); m; m = next(f, m))
        if (is_message(m, NFT_MSG_NEWCHAIN)) { // the first is the output chain
            assert_int_equal(each_chain_compare(m, &c), MNL_CB_OK);
            break;
        }
    assert_false(c.same);
}

static void test_sets_read_back(void **state)
{
    struct fixture *f = *state;
    ruleset_batch_add(f->batch, &f->base);
    finish(f, 0);
    size_t i = 0;
    for (const struct nlmsghdr *m = next(f, NULL); m; m = next(f, m))
        if (is_message(m, NFT_MSG_NEWSET)) {
            struct set_comparison c = { .wanted = &f->base.sets[i++] };
            assert_int_equal(each_set_compare(m, &c), MNL_CB_OK);
            assert_true(c.same);
        }
    assert_int_equal(i, f->base.set_count);
}

// libnftnl numbers elements in the bytes it writes; the kernel's answers, which its parser is made for, do
// not.
static void unnumber_elements(const struct nlmsghdr *m)
{
    struct nlattr *list, *element;
    mnl_attr_for_each(list, m, sizeof(struct nfgenmsg))
    {
        if (mnl_attr_get_type(list) != NFTA_SET_ELEM_LIST_ELEMENTS)
            continue;
        mnl_attr_for_each_nested(element, list)
        {
            element->nla_type = NLA_F_NESTED | NFTA_LIST_ELEM;
        }
    }
}

static void read_back_elements(const struct fixture *f, const struct ruleset *rs, int type)
{
    size_t seen = 0;
    for (const struct nlmsghdr *m = next(f, NULL); m; m = next(f, m)) {
        struct nftnl_set *s = nftnl_set_alloc();
        if (is_message(m, type))
            unnumber_elements(m);
        if (is_message(m, type) && nftnl_set_elems_nlmsg_parse(m, s) == 0) {
            struct element_comparison c = { .wanted = rs->elements };
            while (!str_equal(c.wanted->set, nftnl_set_get_str(s, NFTNL_SET_NAME)))
                c.wanted++;
            while (c.wanted + c.count < rs->elements + rs->element_count &&
                   str_equal(c.wanted[c.count].set, c.wanted->set))
                c.count++;
            assert_int_equal(each_element_compare(m, &c), MNL_CB_OK);
            assert_false(c.different);
            seen += c.seen;
        }
        nftnl_set_free(s);
    }
    assert_int_equal(seen, rs->element_count);
}

static void test_elements_read_back(void **state)
{
    struct fixture *f = *state;
    ruleset_batch_add(f->batch, &f->agent);
    finish(f, 0);
    read_back_elements(f, &f->agent, NFT_MSG_NEWSETELEM);
}

static void test_fixed_elements_read_back(void **state)
{
    struct fixture *f = *state;
    ruleset_batch_add(f->batch, &f->base);
    finish(f, 0);
    read_back_elements(f, &f->base, NFT_MSG_NEWSETELEM);
}

static void test_removal(void **state)
{
    struct fixture *f = *state;
    ruleset_batch_remove(f->batch, &f->agent);
    finish(f, 0);
    read_back_elements(f, &f->agent, NFT_MSG_DELSETELEM);
    assert_int_equal(count_messages(f, NFT_MSG_DELRULE), 1);
    assert_int_equal(count_messages(f, NFT_MSG_DELCHAIN), 1);
    assert_int_equal(count_messages(f, NFT_MSG_DELOBJ), 2);
    assert_int_equal(count_messages(f, NFT_MSG_DELTABLE), 0);
}

static void test_removal_of_all(void **state)
{
    struct fixture *f = *state;
    ruleset_batch_remove_table(f->batch);
    finish(f, 0);
    assert_int_equal(count_messages(f, NFT_MSG_DELTABLE), 1);
    assert_string_equal(ruleset_batch_describe(f->batch, FIRST + 1), "table inet agentctl");
}

static void test_descriptions(void **state)
{
    struct fixture *f = *state;
    ruleset_batch_add(f->batch, &f->agent);
    finish(f, 0);
    static const char *const expected[] = {
        "the batch as a whole",
        "table inet agentctl",
        "counter accepted-coder",
        "counter refused-coder",
        "chain agent-coder",
        "emptying of chain agent-coder",
        "rule 'ct direction reply goto replies' in chain agent-coder",
        "rule 'ct mark set 0x61010000' in chain agent-coder",
    };
    for (uint32_t i = 0; i < ARRAY_SIZE(expected); i++)
        assert_string_equal(ruleset_batch_describe(f->batch, FIRST + i), expected[i]);

    // every message has one, and the end and what is beyond it none
    uint32_t sequence = FIRST;
    for (const struct nlmsghdr *m = next(f, NULL); m; m = next(f, m))
        sequence = m->nlmsg_seq;
    assert_string_equal(ruleset_batch_describe(f->batch, sequence - 1), "elements of set slices");
    assert_string_equal(ruleset_batch_describe(f->batch, sequence), "the batch as a whole");
    assert_string_equal(ruleset_batch_describe(f->batch, 1), "the batch as a whole");
}

// One changed word of the model is a difference for the comparison that the kernel's answer goes through.
static void test_comparison_sees_every_statement(void **state)
{
    struct fixture *f = *state;
    ruleset_batch_add(f->batch, &f->agent);
    finish(f, 0);
    size_t compared = 0, i = 0;
    for (const struct nlmsghdr *m = next(f, NULL); m; m = next(f, m)) {
        if (!is_message(m, NFT_MSG_NEWRULE))
            continue;
        const struct rule *original = &f->agent.rules[i++];
        for (size_t k = 0; k < original->count; k++) {
            struct rule fewer = *original;
            memmove(&fewer.statements[k], &fewer.statements[k + 1],
                    (RULE_STATEMENTS_MAX - k - 1) * sizeof(*fewer.statements));
            fewer.count--;
            struct rule_comparison c = { .wanted = &fewer, .end = &fewer + 1, .chain = "agent-coder" };
            assert_int_equal(each_rule_compare(m, &c), MNL_CB_OK);
            assert_false(rule_comparison_finish(&c));
            compared++;
        }
    }
    assert_int_equal(i, f->agent.rule_count);
    assert_true(compared > 50);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(test_envelope),
        TEST(test_no_generation),
        TEST(test_finished_twice),
        TEST(test_rules_read_back),
        TEST(test_chains_read_back),
        TEST(test_sets_read_back),
        TEST(test_elements_read_back),
        TEST(test_fixed_elements_read_back),
        TEST(test_removal),
        TEST(test_removal_of_all),
        TEST(test_descriptions),
        TEST(test_comparison_sees_every_statement),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
