// Reads an agent's account back from the files themselves and says what is wrong with it. Only reads. It
// exists because the tools' exit status is no proof: defaults, hooks and other tools may have added to what
// was asked.
#include <errno.h>
#include <grp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "sys/account.h"
#include "sys/id_claims.h"
#include "sys/leftovers.h"
#include "sys/user_files.h"

struct check {
    const char *user, *home;
    const char *id; // UID and GID as text
    bool user_seen, group_seen;
    bool password_elsewhere; // passwd refers to shadow
    bool locked;
    struct error *err;
};

// A bad account ends the walk over a file.
#define BAD(c, ...) error_set((c)->err, ENOTUNIQ, __VA_ARGS__)

static int check_passwd(char **fields, size_t count, void *userdata)
{
    struct check *c = userdata;
    if (!str_equal(fields[0], c->user))
        return 0;
    if (count != 7 || c->user_seen)
        return BAD(c, "user %s: malformed or repeated in /etc/passwd", c->user);
    c->user_seen = true;
    c->password_elsewhere = str_equal(fields[1], "x");
    c->locked = fields[1][0] == '*' || fields[1][0] == '!';
    if (!str_equal(fields[2], c->id) || !str_equal(fields[3], c->id))
        return BAD(c, "user %s: UID %s and GID %s instead of %s", c->user, fields[2], fields[3], c->id);
    if (!str_equal(fields[5], c->home))
        return BAD(c, "user %s: home %s instead of %s", c->user, fields[5], c->home);
    if (!str_equal(fields[6], ACCOUNT_SHELL))
        return BAD(c, "user %s: shell %s instead of %s", c->user, fields[6], ACCOUNT_SHELL);
    return 0;
}

static int check_shadow(char **fields, size_t count, void *userdata)
{
    struct check *c = userdata;
    if (c->password_elsewhere && count >= 2 && str_equal(fields[0], c->user))
        c->locked = fields[1][0] == '*' || fields[1][0] == '!';
    return 0;
}

static bool list_has(char *members, const char *user)
{
    char *save = NULL;
    for (const char *m = strtok_r(members, ",", &save); m; m = strtok_r(NULL, ",", &save))
        if (str_equal(m, user))
            return true;
    return false;
}

static int check_group(char **fields, size_t count, void *userdata)
{
    struct check *c = userdata;
    bool own = str_equal(fields[0], c->user);
    if (own && (count != 4 || c->group_seen))
        return BAD(c, "group %s: malformed or repeated in /etc/group", c->user);
    if (own && !str_equal(fields[2], c->id))
        return BAD(c, "group %s: GID %s instead of %s", c->user, fields[2], c->id);
    if (own && fields[3][0] != '\0')
        return BAD(c, "group %s: has members (%s)", c->user, fields[3]);
    if (!own && count >= 4 && list_has(fields[3], c->user))
        return BAD(c, "user %s: is a member of group %s", c->user, fields[0]);
    c->group_seen = c->group_seen || own;
    return 0;
}

static int check_subids(char **fields, size_t count, void *userdata)
{
    struct check *c = userdata;
    if (str_equal(fields[0], c->user) || str_equal(fields[0], c->id))
        return BAD(c, "user %s: has subordinate ids", c->user);
    return 0;
}

// What others have written about the name; the first two rows are about the user itself.
static const struct {
    const char *path;
    int (*each)(char **fields, size_t count, void *userdata);
} files[] = {
    { "/etc/passwd", check_passwd }, { "/etc/shadow", check_shadow }, { "/etc/group", check_group },
    { "/etc/subuid", check_subids }, { "/etc/subgid", check_subids },
};
#define FILES_OF_OTHERS 2

static int walk_files(struct check *c, size_t first)
{
    for (size_t i = first; i < ARRAY_SIZE(files); i++) {
        int r = user_file_each(files[i].path, files[i].each, c, c->err);
        if (r < 0)
            return r;
    }
    return 0;
}

static int check_files(struct check *c)
{
    int r = walk_files(c, 0);
    if (r < 0)
        return r;
    if (!c->user_seen || !c->group_seen)
        return BAD(c, "%s %s: not in /etc/%s", c->user_seen ? "group" : "user", c->user,
                   c->user_seen ? "group" : "passwd");
    if (!c->locked)
        return BAD(c, "user %s: the password is not locked", c->user);
    return 0;
}

static int check_claims(const struct check *c, uint32_t uid)
{
    _cleanup_claims_ struct id_claims claims = { 0 };
    int r = id_claims_read(uid, uid, &claims, c->err);
    for (size_t i = 0; r >= 0 && i < claims.count; i++) {
        if (str_equal(claims.items[i].name, c->user))
            continue;
        _cleanup_free_ char *text = id_claim_text(&claims.items[i]);
        r = text ? BAD(c, "UID %s of user %s is also taken: %s", c->id, c->user, text) : error_oom(c->err);
    }
    return r;
}

// What a service manager would give the agent's processes: groups of other name services too.
static int check_memberships(const struct check *c, gid_t gid)
{
    gid_t groups[2] = { gid, gid };
    int count = ARRAY_SIZE(groups);
    bool fits = getgrouplist(c->user, gid, groups, &count) >= 0;
    if (fits && count == 1 && groups[0] == gid)
        return 0;
    gid_t other = groups[0] == gid ? groups[1] : groups[0];
    return BAD(c, "user %s: is a member of GID %u", c->user, other);
}

int account_check_name(const char *user, uint32_t uid, struct error *err)
{
    char id[16];
    (void)snprintf(id, sizeof(id), "%u", uid);
    struct check c = { .user = user, .id = id, .err = err };
    int r = walk_files(&c, FILES_OF_OTHERS);
    return r < 0 ? r : leftovers_check(user, err);
}

int account_check(const char *user, uint32_t uid, const char *home, struct error *err)
{
    char id[16];
    (void)snprintf(id, sizeof(id), "%u", uid);
    struct check c = { .user = user, .home = home, .id = id, .err = err };
    int r = check_files(&c);
    if (r < 0)
        return r;
    r = check_claims(&c, uid);
    if (r < 0)
        return r;
    r = check_memberships(&c, uid);
    if (r < 0)
        return r;
    return leftovers_check(user, err);
}
