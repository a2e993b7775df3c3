// The closed table of steps, and plans as lists of them. Does nothing by itself.
#include "plan/step.h"

#include <stdlib.h>
#include <stdio.h>
#include <string.h>

const struct step_row step_rows[STEP_COUNT] = {
    [STEP_RESERVE_UID] = { "reserve-uid", "reserve", "released" },
    [STEP_WRITE_SPEC] = { "write-spec", "write", "restored" },
    [STEP_CREATE_ACCOUNT] = { "create-account", "create user and group", "removed user and group" },
    [STEP_MAKE_WORKSPACE] = { "make-workspace", "make workspace", "removed workspace" },
    [STEP_SET_LIMITS] = { "set-limits", "set limits of", "restored limits of" },
    [STEP_INSTALL_RULES] = { "install-rules", "install rules of", "restored rules of" },
    [STEP_START_SLICE] = { "start-slice", "start", "stopped" },
    [STEP_OPEN_LOOPBACK] = { "open-loopback", "open own loopback of", "closed own loopback of" },
    [STEP_WRITE_LAUNCH] = { "write-launch", "write", "restored" },
    [STEP_START_SERVICE] = { "start-service", "start", "stopped" },
    [STEP_STOP_SERVICE] = { "stop-service", "stop", NULL },
    [STEP_KILL_PROCESSES] = { "kill-processes", "kill whatever is left of", NULL },
    [STEP_REMOVE_LAUNCH] = { "remove-launch", "remove", NULL },
    [STEP_STOP_SLICE] = { "stop-slice", "stop", NULL },
    [STEP_CLOSE_LOOPBACK] = { "close-loopback", "close own loopback of", NULL },
    [STEP_REMOVE_SPEC] = { "remove-spec", "remove", NULL },
    [STEP_REMOVE_WORKSPACE] = { "remove-workspace", "remove workspace", NULL },
    [STEP_REMOVE_ACCOUNT] = { "remove-account", "remove user and group", NULL },
    [STEP_REMOVE_RULES] = { "remove-rules", "remove rules of", NULL },
    [STEP_RETIRE_UID] = { "retire-uid", "retire", NULL },
};

void plan_clear(struct plan *p)
{
    for (size_t i = 0; i < p->count; i++)
        free(p->steps[i].object);
    free(p->steps);
    *p = (struct plan){ 0 };
}

int plan_add(struct plan *p, enum step_kind kind, const char *object, struct error *err)
{
    _cleanup_free_ char *copy = strdup(object);
    struct step *steps = reallocarray(p->steps, p->count + 1, sizeof(*steps));
    if (steps)
        p->steps = steps;
    if (!steps || !copy)
        return error_oom(err);
    p->steps[p->count++] = (struct step){ .kind = kind, .object = take_ptr(copy) };
    return 0;
}

bool plan_contains(const struct plan *p, enum step_kind kind)
{
    for (size_t i = 0; i < p->count; i++)
        if (p->steps[i].kind == kind)
            return true;
    return false;
}

char *step_text(const struct step *s)
{
    char *text = NULL;
    if (asprintf(&text, "%s %s", step_rows[s->kind].text, s->object) < 0)
        return NULL;
    return text;
}
