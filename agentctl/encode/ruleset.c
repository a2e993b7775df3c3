// Batches: rulesets as the netlink messages of one transaction. Opens no socket.
#include "encode/ruleset.h"

#include <arpa/inet.h>
#include <libmnl/libmnl.h>
#include <libnftnl/chain.h>
#include <libnftnl/common.h>
#include <libnftnl/object.h>
#include <libnftnl/rule.h>
#include <libnftnl/set.h>
#include <libnftnl/table.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <stdlib.h>
#include <string.h>

#include "encode/ruleset_rule.h"

#define MESSAGE_MAX 65536 // far above any single message of ours

struct ruleset_batch {
    struct text messages;
    struct strv descriptions; // one a message
    struct text finished;
    uint32_t first_sequence;
    uint32_t sets;       // set ids given out
    size_t message_size; // of the last one
    char message[MESSAGE_MAX];
    bool failed;
};

struct ruleset_batch *ruleset_batch_new(void)
{
    return calloc(1, sizeof(struct ruleset_batch));
}

struct ruleset_batch *ruleset_batch_free(struct ruleset_batch *b)
{
    if (b) {
        text_clear(&b->messages);
        text_clear(&b->finished);
        strv_clear(&b->descriptions);
    }
    free(b);
    return NULL;
}

// libmnl leaves padding as it is: without zeros the same ruleset would give other bytes each time.
static struct nlmsghdr *message_begin(struct ruleset_batch *b, uint16_t type, uint16_t flags)
{
    memset(b->message, 0, MNL_ALIGN(b->message_size));
    return nftnl_nlmsg_build_hdr(b->message, type, NFPROTO_INET, flags, 0);
}

// Takes the message just built; description is owned.
static void message_end(struct ruleset_batch *b, const struct nlmsghdr *message, char *description)
{
    b->message_size = message->nlmsg_len;
    text_add_n(&b->messages, (const char *)message, message->nlmsg_len);
    if (strv_take(&b->descriptions, description) < 0)
        b->failed = true;
}

static char *describe(const char *format, const char *name)
{
    struct text t = { 0 };
    text_addf(&t, "%s %s", format, name);
    return text_take(&t);
}

static void add_table_message(struct ruleset_batch *b, uint16_t type, uint16_t flags)
{
    struct nlmsghdr *m = message_begin(b, type, flags);
    mnl_attr_put_strz(m, NFTA_TABLE_NAME, RULESET_TABLE);
    if (type == NFT_MSG_NEWTABLE)
        mnl_attr_put_u32(m, NFTA_TABLE_FLAGS, 0); // wakes one that somebody made dormant
    message_end(b, m, describe("table inet", RULESET_TABLE));
}

static void add_counter(struct ruleset_batch *b, const char *name, uint16_t type, uint16_t flags)
{
    struct nftnl_obj *o = nftnl_obj_alloc();
    if (!o) {
        b->failed = true;
        return;
    }
    nftnl_obj_set_u32(o, NFTNL_OBJ_FAMILY, NFPROTO_INET);
    nftnl_obj_set_str(o, NFTNL_OBJ_TABLE, RULESET_TABLE);
    nftnl_obj_set_str(o, NFTNL_OBJ_NAME, name);
    nftnl_obj_set_u32(o, NFTNL_OBJ_TYPE, NFT_OBJECT_COUNTER);
    if (type == NFT_MSG_NEWOBJ)
        nftnl_obj_set_u64(o, NFTNL_OBJ_CTR_PKTS, 0);
    struct nlmsghdr *m = message_begin(b, type, flags);
    nftnl_obj_nlmsg_build_payload(m, o);
    nftnl_obj_free(o);
    message_end(b, m, describe("counter", name));
}

static void add_set(struct ruleset_batch *b, const struct set *set)
{
    struct nftnl_set *s = set_object(set);
    if (!s) {
        b->failed = true;
        return;
    }
    nftnl_set_set_u32(s, NFTNL_SET_ID, ++b->sets);
    struct nlmsghdr *m = message_begin(b, NFT_MSG_NEWSET, NLM_F_CREATE);
    nftnl_set_nlmsg_build_payload(m, s);
    nftnl_set_free(s);
    message_end(b, m, describe("set", set->name));
}

static void add_chain(struct ruleset_batch *b, const struct chain *chain, uint16_t type, uint16_t flags)
{
    struct nftnl_chain *c = chain_object(chain);
    if (!c) {
        b->failed = true;
        return;
    }
    struct nlmsghdr *m = message_begin(b, type, flags);
    nftnl_chain_nlmsg_build_payload(m, c);
    nftnl_chain_free(c);
    message_end(b, m, describe("chain", chain->name));
}

static void flush_chain(struct ruleset_batch *b, const char *chain)
{
    struct nlmsghdr *m = message_begin(b, NFT_MSG_DELRULE, 0);
    mnl_attr_put_strz(m, NFTA_RULE_TABLE, RULESET_TABLE);
    mnl_attr_put_strz(m, NFTA_RULE_CHAIN, chain);
    message_end(b, m, describe("emptying of chain", chain));
}

static void flush_set(struct ruleset_batch *b, const char *set)
{
    struct nlmsghdr *m = message_begin(b, NFT_MSG_DELSETELEM, 0);
    mnl_attr_put_strz(m, NFTA_SET_ELEM_LIST_TABLE, RULESET_TABLE);
    mnl_attr_put_strz(m, NFTA_SET_ELEM_LIST_SET, set);
    message_end(b, m, describe("emptying of set", set));
}

static void add_rule(struct ruleset_batch *b, const struct rule *rule)
{
    struct nftnl_rule *r = rule_object(rule);
    _cleanup_free_ char *text = rule_text(rule);
    if (!r || !text) {
        nftnl_rule_free(r);
        b->failed = true;
        return;
    }
    struct nlmsghdr *m = message_begin(b, NFT_MSG_NEWRULE, NLM_F_CREATE | NLM_F_APPEND);
    nftnl_rule_nlmsg_build_payload(m, r);
    nftnl_rule_free(r);

    struct text t = { 0 };
    text_addf(&t, "rule '%s' in chain %s", text, rule->chain);
    message_end(b, m, text_take(&t));
}

// Elements of one set that follow each other go into one message. Returns how many there were.
static size_t add_elements(struct ruleset_batch *b, const struct element *elements, size_t count,
                           uint16_t type, uint16_t flags)
{
    size_t n = 0;
    struct nftnl_set *s = set_object_named(elements[0].set);
    b->failed = b->failed || !s;
    for (; n < count && str_equal(elements[n].set, elements[0].set); n++) {
        struct nftnl_set_elem *e = b->failed ? NULL : element_object(&elements[n]);
        if (e)
            nftnl_set_elem_add(s, e);
        else
            b->failed = true;
    }
    if (!b->failed) {
        struct nlmsghdr *m = message_begin(b, type, flags);
        nftnl_set_elems_nlmsg_build_payload(m, s);
        message_end(b, m, describe("elements of set", elements[0].set));
    }
    if (s)
        nftnl_set_free(s);
    return n;
}

void ruleset_batch_add(struct ruleset_batch *b, const struct ruleset *rs)
{
    add_table_message(b, NFT_MSG_NEWTABLE, NLM_F_CREATE);
    for (size_t i = 0; i < rs->counter_count; i++)
        add_counter(b, rs->counters[i], NFT_MSG_NEWOBJ, NLM_F_CREATE);
    for (size_t i = 0; i < rs->set_count; i++) {
        add_set(b, &rs->sets[i]);
        if (rs->sets[i].fixed)
            flush_set(b, rs->sets[i].name);
    }
    for (size_t i = 0; i < rs->chain_count; i++) {
        add_chain(b, &rs->chains[i], NFT_MSG_NEWCHAIN, NLM_F_CREATE);
        flush_chain(b, rs->chains[i].name);
    }
    for (size_t i = 0; i < rs->rule_count; i++)
        add_rule(b, &rs->rules[i]);
    for (size_t i = 0; i < rs->element_count;)
        i += add_elements(b, &rs->elements[i], rs->element_count - i, NFT_MSG_NEWSETELEM, NLM_F_CREATE);
}

void ruleset_batch_remove(struct ruleset_batch *b, const struct ruleset *rs)
{
    for (size_t i = 0; i < rs->element_count;)
        i += add_elements(b, &rs->elements[i], rs->element_count - i, NFT_MSG_DELSETELEM, 0);
    for (size_t i = 0; i < rs->chain_count; i++) {
        flush_chain(b, rs->chains[i].name);
        add_chain(b, &rs->chains[i], NFT_MSG_DELCHAIN, 0);
    }
    for (size_t i = 0; i < rs->counter_count; i++)
        add_counter(b, rs->counters[i], NFT_MSG_DELOBJ, 0);
}

void ruleset_batch_remove_table(struct ruleset_batch *b)
{
    add_table_message(b, NFT_MSG_DELTABLE, 0);
}

static void number_messages(char *data, size_t size, uint32_t sequence)
{
    for (size_t offset = 0; offset < size;) {
        struct nlmsghdr *m = (struct nlmsghdr *)(data + offset); // lengths are multiples of four
        m->nlmsg_seq = sequence++;
        m->nlmsg_flags |= NLM_F_REQUEST;
        offset += MNL_ALIGN(m->nlmsg_len);
    }
}

int ruleset_batch_finish(struct ruleset_batch *b, uint32_t first_sequence, uint32_t generation,
                         const void **ret_data, size_t *ret_size, struct error *err)
{
    text_clear(&b->finished);
    b->first_sequence = first_sequence;
    struct nlmsghdr *m = nftnl_batch_begin(b->message, 0);
    if (generation != 0)
        mnl_attr_put_u32(m, NFNL_BATCH_GENID, htonl(generation));
    text_add_n(&b->finished, (const char *)m, m->nlmsg_len);
    text_add_n(&b->finished, b->messages.data, b->messages.length);
    m = nftnl_batch_end(b->message, 0);
    text_add_n(&b->finished, (const char *)m, m->nlmsg_len);
    if (b->failed || b->messages.failed || b->finished.failed)
        return error_oom(err);

    number_messages(b->finished.data, b->finished.length, first_sequence);
    *ret_data = b->finished.data;
    *ret_size = b->finished.length;
    return 0;
}

const char *ruleset_batch_describe(const struct ruleset_batch *b, uint32_t sequence)
{
    uint32_t index = sequence - b->first_sequence - 1; // the begin has the first number
    return index < b->descriptions.count ? b->descriptions.items[index] : "the batch as a whole";
}
