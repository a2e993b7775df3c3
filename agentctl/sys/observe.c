// Reads user database, directories, nftables, manager and files into one state. Changes nothing.
#include "sys/observe.h"

#include <errno.h>
#include <string.h>

#include "plan/launch.h"
#include "sys/account.h"
#include "sys/store.h"
#include "sys/workspace.h"

static int observe_account(const struct agent *a, struct state *s, struct error *err)
{
    _cleanup_account_ struct account account = { 0 };
    int r = account_read(a->names.user, &account, err);
    if (r < 0)
        return r;
    if (!account.user_exists && !account.group_exists) {
        s->account = PRESENCE_ABSENT;
        return 0;
    }
    bool ours = s->ledger == PRESENCE_CURRENT && (!account.user_exists || account.uid == a->uid) &&
                (!account.group_exists || account.gid == a->uid);
    if (!ours)
        return error_set(err, EEXIST, "%s %s exists and is not one that agentctl made (UID %u, GID %u)",
                         account.user_exists ? "user" : "group", a->names.user,
                         account.user_exists ? account.uid : (uid_t)-1, account.gid);
    bool whole = account.user_exists && account.group_exists && str_equal(account.home, a->names.home);
    s->account = whole ? PRESENCE_CURRENT : PRESENCE_DIFFERENT;
    return 0;
}

static int observe_workspace(const struct agent *a, struct state *s, struct error *err)
{
    _cleanup_workspace_ struct workspace observed = { 0 };
    int r = workspace_read(&a->names, &observed, err);
    if (r < 0)
        return r;
    if (!observed.directories[WORKSPACE_BASE].exists) {
        s->workspace = PRESENCE_ABSENT;
        return 0;
    }
    gid_t operators = (gid_t)-1;
    r = agent_operators(a->conf, &operators, err);
    if (r < 0)
        return r;
    _cleanup_workspace_ struct workspace wanted = { 0 };
    r = workspace_want(a->uid, operators, &wanted, err);
    if (r < 0)
        return r;
    s->workspace = workspace_equal(&wanted, &observed) ? PRESENCE_CURRENT : PRESENCE_DIFFERENT;
    return 0;
}

// Without a UID there can be no rules: chain and elements are made after the reservation.
static int observe_rules(struct machine *m, const struct agent *a, struct state *s, struct error *err)
{
    static const enum presence presences[] = {
        [NFT_MATCH_ABSENT] = PRESENCE_ABSENT,
        [NFT_MATCH_DIFFERENT] = PRESENCE_DIFFERENT,
        [NFT_MATCH_SAME] = PRESENCE_CURRENT,
    };
    if (!a->policy.chain) {
        s->rules = PRESENCE_ABSENT;
        return 0;
    }
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

static int observe_units(struct machine *m, const struct agent *a, struct state *s, struct error *err)
{
    _cleanup_unit_states_ struct unit_state_list units = { 0 };
    int r = manager_list_agent_units(m->manager, &units, err);
    if (r < 0)
        return r;
    const struct unit_state *service = unit_state_find(&units, a->names.service);
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

int observe_state(struct machine *m, const struct agent *a, struct state *ret, struct error *err)
{
    _cleanup_state_ struct state s = { .uid = a->uid };
    s.ledger = a->uid_reserved ? PRESENCE_CURRENT : PRESENCE_ABSENT;
    int r = observe_files(a, &s, err);
    if (r < 0)
        return r;
    r = observe_account(a, &s, err);
    if (r < 0)
        return r;
    r = observe_workspace(a, &s, err);
    if (r < 0)
        return r;
    r = observe_rules(m, a, &s, err);
    if (r < 0)
        return r;
    r = observe_units(m, a, &s, err);
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

static int want_launch(const struct agent *a, char **ret, struct error *err)
{
    const struct launch_policy policy = { .agent = a->names.agent, .command = a->effective->command };
    *ret = launch_policy_dump(&policy);
    return *ret ? 0 : error_oom(err);
}

int want_state(const struct agent *a, enum intent intent, const struct state *observed, struct state *ret,
               struct error *err)
{
    _cleanup_state_ struct state s = { .uid = a->uid };
    int r = 0;
    if (intent != INTENT_GONE) {
        s.ledger = s.account = s.workspace = s.rules = PRESENCE_CURRENT;
        s.spec_text = spec_dump(a->own);
        if (!s.spec_text)
            return error_oom(err);
    }
    // A service that runs keeps running with what it was started with.
    bool keep =
        intent == INTENT_DEFINED || (intent == INTENT_RUNNING && observed->service == SERVICE_RUNNING);
    if (keep) {
        s.slice = observed->slice;
        s.service = observed->service;
        r = copy_text(&s.launch_text, observed->launch_text, err);
    } else if (intent == INTENT_RUNNING) {
        s.slice = true;
        s.service = SERVICE_RUNNING;
        r = want_launch(a, &s.launch_text, err);
    }
    if (r < 0)
        return r;
    *ret = s;
    s = (struct state){ 0 };
    return 0;
}
