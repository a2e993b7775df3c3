// What an agent's user, units, directories and files are called. The only place that knows.
#pragma once

#include <stdbool.h>

#include "base/error.h"

#define AGENT_NAME_MAX 23 // so that "agent-NAME" fits into 31 characters, useradd's limit being 32

#define AGENTS_SLICE "agents.slice"
#define SPEC_DIRECTORY "/etc/agentctl/agents"
#define CONF_FILE "/etc/agentctl/agentctl.conf"
#define TEMPLATE_OVERRIDE_DIRECTORY "/etc/agentctl/templates"
#define STATE_DIRECTORY "/var/lib/agentctl"
#define RUNTIME_DIRECTORY "/run/agentctl"
#define LAUNCH_DIRECTORY "/run/agentctl/launch"
#define RECORD_DIRECTORY "/run/agentctl/running"

// A valid name: ^[a-z][a-z0-9-]{0,22}$ without a trailing '-'. err names the name and the rule it breaks.
int agent_name_check(const char *name, struct error *err) _must_check_;
bool agent_name_valid(const char *name);

// Every name and place of one agent. All strings are owned.
struct agent_names {
    char *agent;
    char *user;         // agent-NAME, also the group
    char *service;      // agent-NAME.service
    char *slice;        // agents-NAME.slice, the name escaped as systemd.unit(5) says ('-' is \x2d)
    char *directory;    // WORKSPACES/NAME (root's)
    char *home, *work;  // below it (the agent's)
    char *spec_file;    // /etc/agentctl/agents/NAME.agent
    char *launch_file;  // /run/agentctl/launch/NAME
    char *record_file;  // /run/agentctl/running/NAME: what the service was started with
    char *slice_cgroup; // path below the cgroup root: agents.slice/agents-NAME.slice
    char *chain;        // nftables chain: agent-NAME
};

// workspaces: the root of all workspaces from agentctl.conf, default /var/lib/agents.
int agent_names_init(struct agent_names *names, const char *agent, const char *workspaces,
                     struct error *err) _must_check_;
void agent_names_clear(struct agent_names *names);
#define _cleanup_names_ _cleanup_(agent_names_clear)

// The agent of a service or slice unit, a copy that the caller frees, or NULL if it is not an agent's unit.
char *agent_of_unit(const char *unit);
