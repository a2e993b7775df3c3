// What verbs share when they name agents on the command line.
#pragma once

#include "cmd/verb.h"
#include "sys/agent.h"

// Reads one agent; if there is none of that name: class ERROR_NO_AGENT, with the nearest name there is.
int agent_load(struct agent *ret, const struct conf *conf, const char *name, struct error *err) _must_check_;

// The agents named by the operands, or all there are. Errors as agent_load().
struct agent_list {
    struct conf conf;
    struct agent *items;
    size_t count;
};
int agent_list_load(struct agent_list *ret, int count, char **names, struct error *err) _must_check_;
void agent_list_clear(struct agent_list *l);
#define _cleanup_agent_list_ _cleanup_(agent_list_clear)
