// What an agent's user, units, directories and files are called. Pure; must never accept a name that could
// leave its directory, its unit or its rule.
#include "plan/names.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"

static bool is_lower(char c)
{
    return c >= 'a' && c <= 'z';
}

static bool is_name_char(char c)
{
    return is_lower(c) || (c >= '0' && c <= '9') || c == '-';
}

// The rule that the name breaks, or NULL.
static const char *broken_rule(const char *name)
{
    if (!*name)
        return "a name must not be empty";
    if (!is_lower(*name))
        return "a name must begin with a letter from a to z";
    for (const char *p = name; *p; p++)
        if (!is_name_char(*p))
            return "a name holds only a to z, 0 to 9 and '-'";
    if (strlen(name) > AGENT_NAME_MAX)
        return "a name has at most 23 characters";
    if (str_suffix(name, "-"))
        return "a name must not end in '-'";
    return NULL;
}

bool agent_name_valid(const char *name)
{
    return !broken_rule(name);
}

int agent_name_check(const char *name, struct error *err)
{
    _Static_assert(AGENT_NAME_MAX == 23, "broken_rule() says 23");
    const char *rule = broken_rule(name);
    if (!rule)
        return 0;
    _cleanup_free_ char *printable = text_printable(name, strnlen(name, 64));
    return error_class(err, ERROR_USAGE, "agent %s: not a name: %s", printable ? printable : "", rule);
}

static char *escape_name(const char *name)
{
    _cleanup_text_ struct text t = { 0 };
    for (const char *p = name; *p; p++) {
        if (*p == '-')
            text_add(&t, "\\x2d"); // in a slice's name '-' means "inside of" (systemd.slice(5))
        else
            text_add_n(&t, p, 1);
    }
    return text_take(&t);
}

static char *formatted(const char *format, ...) _printf_(1, 2);
static char *formatted(const char *format, ...)
{
    char *string = NULL;
    va_list ap;
    va_start(ap, format);
    int n = vasprintf(&string, format, ap);
    va_end(ap);
    return n < 0 ? NULL : string;
}

static bool is_complete(const struct agent_names *n)
{
    return n->agent && n->user && n->service && n->slice && n->directory && n->home && n->work &&
           n->spec_file && n->launch_file && n->record_file && n->slice_cgroup && n->chain;
}

int agent_names_init(struct agent_names *names, const char *agent, const char *workspaces, struct error *err)
{
    int r = agent_name_check(agent, err);
    if (r < 0)
        return r;
    _cleanup_free_ char *escaped = escape_name(agent);
    if (!escaped)
        return error_oom(err);
    struct agent_names n = {
        .agent = formatted("%s", agent),
        .user = formatted("agent-%s", agent),
        .service = formatted("agent-%s.service", agent),
        .slice = formatted("agents-%s.slice", escaped),
        .directory = formatted("%s/%s", workspaces, agent),
        .home = formatted("%s/%s/home", workspaces, agent),
        .work = formatted("%s/%s/work", workspaces, agent),
        .spec_file = formatted(SPEC_DIRECTORY "/%s.agent", agent),
        .launch_file = formatted(LAUNCH_DIRECTORY "/%s", agent),
        .record_file = formatted(RECORD_DIRECTORY "/%s", agent),
        .slice_cgroup = formatted(AGENTS_SLICE "/agents-%s.slice", escaped),
        .chain = formatted("agent-%s", agent),
    };
    if (!is_complete(&n)) {
        agent_names_clear(&n);
        return error_oom(err);
    }
    *names = n;
    return 0;
}

void agent_names_clear(struct agent_names *n)
{
    char *strings[] = { n->agent, n->user,      n->service,     n->slice,       n->directory,    n->home,
                        n->work,  n->spec_file, n->launch_file, n->record_file, n->slice_cgroup, n->chain };
    _Static_assert(sizeof(strings) == sizeof(*n), "every name is freed");
    for (size_t i = 0; i < ARRAY_SIZE(strings); i++)
        free(strings[i]);
    *n = (struct agent_names){ 0 };
}

// What stands between prefix and suffix; NULL if unit has another form, or on out of memory.
static char *between(const char *unit, const char *prefix, const char *suffix)
{
    size_t n = strlen(unit);
    size_t head = strlen(prefix);
    size_t tail = strlen(suffix);
    if (n <= head + tail || !str_prefix(unit, prefix) || !str_suffix(unit, suffix))
        return NULL;
    return strndup(unit + head, n - head - tail);
}

// Undoes escape_name() in place; false if there is an unescaped '-' (a slice inside of an agent's).
static bool unescape_name(char *name)
{
    char *to = name;
    for (const char *p = name; *p;) {
        if (*p == '-')
            return false;
        bool escaped = str_prefix(p, "\\x2d");
        *to++ = escaped ? '-' : *p;
        p += escaped ? 4 : 1;
    }
    *to = '\0';
    return true;
}

char *agent_of_unit(const char *unit)
{
    _cleanup_free_ char *name = between(unit, "agent-", ".service");
    if (!name) {
        name = between(unit, "agents-", ".slice");
        if (!name || !unescape_name(name))
            return NULL;
    }
    return agent_name_valid(name) ? take_ptr(name) : NULL;
}
