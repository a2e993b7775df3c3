// The record of a running service: its unit without what can be changed live. Written by root, readable by
// all.
#include "sys/record.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "config.h"
#include "encode/unit_text.h"
#include "plan/unit.h"
#include "sys/file_io.h"

#define RECORD_MODE 0644

static int fixed_text(const struct unit *unit, char **ret, struct error *err)
{
    struct unit fixed = { .name = unit->name }; // borrows everything but the array
    _cleanup_free_ struct property *properties = calloc(unit->count + 1, sizeof(*properties));
    if (!properties)
        return error_oom(err);
    fixed.properties = properties;
    for (size_t i = 0; i < unit->count; i++)
        if (!unit->properties[i].live)
            properties[fixed.count++] = unit->properties[i];
    *ret = unit_text(&fixed);
    return *ret ? 0 : error_oom(err);
}

// The unit, and what the launcher is told.
static int record_text(const struct agent *a, const struct host *host, char **ret, struct error *err)
{
    const struct unit_input input = {
        .names = &a->names, .spec = a->effective, .host = host, .launcher = LAUNCHER_PATH
    };
    _cleanup_unit_ struct unit unit = { 0 };
    int r = unit_build_service(&input, &unit, err);
    if (r < 0)
        return r;
    _cleanup_free_ char *service = NULL;
    r = fixed_text(&unit, &service, err);
    if (r < 0)
        return r;
    _cleanup_free_ char *launch = agent_launch_text(a);
    if (!launch)
        return error_oom(err);
    _cleanup_text_ struct text t = { 0 };
    text_addf(&t, "%s\n%s", service, launch);
    *ret = text_take(&t);
    return *ret ? 0 : error_oom(err);
}

int record_write(const struct agent *a, const struct host *host, struct error *err)
{
    _cleanup_free_ char *text = NULL;
    int r = record_text(a, host, &text, err);
    if (r < 0)
        return r;
    assert(text);
    return file_write(a->names.record_file, text, strlen(text), RECORD_MODE, err);
}

int record_remove(const struct agent_names *names, struct error *err)
{
    return file_remove(names->record_file, err);
}

int record_is_outdated(const struct agent *a, const struct host *host, bool *ret, struct error *err)
{
    _cleanup_free_ char *recorded = NULL;
    size_t n = 0;
    int r = file_read(a->names.record_file, FILE_ROOT, FILE_SIZE_MAX, &recorded, &n, err);
    if (r == -ENOENT) {
        *ret = false;
        return 0;
    }
    _cleanup_free_ char *current = NULL;
    if (r >= 0)
        r = record_text(a, host, &current, err);
    if (r < 0)
        return r;
    *ret = !str_equal(recorded, current);
    return 0;
}
