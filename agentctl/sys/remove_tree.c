// Deletes a tree by descriptors, going down and up itself. Must never delete anything outside of the tree:
// each name is one component, taken relative to a directory that was reached without a link, on the same
// mount, and the way up is checked against the way down.
#include "sys/remove_tree.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/text.h"
#include "sys/beneath.h"

#define OPEN_LEVELS_MAX 64 // descriptors at a time; what lies farther up is opened again on the way back
#define PASSES_MAX 16      // over one directory that does not get empty
#define PATH_SHOWN_MAX 1024

struct level {
    DIR *dir; // NULL: closed for now
    dev_t dev;
    ino_t ino;
    size_t path_length; // of walk.path without this directory's name
    unsigned passes;
    bool removed_any; // in this pass
};

struct walk {
    int top_fd; // borrowed: the directory that holds the tree
    const char *where;
    struct level *levels;
    size_t count, capacity;
    struct text path; // of the current directory, from the tree's name on
    struct error *err;
};

static void walk_clear(struct walk *w)
{
    for (size_t i = 0; i < w->count; i++)
        cleanup_closedir(&w->levels[i].dir);
    free(w->levels);
    text_clear(&w->path);
}

static int fail(const struct walk *w, int errno_value, const char *name)
{
    const char *path = w->path.length > 0 ? w->path.data : "";
    size_t n = w->path.length;
    size_t shown = n < PATH_SHOWN_MAX ? n : PATH_SHOWN_MAX;
    _cleanup_free_ char *inside = text_printable(path, shown);
    _cleanup_free_ char *last = text_printable(name, strlen(name));
    if (!inside || !last)
        return error_oom(w->err);
    const char *cut = shown < n ? "..." : "";
    const char *slash = n > 0 ? "/" : "";
    // A mount point answers EBUSY to its removal and EXDEV to being entered (RESOLVE_NO_XDEV).
    if (errno_value == EBUSY || errno_value == EXDEV)
        return error_set(w->err, errno_value, "cannot remove %s/%s%s%s%s: something is mounted there",
                         w->where, inside, cut, slash, last);
    return error_errno(w->err, errno_value, "cannot remove %s/%s%s%s%s", w->where, inside, cut, slash, last);
}

static int push_level(struct walk *w, const char *name, int fd)
{
    struct stat st;
    if (fstat(fd, &st) < 0)
        return -errno;
    if (w->count == w->capacity) {
        size_t capacity = w->capacity ? w->capacity * 2 : 32;
        struct level *levels = reallocarray(w->levels, capacity, sizeof(*levels));
        if (!levels)
            return -ENOMEM;
        w->levels = levels;
        w->capacity = capacity;
    }
    struct level level = { .dev = st.st_dev, .ino = st.st_ino, .path_length = w->path.length };
    text_add(&w->path, w->path.length > 0 ? "/" : "");
    text_add(&w->path, name);
    if (w->path.failed)
        return -ENOMEM;
    level.dir = fdopendir(fd);
    if (!level.dir)
        return -errno;
    if (w->count >= OPEN_LEVELS_MAX) {
        struct level *far = &w->levels[w->count - OPEN_LEVELS_MAX];
        cleanup_closedir(&far->dir);
        far->dir = NULL;
    }
    w->levels[w->count++] = level;
    return 0;
}

static int enter(struct walk *w, int parent_fd, const char *name)
{
    int fd = beneath_open_directory(parent_fd, name, true);
    if (fd < 0)
        return fail(w, -fd, name);
    int r = push_level(w, name, fd); // owns fd once it has succeeded
    if (r < 0) {
        (void)close(fd);
        return fail(w, -r, name);
    }
    return 0;
}

enum removal { REMOVAL_DONE, REMOVAL_ENTER };

// Removes one name; a directory that is not empty has to be entered. What it is may change under our hands:
// then the other call is tried.
static int remove_name(const struct walk *w, int fd, const char *name, bool directory, enum removal *ret)
{
    *ret = REMOVAL_DONE;
    for (int i = 0; i < 2; i++, directory = !directory) {
        if (unlinkat(fd, name, directory ? AT_REMOVEDIR : 0) == 0 || errno == ENOENT)
            return 0;
        if (directory && (errno == ENOTEMPTY || errno == EEXIST)) {
            *ret = REMOVAL_ENTER;
            return 0;
        }
        if (errno != (directory ? ENOTDIR : EISDIR))
            break;
    }
    return fail(w, errno, name);
}

// Opens the parent of the last level again, if it was closed, and holds it to what it was on the way down.
static int reopen_parent(struct walk *w)
{
    struct level *child = &w->levels[w->count - 1];
    struct level *parent = &w->levels[w->count - 2];
    if (parent->dir)
        return 0;
    _cleanup_close_ int fd = openat(dirfd(child->dir), "..", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    struct stat st;
    if (fd < 0 || fstat(fd, &st) < 0)
        return fail(w, errno, "..");
    if (st.st_dev != parent->dev || st.st_ino != parent->ino)
        return fail(w, EAGAIN, "(moved while it was being removed)");
    parent->dir = fdopendir(fd);
    if (!parent->dir)
        return fail(w, errno, "..");
    (void)take_fd(&fd);
    return 0;
}

static int parent_descriptor(struct walk *w)
{
    return w->count > 1 ? dirfd(w->levels[w->count - 2].dir) : w->top_fd;
}

// Every entry of the last level was read: removes the directory itself, or begins again with what is new in
// it.
static int leave(struct walk *w)
{
    if (w->count > 1) {
        int r = reopen_parent(w);
        if (r < 0)
            return r;
    }
    struct level *level = &w->levels[w->count - 1];
    size_t slash = level->path_length > 0 ? 1 : 0;
    const char *name = w->path.data + level->path_length + slash;
    int parent_fd = parent_descriptor(w);
    if (unlinkat(parent_fd, name, AT_REMOVEDIR) < 0 && errno != ENOENT) {
        bool full = errno == ENOTEMPTY || errno == EEXIST;
        if (!full || !level->removed_any || ++level->passes == PASSES_MAX) {
            int errno_value = errno;
            return fail(w, errno_value, ".");
        }
        level->removed_any = false;
        rewinddir(level->dir);
        return 0;
    }
    cleanup_closedir(&level->dir);
    w->path.length = level->path_length;
    w->path.data[w->path.length] = '\0';
    w->count--;
    if (w->count > 0)
        w->levels[w->count - 1].removed_any = true;
    return 0;
}

// One entry of the last level.
static int step(struct walk *w)
{
    struct level *level = &w->levels[w->count - 1];
    errno = 0;
    const struct dirent *entry = readdir(level->dir);
    if (!entry && errno != 0)
        return fail(w, errno, ".");
    if (!entry)
        return leave(w);
    if (str_equal(entry->d_name, ".") || str_equal(entry->d_name, ".."))
        return 0;
    enum removal removal = REMOVAL_DONE;
    int fd = dirfd(level->dir);
    int r = remove_name(w, fd, entry->d_name, entry->d_type == DT_DIR, &removal);
    if (r < 0)
        return r;
    if (removal == REMOVAL_ENTER)
        return enter(w, fd, entry->d_name);
    level->removed_any = true;
    return 0;
}

int remove_tree(int directory_fd, const char *name, const char *where, struct error *err)
{
    _cleanup_(walk_clear) struct walk w = { .top_fd = directory_fd, .where = where, .err = err };
    enum removal removal = REMOVAL_DONE;
    int r = remove_name(&w, directory_fd, name, false, &removal);
    if (r >= 0 && removal == REMOVAL_ENTER)
        r = enter(&w, directory_fd, name);
    while (r >= 0 && w.count > 0)
        r = step(&w);
    return r;
}
