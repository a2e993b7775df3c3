// What list and status show of agents: files, systemd, cgroups and rules read together, once for all of them.
// Changes nothing, and works for anybody; what only root may read is marked as not known.
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/error.h"
#include "cmd/agent.h"
#include "plan/host.h"
#include "sys/cgroup.h"
#include "sys/manager.h"
#include "sys/nft.h"

enum view_state {
    VIEW_RUNNING,
    VIEW_STARTING,
    VIEW_RESTARTING, // waiting for systemd's next attempt
    VIEW_STOPPING,
    VIEW_STOPPED,
    VIEW_FAILED,
    VIEW_INCOMPLETE, // no account, no UID or no spec: create or destroy did not finish
    VIEW_STATE_COUNT,
};

const char *view_state_name(enum view_state s); // "running"

struct view {
    struct agent agent;
    bool mode_known;
    enum mode mode; // of the running service; the spec's where nothing runs
    enum view_state state;
    pid_t main_pid;            // 0: none
    uint64_t since_usec;       // the main process's start; 0: not running
    struct cgroup_usage usage; // of the slice
    struct nft_counters counters;
};

struct view_list {
    struct conf conf;
    struct view *items;
    size_t count;
    struct manager *manager;
    struct nft *nft; // NULL: not permitted, or no nf_tables; counters are then not known
};

// The named agents, or all. Names that there are not are left out and added to *missing, a line each, class
// ERROR_NO_AGENT. l must be zeroed and stay where it is.
int view_list_load(struct view_list *l, int count, char **names, struct error *missing,
                   struct error *err) _must_check_;
void view_list_clear(struct view_list *l);
#define _cleanup_views_ _cleanup_(view_list_clear)

bool view_is_unrestricted(const struct view *v);
const char *view_mode(const struct view *v);   // "-" if it is not known
const char *view_egress(const struct view *v); // likewise
// One agent of `list --json`; `status --json` adds to it. NULL: out of memory.
json_t *view_json(const struct view *v, bool counters_known) _must_check_;
