// What status shows of one agent beyond list: isolation in force, limits against the kernel's, how it last
// ended.
#pragma once

#include "cmd/view.h"
#include "plan/unit.h"
#include "sys/limits.h"

enum rules_view {
    RULES_NOT_KNOWN, // not permitted to look
    RULES_NONE,
    RULES_DIFFER,
    RULES_IN_FORCE,
};

struct status_detail {
    struct unit unit;   // the service as it is started: its properties by layer, and those absent
    char *unit_problem; // why it can't be built here (a missing layer, an unusable spec); NULL: it can
    bool restart_due;   // the running service was started with other settings than the spec has now
    enum rules_view rules;
    char *last_exit; // NULL: not known, or it never ended
    uint64_t last_exit_usec;
};

int status_detail_load(struct status_detail *ret, struct view_list *l, const struct view *v,
                       const struct host *host, struct error *err) _must_check_;
void status_detail_clear(struct status_detail *d);
#define _cleanup_detail_ _cleanup_(status_detail_clear)

const char *rules_view_text(enum rules_view r); // "rules in force"
const char *rules_view_name(enum rules_view r); // "in-force", for JSON

// How many properties of a layer the unit has.
size_t layer_count(const struct unit *u, const char *layer);
extern const char *const layer_names[]; // process, filesystem, syscall, network; NULL-terminated
