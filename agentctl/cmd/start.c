// agentctl start: slice, own loopback and service.
#include "cmd/change.h"
#include "cmd/verbs.h"

static int run_start(const struct options *o, struct error *err)
{
    return change_each(&verb_start, o, INTENT_RUNNING, "started", err);
}

static const char *const options[] = { "dry-run", "json", "quiet", NULL };

const struct verb verb_start = {
    .name = "start",
    .group = "life",
    .operands = "NAME...",
    .summary = "start agents, and wait until their commands run",
    .options = options,
    .operands_min = 1,
    .operands_max = -1,
    .run = run_start,
};
