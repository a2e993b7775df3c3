// What this host offers to the isolation: versions and features that decide which properties exist and which
// are enforced. Filled in by sys/manager.c from a running systemd; a plain value, so that goldens can invent
// one.
#pragma once

#include <stdbool.h>

struct host {
    unsigned systemd_version; // major: 252
    bool seccomp;             // +SECCOMP: without it system call filters are accepted and not applied
    bool bpf_framework;       // +BPF_FRAMEWORK: without it some properties are accepted and not enforced
    bool resolv_conf_is_link; // /etc/resolv.conf leads into /run, which the sandbox hides
    const char *resolv_conf;  // what to show in its place then; static, never NULL if it is a link
};
