// The frame of every changing verb. The work itself is sys/apply.c's.
#include "cmd/change.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

#include "plan/diff.h"
#include "sys/apply.h"
#include "sys/record.h"

int change_begin(struct change *c, const struct verb *verb, const struct options *o, bool ends,
                 struct error *err)
{
    *c = (struct change){ .options = o, .machine = { .lock_fd = -1 } };
    if (geteuid() != 0)
        return error_set(err, EPERM, "%s: must be root (try sudo)", verb->name);
    struct change change = { .verb = verb, .options = o, .machine = { .lock_fd = -1 } };
    int r = machine_open(&change.machine, verb->name, !o->dry_run, ends, err);
    if (r < 0)
        return r;
    change.report = json_array();
    if (!change.report) {
        machine_close(&change.machine);
        return error_oom(err);
    }
    *c = change;
    return 0;
}

void change_clear(struct change *c)
{
    if (c->report)
        json_decref(c->report);
    if (c->verb)
        machine_close(&c->machine);
    *c = (struct change){ 0 };
}

// The report's object of an agent, made at first mention: a restart runs two plans.
static json_t *report_of(struct change *c, const char *name)
{
    json_t *last = json_array_get(c->report, json_array_size(c->report) - 1);
    if (last && str_equal(json_string_value(json_object_get(last, "agent")), name))
        return last;
    json_t *object = json_pack("{s:s, s:b, s:b, s:[], s:n}", "agent", name, "changed", 0, "dry_run",
                               c->options->dry_run, "steps", "error");
    return object && json_array_append_new(c->report, object) == 0 ? object : NULL;
}

static int report_plan(struct change *c, const struct agent *a, const struct plan *plan, struct error *err)
{
    json_t *object = report_of(c, a->names.agent);
    json_t *steps = object ? json_object_get(object, "steps") : NULL;
    for (size_t i = 0; i < plan->count; i++)
        if (json_array_append_new(steps, json_pack("{s:s, s:s}", "step", step_rows[plan->steps[i].kind].name,
                                                   "object", plan->steps[i].object)) < 0)
            return error_oom(err);
    if (!object)
        return error_oom(err);
    if (plan->count > 0 && !c->options->dry_run)
        (void)json_object_set_new(object, "changed", json_true()); // the key is there: nothing to allocate
    return 0;
}

void change_failed(struct change *c, const char *name, const struct error *cause, struct error *err)
{
    json_t *object = report_of(c, name);
    if (object) // without memory the text for people still tells it
        (void)json_object_set_new(object, "error", json_string(cause->text));
    (void)error_add(err, cause->class, "%s", cause->text);
    c->failed = true;
}

static int print_plan(const struct change *c, const struct agent *a, const struct plan *plan,
                      struct error *err)
{
    for (size_t i = 0; i < plan->count; i++) {
        _cleanup_free_ char *text = step_text(&plan->steps[i]);
        if (!text)
            return error_oom(err);
        (void)printf("agent %s: would %s\n", a->names.agent, text); // change_end() checks the stream
    }
    if (plan->count == 0 && !c->options->quiet)
        (void)printf("agent %s: nothing to do\n", a->names.agent);
    return 0;
}

static void say_done(const struct change *c, const struct agent *a, const struct plan *plan, const char *done)
{
    if (c->options->quiet || c->options->json != JSON_OFF)
        return;
    if (plan->count > 0)
        (void)printf("%s agent %s\n", done, a->names.agent);
    else
        (void)printf("agent %s: nothing to do\n", a->names.agent);
}

// A service that runs keeps what it was started with; a changed spec must not look as if all of it held.
static void warn_of_restart(struct change *c, const struct agent *a, const struct state *observed)
{
    bool outdated = false;
    _cleanup_error_ struct error ignored = { 0 }; // a warning that can't be had is no reason to fail
    if (observed->service != SERVICE_RUNNING || !a->effective)
        return;
    if (record_is_outdated(a, &c->machine.host, &outdated, &ignored) >= 0 && outdated)
        change_warn(c->options,
                    "agent %s: limits and network rules are those of the spec; for the rest it needs "
                    "'agentctl restart %s'",
                    a->names.agent, a->names.agent);
}

static int run_plan(struct change *c, struct agent *a, const struct state *observed, const struct plan *plan,
                    enum intent intent, const char *done, struct error *err)
{
    int r = report_plan(c, a, plan, err);
    if (r < 0)
        return r;
    if (c->options->dry_run)
        return c->options->json == JSON_OFF ? print_plan(c, a, plan, err) : 0;
    r = apply_plan(&c->machine, a, observed, plan, err);
    if (r < 0)
        return r;
    say_done(c, a, plan, done);
    if (intent == INTENT_DEFINED || intent == INTENT_RUNNING)
        warn_of_restart(c, a, observed);
    return 0;
}

// From the state given to the one wanted; ret_wanted may be NULL.
static int change_from(struct change *c, struct agent *a, const struct state *observed, enum intent intent,
                       const char *done, struct state *ret_wanted, struct error *err)
{
    _cleanup_state_ struct state wanted = { 0 };
    int r = want_state(a, intent, observed, &wanted, err);
    if (r < 0)
        return r;
    _cleanup_plan_ struct plan plan = { 0 };
    r = diff_states(&a->names, &wanted, observed, &plan, err);
    if (r < 0)
        return r;
    r = run_plan(c, a, observed, &plan, intent, done, err);
    if (r >= 0 && ret_wanted) {
        *ret_wanted = wanted;
        wanted = (struct state){ 0 };
    }
    return r;
}

// Stopping and removing need no spec: a broken one must not keep an agent running.
static int observe_agent(struct change *c, struct agent *a, enum intent intent, struct state *ret,
                         struct error *err)
{
    bool makes = intent == INTENT_DEFINED || intent == INTENT_RUNNING;
    int r = makes ? agent_require_spec(a, err) : 0;
    if (r >= 0 && makes && !a->uid_known)
        r = agent_allocate_uid(a, err);
    if (r < 0)
        return r;
    return error_wrap(err, observe_state(&c->machine, a, intent, ret, err), "agent %s", a->names.agent);
}

int change_agent(struct change *c, struct agent *a, enum intent intent, const char *done, struct error *err)
{
    _cleanup_state_ struct state observed = { 0 };
    int r = observe_agent(c, a, intent, &observed, err);
    return r < 0 ? r : change_from(c, a, &observed, intent, done, NULL, err);
}

int change_restart(struct change *c, struct agent *a, struct error *err)
{
    _cleanup_state_ struct state observed = { 0 };
    int r = observe_agent(c, a, INTENT_RUNNING, &observed, err);
    if (r < 0)
        return r;
    if (observed.service == SERVICE_STOPPED && !observed.slice)
        return change_from(c, a, &observed, INTENT_RUNNING, "started", NULL, err);
    _cleanup_state_ struct state stopped = { 0 };
    r = change_from(c, a, &observed, INTENT_STOPPED, "stopped", &stopped, err);
    if (r < 0)
        return r;
    if (c->options->dry_run) // what would be there by then
        return change_from(c, a, &stopped, INTENT_RUNNING, "started", NULL, err);
    r = agent_refresh_policy(a, err); // the slice is gone, and its cgroup's id with it
    return r < 0 ? r : change_agent(c, a, INTENT_RUNNING, "started", err);
}

int change_end(struct change *c, struct error *err)
{
    _cleanup_error_ struct error unwritten = { 0 };
    if (c->options->json != JSON_OFF && output_json(take_ptr(c->report), c->options->json, &unwritten) < 0)
        return error_add(err, unwritten.class, "%s", unwritten.text);
    return c->failed ? -ECANCELED : 0;
}

static bool is_repeated(const struct options *o, int i)
{
    for (int j = 0; j < i; j++)
        if (str_equal(o->argv[j], o->argv[i]))
            return true;
    return false;
}

// Read under the lock: what was read before it may have changed meanwhile.
static int change_named(struct change *c, const char *name, enum intent intent, const char *done,
                        struct error *err)
{
    _cleanup_agent_ struct agent a = { 0 };
    int r = agent_load(&a, &c->machine.conf, name, err);
    if (r < 0)
        return r;
    if (intent == INTENT_RUNNING)
        change_warn_of_mode(c->options, &a);
    return change_agent(c, &a, intent, done, err);
}

static int check_names(const struct options *o, struct error *err)
{
    for (int i = 0; i < o->argc; i++) {
        int r = agent_name_check(o->argv[i], err);
        if (r < 0)
            return r;
    }
    return 0;
}

int change_each(const struct verb *verb, const struct options *o, enum intent intent, const char *done,
                struct error *err)
{
    int r = check_names(o, err);
    if (r < 0)
        return r;
    _cleanup_change_ struct change c = { 0 };
    r = change_begin(&c, verb, o, intent == INTENT_STOPPED || intent == INTENT_GONE, err);
    if (r < 0)
        return r;
    for (int i = 0; i < o->argc; i++) {
        _cleanup_error_ struct error cause = { 0 };
        if (!is_repeated(o, i) && change_named(&c, o->argv[i], intent, done, &cause) < 0)
            change_failed(&c, o->argv[i], &cause, err);
    }
    return change_end(&c, err);
}

void change_warn(const struct options *o, const char *format, ...)
{
    if (o->quiet)
        return;
    va_list ap;
    va_start(ap, format);
    (void)fputs("agentctl: warning: ", stderr); // nowhere to report that a warning could not be written
    (void)vfprintf(stderr, format, ap);
    (void)fputc('\n', stderr);
    va_end(ap);
}

void change_warn_of_mode(const struct options *o, const struct agent *a)
{
    if (!a->effective)
        return;
    if (a->effective->mode == MODE_UNRESTRICTED)
        change_warn(
            o,
            "agent %s: Mode=unrestricted: only its own user and cgroup limits stand between it and this "
            "host; consider a separate VPS",
            a->names.agent);
    if (a->effective->mode == MODE_MAXIMUM)
        change_warn(o,
                    "agent %s: Mode=maximum: this release has no Landlock and no libseccomp layer yet; "
                    "see 'agentctl status %s'",
                    a->names.agent, a->names.agent);
}
