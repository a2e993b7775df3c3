// Loading the agents that a command line names. Prints nothing.
#include "cmd/agent.h"

#include <errno.h>
#include <stdlib.h>

#include "sys/store.h"

static const char *agent_candidate(size_t i, const void *userdata)
{
    const struct strv *names = userdata;
    return i < names->count ? names->items[i] : NULL;
}

static int error_no_agent(const char *name, struct error *err)
{
    _cleanup_strv_ struct strv names = { 0 };
    int r = agent_list_names(&names, err);
    if (r < 0)
        return r;
    const char *nearest = nearest_name(name, agent_candidate, &names);
    (void)error_class(err, ERROR_NO_AGENT,
                      nearest ? "agent %s: no such agent; did you mean %s?" : "agent %s: no such agent", name,
                      nearest);
    return -ENOENT;
}

int agent_load(struct agent *ret, const struct conf *conf, const char *name, struct error *err)
{
    _cleanup_agent_ struct agent a = { 0 };
    int r = agent_read(&a, conf, name, err);
    if (r < 0)
        return r;
    if (!agent_exists(&a))
        return error_no_agent(name, err);
    *ret = a;
    a = (struct agent){ 0 };
    return 0;
}

static int load_named(struct agent_list *l, size_t count, char **names, struct error *err)
{
    l->items = calloc(count ? count : 1, sizeof(*l->items));
    if (!l->items)
        return error_oom(err);
    for (size_t i = 0; i < count; i++) {
        int r = agent_load(&l->items[i], &l->conf, names[i], err);
        if (r < 0)
            return r;
        l->count++;
    }
    return 0;
}

int agent_list_load(struct agent_list *ret, int count, char **names, struct error *err)
{
    int r = store_read_conf(&ret->conf, err);
    if (r < 0)
        return r;
    if (count > 0)
        return load_named(ret, (size_t)count, names, err);

    _cleanup_strv_ struct strv all = { 0 };
    r = agent_list_names(&all, err);
    if (r < 0)
        return r;
    return load_named(ret, all.count, all.items, err);
}

void agent_list_clear(struct agent_list *l)
{
    for (size_t i = 0; i < l->count; i++)
        agent_clear(&l->items[i]);
    free(l->items);
    conf_clear(&l->conf);
    *l = (struct agent_list){ 0 };
}
