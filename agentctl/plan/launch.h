// The launch file: what the launcher is told by root. Written by the command, read by the launcher. Systemd's
// syntax (spec_lex), one section:
//     [Launch]
//     Agent=coder
//     Mode=standard
//     Command=/usr/bin/python3 agent.py
#pragma once

#include "base/error.h"
#include "base/text.h"
#include "spec/spec.h"

// How the launcher ends if it can't become the command: the shell's words, and sysexits.h's EX_CONFIG.
#define LAUNCH_STATUS_CONFIGURATION 78
#define LAUNCH_STATUS_NOT_EXECUTABLE 126
#define LAUNCH_STATUS_NOT_FOUND 127

struct launch_policy {
    char *agent;
    enum mode mode; // that the service is started with
    struct strv command;
};

void launch_policy_clear(struct launch_policy *p);
int launch_policy_parse(struct launch_policy *ret, const char *file, const char *text, size_t n,
                        struct error *err) _must_check_;
char *launch_policy_dump(const struct launch_policy *p) _must_check_; // NULL: out of memory
