// The one openat2(2) call for directories of agents. Must never resolve a link or leave the directory given.
#include "sys/beneath.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/syscall.h>
#include <unistd.h>

int beneath_open_directory(int directory_fd, const char *name, bool stay_on_mount)
{
    const struct open_how how = {
        // No O_NOFOLLOW: it would make a link ENOTDIR, where RESOLVE_NO_SYMLINKS says ELOOP.
        .flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NONBLOCK,
        .resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS |
                   (stay_on_mount ? RESOLVE_NO_XDEV : 0),
    };
    for (;;) {
        long fd = syscall(SYS_openat2, directory_fd, name, &how, sizeof(how));
        if (fd >= 0)
            return (int)fd;
        // EAGAIN: a rename elsewhere made the kernel unsure whether it stayed beneath (openat2(2)).
        if (errno != EINTR && errno != EAGAIN)
            return -errno;
    }
}
