// The agent and the hosts that the tests of units share.
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "encode/unit_text.h"
#include "plan/unit.h"

#define LAUNCHER "/usr/libexec/agentctl/launch"

static const struct host debian12 = { .systemd_version = 252, .seccomp = true };
static const struct host debian13 = { .systemd_version = 257, .seccomp = true, .bpf_framework = true };

struct fixture {
    struct agent_names names;
    struct spec *spec;
    struct host host;
    struct unit_input input;
};

static inline void fixture_open(struct fixture *f, const char *agent, const char *workspaces,
                                struct host host)
{
    struct error err = { 0 };
    assert_int_equal(agent_names_init(&f->names, agent, workspaces, &err), 0);
    f->spec = spec_new();
    assert_non_null(f->spec);
    f->host = host;
    f->input = (struct unit_input){ &f->names, f->spec, &f->host, LAUNCHER };
}

static inline void fixture_close(struct fixture *f)
{
    agent_names_clear(&f->names);
    (void)spec_free(f->spec);
}

static inline void fixture_set(struct fixture *f, const char *key, const char *value)
{
    struct error err = { 0 };
    if (spec_assign(f->spec, key, value, &err) < 0)
        fail_msg("%s", err.text);
}

static inline struct unit fixture_service(const struct fixture *f)
{
    struct error err = { 0 };
    struct unit u = { 0 };
    if (unit_build_service(&f->input, &u, &err) < 0)
        fail_msg("%s", err.text);
    return u;
}

static inline struct unit fixture_slice(const struct fixture *f)
{
    struct error err = { 0 };
    struct unit u = { 0 };
    if (unit_build_slice(&f->input, &u, &err) < 0)
        fail_msg("%s", err.text);
    return u;
}

// The nth property of that name, or NULL.
static inline const struct property *unit_property(const struct unit *u, const char *name, size_t n)
{
    for (size_t i = 0; i < u->count; i++)
        if (str_equal(u->properties[i].name, name) && n-- == 0)
            return &u->properties[i];
    return NULL;
}

static inline const struct absent_property *unit_absent(const struct unit *u, const char *name)
{
    for (size_t i = 0; i < u->absent_count; i++)
        if (str_equal(u->absent[i].name, name))
            return &u->absent[i];
    return NULL;
}

// True if the unit's text has exactly that line.
static inline bool text_has_line(const char *text, const char *line)
{
    size_t n = strlen(line);
    for (const char *p = text; (p = strstr(p, line)); p++)
        if ((p == text || p[-1] == '\n') && (p[n] == '\n' || p[n] == '\0'))
            return true;
    return false;
}

static inline void assert_lines(const struct unit *u, const char *const *lines)
{
    _cleanup_free_ char *text = unit_text(u);
    assert_non_null(text);
    for (; *lines; lines++)
        if (!text_has_line(text, *lines))
            fail_msg("no line %s in\n%s", *lines, text);
}

#define ASSERT_LINES(u, ...) assert_lines(u, (const char *const[]){ __VA_ARGS__, NULL })

static inline void assert_no_key(const struct unit *u, const char *key)
{
    for (size_t i = 0; i < u->count; i++)
        if (str_equal(u->properties[i].unit_key, key))
            fail_msg("%s= is there", key);
}
