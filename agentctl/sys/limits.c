// Compares limits, and looks at the devices that they name. Changes nothing.
#include "sys/limits.h"

#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/number.h"

// The kernel keeps memory limits in whole pages.
static bool same_size(uint64_t wanted, uint64_t kernel)
{
    uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE);
    return wanted == kernel ||
           (wanted != LIMIT_INFINITY && kernel != LIMIT_INFINITY && wanted / page == kernel / page);
}

static uint64_t kernel_quota(const struct cgroup_usage *u)
{
    if (u->cpu_quota_usec == CGROUP_UNKNOWN || u->cpu_period_usec == CGROUP_UNKNOWN ||
        u->cpu_period_usec == 0)
        return LIMIT_INFINITY;
    return (u->cpu_quota_usec * 10000 + u->cpu_period_usec / 2) / u->cpu_period_usec;
}

void limits_of(const struct spec *s, const struct cgroup_usage *u, struct limit ret[LIMITS_COUNT])
{
    const struct limit limits[LIMITS_COUNT] = {
        { "CPUQuota", s->cpu_quota, kernel_quota(u), LIMIT_PERCENT, false },
        { "CPUWeight", s->cpu_weight, u->cpu_weight, LIMIT_COUNT, false },
        { "MemoryMax", s->memory_max, u->memory_max, LIMIT_SIZE, false },
        { "MemoryHigh", s->memory_high, u->memory_high, LIMIT_SIZE, false },
        { "MemorySwapMax", s->memory_swap_max, u->memory_swap_max, LIMIT_SIZE, false },
        { "TasksMax", s->tasks_max, u->tasks_max, LIMIT_COUNT, false },
    };
    for (size_t i = 0; i < LIMITS_COUNT; i++) {
        ret[i] = limits[i];
        ret[i].same = ret[i].kind == LIMIT_SIZE ? same_size(ret[i].wanted, ret[i].kernel)
                                                : ret[i].wanted == ret[i].kernel;
    }
}

void limit_text(const struct limit *l, uint64_t value, char *buf, size_t size)
{
    char text[NUMBER_TEXT_MAX] = "none";
    if (value == LIMIT_INFINITY)
        ;
    else if (l->kind == LIMIT_SIZE)
        format_size_short(value, text);
    else if (l->kind == LIMIT_PERCENT)
        format_percent(value, text);
    else
        (void)snprintf(text, sizeof(text), "%llu", (unsigned long long)value);
    (void)snprintf(buf, size, "%s", text);
}

const struct limit *limits_find_different(const struct limit limits[LIMITS_COUNT])
{
    for (size_t i = 0; i < LIMITS_COUNT; i++)
        if (!limits[i].same)
            return &limits[i];
    return NULL;
}

// A file system without a device of its own (tmpfs, overlay, btrfs) has the major number 0.
static int check_device(const char *key, const char *path, struct error *err)
{
    struct stat st;
    if (stat(path, &st) < 0)
        return error_errno(err, errno, "%s=%s", key, path);
    if (!S_ISBLK(st.st_mode) && major(st.st_dev) == 0)
        return error_set(err, ENODEV, "%s=%s: neither a block device nor on one", key, path);
    return 0;
}

int limits_check_devices(const struct spec *spec, struct error *err)
{
    const struct {
        const char *key;
        const struct io_limit_list *limits;
    } keys[] = {
        { "IOReadBandwidthMax", &spec->io_read_bandwidth_max },
        { "IOWriteBandwidthMax", &spec->io_write_bandwidth_max },
        { "IOReadIOPSMax", &spec->io_read_iops_max },
        { "IOWriteIOPSMax", &spec->io_write_iops_max },
    };
    for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
        for (size_t j = 0; j < keys[i].limits->count; j++) {
            int r = check_device(keys[i].key, keys[i].limits->items[j].path, err);
            if (r < 0)
                return r;
        }
    return 0;
}
