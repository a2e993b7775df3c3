// nftables rules as plain data: the one model that the netlink bytes, the text and the comparison with the
// kernel are all made from. Internal to encode/ruleset*.c and sys/nft*.c. Pure.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/address.h"
#include "base/error.h"
#include "base/text.h"
#include "plan/egress.h"

#define RULESET_TABLE "agentctl"

// The upper byte of a mark says that it is ours, the rest is the agent's UID, which therefore is below 2^24.
// A connection mark says whose connection it is. A packet mark is only ever set on loopback and says what the
// packet may reach there: the agent's own servers, or those of the host as well.
#define MARK_OWN UINT32_C(0x61000000)
#define MARK_HOST UINT32_C(0x62000000)
#define MARK_UID_MAX UINT32_C(0x00ffffff)

// Names of the base that the agents' rules refer to.
#define CHAIN_REPLIES "replies"
#define CHAIN_INBOUND "inbound"
#define CHAIN_REFUSE "refuse"
#define CHAIN_UNREACHABLE "unreachable"
#define SET_FLOOR4 "floor4"
#define SET_FLOOR6 "floor6"
#define SET_OWN_ADDRESSES "own_addresses"
#define SET_TRANSPORTS "transports"
#define SET_WEB "web"
#define SET_AGENTS "agents"
#define SET_FLOWS "flows"
#define SET_REFUSALS "refusals"
#define SET_SERVERS "servers"
#define SET_SLICES "slices"

// At most so many refusals are logged a minute, and so many at once: every agent has its own.
#define LOG_PER_MINUTE 10
#define LOG_BURST 20
#define LIMITED_LOG(prefix)                                                                                  \
    { .kind = LIMIT, .first = LOG_PER_MINUTE, .last = LOG_BURST },                                           \
    {                                                                                                        \
        .kind = LOG, .name = (prefix)                                                                        \
    }

// One match or action. The table in ruleset_statement.c has a row for each.
enum statement_kind {
    CT_ORIGINAL,      // sent by the side that opened the connection
    CT_REPLY,         // sent by the other side
    CT_STATE_KNOWN,   // part of a connection seen before
    CT_STATE_UNKNOWN, // first packet, or not tracked at all
    CT_MARK_IN_RANGE,
    CT_MARK_VMAP,
    CT_MARK_SET,
    SKUID_VMAP,
    SKUID_IN_RANGE,
    SKUID_NOT_IN_RANGE,
    IN_LOOPBACK,
    NOT_IN_LOOPBACK,
    OUT_LOOPBACK,
    MARK_IN_RANGE,
    MARK_SET,
    ADDRESS,              // destination in prefix
    ADDRESS_NOT_IN,       // destination of that family, not in set
    PROTOCOL,             // the one protocol
    PROTOCOL_IN,          // protocol in set
    PORT,                 // protocol (unless both) and destination port in first..last
    PORT_IN,              // protocol and destination port in set
    FIB_LOCAL,            // destination is an address of this host
    FIB_NOT_IN,           // type of destination not in set
    SOCKET_SLICE_IN,      // the receiving socket's slice in set
    MARK_SOCKET_SLICE_IN, // mark and the receiving socket's slice in set
    SOCKET_FOUND,         // there is a receiving socket that can be looked into
    LIMIT,                // first packets a minute, last at once
    LOG,
    COUNTER,
    COUNTER_MAP, // counter by packet mark
    ACCEPT,
    GOTO,
    REJECT_RESET,
    REJECT_PROHIBITED,
    STATEMENT_COUNT,
};

struct statement {
    enum statement_kind kind;
    uint32_t first, last; // range of marks, UIDs or ports; first alone: a value
    const char *name;     // set, map, chain, counter or log prefix; a literal or owned by the ruleset
    struct prefix prefix; // ADDRESS; ADDRESS_NOT_IN uses its family
    unsigned protocols;   // enum protocol, or-ed
    bool family_known;    // ADDRESS_NOT_IN: an earlier match has settled the family
};

#define RULE_STATEMENTS_MAX 10

struct rule {
    const char *chain;
    struct statement statements[RULE_STATEMENTS_MAX];
    size_t count;
};

// A base chain has a hook; NO_HOOK is a chain that others go to.
enum chain_hook { NO_HOOK, HOOK_INPUT, HOOK_OUTPUT };

struct chain {
    const char *name;
    enum chain_hook hook;
};

// What a set holds; the table in ruleset_base.c has a row for each type. Fixed sets hold exactly the elements
// of the base; the others hold those of the agents.
struct set_type {
    const char *text;     // "type mark : verdict"
    uint32_t type, bytes; // nft's number for the type (for listings only) and the key's size
    uint32_t flags;       // NFT_SET_*
    bool host_order;      // the key is a number in this machine's byte order (for listings only)
};

struct set {
    const char *name;
    const struct set_type *type;
    bool fixed;
};

struct element {
    const char *set;
    uint8_t key[16];
    size_t key_size;
    bool interval_end;
    const char *chain;   // of a verdict map: jump there
    const char *counter; // of a counter map
};

// The base, or what belongs to one agent. Appending never fails halfway: after the first failed allocation
// failed is set and ruleset_build_*() says so.
struct ruleset {
    struct chain *chains;
    struct set *sets;
    const char **counters;
    struct rule *rules;
    struct element *elements;
    size_t chain_count, set_count, counter_count, rule_count, element_count;
    struct strv strings; // owned names
    bool failed;
};

int ruleset_build_base(uint32_t uid_first, uint32_t uid_last, struct ruleset *ret,
                       struct error *err) _must_check_;
int ruleset_build_agent(const struct egress_policy *p, struct ruleset *ret, struct error *err) _must_check_;
void ruleset_clear(struct ruleset *rs);
#define _cleanup_ruleset_ _cleanup_(ruleset_clear)

// For the builders.
void ruleset_add_chain(struct ruleset *rs, const char *name, enum chain_hook hook);
void ruleset_add_set(struct ruleset *rs, const struct set *set);
void ruleset_add_counter(struct ruleset *rs, const char *name);
void ruleset_add_rule(struct ruleset *rs, const char *chain, const struct statement *statements,
                      size_t count);
void ruleset_add_element(struct ruleset *rs, const struct element *element);
const char *ruleset_name(struct ruleset *rs, const char *format, ...)
    _printf_(2, 3); // owned by rs; "" on failure

#define RULE(rs, chain, ...)                                                                                 \
    ruleset_add_rule(rs, chain, (const struct statement[]){ __VA_ARGS__ },                                   \
                     ARRAY_SIZE(((const struct statement[]){ __VA_ARGS__ })))

// nft's text of a rule, as nft lists it, without the newline. The caller frees; NULL: out of memory.
char *rule_text(const struct rule *rule) _must_check_;
void statement_add_text(const struct statement *s, struct text *t);

struct nftnl_rule;
struct nftnl_chain;
struct nftnl_set;
struct nftnl_set_elem;
// The same as libnftnl's objects, which the caller frees. NULL: out of memory.
struct nftnl_rule *rule_object(const struct rule *rule) _must_check_;
struct nftnl_chain *chain_object(const struct chain *chain) _must_check_;
struct nftnl_set *set_object(const struct set *set) _must_check_;
struct nftnl_set *set_object_named(const char *name) _must_check_; // only table and name, for its elements
struct nftnl_set_elem *element_object(const struct element *element) _must_check_;
int statement_add_expressions(const struct statement *s, struct nftnl_rule *rule) _must_check_; // -ENOMEM
