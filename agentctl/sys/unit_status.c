// States of units as systemd's manager tells them: all agents' units in one question, one service in one
// more. Changes nothing.
#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "base/text.h"
#include "sys/manager.h"
#include "sys/manager_call.h"
#include "sys/unit_result.h"

// --- all agents' units ---

void unit_state_list_clear(struct unit_state_list *l)
{
    for (size_t i = 0; i < l->count; i++) {
        free(l->items[i].name);
        free(l->items[i].active_state);
        free(l->items[i].sub_state);
    }
    free(l->items);
    *l = (struct unit_state_list){ 0 };
}

const struct unit_state *unit_state_find(const struct unit_state_list *l, const char *unit)
{
    for (size_t i = 0; i < l->count; i++)
        if (str_equal(l->items[i].name, unit))
            return &l->items[i];
    return NULL;
}

static int add_unit_state(struct unit_state_list *l, const char *name, const char *active, const char *sub)
{
    struct unit_state *items = reallocarray(l->items, l->count + 1, sizeof(*items));
    if (!items)
        return -ENOMEM;
    l->items = items;
    struct unit_state s = { strdup(name), strdup(active), strdup(sub) };
    items[l->count++] = s; // counted at once, so that half a state is freed too
    return s.name && s.active_state && s.sub_state ? 0 : -ENOMEM;
}

static int read_unit_states(sd_bus_message *reply, struct unit_state_list *l)
{
    int r = sd_bus_message_enter_container(reply, 'a', "(ssssssouso)");
    while (r >= 0) {
        const char *name = NULL;
        const char *active = NULL;
        const char *sub = NULL;
        r = sd_bus_message_read(reply, "(ssssssouso)", &name, NULL, NULL, &active, &sub, NULL, NULL, NULL,
                                NULL, NULL);
        if (r <= 0)
            return r;
        r = add_unit_state(l, name, active, sub);
    }
    return r;
}

int manager_list_agent_units(struct manager *m, struct unit_state_list *ret, struct error *err)
{
    _cleanup_bus_error_ sd_bus_error e = SD_BUS_ERROR_NULL;
    _cleanup_bus_message_ sd_bus_message *reply = NULL;
    int r = sd_bus_call_method(manager_bus(m), MANAGER_SERVICE, MANAGER_PATH, MANAGER_INTERFACE,
                               "ListUnitsByPatterns", &e, &reply, "asas", 0, 2, "agent-*.service",
                               "agents-*.slice");
    if (r < 0)
        return manager_error(err, r, &e, "cannot list units");
    _cleanup_unit_states_ struct unit_state_list list = { 0 };
    r = read_unit_states(reply, &list);
    if (r < 0)
        return error_errno(err, -r, "cannot list units");
    *ret = list;
    list = (struct unit_state_list){ 0 };
    return 0;
}

// --- one service ---

void service_status_clear(struct service_status *s)
{
    free(s->active_state);
    free(s->sub_state);
    free(s->result);
    *s = (struct service_status){ 0 };
}

// D-Bus properties and where they go. 't' into uint64_t, 's' into char *, 'u' and 'i' as their types.
struct field {
    const char *name;
    char type;
    size_t offset;
};

struct raw_status {
    char *load_state, *active_state, *sub_state, *result;
    uint64_t since_usec;
    uint32_t main_pid, restarts;
    int32_t exit_code, exit_status;
};

#define RAW(f) offsetof(struct raw_status, f)

static const struct field fields[] = {
    { "LoadState", 's', RAW(load_state) },
    { "ActiveState", 's', RAW(active_state) },
    { "SubState", 's', RAW(sub_state) },
    { "Result", 's', RAW(result) },
    { "StateChangeTimestamp", 't', RAW(since_usec) },
    { "MainPID", 'u', RAW(main_pid) },
    { "NRestarts", 'u', RAW(restarts) },
    { "ExecMainCode", 'i', RAW(exit_code) },
    { "ExecMainStatus", 'i', RAW(exit_status) },
};

static void raw_status_clear(struct raw_status *s)
{
    free(s->load_state);
    free(s->active_state);
    free(s->sub_state);
    free(s->result);
}

static int read_field(sd_bus_message *m, const struct field *f, struct raw_status *s)
{
    char *place = (char *)s + f->offset;
    const char signature[] = { f->type, '\0' };
    if (f->type != 's')
        return sd_bus_message_read(m, "v", signature, place);
    const char *string = NULL;
    int r = sd_bus_message_read(m, "v", "s", &string);
    if (r < 0)
        return r;
    char *copy = strdup(string);
    if (!copy)
        return -ENOMEM;
    free(*(char **)place);
    *(char **)place = copy;
    return 0;
}

static const struct field *field_find(const char *name)
{
    for (size_t i = 0; i < ARRAY_SIZE(fields); i++)
        if (str_equal(fields[i].name, name))
            return &fields[i];
    return NULL;
}

static int read_fields(sd_bus_message *reply, struct raw_status *s)
{
    int r = sd_bus_message_enter_container(reply, 'a', "{sv}");
    while (r >= 0) {
        r = sd_bus_message_enter_container(reply, 'e', "sv");
        if (r <= 0)
            return r;
        const char *name = NULL;
        r = sd_bus_message_read(reply, "s", &name);
        if (r < 0)
            return r;
        const struct field *f = field_find(name);
        r = f ? read_field(reply, f, s) : sd_bus_message_skip(reply, "v");
        if (r >= 0)
            r = sd_bus_message_exit_container(reply);
    }
    return r;
}

// The empty interface name asks for the properties of all of the unit's interfaces in one call.
static int read_raw_status(struct manager *m, const char *unit, struct raw_status *s, struct error *err)
{
    _cleanup_free_ char *path = NULL;
    int r = sd_bus_path_encode(MANAGER_UNITS, unit, &path);
    if (r < 0)
        return error_errno(err, -r, "%s", unit);
    _cleanup_bus_error_ sd_bus_error e = SD_BUS_ERROR_NULL;
    _cleanup_bus_message_ sd_bus_message *reply = NULL;
    r = sd_bus_call_method(manager_bus(m), MANAGER_SERVICE, path, "org.freedesktop.DBus.Properties", "GetAll",
                           &e, &reply, "s", "");
    if (r < 0)
        return manager_error(err, r, &e, unit);
    r = read_fields(reply, s);
    return r < 0 ? error_errno(err, -r, "%s", unit) : 0;
}

int manager_service_status(struct manager *m, const char *unit, struct service_status *ret, struct error *err)
{
    _cleanup_(raw_status_clear) struct raw_status s = { 0 };
    int r = read_raw_status(m, unit, &s, err);
    if (r < 0)
        return r;
    if (!str_equal(s.load_state, "loaded")) {
        *ret = (struct service_status){ 0 };
        return 0;
    }
    *ret = (struct service_status){
        .loaded = true,
        .active_state = take_ptr(s.active_state),
        .sub_state = take_ptr(s.sub_state),
        .result = take_ptr(s.result),
        .since_usec = s.since_usec,
        .main_pid = (pid_t)s.main_pid,
        .restarts = s.restarts,
        .exit_code = s.exit_code,
        .exit_status = s.exit_status,
    };
    return 0;
}

// --- why it ended ---

// systemd.exec(5), "Process Exit Codes": what failed between fork and exec.
static const char *setup_step(int status)
{
    static const struct {
        int status;
        const char *name;
    } steps[] = {
        { 200, "CHDIR" },       { 202, "FDS" },         { 203, "EXEC" },         { 205, "LIMITS" },
        { 206, "OOM_ADJUST" },  { 208, "STDIN" },       { 209, "STDOUT" },       { 214, "SETSCHEDULER" },
        { 216, "GROUP" },       { 217, "USER" },        { 218, "CAPABILITIES" }, { 219, "CGROUP" },
        { 222, "STDERR" },      { 225, "NETWORK" },     { 226, "NAMESPACE" },    { 227, "NO_NEW_PRIVILEGES" },
        { 228, "SECCOMP" },     { 230, "PERSONALITY" }, { 231, "APPARMOR" },     { 232, "ADDRESS_FAMILIES" },
        { 233, "RUNTIME_DIR" }, { 235, "CHOWN" },       { 237, "KEYRING" },      { 238, "STATE_DIRECTORY" },
        { 243, "CREDENTIALS" }, { 244, "BPF" },
    };
    for (size_t i = 0; i < ARRAY_SIZE(steps); i++)
        if (steps[i].status == status)
            return steps[i].name;
    return NULL;
}

static void add_end(struct text *t, const struct raw_status *s)
{
    const char *step = setup_step(s->exit_status);
    const char *signal = s->exit_code == CLD_EXITED ? NULL : sigabbrev_np(s->exit_status);
    if (s->exit_code == CLD_EXITED)
        text_addf(t, ", main process exited, status %d%s%s", s->exit_status, step ? "/" : "",
                  step ? step : "");
    else if (s->exit_code == CLD_KILLED || s->exit_code == CLD_DUMPED)
        text_addf(t, ", main process killed by signal %d (%s)", s->exit_status, signal ? signal : "?");
}

int unit_result_describe(struct manager *m, const char *unit, char **ret, struct error *err)
{
    _cleanup_(raw_status_clear) struct raw_status s = { 0 };
    int r = read_raw_status(m, unit, &s, err);
    if (r < 0)
        return r;
    if (!s.result || str_equal(s.result, "success")) {
        *ret = NULL;
        return 0;
    }
    _cleanup_text_ struct text t = { 0 };
    text_addf(&t, "Result=%s", s.result);
    add_end(&t, &s);
    char *text = text_take(&t);
    if (!text)
        return error_oom(err);
    *ret = text;
    return 0;
}

// Transient units have the state "transient"; a name without a file is an error of the manager's.
int manager_has_unit_file(struct manager *m, const char *unit, bool *ret, struct error *err)
{
    _cleanup_bus_error_ sd_bus_error e = SD_BUS_ERROR_NULL;
    _cleanup_bus_message_ sd_bus_message *reply = NULL;
    const char *state = NULL;
    int r = sd_bus_call_method(manager_bus(m), MANAGER_SERVICE, MANAGER_PATH, MANAGER_INTERFACE,
                               "GetUnitFileState", &e, &reply, "s", unit);
    if (r < 0 && (sd_bus_error_has_name(&e, SD_BUS_ERROR_FILE_NOT_FOUND) ||
                  sd_bus_error_has_name(&e, MANAGER_NO_SUCH_UNIT))) {
        *ret = false;
        return 0;
    }
    if (r < 0)
        return manager_error(err, r, &e, unit);
    r = sd_bus_message_read(reply, "s", &state);
    if (r < 0)
        return error_errno(err, -r, "%s: systemd's answer makes no sense", unit);
    *ret = !str_equal(state, "transient");
    return 0;
}
