// The kernel's clocks in microseconds.
#pragma once

#include <stdint.h>
#include <time.h>

#include "base/number.h"

// clock: CLOCK_REALTIME, CLOCK_MONOTONIC, CLOCK_BOOTTIME; none of them can fail (clock_gettime(2)).
static inline uint64_t clock_usec(clockid_t clock)
{
    struct timespec now = { 0 };
    (void)clock_gettime(clock, &now);
    return (uint64_t)now.tv_sec * USEC_PER_SEC + (uint64_t)now.tv_nsec / 1000;
}
