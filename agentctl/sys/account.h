// Users and groups of agents, made and removed with the system's own tools (groupadd, useradd, userdel), read
// back and compared; processes of a UID.
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/error.h"
#include "plan/conf.h"

#define ACCOUNT_SHELL "/usr/sbin/nologin"

struct account {
    bool user_exists, group_exists;
    uid_t uid;
    gid_t primary_gid; // the user's
    gid_t gid;         // the group's; without a group, the user's primary one
    char *home, *shell;
};

void account_clear(struct account *a);
#define _cleanup_account_ _cleanup_(account_clear)

// What the host's user database says of user and the group of the same name. Not existing is not an error.
int account_read(const char *user, struct account *ret, struct error *err) _must_check_;

// True in *ret_free if neither passwd, group, subuid nor subgid know the UID. *ret_by (may be NULL) says who
// does; the caller frees.
int account_uid_is_free(uint32_t uid, bool *ret_free, char **ret_by, struct error *err) _must_check_;

// Makes group and user with exactly that UID and GID, no password, no shell, no subuids, not in any other
// group, and reads the result back: anything else than asked for is undone and an error. What is there
// already and right is kept. err names the tool, its exit status and its message.
int account_create(const char *user, uint32_t uid, const char *home, const char *comment,
                   struct error *err) _must_check_;
// Whether user and group are what account_create() makes, nobody shares their ids and nothing is kept under
// the name (linger mark, crontab, mailbox). err: the first thing that is not so.
int account_check(const char *user, uint32_t uid, const char *home, struct error *err) _must_check_;
// The same for a name that is to be given: nothing on this host waits for it (memberships, subordinate ids,
// linger mark, crontab, mailbox).
int account_check_name(const char *user, uint32_t uid, struct error *err) _must_check_;
// Removes user, group and what the system keeps under the name (linger mark, crontab, mailbox); fine if
// absent. Never touches other files. No process of the user may be alive.
int account_remove(const char *user, struct error *err) _must_check_;

// Kills every process whose real, effective, saved or filesystem UID is uid (those of root's excepted that
// have taken it on for a moment: their real UID is 0), wherever it is, repeatedly until none is left; waits
// for it (bounded). Refuses a UID that the ledger has never given out. err: how many would not die and one of
// them.
int account_kill_processes(uid_t uid, struct error *err) _must_check_;
// One living process of the UID that is not in the cgroup or below it (a path below the cgroup root; NULL: of
// all). *ret_pid is 0 if there is none.
int account_find_process(uid_t uid, const char *except_cgroup, pid_t *ret_pid,
                         struct error *err) _must_check_;
