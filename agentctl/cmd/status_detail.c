// Gathers what only status shows. What can't be had (no privilege, no journal) is left not known, never
// guessed.
#include "cmd/status_detail.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/number.h"
#include "cmd/output.h"
#include "config.h"
#include "sys/journal.h"
#include "sys/record.h"

const char *const layer_names[] = { "process", "filesystem", "syscall", "network", NULL };

static const struct {
    const char *name, *text;
} rules_words[] = {
    [RULES_NOT_KNOWN] = { "unknown", "rules not known (needs root)" },
    [RULES_NONE] = { "absent", "NO RULES" },
    [RULES_DIFFER] = { "different", "RULES DIFFER from the spec's" },
    [RULES_IN_FORCE] = { "in-force", "rules in force" },
};

const char *rules_view_text(enum rules_view r)
{
    return rules_words[r].text;
}

const char *rules_view_name(enum rules_view r)
{
    return rules_words[r].name;
}

size_t layer_count(const struct unit *u, const char *layer)
{
    size_t count = 0;
    for (size_t i = 0; i < u->count; i++)
        count += u->properties[i].layer && str_equal(u->properties[i].layer, layer);
    return count;
}

static enum rules_view read_rules(struct view_list *l, const struct view *v)
{
    _cleanup_error_ struct error ignored = { 0 };
    enum nft_match match = NFT_MATCH_ABSENT;
    if (!l->nft || nft_agent_match(l->nft, &l->conf, &v->agent.policy, &match, &ignored) < 0)
        return RULES_NOT_KNOWN;
    return match == NFT_MATCH_SAME        ? RULES_IN_FORCE
           : match == NFT_MATCH_DIFFERENT ? RULES_DIFFER
                                          : RULES_NONE;
}

static int read_unit(struct status_detail *d, const struct view *v, const struct host *host,
                     struct error *err)
{
    _cleanup_error_ struct error cause = { 0 };
    const struct unit_input input = {
        .names = &v->agent.names, .spec = v->agent.effective, .host = host, .launcher = LAUNCHER_PATH
    };
    int r = agent_require_spec(&v->agent, &cause);
    if (r >= 0)
        r = unit_build_service(&input, &d->unit, &cause);
    if (r == -ENOMEM)
        return error_oom(err);
    if (r < 0 && !(d->unit_problem = strdup(cause.text)))
        return error_oom(err);
    bool outdated = false;
    _cleanup_error_ struct error ignored = { 0 }; // a damaged record says nothing
    if (r >= 0 && v->main_pid > 0 && record_is_outdated(&v->agent, host, &outdated, &ignored) >= 0)
        d->restart_due = outdated;
    return 0;
}

// systemd's own memory of the unit, for those who may not read the journal or where it has been vacuumed.
static int last_exit_of_unit(struct status_detail *d, struct view_list *l, const struct view *v,
                             struct error *err)
{
    _cleanup_(service_status_clear) struct service_status s = { 0 };
    int r = manager_service_status(l->manager, v->agent.names.service, &s, err);
    if (r < 0 || !s.loaded)
        return r;
    char *text = NULL;
    if (s.exit_code == CLD_EXITED)
        r = asprintf(&text, "exited, status %d", s.exit_status);
    else if (s.exit_code == CLD_KILLED || s.exit_code == CLD_DUMPED)
        r = asprintf(&text, "%s by signal %d", s.exit_code == CLD_DUMPED ? "dumped core" : "killed",
                     s.exit_status);
    else
        r = asprintf(&text, "%s", s.result ? s.result : "failed");
    if (r < 0)
        return error_oom(err);
    d->last_exit = text;
    d->last_exit_usec = s.since_usec;
    return 0;
}

static int read_last_exit(struct status_detail *d, struct view_list *l, const struct view *v,
                          struct error *err)
{
    _cleanup_error_ struct error unreadable = { 0 };
    int r = journal_last_exit(v->agent.names.service, &d->last_exit, &d->last_exit_usec, &unreadable);
    if (r == -ENOMEM)
        return error_oom(err);
    if (!d->last_exit && (v->state == VIEW_FAILED || v->state == VIEW_RESTARTING))
        return last_exit_of_unit(d, l, v, err);
    return 0;
}

int status_detail_load(struct status_detail *ret, struct view_list *l, const struct view *v,
                       const struct host *host, struct error *err)
{
    _cleanup_detail_ struct status_detail d = { 0 };
    int r = read_unit(&d, v, host, err);
    if (r >= 0)
        r = read_last_exit(&d, l, v, err);
    if (r < 0)
        return r;
    if (v->agent.uid_known)
        d.rules = read_rules(l, v);
    *ret = d;
    d = (struct status_detail){ 0 };
    return 0;
}

void status_detail_clear(struct status_detail *d)
{
    unit_clear(&d->unit);
    free(d->unit_problem);
    free(d->last_exit);
    *d = (struct status_detail){ 0 };
}
