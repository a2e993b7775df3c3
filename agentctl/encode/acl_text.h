// ACLs of the agent's directories, as libacl objects built from plain entries. Opens nothing.
#pragma once

#include <sys/acl.h>
#include <sys/types.h>

#include "base/error.h"

// The access ACL (and, with the same entries, the default ACL) of a directory that its owner alone may use and,
// if operators is not (gid_t)-1, that group as well: u::rwx g::--- o::--- [g:GID:rwx m::rwx].
// The caller frees with acl_free(). NULL: out of memory.
acl_t workspace_acl(gid_t operators) _must_check_;
// Canonical short text with numeric ids, sorted, for comparing and for plans. The caller frees.
char *workspace_acl_text(acl_t acl) _must_check_;
