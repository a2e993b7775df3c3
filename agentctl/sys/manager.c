// The connection to systemd's manager, what it says of the host, and changes of running units. Starting and
// stopping is in sys/manager_job.c, looking at units in sys/unit_status.c.
#include "sys/manager.h"

#include <errno.h>
#include <limits.h>
#include <linux/magic.h>
#include <stdlib.h>
#include <sys/vfs.h>
#include <systemd/sd-bus.h>
#include <systemd/sd-daemon.h>

#include "base/text.h"
#include "encode/unit_message.h"
#include "sys/manager_call.h"

#define SYSTEMD_VERSION_MIN 249

struct manager {
    sd_bus *bus;
};

struct manager *manager_close(struct manager *m)
{
    if (m)
        (void)sd_bus_flush_close_unref(m->bus);
    free(m);
    return NULL;
}

struct sd_bus *manager_bus(struct manager *m)
{
    return m->bus;
}

// Waits for the bus's greeting too, so that a bus that is not there shows here.
static int connect_bus(sd_bus **ret, struct error *err)
{
    const char *name = NULL;
    int r = sd_bus_open_system(ret);
    if (r >= 0)
        r = sd_bus_get_unique_name(*ret, &name);
    return r < 0 ? error_errno(err, -r, "cannot reach systemd over the system bus (D-Bus)") : 0;
}

int manager_open(struct manager **ret, struct error *err)
{
    if (sd_booted() <= 0)
        return error_set(err, EHOSTDOWN, "PID 1 is not systemd: agents need a host that systemd has booted");
    _cleanup_manager_ struct manager *m = calloc(1, sizeof(*m));
    if (!m)
        return error_oom(err);
    int r = connect_bus(&m->bus, err);
    if (r < 0)
        return r;
    *ret = take_ptr(m);
    return 0;
}

int manager_error(struct error *err, int r, const sd_bus_error *e, const char *what)
{
    if (sd_bus_error_is_set(e))
        return error_set(err, -r, "%s: %s", what, e->message);
    return error_errno(err, -r, "%s", what);
}

// --- the host ---

static int read_property(struct manager *m, const char *name, char **ret, struct error *err)
{
    _cleanup_bus_error_ sd_bus_error e = SD_BUS_ERROR_NULL;
    int r =
        sd_bus_get_property_string(m->bus, MANAGER_SERVICE, MANAGER_PATH, MANAGER_INTERFACE, name, &e, ret);
    return r < 0 ? manager_error(err, r, &e, "cannot ask systemd for its version") : 0;
}

// "252.39-1~deb12u1", "257 (257.13-1)", "v255".
static unsigned major_version(const char *text)
{
    return (unsigned)strtoul(text + strcspn(text, "0123456789"), NULL, 10);
}

static int read_systemd(struct manager *m, struct host *host, struct error *err)
{
    _cleanup_free_ char *version = NULL;
    _cleanup_free_ char *features = NULL;
    int r = read_property(m, "Version", &version, err);
    if (r == 0)
        r = read_property(m, "Features", &features, err);
    if (r < 0)
        return r;
    if (!version || !features)
        return error_set(err, EPROTO, "systemd does not tell its version");
    host->systemd_version = major_version(version);
    host->seccomp = strstr(features, "+SECCOMP");
    host->bpf_framework = strstr(features, "+BPF_FRAMEWORK");
    if (host->systemd_version < SYSTEMD_VERSION_MIN)
        return error_set(err, EOPNOTSUPP, "systemd %s is too old: agents need %d or later", version,
                         SYSTEMD_VERSION_MIN);
    return 0;
}

static int check_cgroups(struct error *err)
{
    struct statfs fs;
    if (statfs("/sys/fs/cgroup", &fs) < 0)
        return error_errno(err, errno, "/sys/fs/cgroup");
    if (fs.f_type != CGROUP2_SUPER_MAGIC)
        return error_set(err, EOPNOTSUPP,
                         "this host does not use the unified control group hierarchy (cgroup v2)");
    return 0;
}

#define RESOLVED_STUB "/run/systemd/resolve/stub-resolv.conf"
#define RESOLVED_UPLINK "/run/systemd/resolve/resolv.conf"

// The stub's 127.0.0.53 is a server of the host, which no agent reaches on its own loopback: the uplinks'
// file says whom to allow.
static void read_resolv_conf(struct host *host)
{
    char target[PATH_MAX];
    if (!realpath("/etc/resolv.conf", target))
        return; // none: nothing to show in its place
    host->resolv_conf_is_link = str_prefix(target, "/run/") || str_prefix(target, "/var/lib/");
    if (!host->resolv_conf_is_link)
        return;
    bool stub = str_equal(target, RESOLVED_STUB) && access(RESOLVED_UPLINK, R_OK) == 0;
    host->resolv_conf = stub ? RESOLVED_UPLINK : "/etc/resolv.conf";
}

int manager_read_host(struct manager *m, struct host *ret, struct error *err)
{
    struct host host = { 0 };
    int r = read_systemd(m, &host, err);
    if (r == 0)
        r = check_cgroups(err);
    if (r < 0)
        return r;
    read_resolv_conf(&host);
    *ret = host;
    return 0;
}

// --- running units ---

int manager_set_properties(struct manager *m, const struct unit *u, struct error *err)
{
    _cleanup_bus_message_ sd_bus_message *call = NULL;
    int r = sd_bus_message_new_method_call(m->bus, &call, MANAGER_SERVICE, MANAGER_PATH, MANAGER_INTERFACE,
                                           "SetUnitProperties");
    if (r >= 0)
        r = sd_bus_message_append(call, "sb", u->name, true);
    if (r < 0)
        return error_errno(err, -r, "%s: cannot build a message", u->name);
    r = unit_message_append_live(call, u, err);
    if (r < 0)
        return error_wrap(err, r, "%s", u->name);
    _cleanup_bus_error_ sd_bus_error e = SD_BUS_ERROR_NULL;
    r = sd_bus_call(m->bus, call, 0, &e, NULL);
    return r < 0 ? manager_error(err, r, &e, u->name) : 0;
}
