// Property values that depend on the spec, the names or the host. A value that this systemd would not keep
// across a daemon-reload is refused here; nothing is weakened silently. Pure.
#include "plan/property_values.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/number.h"
#include "plan/egress.h"
#include "spec/path.h"

#define USEC_PER_HUNDREDTH 100 // of CPU time a second: 100 % is a second

static int set_string(struct property *p, const char *value, struct error *err)
{
    char *copy = strdup(value);
    if (!copy)
        return error_oom(err);
    free(p->string);
    p->string = copy;
    return 1;
}

// A backslash at the end would join the next setting's line.
static int set_line(struct property *p, const char *value, struct error *err)
{
    if (str_suffix(value, "\\"))
        return error_class(err, ERROR_USAGE, "%s: a backslash at the end", value);
    return set_string(p, value, err);
}

static int set_number(struct property *p, uint64_t value)
{
    p->number = value;
    return 1;
}

static int set_usec(struct property *p, uint64_t usec)
{
    bool whole = usec == LIMIT_INFINITY || usec % USEC_PER_MSEC == 0;
    return set_number(p, whole ? usec : usec + (USEC_PER_MSEC - usec % USEC_PER_MSEC));
}

PROPERTY_FILL(fill_description)
{
    const char *description = input->spec->description;
    if (description && *description)
        return set_line(p, description, err);
    _cleanup_text_ struct text t = { 0 };
    text_addf(&t, "Agent %s", input->names->agent);
    _cleanup_free_ char *text = text_take(&t);
    return text ? set_string(p, text, err) : error_oom(err);
}

PROPERTY_FILL(fill_slice_description)
{
    _cleanup_text_ struct text t = { 0 };
    text_addf(&t, "Limits of agent %s", input->names->agent);
    _cleanup_free_ char *text = text_take(&t);
    return text ? set_string(p, text, err) : error_oom(err);
}

PROPERTY_FILL(fill_user)
{
    return set_string(p, input->names->user, err);
}

PROPERTY_FILL(fill_slice)
{
    return set_string(p, input->names->slice, err);
}

PROPERTY_FILL(fill_agent)
{
    return set_string(p, input->names->agent, err);
}

PROPERTY_FILL(fill_working_directory)
{
    const char *directory = input->spec->working_directory;
    if (!directory || !*directory)
        directory = input->names->work;
    return set_string(p, directory, err);
}

static bool environment_has(const struct strv *environment, const char *name)
{
    size_t n = strlen(name);
    STRV_FOREACH (item, environment) {
        if (strncmp(item, name, n) == 0 && item[n] == '=')
            return true;
    }
    return false;
}

PROPERTY_FILL(fill_environment)
{
    const struct {
        const char *name, *value;
    } defaults[] = {
        { "HOME", input->names->home },
        { "USER", input->names->user },
        { "LOGNAME", input->names->user },
        { "SHELL", "/bin/sh" }, // the account's own is nologin
        { "PATH", "/usr/local/bin:/usr/bin:/bin" },
        { "LANG", "C.UTF-8" },
    };
    for (size_t i = 0; i < ARRAY_SIZE(defaults); i++)
        if (!environment_has(&input->spec->environment, defaults[i].name) &&
            strv_addf(&p->strings, "%s=%s", defaults[i].name, defaults[i].value) < 0)
            return error_oom(err);
    return strv_copy(&p->strings, &input->spec->environment) < 0 ? error_oom(err) : 1;
}

// systemd expands '$' and '%' in ExecStart: only words of our own stand there, the command is in the launch
// file.
PROPERTY_FILL(fill_exec_start)
{
    if (strv_add(&p->strings, input->launcher) < 0 || strv_add(&p->strings, input->names->agent) < 0)
        return error_oom(err);
    return 1;
}

PROPERTY_FILL(fill_restart)
{
    return set_string(p, restart_name(input->spec->restart), err);
}

PROPERTY_FILL(fill_restart_delay)
{
    return set_usec(p, input->spec->restart_usec);
}

PROPERTY_FILL(fill_restart_steps)
{
    return input->spec->restart_steps > 0 ? set_number(p, input->spec->restart_steps) : 0;
}

PROPERTY_FILL(fill_restart_max_delay)
{
    return input->spec->restart_steps > 0 ? set_usec(p, input->spec->restart_max_delay_usec) : 0;
}

PROPERTY_FILL(fill_start_limit_interval)
{
    return set_usec(p, input->spec->start_limit_interval_usec);
}

PROPERTY_FILL(fill_start_limit_burst)
{
    return set_number(p, input->spec->start_limit_burst);
}

PROPERTY_FILL(fill_runtime_max)
{
    return input->spec->runtime_max_usec == LIMIT_INFINITY ? 0 : set_usec(p, input->spec->runtime_max_usec);
}

PROPERTY_FILL(fill_timeout_stop)
{
    return set_usec(p, input->spec->timeout_stop_usec);
}

static bool below_homes(const char *path)
{
    return path_is_within(path, "/home") || path_is_within(path, "/root");
}

static bool any_below_homes(const struct bind_list *binds)
{
    for (size_t i = 0; i < binds->count; i++)
        if (below_homes(binds->items[i].destination))
            return true;
    return false;
}

// systemd drops binds below an inaccessible directory without a word; below an empty one it makes them.
PROPERTY_FILL(fill_protect_home)
{
    if (below_homes(input->names->directory) || any_below_homes(&input->spec->bind_paths) ||
        any_below_homes(&input->spec->bind_read_only_paths))
        return set_string(p, "tmpfs", err);
    return 1;
}

// Workspaces of all agents vanish; the agent's own is bound back (fill_binds()).
PROPERTY_FILL(fill_temporary_file_systems)
{
    const char *directory = input->names->directory;
    _cleanup_free_ char *workspaces = strndup(directory, (size_t)(strrchr(directory, '/') - directory));
    if (!workspaces)
        return error_oom(err);
    for (size_t i = 0; i < p->strings.count; i += 2)
        if (path_is_within(workspaces, p->strings.items[i]))
            return 1;
    if (strv_add(&p->strings, workspaces) < 0 || strv_add(&p->strings, "ro") < 0)
        return error_oom(err);
    return 1;
}

static int add_bind(struct property *p, const char *source, const char *destination, struct error *err)
{
    struct bind *items = reallocarray(p->binds.items, p->binds.count + 1, sizeof(*items));
    if (!items)
        return error_oom(err);
    p->binds.items = items;
    struct bind b = { strdup(source), strdup(destination) };
    items[p->binds.count++] = b; // counted at once, so that property_clear() frees half a bind too
    return b.source && b.destination ? 0 : error_oom(err);
}

static int add_binds(struct property *p, const struct bind_list *binds, struct error *err)
{
    for (size_t i = 0; i < binds->count; i++) {
        int r = add_bind(p, binds->items[i].source, binds->items[i].destination, err);
        if (r < 0)
            return r;
    }
    return p->binds.count > 0 ? 1 : 0;
}

PROPERTY_FILL(fill_binds)
{
    const char *own[] = { input->names->home, input->names->work };
    for (size_t i = 0; input->spec->mode >= MODE_MINIMAL && i < ARRAY_SIZE(own); i++) {
        int r = add_bind(p, own[i], own[i], err);
        if (r < 0)
            return r;
    }
    return add_binds(p, &input->spec->bind_paths, err);
}

// The launcher and its init, where they are not among the system's programs.
static int add_launcher_directory(const struct unit_input *input, struct property *p, struct error *err)
{
    if (path_is_within(input->launcher, "/usr"))
        return 0;
    const char *launcher = input->launcher;
    _cleanup_free_ char *directory = strndup(launcher, (size_t)(strrchr(launcher, '/') - launcher));
    return directory ? add_bind(p, directory, directory, err) : error_oom(err);
}

// What standard and maximum hide in /run, but the agent needs.
static int add_hidden(const struct unit_input *input, struct property *p, struct error *err)
{
    int r = add_bind(p, input->names->launch_file, input->names->launch_file, err);
    if (r == 0 && input->host->resolv_conf_is_link)
        r = add_bind(p, input->host->resolv_conf, "/etc/resolv.conf", err);
    return r < 0 ? r : add_launcher_directory(input, p, err);
}

PROPERTY_FILL(fill_read_only_binds)
{
    int r = input->spec->mode >= MODE_STANDARD ? add_hidden(input, p, err) : 0;
    return r < 0 ? r : add_binds(p, &input->spec->bind_read_only_paths, err);
}

static int add_paths(struct property *p, const struct strv *paths, struct error *err)
{
    if (strv_copy(&p->strings, paths) < 0)
        return error_oom(err);
    return p->strings.count > 0 ? 1 : 0;
}

PROPERTY_FILL(fill_inaccessible_paths)
{
    return add_paths(p, &input->spec->inaccessible_paths, err);
}

PROPERTY_FILL(fill_read_only_paths)
{
    return add_paths(p, &input->spec->read_only_paths, err);
}

static int add_no_exec(const struct spec *spec, struct property *p, const char *path, struct error *err)
{
    if (strv_contains(&spec->exec_paths, path) || strv_contains(&p->strings, path))
        return 0;
    return strv_add(&p->strings, path) < 0 ? error_oom(err) : 0;
}

static int add_no_exec_binds(const struct spec *spec, struct property *p, const struct bind_list *binds,
                             struct error *err)
{
    for (size_t i = 0; i < binds->count; i++) {
        int r = add_no_exec(spec, p, binds->items[i].destination, err);
        if (r < 0)
            return r;
    }
    return 0;
}

// systemd (seen in 252 and 257) does not carry the '/' of NoExecPaths= into mounts that it makes itself: each
// has to be named, unless ExecPaths= opens it.
PROPERTY_FILL(fill_no_exec_paths)
{
    const struct spec *spec = input->spec;
    int r = add_no_exec(spec, p, input->names->home, err);
    if (r == 0)
        r = add_no_exec(spec, p, input->names->work, err);
    if (r == 0)
        r = add_no_exec_binds(spec, p, &spec->bind_paths, err);
    if (r == 0)
        r = add_no_exec_binds(spec, p, &spec->bind_read_only_paths, err);
    return r < 0 ? r : 1;
}

PROPERTY_FILL(fill_exec_paths)
{
    if (!path_is_within(input->launcher, "/usr")) {
        const char *launcher = input->launcher;
        if (strv_take(&p->strings, strndup(launcher, (size_t)(strrchr(launcher, '/') - launcher))) < 0)
            return error_oom(err);
    }
    return add_paths(p, &input->spec->exec_paths, err);
}

static int add_prefix(struct property *p, const struct prefix *prefix, struct error *err)
{
    for (size_t i = 0; i < p->prefixes.count; i++)
        if (prefix_equal(&p->prefixes.items[i], prefix))
            return 0;
    struct prefix *items = reallocarray(p->prefixes.items, p->prefixes.count + 1, sizeof(*items));
    if (!items)
        return error_oom(err);
    p->prefixes.items = items;
    items[p->prefixes.count++] = *prefix;
    return 0;
}

static int add_prefixes(struct property *p, const struct prefix *prefixes, size_t count, struct error *err)
{
    for (size_t i = 0; i < count; i++) {
        int r = add_prefix(p, &prefixes[i], err);
        if (r < 0)
            return r;
    }
    return 1;
}

// "any" and "localhost" are words of systemd's clients; the manager takes prefixes.
static const struct prefix anywhere[] = { { .family = FAMILY_IPV4 }, { .family = FAMILY_IPV6 } };
static const struct prefix localhost[] = {
    { .family = FAMILY_IPV4, .bytes = { 127 }, .length = 8 },
    { .family = FAMILY_IPV6, .bytes = { [15] = 1 }, .length = 128 },
};

static bool denies_all(const struct spec *spec)
{
    return spec->egress == EGRESS_NONE || spec->egress == EGRESS_LIST;
}

PROPERTY_FILL(fill_address_deny)
{
    if (denies_all(input->spec))
        return add_prefixes(p, anywhere, ARRAY_SIZE(anywhere), err);
    return add_prefixes(p, egress_floor, egress_floor_count, err);
}

// Access is granted where any Allow matches. The filter knows no ports: those are nftables'.
PROPERTY_FILL(fill_address_allow)
{
    const struct spec *spec = input->spec;
    if (spec->loopback != LOOPBACK_NONE) {
        int r = add_prefixes(p, localhost, ARRAY_SIZE(localhost), err);
        if (r < 0)
            return r;
    }
    if (spec->egress == EGRESS_NONE)
        return 1;
    for (size_t i = 0; i < spec->allow.count; i++) {
        const struct endpoint *e = &spec->allow.items[i];
        int r = denies_all(spec) || egress_is_explicit(e) ? add_prefix(p, &e->prefix, err) : 0;
        if (r < 0)
            return r;
    }
    return 1;
}

PROPERTY_FILL(fill_interfaces)
{
    if (input->spec->egress != EGRESS_NONE)
        return 0;
    p->set.allow = true;
    return strv_add(&p->set.items, "lo") < 0 ? error_oom(err) : 1;
}

PROPERTY_FILL(fill_cpu_quota)
{
    uint64_t quota = input->spec->cpu_quota;
    return set_number(p, quota == LIMIT_INFINITY ? quota : quota * USEC_PER_HUNDREDTH);
}

PROPERTY_FILL(fill_cpu_weight)
{
    return set_number(p, input->spec->cpu_weight);
}

PROPERTY_FILL(fill_memory_max)
{
    return set_number(p, input->spec->memory_max);
}

PROPERTY_FILL(fill_memory_high)
{
    return set_number(p, input->spec->memory_high);
}

PROPERTY_FILL(fill_memory_swap_max)
{
    return set_number(p, input->spec->memory_swap_max);
}

PROPERTY_FILL(fill_tasks_max)
{
    return set_number(p, input->spec->tasks_max);
}

PROPERTY_FILL(fill_io_weight)
{
    return set_number(p, input->spec->io_weight);
}

// An empty list stays in: it takes away the limits of a running slice.
static int fill_io_limits(const struct io_limit_list *limits, struct property *p, struct error *err)
{
    if (limits->count == 0)
        return 1;
    p->limits.items = calloc(limits->count, sizeof(*p->limits.items));
    if (!p->limits.items)
        return error_oom(err);
    for (size_t i = 0; i < limits->count; i++) {
        char *path = strdup(limits->items[i].path);
        if (!path)
            return error_oom(err);
        p->limits.items[p->limits.count++] = (struct io_limit){ path, limits->items[i].value };
    }
    return 1;
}

PROPERTY_FILL(fill_io_read_bandwidth)
{
    return fill_io_limits(&input->spec->io_read_bandwidth_max, p, err);
}

PROPERTY_FILL(fill_io_write_bandwidth)
{
    return fill_io_limits(&input->spec->io_write_bandwidth_max, p, err);
}

PROPERTY_FILL(fill_io_read_iops)
{
    return fill_io_limits(&input->spec->io_read_iops_max, p, err);
}

PROPERTY_FILL(fill_io_write_iops)
{
    return fill_io_limits(&input->spec->io_write_iops_max, p, err);
}
