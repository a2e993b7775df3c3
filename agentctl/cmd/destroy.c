// agentctl destroy: nothing is left of the agent; its UID is retired.
#include "cmd/change.h"
#include "cmd/verbs.h"

static int run_destroy(const struct options *o, struct error *err)
{
    return change_each(&verb_destroy, o, INTENT_GONE, "destroyed", err);
}

static const char *const options[] = { "dry-run", "json", "quiet", NULL };

const struct verb verb_destroy = {
    .name = "destroy",
    .group = "life",
    .operands = "NAME...",
    .summary = "remove agents: processes, rules, user, workspace, spec",
    .options = options,
    .operands_min = 1,
    .operands_max = -1,
    .run = run_destroy,
};
