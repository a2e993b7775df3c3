// Which places of the host an agent may not be given. A guard against specs that hand over the host by a
// slip: it reads the text of paths only, so links are not seen, and the sandbox and file permissions stand
// behind it.
#include "spec/check.h"

#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "spec/path.h"

#define WORKSPACES "/var/lib/agents" // the default; other agents' directories are 0700 wherever they are

enum {
    WRITABLE = 1 << 0, // BindPaths=, source and destination
    READABLE = 1 << 1, // the source of BindReadOnlyPaths=: a read-only bind does not stop connect(), ioctl()
                       // or reading
    COVERED =
        1 << 2, // the destination of BindReadOnlyPaths=: would hide what the sandbox or the launcher needs
};

// A place, everything below it unless only it itself counts, and everything above it.
static const struct place {
    const char *path;
    unsigned uses;
    bool itself;
    const char *reason;
} places[] = {
    { "/proc", WRITABLE | READABLE | COVERED, false, "the processes and settings of the host" },
    { "/sys", WRITABLE | COVERED, false, "the settings of the kernel" },
    { "/dev", WRITABLE | READABLE | COVERED, false, "the devices of the host" },
    { "/run/dbus", WRITABLE | READABLE, false, "the system bus" },
    { "/run/systemd", WRITABLE | READABLE | COVERED, false, "the sockets of systemd" },
    { "/run/user", WRITABLE | READABLE, false, "the sockets of the host's users" },
    { "/run/udev", WRITABLE | READABLE, false, "the sockets of udev" },
    { "/run/agentctl", WRITABLE | READABLE | COVERED, false, "the state of agentctl" },
    { "/run/docker", WRITABLE | READABLE, false, "a container engine, which is root on this host" },
    { "/run/containerd", WRITABLE | READABLE, false, "a container engine, which is root on this host" },
    { "/run/podman", WRITABLE | READABLE, false, "a container engine, which is root on this host" },
    { "/run/crio", WRITABLE | READABLE, false, "a container engine, which is root on this host" },
    { "/run/k3s", WRITABLE | READABLE, false, "a container engine, which is root on this host" },
    { "/run/lxd", WRITABLE | READABLE, false, "a container engine, which is root on this host" },
    { "/run/incus", WRITABLE | READABLE, false, "a container engine, which is root on this host" },
    { "/run/libvirt", WRITABLE | READABLE, false, "a machine manager, which is root on this host" },
    { "/run", WRITABLE, false, "the sockets and state of the host's services" },
    { "/etc", WRITABLE, false, "the configuration of the host" },
    { "/etc", COVERED, true, "the configuration of the host" },
    { "/boot", WRITABLE, false, "the kernel of the host" },
    { "/usr", WRITABLE, false, "the programs of the host" },
    { "/usr", COVERED, true, "the programs of the host" },
    { "/bin", WRITABLE | COVERED, false, "the programs of the host" },
    { "/sbin", WRITABLE | COVERED, false, "the programs of the host" },
    { "/lib", WRITABLE | COVERED, false, "the libraries of the host" },
    { "/lib64", WRITABLE | COVERED, false, "the libraries of the host" },
    { "/root", WRITABLE | READABLE, false, "the home of root" },
    { "/home", WRITABLE, true, "the homes of all users" },
    { "/tmp", WRITABLE | READABLE, true, "the temporary files and sockets of all users" },
    { "/var/tmp", WRITABLE | READABLE, true, "the temporary files of all users" },
    { "/var/spool/cron", WRITABLE, false, "the cron jobs of the host" },
    { "/var/lib/agentctl", WRITABLE | READABLE | COVERED, false, "the state of agentctl" },
    { "/var/lib/docker", WRITABLE | READABLE, false, "the state of a container engine" },
    { "/var/lib/containerd", WRITABLE | READABLE, false, "the state of a container engine" },
    { "/var/lib/containers", WRITABLE | READABLE, false, "the state of a container engine" },
    { "/var/lib/lxd", WRITABLE | READABLE, false, "the state of a container engine" },
    { "/var/lib/incus", WRITABLE | READABLE, false, "the state of a container engine" },
    { "/var/snap/lxd", WRITABLE | READABLE, false, "the state of a container engine" },
    { "/var/lib/systemd", WRITABLE, false, "the state of systemd" },
};

// Wherever an operator moved it to.
static const char *const engine_sockets[] = {
    "docker.sock", "docker.socket", "containerd.sock", "podman.sock",  "crio.sock",       "buildkitd.sock",
    "lxd.socket",  "incus.socket",  "unix.socket",     "libvirt-sock", "dockershim.sock", "cri-dockerd.sock",
};

static bool is_engine_socket(const char *path)
{
    const char *name = strrchr(path, '/') + 1; // the path is absolute
    for (size_t i = 0; i < ARRAY_SIZE(engine_sockets); i++)
        if (str_equal(name, engine_sockets[i]))
            return true;
    return false;
}

static const char *refused_place(const char *path, unsigned use)
{
    if (str_equal(path, "/"))
        return "the whole host";
    for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
        const struct place *p = &places[i];
        if (!(p->uses & use))
            continue;
        if (path_is_within(p->path, path) || (!p->itself && path_is_within(path, p->path)))
            return p->reason;
    }
    return NULL;
}

static bool is_foreign_workspace(const char *path, const char *agent)
{
    char own[sizeof(WORKSPACES) + 64];
    if (path_is_within(WORKSPACES, path))
        return true;
    (void)snprintf(own, sizeof(own), WORKSPACES "/%s", agent); // a name has at most 23 characters
    return path_is_within(path, WORKSPACES) && !path_is_within(path, own);
}

// /var/run is the old name of /run.
static const char *modern_path(const char *path)
{
    return path_is_within(path, "/var/run") ? path + strlen("/var") : path;
}

static const char *refused(const char *path, unsigned use, const char *agent)
{
    path = modern_path(path);
    if (use != COVERED && is_engine_socket(path))
        return "the socket of a container engine, which is root on this host";
    const char *reason = refused_place(path, use);
    if (!reason && is_foreign_workspace(path, agent))
        reason = "the workspaces of other agents";
    return reason;
}

static void check_list(struct check *c, const char *key, const struct bind_list *l, unsigned source_use,
                       unsigned destination_use)
{
    for (size_t i = 0; i < l->count; i++) {
        const struct bind *b = &l->items[i];
        const char *reason = refused(b->source, source_use, c->agent);
        if (reason) {
            check_problem(c, "Filesystem", key, "%s would hand over %s", b->source, reason);
            continue;
        }
        reason = refused(b->destination, destination_use, c->agent);
        if (reason)
            check_problem(c, "Filesystem", key, "%s would cover %s", b->destination, reason);
    }
}

void check_binds(struct check *c)
{
    const struct bind_list *writable = &c->spec->bind_paths;
    const struct bind_list *readable = &c->spec->bind_read_only_paths;
    check_list(c, "BindPaths", writable, WRITABLE, WRITABLE);
    check_list(c, "BindReadOnlyPaths", readable, READABLE, COVERED);
    for (size_t i = 0; i < writable->count; i++)
        for (size_t k = 0; k < readable->count; k++)
            if (str_equal(writable->items[i].destination, readable->items[k].destination))
                check_problem(c, "Filesystem", "BindReadOnlyPaths",
                              "%s is also a destination of BindPaths=", readable->items[k].destination);
}
