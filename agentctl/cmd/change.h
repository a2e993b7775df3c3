// What all changing verbs do alike: need root, lock the machine, compare, plan, print or run the plan,
// report.
#pragma once

#include "cmd/agent.h"
#include "cmd/output.h"
#include "cmd/verb.h"
#include "sys/machine.h"
#include "sys/observe.h"

// One command's work on the machine.
struct change {
    const struct verb *verb;
    const struct options *options;
    struct machine machine;
    json_t *report; // one object an agent
    bool failed;    // for one agent at least; the others are gone on with
};

// Refuses without root; then opens and locks the machine (--dry-run: opens it only). ends: the verb starts
// nothing.
int change_begin(struct change *c, const struct verb *verb, const struct options *o, bool ends,
                 struct error *err) _must_check_;
// Brings one agent to what is wanted, or prints the plan. done: what to say if something was changed, as
// "started" in "started agent coder".
int change_agent(struct change *c, struct agent *a, enum intent intent, const char *done,
                 struct error *err) _must_check_;
// Stops, if it runs, and starts. --dry-run prints both plans.
int change_restart(struct change *c, struct agent *a, struct error *err) _must_check_;
// Notes that the agent of that name failed with cause, and goes on: err collects the causes of all.
void change_failed(struct change *c, const char *name, const struct error *cause, struct error *err);
// Prints the report with --json. Negative if an agent has failed. The change is closed by change_clear() in
// any case.
int change_end(struct change *c, struct error *err) _must_check_;
void change_clear(struct change *c);
#define _cleanup_change_ _cleanup_(change_clear)

// The verbs that do one thing to each agent they name (start, stop, destroy).
int change_each(const struct verb *verb, const struct options *o, enum intent intent, const char *done,
                struct error *err) _must_check_;

// Prints "agentctl: warning: ..." to standard error unless --quiet.
void change_warn(const struct options *o, const char *format, ...) _printf_(2, 3);
// Mode=unrestricted and what else a user must hear again at every create and start.
void change_warn_of_mode(const struct options *o, const struct agent *a);
