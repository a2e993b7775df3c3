// Opens Workspaces= of agentctl.conf. The one path of a workspace that is resolved as a whole: it is root's.
#include "sys/workspace_root.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <string.h>
#include <sys/stat.h>

#include "sys/file_io.h"

static int check_root(int fd, const char *path, struct error *err)
{
    struct stat st;
    if (fstat(fd, &st) < 0)
        return error_errno(err, errno, "%s", path);
    if (st.st_uid != 0 || (st.st_mode & (S_IWGRP | S_IWOTH)))
        return error_set(err, EPERM, "%s: others than root may write it (UID %u, mode %04o)", path, st.st_uid,
                         st.st_mode & 07777);
    return 0;
}

int workspace_root_open(const struct agent_names *names, bool make, int *ret_fd, char **ret_path,
                        struct error *err)
{
    _cleanup_free_ char *copy = strdup(names->directory);
    _cleanup_free_ char *path = copy ? strdup(dirname(copy)) : NULL;
    if (!path)
        return error_oom(err);
    _cleanup_close_ int fd =
        make ? file_make_directory(path) : open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) {
        int errno_value = make ? -fd : errno;
        if (!make && errno_value == ENOENT)
            return -ENOENT;
        return error_errno(err, errno_value, "cannot %s %s", make ? "make" : "open", path);
    }
    int r = check_root(fd, path, err);
    if (r < 0)
        return r;
    *ret_fd = take_fd(&fd);
    *ret_path = take_ptr(path);
    return 0;
}
