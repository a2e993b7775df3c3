// Reads and replaces whole files for root. Never follows a symbolic link in the last component of a path of
// ours, never leaves half a file under the final name.
#include "sys/file_io.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/text.h"

static const char *file_kind(mode_t mode)
{
    return S_ISLNK(mode)    ? "a symbolic link"
           : S_ISDIR(mode)  ? "a directory"
           : S_ISFIFO(mode) ? "a pipe"
           : S_ISSOCK(mode) ? "a socket"
                            : "a device";
}

static int check_trust(int fd, const char *path, enum file_trust trust, struct error *err)
{
    struct stat st;
    if (fstat(fd, &st) < 0)
        return error_errno(err, errno, "%s", path);
    if (trust != FILE_ANY && !S_ISREG(st.st_mode))
        return error_set(err, EINVAL, "%s: not a regular file but %s", path, file_kind(st.st_mode));
    if (trust == FILE_ROOT && st.st_uid != 0)
        return error_set(err, EPERM, "%s: belongs to UID %u and not to root", path, st.st_uid);
    if (trust == FILE_ROOT && (st.st_mode & (S_IWGRP | S_IWOTH)))
        return error_set(err, EPERM, "%s: others than root may write it (mode %04o)", path,
                         st.st_mode & 07777);
    return 0;
}

int file_read_fd(int fd, const char *path, size_t max, char **ret, size_t *ret_n, struct error *err)
{
    _cleanup_text_ struct text t = { 0 };
    char buffer[16384];
    for (;;) {
        ssize_t n = read(fd, buffer, sizeof(buffer));
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return error_errno(err, errno, "cannot read %s", path);
        if (n == 0)
            break;
        text_add_n(&t, buffer, (size_t)n);
        if (t.length > max)
            return error_set(err, EFBIG, "%s: larger than %zu bytes", path, max);
    }
    size_t length = t.length;
    char *data = text_take(&t);
    if (!data)
        return error_oom(err);
    *ret = data;
    *ret_n = length;
    return 0;
}

int file_read(const char *path, enum file_trust trust, size_t max, char **ret, size_t *ret_n,
              struct error *err)
{
    // O_NONBLOCK: a pipe in the place of a file must not make root wait for ever.
    int flags = trust == FILE_ANY ? 0 : O_NOFOLLOW | O_NONBLOCK;
    _cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | flags);
    if (fd < 0 && errno == ENOENT)
        return -ENOENT;
    if (fd < 0 && errno == ELOOP)
        return error_set(err, ELOOP, "%s: a symbolic link, which is not followed here", path);
    if (fd < 0)
        return error_errno(err, errno, "cannot open %s", path);
    int r = check_trust(fd, path, trust, err);
    if (r < 0)
        return r;
    return file_read_fd(fd, path, max, ret, ret_n, err);
}

// Makes one directory in an open one and opens it.
static int make_directory_at(int parent_fd, const char *name)
{
    bool made = mkdirat(parent_fd, name, FILE_DIRECTORY_MODE) == 0;
    if (!made && errno != EEXIST)
        return -errno;
    _cleanup_close_ int fd = openat(parent_fd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return -errno;
    if (made && (fchmod(fd, FILE_DIRECTORY_MODE) < 0 || fsync(parent_fd) < 0))
        return -errno;
    return take_fd(&fd);
}

int file_make_directory(const char *path)
{
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd >= 0)
        return fd;
    if (errno != ENOENT)
        return -errno;
    _cleanup_free_ char *for_parent = strdup(path);
    _cleanup_free_ char *for_name = strdup(path);
    if (!for_parent || !for_name)
        return -ENOMEM;
    const char *parent = dirname(for_parent);
    if (str_equal(parent, path))
        return -ENOENT;
    _cleanup_close_ int parent_fd = file_make_directory(parent); // as deep as the path has components
    if (parent_fd < 0)
        return parent_fd;
    return make_directory_at(parent_fd, basename(for_name));
}

static int write_all(int fd, const char *data, size_t n)
{
    while (n > 0) {
        ssize_t written = write(fd, data, n);
        if (written < 0 && errno == EINTR)
            continue;
        if (written < 0)
            return -errno;
        data += written;
        n -= (size_t)written;
    }
    return 0;
}

static int write_temporary(int directory_fd, const char *temporary, const char *data, size_t n, unsigned mode)
{
    // What a killed run left behind goes first: one writer at a time, in a directory that is root's.
    if (unlinkat(directory_fd, temporary, 0) < 0 && errno != ENOENT)
        return -errno;
    _cleanup_close_ int fd =
        openat(directory_fd, temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0)
        return -errno;
    int r = write_all(fd, data, n);
    if (r >= 0 && (fchmod(fd, mode) < 0 || fsync(fd) < 0))
        r = -errno;
    return r;
}

static int replace(int directory_fd, const char *name, const char *data, size_t n, unsigned mode)
{
    _cleanup_free_ char *temporary = NULL;
    if (asprintf(&temporary, ".%s.new", name) < 0) {
        temporary = NULL;
        return -ENOMEM;
    }
    int r = write_temporary(directory_fd, temporary, data, n, mode);
    if (r >= 0 && renameat(directory_fd, temporary, directory_fd, name) < 0)
        r = -errno;
    if (r < 0) {
        (void)unlinkat(directory_fd, temporary, 0); // the first failure is the one to report
        return r;
    }
    return fsync(directory_fd) < 0 ? -errno : 0;
}

int file_write(const char *path, const char *data, size_t n, unsigned mode, struct error *err)
{
    _cleanup_free_ char *for_parent = strdup(path);
    _cleanup_free_ char *for_name = strdup(path);
    if (!for_parent || !for_name)
        return error_oom(err);
    const char *name = basename(for_name);
    _cleanup_close_ int directory_fd = file_make_directory(dirname(for_parent));
    if (directory_fd < 0)
        return error_errno(err, -directory_fd, "cannot write %s", path);
    struct stat st;
    if (fstatat(directory_fd, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && !S_ISREG(st.st_mode))
        return error_set(err, EINVAL, "cannot write %s: it is %s and not a regular file", path,
                         file_kind(st.st_mode));
    int r = replace(directory_fd, name, data, n, mode);
    return r < 0 ? error_errno(err, -r, "cannot write %s", path) : 0;
}

int file_remove(const char *path, struct error *err)
{
    struct stat st;
    if (lstat(path, &st) < 0 && (errno == ENOENT || errno == ENOTDIR))
        return 0;
    if (unlink(path) < 0)
        return error_errno(err, errno, "cannot remove %s", path);
    _cleanup_free_ char *for_parent = strdup(path);
    if (!for_parent)
        return error_oom(err);
    _cleanup_close_ int directory_fd = open(dirname(for_parent), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (directory_fd < 0 || fsync(directory_fd) < 0)
        return error_errno(err, errno, "cannot make the removal of %s durable", path);
    return 0;
}
