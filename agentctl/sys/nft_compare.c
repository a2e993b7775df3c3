// Compares the kernel's chains, sets, elements and rules with the model, expression by expression. Never
// talks to the kernel itself.
#include "sys/nft_compare.h"

#include <errno.h>
#include <libnftnl/chain.h>
#include <libnftnl/expr.h>
#include <libnftnl/rule.h>
#include <libnftnl/set.h>
#include <libnftnl/table.h>
#include <linux/netfilter/nf_tables.h>
#include <string.h>

#define ATTRIBUTES_MAX 8

// What makes an expression what it is. Anything that is not listed here is never taken for the same.
static const struct {
    const char *name;
    uint16_t attributes[ATTRIBUTES_MAX];
    size_t count;
} expression_rows[] = {
#define ROW(name, ...)                                                                                       \
    {                                                                                                        \
        name, { __VA_ARGS__ }, ARRAY_SIZE(((const uint16_t[]){ __VA_ARGS__ }))                               \
    }
    ROW("meta", NFTNL_EXPR_META_KEY, NFTNL_EXPR_META_DREG, NFTNL_EXPR_META_SREG),
    ROW("ct", NFTNL_EXPR_CT_KEY, NFTNL_EXPR_CT_DREG, NFTNL_EXPR_CT_SREG, NFTNL_EXPR_CT_DIR),
    ROW("socket", NFTNL_EXPR_SOCKET_KEY, NFTNL_EXPR_SOCKET_DREG, NFTNL_EXPR_SOCKET_LEVEL),
    ROW("payload", NFTNL_EXPR_PAYLOAD_DREG, NFTNL_EXPR_PAYLOAD_BASE, NFTNL_EXPR_PAYLOAD_OFFSET,
        NFTNL_EXPR_PAYLOAD_LEN, NFTNL_EXPR_PAYLOAD_SREG),
    ROW("cmp", NFTNL_EXPR_CMP_SREG, NFTNL_EXPR_CMP_OP, NFTNL_EXPR_CMP_DATA),
    ROW("range", NFTNL_EXPR_RANGE_SREG, NFTNL_EXPR_RANGE_OP, NFTNL_EXPR_RANGE_FROM_DATA,
        NFTNL_EXPR_RANGE_TO_DATA),
    ROW("bitwise", NFTNL_EXPR_BITWISE_SREG, NFTNL_EXPR_BITWISE_DREG, NFTNL_EXPR_BITWISE_LEN,
        NFTNL_EXPR_BITWISE_MASK, NFTNL_EXPR_BITWISE_XOR, NFTNL_EXPR_BITWISE_OP),
    ROW("byteorder", NFTNL_EXPR_BYTEORDER_SREG, NFTNL_EXPR_BYTEORDER_DREG, NFTNL_EXPR_BYTEORDER_OP,
        NFTNL_EXPR_BYTEORDER_LEN, NFTNL_EXPR_BYTEORDER_SIZE),
    ROW("lookup", NFTNL_EXPR_LOOKUP_SREG, NFTNL_EXPR_LOOKUP_DREG, NFTNL_EXPR_LOOKUP_SET,
        NFTNL_EXPR_LOOKUP_FLAGS),
    ROW("immediate", NFTNL_EXPR_IMM_DREG, NFTNL_EXPR_IMM_DATA, NFTNL_EXPR_IMM_VERDICT, NFTNL_EXPR_IMM_CHAIN),
    ROW("fib", NFTNL_EXPR_FIB_DREG, NFTNL_EXPR_FIB_RESULT, NFTNL_EXPR_FIB_FLAGS),
    ROW("limit", NFTNL_EXPR_LIMIT_RATE, NFTNL_EXPR_LIMIT_UNIT, NFTNL_EXPR_LIMIT_BURST, NFTNL_EXPR_LIMIT_TYPE,
        NFTNL_EXPR_LIMIT_FLAGS),
    ROW("log", NFTNL_EXPR_LOG_PREFIX, NFTNL_EXPR_LOG_LEVEL, NFTNL_EXPR_LOG_FLAGS, NFTNL_EXPR_LOG_GROUP),
    ROW("objref", NFTNL_EXPR_OBJREF_IMM_TYPE, NFTNL_EXPR_OBJREF_IMM_NAME, NFTNL_EXPR_OBJREF_SET_SREG,
        NFTNL_EXPR_OBJREF_SET_NAME),
    ROW("reject", NFTNL_EXPR_REJECT_TYPE, NFTNL_EXPR_REJECT_CODE),
#undef ROW
};

static int parse_failed(void)
{
    errno = ENOMEM;
    return MNL_CB_ERROR;
}

int each_table_compare(const struct nlmsghdr *message, void *ret_awake)
{
    struct nftnl_table *t = nftnl_table_alloc();
    if (!t || nftnl_table_nlmsg_parse(message, t) < 0) {
        if (t)
            nftnl_table_free(t);
        return parse_failed();
    }
    *(bool *)ret_awake = (nftnl_table_get_u32(t, NFTNL_TABLE_FLAGS) & NFT_TABLE_F_DORMANT) == 0;
    nftnl_table_free(t);
    return MNL_CB_OK;
}

static bool chain_u32_equal(const struct nftnl_chain *a, const struct nftnl_chain *b, uint16_t attribute)
{
    return nftnl_chain_is_set(a, attribute) == nftnl_chain_is_set(b, attribute) &&
           (!nftnl_chain_is_set(a, attribute) ||
            nftnl_chain_get_u32(a, attribute) == nftnl_chain_get_u32(b, attribute));
}

int each_chain_compare(const struct nlmsghdr *message, void *comparison)
{
    struct chain_comparison *c = comparison;
    struct nftnl_chain *kernel = nftnl_chain_alloc(), *wanted = chain_object(c->wanted);
    bool parsed = kernel && wanted && nftnl_chain_nlmsg_parse(message, kernel) >= 0;
    if (parsed)
        c->same = chain_u32_equal(kernel, wanted, NFTNL_CHAIN_HOOKNUM) &&
                  chain_u32_equal(kernel, wanted, NFTNL_CHAIN_PRIO) &&
                  chain_u32_equal(kernel, wanted, NFTNL_CHAIN_POLICY) &&
                  (c->wanted->hook == NO_HOOK || str_equal(nftnl_chain_get_str(kernel, NFTNL_CHAIN_TYPE),
                                                           nftnl_chain_get_str(wanted, NFTNL_CHAIN_TYPE)));
    if (kernel)
        nftnl_chain_free(kernel);
    if (wanted)
        nftnl_chain_free(wanted);
    return parsed ? MNL_CB_OK : parse_failed();
}

int each_set_compare(const struct nlmsghdr *message, void *comparison)
{
    struct set_comparison *c = comparison;
    const struct set_type *type = c->wanted->type;
    struct nftnl_set *s = nftnl_set_alloc();
    if (!s || nftnl_set_nlmsg_parse(message, s) < 0) {
        if (s)
            nftnl_set_free(s);
        return parse_failed();
    }
    c->same = nftnl_set_get_u32(s, NFTNL_SET_FLAGS) == type->flags &&
              nftnl_set_get_u32(s, NFTNL_SET_KEY_LEN) == type->bytes &&
              nftnl_set_get_u32(s, NFTNL_SET_KEY_TYPE) == type->type;
    if (c->same && type->flags & NFT_SET_MAP)
        c->same = nftnl_set_get_u32(s, NFTNL_SET_DATA_TYPE) == NFT_DATA_VERDICT;
    if (c->same && type->flags & NFT_SET_OBJECT)
        c->same = nftnl_set_get_u32(s, NFTNL_SET_OBJ_TYPE) == NFT_OBJECT_COUNTER;
    nftnl_set_free(s);
    return MNL_CB_OK;
}

static bool element_equal(const struct element *wanted, struct nftnl_set_elem *kernel)
{
    uint32_t size = 0;
    const void *key = nftnl_set_elem_get(kernel, NFTNL_SET_ELEM_KEY, &size);
    if (!key || size < wanted->key_size || memcmp(key, wanted->key, wanted->key_size) != 0)
        return false;
    uint32_t flags = nftnl_set_elem_is_set(kernel, NFTNL_SET_ELEM_FLAGS)
                         ? nftnl_set_elem_get_u32(kernel, NFTNL_SET_ELEM_FLAGS)
                         : 0;
    if (flags != (wanted->interval_end ? NFT_SET_ELEM_INTERVAL_END : 0U))
        return false;
    if (wanted->chain && (nftnl_set_elem_get_u32(kernel, NFTNL_SET_ELEM_VERDICT) != (uint32_t)NFT_JUMP ||
                          !str_equal(nftnl_set_elem_get_str(kernel, NFTNL_SET_ELEM_CHAIN), wanted->chain)))
        return false;
    return !wanted->counter ||
           str_equal(nftnl_set_elem_get_str(kernel, NFTNL_SET_ELEM_OBJREF), wanted->counter);
}

static int each_element(struct nftnl_set_elem *kernel, void *comparison)
{
    struct element_comparison *c = comparison;
    bool found = false;
    for (size_t i = 0; i < c->count && !found; i++)
        found = element_equal(&c->wanted[i], kernel);
    c->seen++;
    c->different = c->different || !found;
    return 0;
}

int each_element_compare(const struct nlmsghdr *message, void *comparison)
{
    struct nftnl_set *s = nftnl_set_alloc();
    if (!s || nftnl_set_elems_nlmsg_parse(message, s) < 0) {
        if (s)
            nftnl_set_free(s);
        return parse_failed();
    }
    (void)nftnl_set_elem_foreach(s, each_element, comparison); // never stops early
    nftnl_set_free(s);
    return MNL_CB_OK;
}

static bool all_zero(const uint8_t *data, uint32_t size)
{
    for (uint32_t i = 0; i < size; i++)
        if (data[i] != 0)
            return false;
    return true;
}

// An attribute that is left out means zero.
static bool attribute_equal(const struct nftnl_expr *a, const struct nftnl_expr *b, uint16_t attribute)
{
    uint32_t size_a = 0, size_b = 0;
    const void *data_a = nftnl_expr_get(a, attribute, &size_a),
               *data_b = nftnl_expr_get(b, attribute, &size_b);
    if (!data_a || !data_b)
        return (!data_a || all_zero(data_a, size_a)) && (!data_b || all_zero(data_b, size_b));
    return size_a == size_b && memcmp(data_a, data_b, size_a) == 0;
}

static bool expression_equal(const struct nftnl_expr *a, const struct nftnl_expr *b)
{
    const char *name = nftnl_expr_get_str(a, NFTNL_EXPR_NAME);
    if (!str_equal(name, nftnl_expr_get_str(b, NFTNL_EXPR_NAME)))
        return false;
    for (size_t i = 0; i < ARRAY_SIZE(expression_rows); i++) {
        if (!str_equal(name, expression_rows[i].name))
            continue;
        for (size_t k = 0; k < expression_rows[i].count; k++)
            if (!attribute_equal(a, b, expression_rows[i].attributes[k]))
                return false;
        return true;
    }
    return false;
}

static bool rule_equal(struct nftnl_rule *a, struct nftnl_rule *b)
{
    struct nftnl_expr_iter *i = nftnl_expr_iter_create(a), *k = nftnl_expr_iter_create(b);
    bool same = i && k;
    while (same) {
        struct nftnl_expr *x = nftnl_expr_iter_next(i), *y = nftnl_expr_iter_next(k);
        if (!x || !y) {
            same = !x && !y;
            break;
        }
        same = expression_equal(x, y);
    }
    if (i)
        nftnl_expr_iter_destroy(i);
    if (k)
        nftnl_expr_iter_destroy(k);
    return same;
}

static void skip_other_chains(struct rule_comparison *c)
{
    while (c->wanted < c->end && !str_equal(c->wanted->chain, c->chain))
        c->wanted++;
}

int each_rule_compare(const struct nlmsghdr *message, void *comparison)
{
    struct rule_comparison *c = comparison;
    skip_other_chains(c);
    if (c->different || c->wanted >= c->end) {
        c->different = true;
        return MNL_CB_OK;
    }
    struct nftnl_rule *kernel = nftnl_rule_alloc(), *wanted = rule_object(c->wanted++);
    bool parsed = kernel && wanted && nftnl_rule_nlmsg_parse(message, kernel) >= 0;
    if (parsed)
        c->different = !rule_equal(kernel, wanted);
    if (kernel)
        nftnl_rule_free(kernel);
    if (wanted)
        nftnl_rule_free(wanted);
    return parsed ? MNL_CB_OK : parse_failed();
}

bool rule_comparison_finish(struct rule_comparison *c)
{
    skip_other_chains(c);
    return !c->different && c->wanted >= c->end;
}
