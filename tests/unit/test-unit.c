// From mode, spec and host to the properties of an agent's units.
#include "unit_fixture.h"

#include <errno.h>
#include <sched.h>

static void open_coder(struct fixture *f, const char *mode, struct host host)
{
    fixture_open(f, "coder", "/var/lib/agents", host);
    fixture_set(f, "Command", "/usr/bin/python3 agent.py");
    fixture_set(f, "Mode", mode);
}

static void test_unrestricted_has_user_and_limits_only(void **state)
{
    struct fixture f;
    (void)state;
    open_coder(&f, "unrestricted", debian13);
    _cleanup_unit_ struct unit u = fixture_service(&f);
    ASSERT_LINES(&u, "User=agent-coder", "Group=agent-coder", "Slice=agents-coder.slice");
    for (size_t i = 0; i < u.count; i++) {
        const struct property *p = &u.properties[i];
        if (str_equal(p->layer, "filesystem") || str_equal(p->layer, "syscall"))
            fail_msg("%s= in unrestricted", p->unit_key);
    }
    assert_no_key(&u, "NoNewPrivileges");
    assert_int_equal(u.absent_count, 0);
    fixture_close(&f);
}

static void test_command_stays_out_of_the_unit(void **state)
{
    struct fixture f;
    (void)state;
    open_coder(&f, "standard", debian12);
    fixture_set(&f, "Command", "/bin/echo $HOME %h ${X}");
    _cleanup_unit_ struct unit u = fixture_service(&f);
    const struct property *p = unit_property(&u, "ExecStart", 0);
    assert_int_equal(p->strings.count, 2);
    assert_string_equal(p->strings.items[0], LAUNCHER);
    assert_string_equal(p->strings.items[1], "coder");
    fixture_close(&f);
}

// Trap: an empty set of namespaces is lost at a daemon-reload.
static void test_namespaces_survive_a_reload(void **state)
{
    struct fixture f;
    (void)state;
    open_coder(&f, "standard", debian12);
    _cleanup_unit_ struct unit u = fixture_service(&f);
    assert_int_equal(unit_property(&u, "RestrictNamespaces", 0)->number, 0x04000000);
    fixture_close(&f);
}

static void test_bpf_is_not_sent_where_it_is_ignored(void **state)
{
    struct fixture f;
    (void)state;
    open_coder(&f, "standard", debian12);
    fixture_set(&f, "Egress", "none");
    _cleanup_unit_ struct unit old = fixture_service(&f);
    assert_no_key(&old, "RestrictNetworkInterfaces");
    const struct absent_property *a = unit_absent(&old, "RestrictNetworkInterfaces");
    assert_non_null(a);
    assert_string_equal(a->reason, "this systemd is built without BPF_FRAMEWORK and would ignore it");
    assert_string_equal(a->layer, "network");
    assert_false(a->required);

    f.host = debian13;
    _cleanup_unit_ struct unit new = fixture_service(&f);
    ASSERT_LINES(&new, "RestrictNetworkInterfaces=lo");
    assert_null(unit_absent(&new, "RestrictNetworkInterfaces"));
    fixture_close(&f);
}

static void test_properties_wait_for_their_version(void **state)
{
    struct fixture f;
    (void)state;
    open_coder(&f, "maximum", debian12);
    fixture_set(&f, "RestartSteps", "5");
    fixture_set(&f, "RestartMaxDelaySec", "1min");
    _cleanup_unit_ struct unit old = fixture_service(&f);
    assert_no_key(&old, "PrivatePIDs");
    assert_no_key(&old, "RestartSteps");
    assert_no_key(&old, "RestartMaxDelaySec");
    assert_string_equal(unit_absent(&old, "PrivatePIDs")->reason, "systemd 252 does not know it, 257 does");
    assert_string_equal(unit_absent(&old, "RestartSteps")->reason, "systemd 252 does not know it, 254 does");

    f.host = debian13;
    _cleanup_unit_ struct unit new = fixture_service(&f);
    ASSERT_LINES(&new, "PrivatePIDs=yes", "RestartSteps=5", "RestartMaxDelaySec=1min");
    fixture_close(&f);
}

static void assert_refused(const struct fixture *f, const char *text)
{
    struct error err = { 0 };
    struct unit u = { .name = (char *)"untouched" };
    assert_true(unit_build_service(&f->input, &u, &err) < 0);
    assert_string_equal(err.text, text);
    assert_string_equal(u.name, "untouched");
    error_clear(&err);
}

static void test_required_property_is_refused(void **state)
{
    struct fixture f;
    (void)state;
    open_coder(&f, "standard", (struct host){ .systemd_version = 246, .seccomp = true });
    assert_refused(&f, "Mode=standard needs PrivateIPC=: systemd 246 does not know it, 248 does");
    f.host = (struct host){ .systemd_version = 257 };
    assert_refused(&f,
                   "Mode=standard needs LockPersonality=: this systemd is built without SECCOMP and would "
                   "ignore it");
    fixture_set(&f, "Mode", "minimal");
    _cleanup_unit_ struct unit u = fixture_service(&f);
    assert_non_null(unit_property(&u, "NoNewPrivileges", 0));
    fixture_close(&f);
}

// Trap: a backslash at the end of a line joins the next one to it when systemd reads its fragment again.
static void test_description_can_not_swallow_a_line(void **state)
{
    struct fixture f;
    (void)state;
    open_coder(&f, "standard", debian12);
    free(f.spec->description);
    f.spec->description = strdup("evil\\");
    assert_refused(&f, "Description=: evil\\: a backslash at the end");
    fixture_close(&f);
}

static void test_launcher_mechanisms_are_shown_as_absent(void **state)
{
    struct fixture f;
    (void)state;
    open_coder(&f, "standard", debian13);
    _cleanup_unit_ struct unit standard = fixture_service(&f);
    assert_false(unit_absent(&standard, "Landlock")->required);
    fixture_set(&f, "Mode", "maximum");
    _cleanup_unit_ struct unit maximum = fixture_service(&f);
    assert_true(unit_absent(&maximum, "Landlock")->required);
    assert_string_equal(unit_absent(&maximum, "Landlock")->layer, "filesystem");
    fixture_set(&f, "Mode", "minimal");
    _cleanup_unit_ struct unit minimal = fixture_service(&f);
    assert_null(unit_absent(&minimal, "Landlock"));
    fixture_close(&f);
}

static void test_jit(void **state)
{
    struct fixture f;
    (void)state;
    open_coder(&f, "maximum", debian13);
    _cleanup_unit_ struct unit without = fixture_service(&f);
    ASSERT_LINES(&without, "MemoryDenyWriteExecute=yes", "SystemCallFilter=~memfd_create");
    fixture_set(&f, "Jit", "yes");
    _cleanup_unit_ struct unit with = fixture_service(&f);
    assert_no_key(&with, "MemoryDenyWriteExecute");
    assert_null(unit_property(&with, "SystemCallFilter", 2));
    fixture_close(&f);
}

static void test_egress(void **state)
{
    struct fixture f;
    (void)state;
    open_coder(&f, "standard", debian12);
    fixture_set(&f, "Allow", "10.0.0.5:5432 198.51.100.7:443 0.0.0.0/0:22 [2001:db8::]/32:443");
    fixture_set(&f, "Egress", "public"); // explicit openings of the floor only; the rest is nftables'
    _cleanup_unit_ struct unit public = fixture_service(&f);
    ASSERT_LINES(&public, "IPAddressAllow=127.0.0.0/8 ::1 10.0.0.5 198.51.100.7");
    assert_int_equal(unit_property(&public, "IPAddressDeny", 0)->prefixes.items[1].bytes[0], 10);

    fixture_set(&f, "Egress", "list");
    _cleanup_unit_ struct unit list = fixture_service(&f);
    ASSERT_LINES(&list, "IPAddressDeny=0.0.0.0/0 ::/0",
                 "IPAddressAllow=127.0.0.0/8 ::1 10.0.0.5 198.51.100.7 0.0.0.0/0 2001:db8::/32");

    fixture_set(&f, "Loopback", "none");
    fixture_set(&f, "Egress", "none");
    _cleanup_unit_ struct unit none = fixture_service(&f);
    ASSERT_LINES(&none, "IPAddressDeny=0.0.0.0/0 ::/0");
    // the empty list is there all the same, so that a running unit loses what it had
    assert_int_equal(unit_property(&none, "IPAddressAllow", 0)->prefixes.count, 0);
    fixture_close(&f);
}

static void test_workspaces_elsewhere_are_hidden_too(void **state)
{
    struct fixture f;
    (void)state;
    fixture_open(&f, "coder", "/srv/agents", debian12);
    _cleanup_unit_ struct unit standard = fixture_service(&f);
    ASSERT_LINES(&standard, "TemporaryFileSystem=/srv/agents:ro", "BindPaths=/srv/agents/coder/home",
                 "BindPaths=/srv/agents/coder/work", "WorkingDirectory=/srv/agents/coder/work");
    fixture_set(&f, "Mode", "maximum"); // /srv is empty there anyway
    _cleanup_unit_ struct unit maximum = fixture_service(&f);
    _cleanup_free_ char *text = unit_text(&maximum);
    assert_false(text_has_line(text, "TemporaryFileSystem=/srv/agents:ro"));
    assert_true(text_has_line(text, "TemporaryFileSystem=/srv:ro"));
    fixture_close(&f);
}

// systemd drops binds below an inaccessible /home without a word.
static void test_binds_below_home(void **state)
{
    struct fixture f;
    (void)state;
    open_coder(&f, "standard", debian12);
    _cleanup_unit_ struct unit closed = fixture_service(&f);
    ASSERT_LINES(&closed, "ProtectHome=yes");
    fixture_set(&f, "BindPaths", "/home/alice/project");
    _cleanup_unit_ struct unit bound = fixture_service(&f);
    ASSERT_LINES(&bound, "ProtectHome=tmpfs", "BindPaths=/home/alice/project");
    fixture_close(&f);

    fixture_open(&f, "coder", "/home/agents", debian12);
    _cleanup_unit_ struct unit there = fixture_service(&f);
    ASSERT_LINES(&there, "ProtectHome=tmpfs", "TemporaryFileSystem=/home/agents:ro");
    fixture_close(&f);
}

static void test_resolv_conf(void **state)
{
    struct fixture f;
    (void)state;
    open_coder(&f, "standard", debian12);
    f.host.resolv_conf_is_link = true;
    f.host.resolv_conf = "/run/systemd/resolve/resolv.conf";
    _cleanup_unit_ struct unit standard = fixture_service(&f);
    ASSERT_LINES(&standard, "BindReadOnlyPaths=/run/agentctl/launch/coder",
                 "BindReadOnlyPaths=/run/systemd/resolve/resolv.conf:/etc/resolv.conf");
    fixture_set(&f, "Mode", "minimal"); // sees /run as it is
    _cleanup_unit_ struct unit minimal = fixture_service(&f);
    assert_no_key(&minimal, "BindReadOnlyPaths");
    fixture_close(&f);
}

// systemd does not carry NoExecPaths=/ into mounts of its own making.
static void test_maximum_closes_every_writable_mount_to_programs(void **state)
{
    struct fixture f;
    (void)state;
    open_coder(&f, "maximum", debian13);
    fixture_set(&f, "BindPaths", "/srv/data");
    fixture_set(&f, "ExecPaths", "/var/lib/agents/coder/work");
    f.input.launcher = "/opt/agentctl/libexec/launch";
    _cleanup_unit_ struct unit u = fixture_service(&f);
    ASSERT_LINES(&u, "NoExecPaths=/ /dev/shm /tmp /var/tmp /var/lib/agents/coder/home /srv/data",
                 "ExecPaths=/usr /opt/agentctl/libexec /var/lib/agents/coder/work",
                 "BindReadOnlyPaths=/opt/agentctl/libexec");
    fixture_close(&f);
}

static void test_environment(void **state)
{
    struct fixture f;
    (void)state;
    open_coder(&f, "standard", debian12);
    fixture_set(&f, "Environment", "LANG=de_DE.UTF-8 \"A=b c\"");
    _cleanup_unit_ struct unit u = fixture_service(&f);
    const struct strv *v = &unit_property(&u, "Environment", 0)->strings;
    assert_true(strv_contains(v, "HOME=/var/lib/agents/coder/home"));
    assert_true(strv_contains(v, "USER=agent-coder"));
    assert_true(strv_contains(v, "A=b c"));
    assert_true(strv_contains(v, "LANG=de_DE.UTF-8"));
    assert_false(strv_contains(v, "LANG=C.UTF-8"));
    fixture_close(&f);
}

static void test_slice_limits(void **state)
{
    struct fixture f;
    (void)state;
    open_coder(&f, "standard", debian12);
    fixture_set(&f, "CPUQuota", "250%");
    fixture_set(&f, "MemoryMax", "512M");
    fixture_set(&f, "TasksMax", "100");
    fixture_set(&f, "IOReadBandwidthMax", "/ 10M");
    _cleanup_unit_ struct unit u = fixture_slice(&f);
    assert_string_equal(u.name, "agents-coder.slice");
    assert_int_equal(unit_property(&u, "CPUQuotaPerSecUSec", 0)->number, 2500000);
    ASSERT_LINES(&u, "[Slice]", "CPUQuota=250%", "MemoryMax=536870912", "MemoryHigh=infinity",
                 "MemorySwapMax=0", "TasksMax=100", "IOReadBandwidthMax=/ 10000000");
    fixture_set(&f, "CPUQuota", "");
    _cleanup_unit_ struct unit unlimited = fixture_slice(&f);
    ASSERT_LINES(&unlimited, "CPUQuota=");
    fixture_close(&f);
}

// Limits of a name with a dash belong to that agent's slice, not to a child of another's.
static void test_names_with_dashes(void **state)
{
    struct fixture f;
    (void)state;
    fixture_open(&f, "a-b", "/var/lib/agents", debian12);
    _cleanup_unit_ struct unit u = fixture_service(&f);
    assert_string_equal(u.name, "agent-a-b.service");
    ASSERT_LINES(&u, "Slice=agents-a\\x2db.slice");
    fixture_close(&f);
}

static void test_only_limits_and_filters_change_live(void **state)
{
    struct fixture f;
    (void)state;
    open_coder(&f, "maximum", debian13);
    _cleanup_unit_ struct unit u = fixture_service(&f);
    for (size_t i = 0; i < u.count; i++)
        assert_int_equal(u.properties[i].live, str_prefix(u.properties[i].name, "IPAddress"));
    fixture_close(&f);
}

// systemd writes durations in whole milliseconds.
static void test_durations_are_whole_milliseconds(void **state)
{
    struct fixture f;
    (void)state;
    open_coder(&f, "standard", debian12);
    f.spec->restart_usec = 1500001;
    _cleanup_unit_ struct unit u = fixture_service(&f);
    assert_int_equal(unit_property(&u, "RestartUSec", 0)->number, 1501000);
    fixture_close(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_unrestricted_has_user_and_limits_only),
        cmocka_unit_test(test_command_stays_out_of_the_unit),
        cmocka_unit_test(test_namespaces_survive_a_reload),
        cmocka_unit_test(test_bpf_is_not_sent_where_it_is_ignored),
        cmocka_unit_test(test_properties_wait_for_their_version),
        cmocka_unit_test(test_required_property_is_refused),
        cmocka_unit_test(test_description_can_not_swallow_a_line),
        cmocka_unit_test(test_launcher_mechanisms_are_shown_as_absent),
        cmocka_unit_test(test_jit),
        cmocka_unit_test(test_egress),
        cmocka_unit_test(test_workspaces_elsewhere_are_hidden_too),
        cmocka_unit_test(test_binds_below_home),
        cmocka_unit_test(test_resolv_conf),
        cmocka_unit_test(test_maximum_closes_every_writable_mount_to_programs),
        cmocka_unit_test(test_environment),
        cmocka_unit_test(test_slice_limits),
        cmocka_unit_test(test_names_with_dashes),
        cmocka_unit_test(test_only_limits_and_filters_change_live),
        cmocka_unit_test(test_durations_are_whole_milliseconds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
