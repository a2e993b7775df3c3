// The UID ledger /var/lib/agentctl/uids: which UID belongs or belonged to which agent. A retired UID is never
// given out again. One line an entry: "UID NAME live|retired".
#pragma once

#include <stdint.h>

#include "base/error.h"
#include "plan/conf.h"

enum ledger_entry { LEDGER_NONE, LEDGER_LIVE };

// The live UID of an agent.
int ledger_find(const char *agent, enum ledger_entry *ret, uint32_t *ret_uid, struct error *err) _must_check_;
// The lowest UID of the range that the ledger has never given out and passwd, group, subuid and subgid do not
// know. err: "all N UIDs of UIDRange= are used or retired".
int ledger_next_uid(const struct conf *conf, uint32_t *ret, struct error *err) _must_check_;
int ledger_reserve(const char *agent, uint32_t uid, struct error *err) _must_check_;
// Takes back a reservation under which nothing has ever run.
int ledger_release(const char *agent, uint32_t uid, struct error *err) _must_check_;
int ledger_retire(const char *agent, uint32_t uid, struct error *err) _must_check_;
