// Takes a workspace away: out of the agents' sight first, then for good. Must never delete anything through a
// name that the agent could still change.
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>

#include "base/text.h"
#include "sys/beneath.h"
#include "sys/remove_tree.h"
#include "sys/workspace.h"
#include "sys/workspace_root.h"

#define TRASH ".removing" // no agent's name begins with a dot; on the same file system, so that rename works
#define TRASH_MODE 0700

// mountinfo writes space, tab, newline and backslash as \ooo (proc(5)). In place.
static void decode_octal(char *s)
{
    char *to = s;
    while (*s) {
        bool escape = s[0] == '\\' && s[1] >= '0' && s[1] <= '3' && s[2] >= '0' && s[2] <= '7' &&
                      s[3] >= '0' && s[3] <= '7';
        *to++ = escape ? (char)((s[1] - '0') * 64 + (s[2] - '0') * 8 + (s[3] - '0')) : *s;
        s += escape ? 4 : 1;
    }
    *to = '\0';
}

// The mount point of one line of mountinfo, its fifth field.
static char *mount_point(char *line)
{
    char *save = NULL;
    char *field = strtok_r(line, " ", &save);
    for (int i = 0; field && i < 4; i++)
        field = strtok_r(NULL, " ", &save);
    if (field)
        decode_octal(field);
    return field;
}

// Before anything is changed. A mount that comes later is found by the deletion itself.
static int refuse_mounts(int base_fd, const char *shown, struct error *err)
{
    char link[32];
    char path[PATH_MAX];
    (void)snprintf(link, sizeof(link), "/proc/self/fd/%d", base_fd);
    ssize_t n =
        readlink(link, path, sizeof(path) - 1); // as the kernel writes it, links in Workspaces= resolved
    if (n < 0)
        return error_errno(err, errno, "%s", link);
    path[n] = '\0';
    _cleanup_fclose_ FILE *f = fopen("/proc/self/mountinfo", "re");
    if (!f)
        return error_errno(err, errno, "cannot read /proc/self/mountinfo");
    _cleanup_free_ char *line = NULL;
    size_t size = 0;
    while (getline(&line, &size, f) > 0) {
        const char *point = mount_point(line);
        if (!point || !str_prefix(point, path) || (point[n] != '\0' && point[n] != '/'))
            continue;
        _cleanup_free_ char *printable = text_printable(point, strlen(point));
        return error_set(err, EBUSY, "cannot remove %s: something is mounted at %s; unmount it first", shown,
                         printable ? printable : shown);
    }
    return ferror(f) ? error_errno(err, errno, "cannot read /proc/self/mountinfo") : 0;
}

static int make_trash(int root_fd, const char *path, int *ret_fd, struct error *err)
{
    if (mkdirat(root_fd, TRASH, TRASH_MODE) < 0 && errno != EEXIST)
        return error_errno(err, errno, "cannot make %s/%s", path, TRASH);
    _cleanup_close_ int fd = beneath_open_directory(root_fd, TRASH, true);
    if (fd < 0)
        return error_errno(err, -fd, "cannot open %s/%s", path, TRASH);
    if (fchown(fd, 0, 0) < 0 || fchmod(fd, TRASH_MODE) < 0)
        return error_errno(err, errno, "cannot close %s/%s to others", path, TRASH);
    *ret_fd = take_fd(&fd);
    return 0;
}

static int move_to_trash(int root_fd, int trash_fd, const struct agent_names *names, struct error *err)
{
    unsigned long long tag = 0;
    char name[AGENT_NAME_MAX + 1 + sizeof(tag) * 2 + 1];
    if (getrandom(&tag, sizeof(tag), 0) != sizeof(tag))
        return error_errno(err, errno, "cannot get a random name");
    (void)snprintf(name, sizeof(name), "%s.%016llx", names->agent, tag);
    if (renameat2(root_fd, names->agent, trash_fd, name, RENAME_NOREPLACE) < 0)
        return error_errno(err, errno, "cannot move %s away", names->directory);
    return 0;
}

// Moves the workspace into the trash if there is one.
static int take_away(int root_fd, const char *path, const struct agent_names *names, struct error *err)
{
    _cleanup_close_ int base_fd = beneath_open_directory(root_fd, names->agent, false);
    _cleanup_close_ int trash_fd = -1;
    if (base_fd == -ENOENT)
        return 0;
    if (base_fd == -ELOOP || base_fd == -ENOTDIR)
        return error_set(err, -base_fd, "%s: %s in the place of a directory; it is not removed",
                         names->directory, base_fd == -ELOOP ? "a symbolic link" : "a file");
    if (base_fd < 0)
        return error_errno(err, -base_fd, "cannot open %s", names->directory);
    int r = refuse_mounts(base_fd, names->directory, err);
    if (r < 0)
        return r;
    r = make_trash(root_fd, path, &trash_fd, err);
    if (r < 0)
        return r;
    return move_to_trash(root_fd, trash_fd, names, err);
}

// "NAME." and a tag: agents' names have no dot, so that nobody else's matches.
static bool is_of_agent(const char *entry, const char *agent)
{
    size_t n = strlen(agent);
    return strncmp(entry, agent, n) == 0 && entry[n] == '.';
}

// What was just moved there, and what a removal that was killed left.
static int empty_trash(int root_fd, const char *path, const char *agent, struct error *err)
{
    int fd = beneath_open_directory(root_fd, TRASH, true);
    if (fd == -ENOENT)
        return 0;
    _cleanup_closedir_ DIR *trash = fd < 0 ? NULL : fdopendir(fd);
    _cleanup_free_ char *where = NULL;
    if (!trash) {
        int errno_value = fd < 0 ? -fd : errno;
        cleanup_close(&fd);
        return error_errno(err, errno_value, "cannot open %s/%s", path, TRASH);
    }
    if (asprintf(&where, "%s/%s", path, TRASH) < 0) {
        where = NULL;
        return error_oom(err);
    }
    for (;;) {
        errno = 0;
        const struct dirent *entry = readdir(trash);
        if (!entry && errno != 0)
            return error_errno(err, errno, "cannot read %s", where);
        if (!entry)
            break;
        if (!is_of_agent(entry->d_name, agent))
            continue;
        int r = remove_tree(fd, entry->d_name, where, err);
        if (r < 0)
            return r;
    }
    // Others' leftovers keep it; whoever removes those removes it.
    if (unlinkat(root_fd, TRASH, AT_REMOVEDIR) < 0 && errno != ENOTEMPTY && errno != EEXIST)
        return error_errno(err, errno, "cannot remove %s", where);
    return fsync(root_fd) < 0 ? error_errno(err, errno, "cannot make the removal in %s durable", path) : 0;
}

int workspace_remove(const struct agent_names *names, struct error *err)
{
    _cleanup_free_ char *path = NULL;
    _cleanup_close_ int root_fd = -1;
    int r = workspace_root_open(names, false, &root_fd, &path, err);
    if (r < 0)
        return r == -ENOENT ? 0 : r;
    r = take_away(root_fd, path, names, err);
    if (r < 0)
        return r;
    return empty_trash(root_fd, path, names->agent, err);
}
