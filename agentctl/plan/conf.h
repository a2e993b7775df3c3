// agentctl.conf: what belongs to the host and not to one agent. Pure: parses text.
#pragma once

#include <stdint.h>

#include "base/error.h"
#include "spec/spec.h"

#define UID_RANGE_FIRST_DEFAULT 65536
#define UID_RANGE_LAST_DEFAULT 99999
#define AGENT_UID_HIGHEST 0xffffff // a UID travels in the lower 24 bits of nftables' marks
#define WORKSPACES_DEFAULT "/var/lib/agents"

// [Host] UIDRange=65536-99999  Workspaces=/var/lib/agents  OperatorGroup=  LockTimeoutSec=30
// The other sections are a spec's: defaults for every agent of the host, below its templates and its own
// file.
struct conf {
    uint32_t uid_first, uid_last;
    char *workspaces;
    char *operator_group; // NULL: none; its members may read and write every workspace by ACL
    uint64_t lock_timeout_usec;
    struct spec *defaults; // never NULL; what every effective spec starts from
};

int conf_init(struct conf *c, struct error *err) _must_check_; // the defaults
void conf_clear(struct conf *c);
#define _cleanup_conf_ _cleanup_(conf_clear)

// Errors as spec_parse(): all in one go, with file and line. Refused among the defaults: Command=,
// Description=, Template= and Mode=unrestricted, which belong to one agent.
int conf_parse(struct conf *c, const char *file, const char *text, size_t n, struct error *err) _must_check_;
