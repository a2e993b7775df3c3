// Journal entries of agents, by fields that only journald sets (they begin with '_').
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base/error.h"
#include "base/text.h"

enum journal_format { JOURNAL_SHORT, JOURNAL_CAT, JOURNAL_JSON };

struct journal_query {
    struct strv units;                // agent-NAME.service ...
    int64_t lines;                    // -1: all
    uint64_t since_usec, until_usec;  // CLOCK_REALTIME; 0: unbounded
    bool follow;
    enum journal_format format;
};

// Prints entries until the end, or with follow until SIGINT or SIGTERM. Control characters never reach a
// terminal raw.
int journal_print(const struct journal_query *q, FILE *out, struct error *err) _must_check_;

// The last n lines of a unit since the given time, printable, for an error report. The caller frees.
int journal_tail(const char *unit, unsigned n, uint64_t since_usec, char **ret, struct error *err) _must_check_;

// How the unit last ended, from PID 1's own entries: "exited, status 1", "killed by signal 9 (KILL)", "oom-kill".
// *ret is NULL if the journal does not know.
int journal_last_exit(const char *unit, char **ret, uint64_t *ret_when_usec, struct error *err) _must_check_;

// "2026-01-31 12:00", "12:00", "today", "-1h", "@1700000000"; now is CLOCK_REALTIME.
int journal_parse_time(const char *text, uint64_t now_usec, uint64_t *ret_usec, struct error *err) _must_check_;
