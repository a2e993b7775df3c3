// Jobs of systemd's manager: starts and stops units and waits for the result. Never reports a start that did
// not happen, and never leaves a unit that failed to start trying again.
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/number.h"
#include "base/text.h"
#include "encode/unit_message.h"
#include "sys/clock.h"
#include "sys/manager.h"
#include "sys/manager_call.h"
#include "sys/unit_result.h"

// systemd ends every job itself; this is for a manager that hangs.
#define START_TIMEOUT (5 * 60 * USEC_PER_SEC)
#define STOP_TIMEOUT (5 * 60 * USEC_PER_SEC)

// Jobs of one unit that ended, as path, result, path, result ...; signals are kept from before the call on,
// because a job may end before its path is known.
struct job_watch {
    const char *unit;
    sd_bus_slot *slot;
    struct strv ended;
};

static void job_watch_clear(struct job_watch *w)
{
    (void)sd_bus_slot_unref(w->slot);
    strv_clear(&w->ended);
}

static int on_job_removed(sd_bus_message *signal, void *userdata, sd_bus_error *error)
{
    struct job_watch *w = userdata;
    const char *path = NULL;
    const char *unit = NULL;
    const char *result = NULL;
    uint32_t id = 0;
    (void)error;
    int r = sd_bus_message_read(signal, "uoss", &id, &path, &unit, &result);
    if (r < 0 || !str_equal(unit, w->unit))
        return 0;
    r = strv_add(&w->ended, path);
    return r < 0 ? r : strv_add(&w->ended, result);
}

static int watch_jobs(struct manager *m, const char *unit, struct job_watch *w, struct error *err)
{
    w->unit = unit;
    int r = sd_bus_match_signal(manager_bus(m), &w->slot, MANAGER_SERVICE, MANAGER_PATH, MANAGER_INTERFACE,
                                "JobRemoved", on_job_removed, w);
    return r < 0 ? error_errno(err, -r, "%s: cannot listen to systemd", unit) : 0;
}

static const char *job_result(const struct job_watch *w, const char *job)
{
    for (size_t i = 0; i + 1 < w->ended.count; i += 2)
        if (str_equal(w->ended.items[i], job))
            return w->ended.items[i + 1];
    return NULL;
}

// Sets *ret to the job's result ("done", "failed" ...), borrowed from w.
static int await_job(struct manager *m, const struct job_watch *w, const char *job, uint64_t timeout_usec,
                     const char **ret, struct error *err)
{
    uint64_t deadline = clock_usec(CLOCK_MONOTONIC) + timeout_usec;
    for (;;) {
        const char *result = job_result(w, job);
        if (result) {
            *ret = result;
            return 0;
        }
        uint64_t now = clock_usec(CLOCK_MONOTONIC);
        if (now >= deadline)
            return error_set(err, ETIMEDOUT, "%s: systemd did not finish the job in time", w->unit);
        int r = sd_bus_process(manager_bus(m), NULL);
        if (r == 0)
            r = sd_bus_wait(manager_bus(m), deadline - now);
        if (r < 0 && r != -EINTR)
            return error_errno(err, -r, "%s: lost systemd while waiting", w->unit);
    }
}

// --- single questions and orders ---

// Calls a method that takes a unit's name. 1: the manager knows no such unit.
static int call_for_unit(struct manager *m, const char *method, const char *unit, sd_bus_message **ret,
                         struct error *err)
{
    _cleanup_bus_error_ sd_bus_error e = SD_BUS_ERROR_NULL;
    int r = sd_bus_call_method(manager_bus(m), MANAGER_SERVICE, MANAGER_PATH, MANAGER_INTERFACE, method, &e,
                               ret, "s", unit);
    if (r < 0 && sd_bus_error_has_name(&e, MANAGER_NO_SUCH_UNIT))
        return 1;
    return r < 0 ? manager_error(err, r, &e, unit) : 0;
}

static int reset_failed(struct manager *m, const char *unit, struct error *err)
{
    int r = call_for_unit(m, "ResetFailedUnit", unit, NULL, err);
    return r < 0 ? r : 0;
}

// *ret is NULL if the unit is not loaded.
static int read_active_state(struct manager *m, const char *unit, char **ret, struct error *err)
{
    _cleanup_bus_message_ sd_bus_message *reply = NULL;
    int r = call_for_unit(m, "GetUnit", unit, &reply, err); // loads nothing
    if (r < 0)
        return r;
    const char *path = NULL;
    if (r > 0 || sd_bus_message_read(reply, "o", &path) < 0) {
        *ret = NULL;
        return 0;
    }
    _cleanup_bus_error_ sd_bus_error e = SD_BUS_ERROR_NULL;
    r = sd_bus_get_property_string(manager_bus(m), MANAGER_SERVICE, path, MANAGER_SERVICE ".Unit",
                                   "ActiveState", &e, ret);
    return r < 0 ? manager_error(err, r, &e, unit) : 0;
}

// --- starting ---

static int make_way(struct manager *m, const char *unit, struct error *err)
{
    _cleanup_free_ char *state = NULL;
    int r = read_active_state(m, unit, &state, err);
    if (r < 0 || !state || str_equal(state, "inactive"))
        return r;
    if (str_equal(state, "failed"))
        return reset_failed(m, unit, err);
    return error_set(err, EEXIST, "%s is already %s", unit, state);
}

static int send_start(struct manager *m, const struct unit *u, sd_bus_message **ret, struct error *err)
{
    _cleanup_bus_message_ sd_bus_message *call = NULL;
    int r = sd_bus_message_new_method_call(manager_bus(m), &call, MANAGER_SERVICE, MANAGER_PATH,
                                           MANAGER_INTERFACE, "StartTransientUnit");
    if (r >= 0)
        r = sd_bus_message_append(call, "ss", u->name, "fail");
    if (r < 0)
        return error_errno(err, -r, "%s: cannot build a message", u->name);
    r = unit_message_append(call, u, err);
    if (r < 0)
        return error_wrap(err, r, "%s", u->name);
    r = sd_bus_message_append(call, "a(sa(sv))", 0);
    if (r < 0)
        return error_errno(err, -r, "%s: cannot build a message", u->name);
    _cleanup_bus_error_ sd_bus_error e = SD_BUS_ERROR_NULL;
    r = sd_bus_call(manager_bus(m), call, 0, &e, ret);
    if (r < 0 && sd_bus_error_has_name(&e, "org.freedesktop.systemd1.UnitExists"))
        r = -EEXIST;
    return r < 0 ? manager_error(err, r, &e, u->name) : 0;
}

// Says why, and stops what Restart= would start again.
static int report_failure(struct manager *m, const struct unit *u, const char *result, struct error *err)
{
    _cleanup_free_ char *why = NULL;
    struct error ignored = { 0 }; // the start's own failure matters more
    if (unit_result_describe(m, u->name, &why, &ignored) < 0 || !why)
        (void)error_set(err, EIO, "%s: the start job ended as '%s'", u->name, result);
    else
        (void)error_set(err, EIO, "%s: %s", u->name, why);
    _cleanup_free_ char *state = NULL;
    if (read_active_state(m, u->name, &state, &ignored) == 0 && str_equal(state, "activating") &&
        manager_stop_unit(m, u->name, &ignored) < 0)
        (void)error_add(err, ERROR_FAILED, "%s", ignored.text);
    error_clear(&ignored);
    return -EIO;
}

static int start_watched(struct manager *m, const struct unit *u, struct job_watch *w, struct error *err)
{
    int r = watch_jobs(m, u->name, w, err);
    if (r < 0)
        return r;
    _cleanup_bus_message_ sd_bus_message *reply = NULL;
    r = send_start(m, u, &reply, err);
    if (r < 0)
        return r;
    const char *job = NULL;
    r = sd_bus_message_read(reply, "o", &job);
    if (r < 0)
        return error_errno(err, -r, "%s: systemd's answer makes no sense", u->name);
    const char *result = NULL;
    r = await_job(m, w, job, START_TIMEOUT, &result, err);
    if (r < 0 || str_equal(result, "done"))
        return r;
    return report_failure(m, u, result, err);
}

int manager_start_unit(struct manager *m, const struct unit *u, struct error *err)
{
    int r = make_way(m, u->name, err);
    if (r < 0)
        return r;
    _cleanup_(job_watch_clear) struct job_watch w = { 0 };
    return start_watched(m, u, &w, err);
}

// --- stopping ---

// systemd waits TimeoutStopSec= before SIGKILL and once more after it.
static uint64_t stop_timeout(struct manager *m, const char *unit)
{
    _cleanup_free_ char *path = NULL;
    uint64_t usec = 0;
    if (!str_suffix(unit, ".service") || sd_bus_path_encode(MANAGER_UNITS, unit, &path) < 0 ||
        sd_bus_get_property_trivial(manager_bus(m), MANAGER_SERVICE, path, MANAGER_SERVICE ".Service",
                                    "TimeoutStopUSec", NULL, 't', &usec) < 0)
        return STOP_TIMEOUT;
    return usec > UINT64_MAX / 4 ? UINT64_MAX / 2 : STOP_TIMEOUT + 2 * usec;
}

static int stop_watched(struct manager *m, const char *unit, struct job_watch *w, struct error *err)
{
    uint64_t timeout = stop_timeout(m, unit);
    int r = watch_jobs(m, unit, w, err);
    if (r < 0)
        return r;
    _cleanup_bus_error_ sd_bus_error e = SD_BUS_ERROR_NULL;
    _cleanup_bus_message_ sd_bus_message *reply = NULL;
    r = sd_bus_call_method(manager_bus(m), MANAGER_SERVICE, MANAGER_PATH, MANAGER_INTERFACE, "StopUnit", &e,
                           &reply, "ss", unit, "replace");
    if (r < 0 && sd_bus_error_has_name(&e, MANAGER_NO_SUCH_UNIT))
        return 0;
    if (r < 0)
        return manager_error(err, r, &e, unit);
    const char *job = NULL;
    r = sd_bus_message_read(reply, "o", &job);
    if (r < 0)
        return error_errno(err, -r, "%s: systemd's answer makes no sense", unit);
    const char *result = NULL;
    r = await_job(m, w, job, timeout, &result, err);
    if (r < 0 || str_equal(result, "done"))
        return r;
    return error_set(err, EIO, "%s: the stop job ended as '%s'", unit, result);
}

int manager_stop_unit(struct manager *m, const char *name, struct error *err)
{
    _cleanup_free_ char *state = NULL;
    int r = read_active_state(m, name, &state, err);
    if (r < 0)
        return r;
    if (state && !str_equal(state, "inactive") && !str_equal(state, "failed")) {
        _cleanup_(job_watch_clear) struct job_watch w = { 0 };
        r = stop_watched(m, name, &w, err);
        if (r < 0)
            return r;
    }
    return reset_failed(m, name, err); // it may have failed while it stopped
}
