// Reads what the kernel's nftables hold, part by part, and compares it with what should be there. Never
// changes anything.
#include "sys/nft_dump.h"

#include <arpa/inet.h>
#include <errno.h>
#include <libnftnl/chain.h>
#include <libnftnl/gen.h>
#include <libnftnl/rule.h>
#include <libnftnl/set.h>
#include <libnftnl/table.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <stdlib.h>
#include <string.h>

#include "sys/nft_compare.h"

struct nlmsghdr *nft_request(struct nft *n, uint16_t type, uint16_t flags)
{
    return nftnl_nlmsg_build_hdr(n->request, type, NFPROTO_INET, flags, ++n->sequence);
}

// One query's progress. An answer is read to its end even when it is of no use any more: the kernel refuses a
// new dump while one is unfinished.
struct query {
    uint32_t sequence;
    mnl_cb_t each;
    void *userdata;
    bool done;
    int result;
};

static void take_message(struct query *q, const struct nlmsghdr *m)
{
    if (m->nlmsg_seq != q->sequence)
        return;
    if (m->nlmsg_flags & NLM_F_DUMP_INTR)
        q->result = -EINTR;
    if (m->nlmsg_type == NLMSG_ERROR || m->nlmsg_type == NLMSG_DONE) {
        const struct nlmsgerr *e = mnl_nlmsg_get_payload(m);
        q->done = true;
        if (q->result == 0 && m->nlmsg_type == NLMSG_ERROR)
            q->result = mnl_nlmsg_get_payload_len(m) >= sizeof(*e) ? e->error : -EBADMSG;
    } else if (q->result == 0 && q->each && q->each(m, q->userdata) < 0) {
        q->result = -errno;
    }
}

int nft_query(struct nft *n, struct nlmsghdr *request, mnl_cb_t each, void *userdata)
{
    struct query q = { .sequence = request->nlmsg_seq, .each = each, .userdata = userdata };
    if (mnl_socket_sendto(n->socket, request, request->nlmsg_len) < 0)
        return -errno;
    while (!q.done) {
        ssize_t received = mnl_socket_recvfrom(n->socket, n->answer, sizeof(n->answer));
        if (received < 0 && errno == EINTR)
            continue;
        if (received < 0)
            return -errno;
        int size = (int)received;
        for (const struct nlmsghdr *m = (const struct nlmsghdr *)n->answer; mnl_nlmsg_ok(m, size);
             m = mnl_nlmsg_next(m, &size))
            take_message(&q, m);
    }
    return q.result;
}

static int each_generation(const struct nlmsghdr *message, void *userdata)
{
    struct nftnl_gen *gen = nftnl_gen_alloc();
    if (!gen || nftnl_gen_nlmsg_parse(message, gen) < 0) {
        nftnl_gen_free(gen);
        errno = ENOMEM;
        return MNL_CB_ERROR;
    }
    *(uint32_t *)userdata = nftnl_gen_get_u32(gen, NFTNL_GEN_ID);
    nftnl_gen_free(gen);
    return MNL_CB_OK;
}

int nft_read_generation(struct nft *n, uint32_t *ret)
{
    uint32_t generation = 0;
    int r = nft_query(n, nft_request(n, NFT_MSG_GETGEN, NLM_F_ACK), each_generation, &generation);
    if (r == 0)
        *ret = generation;
    return r;
}

// --- does it exist ---

struct other_agents {
    const char *chain;
    bool found;
};

static int each_chain_name(const struct nlmsghdr *message, void *userdata)
{
    struct other_agents *o = userdata;
    struct nftnl_chain *c = nftnl_chain_alloc();
    if (!c || nftnl_chain_nlmsg_parse(message, c) < 0) {
        nftnl_chain_free(c);
        errno = ENOMEM;
        return MNL_CB_ERROR;
    }
    const char *name = nftnl_chain_get_str(c, NFTNL_CHAIN_NAME);
    if (str_equal(nftnl_chain_get_str(c, NFTNL_CHAIN_TABLE), RULESET_TABLE) && name &&
        str_prefix(name, "agent-") && !str_equal(name, o->chain))
        o->found = true;
    nftnl_chain_free(c);
    return MNL_CB_OK;
}

int nft_read_other_agents(struct nft *n, const char *chain, bool *ret)
{
    struct other_agents o = { .chain = chain };
    struct nlmsghdr *m = nft_request(n, NFT_MSG_GETCHAIN, NLM_F_DUMP);
    int r = nft_query(n, m, each_chain_name, &o);
    if (r == 0)
        *ret = o.found;
    return r;
}

// Asks for one thing. *ret: whether it exists.
static int read_exists(struct nft *n, struct nlmsghdr *request, mnl_cb_t each, void *userdata, bool *ret)
{
    int r = nft_query(n, request, each, userdata);
    if (r < 0 && r != -ENOENT)
        return r;
    *ret = r == 0;
    return 0;
}

static struct nlmsghdr *request_chain(struct nft *n, const char *chain)
{
    struct nlmsghdr *m = nft_request(n, NFT_MSG_GETCHAIN, NLM_F_ACK);
    mnl_attr_put_strz(m, NFTA_CHAIN_TABLE, RULESET_TABLE);
    mnl_attr_put_strz(m, NFTA_CHAIN_NAME, chain);
    return m;
}

static struct nlmsghdr *request_counter(struct nft *n, const char *counter)
{
    struct nlmsghdr *m = nft_request(n, NFT_MSG_GETOBJ, NLM_F_ACK);
    mnl_attr_put_strz(m, NFTA_OBJ_TABLE, RULESET_TABLE);
    mnl_attr_put_strz(m, NFTA_OBJ_NAME, counter);
    mnl_attr_put_u32(m, NFTA_OBJ_TYPE, htonl(NFT_OBJECT_COUNTER));
    return m;
}

struct nlmsghdr *nft_request_counters(struct nft *n)
{
    struct nlmsghdr *m = nft_request(n, NFT_MSG_GETOBJ, NLM_F_DUMP);
    mnl_attr_put_strz(m, NFTA_OBJ_TABLE, RULESET_TABLE);
    mnl_attr_put_u32(m, NFTA_OBJ_TYPE, htonl(NFT_OBJECT_COUNTER));
    return m;
}

static struct nlmsghdr *request_table(struct nft *n)
{
    struct nlmsghdr *m = nft_request(n, NFT_MSG_GETTABLE, NLM_F_ACK);
    mnl_attr_put_strz(m, NFTA_TABLE_NAME, RULESET_TABLE);
    return m;
}

int nft_read_table(struct nft *n, bool *ret)
{
    return read_exists(n, request_table(n), NULL, NULL, ret);
}

static struct nlmsghdr *request_elements(struct nft *n, const char *set, uint16_t flags)
{
    struct nlmsghdr *m = nft_request(n, NFT_MSG_GETSETELEM, flags);
    mnl_attr_put_strz(m, NFTA_SET_ELEM_LIST_TABLE, RULESET_TABLE);
    mnl_attr_put_strz(m, NFTA_SET_ELEM_LIST_SET, set);
    return m;
}

// Reads the one element with the key of e: *ret_exists, and whether it is e in everything else, too.
static int read_element(struct nft *n, const struct element *e, bool *ret_exists, bool *ret_same)
{
    struct element key_only = *e;
    key_only.chain = key_only.counter = NULL;
    struct nftnl_set *set = set_object_named(e->set);
    struct nftnl_set_elem *elem = element_object(&key_only);
    if (!set || !elem) {
        if (set)
            nftnl_set_free(set);
        if (elem)
            nftnl_set_elem_free(elem);
        return -ENOMEM;
    }
    nftnl_set_elem_add(set, elem);
    struct nlmsghdr *m = nft_request(n, NFT_MSG_GETSETELEM, NLM_F_ACK);
    nftnl_set_elems_nlmsg_build_payload(m, set);
    nftnl_set_free(set);

    struct element_comparison c = { .wanted = e, .count = 1 };
    int r = read_exists(n, m, each_element_compare, &c, ret_exists);
    *ret_same = r == 0 && *ret_exists && c.seen == 1 && !c.different;
    return r;
}

// --- what there is of an agent ---

static int find_element(struct nft *n, const struct element *e, struct ruleset *present)
{
    bool exists = false, same = false;
    int r = read_element(n, e, &exists, &same);
    if (r == 0 && exists) {
        struct element found = *e;
        found.chain = found.counter = NULL;
        ruleset_add_element(present, &found);
    }
    return r;
}

struct server_search {
    uint32_t uid;
    struct ruleset *found;
};

static int each_server(struct nftnl_set_elem *elem, void *userdata)
{
    struct server_search *s = userdata;
    uint32_t size = 0, mark = 0;
    const void *key = nftnl_set_elem_get(elem, NFTNL_SET_ELEM_KEY, &size);
    if (!key || size != sizeof(mark) + sizeof(uint64_t))
        return 0;
    memcpy(&mark, key, sizeof(mark));
    if ((mark & MARK_UID_MAX) != s->uid)
        return 0;
    struct element e = { .set = SET_SERVERS, .key_size = size };
    memcpy(e.key, key, size);
    ruleset_add_element(s->found, &e);
    return 0;
}

static int each_server_message(const struct nlmsghdr *message, void *userdata)
{
    struct nftnl_set *set = nftnl_set_alloc();
    if (!set || nftnl_set_elems_nlmsg_parse(message, set) < 0) {
        if (set)
            nftnl_set_free(set);
        errno = ENOMEM;
        return MNL_CB_ERROR;
    }
    (void)nftnl_set_elem_foreach(set, each_server, userdata); // never stops early
    nftnl_set_free(set);
    return MNL_CB_OK;
}

// Elements with this UID's marks, and the slices named in them: the slice may have been another one earlier.
static int find_servers(struct nft *n, uint32_t uid, struct ruleset *present)
{
    struct server_search s = { .uid = uid, .found = present };
    size_t first = present->element_count;
    bool exists = false;
    int r = read_exists(n, request_elements(n, SET_SERVERS, NLM_F_DUMP), each_server_message, &s, &exists);
    size_t end = present->element_count;
    for (size_t i = first; r == 0 && i < end; i++) {
        const struct element server = present->elements[i];
        struct element slice = { .set = SET_SLICES, .key_size = sizeof(uint64_t) };
        memcpy(slice.key, server.key + sizeof(uint32_t), sizeof(uint64_t));
        bool known = false;
        for (size_t k = end; k < present->element_count; k++)
            known = known || memcmp(present->elements[k].key, slice.key, slice.key_size) == 0;
        if (!known)
            r = find_element(n, &slice, present);
    }
    return r;
}

static bool has_slice(const struct ruleset *rs, const struct element *slice)
{
    for (size_t i = 0; i < rs->element_count; i++)
        if (str_equal(rs->elements[i].set, SET_SLICES) &&
            memcmp(rs->elements[i].key, slice->key, slice->key_size) == 0)
            return true;
    return false;
}

static int find_elements(struct nft *n, const struct ruleset *wanted, uint32_t uid, struct ruleset *present)
{
    int r = find_servers(n, uid, present);
    for (size_t i = 0; r == 0 && i < wanted->element_count; i++) {
        const struct element *e = &wanted->elements[i];
        if (!str_equal(e->set, SET_SERVERS) && !(str_equal(e->set, SET_SLICES) && has_slice(present, e)))
            r = find_element(n, e, present);
    }
    return r;
}

int nft_read_present(struct nft *n, const struct ruleset *wanted, uint32_t uid, struct ruleset *ret)
{
    _cleanup_ruleset_ struct ruleset present = { 0 };
    bool exists = false;
    int r = 0;
    for (size_t i = 0; r == 0 && i < wanted->chain_count; i++) {
        r = read_exists(n, request_chain(n, wanted->chains[i].name), NULL, NULL, &exists);
        if (r == 0 && exists)
            ruleset_add_chain(&present, ruleset_name(&present, "%s", wanted->chains[i].name), NO_HOOK);
    }
    for (size_t i = 0; r == 0 && i < wanted->counter_count; i++) {
        r = read_exists(n, request_counter(n, wanted->counters[i]), NULL, NULL, &exists);
        if (r == 0 && exists)
            ruleset_add_counter(&present, ruleset_name(&present, "%s", wanted->counters[i]));
    }
    if (r == 0)
        r = find_elements(n, wanted, uid, &present);
    if (r == 0 && present.failed)
        r = -ENOMEM;
    if (r < 0)
        return r;
    *ret = present;
    present = (struct ruleset){ 0 };
    return 0;
}

// --- is it what it should be ---

static int compare_table(struct nft *n, bool *same)
{
    bool exists = false, awake = false;
    int r = read_exists(n, request_table(n), each_table_compare, &awake, &exists);
    *same = exists && awake;
    return r;
}

static int compare_chain(struct nft *n, const struct chain *chain, bool *same)
{
    struct chain_comparison c = { .wanted = chain };
    bool exists = false;
    int r = read_exists(n, request_chain(n, chain->name), each_chain_compare, &c, &exists);
    *same = exists && c.same;
    return r;
}

static int compare_set(struct nft *n, const struct set *set, bool *same)
{
    struct nlmsghdr *m = nft_request(n, NFT_MSG_GETSET, NLM_F_ACK);
    mnl_attr_put_strz(m, NFTA_SET_TABLE, RULESET_TABLE);
    mnl_attr_put_strz(m, NFTA_SET_NAME, set->name);
    struct set_comparison c = { .wanted = set };
    bool exists = false;
    int r = read_exists(n, m, each_set_compare, &c, &exists);
    *same = exists && c.same;
    return r;
}

// Exactly the wanted elements of a fixed set.
static int compare_fixed_elements(struct nft *n, const struct ruleset *rs, const char *set, bool *same)
{
    struct element_comparison c = { .wanted = rs->elements };
    while (c.wanted < rs->elements + rs->element_count && !str_equal(c.wanted->set, set))
        c.wanted++;
    while (c.wanted + c.count < rs->elements + rs->element_count && str_equal(c.wanted[c.count].set, set))
        c.count++;
    bool exists = false;
    int r = read_exists(n, request_elements(n, set, NLM_F_DUMP), each_element_compare, &c, &exists);
    *same = exists && c.seen == c.count && !c.different;
    return r;
}

static int compare_rules(struct nft *n, const struct ruleset *rs, const char *chain, bool *same)
{
    struct nlmsghdr *m = nft_request(n, NFT_MSG_GETRULE, NLM_F_DUMP);
    mnl_attr_put_strz(m, NFTA_RULE_TABLE, RULESET_TABLE);
    mnl_attr_put_strz(m, NFTA_RULE_CHAIN, chain);
    struct rule_comparison c = { .wanted = rs->rules, .end = rs->rules + rs->rule_count, .chain = chain };
    bool exists = false;
    int r = read_exists(n, m, each_rule_compare, &c, &exists);
    *same = exists && rule_comparison_finish(&c);
    return r;
}

static bool is_fixed(const struct ruleset *rs, const char *set)
{
    for (size_t i = 0; i < rs->set_count; i++)
        if (str_equal(rs->sets[i].name, set))
            return rs->sets[i].fixed;
    return false;
}

static int compare_structure(struct nft *n, const struct ruleset *wanted, bool *same)
{
    int r = compare_table(n, same);
    for (size_t i = 0; r == 0 && *same && i < wanted->chain_count; i++) {
        r = compare_chain(n, &wanted->chains[i], same);
        if (r == 0 && *same)
            r = compare_rules(n, wanted, wanted->chains[i].name, same);
    }
    for (size_t i = 0; r == 0 && *same && i < wanted->set_count; i++) {
        r = compare_set(n, &wanted->sets[i], same);
        if (r == 0 && *same && wanted->sets[i].fixed)
            r = compare_fixed_elements(n, wanted, wanted->sets[i].name, same);
    }
    return r;
}

int nft_compare(struct nft *n, const struct ruleset *wanted, bool *ret_same)
{
    bool same = true;
    int r = compare_structure(n, wanted, &same);
    for (size_t i = 0; r == 0 && same && i < wanted->counter_count; i++)
        r = read_exists(n, request_counter(n, wanted->counters[i]), NULL, NULL, &same);
    for (size_t i = 0; r == 0 && same && i < wanted->element_count; i++) {
        bool exists = false;
        if (!is_fixed(wanted, wanted->elements[i].set))
            r = read_element(n, &wanted->elements[i], &exists, &same);
    }
    if (r == 0)
        *ret_same = same;
    return r;
}
