// One agent's status as aligned lines for people. Everything that an agent or a spec can choose is made
// printable.
#include "cmd/status_text.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

#include "base/number.h"
#include "cmd/output.h"
#include "sys/clock.h"

#define LABEL_WIDTH 11

// "      State: running". Everything that goes in here is agentctl's or the kernel's own text, except where
// print_text() makes it printable. the verb checks the stream.
static void print_line(const char *label, const char *format, ...) _printf_(2, 3);
static void print_line(const char *label, const char *format, ...)
{
    (void)printf("%*s%s ", LABEL_WIDTH, label, *label ? ":" : " ");
    va_list ap;
    va_start(ap, format);
    (void)vprintf(format, ap);
    va_end(ap);
    (void)putchar('\n');
}

static int print_text(const char *label, const char *text, struct error *err)
{
    _cleanup_free_ char *printable = text_printable(text, strlen(text));
    if (!printable)
        return error_oom(err);
    print_line(label, "%s", printable);
    return 0;
}

static void print_state(const struct view *v)
{
    char when[64], ago[64];
    if (v->since_usec == 0) {
        print_line("State", "%s", view_state_name(v->state));
        return;
    }
    output_timestamp(v->since_usec, when, sizeof(when));
    output_ago(v->since_usec, clock_usec(CLOCK_REALTIME), ago, sizeof(ago));
    print_line("State", "%s since %s (%s)", view_state_name(v->state), when, ago);
    if (v->main_pid > 0)
        print_line("Main PID", "%d", (int)v->main_pid);
}

static int print_identity(const struct view *v, struct error *err)
{
    const struct agent *a = &v->agent;
    if (a->uid_known)
        print_line("User", "%s (UID %u)", a->names.user, a->uid);
    int r = print_text("Workspace", a->names.directory, err);
    if (r >= 0)
        r = print_text("Spec", a->names.spec_file, err);
    if (r < 0)
        return r;
    if (a->broken.text)
        return print_text("Problem", a->broken.text, err);
    if (!a->own)
        print_line("Problem", "the spec file is missing");
    return 0;
}

static int print_absent(const struct unit *u, struct error *err)
{
    for (size_t i = 0; i < u->absent_count; i++) {
        _cleanup_free_ char *text = NULL;
        if (asprintf(&text, "%s (%s): %s", u->absent[i].name, u->absent[i].layer, u->absent[i].reason) < 0) {
            text = NULL;
            return error_oom(err);
        }
        int r = print_text(i == 0 ? "Absent" : "", text, err);
        if (r < 0)
            return r;
    }
    return 0;
}

static int print_isolation(const struct view *v, const struct status_detail *d, struct error *err)
{
    print_line("Mode", "%s%s", view_mode(v),
               view_is_unrestricted(v) ? " - NO ISOLATION but its own user and resource limits" : "");
    if (d->unit_problem)
        return print_text("Layers", d->unit_problem, err);
    _cleanup_text_ struct text layers = { 0 };
    for (const char *const *layer = layer_names; *layer; layer++)
        text_addf(&layers, "%s%s %zu", layer == layer_names ? "" : ", ", *layer,
                  layer_count(&d->unit, *layer));
    _cleanup_free_ char *text = text_take(&layers);
    if (!text)
        return error_oom(err);
    if (d->restart_due)
        print_line("Restart",
                   "due: the spec has changed since the start, and the layers below are the new ones");
    print_line("Layers", "%s settings%s", text, v->main_pid > 0 ? "" : " once it runs");
    print_line("Egress", "%s, %s", view_egress(v), rules_view_text(d->rules));
    return print_absent(&d->unit, err);
}

static void add_limit(struct text *t, const struct view *v, const struct limit *l)
{
    char wanted[NUMBER_TEXT_MAX], kernel[NUMBER_TEXT_MAX];
    limit_text(l, l->wanted, wanted, sizeof(wanted));
    limit_text(l, l->kernel, kernel, sizeof(kernel));
    if (v->usage.exists && !l->same)
        text_addf(t, "%s%s %s (kernel: %s)", t->length ? ", " : "", l->key, wanted, kernel);
    else if (l->wanted != LIMIT_INFINITY)
        text_addf(t, "%s%s %s", t->length ? ", " : "", l->key, wanted);
}

static int print_limits(const struct view *v, struct error *err)
{
    if (!v->agent.effective)
        return 0;
    struct limit limits[LIMITS_COUNT];
    limits_of(v->agent.effective, &v->usage, limits);
    _cleanup_text_ struct text t = { 0 };
    for (size_t i = 0; i < LIMITS_COUNT; i++)
        add_limit(&t, v, &limits[i]);
    bool any = t.length > 0;
    _cleanup_free_ char *text = text_take(&t);
    if (!text)
        return error_oom(err);
    print_line("Limits", "%s", any ? text : "none");
    return 0;
}

static void print_usage(const struct view *v)
{
    const struct cgroup_usage *u = &v->usage;
    char a[64] = "-", b[64];
    if (!u->exists)
        return;
    if (u->cpu_usec != CGROUP_UNKNOWN)
        output_cpu(u->cpu_usec, a, sizeof(a));
    print_line("CPU", "%s", a);
    output_size(u->memory_current, a, sizeof(a));
    output_size(u->memory_peak, b, sizeof(b));
    print_line("Memory", "%s (peak %s)", a, b);
    if (u->oom_kills != CGROUP_UNKNOWN && u->oom_kills > 0)
        print_line("OOM kills", "%llu", (unsigned long long)u->oom_kills);
    if (u->tasks_current != CGROUP_UNKNOWN)
        print_line("Tasks", "%llu", (unsigned long long)u->tasks_current);
    output_size(u->io_read_bytes, a, sizeof(a));
    output_size(u->io_write_bytes, b, sizeof(b));
    print_line("IO", "%s read, %s written", a, b);
}

static void print_network(const struct view *v, bool known)
{
    char accepted[64], refused[64];
    if (!known) {
        print_line("Network", "not known (counters need root)");
        return;
    }
    output_size(v->counters.accepted.bytes, accepted, sizeof(accepted));
    output_size(v->counters.refused.bytes, refused, sizeof(refused));
    print_line("Network", "%llu packets (%s) accepted, %llu (%s) refused",
               (unsigned long long)v->counters.accepted.packets, accepted,
               (unsigned long long)v->counters.refused.packets, refused);
}

static void print_last_exit(const struct status_detail *d)
{
    char when[64], ago[64];
    if (!d->last_exit)
        return;
    output_timestamp(d->last_exit_usec, when, sizeof(when));
    output_ago(d->last_exit_usec, clock_usec(CLOCK_REALTIME), ago, sizeof(ago));
    print_line("Last exit", "%s, %s (%s)", d->last_exit, when, ago);
}

int status_print(const struct view *v, const struct status_detail *d, bool counters, struct error *err)
{
    const struct spec *s = v->agent.effective;
    _cleanup_free_ char *description = text_printable(s && s->description ? s->description : "",
                                                      s && s->description ? strlen(s->description) : 0);
    if (!description)
        return error_oom(err);
    (void)printf("%s%s%s\n", v->agent.names.agent, *description ? " - " : "", description);
    print_state(v);
    int r = print_identity(v, err);
    if (r >= 0 && s)
        r = print_isolation(v, d, err);
    if (r >= 0)
        r = print_limits(v, err);
    if (r < 0)
        return r;
    print_usage(v);
    print_network(v, counters);
    print_last_exit(d);
    return 0;
}
