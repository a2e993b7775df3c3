// THE property table: which mode sets which property of an agent's units, to what. D-Bus message, unit text,
// status and tests come from these rows. Holds no logic: values that depend on the spec are in
// plan/property_values.c, gates in plan/unit.c.
//
// A row without .optional is required: a systemd that lacks it can't run that mode. Rows are sent in this
// order, which matters only where one property has several rows (the later ones take away from the first).
#include "plan/properties.h"

#include "plan/property_values.h"

// The value from a mode on.
#define FROM_UNRESTRICTED(v)                                                                                 \
    {                                                                                                        \
        [MODE_UNRESTRICTED] = v, [MODE_MINIMAL] = v, [MODE_STANDARD] = v, [MODE_MAXIMUM] = v                 \
    }
#define FROM_MINIMAL(v)                                                                                      \
    {                                                                                                        \
        [MODE_MINIMAL] = v, [MODE_STANDARD] = v, [MODE_MAXIMUM] = v                                          \
    }
#define FROM_STANDARD(v)                                                                                     \
    {                                                                                                        \
        [MODE_STANDARD] = v, [MODE_MAXIMUM] = v                                                              \
    }
#define MAXIMUM(v)                                                                                           \
    {                                                                                                        \
        [MODE_MAXIMUM] = v                                                                                   \
    }
#define COMPUTED FROM_UNRESTRICTED("") // the spec alone decides

#define UNIT(n, k) .name = n, .unit_key = k, .section = "Unit"
#define SERVICE(n, k) .name = n, .unit_key = k, .section = "Service"
#define SLICE(n, k) .kind = KIND_SLICE, .name = n, .unit_key = k, .section = "Slice"
#define SAME(n) SERVICE(n, n)

#define STRING(v) .type = PROPERTY_STRING, .value = v
#define BOOLEAN(v) .type = PROPERTY_BOOLEAN, .value = v
#define SPEC(t, f) .type = t, .value = COMPUTED, .fill = f

#define PROCESS .layer = "process"
#define FILESYSTEM .layer = "filesystem"
#define SYSCALL .layer = "syscall", .needs = NEED_SECCOMP
#define NETWORK .layer = "network"

// Other UIDs' directories under /var/lib, every host socket in /run, and shared memory of the host. What lies
// in the agent's own shared memory counts towards MemoryMax=. A size in percent would be spoilt at a
// daemon-reload: systemd doubles the '%' when it writes mount options and does not take it back when it reads
// them.
#define HIDDEN "/dev/shm rw,nosuid,nodev,mode=1777,size=1G /run ro /var/lib ro"
// maximum: nothing but the system's programs and what is bound.
#define HIDDEN_MAXIMUM                                                                                       \
    "/dev/shm rw,nosuid,nodev,noexec,mode=1777,size=1G /media ro /mnt ro /opt ro /run ro /srv ro "           \
    "/var/lib ro"
#define CLOSED_MAXIMUM                                                                                       \
    "-/boot -/efi -/etc/agentctl -/etc/ssh -/lost+found -/var/backups -/var/cache -/var/log -/var/mail "     \
    "-/var/spool"

// landlock_* and seccomp: the launcher and the agent's own tools confine themselves; systemd 252 lacks them
// in
// @system-service.
#define CALLS "@system-service landlock_add_rule landlock_create_ruleset landlock_restrict_self seccomp"
// io_uring makes sockets of any family behind RestrictAddressFamilies=; @aio holds it.
#define CALLS_DENIED                                                                                         \
    "~@privileged @resources @keyring io_uring_enter io_uring_register io_uring_setup kcmp "                 \
    "name_to_handle_at userfaultfd"
#define CALLS_DENIED_MAXIMUM                                                                                 \
    CALLS_DENIED " @aio @memlock msgctl msgget msgrcv msgsnd personality process_vm_readv "                  \
                 "process_vm_writev semctl semget semop semtimedop setns shmat shmctl shmdt shmget "         \
                 "unshare vmsplice"
#define FAMILIES "AF_INET AF_INET6 AF_NETLINK AF_UNIX"

const struct property_row property_rows[] = {
    // --- what the service is
    { UNIT("Description", "Description"), SPEC(PROPERTY_STRING, fill_description) },
    { UNIT("StartLimitIntervalUSec", "StartLimitIntervalSec"),
      SPEC(PROPERTY_USEC, fill_start_limit_interval) },
    { UNIT("StartLimitBurst", "StartLimitBurst"), SPEC(PROPERTY_UINT32, fill_start_limit_burst) },
    { SAME("Type"), STRING(FROM_UNRESTRICTED("exec")) },
    { SAME("User"), SPEC(PROPERTY_STRING, fill_user), PROCESS },
    { SAME("Group"), SPEC(PROPERTY_STRING, fill_user), PROCESS },
    { SAME("Slice"), SPEC(PROPERTY_STRING, fill_slice), PROCESS },
    { SAME("WorkingDirectory"), SPEC(PROPERTY_STRING, fill_working_directory) },
    { SAME("Environment"), SPEC(PROPERTY_STRINGS, fill_environment) },
    { SAME("ExecStart"), SPEC(PROPERTY_EXEC, fill_exec_start) },
    { SAME("Restart"), SPEC(PROPERTY_STRING, fill_restart) },
    { SERVICE("RestartUSec", "RestartSec"), SPEC(PROPERTY_USEC, fill_restart_delay) },
    { SAME("RestartSteps"), SPEC(PROPERTY_UINT32, fill_restart_steps), .since = 254, .optional = true },
    { SERVICE("RestartMaxDelayUSec", "RestartMaxDelaySec"), SPEC(PROPERTY_USEC, fill_restart_max_delay),
      .since = 254, .optional = true },
    { SERVICE("RuntimeMaxUSec", "RuntimeMaxSec"), SPEC(PROPERTY_USEC, fill_runtime_max) },
    { SERVICE("TimeoutStopUSec", "TimeoutStopSec"), SPEC(PROPERTY_USEC, fill_timeout_stop) },
    { SAME("KillMode"), STRING(FROM_UNRESTRICTED("control-group")), PROCESS },
    { SAME("SendSIGKILL"), BOOLEAN(FROM_UNRESTRICTED("yes")), PROCESS },
    // The kernel kills the one process that does not fit into the slice; a tool that eats too much must not
    // take
    // the agent with it. An agent that is itself too big ends by SIGKILL and Restart= judges that.
    { SAME("OOMPolicy"), STRING(FROM_UNRESTRICTED("continue")) },
    // The host's DefaultTasksMax= would bind the service below what the slice grants.
    { SAME("TasksMax"), .type = PROPERTY_UINT64, .value = FROM_UNRESTRICTED("infinity") },
    // When the whole host runs short, agents go before its services.
    { SAME("OOMScoreAdjust"), .type = PROPERTY_INT32, .value = FROM_MINIMAL("500"), PROCESS },
    // Python and shells expect the kernel's default; a pipe's reader that ends must end the writer.
    { SAME("IgnoreSIGPIPE"), BOOLEAN(FROM_UNRESTRICTED("no")) },
    { SAME("StandardInput"), STRING(FROM_UNRESTRICTED("null")) },
    { SAME("StandardOutput"), STRING(FROM_UNRESTRICTED("journal")) },
    { SAME("StandardError"), STRING(FROM_UNRESTRICTED("journal")) },
    { SAME("SyslogIdentifier"), SPEC(PROPERTY_STRING, fill_agent) },
    { SAME("SyslogLevelPrefix"), BOOLEAN(FROM_UNRESTRICTED("no")) }, // an agent may print "<3>"
    { SERVICE("LogRateLimitIntervalUSec", "LogRateLimitIntervalSec"), .type = PROPERTY_USEC,
      .value = FROM_UNRESTRICTED("30000000") },
    { SAME("LogRateLimitBurst"), .type = PROPERTY_UINT32, .value = FROM_UNRESTRICTED("10000") },
    { SAME("UMask"), .type = PROPERTY_FILE_MODE, .value = FROM_UNRESTRICTED("0077") },
    { SAME("LimitCORE"), .type = PROPERTY_UINT64, .value = FROM_MINIMAL("0"), PROCESS },

    // --- process
    { SAME("NoNewPrivileges"), BOOLEAN(FROM_MINIMAL("yes")), PROCESS },
    { SAME("CapabilityBoundingSet"), .type = PROPERTY_CAPABILITIES, .value = FROM_MINIMAL(""), PROCESS },
    { SAME("PrivateTmp"), BOOLEAN(FROM_MINIMAL("yes")), PROCESS },
    { SAME("PrivateDevices"), BOOLEAN(FROM_MINIMAL("yes")), PROCESS },
    { SAME("DevicePolicy"), STRING(FROM_MINIMAL("closed")), PROCESS },
    { SAME("RemoveIPC"), BOOLEAN(FROM_UNRESTRICTED("yes")), PROCESS },
    { SAME("PrivateIPC"), BOOLEAN(FROM_STANDARD("yes")), PROCESS, .since = 248 },
    { SAME("PrivateMounts"), BOOLEAN(FROM_STANDARD("yes")), PROCESS },
    { SAME("PrivateUsers"), BOOLEAN(MAXIMUM("yes")), PROCESS },
    { SAME("PrivatePIDs"), STRING(MAXIMUM("yes")), PROCESS, .since = 257, .optional = true },
    { SAME("KeyringMode"), STRING(FROM_STANDARD("private")), PROCESS },
    { SAME("ProtectProc"), STRING(FROM_STANDARD("invisible")), PROCESS, .since = 247 },
    { SAME("ProtectClock"), BOOLEAN(FROM_STANDARD("yes")), PROCESS, .since = 245 },
    { SAME("ProtectHostname"), BOOLEAN(FROM_STANDARD("yes")), PROCESS },
    { SAME("ProtectKernelLogs"), BOOLEAN(FROM_STANDARD("yes")), PROCESS, .since = 244 },
    { SAME("ProtectKernelModules"), BOOLEAN(FROM_STANDARD("yes")), PROCESS },
    { SAME("ProtectKernelTunables"), BOOLEAN(FROM_STANDARD("yes")), PROCESS },
    { SAME("ProtectControlGroups"), BOOLEAN(FROM_STANDARD("yes")), PROCESS },
    { SAME("LockPersonality"), BOOLEAN(FROM_STANDARD("yes")), PROCESS, .needs = NEED_SECCOMP },
    { SAME("RestrictRealtime"), BOOLEAN(FROM_STANDARD("yes")), PROCESS, .needs = NEED_SECCOMP },
    { SAME("RestrictSUIDSGID"), BOOLEAN(FROM_STANDARD("yes")), PROCESS, .needs = NEED_SECCOMP },
    // The empty set of namespaces is lost at a daemon-reload; uts alone is harmless without user namespaces.
    { SAME("RestrictNamespaces"), .type = PROPERTY_NAMESPACES, .value = FROM_STANDARD("uts"), PROCESS,
      .needs = NEED_SECCOMP },
    { SAME("MemoryDenyWriteExecute"), BOOLEAN(MAXIMUM("yes")), PROCESS, .needs = NEED_SECCOMP,
      .jit_lifts = true },

    // --- filesystem
    { SAME("ProtectSystem"), .type = PROPERTY_STRING, FILESYSTEM,
      .value = { [MODE_MINIMAL] = "full", [MODE_STANDARD] = "strict", [MODE_MAXIMUM] = "strict" } },
    { SAME("ProtectHome"), .type = PROPERTY_STRING, .value = FROM_STANDARD("yes"), .fill = fill_protect_home,
      FILESYSTEM },
    { SAME("TemporaryFileSystem"), .type = PROPERTY_STRING_PAIRS, .fill = fill_temporary_file_systems,
      FILESYSTEM,
      .value = { [MODE_MINIMAL] = "", [MODE_STANDARD] = HIDDEN, [MODE_MAXIMUM] = HIDDEN_MAXIMUM } },
    { SAME("BindPaths"), SPEC(PROPERTY_BINDS, fill_binds), FILESYSTEM },
    { SAME("BindReadOnlyPaths"), SPEC(PROPERTY_BINDS, fill_read_only_binds), FILESYSTEM },
    // minimal: over the system bus an agent would ask logind to let it linger, outside its unit and after its
    // stop.
    // Specs of the neighbours stand in /etc/agentctl.
    { SAME("InaccessiblePaths"), .type = PROPERTY_STRINGS, .fill = fill_inaccessible_paths, FILESYSTEM,
      .value = { [MODE_UNRESTRICTED] = "",
                 [MODE_MINIMAL] = "-/run/dbus -/run/systemd/private -/run/user",
                 [MODE_STANDARD] = "-/etc/agentctl",
                 [MODE_MAXIMUM] = CLOSED_MAXIMUM } },
    { SAME("ReadOnlyPaths"), SPEC(PROPERTY_STRINGS, fill_read_only_paths), FILESYSTEM },
    { SAME("NoExecPaths"), .type = PROPERTY_STRINGS, .value = MAXIMUM("/ /dev/shm /tmp /var/tmp"), FILESYSTEM,
      .fill = fill_no_exec_paths, .since = 248 },
    { SAME("ExecPaths"), .type = PROPERTY_STRINGS, .value = MAXIMUM("/usr"), .fill = fill_exec_paths,
      FILESYSTEM, .since = 248 },

    // --- syscall
    { SAME("SystemCallFilter"), .type = PROPERTY_SET, .value = FROM_STANDARD(CALLS), SYSCALL },
    { SAME("SystemCallFilter"), .type = PROPERTY_SET, SYSCALL,
      .value = { [MODE_STANDARD] = CALLS_DENIED, [MODE_MAXIMUM] = CALLS_DENIED_MAXIMUM } },
    // A file in memory lies on no path that NoExecPaths= could close.
    { SAME("SystemCallFilter"), .type = PROPERTY_SET, .value = MAXIMUM("~memfd_create"), SYSCALL,
      .jit_lifts = true },
    { SAME("SystemCallErrorNumber"), .type = PROPERTY_ERRNO, .value = FROM_STANDARD("EPERM"), SYSCALL },
    { SAME("SystemCallArchitectures"), .type = PROPERTY_STRINGS, .value = FROM_STANDARD("native"), SYSCALL },
    { SAME("RestrictAddressFamilies"), .type = PROPERTY_SET, .value = FROM_STANDARD(FAMILIES), SYSCALL },

    // --- network: under nftables and without it
    { SAME("IPAddressDeny"), SPEC(PROPERTY_PREFIXES, fill_address_deny), NETWORK, .live = true },
    { SAME("IPAddressAllow"), SPEC(PROPERTY_PREFIXES, fill_address_allow), NETWORK, .live = true },
    { SAME("RestrictNetworkInterfaces"), SPEC(PROPERTY_SET, fill_interfaces), NETWORK, .since = 250,
      .needs = NEED_BPF_FRAMEWORK, .optional = true },

    // --- limits: on the slice, so that the service and everything else of the agent share them
    { .kind = KIND_SLICE, UNIT("Description", "Description"), SPEC(PROPERTY_STRING, fill_slice_description) },
    { SLICE("CPUAccounting", "CPUAccounting"), BOOLEAN(FROM_UNRESTRICTED("yes")) },
    { SLICE("MemoryAccounting", "MemoryAccounting"), BOOLEAN(FROM_UNRESTRICTED("yes")) },
    { SLICE("TasksAccounting", "TasksAccounting"), BOOLEAN(FROM_UNRESTRICTED("yes")) },
    { SLICE("IOAccounting", "IOAccounting"), BOOLEAN(FROM_UNRESTRICTED("yes")) },
    { SLICE("CPUQuotaPerSecUSec", "CPUQuota"), SPEC(PROPERTY_QUOTA, fill_cpu_quota), PROCESS, .live = true },
    { SLICE("CPUWeight", "CPUWeight"), SPEC(PROPERTY_UINT64, fill_cpu_weight), PROCESS, .live = true },
    { SLICE("MemoryMax", "MemoryMax"), SPEC(PROPERTY_UINT64, fill_memory_max), PROCESS, .live = true },
    { SLICE("MemoryHigh", "MemoryHigh"), SPEC(PROPERTY_UINT64, fill_memory_high), PROCESS, .live = true },
    { SLICE("MemorySwapMax", "MemorySwapMax"), SPEC(PROPERTY_UINT64, fill_memory_swap_max), PROCESS,
      .live = true },
    { SLICE("TasksMax", "TasksMax"), SPEC(PROPERTY_UINT64, fill_tasks_max), PROCESS, .live = true },
    { SLICE("IOWeight", "IOWeight"), SPEC(PROPERTY_UINT64, fill_io_weight), PROCESS, .live = true },
    { SLICE("IOReadBandwidthMax", "IOReadBandwidthMax"), SPEC(PROPERTY_DEVICE_LIMITS, fill_io_read_bandwidth),
      PROCESS, .live = true },
    { SLICE("IOWriteBandwidthMax", "IOWriteBandwidthMax"),
      SPEC(PROPERTY_DEVICE_LIMITS, fill_io_write_bandwidth), PROCESS, .live = true },
    { SLICE("IOReadIOPSMax", "IOReadIOPSMax"), SPEC(PROPERTY_DEVICE_LIMITS, fill_io_read_iops), PROCESS,
      .live = true },
    { SLICE("IOWriteIOPSMax", "IOWriteIOPSMax"), SPEC(PROPERTY_DEVICE_LIMITS, fill_io_write_iops), PROCESS,
      .live = true },
};
const size_t property_row_count = ARRAY_SIZE(property_rows);

const struct launcher_row launcher_rows[] = {
    { "Landlock", "filesystem", .wanted = { [MODE_STANDARD] = true, [MODE_MAXIMUM] = true },
      .required = { [MODE_MAXIMUM] = true } },
    { "argument filter", "syscall", .wanted = { [MODE_STANDARD] = true, [MODE_MAXIMUM] = true } },
};
const size_t launcher_row_count = ARRAY_SIZE(launcher_rows);
