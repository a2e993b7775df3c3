// Builds an agent's units from the property table: which rows apply to the mode, whether this host gives
// them, and their values. Never sends a property that this systemd does not know or would ignore. Pure.
#include "plan/unit.h"

#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/number.h"
#include "plan/properties.h"

static void clear_strings(struct property *p)
{
    strv_clear(&p->strings);
}

static void clear_string(struct property *p)
{
    free(p->string);
}

static void clear_set(struct property *p)
{
    strv_clear(&p->set.items);
}

static void clear_binds(struct property *p)
{
    for (size_t i = 0; i < p->binds.count; i++) {
        free(p->binds.items[i].source);
        free(p->binds.items[i].destination);
    }
    free(p->binds.items);
}

static void clear_prefixes(struct property *p)
{
    free(p->prefixes.items);
}

static void clear_limits(struct property *p)
{
    for (size_t i = 0; i < p->limits.count; i++)
        free(p->limits.items[i].path);
    free(p->limits.items);
}

// The constant of a row as a value. The table is part of the program: what it holds was checked by its test.
static int parse_string(const char *text, struct property *p)
{
    p->string = strdup(text);
    return p->string ? 0 : -ENOMEM;
}

static int parse_flag(const char *text, struct property *p)
{
    p->boolean = str_equal(text, "yes");
    return 0;
}

static int parse_number(const char *text, struct property *p)
{
    p->number = str_equal(text, "infinity") ? LIMIT_INFINITY : strtoull(text, NULL, 0); // UMask= is octal
    return 0;
}

static int parse_nothing(const char *text, struct property *p)
{
    (void)text;
    p->number = 0;
    return 0;
}

static int parse_errno(const char *text, struct property *p)
{
    p->number = str_equal(text, "EPERM") ? EPERM : ENOSYS;
    return 0;
}

static int parse_namespaces(const char *text, struct property *p)
{
    p->number = str_equal(text, "uts") ? CLONE_NEWUTS : 0;
    return 0;
}

// Words separated by single spaces; constants need no quotes.
static int split(const char *text, struct strv *ret)
{
    for (const char *word = text; *word;) {
        size_t n = strcspn(word, " ");
        int r = strv_take(ret, strndup(word, n));
        if (r < 0)
            return r;
        word += n;
        word += strspn(word, " ");
    }
    return 0;
}

static int parse_strings(const char *text, struct property *p)
{
    return split(text, &p->strings);
}

static int parse_set(const char *text, struct property *p)
{
    p->set.allow = *text != '~';
    return split(p->set.allow ? text : text + 1, &p->set.items);
}

static int parse_empty(const char *text, struct property *p)
{
    (void)text;
    (void)p; // zero is the empty list
    return 0;
}

static const struct {
    int (*parse)(const char *text, struct property *p);
    void (*clear)(struct property *p); // NULL: owns nothing
} types[PROPERTY_TYPE_COUNT] = {
    [PROPERTY_STRING] = { parse_string, clear_string },
    [PROPERTY_BOOLEAN] = { parse_flag },
    [PROPERTY_UINT64] = { parse_number },
    [PROPERTY_UINT32] = { parse_number },
    [PROPERTY_INT32] = { parse_number },
    [PROPERTY_USEC] = { parse_number },
    [PROPERTY_QUOTA] = { parse_number },
    [PROPERTY_FILE_MODE] = { parse_number },
    [PROPERTY_ERRNO] = { parse_errno },
    [PROPERTY_CAPABILITIES] = { parse_nothing },
    [PROPERTY_NAMESPACES] = { parse_namespaces },
    [PROPERTY_STRINGS] = { parse_strings, clear_strings },
    [PROPERTY_SET] = { parse_set, clear_set },
    [PROPERTY_EXEC] = { parse_strings, clear_strings },
    [PROPERTY_BINDS] = { parse_empty, clear_binds },
    [PROPERTY_STRING_PAIRS] = { parse_strings, clear_strings },
    [PROPERTY_PREFIXES] = { parse_empty, clear_prefixes },
    [PROPERTY_DEVICE_LIMITS] = { parse_empty, clear_limits },
};

static void property_clear(struct property *p)
{
    if (types[p->type].clear)
        types[p->type].clear(p);
}

void unit_clear(struct unit *u)
{
    for (size_t i = 0; i < u->count; i++)
        property_clear(&u->properties[i]);
    free(u->properties);
    for (size_t i = 0; i < u->absent_count; i++) {
        free(u->absent[i].name);
        free(u->absent[i].reason);
    }
    free(u->absent);
    free(u->name);
    *u = (struct unit){ 0 };
}

static int add_absent(struct unit *u, const char *name, const char *layer, const char *reason, bool required,
                      struct error *err)
{
    struct absent_property *absent = reallocarray(u->absent, u->absent_count + 1, sizeof(*absent));
    if (!absent)
        return error_oom(err);
    u->absent = absent;
    struct absent_property a = { strdup(name), layer, strdup(reason), required };
    absent[u->absent_count++] = a; // counted at once, so that unit_clear() frees half of it too
    return a.name && a.reason ? 0 : error_oom(err);
}

#define REASON_MAX 128

// True if this host gives what the row says; otherwise reason says why not.
static bool host_gives(const struct host *host, const struct property_row *row, char reason[REASON_MAX])
{
    const char *feature = NULL;
    if (host->systemd_version < row->since) {
        (void)snprintf(reason, REASON_MAX, "systemd %u does not know it, %u does", host->systemd_version,
                       row->since);
        return false;
    }
    if ((row->needs & NEED_SECCOMP) && !host->seccomp)
        feature = "SECCOMP";
    else if ((row->needs & NEED_BPF_FRAMEWORK) && !host->bpf_framework)
        feature = "BPF_FRAMEWORK";
    if (feature)
        (void)snprintf(reason, REASON_MAX, "this systemd is built without %s and would ignore it", feature);
    return !feature;
}

// The row's value for this agent: 1, or 0 if the agent does without the property.
static int make_value(const struct property_row *row, const struct unit_input *input, struct property *ret,
                      struct error *err)
{
    struct property p = {
        .name = row->name,
        .unit_key = row->unit_key,
        .section = row->section,
        .type = row->type,
        .live = row->live,
        .layer = row->layer,
    };
    int r = types[p.type].parse(row->value[input->spec->mode], &p);
    if (r < 0)
        r = error_oom(err);
    else
        r = row->fill ? row->fill(input, &p, err) : 1;
    if (r > 0)
        *ret = p;
    else
        property_clear(&p);
    return r;
}

static int add_row(struct unit *u, const struct property_row *row, const struct unit_input *input,
                   struct error *err)
{
    struct property p;
    int r = make_value(row, input, &p, err);
    if (r == 0)
        return 0;
    if (r < 0)
        return error_wrap(err, r, "%s=", row->unit_key);

    char reason[REASON_MAX];
    if (host_gives(input->host, row, reason)) {
        u->properties[u->count++] = p;
        return 0;
    }
    property_clear(&p);
    if (row->optional)
        return add_absent(u, row->unit_key, row->layer, reason, false, err);
    return error_set(err, EOPNOTSUPP, "Mode=%s needs %s=: %s", mode_name(input->spec->mode), row->unit_key,
                     reason);
}

static bool applies(const struct property_row *row, enum unit_kind kind, const struct spec *spec)
{
    return row->kind == kind && row->value[spec->mode] && !(row->jit_lifts && spec->jit);
}

static int add_rows(struct unit *u, enum unit_kind kind, const struct unit_input *input, struct error *err)
{
    u->properties = calloc(property_row_count, sizeof(*u->properties));
    if (!u->properties)
        return error_oom(err);
    for (size_t i = 0; i < property_row_count; i++) {
        int r = applies(&property_rows[i], kind, input->spec) ? add_row(u, &property_rows[i], input, err) : 0;
        if (r < 0)
            return r;
    }
    return 0;
}

static int build(enum unit_kind kind, const char *name, const struct unit_input *input, struct unit *ret,
                 struct error *err)
{
    ret->name = strdup(name);
    return ret->name ? add_rows(ret, kind, input, err) : error_oom(err);
}

static int add_launcher_absences(struct unit *u, enum mode mode, struct error *err)
{
    for (size_t i = 0; i < launcher_row_count; i++) {
        const struct launcher_row *row = &launcher_rows[i];
        int r = row->wanted[mode]
                    ? add_absent(u, row->name, row->layer, "this release of the launcher has none",
                                 row->required[mode], err)
                    : 0;
        if (r < 0)
            return r;
    }
    return 0;
}

int unit_build_service(const struct unit_input *input, struct unit *ret, struct error *err)
{
    _cleanup_unit_ struct unit u = { 0 };
    int r = build(KIND_SERVICE, input->names->service, input, &u, err);
    if (r < 0)
        return r;
    r = add_launcher_absences(&u, input->spec->mode, err);
    if (r < 0)
        return r;
    *ret = u;
    u = (struct unit){ 0 };
    return 0;
}

int unit_build_slice(const struct unit_input *input, struct unit *ret, struct error *err)
{
    _cleanup_unit_ struct unit u = { 0 };
    int r = build(KIND_SLICE, input->names->slice, input, &u, err);
    if (r < 0)
        return r;
    *ret = u;
    u = (struct unit){ 0 };
    return 0;
}
