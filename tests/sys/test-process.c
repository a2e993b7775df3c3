// Killing every process of a UID: the ordinary ones, those that hide and those that fight back. All in a PID
// namespace of the test's own.
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/fsuid.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "harness.h"

#include "sys/account.h"
#include "sys/ledger.h"

#define UID 77777
#define OTHER_UID 77778

static void nap_msec(long msec)
{
    const struct timespec t = { .tv_sec = msec / 1000, .tv_nsec = msec % 1000 * 1000000 };
    (void)nanosleep(&t, NULL);
}

static void enter_ledger(void)
{
    CHECK_OK(ledger_reserve("coder", UID, &err));
}

// Starts a process that becomes something and then runs until it is killed; returns once it has.
static pid_t start(void (*become)(void))
{
    int ends[2];
    char byte = 0;
    CHECK(pipe(ends) == 0);
    pid_t pid = fork();
    if (pid == 0) {
        become();
        CHECK(write(ends[1], &byte, 1) == 1);
        for (;;)
            (void)pause();
    }
    CHECK(pid > 0 && read(ends[0], &byte, 1) == 1);
    (void)close(ends[0]);
    (void)close(ends[1]);
    return pid;
}

static void become_ids(uid_t real, uid_t effective, uid_t saved)
{
    if (syscall(SYS_setresgid, UID, UID, UID) < 0 || syscall(SYS_setresuid, real, effective, saved) < 0)
        _exit(99);
}

static void become_agent(void)
{
    become_ids(UID, UID, UID);
}

static void become_other(void)
{
    become_ids(OTHER_UID, OTHER_UID, OTHER_UID);
}

static bool is_alive(pid_t pid)
{
    char path[64];
    (void)snprintf(path, sizeof(path), "/proc/%d/status", pid);
    if (!is_there(path))
        return false;
    _cleanup_free_ char *status = get_file(path);
    return !strstr(status, "State:\tZ");
}

static void check_none_left(void)
{
    pid_t pid = 0;
    CHECK_OK(account_find_process(UID, NULL, &pid, &err));
    if (pid != 0)
        FAIL("process %d is alive", pid);
}

static void kill_all(void)
{
    CHECK_OK(account_kill_processes(UID, &err));
    check_none_left();
}

static void nothing_to_kill(void)
{
    enter_ledger();
    kill_all();
}

static void become_daemon(void)
{
    struct sigaction ignore = { .sa_handler = SIG_IGN };
    if (fork() > 0)
        _exit(0);
    (void)setsid();
    if (fork() > 0)
        _exit(0);
    for (int s = 1; s < 32; s++)
        (void)sigaction(s, &ignore, NULL); // SIGKILL and SIGSTOP cannot be
    become_agent();
    (void)prctl(PR_SET_NAME, "x\nUid:\t0 0 0 0");
}

static void daemons(void)
{
    enter_ledger();
    pid_t other = start(become_other);
    for (int i = 0; i < 20; i++)
        (void)start(become_daemon);
    pid_t stopped = start(become_agent);
    CHECK(kill(stopped, SIGSTOP) == 0);
    pid_t found = 0;
    CHECK_OK(account_find_process(UID, NULL, &found, &err));
    CHECK(found > 0);
    kill_all();
    CHECK(!is_alive(stopped));
    CHECK(is_alive(other) && is_alive(getpid()) && is_alive(1));
}

static void become_real(void)
{
    become_ids(UID, 0, 0); // what a set-UID program is that the agent started
}

static void become_effective(void)
{
    become_ids(UID + 1, UID, UID + 1);
}

static void become_saved(void)
{
    become_ids(UID + 1, UID + 1, UID);
}

static void every_kind_of_uid(void)
{
    enter_ledger();
    void (*const kinds[])(void) = { become_real, become_effective, become_saved };
    for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
        pid_t pid = start(kinds[i]);
        pid_t found = 0;
        CHECK_OK(account_find_process(UID, NULL, &found, &err));
        CHECK(found == pid);
        kill_all();
        CHECK(!is_alive(pid));
    }
}

static void become_served(void)
{
    become_ids(0, UID, 0);
}

static void become_filesystem(void)
{
    (void)setfsuid(UID);
}

// A server of root's that works for the agent's UID at this moment.
static void servers_of_root(void)
{
    enter_ledger();
    pid_t served = start(become_served);
    pid_t filesystem = start(become_filesystem);
    pid_t found = 0;
    CHECK_OK(account_find_process(UID, NULL, &found, &err));
    CHECK(found == 0);
    kill_all();
    CHECK(is_alive(served) && is_alive(filesystem));
}

// Everybody forks all the time and ends soon: a scan always comes too late.
static void become_fork_bomb(void)
{
    const struct rlimit limit = { .rlim_cur = 300, .rlim_max = 300 };
    (void)setrlimit(RLIMIT_NPROC, &limit);
    become_agent();
    if (fork() != 0)
        return;
    for (unsigned i = 0;; i++) { // the parent ends after its second child, a child goes on
        pid_t child = fork();
        if (child > 0 && i % 2 == 1)
            _exit(0);
    }
}

static void fork_bomb(void)
{
    enter_ledger();
    pid_t other = start(become_other);
    (void)start(become_fork_bomb);
    nap_msec(200);
    kill_all();
    nap_msec(100);
    check_none_left();
    CHECK(is_alive(other));
}

// Shared with the stoppers: they begin when the one that started them has said that it has.
static volatile bool *stoppers_may_begin;

static void become_stopper(void)
{
    become_agent();
    for (int i = 0; i < 3; i++) {
        if (fork() == 0) {
            (void)setsid();
            while (!*stoppers_may_begin)
                (void)sched_yield();
            for (;;)
                (void)kill(-1, SIGSTOP); // its sisters too, the last one stays
        }
    }
}

static void fights_back(void)
{
    enter_ledger();
    stoppers_may_begin = mmap(NULL, sizeof(bool), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    CHECK(stoppers_may_begin != MAP_FAILED);
    (void)start(become_stopper);
    *stoppers_may_begin = true;
    kill_all();
}

// The parent is not the agent's and never waits.
static void become_bad_parent(void)
{
    if (fork() == 0) {
        become_agent();
        _exit(0);
    }
}

static void zombies(void)
{
    enter_ledger();
    pid_t parent = start(become_bad_parent);
    nap_msec(50);
    kill_all(); // waits for a while, then is content: a zombie is dead
    CHECK(is_alive(parent));
}

static void *sleep_for_ever(void *arg)
{
    for (;;)
        (void)pause();
    return arg;
}

static int thread_pipe = -1;

static void *tell_and_sleep(void *arg)
{
    char byte = 0;
    nap_msec(50); // until the main thread has gone
    if (write(thread_pipe, &byte, 1) == 1)
        (void)sleep_for_ever(arg);
    return NULL;
}

static void headless_process(void)
{
    int ends[2];
    char byte = 0;
    enter_ledger();
    CHECK(pipe(ends) == 0);
    pid_t pid = fork();
    if (pid == 0) {
        pthread_t thread;
        thread_pipe = ends[1];
        become_agent();
        if (pthread_create(&thread, NULL, tell_and_sleep, NULL) != 0)
            _exit(99);
        syscall(SYS_exit, 0); // this thread only: the process looks like a zombie
    }
    CHECK(pid > 0 && read(ends[0], &byte, 1) == 1);
    pid_t found = 0;
    CHECK_OK(account_find_process(UID, NULL, &found, &err));
    CHECK(found == pid);
    kill_all();
    int status = 0;
    CHECK(waitpid(pid, &status, 0) == pid && WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}

static void wrong_uids(void)
{
    pid_t other = start(become_other);
    enter_ledger();
    static const uid_t uids[] = { 0, 1, 33, 999, 65534, 65535, (uid_t)-1 };
    for (size_t i = 0; i < ARRAY_SIZE(uids); i++)
        CHECK_FAILS(account_kill_processes(uids[i], &err), "is not an agent's: its processes are not killed");
    CHECK_FAILS(account_kill_processes(OTHER_UID, &err), "UID 77778 is not in the ledger");
    CHECK(is_alive(other));
}

static void no_ledger(void)
{
    pid_t agent = start(become_agent);
    CHECK_FAILS(account_kill_processes(UID, &err), "UID 77777 is not in the ledger");
    make_directory("/var/lib/agentctl", 0755);
    put_file("/var/lib/agentctl/uids", "77777 coder dead\n", 0644);
    CHECK_FAILS(account_kill_processes(UID, &err), "not an entry");
    CHECK(is_alive(agent));
}

static int kill_unprivileged(const void *userdata)
{
    CHECK_FAILS(account_kill_processes(UID, &err), "cannot take on the agent's UID");
    return 0;
}

static void unprivileged(void)
{
    pid_t agent = start(become_agent);
    enter_ledger();
    CHECK(run_as(OTHER_UID, OTHER_UID, (gid_t)-1, kill_unprivileged, NULL) == 0);
    CHECK(is_alive(agent));
}

static void outside_of_a_cgroup(void)
{
    pid_t agent = start(become_agent);
    char path[64];
    (void)snprintf(path, sizeof(path), "/proc/%d/cgroup", agent);
    _cleanup_free_ char *text = get_file(path);
    char *line = strncmp(text, "0::/", 4) == 0 ? text + 4 : strstr(text, "\n0::/");
    if (!line)
        test_skip("this kernel has no cgroup v2");
    line += line[0] == '\n' ? 5 : 0;
    line[strcspn(line, "\n")] = '\0';
    pid_t found = 0;
    CHECK_OK(account_find_process(UID, line, &found, &err));
    if (line[0] != '\0')
        CHECK(found == 0);
    CHECK_OK(account_find_process(UID, "agents.slice/agents-coder.slice", &found, &err));
    CHECK(found == agent);
}

const struct test process_tests[] = {
    { "nothing to kill is fine", nothing_to_kill },
    { "daemons, stopped and deaf ones die, others live", daemons },
    { "a real, effective or saved UID is enough", every_kind_of_uid },
    { "a server of root's with that UID for a moment is spared", servers_of_root },
    { "a fork bomb is not faster", fork_bomb },
    { "processes that stop their killer die", fights_back },
    { "a zombie that nobody reaps does not hold it up", zombies },
    { "a process whose main thread has ended dies", headless_process },
    { "root's, the system's and unknown UIDs are refused", wrong_uids },
    { "without a sound ledger nothing is killed", no_ledger },
    { "an unprivileged caller kills nothing", unprivileged },
    { "a process outside of its cgroup is found", outside_of_a_cgroup },
    { NULL, NULL },
};
