// The launcher: what an agent's ExecStart= runs. Reads from root's file which command it is and becomes that
// command, so that the unit's own argv is fixed and systemd expands nothing of the agent's. Runs as the
// agent, inside its sandbox; never trusts a file that the agent could have written.
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/close_range.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

#include "config.h"
#include "plan/launch.h"
#include "plan/names.h"

#define LAUNCH_FILE_MAX (1 << 20)

static int check_file(int fd, const char *path, size_t *ret_size, struct error *err)
{
    struct stat st;
    if (fstat(fd, &st) < 0)
        return error_errno(err, errno, "%s", path);
    if (!S_ISREG(st.st_mode))
        return error_set(err, EINVAL, "%s: not a regular file", path);
    if (st.st_uid != 0 || (st.st_mode & (S_IWGRP | S_IWOTH)))
        return error_set(err, EPERM, "%s: not root's, or writable by others", path);
    if (st.st_size > LAUNCH_FILE_MAX)
        return error_set(err, EFBIG, "%s: larger than 1 MiB", path);
    *ret_size = (size_t)st.st_size;
    return 0;
}

static int read_all(int fd, const char *path, char *buffer, size_t size, struct error *err)
{
    for (size_t done = 0; done < size;) {
        ssize_t n = read(fd, buffer + done, size - done);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return n < 0 ? error_errno(err, errno, "%s", path) : error_set(err, EIO, "%s: shrank", path);
        done += (size_t)n;
    }
    return 0;
}

// O_NONBLOCK: a pipe in its place must not make us wait.
static int read_policy(const char *agent, struct launch_policy *ret, struct error *err)
{
    char path[PATH_MAX];
    (void)snprintf(path, sizeof(path), LAUNCH_DIRECTORY "/%s", agent);
    _cleanup_close_ int fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    if (fd < 0)
        return error_errno(err, errno, "%s", path);

    size_t size = 0;
    int r = check_file(fd, path, &size, err);
    if (r < 0)
        return r;
    _cleanup_free_ char *text = malloc(size + 1);
    if (!text)
        return error_oom(err);
    r = read_all(fd, path, text, size, err);
    if (r < 0)
        return r;
    text[size] = '\0';
    return launch_policy_parse(ret, path, text, size, err);
}

static int check_policy(const struct launch_policy *policy, const char *agent, struct error *err)
{
    const char *problem = NULL;
    if (!str_equal(policy->agent, agent))
        problem = "the launch file is another agent's";
    else if (!policy->command.items)
        problem = "the launch file names no command";
    if (!problem)
        return 0;
    (void)error_set(err, EINVAL, "%s", problem);
    return -EINVAL;
}

static int load_policy(const char *agent, struct launch_policy *ret, struct error *err)
{
    int r = agent_name_check(agent, err); // it becomes part of a path
    if (r < 0)
        return r;
    r = read_policy(agent, ret, err);
    if (r >= 0)
        r = check_policy(ret, agent, err);
    if (r < 0)
        (void)error_wrap(err, r, "agent %s", agent);
    return r;
}

// Only 0, 1 and 2 are the command's.
static void close_others_on_exec(void)
{
    if (close_range(3, UINT_MAX, CLOSE_RANGE_CLOEXEC) < 0)
        (void)close_range(3, UINT_MAX, 0); // kernels below 5.11 can only close at once
}

// Becomes the command; comes back only to say why not, with the status to exit with.
static int run_command(const struct launch_policy *policy)
{
    const char *program = policy->command.items[0];
    (void)execvpe(program, policy->command.items, environ);
    int error = errno;
    (void)fprintf(stderr, "launch: agent %s: cannot run %s: %s\n", policy->agent, program, strerror(error));
    return error == ENOENT ? LAUNCH_STATUS_NOT_FOUND : LAUNCH_STATUS_NOT_EXECUTABLE;
}

// The first process of a PID namespace gets no signal that it does not handle, and must reap: the command
// would be a bad one. It becomes our child, and we become init.c.
static int run_command_below_init(const struct launch_policy *policy)
{
    int started[2]; // closed by a successful exec
    if (pipe2(started, O_CLOEXEC) < 0)
        return LAUNCH_STATUS_NOT_EXECUTABLE;
    pid_t child = fork();
    if (child == 0) {
        int status = run_command(policy);
        ssize_t n = write(started[1], "", 1);
        (void)n; // init.c would pass on our exit status all the same
        _exit(status);
    }
    (void)close(started[1]);
    char failed = 0;
    int status = 0;
    if (child < 0)
        return LAUNCH_STATUS_NOT_EXECUTABLE;
    if (read(started[0], &failed, 1) != 0)
        return waitpid(child, &status, 0) == child && WIFEXITED(status) ? WEXITSTATUS(status) : EX_OSERR;
    char pid[16];
    (void)snprintf(pid, sizeof(pid), "%d", child);
    (void)execl(INIT_PATH, INIT_PATH, pid, (char *)NULL);
    (void)fprintf(stderr, "launch: agent %s: cannot run " INIT_PATH ": %s\n", policy->agent, strerror(errno));
    return LAUNCH_STATUS_NOT_EXECUTABLE; // the namespace ends with us, and the command with it
}

int main(int argc, char *argv[])
{
    if (argc != 2) {
        (void)fprintf(stderr, "launch: started by an agent's unit with the agent's name, not by hand\n");
        return EX_USAGE;
    }
    _cleanup_error_ struct error err = { 0 };
    struct launch_policy policy = { 0 };
    int r = load_policy(argv[1], &policy, &err);
    if (r < 0) {
        (void)fprintf(stderr, "launch: %s\n", err.text);
        launch_policy_clear(&policy);
        return LAUNCH_STATUS_CONFIGURATION;
    }
    close_others_on_exec();
    int status = getpid() == 1 ? run_command_below_init(&policy) : run_command(&policy);
    launch_policy_clear(&policy);
    return status;
}
