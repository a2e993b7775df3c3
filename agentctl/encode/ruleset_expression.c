// Single expressions, built with libnftnl. Knows no statement and no policy.
#include "encode/ruleset_expression.h"

#include <arpa/inet.h>
#include <stdio.h> // libnftnl/expr.h needs it and does not say so
#include <libnftnl/expr.h>
#include <libnftnl/rule.h>
#include <linux/netfilter/nf_tables.h>

struct nftnl_expr *emit(struct emitter *e, const char *name)
{
    struct nftnl_expr *x = e->failed ? NULL : nftnl_expr_alloc(name);
    if (!x) {
        e->failed = true;
        return NULL;
    }
    nftnl_rule_add_expr(e->rule, x);
    return x;
}

void expression_set_u32(struct nftnl_expr *x, uint16_t attribute, uint32_t value)
{
    if (x)
        nftnl_expr_set_u32(x, attribute, value);
}

void expression_set_data(struct emitter *e, struct nftnl_expr *x, uint16_t attribute, const void *data,
                         size_t size)
{
    if (x && nftnl_expr_set(x, attribute, data, (uint32_t)size) < 0)
        e->failed = true;
}

void expression_set_string(struct emitter *e, struct nftnl_expr *x, uint16_t attribute, const char *string)
{
    if (x && nftnl_expr_set_str(x, attribute, string) < 0)
        e->failed = true;
}

void emit_meta(struct emitter *e, uint32_t key)
{
    struct nftnl_expr *x = emit(e, "meta");
    expression_set_u32(x, NFTNL_EXPR_META_KEY, key);
    expression_set_u32(x, NFTNL_EXPR_META_DREG, NFT_REG_1);
}

void emit_ct(struct emitter *e, uint32_t key)
{
    struct nftnl_expr *x = emit(e, "ct");
    expression_set_u32(x, NFTNL_EXPR_CT_KEY, key);
    expression_set_u32(x, NFTNL_EXPR_CT_DREG, NFT_REG_1);
}

void emit_socket(struct emitter *e, uint32_t key, uint32_t level, uint32_t destination)
{
    struct nftnl_expr *x = emit(e, "socket");
    expression_set_u32(x, NFTNL_EXPR_SOCKET_KEY, key);
    expression_set_u32(x, NFTNL_EXPR_SOCKET_DREG, destination);
    if (key == NFT_SOCKET_CGROUPV2)
        expression_set_u32(x, NFTNL_EXPR_SOCKET_LEVEL, level);
}

void emit_payload(struct emitter *e, uint32_t base, uint32_t offset, uint32_t size)
{
    struct nftnl_expr *x = emit(e, "payload");
    expression_set_u32(x, NFTNL_EXPR_PAYLOAD_DREG, NFT_REG_1);
    expression_set_u32(x, NFTNL_EXPR_PAYLOAD_BASE, base);
    expression_set_u32(x, NFTNL_EXPR_PAYLOAD_OFFSET, offset);
    expression_set_u32(x, NFTNL_EXPR_PAYLOAD_LEN, size);
}

void emit_cmp(struct emitter *e, uint32_t operation, const void *data, size_t size)
{
    struct nftnl_expr *x = emit(e, "cmp");
    expression_set_u32(x, NFTNL_EXPR_CMP_SREG, NFT_REG_1);
    expression_set_u32(x, NFTNL_EXPR_CMP_OP, operation);
    expression_set_data(e, x, NFTNL_EXPR_CMP_DATA, data, size);
}

void emit_cmp_u8(struct emitter *e, uint32_t operation, uint8_t value)
{
    emit_cmp(e, operation, &value, sizeof(value));
}

void emit_bitwise(struct emitter *e, const void *mask, size_t size)
{
    static const uint8_t zero[16];
    struct nftnl_expr *x = emit(e, "bitwise");
    expression_set_u32(x, NFTNL_EXPR_BITWISE_SREG, NFT_REG_1);
    expression_set_u32(x, NFTNL_EXPR_BITWISE_DREG, NFT_REG_1);
    expression_set_u32(x, NFTNL_EXPR_BITWISE_LEN, (uint32_t)size);
    expression_set_u32(x, NFTNL_EXPR_BITWISE_OP, NFT_BITWISE_BOOL);
    expression_set_data(e, x, NFTNL_EXPR_BITWISE_MASK, mask, size);
    expression_set_data(e, x, NFTNL_EXPR_BITWISE_XOR, zero, size);
}

void emit_lookup(struct emitter *e, const char *set, bool inverted)
{
    struct nftnl_expr *x = emit(e, "lookup");
    expression_set_u32(x, NFTNL_EXPR_LOOKUP_SREG, NFT_REG_1);
    expression_set_string(e, x, NFTNL_EXPR_LOOKUP_SET, set);
    expression_set_u32(x, NFTNL_EXPR_LOOKUP_FLAGS, inverted ? NFT_LOOKUP_F_INV : 0);
}

void emit_vmap(struct emitter *e, const char *map)
{
    struct nftnl_expr *x = emit(e, "lookup");
    expression_set_u32(x, NFTNL_EXPR_LOOKUP_SREG, NFT_REG_1);
    expression_set_u32(x, NFTNL_EXPR_LOOKUP_DREG, NFT_REG_VERDICT);
    expression_set_string(e, x, NFTNL_EXPR_LOOKUP_SET, map);
    expression_set_u32(x, NFTNL_EXPR_LOOKUP_FLAGS, 0);
}

// Host-endian values are compared as ranges after being turned round: the kernel compares bytes.
void emit_range_u32(struct emitter *e, uint32_t from, uint32_t to, bool inverted)
{
    struct nftnl_expr *x = emit(e, "byteorder");
    expression_set_u32(x, NFTNL_EXPR_BYTEORDER_SREG, NFT_REG_1);
    expression_set_u32(x, NFTNL_EXPR_BYTEORDER_DREG, NFT_REG_1);
    expression_set_u32(x, NFTNL_EXPR_BYTEORDER_OP, NFT_BYTEORDER_HTON);
    expression_set_u32(x, NFTNL_EXPR_BYTEORDER_LEN, sizeof(uint32_t));
    expression_set_u32(x, NFTNL_EXPR_BYTEORDER_SIZE, sizeof(uint32_t));

    uint32_t first = htonl(from), last = htonl(to);
    if (!inverted) {
        emit_cmp(e, NFT_CMP_GTE, &first, sizeof(first));
        emit_cmp(e, NFT_CMP_LTE, &last, sizeof(last));
        return;
    }
    x = emit(e, "range");
    expression_set_u32(x, NFTNL_EXPR_RANGE_SREG, NFT_REG_1);
    expression_set_u32(x, NFTNL_EXPR_RANGE_OP, NFT_RANGE_NEQ);
    expression_set_data(e, x, NFTNL_EXPR_RANGE_FROM_DATA, &first, sizeof(first));
    expression_set_data(e, x, NFTNL_EXPR_RANGE_TO_DATA, &last, sizeof(last));
}

void emit_value_u32(struct emitter *e, uint32_t value)
{
    struct nftnl_expr *x = emit(e, "immediate");
    expression_set_u32(x, NFTNL_EXPR_IMM_DREG, NFT_REG_1);
    expression_set_data(e, x, NFTNL_EXPR_IMM_DATA, &value, sizeof(value));
}
