// Compares wanted and observed and lists the steps between them. One row a step says when it is needed, so
// that the order of the step table is the order of the plan. Pure.
#include "plan/diff.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/text.h"

struct comparison {
    const struct state *wanted, *observed;
};

static bool lacks(enum presence wanted, enum presence observed)
{
    return wanted == PRESENCE_CURRENT && observed != PRESENCE_CURRENT;
}

static bool exceeds(enum presence wanted, enum presence observed)
{
    return wanted == PRESENCE_ABSENT && observed != PRESENCE_ABSENT;
}

static bool starts_slice(const struct comparison *c)
{
    return c->wanted->slice && !c->observed->slice;
}

static bool stops_slice(const struct comparison *c)
{
    return !c->wanted->slice && c->observed->slice;
}

static bool needs_reserve_uid(const struct comparison *c)
{
    return lacks(c->wanted->ledger, c->observed->ledger);
}

static bool needs_write_spec(const struct comparison *c)
{
    return c->wanted->spec_text && !str_equal(c->wanted->spec_text, c->observed->spec_text);
}

static bool needs_create_account(const struct comparison *c)
{
    return lacks(c->wanted->account, c->observed->account);
}

static bool needs_make_workspace(const struct comparison *c)
{
    return lacks(c->wanted->workspace, c->observed->workspace);
}

static bool needs_install_rules(const struct comparison *c)
{
    return lacks(c->wanted->rules, c->observed->rules);
}

// What can be changed while it runs: the slice's limits, and the service's address filter, which follows from
// the same keys as the rules do.
static bool needs_set_limits(const struct comparison *c)
{
    bool stays = c->wanted->slice && c->observed->slice;
    bool filter = needs_install_rules(c) && c->observed->service == SERVICE_RUNNING;
    return stays && (lacks(c->wanted->limits, c->observed->limits) || filter);
}

static bool needs_start_service(const struct comparison *c)
{
    return c->wanted->service == SERVICE_RUNNING && c->observed->service != SERVICE_RUNNING;
}

// Every start writes it anew, and with it the record of what was started.
static bool needs_write_launch(const struct comparison *c)
{
    return c->wanted->launch_text &&
           (needs_start_service(c) || !str_equal(c->wanted->launch_text, c->observed->launch_text));
}

// A failed unit keeps its name: it has to be reset, which stopping does.
static bool needs_stop_service(const struct comparison *c)
{
    return c->wanted->service == SERVICE_STOPPED && c->observed->service != SERVICE_STOPPED;
}

// What an agent left outside its unit ends with it: processes of the UID anywhere.
static bool needs_kill_processes(const struct comparison *c)
{
    return needs_stop_service(c) || stops_slice(c) || exceeds(c->wanted->account, c->observed->account);
}

static bool needs_remove_launch(const struct comparison *c)
{
    return !c->wanted->launch_text && c->observed->launch_text;
}

static bool needs_close_loopback(const struct comparison *c)
{
    return stops_slice(c) && c->wanted->rules != PRESENCE_ABSENT;
}

static bool needs_remove_workspace(const struct comparison *c)
{
    return exceeds(c->wanted->workspace, c->observed->workspace);
}

static bool needs_remove_account(const struct comparison *c)
{
    return exceeds(c->wanted->account, c->observed->account);
}

static bool needs_remove_rules(const struct comparison *c)
{
    return exceeds(c->wanted->rules, c->observed->rules);
}

static bool needs_retire_uid(const struct comparison *c)
{
    return exceeds(c->wanted->ledger, c->observed->ledger);
}

static bool needs_remove_spec(const struct comparison *c)
{
    return !c->wanted->spec_text && c->observed->spec_text;
}

enum object {
    OBJECT_UID,
    OBJECT_SPEC,
    OBJECT_USER,
    OBJECT_DIRECTORY,
    OBJECT_AGENT,
    OBJECT_SLICE,
    OBJECT_LAUNCH,
    OBJECT_SERVICE
};

static const struct {
    bool (*needed)(const struct comparison *c);
    enum object object;
} rows[STEP_COUNT] = {
    [STEP_RESERVE_UID] = { needs_reserve_uid, OBJECT_UID },
    [STEP_WRITE_SPEC] = { needs_write_spec, OBJECT_SPEC },
    [STEP_CREATE_ACCOUNT] = { needs_create_account, OBJECT_USER },
    [STEP_MAKE_WORKSPACE] = { needs_make_workspace, OBJECT_DIRECTORY },
    [STEP_SET_LIMITS] = { needs_set_limits, OBJECT_SLICE },
    [STEP_INSTALL_RULES] = { needs_install_rules, OBJECT_AGENT },
    [STEP_START_SLICE] = { starts_slice, OBJECT_SLICE },
    [STEP_OPEN_LOOPBACK] = { starts_slice, OBJECT_AGENT },
    [STEP_WRITE_LAUNCH] = { needs_write_launch, OBJECT_LAUNCH },
    [STEP_START_SERVICE] = { needs_start_service, OBJECT_SERVICE },
    [STEP_STOP_SERVICE] = { needs_stop_service, OBJECT_SERVICE },
    [STEP_KILL_PROCESSES] = { needs_kill_processes, OBJECT_UID },
    [STEP_REMOVE_LAUNCH] = { needs_remove_launch, OBJECT_LAUNCH },
    [STEP_STOP_SLICE] = { stops_slice, OBJECT_SLICE },
    [STEP_CLOSE_LOOPBACK] = { needs_close_loopback, OBJECT_AGENT },
    [STEP_REMOVE_SPEC] = { needs_remove_spec, OBJECT_SPEC },
    [STEP_REMOVE_WORKSPACE] = { needs_remove_workspace, OBJECT_DIRECTORY },
    [STEP_REMOVE_ACCOUNT] = { needs_remove_account, OBJECT_USER },
    [STEP_REMOVE_RULES] = { needs_remove_rules, OBJECT_AGENT },
    [STEP_RETIRE_UID] = { needs_retire_uid, OBJECT_UID },
};

static char *object_text(enum object object, const struct agent_names *names, uint32_t uid)
{
    const char *const texts[] = {
        [OBJECT_SPEC] = names->spec_file,      [OBJECT_USER] = names->user,
        [OBJECT_DIRECTORY] = names->directory, [OBJECT_AGENT] = names->agent,
        [OBJECT_SLICE] = names->slice,         [OBJECT_LAUNCH] = names->launch_file,
        [OBJECT_SERVICE] = names->service,
    };
    char *text = NULL;
    int n = object == OBJECT_UID ? asprintf(&text, "UID %u", uid) : asprintf(&text, "%s", texts[object]);
    return n < 0 ? NULL : text;
}

int diff_states(const struct agent_names *names, const struct state *wanted, const struct state *observed,
                struct plan *ret, struct error *err)
{
    const struct comparison c = { .wanted = wanted, .observed = observed };
    _cleanup_plan_ struct plan plan = { 0 };
    for (size_t kind = 0; kind < STEP_COUNT; kind++) {
        if (!rows[kind].needed(&c))
            continue;
        _cleanup_free_ char *object = object_text(rows[kind].object, names, wanted->uid);
        if (!object)
            return error_oom(err);
        int r = plan_add(&plan, (enum step_kind)kind, object, err);
        if (r < 0)
            return r;
    }
    *ret = plan;
    plan = (struct plan){ 0 };
    return 0;
}
