// The UID ledger /var/lib/agentctl/uids: which UID belongs or belonged to which agent. A retired UID is never
// given out again. One line an entry: "UID NAME live|retired". A ledger with anything else in it is an error
// that names the line: guessing would hand out somebody's UID. Changing functions need the lock (sys/lock.h).
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "base/text.h"
#include "plan/conf.h"

enum ledger_entry { LEDGER_NONE, LEDGER_LIVE };

// The live UID of an agent.
int ledger_find(const char *agent, enum ledger_entry *ret, uint32_t *ret_uid, struct error *err) _must_check_;
// Adds the names of all agents that have a live UID.
int ledger_list_live(struct strv *ret, struct error *err) _must_check_;
// Whether the UID was ever given out, to whichever agent.
int ledger_has_uid(uint32_t uid, bool *ret, struct error *err) _must_check_;
// The lowest UID of the range that the ledger has never given out and passwd, group, subuid and subgid do not
// know. err: "all N UIDs of UIDRange= are used or retired".
int ledger_next_uid(const struct conf *conf, uint32_t *ret, struct error *err) _must_check_;
// Fine if this agent has this UID already; any other entry of the agent or the UID is an error.
int ledger_reserve(const char *agent, uint32_t uid, struct error *err) _must_check_;
// Takes back a reservation under which nothing has ever run; fine if there is none.
int ledger_release(const char *agent, uint32_t uid, struct error *err) _must_check_;
// From now on nobody gets the UID. Fine if it is retired; an unknown UID is entered as retired.
int ledger_retire(const char *agent, uint32_t uid, struct error *err) _must_check_;
