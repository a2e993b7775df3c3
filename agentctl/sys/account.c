// Makes and removes agents' users with groupadd, useradd, userdel. Never edits the user database itself,
// never touches an account that is not exactly the agent's.
#include "sys/account.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "sys/id_claims.h"
#include "sys/leftovers.h"
#include "sys/tool.h"

void account_clear(struct account *a)
{
    free(a->home);
    free(a->shell);
    *a = (struct account){ 0 };
}

// getpwnam(3) and its sisters: what errno may be when the name is simply not known.
static bool is_not_found(int errno_value)
{
    return errno_value == 0 || errno_value == ENOENT || errno_value == ESRCH || errno_value == EBADF ||
           errno_value == EPERM;
}

int account_read(const char *user, struct account *ret, struct error *err)
{
    _cleanup_account_ struct account a = { 0 };
    errno = 0;
    const struct passwd *pw = getpwnam(user);
    if (!pw && !is_not_found(errno))
        return error_errno(err, errno, "cannot look up user %s", user);
    if (pw) {
        a.user_exists = true;
        a.uid = pw->pw_uid;
        a.gid = a.primary_gid = pw->pw_gid;
        a.home = strdup(pw->pw_dir);
        a.shell = strdup(pw->pw_shell);
        if (!a.home || !a.shell)
            return error_oom(err);
    }
    errno = 0;
    const struct group *gr = getgrnam(user);
    if (!gr && !is_not_found(errno))
        return error_errno(err, errno, "cannot look up group %s", user);
    if (gr) {
        a.group_exists = true;
        a.gid = gr->gr_gid;
    }
    *ret = a;
    a = (struct account){ 0 };
    return 0;
}

// Who claims the id: the files first, then whatever other name services this host asks. NULL: nobody.
static int find_claimer(uint32_t uid, char **ret, struct error *err)
{
    _cleanup_claims_ struct id_claims claims = { 0 };
    int r = id_claims_read(uid, uid, &claims, err);
    if (r < 0)
        return r;
    const struct id_claim *claim = id_claims_find(&claims, uid);
    if (claim) {
        *ret = id_claim_text(claim);
        return *ret ? 0 : error_oom(err);
    }
    char *by = NULL;
    errno = 0;
    const struct passwd *pw = getpwuid(uid);
    if (!pw && !is_not_found(errno))
        return error_errno(err, errno, "cannot look up UID %u", uid);
    if (pw && asprintf(&by, "user %s", pw->pw_name) < 0)
        return error_oom(err);
    errno = 0;
    const struct group *gr = pw ? NULL : getgrgid(uid);
    if (!pw && !gr && !is_not_found(errno))
        return error_errno(err, errno, "cannot look up GID %u", uid);
    if (gr && asprintf(&by, "group %s", gr->gr_name) < 0)
        return error_oom(err);
    *ret = by;
    return 0;
}

int account_uid_is_free(uint32_t uid, bool *ret_free, char **ret_by, struct error *err)
{
    _cleanup_free_ char *by = NULL;
    int r = find_claimer(uid, &by, err);
    if (r < 0)
        return r;
    *ret_free = !by;
    if (ret_by)
        *ret_by = take_ptr(by);
    return 0;
}

// What is there already must be what would be made; what is not there must be free.
static int check_before(const char *user, uint32_t uid, const struct account *a, struct error *err)
{
    if (a->user_exists && (a->uid != uid || a->primary_gid != uid))
        return error_set(err, EEXIST, "user %s exists already, with UID %u and GID %u instead of %u", user,
                         a->uid, a->primary_gid, uid);
    if (a->group_exists && a->gid != uid)
        return error_set(err, EEXIST, "group %s exists already, with GID %u instead of %u", user, a->gid,
                         uid);
    int r = account_check_name(user, uid, err);
    if (r < 0 || a->user_exists || a->group_exists)
        return r;
    _cleanup_free_ char *by = NULL;
    r = find_claimer(uid, &by, err);
    if (r < 0)
        return r;
    return by ? error_set(err, EEXIST, "UID %u is taken: %s", uid, by) : 0;
}

static int make_group(const char *user, const char *id, struct error *err)
{
    const char *const argv[] = { "groupadd", "-r", "-g", id, user, NULL };
    int r = tool_run(argv, err);
    return r < 0 ? error_wrap(err, r, "cannot make group %s", user) : 0;
}

// systemd-sysusers would be faster, but takes another UID without a word where this one is taken. -r: no
// subuids, no mail spool, no expiry; -M: no home; -l: no sparse records in lastlog; -G "": none of the groups
// that /etc/default/useradd may name.
static int make_user(const char *user, const char *id, const char *home, const char *comment,
                     struct error *err)
{
    const char *const argv[] = { "useradd", "-r", "-M", "-N", "-l",          "-u", id,      "-g", id,  "-G",
                                 "",        "-d", home, "-s", ACCOUNT_SHELL, "-c", comment, user, NULL };
    int r = tool_run(argv, err);
    return r < 0 ? error_wrap(err, r, "cannot make user %s", user) : 0;
}

static int remove_user(const char *user, struct error *err)
{
    const char *const argv[] = { "userdel", user, NULL };
    int r = tool_run(argv, err);
    return r < 0 ? error_wrap(err, r, "cannot remove user %s", user) : 0;
}

static int remove_group(const char *user, struct error *err)
{
    const char *const argv[] = { "groupdel", user, NULL };
    int r = tool_run(argv, err);
    return r < 0 ? error_wrap(err, r, "cannot remove group %s", user) : 0;
}

// Removes what is there now and was not there before.
static int remove_accounts(const char *user, const struct account *before, struct error *err)
{
    _cleanup_account_ struct account now = { 0 };
    int r = account_read(user, &now, err);
    if (r >= 0 && now.user_exists && !before->user_exists)
        r = remove_user(user, err);
    account_clear(&now);
    if (r >= 0)
        r = account_read(user, &now, err); // userdel may have taken the group with it
    if (r >= 0 && now.group_exists && !before->group_exists)
        r = remove_group(user, err);
    return r;
}

int account_create(const char *user, uint32_t uid, const char *home, const char *comment, struct error *err)
{
    _cleanup_account_ struct account before = { 0 };
    int r = account_read(user, &before, err);
    if (r < 0)
        return r;
    r = check_before(user, uid, &before, err);
    if (r < 0)
        return r;
    char id[16];
    (void)snprintf(id, sizeof(id), "%u", uid);
    if (!before.group_exists)
        r = make_group(user, id, err);
    if (r >= 0 && !before.user_exists)
        r = make_user(user, id, home, comment, err);
    if (r >= 0)
        r = account_check(user, uid, home, err);
    if (r >= 0)
        return 0;
    _cleanup_error_ struct error undo_err = { 0 };
    if (remove_accounts(user, &before, &undo_err) < 0)
        (void)error_add(err, err->class, "and that could not be undone: %s", undo_err.text);
    return r;
}

int account_remove(const char *user, struct error *err)
{
    static const struct account nothing;
    int r = remove_accounts(user, &nothing, err);
    return r < 0 ? r : leftovers_remove(user, err);
}
