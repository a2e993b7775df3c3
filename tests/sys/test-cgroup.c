// Figures of a cgroup, from files as the kernel writes them.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "harness.h"

#include "base/number.h"
#include "sys/cgroup.h"

#define PATH "agents.slice/agents-coder.slice"
#define DIRECTORY "/sys/fs/cgroup/" PATH

static void cover(void)
{
    mount_tmpfs("/sys", "mode=0755");
    make_directory("/sys/fs/cgroup", 0755);
}

static struct cgroup_usage usage(void)
{
    struct cgroup_usage u = { 0 };
    CHECK_OK(cgroup_read_usage(PATH, &u, &err));
    return u;
}

static void absent(void)
{
    uint64_t id = 0;
    pid_t pid = 1;
    uint64_t start = 1;
    cover();
    CHECK(!usage().exists);
    CHECK_FAILS(cgroup_id(PATH, &id, &err), "cgroup " PATH ": No such file or directory");
    CHECK_OK(cgroup_oldest_process(PATH, &pid, &start, &err));
    CHECK(pid == 0 && start == 0);
}

static void without_controllers(void)
{
    cover();
    make_directory(DIRECTORY, 0755);
    struct cgroup_usage u = usage();
    CHECK(u.exists && u.cpu_usec == CGROUP_UNKNOWN && u.memory_current == CGROUP_UNKNOWN);
    CHECK(u.memory_max == CGROUP_UNKNOWN && u.tasks_max == CGROUP_UNKNOWN &&
          u.cpu_quota_usec == CGROUP_UNKNOWN);
    CHECK(u.cpu_period_usec == CGROUP_UNKNOWN && u.io_read_bytes == CGROUP_UNKNOWN &&
          u.oom_kills == CGROUP_UNKNOWN);
}

static const struct {
    const char *file, *text;
} figures[] = {
    { "cpu.stat", "usage_usec 1234567\nuser_usec 1000000\nsystem_usec 234567\n" },
    { "cpu.weight", "50\n" },
    { "cpu.max", "50000 100000\n" },
    { "memory.current", "4096\n" },
    { "memory.peak", "8192\n" },
    { "memory.max", "536870912\n" },
    { "memory.high", "max\n" },
    { "memory.swap.max", "0\n" },
    { "memory.events", "low 0\nhigh 7\nmax 3\noom 2\noom_kill 1\noom_group_kill 9\n" },
    { "pids.current", "3\n" },
    { "pids.max", "256\n" },
    { "io.stat",
      "8:0 rbytes=100 wbytes=20 rios=1 wios=1 dbytes=5 dios=0\n252:1 rbytes=1000 wbytes=200 rios=1\n" },
};

static void put_figures(void)
{
    make_directory(DIRECTORY, 0755);
    for (size_t i = 0; i < ARRAY_SIZE(figures); i++) {
        char path[256];
        (void)snprintf(path, sizeof(path), DIRECTORY "/%s", figures[i].file);
        put_file(path, figures[i].text, 0644);
    }
}

static void all_figures(void)
{
    cover();
    put_figures();
    struct cgroup_usage u = usage();
    CHECK(u.cpu_usec == 1234567 && u.cpu_weight == 50);
    CHECK(u.cpu_quota_usec == 50000 && u.cpu_period_usec == 100000);
    CHECK(u.memory_current == 4096 && u.memory_peak == 8192 && u.memory_max == 536870912);
    CHECK(u.memory_high == CGROUP_UNKNOWN && u.memory_swap_max == 0 && u.oom_kills == 1);
    CHECK(u.tasks_current == 3 && u.tasks_max == 256);
    CHECK(u.io_read_bytes == 1100 && u.io_write_bytes == 220);
    put_file(DIRECTORY "/cpu.max", "max 100000\n", 0644);
    put_file(DIRECTORY "/io.stat", "", 0644);
    put_file(DIRECTORY "/memory.current", "what\n", 0644);
    u = usage();
    CHECK(u.cpu_quota_usec == CGROUP_UNKNOWN && u.cpu_period_usec == 100000);
    CHECK(u.io_read_bytes == 0 && u.io_write_bytes == 0 && u.memory_current == CGROUP_UNKNOWN);
}

static void id(void)
{
    struct stat st;
    uint64_t cgroup = 0;
    cover();
    make_directory(DIRECTORY, 0755);
    CHECK_OK(cgroup_id(PATH, &cgroup, &err));
    CHECK(stat(DIRECTORY, &st) == 0 && st.st_ino == cgroup);
}

static void oldest_process(void)
{
    char text[128];
    pid_t pid = 0;
    uint64_t start = 0;
    cover();
    make_directory(DIRECTORY, 0755);
    put_file(DIRECTORY "/cgroup.procs", "", 0644);
    CHECK_OK(cgroup_oldest_process(PATH, &pid, &start, &err));
    CHECK(pid == 0);
    pid_t child = fork();
    if (child == 0)
        for (;;)
            (void)pause();
    (void)snprintf(text, sizeof(text), "%d\n999999\n1\n", child); // 1 has lived longer, 999999 has ended
    put_file(DIRECTORY "/cgroup.procs", text, 0644);
    CHECK_OK(cgroup_oldest_process(PATH, &pid, &start, &err));
    CHECK(pid == 1);
    uint64_t now = (uint64_t)time(NULL);
    CHECK(start / USEC_PER_SEC <= now + 1 && start / USEC_PER_SEC + 60 >= now);
}

const struct test cgroup_tests[] = {
    { "a cgroup that is not there is no error", absent },
    { "what no controller says is unknown", without_controllers },
    { "every figure is read, max is unknown, devices are summed", all_figures },
    { "the id is the directory's inode", id },
    { "the oldest process and its start are found", oldest_process },
    { NULL, NULL },
};
