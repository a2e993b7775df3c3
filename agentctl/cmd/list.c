// agentctl list: one line an agent.
#include <stdio.h>

#include "base/number.h"
#include "cmd/output.h"
#include "cmd/verbs.h"
#include "cmd/view.h"
#include "sys/clock.h"

static const char *const headings[] = { "NAME", "STATE", "MODE",    "EGRESS", ">PID",
                                        "UP",   ">CPU",  ">MEMORY", ">TASKS", ">REFUSED" };

// "-" for what is not known or not there.
static void number_text(bool known, uint64_t value, char *buf, size_t size)
{
    if (known && value != CGROUP_UNKNOWN)
        (void)snprintf(buf, size, "%llu", (unsigned long long)value);
    else
        (void)snprintf(buf, size, "-");
}

static int add_row(struct output_table *t, const struct view *v, bool counters, uint64_t now,
                   struct error *err)
{
    char mode[32], pid[32], up[64] = "-", cpu[64] = "-", memory[64], tasks[32], refused[32];
    (void)snprintf(mode, sizeof(mode), "%s%s", view_mode(v), view_is_unrestricted(v) ? "!" : "");
    number_text(v->main_pid > 0, (uint64_t)v->main_pid, pid, sizeof(pid));
    if (v->since_usec > 0)
        output_span(now > v->since_usec ? now - v->since_usec : 0, up, sizeof(up));
    if (v->usage.exists && v->usage.cpu_usec != CGROUP_UNKNOWN)
        output_cpu(v->usage.cpu_usec, cpu, sizeof(cpu));
    output_size(v->usage.exists ? v->usage.memory_current : LIMIT_INFINITY, memory, sizeof(memory));
    number_text(v->usage.exists, v->usage.tasks_current, tasks, sizeof(tasks));
    number_text(counters, v->counters.refused.packets, refused, sizeof(refused));

    const char *const cells[] = { v->agent.names.agent,
                                  view_state_name(v->state),
                                  mode,
                                  view_egress(v),
                                  pid,
                                  up,
                                  cpu,
                                  memory,
                                  tasks,
                                  refused };
    return output_table_add(t, cells) < 0 ? error_oom(err) : 0;
}

static void print_legend(const struct view_list *l)
{
    size_t running = 0;
    size_t unrestricted = 0;
    for (size_t i = 0; i < l->count; i++) {
        running += l->items[i].state == VIEW_RUNNING;
        unrestricted += view_is_unrestricted(&l->items[i]);
    }
    // output_finish() checks the stream
    (void)printf("\n%zu agent%s, %zu running.%s\n", l->count, l->count == 1 ? "" : "s", running,
                 l->nft ? "" : " Network counters need root.");
    if (unrestricted > 0)
        (void)printf("! = no isolation but its own user and resource limits.\n");
}

static int print_table(const struct view_list *l, const struct options *o, struct error *err)
{
    _cleanup_table_ struct output_table *t = output_table_new(ARRAY_SIZE(headings), headings);
    if (!t)
        return error_oom(err);
    uint64_t now = clock_usec(CLOCK_REALTIME);
    for (size_t i = 0; i < l->count; i++) {
        int r = add_row(t, &l->items[i], l->nft, now, err);
        if (r < 0)
            return r;
    }
    int r = output_table_print(t, !o->no_legend, stdout, err);
    if (r < 0)
        return r;
    if (!o->no_legend)
        print_legend(l);
    return output_finish(err);
}

static int print_json(const struct view_list *l, enum json_mode mode, struct error *err)
{
    json_t *array = json_array();
    for (size_t i = 0; i < l->count && array; i++)
        if (json_array_append_new(array, view_json(&l->items[i], l->nft)) < 0) {
            json_decref(array);
            return error_oom(err);
        }
    return output_json(array, mode, err);
}

static int run_list(const struct options *o, struct error *err)
{
    _cleanup_views_ struct view_list l = { 0 };
    _cleanup_error_ struct error missing = { 0 };
    int r = view_list_load(&l, o->argc, o->argv, &missing, err);
    if (r < 0)
        return r;
    r = o->json == JSON_OFF ? print_table(&l, o, err) : print_json(&l, o->json, err);
    if (r >= 0 && missing.text)
        return error_class(err, missing.class, "%s", missing.text);
    return r;
}

static const char *const options[] = { "json", "no-legend", "no-pager", NULL };

const struct verb verb_list = {
    .name = "list",
    .group = "look",
    .operands = "[NAME...]",
    .summary = "one line an agent: state, mode, resources, refused packets",
    .options = options,
    .operands_min = 0,
    .operands_max = -1,
    .run = run_list,
};
