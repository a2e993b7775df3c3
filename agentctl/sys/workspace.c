// Reads, makes and mends the three directories of a workspace. Only ever acts on descriptors of these three,
// and never on what is in home and work.
#include "sys/workspace.h"

#include <acl/libacl.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/text.h"
#include "encode/acl_text.h"
#include "sys/beneath.h"
#include "sys/workspace_root.h"

#define BASE_MODE 0750
#define PRIVATE_MODE 0700
#define SHARED_MODE                                                                                          \
    0770 // the group bits are the ACL's mask; the owning group itself has no entry with rights

// An open directory of a workspace.
struct place {
    int fd;
    const char *path; // for messages
};

static void directory_clear(struct directory *d)
{
    free(d->access_acl);
    free(d->default_acl);
    *d = (struct directory){ 0 };
}

void workspace_clear(struct workspace *w)
{
    for (size_t i = 0; i < WORKSPACE_COUNT; i++)
        directory_clear(&w->directories[i]);
}

static bool directory_equal(const struct directory *a, const struct directory *b)
{
    return a->exists == b->exists && a->uid == b->uid && a->gid == b->gid && a->mode == b->mode &&
           str_equal(a->access_acl, b->access_acl) && str_equal(a->default_acl, b->default_acl);
}

bool workspace_equal(const struct workspace *a, const struct workspace *b)
{
    for (size_t i = 0; i < WORKSPACE_COUNT; i++)
        if (!directory_equal(&a->directories[i], &b->directories[i]))
            return false;
    return true;
}

// --- what it should be ---

// The text of an ACL that was just built, which is released.
static int built_acl_text(acl_t built, char **ret, struct error *err)
{
    _cleanup_acl_ acl_t acl = built;
    *ret = acl ? workspace_acl_text(acl) : NULL;
    return *ret ? 0 : error_oom(err);
}

static int want_directory(enum workspace_directory which, uid_t uid, gid_t operators, struct directory *d,
                          struct error *err)
{
    bool base = which == WORKSPACE_BASE;
    *d = (struct directory){ .exists = true, .uid = base ? 0 : uid, .gid = uid };
    d->mode = base ? BASE_MODE : operators == NO_GROUP ? PRIVATE_MODE : SHARED_MODE;
    if (operators == NO_GROUP)
        return 0;
    int r =
        built_acl_text(base ? workspace_base_acl(operators) : workspace_acl(operators), &d->access_acl, err);
    if (r < 0 || base)
        return r;
    return built_acl_text(workspace_default_acl(uid, operators), &d->default_acl, err);
}

int workspace_want(uid_t uid, gid_t operators, struct workspace *ret, struct error *err)
{
    _cleanup_workspace_ struct workspace w = { 0 };
    for (size_t i = 0; i < WORKSPACE_COUNT; i++) {
        int r = want_directory((enum workspace_directory)i, uid, operators, &w.directories[i], err);
        if (r < 0)
            return r;
    }
    *ret = w;
    w = (struct workspace){ 0 };
    return 0;
}

// --- what it is ---

// libacl has no call for the default ACL of a descriptor; this name leads to the very object, whatever its
// path.
static void descriptor_path(int fd, char ret[32])
{
    (void)snprintf(ret, 32, "/proc/self/fd/%d", fd);
}

static bool has_no_acls(int errno_value)
{
    return errno_value == EOPNOTSUPP || errno_value == ENOSYS;
}

static int read_acls(const struct place *p, struct directory *d, struct error *err)
{
    char path[32];
    descriptor_path(p->fd, path);
    _cleanup_acl_ acl_t access_acl = acl_get_fd(p->fd);
    if (!access_acl && !has_no_acls(errno))
        return error_errno(err, errno, "cannot read the ACL of %s", p->path);
    _cleanup_acl_ acl_t default_acl = acl_get_file(path, ACL_TYPE_DEFAULT);
    if (!default_acl && !has_no_acls(errno))
        return error_errno(err, errno, "cannot read the default ACL of %s", p->path);
    if (access_acl && workspace_acl_is_extended(access_acl)) {
        d->access_acl = workspace_acl_text(access_acl);
        if (!d->access_acl)
            return error_oom(err);
    }
    if (default_acl && acl_entries(default_acl) > 0) {
        d->default_acl = workspace_acl_text(default_acl);
        if (!d->default_acl)
            return error_oom(err);
    }
    return 0;
}

// Into an empty struct directory.
static int read_directory(const struct place *p, struct directory *d, struct error *err)
{
    struct stat st;
    if (fstat(p->fd, &st) < 0)
        return error_errno(err, errno, "%s", p->path);
    d->exists = true;
    d->uid = st.st_uid;
    d->gid = st.st_gid;
    d->mode = st.st_mode & 07777;
    return read_acls(p, d, err);
}

static int open_place(int parent_fd, const char *name, const char *path, struct place *ret, struct error *err)
{
    int fd = beneath_open_directory(parent_fd, name, false);
    if (fd == -ELOOP)
        return error_set(err, ELOOP, "%s: a symbolic link in the place of a directory", path);
    if (fd == -ENOTDIR)
        return error_set(err, ENOTDIR, "%s: not a directory", path);
    if (fd < 0)
        return error_errno(err, -fd, "cannot open %s", path);
    *ret = (struct place){ .fd = fd, .path = path };
    return 0;
}

static void place_close(struct place *p)
{
    cleanup_close(&p->fd);
}

#define _cleanup_place_ _cleanup_(place_close)

// The names below the root and their paths for messages, in the order of enum workspace_directory.
struct layout {
    const char *names[WORKSPACE_COUNT], *paths[WORKSPACE_COUNT];
};

static struct layout layout_of(const struct agent_names *names)
{
    return (struct layout){
        .names = { names->agent, "home", "work" },
        .paths = { names->directory, names->home, names->work },
    };
}

static int read_places(int root_fd, const struct layout *layout, struct workspace *w, struct error *err)
{
    _cleanup_place_ struct place base = { .fd = -1 };
    for (size_t i = 0; i < WORKSPACE_COUNT; i++) {
        _cleanup_place_ struct place p = { .fd = -1 };
        int r =
            open_place(i == WORKSPACE_BASE ? root_fd : base.fd, layout->names[i], layout->paths[i], &p, err);
        if (r == -ENOENT && i == WORKSPACE_BASE) {
            error_clear(err);
            return 0;
        }
        if (r == -ENOENT) {
            error_clear(err);
            continue;
        }
        if (r < 0)
            return r;
        r = read_directory(&p, &w->directories[i], err);
        if (r < 0)
            return r;
        if (i == WORKSPACE_BASE)
            base.fd = take_fd(&p.fd);
    }
    return 0;
}

int workspace_read(const struct agent_names *names, struct workspace *ret, struct error *err)
{
    _cleanup_free_ char *path = NULL;
    _cleanup_close_ int root_fd = -1;
    _cleanup_workspace_ struct workspace w = { 0 };
    int r = workspace_root_open(names, false, &root_fd, &path, err);
    if (r < 0 && r != -ENOENT)
        return r;
    const struct layout layout = layout_of(names);
    r = root_fd < 0 ? 0 : read_places(root_fd, &layout, &w, err);
    if (r < 0)
        return r;
    *ret = w;
    w = (struct workspace){ 0 };
    return 0;
}

// --- making and mending ---

static int set_default_acl(const struct place *p, const char *text)
{
    char path[32];
    descriptor_path(p->fd, path);
    if (!text)
        return acl_delete_def_file(path);
    _cleanup_acl_ acl_t acl = acl_from_text(text);
    return acl ? acl_set_file(path, ACL_TYPE_DEFAULT, acl) : -1;
}

// acl_set_fd() changes the mode too, so that a minimal ACL takes an extended one away.
static int set_access_acl(const struct place *p, const char *text, mode_t mode)
{
    _cleanup_acl_ acl_t acl = text ? acl_from_text(text) : acl_from_mode(mode);
    return acl ? acl_set_fd(p->fd, acl) : -1;
}

// Safe although the directory may be the agent's: everything acts on the descriptor, which was opened without
// following a link and below a directory that only root may write.
static int mend(const struct place *p, const struct directory *is, const struct directory *want,
                struct error *err)
{
    if ((is->uid != want->uid || is->gid != want->gid) && fchown(p->fd, want->uid, want->gid) < 0)
        return error_errno(err, errno, "cannot change the owner of %s", p->path);
    if (!str_equal(is->access_acl, want->access_acl) && set_access_acl(p, want->access_acl, want->mode) < 0)
        return error_errno(err, errno, "cannot set the ACL of %s", p->path);
    if (!str_equal(is->default_acl, want->default_acl) && set_default_acl(p, want->default_acl) < 0)
        return error_errno(err, errno, "cannot set the default ACL of %s", p->path);
    if (fchmod(p->fd, want->mode) < 0)
        return error_errno(err, errno, "cannot change the mode of %s", p->path);
    return 0;
}

static int make_place(int parent_fd, const char *name, const char *path, const struct directory *want,
                      bool *ret_made, struct place *ret, struct error *err)
{
    _cleanup_place_ struct place p = { .fd = -1 };
    _cleanup_(directory_clear) struct directory is = { 0 };
    *ret_made = mkdirat(parent_fd, name, PRIVATE_MODE) == 0;
    if (!*ret_made && errno != EEXIST)
        return error_errno(err, errno, "cannot make %s", path);
    int r = open_place(parent_fd, name, path, &p, err);
    if (r < 0)
        return r;
    r = read_directory(&p, &is, err);
    if (r < 0)
        return r;
    if (!directory_equal(&is, want)) {
        r = mend(&p, &is, want, err);
        if (r < 0)
            return r;
    }
    *ret = p;
    p.fd = -1;
    return 0;
}

static int make_places(int root_fd, const struct layout *layout, const struct workspace *want,
                       struct error *err)
{
    _cleanup_place_ struct place base = { .fd = -1 };
    bool made[WORKSPACE_COUNT] = { false };
    int r = 0;
    for (size_t i = 0; i < WORKSPACE_COUNT && r >= 0; i++) {
        _cleanup_place_ struct place p = { .fd = -1 };
        r = make_place(i == WORKSPACE_BASE ? root_fd : base.fd, layout->names[i], layout->paths[i],
                       &want->directories[i], &made[i], &p, err);
        if (r >= 0 && i == WORKSPACE_BASE)
            base.fd = take_fd(&p.fd);
    }
    // They are empty: nobody but root could put anything there yet.
    for (size_t i = WORKSPACE_COUNT; r < 0 && i-- > 0;)
        if (made[i])
            (void)unlinkat(i == WORKSPACE_BASE ? root_fd : base.fd, layout->names[i], AT_REMOVEDIR);
    return r;
}

int workspace_make(const struct agent_names *names, uid_t uid, gid_t operators, struct error *err)
{
    _cleanup_workspace_ struct workspace want = { 0 };
    int r = workspace_want(uid, operators, &want, err);
    if (r < 0)
        return r;
    _cleanup_free_ char *path = NULL;
    _cleanup_close_ int root_fd = -1;
    r = workspace_root_open(names, true, &root_fd, &path, err);
    if (r < 0)
        return r;
    const struct layout layout = layout_of(names);
    return make_places(root_fd, &layout, &want, err);
}
