// Reads user database, directories, nftables, manager and files into one state. Changes nothing.
#include "sys/observe.h"

#include <errno.h>
#include <string.h>

#include "sys/account.h"
#include "sys/cgroup.h"
#include "sys/limits.h"
#include "sys/store.h"
#include "sys/workspace.h"

static bool is_ours(const struct agent *a, const struct account *account)
{
    return a->uid_reserved && (!account->user_exists || account->uid == a->uid) &&
           (!account->group_exists || account->gid == a->uid);
}

static int observe_account(const struct agent *a, bool ends, struct state *s, struct error *err)
{
    const struct agent_names *names = &a->names;
    _cleanup_account_ struct account account = { 0 };
    int r = account_read(names->user, &account, err);
    if (r < 0)
        return r;
    s->account = PRESENCE_ABSENT;
    if (!account.user_exists && !account.group_exists)
        return 0;
    if (!is_ours(a, &account))
        return ends ? 0
                    : error_set(err, EEXIST, "%s %s exists and is not one that agentctl made",
                                account.user_exists ? "user" : "group", names->user);
    s->account = account.user_exists && account.group_exists ? PRESENCE_CURRENT : PRESENCE_DIFFERENT;
    // Somebody may have changed it since: a group, a password, a shell. That is for a person to decide.
    return s->account == PRESENCE_CURRENT && !ends ? account_check(names->user, a->uid, names->home, err) : 0;
}

static int compare_workspace(const struct agent *a, const struct workspace *observed, struct state *s,
                             struct error *err)
{
    gid_t operators = (gid_t)-1;
    int r = agent_operators(a->conf, &operators, err);
    if (r < 0)
        return r;
    _cleanup_workspace_ struct workspace wanted = { 0 };
    r = workspace_want(a->uid, operators, &wanted, err);
    if (r < 0)
        return r;
    s->workspace = workspace_equal(&wanted, observed) ? PRESENCE_CURRENT : PRESENCE_DIFFERENT;
    return 0;
}

static int observe_workspace(const struct agent *a, bool ends, struct state *s, struct error *err)
{
    _cleanup_workspace_ struct workspace observed = { 0 };
    _cleanup_error_ struct error cause = { 0 };
    int r = workspace_read(&a->names, &observed, &cause);
    if (r >= 0 && !observed.directories[WORKSPACE_BASE].exists) {
        s->workspace = PRESENCE_ABSENT;
        return 0;
    }
    if (r >= 0)
        r = compare_workspace(a, &observed, s, &cause);
    if (r >= 0)
        return 0;
    s->workspace = PRESENCE_DIFFERENT;
    return ends ? 0 : error_class(err, cause.class, "%s", cause.text);
}

// Without a UID there can be no rules, nor without nftables (machine_open() insists on it where it matters).
static int observe_rules(struct machine *m, const struct agent *a, struct state *s, struct error *err)
{
    static const enum presence presences[] = {
        [NFT_MATCH_ABSENT] = PRESENCE_ABSENT,
        [NFT_MATCH_DIFFERENT] = PRESENCE_DIFFERENT,
        [NFT_MATCH_SAME] = PRESENCE_CURRENT,
    };
    s->rules = PRESENCE_ABSENT;
    if (!a->policy.chain || !m->nft)
        return 0;
    enum nft_match match = NFT_MATCH_ABSENT;
    int r = nft_agent_match(m->nft, a->conf, &a->policy, &match, err);
    if (r < 0)
        return r;
    s->rules = presences[match];
    return 0;
}

static bool unit_is_up(const struct unit_state *unit)
{
    static const char *const up[] = { "active", "activating", "reloading", "deactivating" };
    for (size_t i = 0; unit && i < ARRAY_SIZE(up); i++)
        if (str_equal(unit->active_state, up[i]))
            return true;
    return false;
}

static int observe_units(struct machine *m, const struct agent *a, bool ends, struct state *s,
                         struct error *err)
{
    bool foreign = false;
    int r = manager_has_unit_file(m->manager, a->names.service, &foreign, err);
    if (r < 0)
        return r;
    if (foreign && !ends)
        return error_set(err, EEXIST, "%s is a unit of this host's own: the agent needs another name",
                         a->names.service);
    _cleanup_unit_states_ struct unit_state_list units = { 0 };
    r = manager_list_agent_units(m->manager, &units, err);
    if (r < 0)
        return r;
    const struct unit_state *service = foreign ? NULL : unit_state_find(&units, a->names.service);
    s->slice = unit_is_up(unit_state_find(&units, a->names.slice));
    if (unit_is_up(service))
        s->service = SERVICE_RUNNING;
    else if (service && str_equal(service->active_state, "failed"))
        s->service = SERVICE_FAILED;
    else
        s->service = SERVICE_STOPPED;
    return 0;
}

static int observe_files(const struct agent *a, struct state *s, struct error *err)
{
    size_t n = 0;
    int r = store_read_file(a->names.spec_file, &s->spec_file, &n, err);
    if (r < 0 && r != -ENOENT)
        return r;
    if (r >= 0) {
        _cleanup_spec_ struct spec *spec = NULL;
        _cleanup_error_ struct error broken = { 0 }; // agent_read() has kept it for whoever needs the spec
        r = store_read_spec(&a->names, &spec, &broken);
        s->spec_text = r >= 0 && spec ? spec_dump(spec) : strdup(s->spec_file);
        if (!s->spec_text)
            return error_oom(err);
    }
    return store_read_launch(&a->names, &s->launch_text, err);
}

static int observe_limits(const struct agent *a, struct state *s, struct error *err)
{
    s->limits = PRESENCE_ABSENT;
    if (!s->slice || !a->effective)
        return 0;
    struct cgroup_usage usage = { 0 };
    int r = cgroup_read_usage(a->names.slice_cgroup, &usage, err);
    if (r < 0)
        return r;
    struct limit limits[LIMITS_COUNT];
    limits_of(a->effective, &usage, limits);
    s->limits = limits_find_different(limits) ? PRESENCE_DIFFERENT : PRESENCE_CURRENT;
    return 0;
}

int observe_state(struct machine *m, const struct agent *a, enum intent intent, struct state *ret,
                  struct error *err)
{
    bool ends = intent == INTENT_STOPPED || intent == INTENT_GONE;
    _cleanup_state_ struct state s = { .uid = a->uid };
    s.ledger = a->uid_reserved ? PRESENCE_CURRENT : PRESENCE_ABSENT;
    int r = observe_files(a, &s, err);
    if (r >= 0)
        r = observe_units(m, a, ends, &s, err);
    if (r >= 0)
        r = observe_limits(a, &s, err);
    if (r >= 0)
        r = observe_account(a, ends, &s, err);
    if (r >= 0)
        r = observe_workspace(a, ends, &s, err);
    if (r >= 0)
        r = observe_rules(m, a, &s, err);
    if (r < 0)
        return r;
    *ret = s;
    s = (struct state){ 0 };
    return 0;
}

static int copy_text(char **to, const char *from, struct error *err)
{
    *to = from ? strdup(from) : NULL;
    return from && !*to ? error_oom(err) : 0;
}

// What stays as it is observed, whatever that is.
static int keep_definition(struct state *s, const struct state *observed, struct error *err)
{
    s->ledger = observed->ledger;
    s->account = observed->account;
    s->workspace = observed->workspace;
    s->rules = observed->rules;
    return copy_text(&s->spec_text, observed->spec_text, err);
}

static int want_definition(const struct agent *a, struct state *s, struct error *err)
{
    s->ledger = s->account = s->workspace = s->rules = s->limits = PRESENCE_CURRENT;
    s->spec_text = spec_dump(a->own);
    return s->spec_text ? 0 : error_oom(err);
}

static int keep_service(struct state *s, const struct state *observed, struct error *err)
{
    s->slice = observed->slice;
    s->service = observed->service;
    return copy_text(&s->launch_text, observed->launch_text, err);
}

static int want_service(const struct agent *a, struct state *s, struct error *err)
{
    s->slice = true;
    s->service = SERVICE_RUNNING;
    s->launch_text = agent_launch_text(a);
    return s->launch_text ? 0 : error_oom(err);
}

int want_state(const struct agent *a, enum intent intent, const struct state *observed, struct state *ret,
               struct error *err)
{
    _cleanup_state_ struct state s = { .uid = a->uid };
    int r = 0;
    if (intent == INTENT_STOPPED)
        r = keep_definition(&s, observed, err);
    else if (intent != INTENT_GONE)
        r = want_definition(a, &s, err);
    if (r < 0)
        return r;
    // A service that runs keeps running with what it was started with.
    if (intent == INTENT_DEFINED || (intent == INTENT_RUNNING && observed->service == SERVICE_RUNNING))
        r = keep_service(&s, observed, err);
    else if (intent == INTENT_RUNNING)
        r = want_service(a, &s, err);
    if (r < 0)
        return r;
    *ret = s;
    s = (struct state){ 0 };
    return 0;
}
