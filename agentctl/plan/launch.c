// The launch file, written and read back. Must never guess: a file that is not exactly what
// launch_policy_dump() writes is refused, since the launcher acts on it.
#include "plan/launch.h"

#include <errno.h>
#include <stdlib.h>

#include "plan/names.h"
#include "spec/spec.h"

#define LAUNCH_SECTION "Launch"

void launch_policy_clear(struct launch_policy *p)
{
    free(p->agent);
    strv_clear(&p->command);
    *p = (struct launch_policy){ 0 };
}

struct parser {
    struct launch_policy policy;
    bool has_mode;
    const char *file;
    struct error *err;
};

static int set_agent(struct launch_policy *p, const char *value, struct error *err)
{
    if (p->agent)
        return error_class(err, ERROR_USAGE, "assigned twice");
    int r = agent_name_check(value, err);
    if (r < 0)
        return r;
    p->agent = strdup(value);
    return p->agent ? 0 : error_oom(err);
}

static int set_command(struct launch_policy *p, const char *value, struct error *err)
{
    if (p->command.count > 0)
        return error_class(err, ERROR_USAGE, "assigned twice");
    int r = words_split(value, &p->command, err);
    if (r < 0)
        return r;
    if (p->command.count == 0)
        return error_class(err, ERROR_USAGE, "empty");
    STRV_FOREACH (word, &p->command)
        if (!spec_argument_valid(word))
            return error_class(err, ERROR_USAGE, "an argument that is not valid UTF-8 text");
    return 0;
}

static int set_mode(struct parser *p, const char *value, struct error *err)
{
    if (p->has_mode)
        return error_class(err, ERROR_USAGE, "assigned twice");
    for (int mode = 0; mode < MODE_COUNT; mode++) {
        if (str_equal(value, mode_name((enum mode)mode))) {
            p->policy.mode = (enum mode)mode;
            p->has_mode = true;
            return 0;
        }
    }
    return error_class(err, ERROR_USAGE, "not a mode");
}

static int set_key(struct parser *p, const struct spec_line *line, struct error *err)
{
    if (str_equal(line->key, "Agent"))
        return set_agent(&p->policy, line->value, err);
    if (str_equal(line->key, "Mode"))
        return set_mode(p, line->value, err);
    if (str_equal(line->key, "Command"))
        return set_command(&p->policy, line->value, err);
    return error_class(err, ERROR_USAGE, "unknown key");
}

static int launch_line(const struct spec_line *line, void *userdata)
{
    struct parser *p = userdata;
    _cleanup_error_ struct error cause = { 0 };
    if (!str_equal(line->section, LAUNCH_SECTION)) {
        (void)error_add(p->err, ERROR_USAGE, "%s:%u: not a line of a launch file", p->file, line->number);
        return 1;
    }
    int r = line->key ? set_key(p, line, &cause) : 0;
    if (r == 0)
        return 0;
    if (r == -ENOMEM)
        return error_oom(p->err);
    (void)error_add(p->err, ERROR_USAGE, "%s:%u: [%s] %s=: %s", p->file, line->number, line->section,
                    line->key, cause.text);
    return 1;
}

static int check_complete(const struct parser *p)
{
    const struct launch_policy *policy = &p->policy;
    if (!policy->agent)
        return error_add(p->err, ERROR_USAGE, "%s: [" LAUNCH_SECTION "] Agent=: missing", p->file);
    if (policy->command.count == 0)
        return error_add(p->err, ERROR_USAGE, "%s: [" LAUNCH_SECTION "] Command=: missing", p->file);
    if (!p->has_mode)
        return error_add(p->err, ERROR_USAGE, "%s: [" LAUNCH_SECTION "] Mode=: missing", p->file);
    return 0;
}

int launch_policy_parse(struct launch_policy *ret, const char *file, const char *text, size_t n,
                        struct error *err)
{
    struct parser p = { .file = file, .err = err };
    int r = spec_lex(file, text, n, launch_line, &p, err);
    if (r == 0)
        r = check_complete(&p);
    if (r < 0) {
        launch_policy_clear(&p.policy);
        return r;
    }
    *ret = p.policy;
    return 0;
}

char *launch_policy_dump(const struct launch_policy *p)
{
    _cleanup_text_ struct text t = { 0 };
    _cleanup_free_ char *command = words_join(&p->command);
    if (!command)
        return NULL;
    text_addf(&t, "[" LAUNCH_SECTION "]\nAgent=%s\nMode=%s\nCommand=%s\n", p->agent, mode_name(p->mode),
              command);
    return text_take(&t);
}
