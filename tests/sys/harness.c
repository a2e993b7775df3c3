// Runs each test in namespaces of its own and prints a line for it. Must never change anything that outlives
// the test: every writable place that sys/ knows is covered before a test begins.
#include "harness.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "config.h"
#include "plan/conf.h"

#define EXIT_SKIPPED 77
#define TEST_SECONDS_MAX 120

static int reason_fd = -1; // where the test says why it failed or was skipped

_Noreturn void test_fail(const char *file, int line, const char *format, ...)
{
    va_list ap;
    va_start(ap, format);
    (void)dprintf(reason_fd, "%s:%d: ", strrchr(file, '/') ? strrchr(file, '/') + 1 : file, line);
    (void)vdprintf(reason_fd, format, ap);
    va_end(ap);
    _exit(EXIT_FAILURE);
}

_Noreturn void test_skip(const char *format, ...)
{
    va_list ap;
    va_start(ap, format);
    (void)vdprintf(reason_fd, format, ap);
    va_end(ap);
    _exit(EXIT_SKIPPED);
}

void check_text(const char *file, int line, const char *is, const char *wanted)
{
    if (!is || strcmp(is, wanted) != 0)
        test_fail(file, line, "is '%s', wanted '%s'", is ? is : "(null)", wanted);
}

void check_error(const char *file, int line, const struct error *err, const char *words)
{
    if (!err->text)
        test_fail(file, line, "failed without a text, wanted '%s'", words);
    if (strchr(err->text, '\n'))
        test_fail(file, line, "more than one line: '%s'", err->text);
    if (!strstr(err->text, words))
        test_fail(file, line, "the error is '%s', wanted '%s'", err->text, words);
}

void put_file(const char *path, const char *text, mode_t mode)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode);
    size_t n = strlen(text);
    if (fd < 0 || write(fd, text, n) != (ssize_t)n || fchmod(fd, mode) < 0 || close(fd) < 0)
        FAIL("cannot write %s: %s", path, strerror(errno));
}

void append_file(const char *path, const char *text)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
    size_t n = strlen(text);
    if (fd < 0 || write(fd, text, n) != (ssize_t)n || close(fd) < 0)
        FAIL("cannot append to %s: %s", path, strerror(errno));
}

char *get_file(const char *path)
{
    FILE *f = fopen(path, "re");
    char *text = NULL;
    size_t size = 0;
    if (!f)
        FAIL("cannot read %s: %s", path, strerror(errno));
    if (getdelim(&text, &size, '\0', f) < 0) {
        free(text);
        text = strdup("");
    }
    (void)fclose(f);
    return text;
}

bool is_there(const char *path)
{
    struct stat st;
    return lstat(path, &st) == 0;
}

void make_directory(const char *path, mode_t mode)
{
    char *copy = strdup(path);
    for (char *p = strchr(copy + 1, '/'); p; p = strchr(p + 1, '/')) {
        *p = '\0';
        (void)mkdir(copy, 0755); // may be there
        *p = '/';
    }
    free(copy);
    if ((mkdir(path, mode) < 0 && errno != EEXIST) || chmod(path, mode) < 0)
        FAIL("cannot make %s: %s", path, strerror(errno));
}

void mount_tmpfs(const char *path, const char *options)
{
    if (mount("tmpfs", path, "tmpfs", 0, options) < 0)
        FAIL("cannot mount a tmpfs on %s: %s", path, strerror(errno));
}

void mount_read_only(const char *path)
{
    if (mount(path, path, NULL, MS_BIND, NULL) < 0 ||
        mount(NULL, path, NULL, MS_REMOUNT | MS_BIND | MS_RDONLY, NULL) < 0)
        FAIL("cannot make %s read-only: %s", path, strerror(errno));
}

void fill_up(const char *directory)
{
    char path[256];
    static const char zeros[4096];
    (void)snprintf(path, sizeof(path), "%s/filler", directory);
    int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0)
        FAIL("cannot make %s: %s", path, strerror(errno));
    for (size_t n = sizeof(zeros); n > 0;)
        if (write(fd, zeros, n) < 0)
            n /= 2;
    (void)close(fd);
}

int run_as(uid_t uid, gid_t gid, gid_t group, int (*child)(const void *userdata), const void *userdata)
{
    pid_t pid = fork();
    if (pid == 0) {
        size_t count = group == (gid_t)-1 ? 0 : 1;
        if (setgroups(count, &group) < 0 || setresgid(gid, gid, gid) < 0 || setresuid(uid, uid, uid) < 0)
            _exit(99);
        _exit(child(userdata));
    }
    int status = 0;
    if (pid < 0 || waitpid(pid, &status, 0) != pid || !WIFEXITED(status))
        FAIL("a process of UID %u did not end by itself", uid);
    return WEXITSTATUS(status);
}

struct agent_names test_names(const char *agent)
{
    struct agent_names names = { 0 };
    CHECK_OK(agent_names_init(&names, agent, WORKSPACES_DEFAULT, &err));
    return names;
}

// --- one test ---

// The installed templates, wherever the prefix puts them: the nearest directory that exists is covered.
static void cover_templates(void)
{
    char path[] = TEMPLATE_DIRECTORY;
    while (!is_there(path))
        *strrchr(path, '/') = '\0';
    if (!strchr(path + 1, '/'))
        FAIL("%s is too near to the root to be covered", TEMPLATE_DIRECTORY);
    mount_tmpfs(path, "mode=0755");
}

static void cover_machine(void)
{
    static const char *const covered[] = { "/var", "/run" };
    if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
        FAIL("cannot leave the machine's mounts: %s", strerror(errno));
    if (mount("proc", "/proc", "proc", 0, NULL) < 0)
        FAIL("cannot mount /proc: %s", strerror(errno));
    mount_tmpfs("/mnt", "mode=0755");
    if (system("cp -a /etc /mnt/etc") !=
        0) // NOLINT(bugprone-command-processor,cert-env33-c): a fixed command
        FAIL("cannot copy /etc");
    if (mount("/mnt/etc", "/etc", NULL, MS_BIND, NULL) < 0)
        FAIL("cannot cover /etc: %s", strerror(errno));
    for (size_t i = 0; i < ARRAY_SIZE(covered); i++)
        mount_tmpfs(covered[i], "mode=0755");
    cover_templates();
    make_directory("/var/lib", 0755);
    if (system("rm -rf /etc/agentctl") != 0) // NOLINT(bugprone-command-processor,cert-env33-c): of the copy
        FAIL("cannot empty the copy of /etc");
}

// PID 1 of the namespace: reaps what the test's processes leave, as a service manager does.
static _Noreturn void run_init(const struct test *test)
{
    pid_t pid = fork();
    if (pid == 0) {
        (void)alarm(TEST_SECONDS_MAX);
        cover_machine();
        (void)umask(0077); // nothing may depend on the caller's
        test->run();
        _exit(EXIT_SUCCESS);
    }
    int status = 0;
    for (pid_t ended = 0; ended != pid;)
        ended = wait(&status);
    if (WIFSIGNALED(status))
        (void)dprintf(reason_fd, "killed by signal %d (14: took more than %d s)", WTERMSIG(status),
                      TEST_SECONDS_MAX);
    _exit(WIFEXITED(status) ? WEXITSTATUS(status) : EXIT_FAILURE);
}

static _Noreturn void run_child(const struct test *test)
{
    if (unshare(CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWIPC) < 0)
        FAIL("cannot make namespaces: %s", strerror(errno));
    pid_t pid = fork();
    if (pid == 0)
        run_init(test);
    int status = 0;
    if (pid < 0 || waitpid(pid, &status, 0) != pid)
        FAIL("cannot run init");
    _exit(WIFEXITED(status) ? WEXITSTATUS(status) : EXIT_FAILURE);
}

// Returns the exit status; the reason is read after the end, so it has to fit into the pipe.
static int run_test(const struct test *test, char *reason, size_t size)
{
    int ends[2];
    if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) < 0)
        return EXIT_FAILURE;
    pid_t pid = fork();
    if (pid == 0) {
        reason_fd = ends[1];
        run_child(test);
    }
    int status = 0;
    while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR)
        ;
    ssize_t n = read(ends[0], reason, size - 1);
    reason[n > 0 ? n : 0] = '\0';
    for (char *p = reason; *p; p++)
        *p = *p == '\n' ? ' ' : *p;
    (void)close(ends[0]);
    (void)close(ends[1]);
    return pid > 0 && WIFEXITED(status) ? WEXITSTATUS(status) : EXIT_FAILURE;
}

static const struct {
    const char *name;
    const struct test *tests;
} suites[] = {
    { "store", store_tests },     { "ledger", ledger_tests },   { "lock", lock_tests },
    { "account", account_tests }, { "process", process_tests }, { "workspace", workspace_tests },
    { "remove", remove_tests },   { "cgroup", cgroup_tests },
};

// Arguments: the suites to run; none: all.
static bool is_chosen(const char *suite, int argc, char **argv)
{
    for (int i = 1; i < argc; i++)
        if (strcmp(argv[i], suite) == 0)
            return true;
    return argc == 1;
}

int main(int argc, char **argv)
{
    unsigned done = 0;
    unsigned failed = 0;
    (void)setvbuf(stdout, NULL, _IOLBF, 0);
    for (size_t i = 0; i < ARRAY_SIZE(suites); i++) {
        for (const struct test *t = suites[i].tests; t->name && is_chosen(suites[i].name, argc, argv); t++) {
            char reason[4096] = "";
            int status = geteuid() == 0 ? run_test(t, reason, sizeof(reason)) : EXIT_SKIPPED;
            done++;
            failed += status != EXIT_SUCCESS && status != EXIT_SKIPPED;
            if (status == EXIT_SUCCESS)
                (void)printf("ok - %s: %s\n", suites[i].name, t->name);
            else if (status == EXIT_SKIPPED)
                (void)printf("skip - %s: %s: %s\n", suites[i].name, t->name, *reason ? reason : "needs root");
            else
                (void)printf("not ok - %s: %s: %s\n", suites[i].name, t->name, reason);
        }
    }
    (void)printf("done %u\n", done);
    return failed > 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
