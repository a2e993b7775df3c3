// agentctl restart: stop, then start; an agent that was stopped is started.
#include "cmd/change.h"
#include "cmd/verbs.h"

static int restart_named(struct change *c, const char *name, struct error *err)
{
    _cleanup_agent_ struct agent a = { 0 };
    int r = agent_load(&a, &c->machine.conf, name, err);
    if (r < 0)
        return r;
    change_warn_of_mode(c->options, &a);
    return change_restart(c, &a, err);
}

static int run_restart(const struct options *o, struct error *err)
{
    _cleanup_change_ struct change c = { 0 };
    int r = change_begin(&c, &verb_restart, o, false, err);
    if (r < 0)
        return r;
    for (int i = 0; i < o->argc; i++) {
        _cleanup_error_ struct error cause = { 0 };
        if (restart_named(&c, o->argv[i], &cause) < 0)
            change_failed(&c, o->argv[i], &cause, err);
    }
    return change_end(&c, err);
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
