// Type=exec tells that the launcher was executed, not that the agent's command was. This looks at the main
// process itself until it is one or the other.
#include "sys/started.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <sys/types.h>

#include "base/text.h"
#include "plan/launch.h"

#define LOOK_INTERVAL_MSEC 5
#define LOOKS_MAX 6000 // 30 s; a loaded machine may take long to map the launcher
#define TRIES_MAX 64   // main processes that ended while Restart= replaced them

enum program {
    PROGRAM_LAUNCHER,
    PROGRAM_COMMAND,
    PROGRAM_NONE, // the process has ended; a zombie has no program
};

static enum program program_of(pid_t pid, const char *launcher)
{
    char link[64];
    char target[PATH_MAX];
    (void)snprintf(link, sizeof(link), "/proc/%d/exe", pid);
    ssize_t n = readlink(link, target, sizeof(target) - 1);
    if (n < 0)
        return PROGRAM_NONE;
    target[n] = '\0';
    return str_equal(target, launcher) ? PROGRAM_LAUNCHER : PROGRAM_COMMAND;
}

static int await_exec(pid_t pid, const char *launcher, enum program *ret, struct error *err)
{
    *ret = PROGRAM_NONE;
    _cleanup_close_ int pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
    if (pidfd < 0)
        return errno == ESRCH ? 0 : error_errno(err, errno, "cannot watch process %d", pid);
    for (int i = 0; i < LOOKS_MAX; i++) {
        *ret = program_of(pid, launcher);
        struct pollfd ended = { .fd = pidfd, .events = POLLIN };
        if (*ret != PROGRAM_LAUNCHER || poll(&ended, 1, LOOK_INTERVAL_MSEC) > 0)
            break;
    }
    return 0;
}

static int judge_exit(int code, int status, struct error *err)
{
    if (code != CLD_EXITED)
        return 0;
    if (status == LAUNCH_STATUS_NOT_FOUND)
        return error_set(err, ECHILD, "the command is not found (status %d)", status);
    if (status == LAUNCH_STATUS_NOT_EXECUTABLE)
        return error_set(err, ECHILD, "the command can't be executed (status %d)", status);
    if (status == LAUNCH_STATUS_CONFIGURATION)
        return error_set(err, ECHILD, "the launcher refuses its file (status %d)", status);
    return 0; // the command ran and ended; Restart= judges that
}

int started_await_command(struct manager *m, const char *unit, const char *launcher, struct error *err)
{
    // A main process that ended may have been replaced by Restart= before it could be asked about: look
    // again.
    for (int i = 0; i < TRIES_MAX; i++) {
        struct service_status status = { 0 };
        int r = manager_service_status(m, unit, &status, err);
        if (r < 0)
            return r;
        pid_t pid = status.main_pid;
        int code = status.exit_code;
        int exit_status = status.exit_status;
        service_status_clear(&status);
        if (pid <= 0)
            return judge_exit(code, exit_status, err);

        enum program program = PROGRAM_NONE;
        r = await_exec(pid, launcher, &program, err);
        if (r < 0 || program == PROGRAM_COMMAND)
            return r;
    }
    return error_set(err, ECHILD, "its main process ends again and again");
}
