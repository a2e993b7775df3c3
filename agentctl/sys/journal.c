// Reading the system journal for agents' units. Matches only on fields that journald itself sets, and never
// prints: what an agent wrote is handed on as bytes, for the caller to make harmless.
#include "sys/journal.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <time.h>

#include <systemd/sd-id128.h>
#include <systemd/sd-journal.h>

#include "base/number.h"
#include "sys/clock.h"
#include "sys/journal_open.h"

static volatile sig_atomic_t stop_requested;

static void request_stop(int signal_number)
{
    stop_requested = signal_number;
}

// While following, SIGINT and SIGTERM end the loop instead of the process. No SA_RESTART: a write that blocks
// on a slow reader must end too.
struct stop_signals {
    struct sigaction interrupt, terminate;
    bool installed;
};

static void stop_signals_install(struct stop_signals *s)
{
    struct sigaction action = { .sa_handler = request_stop };
    stop_requested = 0;
    (void)sigaction(SIGINT, &action, &s->interrupt); // can't fail: valid signals
    (void)sigaction(SIGTERM, &action, &s->terminate);
    s->installed = true;
}

static void stop_signals_restore(struct stop_signals *s)
{
    if (!s->installed)
        return;
    (void)sigaction(SIGINT, &s->interrupt, NULL);
    (void)sigaction(SIGTERM, &s->terminate, NULL);
}

// ppoll() with the two signals unblocked only inside it, so that none is lost between the test and the wait.
static int poll_unless_stopped(struct pollfd *fds, nfds_t count, const struct timespec *timeout)
{
    sigset_t block, before;
    (void)sigemptyset(&block);
    (void)sigaddset(&block, SIGINT);
    (void)sigaddset(&block, SIGTERM);
    (void)sigprocmask(SIG_BLOCK, &block, &before);
    int r = stop_requested ? -EINTR : ppoll(fds, count, timeout, &before) < 0 ? -errno : 0;
    (void)sigprocmask(SIG_SETMASK, &before, NULL);
    return r == -EINTR ? 0 : r;
}

// Time left until sd-journal's deadline on CLOCK_MONOTONIC.
static struct timespec time_left(uint64_t deadline_usec)
{
    uint64_t now_usec = clock_usec(CLOCK_MONOTONIC);
    uint64_t left = deadline_usec > now_usec ? deadline_usec - now_usec : 0;
    return (struct timespec){ .tv_sec = (time_t)(left / USEC_PER_SEC),
                              .tv_nsec = (long)(left % USEC_PER_SEC) * 1000 };
}

// Waits until the journal may have more. *ret_end: the reader of our output is gone, or a signal asked to
// stop.
static int wait_for_entries(sd_journal *j, int output_fd, bool *ret_end, struct error *err)
{
    struct pollfd fds[] = {
        { .fd = sd_journal_get_fd(j), .events = (short)sd_journal_get_events(j) },
        { .fd = output_fd }, // no events: only POLLERR and POLLHUP
    };
    uint64_t deadline = 0;
    int r = sd_journal_get_timeout(j, &deadline);
    if (r < 0 || fds[0].fd < 0)
        return error_errno(err, r < 0 ? -r : -fds[0].fd, "cannot wait for the journal");

    struct timespec left = time_left(deadline);
    r = poll_unless_stopped(fds, ARRAY_SIZE(fds), deadline == UINT64_MAX ? NULL : &left);
    if (r < 0)
        return error_errno(err, -r, "cannot wait for the journal");
    r = sd_journal_process(j);
    if (r < 0)
        return error_errno(err, -r, "cannot follow the journal");
    *ret_end = stop_requested || (fds[1].revents & (POLLERR | POLLHUP));
    return 0;
}

// Puts the read position before the first entry wanted, so that the next sd_journal_next() yields it.
static int seek_start(sd_journal *j, const struct journal_query *q)
{
    if (q->lines < 0)
        return q->since_usec > 0 ? sd_journal_seek_realtime_usec(j, q->since_usec) : sd_journal_seek_head(j);

    int r = q->until_usec > 0 ? sd_journal_seek_realtime_usec(j, q->until_usec) : sd_journal_seek_tail(j);
    if (r < 0)
        return r;
    // One more than wanted: it becomes the position *before* the first. Fewer than that in the journal: all.
    uint64_t skip = (uint64_t)q->lines + 1;
    r = sd_journal_previous_skip(j, skip);
    if (r < 0)
        return r;
    uint64_t when = 0;
    if (r > 0 && sd_journal_get_realtime_usec(j, &when) >= 0 && when < q->since_usec)
        return sd_journal_seek_realtime_usec(j, q->since_usec);
    if ((uint64_t)r < skip)
        return sd_journal_seek_head(j);
    return 0;
}

// The value of a text field of the current entry, which the caller frees; NULL if it has none.
static int read_field(sd_journal *j, const char *name, char **ret)
{
    const void *data = NULL;
    size_t size = 0;
    int r = sd_journal_get_data(j, name, &data, &size);
    if (r == -ENOENT)
        return 0;
    if (r < 0)
        return r;
    size_t skip = strlen(name) + 1;
    char *copy = size >= skip ? strndup((const char *)data + skip, size - skip) : NULL;
    if (!copy)
        return -ENOMEM;
    free(*ret);
    *ret = copy;
    return 0;
}

static uint64_t number_or(const char *text, uint64_t max, uint64_t otherwise)
{
    _cleanup_error_ struct error ignored = { 0 };
    uint64_t value = otherwise;
    if (text && parse_unsigned(text, 0, max, &value, &ignored) < 0)
        return otherwise;
    return value;
}

struct fields {
    char *unit, *command, *pid, *priority;
};

static void fields_clear(struct fields *f)
{
    free(f->unit);
    free(f->command);
    free(f->pid);
    free(f->priority);
}

static int read_fields(sd_journal *j, struct fields *f)
{
    int r = read_field(j, "_SYSTEMD_UNIT", &f->unit);
    if (r >= 0)
        r = read_field(j, "_COMM", &f->command);
    if (r >= 0)
        r = read_field(j, "_PID", &f->pid);
    if (r >= 0)
        r = read_field(j, "PRIORITY", &f->priority);
    return r;
}

// Fills in what is left after read_fields(): time, unit and source, message.
static int read_rest(sd_journal *j, const struct journal_query *q, struct fields *f, struct journal_entry *e)
{
    int r = sd_journal_get_realtime_usec(j, &e->realtime_usec);
    if (r < 0)
        return r;
    e->source = JOURNAL_AGENT;
    if (!f->unit ||
        !strv_contains(&q->units, f->unit)) { // then _PID=1 matched, and its UNIT= can be believed
        e->source = JOURNAL_MANAGER;
        r = read_field(j, "UNIT", &f->unit);
        if (r < 0)
            return r;
    }
    const void *data = "MESSAGE=";
    size_t size = strlen("MESSAGE=");
    r = sd_journal_get_data(j, "MESSAGE", &data, &size);
    if (r < 0 && r != -ENOENT)
        return r;
    e->unit = f->unit ? f->unit : "";
    e->command = f->command ? f->command : "";
    e->pid = (pid_t)number_or(f->pid, INT32_MAX, 0);
    e->priority = (int)number_or(f->priority, 7, 6);
    e->message = (const char *)data + strlen("MESSAGE=");
    e->message_size = size - strlen("MESSAGE=");
    return 0;
}

enum { READ_ON, READ_END };

// Hands on the current entry. READ_END: it is later than wanted.
static int hand_on(sd_journal *j, const struct journal_query *q,
                   int (*each)(const struct journal_entry *, void *, struct error *), void *userdata,
                   struct error *err)
{
    _cleanup_(fields_clear) struct fields fields = { 0 };
    struct journal_entry entry = { 0 };
    int r = read_fields(j, &fields);
    if (r >= 0)
        r = read_rest(j, q, &fields, &entry);
    if (r == -ENOMEM)
        return error_oom(err);
    if (r < 0) // one damaged or just vacuumed entry must not hide those after it
        return READ_ON;
    if (q->until_usec > 0 && entry.realtime_usec > q->until_usec)
        return READ_END;
    if (entry.realtime_usec < q->since_usec)
        return READ_ON;
    r = each(&entry, userdata, err);
    return r < 0 ? r : READ_ON;
}

static int read_loop(sd_journal *j, const struct journal_query *q,
                     int (*each)(const struct journal_entry *, void *, struct error *), void *userdata,
                     struct error *err)
{
    for (bool end = false; !end && !stop_requested;) {
        int r = sd_journal_next(j);
        if (r < 0)
            return error_errno(err, -r, "cannot read the journal");
        if (r > 0) {
            r = hand_on(j, q, each, userdata, err);
            if (r < 0)
                return r;
            end = r == READ_END;
        } else if (q->follow) {
            r = wait_for_entries(j, q->output_fd, &end, err);
            if (r < 0)
                return r;
        } else {
            end = true;
        }
    }
    return 0;
}

int journal_read(const struct journal_query *q,
                 int (*each)(const struct journal_entry *entry, void *userdata, struct error *err),
                 void *userdata, struct error *err)
{
    _cleanup_journal_ sd_journal *j = NULL;
    int r = journal_open_units(&q->units, &j, err);
    if (r < 0)
        return r;
    // Opens the watch before reading, so that nothing falls between the last entry read and the first wait.
    if (q->follow && (r = sd_journal_get_fd(j)) < 0)
        return error_errno(err, -r, "cannot follow the journal");
    r = seek_start(j, q);
    if (r < 0)
        return error_errno(err, -r, "cannot read the journal");

    _cleanup_(stop_signals_restore) struct stop_signals signals = { 0 };
    stop_requested = 0;
    if (q->follow)
        stop_signals_install(&signals);
    r = read_loop(j, q, each, userdata, err);
    if (r < 0 && stop_requested) { // the write that the signal interrupted
        error_clear(err);
        return 0;
    }
    return r;
}
