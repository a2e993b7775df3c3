// Prints journal entries. What an agent wrote is made harmless here, unless the bytes go elsewhere than a
// terminal and were asked for as they are.
#include "cmd/log_format.h"

#include <errno.h>
#include <string.h>
#include <time.h>

#include "base/number.h"
#include "cmd/output.h"
#include "plan/names.h"

static void print_time(uint64_t realtime_usec)
{
    time_t t = (time_t)(realtime_usec / USEC_PER_SEC);
    struct tm tm = { 0 };
    char text[32] = "-";
    if (localtime_r(&t, &tm) && strftime(text, sizeof(text), "%b %d %H:%M:%S", &tm) == 0)
        (void)snprintf(text, sizeof(text), "-");
    (void)fputs(text, stdout);
}

static int print_short(const struct journal_entry *e, struct error *err)
{
    _cleanup_free_ char *agent = agent_of_unit(e->unit);
    _cleanup_free_ char *command = text_printable(e->command, strlen(e->command));
    _cleanup_free_ char *message = output_sanitize(e->message, e->message_size, "                ");
    if (!agent || !command || !message)
        return error_oom(err);
    print_time(e->realtime_usec);
    (void)printf(" %s %s", agent, *command ? command : "-");
    if (e->pid > 0)
        (void)printf("[%d]", (int)e->pid);
    (void)printf(": %s\n", message);
    return 0;
}

static const char *source_name(const struct journal_entry *e)
{
    return e->source == JOURNAL_MANAGER ? "systemd" : "agent";
}

json_t *log_json(const struct journal_entry *e)
{
    _cleanup_free_ char *agent = agent_of_unit(e->unit);
    return json_pack("{s:I, s:s?, s:s, s:s, s:o, s:o, s:i, s:o}", "time_usec", (json_int_t)e->realtime_usec,
                     "agent", agent, "unit", e->unit, "source", source_name(e), "command",
                     output_json_string(e->command, strlen(e->command)), "pid",
                     e->pid > 0 ? json_integer(e->pid) : json_null(), "priority", e->priority, "message",
                     output_json_string(e->message, e->message_size));
}

static int print_cat(const struct journal_entry *e, bool terminal, struct error *err)
{
    if (!terminal) {
        (void)fwrite(e->message, 1, e->message_size, stdout);
        (void)putchar('\n');
        return 0;
    }
    _cleanup_free_ char *message = output_sanitize(e->message, e->message_size, "");
    if (!message)
        return error_oom(err);
    (void)puts(message);
    return 0;
}

int log_print(const struct journal_entry *e, enum log_format format, bool terminal, struct error *err)
{
    int r = 0;
    switch (format) {
    case LOG_SHORT:
        r = print_short(e, err);
        break;
    case LOG_JSON:
        return output_json(log_json(e), JSON_SHORT, err);
    case LOG_PRETTY:
        return output_json(log_json(e), JSON_PRETTY, err);
    case LOG_CAT:
        r = print_cat(e, terminal, err);
        break;
    }
    if (r >= 0 && ferror(stdout))
        return error_errno(err, errno ? errno : EIO, "cannot write to standard output");
    return r;
}
