// The agent's directories, made, checked and removed by file descriptors: never through a path that the agent
// could have changed.
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/error.h"
#include "plan/names.h"

enum workspace_directory { WORKSPACE_BASE, WORKSPACE_HOME, WORKSPACE_WORK, WORKSPACE_COUNT };

struct directory {
    bool exists;
    uid_t uid;
    gid_t gid;
    mode_t mode;                    // permission bits; with an access ACL the group's are its mask
    char *access_acl, *default_acl; // canonical text (encode/acl_text.h); NULL: none beyond the mode
};

struct workspace {
    struct directory directories[WORKSPACE_COUNT];
};

void workspace_clear(struct workspace *w);
#define _cleanup_workspace_ _cleanup_(workspace_clear)

// A directory that is something else (a link, a file) is an error that names it.
int workspace_read(const struct agent_names *names, struct workspace *ret, struct error *err) _must_check_;
// What it should be: base root:agent 0750, so that the agent can pass but not write and other agents cannot
// even pass; home and work the agent's 0700. With operators (not (gid_t)-1) that group passes through base
// and has access and default ACLs on home and work. The agent's GID is its UID.
int workspace_want(uid_t uid, gid_t operators, struct workspace *ret, struct error *err) _must_check_;
bool workspace_equal(const struct workspace *a, const struct workspace *b);

// Makes what is missing and mends owners, modes and ACLs of these three directories (not of what is in them).
// If it fails, directories that it has made are gone again.
int workspace_make(const struct agent_names *names, uid_t uid, gid_t operators,
                   struct error *err) _must_check_;
// Removes the agent's whole tree, however hostile: renamed into a root-only directory first, then deleted by
// fds without following links or crossing mounts, any depth. Also what an interrupted removal left of it.
// Fine if absent. Something mounted in it is an error before anything is changed. No process of the UID may
// be alive.
int workspace_remove(const struct agent_names *names, struct error *err) _must_check_;
