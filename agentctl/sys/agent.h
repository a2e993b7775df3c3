// One agent as its files and the ledger describe it: the context that observing, planning and looking share.
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/error.h"
#include "base/text.h"
#include "plan/conf.h"
#include "plan/egress.h"
#include "plan/names.h"
#include "spec/spec.h"

struct agent {
    const struct conf *conf; // borrowed
    struct agent_names names;
    struct spec *own; // what the spec file says, or what a command wants it to say; NULL: none, or broken
    struct spec *effective; // templates and defaults below it, checked; NULL if own is
    struct error broken;    // why the spec file or one of its templates can't be used; no text: it can
    bool uid_known;         // the ledger has a live UID for it, or agent_allocate_uid() found one
    bool uid_reserved;      // the ledger has it
    uint32_t uid;
    struct egress_policy policy; // if uid_known; without a usable spec it allows nothing
};

// Reads spec file and ledger. An agent that has neither is not an error: own is NULL and uid_known false. A
// spec that can't be used is not one either, so that the agent can still be listed and destroyed: see broken.
int agent_read(struct agent *ret, const struct conf *conf, const char *name, struct error *err) _must_check_;
void agent_clear(struct agent *a);
#define _cleanup_agent_ _cleanup_(agent_clear)

// The names of all agents there are, sorted: those with a spec file, and those that a killed command has left
// in the ledger without one.
int agent_list_names(struct strv *ret, struct error *err) _must_check_;

static inline bool agent_exists(const struct agent *a)
{
    return a->own || a->uid_known || a->broken.text;
}

// Fails, saying why, unless the agent has a spec that can be used.
int agent_require_spec(const struct agent *a, struct error *err) _must_check_;

// Replaces the spec that the agent has or is to have; owns it, also on failure.
int agent_set_spec(struct agent *a, struct spec *own, struct error *err) _must_check_;
// What the launcher is to be told. The caller frees; NULL: out of memory. The agent needs a usable spec.
char *agent_launch_text(const struct agent *a) _must_check_;
// Picks the UID that the agent would get. Nothing is written.
int agent_allocate_uid(struct agent *a, struct error *err) _must_check_;
// Builds the policy anew, with the id that the slice's cgroup has now (0 if there is none).
int agent_refresh_policy(struct agent *a, struct error *err) _must_check_;
// The operators' group of agentctl.conf, (gid_t)-1 if it names none. A group that does not exist is an error.
int agent_operators(const struct conf *conf, gid_t *ret, struct error *err) _must_check_;
