// What the journal remembers of a unit's end, for error reports and status. Believes PID 1 only.
#include "sys/journal.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "base/number.h"
#include "sys/journal_open.h"

// systemd's catalogue (sd-messages.h): a process of the unit exited, the unit ended well, the unit failed.
#define MESSAGE_PROCESS_EXIT "98e322203f7a4ed290d09fe03c09fe15"
#define MESSAGE_UNIT_SUCCESS "7ad2d189f7e94e70a38c781354912448"
#define MESSAGE_UNIT_FAILURE "d9b373ed55a64feb8242e02dbe79a49c"

static int add_line(const struct journal_entry *e, void *userdata, struct error *err)
{
    struct text *t = userdata;
    _cleanup_free_ char *line = text_printable(e->message, e->message_size);
    if (!line)
        return error_oom(err);
    text_addf(t, "%s\n", line);
    return 0;
}

int journal_tail(const char *unit, unsigned n, uint64_t since_usec, char **ret, struct error *err)
{
    _cleanup_strv_ struct strv units = { 0 };
    if (strv_add(&units, unit) < 0)
        return error_oom(err);
    const struct journal_query query = {
        .units = units, .lines = n, .since_usec = since_usec, .output_fd = -1 // units: borrowed
    };
    _cleanup_text_ struct text t = { 0 };
    int r = journal_read(&query, add_line, &t, err);
    if (r < 0)
        return r;
    char *text = text_take(&t);
    if (!text)
        return error_oom(err);
    *ret = text;
    return 0;
}

// The value of a short field of the current entry, "" if it has none.
static void read_short(sd_journal *j, const char *name, char *ret, size_t size)
{
    const void *data = NULL;
    size_t n = 0;
    size_t skip = strlen(name) + 1;
    ret[0] = '\0';
    if (sd_journal_get_data(j, name, &data, &n) < 0 || n < skip)
        return;
    n = n - skip < size - 1 ? n - skip : size - 1;
    memcpy(ret, (const char *)data + skip, n);
    ret[n] = '\0';
}

#define FIELD_MAX 64

// "exited, status 1" or "killed by signal 9 (KILL)", of a process-exit entry.
static char *describe_exit(const char *code, const char *status)
{
    _cleanup_error_ struct error ignored = { 0 };
    char *text = NULL;
    if (str_equal(code, "exited"))
        return asprintf(&text, "exited, status %s", status) < 0 ? NULL : text;

    uint64_t number = 0; // EXIT_STATUS= is then the signal's
    const char *name =
        parse_unsigned(status, 1, NSIG, &number, &ignored) < 0 ? NULL : sigabbrev_np((int)number);
    const char *verb = str_equal(code, "dumped") ? "dumped core" : "killed";
    return asprintf(&text, "%s by signal %s (%s)", verb, status, name ? name : "unknown") < 0 ? NULL : text;
}

// The text of the current entry if it tells of the main process's exit; NULL if it does not.
static char *main_process_exit(sd_journal *j)
{
    char id[FIELD_MAX], command[FIELD_MAX], code[FIELD_MAX], status[FIELD_MAX];
    read_short(j, "MESSAGE_ID", id, sizeof id);
    read_short(j, "COMMAND", command, sizeof command);
    if (!str_equal(id, MESSAGE_PROCESS_EXIT) || (command[0] && !str_equal(command, "ExecStart")))
        return NULL;
    read_short(j, "EXIT_CODE", code, sizeof code);
    read_short(j, "EXIT_STATUS", status, sizeof status);
    return describe_exit(code, status);
}

// The position is on a failure: its result in words. How the process exited stands in the entry before it.
static char *failure_text(sd_journal *j)
{
    char result[FIELD_MAX];
    read_short(j, "UNIT_RESULT", result, sizeof result);
    if (str_equal(result, "exit-code") || str_equal(result, "signal") || str_equal(result, "core-dump")) {
        char *text = sd_journal_previous(j) > 0 ? main_process_exit(j) : NULL;
        if (text)
            return text;
    }
    return strdup(result);
}

// The text of the current entry: NULL when memory ran out or it tells of another process than the main one.
static char *end_text(sd_journal *j)
{
    char id[FIELD_MAX];
    read_short(j, "MESSAGE_ID", id, sizeof id);
    if (str_equal(id, MESSAGE_UNIT_SUCCESS))
        return strdup("success");
    if (str_equal(id, MESSAGE_UNIT_FAILURE))
        return failure_text(j);
    return main_process_exit(j);
}

static int open_ends(const char *unit, sd_journal **ret, struct error *err)
{
    static const char *const ids[] = { MESSAGE_PROCESS_EXIT, MESSAGE_UNIT_SUCCESS, MESSAGE_UNIT_FAILURE };
    _cleanup_journal_ sd_journal *j = NULL;
    int r = journal_open_manager(unit, &j, err);
    if (r < 0)
        return r;
    for (size_t i = 0; i < ARRAY_SIZE(ids) && r >= 0; i++) {
        char text[FIELD_MAX];
        (void)snprintf(text, sizeof text, "MESSAGE_ID=%s", ids[i]);
        r = sd_journal_add_match(j, text, 0);
    }
    if (r >= 0)
        r = sd_journal_seek_tail(j);
    if (r < 0)
        return error_errno(err, -r, "cannot search the journal");
    *ret = take_ptr(j);
    return 0;
}

int journal_last_exit(const char *unit, char **ret, uint64_t *ret_when_usec, struct error *err)
{
    _cleanup_journal_ sd_journal *j = NULL;
    int r = open_ends(unit, &j, err);
    if (r < 0)
        return r;
    char *text = NULL;
    uint64_t when = 0;
    while (!text && (r = sd_journal_previous(j)) > 0) {
        (void)sd_journal_get_realtime_usec(j, &when); // 0: not known
        text = end_text(j);
    }
    if (r < 0) {
        free(text);
        return error_errno(err, -r, "cannot read the journal");
    }
    *ret = text;
    *ret_when_usec = text ? when : 0;
    return 0;
}
