// Type=exec tells that the launcher was executed, not that the agent's command was. This looks at the main
// process itself until it is one or the other.
#include "sys/started.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "base/text.h"

#define STATUS_CONFIGURATION 78 // launch/launch.c: EX_CONFIG
#define STATUS_NOT_EXECUTABLE 126
#define STATUS_NOT_FOUND 127

#define LOOK_INTERVAL_MSEC 5
#define LOOKS_MAX 6000 // 30 s; a loaded machine may take long to map the launcher

// True as long as the process runs the launcher's file.
static bool runs_launcher(pid_t pid, const char *launcher)
{
    char link[64];
    char target[PATH_MAX];
    (void)snprintf(link, sizeof(link), "/proc/%d/exe", pid);
    ssize_t n = readlink(link, target, sizeof(target) - 1);
    if (n < 0)
        return false; // ended
    target[n] = '\0';
    return str_equal(target, launcher);
}

static int await_exec(pid_t pid, const char *launcher, struct error *err)
{
    _cleanup_close_ int pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
    if (pidfd < 0)
        return errno == ESRCH ? 0 : error_errno(err, errno, "cannot watch process %d", pid);
    for (int i = 0; i < LOOKS_MAX && runs_launcher(pid, launcher); i++) {
        struct pollfd ended = { .fd = pidfd, .events = POLLIN };
        if (poll(&ended, 1, LOOK_INTERVAL_MSEC) > 0)
            break;
    }
    return 0;
}

int started_await_command(struct manager *m, const char *unit, const char *launcher, struct error *err)
{
    struct service_status status = { 0 };
    int r = manager_service_status(m, unit, &status, err);
    if (r < 0)
        return r;
    pid_t pid = status.main_pid;
    service_status_clear(&status);
    if (pid > 0) {
        r = await_exec(pid, launcher, err);
        if (r < 0)
            return r;
        if (kill(pid, 0) == 0 && !runs_launcher(pid, launcher))
            return 0;
    }

    r = manager_service_status(m, unit, &status, err);
    if (r < 0)
        return r;
    int code = status.exit_code;
    int exit_status = status.exit_status;
    service_status_clear(&status);
    if (code != CLD_EXITED)
        return 0;
    if (exit_status == STATUS_NOT_FOUND || exit_status == STATUS_NOT_EXECUTABLE ||
        exit_status == STATUS_CONFIGURATION)
        return error_set(err, ECHILD, "the command could not be run: status %d (%s)", exit_status,
                         exit_status == STATUS_NOT_FOUND        ? "not found"
                         : exit_status == STATUS_NOT_EXECUTABLE ? "not executable"
                                                                : "bad launch file");
    return 0;
}
