// THE key table. Adding a key is adding a row here and a field in struct spec; nothing else names keys one by
// one. A row must never stand here before the release enforces it.
#include "spec/key.h"

#include <string.h>

#include "base/number.h"
#include "base/text.h"
#include "spec/values.h"

static const char *const mode_words[] = { "unrestricted", "minimal", "standard", "maximum", NULL };
static const char *const egress_words[] = { "none", "list", "public", "open", NULL };
static const char *const loopback_words[] = { "own", "none", "host", NULL };
static const char *const restart_words[] = { "no", "on-failure", "on-abnormal", "always", NULL };

_Static_assert(ARRAY_SIZE(mode_words) == MODE_COUNT + 1, "a word for each mode");
_Static_assert(ARRAY_SIZE(egress_words) == EGRESS_COUNT + 1, "a word for each egress");
_Static_assert(ARRAY_SIZE(loopback_words) == LOOPBACK_COUNT + 1, "a word for each loopback");
_Static_assert(ARRAY_SIZE(restart_words) == RESTART_COUNT + 1, "a word for each restart");

const char *mode_name(enum mode m)
{
    return mode_words[m];
}

const char *egress_name(enum egress e)
{
    return egress_words[e];
}

const char *loopback_name(enum loopback l)
{
    return loopback_words[l];
}

const char *restart_name(enum restart r)
{
    return restart_words[r];
}

#define FIELD(f) .offset = offsetof(struct spec, f)
#define MSEC USEC_PER_MSEC
#define SEC USEC_PER_SEC
#define MIB (UINT64_C(1) << 20)

#define RATE_DOC                                                                                             \
    " As PATH VALUE: a path on the file system or its device, and a number a second with K, M, G or T to "   \
    "the base "                                                                                              \
    "1000. Repeated lines add; a line for the same path replaces the earlier one. Needs the io controller "  \
    "of the "                                                                                                \
    "control group."

const struct key spec_keys[] = {
    { .section = "Agent",
      .name = "Description",
      .type = &value_string,
      FIELD(description),
      .max = 1024,
      .option = "description",
      .help = "what the agent is for, in one line",
      .doc = "What the agent is for, in one line of at most 1024 bytes. Shown by status and in the unit." },
    { .section = "Agent",
      .name = "Template",
      .type = &value_template,
      FIELD(template_name),
      .max = 64,
      .option = "template",
      .help = "the template that this spec builds on",
      .doc = "The template that this spec builds on: NAME.agent in /etc/agentctl/templates, or else as "
             "installed. What "
             "the spec assigns replaces what the template does; lists add to the template's, unless an empty "
             "assignment comes first. Templates may build on templates." },
    { .section = "Agent",
      .name = "Mode",
      .type = &value_choice,
      FIELD(mode),
      .choices = mode_words,
      .fallback = "standard",
      .option = "mode",
      .help = "how much of the isolation is on",
      .doc = "How much of the isolation is on: minimal, standard or maximum. unrestricted leaves only the "
             "agent's own "
             "user and its limits; it is meant for agents that have a machine to themselves." },

    { .section = "Service",
      .name = "Command",
      .type = &value_command,
      FIELD(command),
      .help = "the program and its arguments",
      .doc = "The program, as an absolute path, and its arguments. Quotes and C escapes as in systemd; "
             "nothing is "
             "expanded, neither $ nor %. The last assignment counts." },
    { .section = "Service",
      .name = "WorkingDirectory",
      .type = &value_path,
      FIELD(working_directory),
      .option = "workdir",
      .help = "the directory to start in",
      .doc = "The directory to start in, an absolute path. The default is the agent's own work directory." },
    { .section = "Service",
      .name = "Environment",
      .type = &value_environment,
      FIELD(environment),
      .option = "env",
      .help = "environment variables; every user of the host can read them",
      .doc =
          "Environment variables as NAME=value, several to a line if needed, with quotes around values that "
          "hold "
          "spaces. Every user of the host can read them: secrets do not belong here. Variables that steer "
          "the dynamic "
          "linker (LD_*) are refused, because the launcher would obey them before it confines the agent." },
    { .section = "Service",
      .name = "Restart",
      .type = &value_choice,
      FIELD(restart),
      .choices = restart_words,
      .fallback = "on-failure",
      .option = "restart",
      .help = "when to start it again",
      .doc = "When systemd starts the agent again after it ended: no, on-failure, on-abnormal or always, "
             "with systemd's "
             "meaning. Always bounded by StartLimitBurst=." },
    { .section = "Service",
      .name = "RestartSec",
      .type = &value_duration,
      FIELD(restart_usec),
      .fallback = "1s",
      .min = 100 * MSEC,
      .max = 86400 * SEC,
      .help = "how long to wait before a restart",
      .doc = "How long to wait before a restart, from 100ms to 1d." },
    { .section = "Service",
      .name = "RestartSteps",
      .type = &value_number,
      FIELD(restart_steps),
      .fallback = "0",
      .min = 0,
      .max = 100,
      .help = "in how many steps the wait grows to RestartMaxDelaySec= (systemd 254)",
      .doc = "In how many steps the wait before a restart grows from RestartSec= to RestartMaxDelaySec=; 0 "
             "keeps it "
             "constant. Needs systemd 254 or later; an older one waits RestartSec= each time." },
    { .section = "Service",
      .name = "RestartMaxDelaySec",
      .type = &value_duration,
      FIELD(restart_max_delay_usec),
      .fallback = "infinity",
      .min = 100 * MSEC,
      .max = LIMIT_INFINITY,
      .help = "the longest wait before a restart (systemd 254)",
      .doc = "The longest wait before a restart; goes together with RestartSteps=. Needs systemd 254 or "
             "later." },
    { .section = "Service",
      .name = "StartLimitBurst",
      .type = &value_number,
      FIELD(start_limit_burst),
      .fallback = "5",
      .min = 1,
      .max = 1000,
      .help = "how many starts are allowed within StartLimitIntervalSec=",
      .doc = "How many starts are allowed within StartLimitIntervalSec=; one more, and the agent stays "
             "failed." },
    { .section = "Service",
      .name = "StartLimitIntervalSec",
      .type = &value_duration,
      FIELD(start_limit_interval_usec),
      .fallback = "1min",
      .min = SEC,
      .max = 30 * 86400 * SEC,
      .help = "the time in which StartLimitBurst= counts starts",
      .doc = "The time in which StartLimitBurst= counts starts, from 1s to 30d. The bound cannot be switched "
             "off." },
    { .section = "Service",
      .name = "RuntimeMaxSec",
      .type = &value_duration,
      FIELD(runtime_max_usec),
      .fallback = "infinity",
      .min = SEC,
      .max = LIMIT_INFINITY,
      .option = "runtime-max",
      .help = "how long it may run before it is ended",
      .doc = "How long the agent may run; then it is ended and counts as failed. At least 1s." },
    { .section = "Service",
      .name = "TimeoutStopSec",
      .type = &value_duration,
      FIELD(timeout_stop_usec),
      .fallback = "10s",
      .min = 100 * MSEC,
      .max = 3600 * SEC,
      .help = "how long it has to end before it is killed",
      .doc = "How long the agent has to end when it is told to, before everything of it is killed; at most "
             "1h." },
    { .section = "Service",
      .name = "Jit",
      .type = &value_boolean,
      FIELD(jit),
      .fallback = "no",
      .option = "jit",
      .help = "allow memory that is writable and executable (Mode=maximum)",
      .doc = "Allows memory that is writable and executable, which Mode=maximum denies otherwise. Programs "
             "that compile "
             "while they run, like node, do not start without it." },

    { .section = "Resources",
      .name = "CPUQuota",
      .type = &value_percent,
      FIELD(cpu_quota),
      .fallback = "infinity",
      .min = 100,
      .max = 100 * 1000000,
      .option = "cpu",
      .help = "processor time, in percent of one processor",
      .doc = "Processor time that the agent gets at most, in whole percent of one processor: 250% is two and "
             "a half. "
             "Fractions are refused, because systemd loses them at daemon-reload." },
    { .section = "Resources",
      .name = "CPUWeight",
      .type = &value_number,
      FIELD(cpu_weight),
      .fallback = "100",
      .min = 1,
      .max = 10000,
      .option = "cpu-weight",
      .help = "share of the processors when they are busy",
      .doc = "The agent's share of the processors when they are busy, against the weights of the other "
             "agents: 1 to "
             "10000." },
    { .section = "Resources",
      .name = "MemoryMax",
      .type = &value_size,
      FIELD(memory_max),
      .fallback = "2G",
      .min = MIB,
      .max = LIMIT_INFINITY,
      .option = "memory",
      .help = "the most memory it may use",
      .doc = "The most memory that the agent, all its processes together, may use; beyond it the kernel "
             "kills. K, M, G, "
             "T to the base 1024, or infinity. Percentages are refused." },
    { .section = "Resources",
      .name = "MemoryHigh",
      .type = &value_size,
      FIELD(memory_high),
      .fallback = "infinity",
      .min = MIB,
      .max = LIMIT_INFINITY,
      .option = "memory-high",
      .help = "memory above which it is slowed down",
      .doc = "Memory above which the agent is slowed down and its memory taken back; not above MemoryMax=." },
    { .section = "Resources",
      .name = "MemorySwapMax",
      .type = &value_size,
      FIELD(memory_swap_max),
      .fallback = "0",
      .min = 0,
      .max = LIMIT_INFINITY,
      .option = "swap",
      .help = "the most swap it may use",
      .doc =
          "The most swap that the agent may use; none by default, so that MemoryMax= means what it says." },
    { .section = "Resources",
      .name = "TasksMax",
      .type = &value_number,
      FIELD(tasks_max),
      .fallback = "512",
      .min = 1,
      .max = LIMIT_INFINITY,
      .option = "tasks",
      .help = "the most processes and threads",
      .doc = "The most processes and threads that the agent may have, as a count or infinity. Percentages "
             "are refused, "
             "because systemd loses them at daemon-reload." },
    { .section = "Resources",
      .name = "IOWeight",
      .type = &value_number,
      FIELD(io_weight),
      .fallback = "100",
      .min = 1,
      .max = 10000,
      .help = "share of the disks when they are busy",
      .doc = "The agent's share of the disks when they are busy, against the weights of the other agents: 1 "
             "to 10000. "
             "Needs the io controller of the control group and a scheduler that obeys it." },
    { .section = "Resources",
      .name = "IOReadBandwidthMax",
      .type = &value_limits,
      FIELD(io_read_bandwidth_max),
      .help = "bytes a second that it may read from a disk",
      .doc = "Bytes a second that the agent may read from a disk." RATE_DOC },
    { .section = "Resources",
      .name = "IOWriteBandwidthMax",
      .type = &value_limits,
      FIELD(io_write_bandwidth_max),
      .help = "bytes a second that it may write to a disk",
      .doc = "Bytes a second that the agent may write to a disk." RATE_DOC },
    { .section = "Resources",
      .name = "IOReadIOPSMax",
      .type = &value_limits,
      FIELD(io_read_iops_max),
      .help = "read operations a second on a disk",
      .doc = "Read operations a second that the agent may make on a disk." RATE_DOC },
    { .section = "Resources",
      .name = "IOWriteIOPSMax",
      .type = &value_limits,
      FIELD(io_write_iops_max),
      .help = "write operations a second on a disk",
      .doc = "Write operations a second that the agent may make on a disk." RATE_DOC },

    { .section = "Filesystem",
      .name = "BindPaths",
      .type = &value_binds,
      FIELD(bind_paths),
      .option = "bind",
      .help = "directories or files of the host that it may write",
      .doc = "Directories or files of the host that appear in the agent's view, writable as far as its user "
             "may write "
             "them: SOURCE or SOURCE:DESTINATION. Refused for what would hand over the host: system "
             "directories, "
             "container engines' sockets, other agents' workspaces." },
    { .section = "Filesystem",
      .name = "BindReadOnlyPaths",
      .type = &value_binds,
      FIELD(bind_read_only_paths),
      .option = "bind-ro",
      .help = "directories or files of the host that it may read",
      .doc = "The same as BindPaths=, read-only. A socket can still be connected to, so the same sockets are "
             "refused." },
    { .section = "Filesystem",
      .name = "InaccessiblePaths",
      .type = &value_paths,
      FIELD(inaccessible_paths),
      .help = "paths that it may not see into",
      .doc = "Paths that the agent may neither read, write nor list." },
    { .section = "Filesystem",
      .name = "ReadOnlyPaths",
      .type = &value_paths,
      FIELD(read_only_paths),
      .help = "paths that it may not write",
      .doc = "Paths that the agent may read and not write, whatever their permissions say." },
    { .section = "Filesystem",
      .name = "ExecPaths",
      .type = &value_paths,
      FIELD(exec_paths),
      .help = "further paths that it may execute programs from (Mode=maximum)",
      .doc = "Further paths that the agent may execute programs from where the mode closes all but the "
             "system's own "
             "(Mode=maximum)." },

    { .section = "Network",
      .name = "Egress",
      .type = &value_choice,
      FIELD(egress),
      .choices = egress_words,
      .option = "egress",
      .help = "where it may connect to",
      .doc =
          "Where the agent may connect to: none (no network at all), list (only Allow=), public (public "
          "addresses on "
          "TCP ports 80 and 443, and Allow=) or open (anything but private, link-local and this host's own "
          "addresses, and Allow=). The default depends on Mode=: unrestricted and minimal open, standard "
          "public, "
          "maximum list." },
    { .section = "Network",
      .name = "Allow",
      .type = &value_endpoints,
      FIELD(allow),
      .option = "allow",
      .help = "addresses that it may connect to",
      .doc = "Addresses or prefixes that the agent may connect to, several to a line if needed: "
             "ADDRESS[/LENGTH][:PORTS][/PROTOCOL], as 198.51.100.7:443, [2001:db8::]/32:80,8000-8010 or "
             "10.0.0.5:53/udp. Without ports every port; without a protocol tcp if there are ports, else tcp "
             "and udp. "
             "Private addresses and this host's own are opened only by an entry for that very place. Host "
             "names are "
             "not supported yet." },
    { .section = "Network",
      .name = "Loopback",
      .type = &value_choice,
      FIELD(loopback),
      .choices = loopback_words,
      .fallback = "own",
      .option = "loopback",
      .help = "which servers on 127.0.0.1 and ::1 it reaches",
      .doc = "Which servers on 127.0.0.1 and ::1 the agent reaches: its own, none, or the host's (host)." },
};

const size_t spec_key_count = ARRAY_SIZE(spec_keys);
_Static_assert(ARRAY_SIZE(spec_keys) <= 64, "struct spec holds a bit for each key");

const struct key *key_find(const char *section, const char *name)
{
    for (size_t i = 0; i < spec_key_count; i++)
        if (str_equal(spec_keys[i].section, section) && str_equal(spec_keys[i].name, name))
            return &spec_keys[i];
    return NULL;
}

const struct key *key_find_option(const char *option)
{
    for (size_t i = 0; i < spec_key_count; i++)
        if (spec_keys[i].option && str_equal(spec_keys[i].option, option))
            return &spec_keys[i];
    return NULL;
}

const struct key *key_find_name(const char *name)
{
    for (size_t i = 0; i < spec_key_count; i++)
        if (str_equal(spec_keys[i].name, name))
            return &spec_keys[i];
    return NULL;
}

bool key_is_section(const char *section)
{
    for (size_t i = 0; i < spec_key_count; i++)
        if (str_equal(spec_keys[i].section, section))
            return true;
    return false;
}

size_t key_index(const struct key *key)
{
    return (size_t)(key - spec_keys);
}
