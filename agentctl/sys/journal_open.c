// Opens the journal and sets the matches. The only place that decides which fields are believed.
#include "sys/journal_open.h"

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include <systemd/sd-id128.h>

// sd_journal_open() silently leaves out the files that it may not read; a listing that lacks them would look
// like an agent that said nothing.
static int check_access(struct error *err)
{
    static const char *const roots[] = { "/var/log/journal", "/run/log/journal" };
    sd_id128_t machine;
    int r = sd_id128_get_machine(&machine);
    if (r < 0)
        return error_errno(err, -r, "cannot read /etc/machine-id");
    for (size_t i = 0; i < ARRAY_SIZE(roots); i++) {
        char path[128];
        (void)snprintf(path, sizeof path, "%s/" SD_ID128_FORMAT_STR "/system.journal", roots[i],
                       SD_ID128_FORMAT_VAL(machine));
        if (access(path, R_OK) < 0 && errno == EACCES)
            return error_set(err, EACCES,
                             "the journal can only be read by root and members of group systemd-journal");
    }
    return 0;
}

static int open_journal(sd_journal **ret, struct error *err)
{
    int r = check_access(err);
    if (r < 0)
        return r;
    _cleanup_journal_ sd_journal *j = NULL;
    r = sd_journal_open(&j, SD_JOURNAL_LOCAL_ONLY);
    if (r < 0)
        return error_errno(err, -r, "cannot open the journal");
    if (sd_journal_has_runtime_files(j) == 0 && sd_journal_has_persistent_files(j) == 0)
        return error_set(err, ENOENT, "journald keeps no journal on this host");
    (void)sd_journal_set_data_threshold(j, 0); // whole messages; only fails for a NULL journal
    *ret = take_ptr(j);
    return 0;
}

static int match(sd_journal *j, const char *field, const char *value)
{
    _cleanup_free_ char *text = NULL;
    if (asprintf(&text, "%s=%s", field, value) < 0)
        return -ENOMEM;
    return sd_journal_add_match(j, text, 0);
}

// UNIT= is anybody's to write; with _PID=1 it is systemd's own.
static int match_manager(sd_journal *j, const char *unit)
{
    int r = match(j, "_PID", "1");
    return r < 0 ? r : match(j, "UNIT", unit);
}

static int match_unit(sd_journal *j, const char *unit)
{
    int r = match(j, "_SYSTEMD_UNIT", unit);
    if (r >= 0)
        r = sd_journal_add_disjunction(j);
    if (r >= 0)
        r = match_manager(j, unit);
    if (r >= 0)
        r = sd_journal_add_disjunction(j);
    return r;
}

int journal_open_units(const struct strv *units, sd_journal **ret, struct error *err)
{
    _cleanup_journal_ sd_journal *j = NULL;
    int r = open_journal(&j, err);
    if (r < 0)
        return r;
    // Without any match everything would match: begin with one that nothing fits.
    r = match(j, "_SYSTEMD_UNIT", "");
    STRV_FOREACH (unit, units) {
        if (r >= 0)
            r = sd_journal_add_disjunction(j);
        if (r >= 0)
            r = match_unit(j, unit);
    }
    if (r < 0)
        return error_errno(err, -r, "cannot search the journal");
    *ret = take_ptr(j);
    return 0;
}

int journal_open_manager(const char *unit, sd_journal **ret, struct error *err)
{
    _cleanup_journal_ sd_journal *j = NULL;
    int r = open_journal(&j, err);
    if (r < 0)
        return r;
    r = match_manager(j, unit);
    if (r < 0)
        return error_errno(err, -r, "cannot search the journal");
    *ret = take_ptr(j);
    return 0;
}
