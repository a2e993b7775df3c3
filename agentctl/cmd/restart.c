// agentctl restart: stop, then start; an agent that was stopped is started.
#include "cmd/change.h"
#include "cmd/verbs.h"

static int run_restart(const struct options *o, struct error *err)
{
    _cleanup_change_ struct change c = { 0 };
    int r = change_begin(&c, &verb_restart, o, err);
    if (r < 0)
        return r;
    _cleanup_agent_list_ struct agent_list agents = { 0 };
    r = agent_list_load(&agents, o->argc, o->argv, err);
    for (size_t i = 0; r >= 0 && i < agents.count; i++) {
        change_warn_of_mode(o, &agents.items[i]);
        r = change_restart(&c, &agents.items[i], err);
    }
    return r < 0 ? r : change_end(&c, err);
}

static const char *const options[] = { "dry-run", "json", "quiet", NULL };

const struct verb verb_restart = {
    .name = "restart",
    .group = "life",
    .operands = "NAME...",
    .summary = "stop agents, then start them with their present specs",
    .options = options,
    .operands_min = 1,
    .operands_max = -1,
    .run = run_restart,
};
