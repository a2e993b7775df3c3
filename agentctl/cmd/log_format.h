// How one journal entry is printed, and how it looks as JSON.
#pragma once

#include <jansson.h>
#include <stdbool.h>

#include "sys/journal.h"

enum log_format {
    LOG_SHORT, // "Nov 22 14:03:11 coder python3[1234]: message"
    LOG_JSON,  // an object a line
    LOG_PRETTY,
    LOG_CAT, // the message alone
};

// Writes to standard output. terminal: whether a terminal may interpret what is written; only LOG_CAT depends
// on it: without one it gives the message's bytes as the journal has them.
int log_print(const struct journal_entry *e, enum log_format format, bool terminal,
              struct error *err) _must_check_;

// One entry of `logs --json` and of the log in `status --json`. NULL: out of memory.
json_t *log_json(const struct journal_entry *e) _must_check_;
