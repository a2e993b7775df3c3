// The limits of an agent: as its spec wants them and as the kernel holds them.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "spec/spec.h"
#include "sys/cgroup.h"

// Both values in the same unit; LIMIT_INFINITY is none.
struct limit {
    const char *key; // of the spec: "MemoryMax"
    uint64_t wanted, kernel;
    enum { LIMIT_SIZE, LIMIT_COUNT, LIMIT_PERCENT } kind;
    bool same; // allowing for the kernel's rounding
};
#define LIMITS_COUNT 6

void limits_of(const struct spec *spec, const struct cgroup_usage *usage, struct limit ret[LIMITS_COUNT]);
// The value as a spec would write it, "none" for LIMIT_INFINITY.
void limit_text(const struct limit *l, uint64_t value, char *buf, size_t size);
// systemd takes a limit of a device that there is not, and only warns: every path must be a block device, or
// lie on one. err names the key.
int limits_check_devices(const struct spec *spec, struct error *err) _must_check_;
// The first limit that the kernel does not hold as wanted, or NULL.
const struct limit *limits_find_different(const struct limit limits[LIMITS_COUNT]);
