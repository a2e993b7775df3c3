// Contradictions between keys, and places of the host that no agent may be given.
#include "expect.h"

#include "spec/spec.h"

#define COMMAND "[Service]\nCommand=/usr/bin/python3 agent.py\n"

static struct spec *parsed(const char *text)
{
    _cleanup_error_ struct error err = { 0 };
    struct spec *s = spec_new();
    expect_ok(spec_parse(s, "f", text, strlen(text), &err), &err);
    return s;
}

static void expect_fine(const char *text)
{
    _cleanup_error_ struct error err = { 0 };
    _cleanup_spec_ struct spec *s = parsed(text);
    expect_ok(spec_check(s, "coder", &err), &err);
}

static void expect_problems(const char *text, const char *problems)
{
    _cleanup_error_ struct error err = { 0 };
    _cleanup_spec_ struct spec *s = parsed(text);
    expect_refused(spec_check(s, "coder", &err), &err, problems);
}

static void test_fine(void **state)
{
    expect_fine(COMMAND);
    expect_fine(COMMAND "[Resources]\nMemoryMax=1G\nMemoryHigh=1G\n");
    expect_fine(COMMAND "RestartSteps=5\nRestartMaxDelaySec=1min\n");
    expect_fine(COMMAND "[Network]\nEgress=open\nAllow=1.2.3.4\n");
    expect_fine(COMMAND "[Network]\nEgress=list\n");
    expect_fine(COMMAND "[Filesystem]\nInaccessiblePaths=/srv\n");
}

static void test_contradictions(void **state)
{
    expect_problems("", "agent coder: [Service] Command=: missing; an agent needs a command");
    expect_problems(COMMAND "[Resources]\nMemoryMax=1G\nMemoryHigh=2G\n",
                    "agent coder: [Resources] MemoryHigh=: 2G is above MemoryMax=1G");
    expect_problems(COMMAND "[Resources]\nMemoryHigh=3G\n",
                    "agent coder: [Resources] MemoryHigh=: 3G is above MemoryMax=2G");
    expect_problems(COMMAND "[Network]\nEgress=none\nAllow=1.2.3.4\nLoopback=host\n",
                    "agent coder: [Network] Allow=: contradicts Egress=none; use Egress=list\n"
                    "agent coder: [Network] Loopback=: host contradicts Egress=none");
    expect_problems(COMMAND "RestartSteps=5\n",
                    "agent coder: [Service] RestartSteps=: needs RestartMaxDelaySec=, the delay to grow to");
    expect_problems(COMMAND "RestartMaxDelaySec=1min\n",
                    "agent coder: [Service] RestartMaxDelaySec=: has no effect without RestartSteps=");
    expect_problems(COMMAND "RestartSteps=5\nRestartMaxDelaySec=1s\nRestartSec=2s\n",
                    "agent coder: [Service] RestartMaxDelaySec=: is less than RestartSec=");
    expect_problems(COMMAND "WorkingDirectory=/srv/x\n[Filesystem]\nInaccessiblePaths=/ /srv /usr\n",
                    "agent coder: [Filesystem] InaccessiblePaths=: / would leave the agent nothing to run\n"
                    "agent coder: [Filesystem] InaccessiblePaths=: /srv hides WorkingDirectory=/srv/x\n"
                    "agent coder: [Filesystem] InaccessiblePaths=: /usr hides the program, /usr/bin/python3");
}

static void expect_bind(const char *key, const char *value, const char *cause)
{
    _cleanup_error_ struct error err = { 0 };
    _cleanup_spec_ struct spec *s = parsed(COMMAND);
    expect_ok(spec_assign(s, key, value, &err), &err);
    if (!cause) {
        expect_ok(spec_check(s, "coder", &err), &err);
        return;
    }
    _cleanup_text_ struct text expected = { 0 };
    text_addf(&expected, "agent coder: [Filesystem] %s=: %s", key, cause);
    expect_refused(spec_check(s, "coder", &err), &err, expected.data);
}

static void test_binds_that_are_fine(void **state)
{
    static const char *const both[] = {
        "/srv/data",
        "/home/alice/project",
        "/opt/tools",
        "/mnt",
        "/etcetera",
        "/var/www",
        "/tmp/exchange",
        "/var/lib/agents/coder/work",
        "/var/lib/postgresql",
        "/srv/a:/srv/b",
        "/srv/data:/var/lib/agents/coder/work/data",
    };
    for (size_t i = 0; i < ARRAY_SIZE(both); i++) {
        expect_bind("BindPaths", both[i], NULL);
        expect_bind("BindReadOnlyPaths", both[i], NULL);
    }
    static const char *const readable[] = { "/etc/ssl",        "/usr/share/x", "/boot",
                                            "/run/postgresql", "/home",        "/srv/hosts:/etc/hosts" };
    for (size_t i = 0; i < ARRAY_SIZE(readable); i++)
        expect_bind("BindReadOnlyPaths", readable[i], NULL);
}

static void test_writable_binds_refused(void **state)
{
    static const struct {
        const char *value, *cause;
    } cases[] = {
        { "/", "/ would hand over the whole host" },
        { "/proc", "/proc would hand over the processes and settings of the host" },
        { "/proc/sys", "/proc/sys would hand over the processes and settings of the host" },
        { "/sys", "/sys would hand over the settings of the kernel" },
        { "/dev", "/dev would hand over the devices of the host" },
        { "/dev/sda", "/dev/sda would hand over the devices of the host" },
        { "/run/dbus/system_bus_socket", "/run/dbus/system_bus_socket would hand over the system bus" },
        { "/var/run/dbus", "/var/run/dbus would hand over the system bus" },
        { "/run/postgresql", "/run/postgresql would hand over the sockets and state of the host's services" },
        { "/etc", "/etc would hand over the configuration of the host" },
        { "/etc/cron.d", "/etc/cron.d would hand over the configuration of the host" },
        { "/usr/local/bin", "/usr/local/bin would hand over the programs of the host" },
        { "/root/.ssh", "/root/.ssh would hand over the home of root" },
        { "/home", "/home would hand over the homes of all users" },
        { "/tmp", "/tmp would hand over the temporary files and sockets of all users" },
        { "/var/lib/agentctl", "/var/lib/agentctl would hand over the state of agentctl" },
        { "/var/lib/docker", "/var/lib/docker would hand over the state of a container engine" },
        { "/run/docker.sock",
          "/run/docker.sock would hand over the socket of a container engine, which is root on this host" },
        { "/srv/moved/docker.sock", "/srv/moved/docker.sock would hand over the socket of a container "
                                    "engine, which is root on this host" },
        { "/var/lib/agents", "/var/lib/agents would hand over the workspaces of other agents" },
        { "/var/lib/agents/other/work",
          "/var/lib/agents/other/work would hand over the workspaces of other agents" },
        { "/var/lib/agents/coder2", "/var/lib/agents/coder2 would hand over the workspaces of other agents" },
        { "/srv/a:/etc", "/etc would cover the configuration of the host" },
        { "/srv/a:/usr/libexec/agentctl", "/usr/libexec/agentctl would cover the programs of the host" },
        { "/srv/a:/", "/ would cover the whole host" },
        { "/srv/a:/dev/shm", "/dev/shm would cover the devices of the host" },
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
        expect_bind("BindPaths", cases[i].value, cases[i].cause);
}

// A read-only bind does not stop connect(), ioctl() or reading.
static void test_read_only_binds_refused(void **state)
{
    static const struct {
        const char *value, *cause;
    } cases[] = {
        { "/", "/ would hand over the whole host" },
        { "/proc", "/proc would hand over the processes and settings of the host" },
        { "/dev/kmsg", "/dev/kmsg would hand over the devices of the host" },
        { "/run", "/run would hand over the system bus" },
        { "/run/systemd/private", "/run/systemd/private would hand over the sockets of systemd" },
        { "/run/user/1000/bus", "/run/user/1000/bus would hand over the sockets of the host's users" },
        { "/var/run/docker.sock", "/var/run/docker.sock would hand over the socket of a container engine, "
                                  "which is root on this host" },
        { "/run/containerd/containerd.sock",
          "/run/containerd/containerd.sock would hand over the socket of a "
          "container engine, which is root on this host" },
        { "/run/podman", "/run/podman would hand over a container engine, which is root on this host" },
        { "/run/crio/crio.sock", "/run/crio/crio.sock would hand over the socket of a container engine, "
                                 "which is root on this host" },
        { "/var/snap/lxd/common", "/var/snap/lxd/common would hand over the state of a container engine" },
        { "/var/lib/incus/unix.socket",
          "/var/lib/incus/unix.socket would hand over the socket of a container "
          "engine, which is root on this host" },
        { "/root", "/root would hand over the home of root" },
        { "/var/lib", "/var/lib would hand over the state of agentctl" },
        { "/var/lib/agents/other", "/var/lib/agents/other would hand over the workspaces of other agents" },
        { "/srv/a:/etc", "/etc would cover the configuration of the host" },
        { "/srv/a:/usr", "/usr would cover the programs of the host" },
        { "/srv/a:/proc/self", "/proc/self would cover the processes and settings of the host" },
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
        expect_bind("BindReadOnlyPaths", cases[i].value, cases[i].cause);
}

static void test_binds_of_one_place(void **state)
{
    expect_problems(COMMAND "[Filesystem]\nBindPaths=/srv/a:/mnt\nBindReadOnlyPaths=/srv/b:/mnt\n",
                    "agent coder: [Filesystem] BindReadOnlyPaths=: /mnt is also a destination of BindPaths=");
}

static void test_all_problems_at_once(void **state)
{
    expect_problems(
        "[Resources]\nMemoryMax=1G\nMemoryHigh=2G\n[Filesystem]\nBindPaths=/etc /srv /proc\n",
        "agent coder: [Service] Command=: missing; an agent needs a command\n"
        "agent coder: [Resources] MemoryHigh=: 2G is above MemoryMax=1G\n"
        "agent coder: [Filesystem] BindPaths=: /etc would hand over the configuration of the host\n"
        "agent coder: [Filesystem] BindPaths=: /proc would hand over the processes and settings of the "
        "host");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_fine),
        cmocka_unit_test(test_contradictions),
        cmocka_unit_test(test_binds_that_are_fine),
        cmocka_unit_test(test_writable_binds_refused),
        cmocka_unit_test(test_read_only_binds_refused),
        cmocka_unit_test(test_binds_of_one_place),
        cmocka_unit_test(test_all_problems_at_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
