// The lock, held by one process and wanted by another.
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "harness.h"

#include "base/number.h"
#include "plan/names.h"
#include "sys/lock.h"

#define LOCK RUNTIME_DIRECTORY "/lock"

// A process that holds the lock until it is killed.
static pid_t start_holder(const char *verb)
{
    int ends[2];
    char byte = 0;
    CHECK(pipe(ends) == 0);
    pid_t pid = fork();
    if (pid == 0) {
        int fd = -1;
        CHECK_OK(lock_acquire(verb, 0, &fd, &err));
        CHECK(write(ends[1], &byte, 1) == 1);
        for (;;)
            (void)pause();
    }
    CHECK(pid > 0 && read(ends[0], &byte, 1) == 1);
    return pid;
}

static uint64_t now_msec(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

static void alone(void)
{
    int fd = -1;
    struct stat st;
    CHECK_OK(lock_acquire("create", 0, &fd, &err));
    _cleanup_free_ char *text = get_file(LOCK);
    char wanted[64];
    (void)snprintf(wanted, sizeof(wanted), "%d create\n", getpid());
    CHECK_TEXT(text, wanted);
    CHECK(fstat(fd, &st) == 0 && (st.st_mode & 07777) == 0600);
    CHECK(fcntl(fd, F_GETFD) & FD_CLOEXEC);
    CHECK(stat(RUNTIME_DIRECTORY, &st) == 0 && (st.st_mode & 07777) == 0755);
    CHECK(close(fd) == 0);
    CHECK_OK(lock_acquire("destroy-with-a-long-name", 0, &fd, &err));
    CHECK(close(fd) == 0);
    CHECK_OK(lock_acquire("x", 0, &fd, &err));
    _cleanup_free_ char *again = get_file(LOCK);
    (void)snprintf(wanted, sizeof(wanted), "%d x\n", getpid());
    CHECK_TEXT(again, wanted);
}

static void contention(void)
{
    pid_t holder = start_holder("create");
    int fd = -1;
    char wanted[128];
    uint64_t began = now_msec();
    (void)snprintf(wanted, sizeof(wanted), "another agentctl (create, pid %d) is at work; waited 300ms",
                   holder);
    CHECK_FAILS(lock_acquire("start", 300 * USEC_PER_MSEC, &fd, &err), wanted);
    CHECK(fd == -1);
    CHECK(now_msec() - began >= 300 && now_msec() - began < 5000);
    CHECK_FAILS(lock_acquire("start", 0, &fd, &err), "waited 0");
}

static void released_by_death(void)
{
    pid_t holder = start_holder("create");
    int fd = -1;
    CHECK_FAILS(lock_acquire("start", 0, &fd, &err), "is at work");
    CHECK(kill(holder, SIGKILL) == 0 && waitpid(holder, NULL, 0) == holder);
    CHECK_OK(lock_acquire("start", 0, &fd, &err));
}

static void waits_for_its_turn(void)
{
    pid_t holder = start_holder("create");
    pid_t killer = fork();
    if (killer == 0) {
        const struct timespec pause = { .tv_nsec = 300000000 };
        (void)nanosleep(&pause, NULL);
        _exit(kill(holder, SIGKILL) < 0);
    }
    int fd = -1;
    CHECK_OK(lock_acquire("start", 20 * USEC_PER_SEC, &fd, &err));
}

static int try_to_hold(const void *userdata)
{
    int fd = open(userdata, O_RDONLY | O_CLOEXEC);
    return fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) == 0;
}

static void others_cannot_hold_it(void)
{
    make_directory(RUNTIME_DIRECTORY, 0755);
    put_file(LOCK, "", 0666);
    int fd = -1;
    CHECK_OK(lock_acquire("create", 0, &fd, &err));
    CHECK(close(fd) == 0);
    CHECK(run_as(77777, 77777, (gid_t)-1, try_to_hold, LOCK) == 0);
}

static void odd_lock_files(void)
{
    int fd = -1;
    make_directory(RUNTIME_DIRECTORY, 0755);
    put_file("/run/victim", "precious\n", 0600);
    CHECK(symlink("/run/victim", LOCK) == 0);
    CHECK_FAILS(lock_acquire("create", 0, &fd, &err), "cannot open " LOCK);
    CHECK(unlink(LOCK) == 0 && mkfifo(LOCK, 0600) == 0);
    CHECK_FAILS(lock_acquire("create", 0, &fd, &err), "not a regular file of root's");
    CHECK(unlink(LOCK) == 0);
    put_file(LOCK, "", 0600);
    CHECK(chown(LOCK, 77777, 77777) == 0);
    CHECK_FAILS(lock_acquire("create", 0, &fd, &err), "not a regular file of root's");
    _cleanup_free_ char *victim = get_file("/run/victim");
    CHECK_TEXT(victim, "precious\n");
}

static int acquire(const void *userdata)
{
    int fd = -1;
    CHECK_FAILS(lock_acquire("create", 0, &fd, &err), "Permission denied");
    return 0;
}

static void unprivileged(void)
{
    CHECK(run_as(77777, 77777, (gid_t)-1, acquire, NULL) == 0);
    CHECK(!is_there(RUNTIME_DIRECTORY));
}

static void full_run(void)
{
    int fd = -1;
    make_directory(RUNTIME_DIRECTORY, 0755);
    mount_tmpfs(RUNTIME_DIRECTORY, "size=64k,mode=0755");
    put_file(LOCK, "", 0600);
    fill_up(RUNTIME_DIRECTORY);
    CHECK_OK(lock_acquire("create", 0, &fd, &err));
}

const struct test lock_tests[] = {
    { "it says who holds it and is closed on exec", alone },
    { "who waits too long is told for whom", contention },
    { "it goes with the process that held it", released_by_death },
    { "who waits gets it", waits_for_its_turn },
    { "others than root cannot hold it", others_cannot_hold_it },
    { "a lock file that is something else is refused", odd_lock_files },
    { "an unprivileged caller gets one line", unprivileged },
    { "a full disk does not stop it", full_run },
    { NULL, NULL },
};
