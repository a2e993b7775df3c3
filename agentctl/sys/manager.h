// systemd's manager over D-Bus: host facts, starting and stopping transient units, states of all agents'
// units. The one place that talks to PID 1. A job is awaited by matching JobRemoved before the call.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/error.h"
#include "plan/host.h"
#include "plan/unit.h"

struct manager; // a connection to the system manager
struct sd_bus;

// Fails with one clear line if there is no system bus or PID 1 is not systemd.
int manager_open(struct manager **ret, struct error *err) _must_check_;
struct manager *manager_close(struct manager *m);
DEFINE_CLEANUP(struct manager, manager_close)
#define _cleanup_manager_ _cleanup_(manager_closep)
struct sd_bus *manager_bus(struct manager *m); // borrowed; for the other files that talk to PID 1

// Version and Features of the running manager, cgroup v2 or a clear refusal, /etc/resolv.conf's nature.
int manager_read_host(struct manager *m, struct host *ret, struct error *err) _must_check_;

// Starts a transient unit and waits for its job. A leftover failed unit of that name is reset first. A
// property that the manager rejects aborts. On failure err holds the unit's Result and exit status, and its
// last journal lines follow by the caller (sys/journal.h); the unit does not try again. -EEXIST: the unit is
// already active.
int manager_start_unit(struct manager *m, const struct unit *u, struct error *err) _must_check_;
// Stops a unit and waits for its job; 0 also if it is not loaded. A failed unit is reset, so the name is
// free, and what manager_set_properties() wrote for it is removed.
int manager_stop_unit(struct manager *m, const char *name, struct error *err) _must_check_;
// Applies the unit's live-changeable properties to a running unit (runtime only); what is no longer there (an
// IO limit) is taken away.
int manager_set_properties(struct manager *m, const struct unit *u, struct error *err) _must_check_;

// Whether the host has a unit file of its own with that name: such a unit is not an agent's.
int manager_has_unit_file(struct manager *m, const char *unit, bool *ret, struct error *err) _must_check_;

struct unit_state {
    char *name;         // unit
    char *active_state; // "active", "inactive", "failed", "activating" ...
    char *sub_state;    // "running", "dead" ...
};

// All loaded units whose names match agent-*.service and agents-*.slice, in one call.
struct unit_state_list {
    struct unit_state *items;
    size_t count;
};
int manager_list_agent_units(struct manager *m, struct unit_state_list *ret, struct error *err) _must_check_;
void unit_state_list_clear(struct unit_state_list *l);
#define _cleanup_unit_states_ _cleanup_(unit_state_list_clear)
const struct unit_state *unit_state_find(const struct unit_state_list *l, const char *unit);

// What `status` shows of one service, in one GetAll. Strings are owned; zero and NULL where the unit is not
// loaded.
struct service_status {
    bool loaded;
    char *active_state, *sub_state, *result;
    uint64_t since_usec; // CLOCK_REALTIME of the last state change
    pid_t main_pid;
    uint64_t restarts; // NRestarts
    int exit_code;     // SIGCHLD code (CLD_EXITED ...) of the last main process, 0: none
    int exit_status;
};
int manager_service_status(struct manager *m, const char *unit, struct service_status *ret,
                           struct error *err) _must_check_;
void service_status_clear(struct service_status *s);
