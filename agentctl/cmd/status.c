// agentctl status: everything about some agents, for people and as JSON. Changes nothing.
#include <errno.h>
#include <stdio.h>

#include "base/number.h"
#include "cmd/log_format.h"
#include "cmd/output.h"
#include "cmd/status_detail.h"
#include "cmd/status_json.h"
#include "cmd/status_text.h"
#include "cmd/verbs.h"

#define LOG_LINES_DEFAULT 10
#define LOG_LINES_MAX 10000

// The last log lines, to each(). Who has no journal, or may not read it, sees everything else all the same.
static int read_log(const struct view *v, unsigned lines,
                    int (*each)(const struct journal_entry *, void *, struct error *), void *userdata,
                    struct error *err)
{
    _cleanup_strv_ struct strv units = { 0 };
    if (strv_add(&units, v->agent.names.service) < 0)
        return error_oom(err);
    const struct journal_query query = { .units = units, .lines = lines, .output_fd = -1 }; // units: borrowed
    int r = journal_read(&query, each, userdata, err);
    if (r == -EACCES || r == -ENOENT) {
        error_clear(err);
        return 0;
    }
    return r;
}

static int print_log_line(const struct journal_entry *e, void *userdata, struct error *err)
{
    bool *first = userdata;
    if (*first)
        (void)putchar('\n');
    *first = false;
    return log_print(e, LOG_SHORT, true, err);
}

static int add_log_line(const struct journal_entry *e, void *userdata, struct error *err)
{
    return json_array_append_new(userdata, log_json(e)) < 0 ? error_oom(err) : 0;
}

struct shown {
    const struct options *options;
    struct view_list views;
    struct host host;
    unsigned log_lines;
    json_t *array; // with --json
};

static int show_text(struct shown *s, const struct view *v, const struct status_detail *d, struct error *err)
{
    bool first = true;
    int r = status_print(v, d, s->views.nft, err);
    return r < 0 || s->log_lines == 0 ? r : read_log(v, s->log_lines, print_log_line, &first, err);
}

static int show_json(struct shown *s, const struct view *v, const struct status_detail *d, struct error *err)
{
    json_t *object = status_json(v, d, s->views.nft);
    if (json_array_append_new(s->array, object) < 0)
        return error_oom(err);
    json_t *log = json_array();
    if (json_object_set_new(object, "log", log) < 0)
        return error_oom(err);
    return s->log_lines == 0 ? 0 : read_log(v, s->log_lines, add_log_line, log, err);
}

static int show_agent(struct shown *s, size_t i, struct error *err)
{
    struct view *v = &s->views.items[i];
    _cleanup_detail_ struct status_detail d = { 0 };
    int r = status_detail_load(&d, &s->views, v, &s->host, err);
    if (r < 0)
        return r;
    if (s->array)
        return show_json(s, v, &d, err);
    if (i > 0)
        (void)putchar('\n');
    return show_text(s, v, &d, err);
}

static int show_all(struct shown *s, struct error *err)
{
    if (s->options->quiet)
        return 0;
    int r = manager_read_host(s->views.manager, &s->host, err);
    if (r < 0)
        return r;
    if (s->options->json != JSON_OFF && !(s->array = json_array()))
        return error_oom(err);
    for (size_t i = 0; i < s->views.count; i++) {
        r = show_agent(s, i, err);
        if (r < 0)
            return r;
    }
    return s->array ? output_json(take_ptr(s->array), s->options->json, err) : output_finish(err);
}

static void shown_clear(struct shown *s)
{
    view_list_clear(&s->views);
    json_decref(s->array);
}

// Log lines are for the one agent that somebody looks at.
static int parse_log_lines(const struct options *o, unsigned *ret, struct error *err)
{
    uint64_t lines = o->argc == 1 && o->json == JSON_OFF ? LOG_LINES_DEFAULT : 0;
    if (o->lines && parse_unsigned(o->lines, 0, LOG_LINES_MAX, &lines, err) < 0)
        return error_wrap(err, -EINVAL, "status: --lines=%s", o->lines);
    *ret = (unsigned)lines;
    return 0;
}

// The exit status tells what the output says already, so a stopped agent gets no message.
static int check_running(const struct shown *s, struct error *err)
{
    for (size_t i = 0; s->options->argc > 0 && i < s->views.count; i++)
        if (s->views.items[i].state != VIEW_RUNNING) {
            err->class = ERROR_NOT_RUNNING;
            return -ESRCH;
        }
    return 0;
}

static int run_status(const struct options *o, struct error *err)
{
    _cleanup_(shown_clear) struct shown s = { .options = o };
    _cleanup_error_ struct error missing = { 0 };
    int r = parse_log_lines(o, &s.log_lines, err);
    if (r >= 0)
        r = view_list_load(&s.views, o->argc, o->argv, &missing, err);
    if (r >= 0)
        r = show_all(&s, err);
    if (r < 0)
        return r;
    if (missing.text)
        return error_class(err, missing.class, "%s", missing.text);
    return check_running(&s, err);
}

static const char *const options[] = { "json", "lines", "quiet", "no-pager", NULL };

const struct verb verb_status = {
    .name = "status",
    .group = "look",
    .operands = "[NAME...]",
    .summary = "everything about agents: state, resources, limits, isolation, network, last exit",
    .options = options,
    .operands_min = 0,
    .operands_max = -1,
    .run = run_status,
};
