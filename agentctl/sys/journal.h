// Journal entries of agents. An entry belongs to an agent by fields that only journald sets (they begin with
// '_'); what an agent claims about itself (UNIT=, SYSLOG_IDENTIFIER= ...) is never believed.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/error.h"
#include "base/text.h"

struct journal_query {
    struct strv units;               // agent-NAME.service ...
    int64_t lines;                   // the last ones; -1: all
    uint64_t since_usec, until_usec; // CLOCK_REALTIME; 0: unbounded
    bool follow;                     // wait for more, across restarts, until SIGINT or SIGTERM
    int output_fd;                   // follow ends as well when the reader of this pipe is gone; -1: none
};

enum journal_source {
    JOURNAL_AGENT,   // a process of the unit wrote it
    JOURNAL_MANAGER, // PID 1 wrote it about the unit
};

// Borrowed: valid until the callback returns.
struct journal_entry {
    uint64_t realtime_usec; // when journald received it
    const char *unit;       // one of the query's units
    enum journal_source source;
    int priority;        // syslog's 0..7; the writer's word
    pid_t pid;           // 0: not known
    const char *command; // the process's name as the kernel had it, "" if not known; the agent may choose it
    const char *message; // any bytes, not NUL-terminated
    size_t message_size;
};

// Calls each(entry, userdata) for every entry, oldest first, several units interleaved by time; 0 goes on,
// negative (with err set by each) stops. Fails with -EACCES if the caller may not read the system journal,
// with -ENOENT if there is none.
int journal_read(const struct journal_query *q,
                 int (*each)(const struct journal_entry *entry, void *userdata, struct error *err),
                 void *userdata, struct error *err) _must_check_;

// The last n messages of a unit since the given time, printable, a line each, for an error report or status.
// *ret is "" if there are none. The caller frees.
int journal_tail(const char *unit, unsigned n, uint64_t since_usec, char **ret,
                 struct error *err) _must_check_;

// How the unit last ended, from PID 1's own entries: "success", "exited, status 1", "killed by signal 9
// (KILL)", "oom-kill", "timeout". *ret is NULL if the journal does not know.
int journal_last_exit(const char *unit, char **ret, uint64_t *ret_when_usec, struct error *err) _must_check_;

// systemd.time(7) in the forms that people type: "2026-01-31 12:00[:30]", "2026-01-31", "12:00", "now",
// "today", "yesterday", "-1h", "1h ago", "@1700000000"; a trailing " UTC" or "Z" instead of local time. now
// is CLOCK_REALTIME. err: the bare cause. In journal_time.c.
int journal_parse_time(const char *text, uint64_t now_usec, uint64_t *ret_usec,
                       struct error *err) _must_check_;
