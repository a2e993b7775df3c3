// Reads figures of one cgroup (v2). Only reads. A figure that this kernel does not have is unknown, never
// zero.
#include "sys/cgroup.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "base/number.h"
#include "base/text.h"
#include "sys/clock.h"
#include "sys/file_io.h"

#define CGROUP_ROOT "/sys/fs/cgroup"
#define PROCS_MAX (16 * 1024 * 1024)

// *ret_fd is negative if there is no such cgroup.
static int open_cgroup(const char *path, int *ret_fd, struct error *err)
{
    _cleanup_free_ char *full = NULL;
    if (asprintf(&full, CGROUP_ROOT "/%s", path) < 0) {
        full = NULL;
        return error_oom(err);
    }
    int fd = open(full, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0 && errno != ENOENT)
        return error_errno(err, errno, "cannot open %s", full);
    *ret_fd = fd;
    return 0;
}

// The content of a small file, "" if it cannot be read: the controller is off, or the cgroup has just gone.
static void read_small(int cgroup_fd, const char *name, char *buffer, size_t size)
{
    _cleanup_close_ int fd = openat(cgroup_fd, name, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? 0 : read(fd, buffer, size - 1);
    buffer[n > 0 ? n : 0] = '\0';
}

// A number at p, or CGROUP_UNKNOWN ("max", nothing).
static uint64_t number_at(const char *p)
{
    char *end = NULL;
    errno = 0;
    if (!p || *p < '0' || *p > '9')
        return CGROUP_UNKNOWN;
    unsigned long long value = strtoull(p, &end, 10);
    return errno == 0 ? value : CGROUP_UNKNOWN;
}

// The value of "key value" on a line of its own.
static uint64_t keyed(const char *text, const char *key)
{
    size_t n = strlen(key);
    for (const char *line = text; line && *line; line = strchr(line, '\n'), line = line ? line + 1 : NULL)
        if (strncmp(line, key, n) == 0 && line[n] == ' ')
            return number_at(line + n + 1);
    return CGROUP_UNKNOWN;
}

static const struct {
    const char *file;
    const char *key; // NULL: the file is one number
    size_t offset;
} figures[] = {
    { "cpu.stat", "usage_usec", offsetof(struct cgroup_usage, cpu_usec) },
    { "cpu.weight", NULL, offsetof(struct cgroup_usage, cpu_weight) },
    { "memory.current", NULL, offsetof(struct cgroup_usage, memory_current) },
    { "memory.peak", NULL, offsetof(struct cgroup_usage, memory_peak) },
    { "memory.max", NULL, offsetof(struct cgroup_usage, memory_max) },
    { "memory.high", NULL, offsetof(struct cgroup_usage, memory_high) },
    { "memory.swap.max", NULL, offsetof(struct cgroup_usage, memory_swap_max) },
    { "memory.events", "oom_kill", offsetof(struct cgroup_usage, oom_kills) },
    { "pids.current", NULL, offsetof(struct cgroup_usage, tasks_current) },
    { "pids.max", NULL, offsetof(struct cgroup_usage, tasks_max) },
};

static void read_figures(int fd, struct cgroup_usage *u)
{
    char text[4096]; // cpu.stat and memory.events are a few hundred bytes
    for (size_t i = 0; i < ARRAY_SIZE(figures); i++) {
        read_small(fd, figures[i].file, text, sizeof(text));
        uint64_t value = figures[i].key ? keyed(text, figures[i].key) : number_at(text);
        memcpy((char *)u + figures[i].offset, &value, sizeof(value));
    }
}

// cpu.max: "50000 100000" or "max 100000".
static void read_quota(int fd, struct cgroup_usage *u)
{
    char text[128];
    read_small(fd, "cpu.max", text, sizeof(text));
    const char *space = strchr(text, ' ');
    u->cpu_quota_usec = number_at(text);
    u->cpu_period_usec = number_at(space ? space + 1 : NULL);
}

// io.stat: "8:0 rbytes=1 wbytes=2 rios=..." a line a device. No line yet means nothing was read or written.
static int read_io(int fd, struct cgroup_usage *u, struct error *err)
{
    _cleanup_close_ int io_fd = openat(fd, "io.stat", O_RDONLY | O_CLOEXEC);
    u->io_read_bytes = u->io_write_bytes = CGROUP_UNKNOWN;
    if (io_fd < 0)
        return 0;
    _cleanup_free_ char *text = NULL;
    size_t n = 0;
    int r = file_read_fd(io_fd, "io.stat", FILE_SIZE_MAX, &text, &n, err);
    if (r == -ENODEV) { // the cgroup has just gone
        error_clear(err);
        return 0;
    }
    if (r < 0)
        return r;
    u->io_read_bytes = u->io_write_bytes = 0;
    char *save = NULL;
    for (const char *word = strtok_r(text, " \n", &save); word; word = strtok_r(NULL, " \n", &save)) {
        uint64_t *sum = str_prefix(word, "rbytes=")   ? &u->io_read_bytes
                        : str_prefix(word, "wbytes=") ? &u->io_write_bytes
                                                      : NULL;
        uint64_t value = sum ? number_at(word + strlen("rbytes=")) : CGROUP_UNKNOWN;
        if (value != CGROUP_UNKNOWN)
            *sum += value;
    }
    return 0;
}

int cgroup_read_usage(const char *path, struct cgroup_usage *ret, struct error *err)
{
    _cleanup_close_ int fd = -1;
    int r = open_cgroup(path, &fd, err);
    if (r < 0)
        return r;
    struct cgroup_usage u = { .exists = fd >= 0 };
    if (u.exists) {
        read_figures(fd, &u);
        read_quota(fd, &u);
        r = read_io(fd, &u, err);
        if (r < 0)
            return error_wrap(err, r, "%s", path);
    }
    *ret = u;
    return 0;
}

int cgroup_id(const char *path, uint64_t *ret, struct error *err)
{
    _cleanup_close_ int fd = -1;
    int r = open_cgroup(path, &fd, err);
    if (r < 0)
        return r;
    struct stat st;
    if (fd < 0)
        return error_errno(err, ENOENT, "cgroup %s", path);
    if (fstat(fd, &st) < 0)
        return error_errno(err, errno, "cgroup %s", path);
    *ret = st.st_ino;
    return 0;
}

// Clock ticks after boot at which the process started (proc_pid_stat(5), field 22); CGROUP_UNKNOWN if it has
// ended.
static uint64_t start_ticks(const char *pid)
{
    char path[64];
    char text[1024];
    (void)snprintf(path, sizeof(path), "/proc/%.20s/stat", pid);
    read_small(AT_FDCWD, path, text, sizeof(text));
    const char *p = strrchr(text, ')'); // the name before it may hold anything
    for (int field = 2; p && field < 22; field++) {
        p = strchr(p, ' ');
        p = p ? p + 1 : NULL;
    }
    return number_at(p);
}

static int read_processes(const char *path, char **ret, struct error *err)
{
    _cleanup_close_ int fd = -1;
    int r = open_cgroup(path, &fd, err);
    if (r < 0)
        return r;
    _cleanup_close_ int procs_fd = fd < 0 ? -1 : openat(fd, "cgroup.procs", O_RDONLY | O_CLOEXEC);
    if (procs_fd < 0) {
        *ret = NULL;
        return 0;
    }
    size_t n = 0;
    r = file_read_fd(procs_fd, "cgroup.procs", PROCS_MAX, ret, &n, err);
    if (r != -ENODEV)
        return r < 0 ? error_wrap(err, r, "%s", path) : 0;
    error_clear(err); // the cgroup has just gone
    *ret = NULL;
    return 0;
}

int cgroup_oldest_process(const char *path, pid_t *ret_pid, uint64_t *ret_start_usec, struct error *err)
{
    _cleanup_free_ char *pids = NULL;
    int r = read_processes(path, &pids, err);
    if (r < 0)
        return r;
    pid_t oldest = 0;
    uint64_t oldest_ticks = CGROUP_UNKNOWN;
    char *save = NULL;
    for (const char *pid = pids ? strtok_r(pids, "\n", &save) : NULL; pid;
         pid = strtok_r(NULL, "\n", &save)) {
        uint64_t ticks = start_ticks(pid);
        if (ticks < oldest_ticks) {
            oldest_ticks = ticks;
            oldest = (pid_t)number_at(pid);
        }
    }
    *ret_pid = oldest;
    *ret_start_usec = 0;
    if (oldest) {
        uint64_t since_boot = oldest_ticks * USEC_PER_SEC / (uint64_t)sysconf(_SC_CLK_TCK);
        *ret_start_usec = clock_usec(CLOCK_REALTIME) - clock_usec(CLOCK_BOOTTIME) + since_boot;
    }
    return 0;
}
