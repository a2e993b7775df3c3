// agentctl apply: brings agents to what their specs say, from spec files or as they stand in /etc.
#include <errno.h>
#include <string.h>

#include "cmd/change.h"
#include "cmd/verbs.h"
#include "sys/store.h"

#define SPEC_SUFFIX ".agent"

// A file: "dir/coder.agent" or "coder.agent"; anything else is an agent's name.
static bool is_file(const char *operand)
{
    return strchr(operand, '/') || str_suffix(operand, SPEC_SUFFIX);
}

static int name_of_file(const char *path, char **ret, struct error *err)
{
    const char *base = strrchr(path, '/');
    base = base ? base + 1 : path;
    if (!str_suffix(base, SPEC_SUFFIX))
        return error_class(err, ERROR_USAGE, "%s: not NAME" SPEC_SUFFIX, path);
    char *name = strndup(base, strlen(base) - strlen(SPEC_SUFFIX));
    if (!name)
        return error_oom(err);
    *ret = name;
    return 0;
}

// What one operand asks for: the agent's name, and its spec if the operand is a file.
struct request {
    char *name;
    struct spec *own;
    bool unrestricted; // own, or one of its templates, says so
};

static void request_clear(struct request *q)
{
    free(q->name);
    (void)spec_free(q->own);
}

static int request_read(const struct conf *conf, const char *operand, struct request *ret, struct error *err)
{
    _cleanup_(request_clear) struct request q = { 0 };
    int r = 0;
    if (is_file(operand)) {
        r = name_of_file(operand, &q.name, err);
        if (r < 0)
            return r;
        r = store_parse_file(operand, &q.own, err);
        if (r < 0)
            return r;
    } else {
        q.name = strdup(operand);
        if (!q.name)
            return error_oom(err);
    }
    r = agent_name_check(q.name, err);
    if (r < 0)
        return r;
    if (q.own) {
        _cleanup_spec_ struct spec *effective = NULL;
        r = store_effective_spec(conf, q.own, q.name, &effective, err);
        if (r < 0)
            return r;
        q.unrestricted = effective->mode == MODE_UNRESTRICTED;
    }
    *ret = q;
    q = (struct request){ 0 };
    return 0;
}

static int agent_of_request(struct change *c, struct request *q, struct agent *ret, struct error *err)
{
    if (!q->own)
        return agent_load(ret, &c->machine.conf, q->name, err);
    int r = agent_read(ret, &c->machine.conf, q->name, err);
    if (r < 0)
        return r;
    if (q->unrestricted && (!ret->effective || ret->effective->mode != MODE_UNRESTRICTED))
        return error_class(err, ERROR_USAGE,
                           "agent %s: Mode=unrestricted must be asked for by name: agentctl create %s --mode "
                           "unrestricted",
                           q->name, q->name);
    return agent_set_spec(ret, take_ptr(q->own), err);
}

static int apply_request(struct change *c, struct request *q, struct error *err)
{
    _cleanup_agent_ struct agent a = { 0 };
    int r = agent_of_request(c, q, &a, err);
    if (r < 0)
        return r;
    return change_agent(c, &a, INTENT_DEFINED, "applied", err);
}

// Every operand is read and checked before anything is changed.
struct request_list {
    struct request *items;
    size_t count;
};

static void request_list_clear(struct request_list *l)
{
    for (size_t i = 0; i < l->count; i++)
        request_clear(&l->items[i]);
    free(l->items);
}

static int read_requests(const struct options *o, struct request_list *l, struct error *err)
{
    _cleanup_conf_ struct conf conf = { 0 };
    int r = store_read_conf(&conf, err);
    if (r < 0)
        return r;
    _cleanup_strv_ struct strv all = { 0 };
    if (o->argc == 0) {
        r = agent_list_names(&all, err);
        if (r < 0)
            return r;
    }
    size_t count = o->argc > 0 ? (size_t)o->argc : all.count;
    l->items = calloc(count ? count : 1, sizeof(*l->items));
    if (!l->items)
        return error_oom(err);
    for (; l->count < count; l->count++) {
        const char *operand = o->argc > 0 ? o->argv[l->count] : all.items[l->count];
        r = request_read(&conf, operand, &l->items[l->count], err);
        if (r < 0)
            return r;
    }
    return 0;
}

static int run_apply(const struct options *o, struct error *err)
{
    _cleanup_(request_list_clear) struct request_list requests = { 0 };
    int r = read_requests(o, &requests, err);
    if (r < 0)
        return r;
    _cleanup_change_ struct change c = { 0 };
    r = change_begin(&c, &verb_apply, o, false, err);
    if (r < 0)
        return r;
    for (size_t i = 0; i < requests.count; i++) {
        _cleanup_error_ struct error cause = { 0 };
        if (apply_request(&c, &requests.items[i], &cause) < 0)
            change_failed(&c, requests.items[i].name, &cause, err);
    }
    return change_end(&c, err);
}

static const char *const options[] = { "dry-run", "json", "quiet", NULL };

const struct verb verb_apply = {
    .name = "apply",
    .group = "life",
    .operands = "[NAME|FILE...]",
    .summary = "bring agents to what their specs say (all agents if none is named)",
    .options = options,
    .operands_min = 0,
    .operands_max = -1,
    .run = run_apply,
};
