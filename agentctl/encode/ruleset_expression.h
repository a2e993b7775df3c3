// Single expressions of a rule, as the kernel evaluates them, for ruleset_statement.c only. Values pass
// through register 1; the second part of a concatenation follows at once, in the next 32-bit register.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct nftnl_rule;
struct nftnl_expr;

// Expressions are appended to rule; failed is set when memory runs out, after which nothing is appended any
// more.
struct emitter {
    struct nftnl_rule *rule;
    bool failed;
};

// An expression of that name, without attributes; NULL if failed.
struct nftnl_expr *emit(struct emitter *e, const char *name);
// x may be NULL.
void expression_set_u32(struct nftnl_expr *x, uint16_t attribute, uint32_t value);
void expression_set_data(struct emitter *e, struct nftnl_expr *x, uint16_t attribute, const void *data,
                         size_t size);
void expression_set_string(struct emitter *e, struct nftnl_expr *x, uint16_t attribute, const char *string);

// Loading a value.
void emit_meta(struct emitter *e, uint32_t key);
void emit_ct(struct emitter *e, uint32_t key);
void emit_socket(struct emitter *e, uint32_t key, uint32_t level, uint32_t destination);
void emit_payload(struct emitter *e, uint32_t base, uint32_t offset, uint32_t size);
void emit_value_u32(struct emitter *e, uint32_t value);

// Judging the value loaded.
void emit_cmp(struct emitter *e, uint32_t operation, const void *data, size_t size);
void emit_cmp_u8(struct emitter *e, uint32_t operation, uint8_t value);
void emit_bitwise(struct emitter *e, const void *mask, size_t size);
void emit_range_u32(struct emitter *e, uint32_t from, uint32_t to,
                    bool inverted); // of this machine's byte order
void emit_lookup(struct emitter *e, const char *set, bool inverted);
void emit_vmap(struct emitter *e, const char *map);
