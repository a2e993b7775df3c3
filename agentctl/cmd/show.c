// agentctl show: what an agent is configured with, in the words of each part: its spec, systemd's unit files,
// nft's rules. From the same structures that run.
#include <errno.h>
#include <stdio.h>

#include "cmd/agent.h"
#include "cmd/output.h"
#include "cmd/verbs.h"
#include "config.h"
#include "encode/ruleset.h"
#include "encode/unit_text.h"
#include "sys/manager.h"
#include "sys/store.h"

static int spec_text(const struct agent *a, char **ret, struct error *err)
{
    int r = agent_require_spec(a, err);
    if (r < 0)
        return r;
    *ret = spec_dump(a->own);
    return *ret ? 0 : error_oom(err);
}

static int add_unit(struct text *t, const struct agent *a, const struct host *host,
                    int (*build)(const struct unit_input *, struct unit *, struct error *), struct error *err)
{
    _cleanup_unit_ struct unit unit = { 0 };
    const struct unit_input input = {
        .names = &a->names, .spec = a->effective, .host = host, .launcher = LAUNCHER_PATH
    };
    int r = build(&input, &unit, err);
    if (r < 0)
        return error_wrap(err, r, "agent %s", a->names.agent);
    _cleanup_free_ char *text = unit_text(&unit);
    if (!text)
        return error_oom(err);
    text_addf(t, "# %s\n%s", unit.name, text);
    return 0;
}

static int units_text(const struct agent *a, char **ret, struct error *err)
{
    _cleanup_manager_ struct manager *manager = NULL;
    struct host host = { 0 };
    int r = agent_require_spec(a, err);
    if (r >= 0)
        r = manager_open(&manager, err);
    if (r >= 0)
        r = manager_read_host(manager, &host, err);
    if (r < 0)
        return r;

    _cleanup_text_ struct text t = { 0 };
    r = add_unit(&t, a, &host, unit_build_slice, err);
    if (r < 0)
        return r;
    text_add(&t, "\n");
    r = add_unit(&t, a, &host, unit_build_service, err);
    if (r < 0)
        return r;
    *ret = text_take(&t);
    return *ret ? 0 : error_oom(err);
}

static int nft_text(const struct agent *a, char **ret, struct error *err)
{
    int r = agent_require_spec(a, err);
    if (r < 0)
        return r;
    if (!a->uid_known)
        return error_set(err, ENOENT, "agent %s: has no UID yet, so there are no rules: apply it first",
                         a->names.agent);
    *ret = ruleset_agent_text(&a->policy);
    return *ret ? 0 : error_oom(err);
}

static const struct part {
    const char *name;
    int (*text)(const struct agent *a, char **ret, struct error *err);
} parts[] = {
    { "spec", spec_text },
    { "unit", units_text },
    { "nft", nft_text },
};

static const struct part *choose_part(const struct options *o)
{
    return &parts[o->show_unit ? 1 : o->show_nft ? 2 : 0];
}

static int run_show(const struct options *o, struct error *err)
{
    if (o->show_spec + o->show_unit + o->show_nft > 1)
        return error_class(err, ERROR_USAGE, "show: only one of --spec, --unit and --nft at a time");
    const struct part *part = choose_part(o);
    _cleanup_conf_ struct conf conf = { 0 };
    _cleanup_agent_ struct agent a = { 0 };
    int r = store_read_conf(&conf, err);
    if (r >= 0)
        r = agent_load(&a, &conf, o->argv[0], err);
    _cleanup_free_ char *text = NULL;
    if (r >= 0)
        r = part->text(&a, &text, err);
    if (r < 0)
        return r;
    if (o->json != JSON_OFF)
        return output_json(json_pack("{s:s, s:s}", "name", a.names.agent, part->name, text), o->json, err);
    (void)fputs(text, stdout); // output_finish() checks the stream
    return output_finish(err);
}

static const char *const options[] = { "spec", "unit", "nft", "json", "no-pager", NULL };

const struct verb verb_show = {
    .name = "show",
    .group = "look",
    .operands = "NAME",
    .summary = "an agent's spec, its unit files, or its firewall rules",
    .options = options,
    .operands_min = 1,
    .operands_max = 1,
    .run = run_show,
};
