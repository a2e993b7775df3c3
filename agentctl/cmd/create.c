// agentctl create: a spec from file, template and options becomes an agent, stopped.
#include <errno.h>
#include <string.h>

#include "cmd/change.h"
#include "cmd/verbs.h"
#include "sys/store.h"

// Through the same parser as a file's Command=, so that one that a spec could not hold is refused.
static int assign_command(struct spec *spec, const struct options *o, struct error *err)
{
    _cleanup_strv_ struct strv words = { 0 };
    for (int i = 0; i < o->command_argc; i++)
        if (strv_add(&words, o->command_argv[i]) < 0)
            return error_oom(err);
    _cleanup_free_ char *value = words_join(&words);
    return value ? spec_assign(spec, "Service.Command", value, err) : error_oom(err);
}

static int assign_options(struct spec *spec, const struct options *o, struct error *err)
{
    STRV_FOREACH (assignment, &o->assignments) {
        const char *equals = strchr(assignment, '=');
        if (!equals)
            return error_class(err, ERROR_USAGE, "--set %s: not Section.Key=value", assignment);
        _cleanup_free_ char *name = strndup(assignment, (size_t)(equals - assignment));
        if (!name)
            return error_oom(err);
        int r = spec_assign(spec, name, equals + 1, err);
        if (r < 0)
            return r;
    }
    return o->command_argc > 0 ? assign_command(spec, o, err) : 0;
}

static int build_spec(const struct options *o, struct spec **ret, struct error *err)
{
    _cleanup_spec_ struct spec *spec = NULL;
    if (o->file) {
        int r = store_parse_file(o->file, &spec, err);
        if (r < 0)
            return r;
    } else {
        spec = spec_new();
        if (!spec)
            return error_oom(err);
    }
    int r = assign_options(spec, o, err);
    if (r < 0)
        return error_wrap(err, r, "agent %s", o->argv[0]);
    *ret = take_ptr(spec);
    return 0;
}

static bool asked_for_unrestricted(const struct options *o)
{
    STRV_FOREACH (assignment, &o->assignments) {
        if (str_equal(assignment, "mode=unrestricted") || str_equal(assignment, "Agent.Mode=unrestricted"))
            return true;
    }
    return false;
}

// A file or template from somewhere must not quietly take the isolation away.
static int check_mode(const struct options *o, const struct spec *effective, struct error *err)
{
    if (effective->mode == MODE_UNRESTRICTED && !asked_for_unrestricted(o))
        return error_class(
            err, ERROR_USAGE,
            "agent %s: Mode=unrestricted must be asked for on the command line: --mode unrestricted",
            o->argv[0]);
    return 0;
}

static int check_spec(const struct options *o, const struct spec *own, struct error *err)
{
    _cleanup_conf_ struct conf conf = { 0 };
    int r = store_read_conf(&conf, err);
    if (r < 0)
        return r;
    _cleanup_spec_ struct spec *effective = NULL;
    r = store_effective_spec(&conf, own, o->argv[0], &effective, err);
    if (r < 0)
        return r;
    return check_mode(o, effective, err);
}

static int create_agent(struct change *c, const char *name, struct spec **own, struct error *err)
{
    _cleanup_agent_ struct agent a = { 0 };
    int r = agent_read(&a, &c->machine.conf, name, err);
    if (r < 0)
        return r;
    if (a.own && !spec_equal(a.own, *own))
        return error_set(err, EEXIST, "agent %s: exists already, with another spec (%s)", name,
                         a.names.spec_file);
    r = agent_set_spec(&a, take_ptr(*own), err);
    if (r < 0)
        return r;
    change_warn_of_mode(c->options, &a);
    return change_agent(c, &a, INTENT_DEFINED, "created", err);
}

static int run_create(const struct options *o, struct error *err)
{
    int r = agent_name_check(o->argv[0], err);
    if (r < 0)
        return r;
    _cleanup_spec_ struct spec *own = NULL;
    r = build_spec(o, &own, err);
    if (r < 0)
        return r;
    r = check_spec(o, own, err);
    if (r < 0)
        return r;
    _cleanup_change_ struct change c = { 0 };
    r = change_begin(&c, &verb_create, o, false, err);
    if (r < 0)
        return r;
    r = create_agent(&c, o->argv[0], &own, err);
    if (r < 0)
        return r;
    return change_end(&c, err);
}

static const char *const options[] = { "file", "dry-run", "json", "quiet", NULL };

const struct verb verb_create = {
    .name = "create",
    .group = "life",
    .operands = "NAME [-- COMMAND...]",
    .summary = "make an agent: user, workspace, rules; it is not started",
    .options = options,
    .takes_keys = true,
    .takes_command = true,
    .operands_min = 1,
    .operands_max = 1,
    .run = run_create,
};
