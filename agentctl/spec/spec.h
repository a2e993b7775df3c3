// The agent's spec: everything about an agent, as written in its .agent file. One struct for a file alone,
// for a template and for the effective spec (conf defaults <- templates <- file). Pure: reads no file.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/address.h"
#include "base/error.h"
#include "base/text.h"

enum mode { MODE_UNRESTRICTED, MODE_MINIMAL, MODE_STANDARD, MODE_MAXIMUM, MODE_COUNT };
enum egress { EGRESS_NONE, EGRESS_LIST, EGRESS_PUBLIC, EGRESS_OPEN, EGRESS_COUNT };
enum loopback { LOOPBACK_OWN, LOOPBACK_NONE, LOOPBACK_HOST, LOOPBACK_COUNT };
enum restart { RESTART_NO, RESTART_ON_FAILURE, RESTART_ON_ABNORMAL, RESTART_ALWAYS, RESTART_COUNT };

const char *mode_name(enum mode m);         // "standard"
const char *egress_name(enum egress e);     // "public"
const char *loopback_name(enum loopback l); // "own"
const char *restart_name(enum restart r);   // "on-failure", systemd's words

// BindPaths= and BindReadOnlyPaths=: SOURCE[:DESTINATION]. destination is never NULL (the source by default).
struct bind {
    char *source, *destination;
};

struct bind_list {
    struct bind *items;
    size_t count;
};

struct endpoint_list {
    struct endpoint *items;
    size_t count;
};

// IORead/WriteBandwidthMax=, IORead/WriteIOPSMax=: DEVICE-OR-PATH VALUE.
struct io_limit {
    char *path;
    uint64_t value; // bytes or operations a second
};

struct io_limit_list {
    struct io_limit *items;
    size_t count;
};

// CPUQuota= is hundredths of a percent of one CPU. Sizes are bytes, durations microseconds. LIMIT_INFINITY is
// "no limit". TasksMax is a count: percentages of a host's total are refused (systemd loses them on reload).
struct spec {
    // [Agent]
    char *description;
    char *template_name;
    enum mode mode;
    // [Service]
    struct strv command; // argv; never expanded
    char *working_directory;
    struct strv environment; // NAME=value; public on this host
    enum restart restart;
    uint64_t restart_usec;
    uint64_t restart_steps; // 0: constant interval
    uint64_t restart_max_delay_usec;
    uint64_t start_limit_burst;
    uint64_t start_limit_interval_usec;
    uint64_t runtime_max_usec;
    uint64_t timeout_stop_usec;
    bool jit;
    // [Resources]
    uint64_t cpu_quota;  // LIMIT_INFINITY: none
    uint64_t cpu_weight; // 1..10000
    uint64_t memory_max, memory_high, memory_swap_max;
    uint64_t tasks_max;
    uint64_t io_weight; // 1..10000
    struct io_limit_list io_read_bandwidth_max, io_write_bandwidth_max, io_read_iops_max, io_write_iops_max;
    // [Filesystem]
    struct bind_list bind_paths, bind_read_only_paths;
    struct strv inaccessible_paths, read_only_paths, exec_paths;
    // [Network]
    enum egress egress;
    struct endpoint_list allow;
    enum loopback loopback;

    uint64_t assigned; // bit i: key i of the key table was given a value here
    uint64_t reset;    // bit i: a list was emptied here ("Key=") before what stands in it; merging replaces
};

// Egress= has a default that depends on Mode= (egress_default()). It is applied by spec_new(), spec_parse(),
// spec_assign() and spec_merge() themselves, so s->egress is always the effective value.
enum egress egress_default(enum mode m);

struct spec *
spec_new(void); // nothing assigned, every field at the key table's default; NULL on out of memory
struct spec *spec_free(struct spec *s);
DEFINE_CLEANUP(struct spec, spec_free)
#define _cleanup_spec_ _cleanup_(spec_freep)

// Parses text, adding to what s holds (repeated keys of lists add, an empty value resets). file names it in
// errors. All problems are reported in one go, a line each: "file:line: [Section] Key=: cause". On failure s
// is unspecified but can be freed. n is the length: text may hold NUL bytes, which are refused. An empty
// value gives a scalar its default back.
int spec_parse(struct spec *s, const char *file, const char *text, size_t n, struct error *err) _must_check_;

// Assigns one key as a line of a spec would. name is "Section.Key", an option of the key table ("memory") or
// a key alone ("MemoryMax"). err: "cause" wrapped with the option or key as the user wrote it; a misspelt one
// gets its nearest name. On failure s is unchanged.
int spec_assign(struct spec *s, const char *name, const char *value, struct error *err) _must_check_;

// Lays over on top of base: scalars that over assigns replace, lists add unless over resets them.
int spec_merge(struct spec *base, const struct spec *over, struct error *err) _must_check_;

// Checks what no single line can: contradictions between keys of an effective spec (an Allow= that
// Egress=open makes meaningless is fine; MemoryHigh= above MemoryMax=, no Command= ... is not), and what
// would hand the host over: binds of system directories, of container engines' sockets, of other agents'
// workspaces (below /var/lib/agents). name: the agent. All problems in one go, a line each: "agent NAME:
// [Section] Key=: cause".
int spec_check(const struct spec *s, const char *name, struct error *err) _must_check_;

// True for what an argument of Command= may hold: UTF-8 text, newlines, tabs and other ASCII control
// characters (written as escapes) included, C1 control characters not.
bool spec_argument_valid(const char *word) _pure_;

// The canonical text of what s assigns: sections and keys in the table's order, one value a line for lists.
// parse(dump(x)) = x. The caller frees; NULL on out of memory.
char *spec_dump(const struct spec *s) _must_check_;

bool spec_equal(const struct spec *a, const struct spec *b);

// One line of a file in systemd's syntax, for readers of other files (agentctl.conf, the launch file).
// The lexer joins continuation lines (trailing backslash, which becomes a space), skips comments (# ;) and
// blank lines, trims white space and turns tabs into spaces. Control characters and invalid UTF-8 are refused
// everywhere, comments included.
struct spec_line {
    unsigned number;         // of the first physical line, from 1
    const char *section;     // borrowed until the next call; NULL before the first header
    const char *key, *value; // both NULL: this line is the header of section
};

#define SPEC_LINE_MAX (128 * 1024) // bytes, continuation lines joined
#define SPEC_PROBLEMS_MAX 50       // then reading stops

// Calls each(line, userdata) for every header and assignment. each returns 0, 1 if it has added a problem to
// err, or negative to stop at once. Syntax errors are added to err and lexing goes on; the return value is
// then -EINVAL.
int spec_lex(const char *file, const char *text, size_t n,
             int (*each)(const struct spec_line *line, void *userdata), void *userdata,
             struct error *err) _must_check_;

// What spec_parse() does with one line, for files that hold a spec beside sections of their own.
int spec_parse_line(struct spec *s, const char *file, const struct spec_line *line,
                    struct error *err) _must_check_;
