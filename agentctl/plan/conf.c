// agentctl.conf: its own section by a table, the others through the spec's. Pure. Must never let the host's
// file give every agent what has to be asked for one agent at a time.
#include "plan/conf.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/number.h"
#include "base/text.h"
#include "spec/key.h"
#include "spec/path.h"

#define HOST_SECTION "Host"

// Below stand people, systemd's own ranges and nobody (systemd's UIDS-GIDS); a UID of theirs without an agent
// would be refused all network.
#define UID_LOWEST 65536

static int parse_uid_range(struct conf *c, const char *value, struct error *err)
{
    uint64_t first = 0;
    uint64_t last = 0;
    const char *dash = strchr(value, '-');
    _cleanup_free_ char *start = strndup(value, dash ? (size_t)(dash - value) : 0);
    if (!start)
        return error_oom(err);
    if (!dash || parse_unsigned(start, UID_LOWEST, AGENT_UID_HIGHEST, &first, err) < 0 ||
        parse_unsigned(dash + 1, UID_LOWEST, AGENT_UID_HIGHEST, &last, err) < 0)
        return error_class(err, ERROR_USAGE, "not a range of UIDs from %d to %d (65536-99999)", UID_LOWEST,
                           AGENT_UID_HIGHEST);
    if (first > last)
        return error_class(err, ERROR_USAGE, "the range is reversed");
    c->uid_first = (uint32_t)first;
    c->uid_last = (uint32_t)last;
    return 0;
}

// Where workspaces would be lost at boot, hidden by the sandbox, or mixed with the system's own files.
static bool is_bad_root(const char *path)
{
    static const char *const roots[] = {
        "/proc", "/sys", "/dev", "/run",  "/var/run", "/tmp",   "/var/tmp", "/etc",
        "/boot", "/usr", "/bin", "/sbin", "/lib",     "/lib64", "/root",    "/home",
    };
    for (size_t i = 0; i < ARRAY_SIZE(roots); i++)
        if (path_is_within(path, roots[i]) || path_is_within(roots[i], path))
            return true;
    return path_is_within("/var/lib/agentctl", path) || path_is_within(path, "/var/lib/agentctl");
}

static int parse_workspaces(struct conf *c, const char *value, struct error *err)
{
    _cleanup_free_ char *path = NULL;
    int r = path_normalise(*value ? value : WORKSPACES_DEFAULT, &path, err);
    if (r < 0)
        return r;
    if (strchr(path, ':')) // systemd separates the two ends of a bind with it
        return error_class(err, ERROR_USAGE, "a colon in a path");
    if (is_bad_root(path))
        return error_class(err, ERROR_USAGE, "%s is temporary, hidden from agents, or the system's", path);
    free(c->workspaces);
    c->workspaces = take_ptr(path);
    return 0;
}

static int parse_operator_group(struct conf *c, const char *value, struct error *err)
{
    static const char allowed[] = "abcdefghijklmnopqrstuvwxyz0123456789_-";
    size_t n = strlen(value);
    if (n > 32 || strspn(value, allowed) != n || (n > 0 && (strchr("-0123456789", *value))))
        return error_class(err, ERROR_USAGE, "not a group's name");
    char *group = n > 0 ? strdup(value) : NULL;
    if (n > 0 && !group)
        return error_oom(err);
    free(c->operator_group);
    c->operator_group = group;
    return 0;
}

static int parse_lock_timeout(struct conf *c, const char *value, struct error *err)
{
    uint64_t usec = 0;
    int r = parse_duration(value, &usec, err);
    if (r < 0)
        return r;
    if (usec > 3600 * USEC_PER_SEC)
        return error_class(err, ERROR_USAGE, "must be at most 1h");
    c->lock_timeout_usec = usec;
    return 0;
}

static const struct host_key {
    const char *name;
    int (*parse)(struct conf *c, const char *value, struct error *err);
} host_keys[] = {
    { "UIDRange", parse_uid_range },
    { "Workspaces", parse_workspaces },
    { "OperatorGroup", parse_operator_group },
    { "LockTimeoutSec", parse_lock_timeout },
};

static const char *host_key_candidate(size_t i, const void *userdata)
{
    return i < ARRAY_SIZE(host_keys) ? host_keys[i].name : NULL;
}

static int parse_host_key(struct conf *c, const struct spec_line *line, struct error *err)
{
    for (size_t i = 0; i < ARRAY_SIZE(host_keys); i++)
        if (str_equal(host_keys[i].name, line->key))
            return host_keys[i].parse(c, line->value, err);
    const char *nearest = nearest_name(line->key, host_key_candidate, NULL);
    if (nearest)
        return error_class(err, ERROR_USAGE, "unknown key; did you mean %s=?", nearest);
    return error_class(err, ERROR_USAGE, "unknown key");
}

// What belongs to one agent is not a default of the host.
static const char *refused_default(const struct spec_line *line)
{
    static const char *const keys[] = { "Command", "Description", "Template" };
    for (size_t i = 0; line->key && i < ARRAY_SIZE(keys); i++)
        if (str_equal(line->key, keys[i]))
            return "belongs to one agent, not to the host";
    if (line->key && str_equal(line->key, "Mode") && str_equal(line->value, mode_name(MODE_UNRESTRICTED)))
        return "must be asked for by name, one agent at a time";
    return NULL;
}

static const char *host_section_candidate(size_t i, const void *userdata)
{
    return i == 0 ? HOST_SECTION : NULL;
}

// The spec knows the names of its own sections only.
static bool is_host_misspelt(const struct spec_line *line)
{
    return !line->key && !key_is_section(line->section) &&
           nearest_name(line->section, host_section_candidate, NULL);
}

struct parser {
    struct conf *conf;
    const char *file;
    struct error *err;
};

static int conf_line(const struct spec_line *line, void *userdata)
{
    const struct parser *p = userdata;
    _cleanup_error_ struct error cause = { 0 };
    int r = 0;
    if (is_host_misspelt(line) && !str_equal(line->section, HOST_SECTION)) {
        (void)error_add(p->err, ERROR_USAGE, "%s:%u: [%s]: unknown section; did you mean [" HOST_SECTION "]?",
                        p->file, line->number, line->section);
        return 1;
    }
    const char *refusal = line->section ? refused_default(line) : NULL;
    if (!line->section || !str_equal(line->section, HOST_SECTION)) {
        if (!refusal)
            return spec_parse_line(p->conf->defaults, p->file, line, p->err);
        r = error_class(&cause, ERROR_USAGE, "%s", refusal);
    } else if (line->key) {
        r = parse_host_key(p->conf, line, &cause);
    }
    if (r == 0)
        return 0;
    if (r == -ENOMEM)
        return error_oom(p->err);
    (void)error_add(p->err, ERROR_USAGE, "%s:%u: [%s] %s=: %s", p->file, line->number, line->section,
                    line->key, cause.text);
    return 1;
}

int conf_parse(struct conf *c, const char *file, const char *text, size_t n, struct error *err)
{
    struct parser p = { .conf = c, .file = file, .err = err };
    return spec_lex(file, text, n, conf_line, &p, err);
}

int conf_init(struct conf *c, struct error *err)
{
    struct conf defaults = {
        .uid_first = UID_RANGE_FIRST_DEFAULT,
        .uid_last = UID_RANGE_LAST_DEFAULT,
        .workspaces = strdup(WORKSPACES_DEFAULT),
        .lock_timeout_usec = 30 * USEC_PER_SEC,
        .defaults = spec_new(),
    };
    if (!defaults.workspaces || !defaults.defaults) {
        conf_clear(&defaults);
        return error_oom(err);
    }
    *c = defaults;
    return 0;
}

void conf_clear(struct conf *c)
{
    free(c->workspaces);
    free(c->operator_group);
    (void)spec_free(c->defaults); // returns NULL, for assignments
    *c = (struct conf){ 0 };
}
