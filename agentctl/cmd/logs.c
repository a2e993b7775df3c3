// agentctl logs: what agents wrote and what systemd says of their units, interleaved by time.
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "base/number.h"
#include "cmd/agent.h"
#include "cmd/log_format.h"
#include "cmd/output.h"
#include "cmd/verbs.h"
#include "sys/clock.h"

#define LINES_DEFAULT 100

static const struct {
    const char *name;
    enum log_format format;
} formats[] = {
    { "short", LOG_SHORT },
    { "json", LOG_JSON },
    { "cat", LOG_CAT },
};

static int parse_format(const struct options *o, enum log_format *ret, struct error *err)
{
    *ret = o->json == JSON_PRETTY ? LOG_PRETTY : o->json == JSON_SHORT ? LOG_JSON : LOG_SHORT;
    if (!o->output)
        return 0;
    if (o->json != JSON_OFF && !str_equal(o->output, "json"))
        return error_class(err, ERROR_USAGE, "logs: --output=%s and --json= contradict each other",
                           o->output);
    for (size_t i = 0; i < ARRAY_SIZE(formats); i++)
        if (str_equal(o->output, formats[i].name)) {
            *ret = o->json == JSON_PRETTY ? LOG_PRETTY : formats[i].format;
            return 0;
        }
    return error_class(err, ERROR_USAGE, "logs: --output=%s: not one of short, json, cat", o->output);
}

// Without -n a person at a terminal, and -f, begin with the last lines; a file or a program gets all that was
// asked for, and so does whoever says since when.
static int parse_lines(const struct options *o, int64_t *ret, struct error *err)
{
    bool some = isatty(STDOUT_FILENO) || o->follow;
    *ret = some && !o->since && !o->until ? LINES_DEFAULT : -1;
    if (!o->lines || str_equal(o->lines, "all")) {
        *ret = o->lines ? -1 : *ret;
        return 0;
    }
    uint64_t lines = 0;
    int r = parse_unsigned(o->lines, 0, INT64_MAX - 1, &lines, err);
    if (r < 0)
        return error_wrap(err, r, "logs: --lines=%s", o->lines);
    *ret = (int64_t)lines;
    return 0;
}

static int parse_time(const char *option, const char *text, uint64_t *ret, struct error *err)
{
    if (!text)
        return 0;
    int r = journal_parse_time(text, clock_usec(CLOCK_REALTIME), ret, err);
    return r < 0 ? error_wrap(err, r, "logs: --%s=%s", option, text) : 0;
}

static int parse_range(const struct options *o, struct journal_query *q, struct error *err)
{
    int r = parse_time("since", o->since, &q->since_usec, err);
    if (r >= 0)
        r = parse_time("until", o->until, &q->until_usec, err);
    if (r < 0)
        return r;
    if (q->until_usec > 0 && q->since_usec > q->until_usec)
        return error_class(err, ERROR_USAGE, "logs: --since=%s is later than --until=%s", o->since, o->until);
    return 0;
}

static int collect_units(const struct options *o, struct strv *ret, struct error *err)
{
    _cleanup_agent_list_ struct agent_list agents = { 0 };
    int r = agent_list_load(&agents, o->argc, o->argv, err);
    if (r < 0)
        return r;
    for (size_t i = 0; i < agents.count; i++)
        if (strv_add(ret, agents.items[i].names.service) < 0)
            return error_oom(err);
    return 0;
}

struct printer {
    enum log_format format;
    bool terminal, follow;
};

static int print_entry(const struct journal_entry *e, void *userdata, struct error *err)
{
    const struct printer *p = userdata;
    int r = log_print(e, p->format, p->terminal, err);
    if (r >= 0 && p->follow) // whoever follows wants every entry at once
        return output_finish(err);
    return r;
}

// Polled for hang-up while following; a terminal or a file has no reader that could go away.
static int output_pipe(void)
{
    struct stat st;
    if (fstat(STDOUT_FILENO, &st) < 0 || !(S_ISFIFO(st.st_mode) || S_ISSOCK(st.st_mode)))
        return -1;
    return STDOUT_FILENO;
}

static void query_clear(struct journal_query *q)
{
    strv_clear(&q->units);
}

static int run_logs(const struct options *o, struct error *err)
{
    _cleanup_(query_clear) struct journal_query q = { .follow = o->follow, .output_fd = output_pipe() };
    struct printer printer = { .terminal = isatty(STDOUT_FILENO), .follow = o->follow };
    int r = parse_format(o, &printer.format, err);
    if (r >= 0)
        r = parse_lines(o, &q.lines, err);
    if (r >= 0)
        r = parse_range(o, &q, err);
    if (r >= 0)
        r = collect_units(o, &q.units, err);
    if (r >= 0)
        r = journal_read(&q, print_entry, &printer, err);
    return r < 0 ? r : output_finish(err);
}

static const char *const options[] = {
    "follow", "lines", "since", "until", "output", "json", "no-pager", NULL
};

const struct verb verb_logs = {
    .name = "logs",
    .group = "look",
    .operands = "[NAME...]",
    .summary = "what agents wrote, and what systemd says of their units (all agents if none is named)",
    .options = options,
    .operands_min = 0,
    .operands_max = -1,
    .run = run_logs,
};
