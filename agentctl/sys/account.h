// Users and groups of agents, made and removed with the system's own tools (groupadd, useradd, userdel), read
// back and compared; processes of a UID.
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/error.h"
#include "plan/conf.h"

struct account {
    bool user_exists, group_exists;
    uid_t uid;
    gid_t gid; // the user's primary group
    char *home, *shell;
};

void account_clear(struct account *a);
#define _cleanup_account_ _cleanup_(account_clear)

// What the host's user database says of user and the group of the same name. Not existing is not an error.
int account_read(const char *user, struct account *ret, struct error *err) _must_check_;

// True in *ret_free if neither passwd, group, subuid nor subgid know the UID. *ret_by says who does.
int account_uid_is_free(uint32_t uid, bool *ret_free, char **ret_by, struct error *err) _must_check_;

// Makes group and user with exactly that UID and GID, no password, no shell, no subuids, not in any other group,
// and reads the result back: anything else than asked for is undone and an error. err names the tool, its exit
// status and its message.
int account_create(const char *user, uint32_t uid, const char *home, const char *comment, struct error *err)
    _must_check_;
// Removes user and group; fine if absent. Never touches files.
int account_remove(const char *user, struct error *err) _must_check_;

// Kills every process whose real, effective, saved or filesystem UID is uid, wherever it is, repeatedly until none
// is left; waits for it (bounded). err: how many would not die and one of them.
int account_kill_processes(uid_t uid, struct error *err) _must_check_;
