// Reads what files and ledger say of one agent. Changes nothing.
#include "sys/agent.h"

#include <errno.h>
#include <grp.h>
#include <stdlib.h>
#include <string.h>

#include "plan/launch.h"
#include "sys/cgroup.h"
#include "sys/ledger.h"
#include "sys/store.h"

static int read_parts(struct agent *a, const char *name, struct error *err)
{
    int r = agent_names_init(&a->names, name, a->conf->workspaces, err);
    if (r < 0)
        return r;
    enum ledger_entry entry = LEDGER_NONE;
    r = ledger_find(name, &entry, &a->uid, err);
    if (r < 0)
        return r;
    a->uid_known = a->uid_reserved = entry == LEDGER_LIVE;

    struct spec *own = NULL;
    r = store_read_spec(&a->names, &own, &a->broken);
    if (r >= 0 && own)
        r = agent_set_spec(a, own, &a->broken);
    if (r == -ENOMEM)
        return error_oom(err);
    if (a->broken.text)
        a->own = spec_free(a->own);
    return a->uid_known ? agent_refresh_policy(a, err) : 0;
}

int agent_read(struct agent *ret, const struct conf *conf, const char *name, struct error *err)
{
    _cleanup_agent_ struct agent a = { .conf = conf };
    int r = read_parts(&a, name, err);
    if (r < 0)
        return r;
    *ret = a;
    a = (struct agent){ 0 };
    return 0;
}

static int compare_names(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

// Sorts, and drops the second of two that are equal.
static void make_unique(struct strv *v)
{
    if (v->count == 0)
        return;
    qsort(v->items, v->count, sizeof(*v->items), compare_names);
    size_t kept = 1;
    for (size_t i = 1; i < v->count; i++) {
        if (str_equal(v->items[i], v->items[kept - 1]))
            free(v->items[i]);
        else
            v->items[kept++] = v->items[i];
    }
    v->items[kept] = NULL;
    v->count = kept;
}

int agent_list_names(struct strv *ret, struct error *err)
{
    _cleanup_strv_ struct strv names = { 0 };
    int r = store_list_agents(&names, err);
    if (r >= 0)
        r = ledger_list_live(&names, err);
    if (r < 0)
        return r;
    make_unique(&names);
    *ret = names;
    names = (struct strv){ 0 };
    return 0;
}

void agent_clear(struct agent *a)
{
    agent_names_clear(&a->names);
    (void)spec_free(a->own);
    (void)spec_free(a->effective);
    egress_policy_clear(&a->policy);
    error_clear(&a->broken);
    *a = (struct agent){ 0 };
}

int agent_require_spec(const struct agent *a, struct error *err)
{
    if (a->broken.text)
        return error_class(err, ERROR_USAGE, "%s", a->broken.text);
    if (!a->own)
        return error_set(err, ENOENT,
                         "agent %s: its spec %s is missing: create it again, or destroy the agent",
                         a->names.agent, a->names.spec_file);
    return 0;
}

int agent_set_spec(struct agent *a, struct spec *own, struct error *err)
{
    error_clear(&a->broken);
    (void)spec_free(a->own);
    a->own = own;
    a->effective = spec_free(a->effective);
    int r = store_effective_spec(a->conf, own, a->names.agent, &a->effective, err);
    if (r < 0)
        return r;
    return a->uid_known ? agent_refresh_policy(a, err) : 0;
}

char *agent_launch_text(const struct agent *a)
{
    const struct launch_policy policy = {
        .agent = a->names.agent,
        .mode = a->effective->mode,
        .command = a->effective->command,
    };
    return launch_policy_dump(&policy);
}

int agent_allocate_uid(struct agent *a, struct error *err)
{
    int r = ledger_next_uid(a->conf, &a->uid, err);
    if (r < 0)
        return r;
    a->uid_known = true;
    return agent_refresh_policy(a, err);
}

int agent_refresh_policy(struct agent *a, struct error *err)
{
    uint64_t id = 0;
    int r = cgroup_id(a->names.slice_cgroup, &id, err);
    if (r == -ENOENT) {
        error_clear(err);
        id = 0;
    } else if (r < 0) {
        return r;
    }
    _cleanup_spec_ struct spec *nothing = spec_new();
    if (!nothing)
        return error_oom(err);
    nothing->egress = EGRESS_NONE;
    nothing->loopback = LOOPBACK_NONE;
    egress_policy_clear(&a->policy);
    r = egress_policy_build(&a->names, a->effective ? a->effective : nothing, a->uid, &a->policy, err);
    if (r < 0)
        return r;
    a->policy.slice_cgroup_id = id;
    return 0;
}

int agent_operators(const struct conf *conf, gid_t *ret, struct error *err)
{
    if (!conf->operator_group) {
        *ret = (gid_t)-1;
        return 0;
    }
    errno = 0;
    const struct group *group = getgrnam(conf->operator_group); // single-threaded
    if (!group && errno != 0 && errno != ENOENT && errno != ESRCH)
        return error_errno(err, errno, "cannot look up group %s", conf->operator_group);
    if (!group)
        return error_class(err, ERROR_USAGE, CONF_FILE ": [Host] OperatorGroup=: no group %s on this host",
                           conf->operator_group);
    *ret = group->gr_gid;
    return 0;
}
