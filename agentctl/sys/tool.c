// Starts administration tools as root. Never uses a shell, the caller's environment or its PATH.
#include "sys/tool.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

#include "base/text.h"
#include "sys/file_io.h"

#define MESSAGE_MAX 512
#define OUTPUT_MAX (64 * 1024)

// NULL: err says why.
static char *find_tool(const char *name, struct error *err)
{
    static const char *const directories[] = { "/usr/sbin", "/sbin", "/usr/bin", "/bin" };
    for (size_t i = 0; i < ARRAY_SIZE(directories); i++) {
        _cleanup_free_ char *path = NULL;
        if (asprintf(&path, "%s/%s", directories[i], name) < 0) {
            path = NULL;
            (void)error_oom(err);
            return NULL;
        }
        if (access(path, X_OK) == 0)
            return take_ptr(path);
    }
    (void)error_set(err, ENOENT, "%s is not installed (not in /usr/sbin, /sbin, /usr/bin, /bin)", name);
    return NULL;
}

static bool prepare(posix_spawn_file_actions_t *actions, posix_spawnattr_t *attributes, int stderr_fd)
{
    sigset_t none;
    sigset_t all;
    (void)sigemptyset(&none);
    (void)sigfillset(&all);
    // A process group of its own: Ctrl-C at the terminal must not stop useradd between two files.
    const short flags = POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF;
    return posix_spawn_file_actions_addopen(actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0) == 0 &&
           posix_spawn_file_actions_addopen(actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0) == 0 &&
           posix_spawn_file_actions_adddup2(actions, stderr_fd, STDERR_FILENO) == 0 &&
           posix_spawnattr_setpgroup(attributes, 0) == 0 &&
           posix_spawnattr_setsigmask(attributes, &none) == 0 &&
           posix_spawnattr_setsigdefault(attributes, &all) == 0 &&
           posix_spawnattr_setflags(attributes, flags) == 0;
}

static int spawn(const char *path, const char *const argv[], int stderr_fd, pid_t *ret)
{
    static const char *const environment[] = { "PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C", NULL };
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    if (posix_spawn_file_actions_init(&actions) != 0)
        return ENOMEM;
    if (posix_spawnattr_init(&attributes) != 0) {
        (void)posix_spawn_file_actions_destroy(&actions);
        return ENOMEM;
    }
    int r = ENOMEM;
    // execve() does not write to its arguments: the types are historical (POSIX, exec, rationale).
    if (prepare(&actions, &attributes, stderr_fd))
        r = posix_spawn(ret, path, &actions, &attributes, (char *const *)argv, (char *const *)environment);
    (void)posix_spawnattr_destroy(&attributes);
    (void)posix_spawn_file_actions_destroy(&actions);
    return r;
}

// What the tool said, fit for one line.
static char *one_line(const char *output, size_t n)
{
    while (n > 0 && output[n - 1] == '\n')
        n--;
    _cleanup_text_ struct text t = { 0 };
    const char *end = output + (n < MESSAGE_MAX ? n : MESSAGE_MAX);
    for (const char *p = output; p < end;) {
        const char *newline = memchr(p, '\n', (size_t)(end - p));
        _cleanup_free_ char *line = text_printable(p, (size_t)((newline ? newline : end) - p));
        if (!line)
            return NULL;
        text_add(&t, line);
        text_add(&t, newline ? "; " : "");
        p = newline ? newline + 1 : end;
    }
    return text_take(&t);
}

static int report(const char *name, int status, const char *output, size_t n, struct error *err)
{
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
        return 0;
    _cleanup_free_ char *said = one_line(output, n);
    if (!said)
        return error_oom(err);
    // The tools begin with their own name; once is enough.
    size_t prefix = strlen(name) + 2;
    bool named = strncmp(said, name, strlen(name)) == 0 && strncmp(said + strlen(name), ": ", 2) == 0;
    const char *text = named ? said + prefix : said;
    const char *colon = *text ? ": " : "";
    if (WIFSIGNALED(status))
        return error_set(err, EIO, "%s was killed by signal %d%s%s", name, WTERMSIG(status), colon, text);
    return error_set(err, EIO, "%s failed with exit status %d%s%s", name, WEXITSTATUS(status), colon, text);
}

int tool_run(const char *const argv[], struct error *err)
{
    _cleanup_free_ char *path = find_tool(argv[0], err);
    if (!path)
        return -ENOENT;
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) < 0)
        return error_errno(err, errno, "cannot make a pipe for %s", argv[0]);
    _cleanup_close_ int read_fd = ends[0];
    _cleanup_close_ int write_fd = ends[1];
    pid_t pid = 0;
    int r = spawn(path, argv, write_fd, &pid);
    if (r != 0)
        return error_errno(err, r, "cannot run %s", path);
    cleanup_close(&write_fd);
    write_fd = -1;

    _cleanup_free_ char *output = NULL;
    size_t n = 0;
    _cleanup_error_ struct error unread = { 0 }; // its exit status is what counts
    if (file_read_fd(read_fd, argv[0], OUTPUT_MAX, &output, &n, &unread) < 0)
        n = 0;
    // What does not fit is not wanted: the tool must not wait for somebody to read it.
    cleanup_close(&read_fd);
    read_fd = -1;
    int status = 0;
    while (waitpid(pid, &status, 0) < 0)
        if (errno != EINTR)
            return error_errno(err, errno, "cannot wait for %s", argv[0]);
    return report(argv[0], status, output ? output : "", n, err);
}
