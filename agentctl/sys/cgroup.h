// Resource figures of agents, read from the cgroup file system. Needs no privilege and no D-Bus.
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/error.h"

#define CGROUP_UNKNOWN UINT64_MAX // the controller is not there, or the file says "max"

struct cgroup_usage {
    bool exists;
    uint64_t cpu_usec, memory_current, memory_peak, tasks_current; // memory_peak: from kernel 5.19 on
    uint64_t memory_max, memory_high, memory_swap_max, tasks_max,
        cpu_weight; // limits as the kernel holds them
    uint64_t cpu_quota_usec, cpu_period_usec;
    uint64_t io_read_bytes,
        io_write_bytes; // over all devices; a stack of devices counts at each of its levels
    uint64_t oom_kills;
};

// path is below the cgroup root ("agents.slice/agents-coder.slice"). A cgroup that is not there: exists =
// false.
int cgroup_read_usage(const char *path, struct cgroup_usage *ret, struct error *err) _must_check_;
// The id that nftables' `socket cgroupv2` compares (the directory's inode). -ENOENT with text if it is not
// there.
int cgroup_id(const char *path, uint64_t *ret, struct error *err) _must_check_;
// The oldest process of the cgroup itself (not of those below) and when it started (CLOCK_REALTIME, as exact
// as a clock tick); pid 0 if there is none.
int cgroup_oldest_process(const char *path, pid_t *ret_pid, uint64_t *ret_start_usec,
                          struct error *err) _must_check_;
