// Opening the journal for some units, for the files of sys/ that read it.
#pragma once

#include <systemd/sd-journal.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "base/text.h"

#define _cleanup_journal_ _cleanup_(sd_journal_closep)

// Every journal file of this host, narrowed to entries of the units' own processes and of PID 1 about the
// units. No units match nothing. Fails if the caller may not read the system journal, instead of showing less
// than there is.
int journal_open_units(const struct strv *units, sd_journal **ret, struct error *err) _must_check_;
// The same, narrowed to PID 1's entries about one unit.
int journal_open_manager(const char *unit, sd_journal **ret, struct error *err) _must_check_;
