// What this host offers to the isolation: versions and features that decide which properties exist and which
// are enforced. Filled in by sys/manager.c from a running systemd; a plain value, so that goldens can invent one.
#pragma once

#include <stdbool.h>

struct host {
    unsigned systemd_version; // major: 252
    bool bpf_framework;       // +BPF_FRAMEWORK: without it some properties are accepted and not enforced
    bool resolv_conf_is_link; // /etc/resolv.conf leads into /run, which the sandbox hides
};
