// Finds and kills processes by UID. Must never signal a process of anybody but an agent: the UID has to be in
// the ledger, and every kill is either done with the agent's own rights or on a pidfd whose owner was checked
// after it was opened.
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>

#include "base/number.h"
#include "base/text.h"
#include "sys/account.h"
#include "sys/clock.h"
#include "sys/ledger.h"

#define UID_FIRST_ORDINARY 1000 // below: the system's own users, by every distribution's convention
#define UID_NOBODY 65534
#define KILL_TIMEOUT_MSEC 10000
#define SWEEP_TIMEOUT_MSEC 1000
#define REAP_TIMEOUT_MSEC 1000
#define ROUND_MSEC 100
#define ZOMBIE_PAUSE_NSEC 5000000
#define STATUS_HEAD 2048 // Name: is at most 64 characters, Uid: the ninth line

// The order of Uid: in /proc/PID/status (proc(5)).
enum { UID_REAL, UID_EFFECTIVE, UID_SAVED, UID_FILESYSTEM, UID_COUNT };

struct process {
    bool of_uid;
    bool zombie; // dead, waiting for its parent to notice
};

static ssize_t read_head(int proc_fd, const char *pid, const char *file, char *buffer, size_t size)
{
    char path[64];
    (void)snprintf(path, sizeof(path), "%.20s/%s", pid, file);
    _cleanup_close_ int fd = openat(proc_fd, path, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? -1 : read(fd, buffer, size - 1);
    buffer[n > 0 ? n : 0] = '\0';
    return n;
}

// A main thread that has ended is shown as a zombie while other threads of the process go on.
static bool has_threads(int proc_fd, const char *pid)
{
    char path[64];
    (void)snprintf(path, sizeof(path), "%.20s/task", pid);
    int fd = openat(proc_fd, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    _cleanup_closedir_ DIR *d = fd < 0 ? NULL : fdopendir(fd);
    if (!d) {
        if (fd >= 0)
            (void)close(fd);
        return false;
    }
    unsigned threads = 0;
    for (const struct dirent *e = readdir(d); e; e = readdir(d))
        threads += e->d_name[0] != '.';
    return threads > 1;
}

static struct process look_at(int proc_fd, const char *pid, uid_t uid)
{
    struct process p = { 0 };
    char status[STATUS_HEAD];
    if (read_head(proc_fd, pid, "status", status, sizeof(status)) <= 0)
        return p; // ended
    // Newlines in the name are escaped: these are the lines of the kernel.
    const char *uids = strstr(status, "\nUid:\t");
    const char *state = strstr(status, "\nState:\t");
    uid_t id[UID_COUNT];
    if (!uids || !state || sscanf(uids + 6, "%u %u %u %u", &id[0], &id[1], &id[2], &id[3]) != 4)
        return p;
    for (size_t i = 0; i < ARRAY_SIZE(id); i++)
        p.of_uid = p.of_uid || id[i] == uid;
    // A server of root's that has taken on the UID for a moment (smbd, nfsd) keeps its real one; a set-UID
    // program that the agent started has the agent's.
    p.of_uid = p.of_uid && id[UID_REAL] != 0;
    bool dead = state[8] == 'Z' || state[8] == 'X';
    p.zombie = p.of_uid && dead && !has_threads(proc_fd, pid);
    return p;
}

static bool is_number(const char *name)
{
    return name[0] != '\0' && name[strspn(name, "0123456789")] == '\0';
}

// --- looking ---

// cgroup v2's line of /proc/PID/cgroup is "0::/path".
static bool is_in_cgroup(int proc_fd, const char *pid, const char *cgroup)
{
    char text[8192];
    if (!cgroup || read_head(proc_fd, pid, "cgroup", text, sizeof(text)) <= 0)
        return false;
    const char *path = str_prefix(text, "0::/") ? text : strstr(text, "\n0::/");
    if (!path)
        return false;
    path = strchr(path, '/') + 1;
    size_t n = strlen(cgroup);
    return strncmp(path, cgroup, n) == 0 && (path[n] == '/' || path[n] == '\n' || path[n] == '\0');
}

int account_find_process(uid_t uid, const char *except_cgroup, pid_t *ret_pid, struct error *err)
{
    _cleanup_closedir_ DIR *proc = opendir("/proc");
    if (!proc)
        return error_errno(err, errno, "cannot read /proc");
    pid_t found = 0;
    for (const struct dirent *e = readdir(proc); e && !found; e = readdir(proc)) {
        if (!is_number(e->d_name))
            continue;
        struct process p = look_at(dirfd(proc), e->d_name, uid);
        if (p.of_uid && !p.zombie && !is_in_cgroup(dirfd(proc), e->d_name, except_cgroup))
            found = (pid_t)strtol(e->d_name, NULL, 10);
    }
    *ret_pid = found;
    return 0;
}

// --- killing ---

// Runs in a child of its own: becomes the agent's UID, for good and without any capability, and signals
// everything it may. Why this is safe: kill(-1) of a process that is wholly that UID and holds no CAP_KILL
// reaches exactly the processes whose real or saved UID it is (kill(2)); if anything about the change of
// identity failed, it exits before it signals. Why it is needed: the kernel walks all processes in one go,
// and a fork under way fails when a SIGKILL is pending, so no fork bomb outruns it, as it would outrun a scan
// of /proc. The child is exempt from its own signal. Until then the agent could stop or kill it: the parent
// notices and tries again. It holds no file (closed), and nothing of it can be read (not dumpable).
static void sweep_as(uid_t uid)
{
    struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
    const struct __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3] = { 0 };
    uid_t real = 0;
    uid_t effective = 0;
    uid_t saved = 0;
    (void)syscall(SYS_close_range, 0, ~0U,
                  0); // before kernel 5.9 the files are those of the command: harmless
    // System calls themselves: the C library's wrappers are for processes with threads.
    if (syscall(SYS_setgroups, 0, NULL) < 0 || syscall(SYS_setresgid, uid, uid, uid) < 0 ||
        syscall(SYS_setresuid, uid, uid, uid) < 0 || syscall(SYS_capset, &header, none) < 0 ||
        prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
        _exit(EXIT_FAILURE);
    if (getresuid(&real, &effective, &saved) < 0 || real != uid || effective != uid || saved != uid ||
        uid == 0)
        _exit(EXIT_FAILURE);
    if (kill(-1, SIGKILL) < 0 && errno != ESRCH)
        _exit(EXIT_FAILURE);
    _exit(EXIT_SUCCESS);
}

static int wait_for_sweep(pid_t child, bool *ret_done, struct error *err)
{
    _cleanup_close_ int pidfd = (int)syscall(SYS_pidfd_open, child, 0);
    struct pollfd ended = { .fd = pidfd, .events = POLLIN };
    // The agent may have stopped it (see above): it is root's child and not reaped yet, so the id is still
    // its own.
    if (pidfd < 0 || poll(&ended, 1, SWEEP_TIMEOUT_MSEC) <= 0)
        (void)kill(child, SIGKILL);
    int status = 0;
    while (waitpid(child, &status, 0) < 0)
        if (errno != EINTR)
            return error_errno(err, errno, "cannot wait for the killing process");
    if (WIFEXITED(status) && WEXITSTATUS(status) != EXIT_SUCCESS)
        return error_set(err, EPERM, "cannot take on the agent's UID to kill its processes");
    *ret_done = WIFEXITED(status);
    return 0;
}

static int sweep(uid_t uid, bool *ret_done, struct error *err)
{
    pid_t child = fork();
    if (child < 0)
        return error_errno(err, errno, "cannot fork");
    if (child == 0)
        sweep_as(uid);
    return wait_for_sweep(child, ret_done, err);
}

struct remaining {
    size_t alive, zombies;
    pid_t one;
    int pidfd; // of one that was alive; -1: none
};

// Kills one process. Between the look and the pidfd the process may have ended and its number been given
// away: the second look is at whatever the pidfd is for.
static void kill_checked(int proc_fd, const char *name, uid_t uid, struct remaining *left)
{
    pid_t pid = (pid_t)strtol(name, NULL, 10);
    _cleanup_close_ int pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
    if (pidfd < 0)
        return;
    struct process p = look_at(proc_fd, name, uid);
    if (!p.of_uid || p.zombie)
        return;
    (void)syscall(SYS_pidfd_send_signal, pidfd, SIGKILL, NULL,
                  0); // if it fails, the next scan finds it again
    left->alive++;
    left->one = pid;
    cleanup_close(&left->pidfd);
    left->pidfd = take_fd(&pidfd);
}

// Most are gone after the sweep. This takes those that have the UID only as effective or filesystem UID, and
// sees who is still dying.
static int scan_and_kill(uid_t uid, struct remaining *left, struct error *err)
{
    _cleanup_closedir_ DIR *proc = opendir("/proc");
    if (!proc)
        return error_errno(err, errno, "cannot read /proc");
    for (const struct dirent *e = readdir(proc); e; e = readdir(proc)) {
        if (!is_number(e->d_name) || str_equal(e->d_name, "1"))
            continue;
        struct process p = look_at(dirfd(proc), e->d_name, uid);
        if (p.zombie)
            left->zombies++;
        else if (p.of_uid)
            kill_checked(dirfd(proc), e->d_name, uid, left);
    }
    return 0;
}

static int check_uid(uid_t uid, struct error *err)
{
    bool known = false;
    if (uid < UID_FIRST_ORDINARY || uid == UID_NOBODY || uid == UINT16_MAX || uid == (uid_t)-1)
        return error_set(err, EPERM, "UID %u is not an agent's: its processes are not killed", uid);
    int r = ledger_has_uid(uid, &known, err);
    if (r < 0)
        return r;
    return known ? 0
                 : error_set(err, EPERM, "UID %u is not in the ledger: its processes are not killed", uid);
}

// One look at what is left, and some time for what is dying.
static int finish_off(uid_t uid, struct remaining *ret, struct error *err)
{
    struct remaining left = { .pidfd = -1 };
    int r = scan_and_kill(uid, &left, err);
    if (r >= 0 && left.alive > 0) {
        struct pollfd dying = { .fd = left.pidfd, .events = POLLIN };
        (void)poll(&dying, 1, ROUND_MSEC);
    } else if (r >= 0 && left.zombies > 0) {
        const struct timespec pause = { .tv_nsec =
                                            ZOMBIE_PAUSE_NSEC }; // being reaped is no event of a pidfd's
        (void)nanosleep(&pause, NULL);
    }
    cleanup_close(&left.pidfd);
    *ret = left;
    return r;
}

int account_kill_processes(uid_t uid, struct error *err)
{
    int r = check_uid(uid, err);
    if (r < 0)
        return r;
    uint64_t began = clock_usec(CLOCK_MONOTONIC) / USEC_PER_MSEC;
    bool swept = false;
    for (;;) {
        if (!swept) {
            r = sweep(uid, &swept, err);
            if (r < 0)
                return r;
        }
        struct remaining left = { 0 };
        r = finish_off(uid, &left, err);
        if (r < 0)
            return r;
        uint64_t waited = clock_usec(CLOCK_MONOTONIC) / USEC_PER_MSEC - began;
        // Zombies are dead; they only get some time, because userdel takes them for processes.
        if (swept && left.alive == 0 && (left.zombies == 0 || waited > REAP_TIMEOUT_MSEC))
            return 0;
        if (waited > KILL_TIMEOUT_MSEC && left.alive > 0)
            return error_set(err, EBUSY, "%zu processes of UID %u do not die, one of them is process %d",
                             left.alive, uid, left.one);
        if (waited > KILL_TIMEOUT_MSEC)
            return error_set(err, EBUSY, "processes of UID %u keep stopping the one that is to kill them",
                             uid);
    }
}
