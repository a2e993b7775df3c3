// One lock file for all changing verbs. Never readable by others than root: who can open it could hold it.
#include "sys/lock.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>

#include "base/number.h"
#include "base/text.h"
#include "plan/names.h"
#include "sys/clock.h"
#include "sys/file_io.h"

#define LOCK_FILE RUNTIME_DIRECTORY "/lock"
#define LOCK_MODE 0600
#define POLL_USEC (20 * USEC_PER_MSEC)

static int open_lock(int *ret_fd, struct error *err)
{
    _cleanup_close_ int directory_fd = file_make_directory(RUNTIME_DIRECTORY);
    if (directory_fd < 0)
        return error_errno(err, -directory_fd, "cannot make %s", RUNTIME_DIRECTORY);
    _cleanup_close_ int fd =
        openat(directory_fd, "lock", O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK, LOCK_MODE);
    if (fd < 0)
        return error_errno(err, errno, "cannot open %s", LOCK_FILE);
    struct stat st;
    if (fstat(fd, &st) < 0)
        return error_errno(err, errno, "%s", LOCK_FILE);
    if (!S_ISREG(st.st_mode) || st.st_uid != 0)
        return error_set(err, EPERM, "%s: not a regular file of root's", LOCK_FILE);
    if ((st.st_mode & 07777) != LOCK_MODE && fchmod(fd, LOCK_MODE) < 0)
        return error_errno(err, errno, "cannot change the mode of %s", LOCK_FILE);
    *ret_fd = take_fd(&fd);
    return 0;
}

// The holder writes "PID VERB"; it may not have come to that yet.
static int timed_out(int fd, uint64_t timeout_usec, struct error *err)
{
    char content[128];
    char verb[64];
    char waited[NUMBER_TEXT_MAX];
    int pid = 0;
    ssize_t n = pread(fd, content, sizeof(content) - 1, 0);
    content[n > 0 ? n : 0] = '\0';
    format_duration(timeout_usec, waited);
    if (sscanf(content, "%d %63s", &pid, verb) != 2)
        return error_set(err, EBUSY, "another agentctl is at work; waited %s", waited);
    return error_set(err, EBUSY, "another agentctl (%s, pid %d) is at work; waited %s", verb, pid, waited);
}

int lock_acquire(const char *verb, uint64_t timeout_usec, int *ret_fd, struct error *err)
{
    _cleanup_close_ int fd = -1;
    int r = open_lock(&fd, err);
    if (r < 0)
        return r;
    uint64_t began = clock_usec(CLOCK_MONOTONIC);
    // The kernel has no lock with a timeout, and an alarm signal would be felt by the whole process.
    while (flock(fd, LOCK_EX | LOCK_NB) < 0) {
        if (errno != EWOULDBLOCK && errno != EINTR)
            return error_errno(err, errno, "cannot lock %s", LOCK_FILE);
        uint64_t waited = clock_usec(CLOCK_MONOTONIC) - began;
        if (waited >= timeout_usec)
            return timed_out(fd, timeout_usec, err);
        uint64_t left = timeout_usec - waited;
        const struct timespec pause = { .tv_nsec = (long)((left < POLL_USEC ? left : POLL_USEC) * 1000) };
        (void)nanosleep(&pause, NULL); // a signal only makes it look sooner
    }
    // Only for others' messages: a full /run must not stop anybody.
    if (ftruncate(fd, 0) == 0)
        (void)dprintf(fd, "%d %s\n", getpid(), verb);
    *ret_fd = take_fd(&fd);
    return 0;
}
