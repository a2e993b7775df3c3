// ACLs of the agent's directories, as libacl objects built from plain entries, and their canonical text.
// Opens nothing. All of them return NULL when memory runs out; the caller frees with acl_free() (texts with
// free()).
#pragma once

#include <stdbool.h>
#include <sys/acl.h>
#include <sys/types.h>

#include "base/cleanup.h"

#define NO_GROUP ((gid_t)-1)

// The access ACL of home and work: their owner alone, and the operators' group unless it is NO_GROUP.
//     u::rwx g::--- [g:OPERATORS:rwx m::rwx] o::---
acl_t workspace_acl(gid_t operators) _must_check_;
// The default ACL beside it, which is only wanted if there are operators. The agent has an entry of its own:
// what an operator puts there belongs to the operator, and the agent must be able to use it.
//     u::rwx u:AGENT:rwx g::--- g:OPERATORS:rwx m::rwx o::---
acl_t workspace_default_acl(uid_t agent, gid_t operators) _must_check_;
// The access ACL of the directory around them, root's with the agent's group: the agent and operators pass
// through.
//     u::rwx g::r-x [g:OPERATORS:r-x m::r-x] o::---
acl_t workspace_base_acl(gid_t operators) _must_check_;

// Canonical short text with numeric ids, sorted as the kernel sorts ("u::rwx,g::---,g:27:rwx,m::rwx,o::---"),
// for comparing and for plans.
char *workspace_acl_text(acl_t acl) _must_check_;
// True if the ACL says more than owner, group and others of the mode.
bool workspace_acl_is_extended(acl_t acl);

static inline void cleanup_acl(acl_t *acl)
{
    if (*acl)
        (void)acl_free(*acl); // fails only for what is no ACL
}

#define _cleanup_acl_ _cleanup_(cleanup_acl)
