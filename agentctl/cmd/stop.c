// agentctl stop: service and slice end, and every process of the user with them.
#include "cmd/change.h"
#include "cmd/verbs.h"

static int run_stop(const struct options *o, struct error *err)
{
    return change_each(&verb_stop, o, INTENT_STOPPED, "stopped", err);
}

static const char *const options[] = { "dry-run", "json", "quiet", NULL };

const struct verb verb_stop = {
    .name = "stop",
    .group = "life",
    .operands = "NAME...",
    .summary = "stop agents and every process of their users",
    .options = options,
    .operands_min = 1,
    .operands_max = -1,
    .run = run_stop,
};
