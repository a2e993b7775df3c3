// Rulesets as growing lists, and their parts as libnftnl's objects. Decides nothing about policy.
#include "encode/ruleset_rule.h"

#include <errno.h>
#include <libnftnl/chain.h>
#include <libnftnl/rule.h>
#include <libnftnl/set.h>
#include <libnftnl/udata.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NFT_HOST_ORDER 1    // nft's BYTEORDER_HOST_ENDIAN
#define HOOK_PRIORITY (-10) // after NAT of destinations, before the usual filters at 0: a refusal is final

// Appends one item to an array of count items of that size; the arrays are short, so each grows by a few.
static void *append(struct ruleset *rs, void **items, size_t *count, size_t size, const void *item)
{
    if (rs->failed)
        return NULL;
    if (*count % 16 == 0) {
        void *more = reallocarray(*items, *count + 16, size);
        if (!more) {
            rs->failed = true;
            return NULL;
        }
        *items = more;
    }
    return memcpy((char *)*items + (*count)++ * size, item, size);
}

void ruleset_add_chain(struct ruleset *rs, const char *name, enum chain_hook hook)
{
    struct chain chain = { .name = name, .hook = hook };
    (void)append(rs, (void **)&rs->chains, &rs->chain_count, sizeof(chain), &chain);
}

void ruleset_add_set(struct ruleset *rs, const struct set *set)
{
    (void)append(rs, (void **)&rs->sets, &rs->set_count, sizeof(*set), set);
}

void ruleset_add_counter(struct ruleset *rs, const char *name)
{
    (void)append(rs, (void **)&rs->counters, &rs->counter_count, sizeof(name), &name);
}

void ruleset_add_rule(struct ruleset *rs, const char *chain, const struct statement *statements, size_t count)
{
    struct rule rule = { .chain = chain, .count = count };
    memcpy(rule.statements, statements, count * sizeof(*statements));
    (void)append(rs, (void **)&rs->rules, &rs->rule_count, sizeof(rule), &rule);
}

void ruleset_add_element(struct ruleset *rs, const struct element *element)
{
    (void)append(rs, (void **)&rs->elements, &rs->element_count, sizeof(*element), element);
}

const char *ruleset_name(struct ruleset *rs, const char *format, ...)
{
    char *name = NULL;
    va_list ap;
    va_start(ap, format);
    int n = vasprintf(&name, format, ap);
    va_end(ap);
    if (n < 0 || strv_take(&rs->strings, name) < 0) {
        rs->failed = true;
        return "";
    }
    return name;
}

void ruleset_clear(struct ruleset *rs)
{
    free(rs->chains);
    free(rs->sets);
    free(rs->counters);
    free(rs->rules);
    free(rs->elements);
    strv_clear(&rs->strings);
    *rs = (struct ruleset){ 0 };
}

// --- libnftnl ---

struct nftnl_rule *rule_object(const struct rule *rule)
{
    struct nftnl_rule *r = nftnl_rule_alloc();
    if (!r)
        return NULL;
    nftnl_rule_set_u32(r, NFTNL_RULE_FAMILY, NFPROTO_INET);
    bool failed = nftnl_rule_set_str(r, NFTNL_RULE_TABLE, RULESET_TABLE) < 0 ||
                  nftnl_rule_set_str(r, NFTNL_RULE_CHAIN, rule->chain) < 0;
    for (size_t i = 0; !failed && i < rule->count; i++)
        failed = statement_add_expressions(&rule->statements[i], r) < 0;
    if (!failed)
        return r;
    nftnl_rule_free(r);
    return NULL;
}

struct nftnl_chain *chain_object(const struct chain *chain)
{
    struct nftnl_chain *c = nftnl_chain_alloc();
    if (!c)
        return NULL;
    nftnl_chain_set_u32(c, NFTNL_CHAIN_FAMILY, NFPROTO_INET);
    bool failed = nftnl_chain_set_str(c, NFTNL_CHAIN_TABLE, RULESET_TABLE) < 0 ||
                  nftnl_chain_set_str(c, NFTNL_CHAIN_NAME, chain->name) < 0;
    if (chain->hook != NO_HOOK) {
        nftnl_chain_set_u32(c, NFTNL_CHAIN_HOOKNUM,
                            chain->hook == HOOK_INPUT ? NF_INET_LOCAL_IN : NF_INET_LOCAL_OUT);
        nftnl_chain_set_s32(c, NFTNL_CHAIN_PRIO, HOOK_PRIORITY);
        nftnl_chain_set_u32(c, NFTNL_CHAIN_POLICY, NF_ACCEPT);
        failed = failed || nftnl_chain_set_str(c, NFTNL_CHAIN_TYPE, "filter") < 0;
    }
    if (!failed)
        return c;
    nftnl_chain_free(c);
    return NULL;
}

struct nftnl_set *set_object_named(const char *name)
{
    struct nftnl_set *s = nftnl_set_alloc();
    if (!s)
        return NULL;
    nftnl_set_set_u32(s, NFTNL_SET_FAMILY, NFPROTO_INET);
    if (nftnl_set_set_str(s, NFTNL_SET_TABLE, RULESET_TABLE) == 0 &&
        nftnl_set_set_str(s, NFTNL_SET_NAME, name) == 0)
        return s;
    nftnl_set_free(s);
    return NULL;
}

// A note for nft, which would list the keys with their bytes turned round. The kernel only keeps it.
static bool set_host_order(struct nftnl_set *s)
{
    struct nftnl_udata_buf *note = nftnl_udata_buf_alloc(NFT_USERDATA_MAXLEN);
    if (!note)
        return false;
    bool noted =
        nftnl_udata_put_u32(note, NFTNL_UDATA_SET_KEYBYTEORDER, NFT_HOST_ORDER) &&
        nftnl_set_set_data(s, NFTNL_SET_USERDATA, nftnl_udata_buf_data(note), nftnl_udata_buf_len(note)) == 0;
    nftnl_udata_buf_free(note);
    return noted;
}

struct nftnl_set *set_object(const struct set *set)
{
    struct nftnl_set *s = set_object_named(set->name);
    if (!s)
        return NULL;
    const struct set_type *type = set->type;
    nftnl_set_set_u32(s, NFTNL_SET_FLAGS, type->flags);
    nftnl_set_set_u32(s, NFTNL_SET_KEY_TYPE, type->type);
    nftnl_set_set_u32(s, NFTNL_SET_KEY_LEN, type->bytes);
    if (type->flags & NFT_SET_MAP)
        nftnl_set_set_u32(s, NFTNL_SET_DATA_TYPE, NFT_DATA_VERDICT);
    if (type->flags & NFT_SET_OBJECT)
        nftnl_set_set_u32(s, NFTNL_SET_OBJ_TYPE, NFT_OBJECT_COUNTER);
    if (type->host_order && !set_host_order(s)) {
        nftnl_set_free(s);
        return NULL;
    }
    return s;
}

struct nftnl_set_elem *element_object(const struct element *element)
{
    struct nftnl_set_elem *e = nftnl_set_elem_alloc();
    if (!e)
        return NULL;
    bool failed = nftnl_set_elem_set(e, NFTNL_SET_ELEM_KEY, element->key, (uint32_t)element->key_size) < 0;
    if (element->interval_end)
        nftnl_set_elem_set_u32(e, NFTNL_SET_ELEM_FLAGS, NFT_SET_ELEM_INTERVAL_END);
    if (element->chain) {
        nftnl_set_elem_set_u32(e, NFTNL_SET_ELEM_VERDICT, (uint32_t)NFT_JUMP);
        failed = failed || nftnl_set_elem_set_str(e, NFTNL_SET_ELEM_CHAIN, element->chain) < 0;
    }
    if (element->counter)
        failed = failed || nftnl_set_elem_set_str(e, NFTNL_SET_ELEM_OBJREF, element->counter) < 0;
    if (!failed)
        return e;
    nftnl_set_elem_free(e);
    return NULL;
}
