// What no single line can tell: contradictions between the keys of an effective spec. Reports all of them.
#include "spec/check.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

#include "base/number.h"
#include "spec/path.h"

void check_problem(struct check *c, const char *section, const char *key, const char *format, ...)
{
    _cleanup_free_ char *cause = NULL;
    va_list ap;
    va_start(ap, format);
    if (vasprintf(&cause, format, ap) < 0)
        cause = NULL;
    va_end(ap);
    (void)error_add(c->err, ERROR_USAGE, "agent %s: [%s] %s=: %s", c->agent, section, key,
                    cause ? cause : "out of memory");
    c->problems++;
}

static void check_service(struct check *c)
{
    const struct spec *s = c->spec;
    if (s->command.count == 0)
        check_problem(c, "Service", "Command", "missing; an agent needs a command");
    bool grows = s->restart_steps > 0;
    bool bounded = s->restart_max_delay_usec != LIMIT_INFINITY;
    if (grows && !bounded)
        check_problem(c, "Service", "RestartSteps", "needs RestartMaxDelaySec=, the delay to grow to");
    if (bounded && !grows)
        check_problem(c, "Service", "RestartMaxDelaySec", "has no effect without RestartSteps=");
    if (grows && bounded && s->restart_max_delay_usec < s->restart_usec)
        check_problem(c, "Service", "RestartMaxDelaySec", "is less than RestartSec=");
}

static void check_resources(struct check *c)
{
    const struct spec *s = c->spec;
    if (s->memory_high == LIMIT_INFINITY || s->memory_high <= s->memory_max)
        return;
    char high[NUMBER_TEXT_MAX];
    char max[NUMBER_TEXT_MAX];
    format_size(s->memory_high, high);
    format_size(s->memory_max, max);
    check_problem(c, "Resources", "MemoryHigh", "%s is above MemoryMax=%s", high, max);
}

static void check_paths(struct check *c)
{
    const struct spec *s = c->spec;
    STRV_FOREACH (path, &s->inaccessible_paths) {
        if (str_equal(path, "/"))
            check_problem(c, "Filesystem", "InaccessiblePaths", "/ would leave the agent nothing to run");
        else if (s->working_directory && path_is_within(s->working_directory, path))
            check_problem(c, "Filesystem", "InaccessiblePaths", "%s hides WorkingDirectory=%s", path,
                          s->working_directory);
        else if (s->command.count > 0 && path_is_within(s->command.items[0], path))
            check_problem(c, "Filesystem", "InaccessiblePaths", "%s hides the program, %s", path,
                          s->command.items[0]);
    }
}

static void check_network(struct check *c)
{
    const struct spec *s = c->spec;
    if (s->egress != EGRESS_NONE)
        return;
    if (s->allow.count > 0)
        check_problem(c, "Network", "Allow", "contradicts Egress=none; use Egress=list");
    if (s->loopback == LOOPBACK_HOST)
        check_problem(c, "Network", "Loopback", "host contradicts Egress=none");
}

int spec_check(const struct spec *s, const char *name, struct error *err)
{
    struct check c = { .spec = s, .agent = name, .err = err };
    check_service(&c);
    check_resources(&c);
    check_binds(&c);
    check_paths(&c);
    check_network(&c);
    return c.problems > 0 ? -EINVAL : 0;
}
