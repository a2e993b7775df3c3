// Gathers what is to be shown. One question to systemd and one to nftables, however many agents there are.
#include "cmd/view.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/output.h"
#include "plan/launch.h"
#include "sys/account.h"
#include "sys/store.h"

static const char *const state_names[VIEW_STATE_COUNT] = {
    [VIEW_RUNNING] = "running",       [VIEW_STARTING] = "starting", [VIEW_RESTARTING] = "restarting",
    [VIEW_STOPPING] = "stopping",     [VIEW_STOPPED] = "stopped",   [VIEW_FAILED] = "failed",
    [VIEW_INCOMPLETE] = "incomplete",
};

const char *view_state_name(enum view_state s)
{
    return state_names[s];
}

bool view_is_unrestricted(const struct view *v)
{
    return v->mode_known && v->mode == MODE_UNRESTRICTED;
}

const char *view_mode(const struct view *v)
{
    return v->mode_known ? mode_name(v->mode) : "-";
}

const char *view_egress(const struct view *v)
{
    return v->agent.effective ? egress_name(v->agent.effective->egress) : "-";
}

static bool is_complete(const struct view *v)
{
    _cleanup_account_ struct account account = { 0 };
    _cleanup_error_ struct error ignored = { 0 };
    if (!v->agent.uid_known || (!v->agent.own && !v->agent.broken.text))
        return false;
    return account_read(v->agent.names.user, &account, &ignored) >= 0 && account.user_exists &&
           account.group_exists && account.uid == v->agent.uid;
}

// unit: NULL if systemd has not loaded it.
static enum view_state state_of(const struct view *v, const struct unit_state *unit)
{
    const char *active = unit ? unit->active_state : "inactive";
    if (str_equal(active, "active") || str_equal(active, "reloading"))
        return VIEW_RUNNING;
    if (str_equal(active, "activating"))
        return str_prefix(unit->sub_state, "auto-restart") ? VIEW_RESTARTING : VIEW_STARTING;
    if (str_equal(active, "deactivating"))
        return VIEW_STOPPING;
    if (!is_complete(v))
        return VIEW_INCOMPLETE;
    return str_equal(active, "failed") ? VIEW_FAILED : VIEW_STOPPED;
}

static bool is_up(const struct view *v)
{
    return v->state == VIEW_RUNNING || v->state == VIEW_STARTING || v->state == VIEW_RESTARTING ||
           v->state == VIEW_STOPPING;
}

// The spec may have changed since the start: what runs is what the launcher was told.
static int read_mode(struct view *v, struct error *err)
{
    const struct agent *a = &v->agent;
    v->mode_known = a->effective;
    v->mode = a->effective ? a->effective->mode : MODE_STANDARD;
    if (!is_up(v))
        return 0;
    _cleanup_free_ char *text = NULL;
    int r = store_read_launch(&a->names, &text, err);
    if (r < 0 || !text)
        return r;
    struct launch_policy policy = { 0 };
    r = launch_policy_parse(&policy, a->names.launch_file, text, strlen(text), err);
    if (r >= 0) {
        v->mode_known = true;
        v->mode = policy.mode;
    }
    launch_policy_clear(&policy);
    return r;
}

static int read_cgroups(struct view *v, struct error *err)
{
    const struct agent_names *names = &v->agent.names;
    int r = cgroup_read_usage(names->slice_cgroup, &v->usage, err);
    if (r < 0)
        return r;
    if (!is_up(v))
        return 0;
    _cleanup_free_ char *path = NULL;
    if (asprintf(&path, "%s/%s", names->slice_cgroup, names->service) < 0) {
        path = NULL;
        return error_oom(err);
    }
    _cleanup_error_ struct error gone = { 0 }; // it may end while we look
    if (cgroup_oldest_process(path, &v->main_pid, &v->since_usec, &gone) < 0 || v->main_pid == 0)
        v->since_usec = 0;
    return 0;
}

// Counters are extra: without the privilege to read them everything else is shown all the same.
static int read_counters(struct view_list *l, struct error *err)
{
    _cleanup_error_ struct error ignored = { 0 };
    if (nft_open(&l->nft, &ignored) < 0)
        return 0;
    _cleanup_free_ struct egress_policy *policies = calloc(l->count + 1, sizeof(*policies));
    _cleanup_free_ struct nft_counters *counters = calloc(l->count + 1, sizeof(*counters));
    if (!policies || !counters)
        return error_oom(err);
    size_t n = 0;
    for (size_t i = 0; i < l->count; i++)
        if (l->items[i].agent.uid_known)
            policies[n++] = l->items[i].agent.policy; // borrowed
    if (nft_counters_read(l->nft, policies, n, counters, &ignored) < 0) {
        l->nft = nft_close(l->nft);
        return 0;
    }
    for (size_t i = 0, k = 0; i < l->count; i++)
        if (l->items[i].agent.uid_known)
            l->items[i].counters = counters[k++];
    return 0;
}

static int read_agents(struct view_list *l, size_t count, char **names, struct error *missing,
                       struct error *err)
{
    l->items = calloc(count + 1, sizeof(*l->items));
    if (!l->items)
        return error_oom(err);
    for (size_t i = 0; i < count; i++) {
        _cleanup_error_ struct error e = { 0 };
        int r = agent_load(&l->items[l->count].agent, &l->conf, names[i], &e);
        if (r >= 0)
            l->count++;
        else if (e.class == ERROR_NO_AGENT)
            (void)error_add(missing, ERROR_NO_AGENT, "%s", e.text);
        else
            return error_class(err, e.class, "%s", e.text);
    }
    return 0;
}

static int read_named_or_all(struct view_list *l, int count, char **names, struct error *missing,
                             struct error *err)
{
    if (count > 0)
        return read_agents(l, (size_t)count, names, missing, err);
    _cleanup_strv_ struct strv all = { 0 };
    int r = agent_list_names(&all, err);
    return r < 0 ? r : read_agents(l, all.count, all.items, missing, err);
}

int view_list_load(struct view_list *l, int count, char **names, struct error *missing, struct error *err)
{
    int r = store_read_conf(&l->conf, err);
    if (r < 0)
        return r;
    r = read_named_or_all(l, count, names, missing, err);
    if (r < 0)
        return r;
    if (l->count == 0 && missing->text) // nothing is left to ask systemd about
        return error_class(err, missing->class, "%s", missing->text);
    r = manager_open(&l->manager, err);
    if (r < 0)
        return r;
    _cleanup_unit_states_ struct unit_state_list units = { 0 };
    r = manager_list_agent_units(l->manager, &units, err);
    for (size_t i = 0; i < l->count && r >= 0; i++) {
        struct view *v = &l->items[i];
        v->state = state_of(v, unit_state_find(&units, v->agent.names.service));
        r = read_mode(v, err);
        if (r >= 0)
            r = read_cgroups(v, err);
    }
    return r < 0 ? r : read_counters(l, err);
}

static json_t *counter_json(const struct nft_counter *c)
{
    return json_pack("{s:I, s:I}", "packets", (json_int_t)c->packets, "bytes", (json_int_t)c->bytes);
}

static json_t *network_json(const struct view *v, bool known)
{
    if (!known)
        return json_null();
    return json_pack("{s:o, s:o}", "accepted", counter_json(&v->counters.accepted), "refused",
                     counter_json(&v->counters.refused));
}

static json_t *usage_json(const struct cgroup_usage *u)
{
    if (!u->exists)
        return json_null();
    return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "cpu_usec", output_json_number(u->cpu_usec),
                     "memory_bytes", output_json_number(u->memory_current), "memory_peak_bytes",
                     output_json_number(u->memory_peak), "tasks", output_json_number(u->tasks_current),
                     "io_read_bytes", output_json_number(u->io_read_bytes), "io_write_bytes",
                     output_json_number(u->io_write_bytes), "oom_kills", output_json_number(u->oom_kills));
}

json_t *view_json(const struct view *v, bool counters_known)
{
    const struct agent *a = &v->agent;
    const struct spec *spec = a->effective;
    return json_pack("{s:s, s:s, s:s?, s:s?, s:b, s:s, s:s, s:o, s:o, s:o, s:o, s:o}", "name", a->names.agent,
                     "state", view_state_name(v->state), "mode", v->mode_known ? mode_name(v->mode) : NULL,
                     "egress", spec ? egress_name(spec->egress) : NULL, "unrestricted",
                     view_is_unrestricted(v), "user", a->names.user, "unit", a->names.service, "uid",
                     a->uid_known ? json_integer(a->uid) : json_null(), "main_pid",
                     v->main_pid > 0 ? json_integer(v->main_pid) : json_null(), "since_usec",
                     v->since_usec > 0 ? output_json_number(v->since_usec) : json_null(), "usage",
                     usage_json(&v->usage), "network", network_json(v, counters_known));
}

void view_list_clear(struct view_list *l)
{
    for (size_t i = 0; i < l->count; i++)
        agent_clear(&l->items[i].agent);
    free(l->items);
    (void)manager_close(l->manager);
    (void)nft_close(l->nft);
    conf_clear(&l->conf);
    *l = (struct view_list){ 0 };
}
