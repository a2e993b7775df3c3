// Linger marks, crontabs and mailboxes of an agent's user. Their directories are the system's: a name is
// removed, nothing is opened or followed.
#include "sys/leftovers.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

static const struct {
    const char *directory, *what;
} leftovers[] = {
    { "/var/lib/systemd/linger", "lingering is on" }, // loginctl enable-linger: a manager of the user's own
    { "/var/spool/cron/crontabs", "there is a crontab" },
    { "/var/mail", "there is a mailbox" },
};

int leftovers_check(const char *user, struct error *err)
{
    for (size_t i = 0; i < ARRAY_SIZE(leftovers); i++) {
        _cleanup_free_ char *path = NULL;
        if (asprintf(&path, "%s/%s", leftovers[i].directory, user) < 0) {
            path = NULL;
            return error_oom(err);
        }
        struct stat st;
        if (lstat(path, &st) == 0)
            return error_set(err, EEXIST, "%s for user %s: %s", leftovers[i].what, user, path);
        if (errno != ENOENT && errno != ENOTDIR)
            return error_errno(err, errno, "%s", path);
    }
    return 0;
}

int leftovers_remove(const char *user, struct error *err)
{
    for (size_t i = 0; i < ARRAY_SIZE(leftovers); i++) {
        _cleanup_close_ int fd = open(leftovers[i].directory, O_PATH | O_DIRECTORY | O_CLOEXEC);
        if (fd < 0 && (errno == ENOENT || errno == ENOTDIR))
            continue;
        struct stat st;
        if (fd >= 0 && fstatat(fd, user, &st, AT_SYMLINK_NOFOLLOW) < 0 && errno == ENOENT)
            continue;
        if (fd < 0 || unlinkat(fd, user, 0) < 0)
            return error_errno(err, errno, "cannot remove %s/%s", leftovers[i].directory, user);
    }
    return 0;
}
