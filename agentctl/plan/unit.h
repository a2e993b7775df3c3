// The unit property table: mode, spec and host -> the properties of an agent's service and slice. One typed
// list that the D-Bus message and the unit-file text are both made from. Pure.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/address.h"
#include "base/error.h"
#include "base/text.h"
#include "plan/host.h"
#include "plan/names.h"
#include "spec/spec.h"

// The D-Bus signature and unit-file form of a property's value.
enum property_type {
    PROPERTY_STRING,       // s
    PROPERTY_BOOLEAN,      // b
    PROPERTY_UINT64,       // t; LIMIT_INFINITY is written "infinity"
    PROPERTY_UINT32,       // u
    PROPERTY_INT32,        // i
    PROPERTY_USEC,         // t in microseconds, whole milliseconds: systemd drops the rest at a daemon-reload
    PROPERTY_QUOTA,        // t in microseconds of CPU time a second; "50%" in a unit file
    PROPERTY_FILE_MODE,    // u; octal in a unit file
    PROPERTY_ERRNO,        // i; a name in a unit file
    PROPERTY_CAPABILITIES, // t; only the empty set
    PROPERTY_NAMESPACES,   // t: CLONE_NEW* that stay allowed; names in a unit file
    PROPERTY_STRINGS,      // as
    PROPERTY_SET,          // (bas): allow-list (true) or deny-list
    PROPERTY_EXEC,         // a(sasb): one command line
    PROPERTY_BINDS,        // a(ssbt), recursive; a source that begins with '-' may be absent
    PROPERTY_STRING_PAIRS, // a(ss)
    PROPERTY_PREFIXES,     // a(iayu)
    PROPERTY_DEVICE_LIMITS, // a(st)
    PROPERTY_TYPE_COUNT,
};

struct property {
    const char *name;     // D-Bus name: "CPUQuotaPerSecUSec"
    const char *unit_key; // unit-file key: "CPUQuota"
    const char *section;  // "Unit", "Service", "Slice"
    enum property_type type;
    bool live;         // can be changed while the unit runs
    const char *layer; // "process", "filesystem", "syscall", "network", or NULL: not isolation
    union {
        char *string;
        bool boolean;
        uint64_t number;
        struct {
            bool allow;
            struct strv items;
        } set;
        struct strv strings; // PROPERTY_EXEC: argv; PROPERTY_STRING_PAIRS: first, second, first, second ...
        struct bind_list binds;
        struct io_limit_list limits;
        struct {
            struct prefix *items;
            size_t count;
        } prefixes;
    };
};

// What the mode wants and does not get, shown in status: a property that this host can't give and the mode
// does not require, or a mechanism that is not systemd's and that the launcher does not have.
struct absent_property {
    char *name;
    const char *layer;
    char *reason;  // "this systemd is built without BPF_FRAMEWORK and would ignore it"
    bool required; // the mode is not complete without it; only mechanisms of the launcher get here
};

struct unit {
    char *name;
    struct property *properties;
    size_t count;
    struct absent_property *absent;
    size_t absent_count;
};

void unit_clear(struct unit *u);
#define _cleanup_unit_ _cleanup_(unit_clear)

// What the units of one agent are made from. All borrowed.
struct unit_input {
    const struct agent_names *names;
    const struct spec *spec; // effective and checked
    const struct host *host;
    const char *launcher; // absolute path of the launcher
};

// The service: refused (-EOPNOTSUPP, naming property and reason) if the mode requires a property that the
// host lacks, and with ERROR_USAGE if a value of the spec would not survive a daemon-reload of this systemd.
// err names the key; the caller wraps it with the agent.
int unit_build_service(const struct unit_input *input, struct unit *ret, struct error *err) _must_check_;
int unit_build_slice(const struct unit_input *input, struct unit *ret, struct error *err) _must_check_;
