// D-Bus messages of units, built on a bus that nobody listens to and read back value by value.
#include "unit_fixture.h"

#include <sys/socket.h>
#include <unistd.h>

#include "encode/unit_message.h"

// A bus object is enough to build messages: its other end is a socket that never answers.
struct bus {
    sd_bus *bus;
    sd_bus_message *m;
    int other_end;
};

static void bus_open(struct bus *b)
{
    int fds[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
    assert_true(sd_bus_new(&b->bus) >= 0);
    assert_true(sd_bus_set_fd(b->bus, fds[0], fds[0]) >= 0);
    assert_true(sd_bus_start(b->bus) >= 0);
    assert_true(sd_bus_message_new_method_call(b->bus, &b->m, "a.b", "/a", "a.b", "C") >= 0);
    b->other_end = fds[1];
}

static void bus_close(struct bus *b)
{
    (void)sd_bus_message_unref(b->m);
    (void)sd_bus_close_unref(b->bus);
    (void)close(b->other_end);
}

static void bus_rewind(struct bus *b)
{
    assert_true(sd_bus_message_seal(b->m, 1, 0) >= 0);
    assert_true(sd_bus_message_rewind(b->m, true) >= 0);
    assert_true(sd_bus_message_enter_container(b->m, 'a', "(sv)") > 0);
}

// What systemd's manager takes (org.freedesktop.systemd1(5)).
static const char *const signatures[PROPERTY_TYPE_COUNT] = {
    [PROPERTY_STRING] = "s",         [PROPERTY_BOOLEAN] = "b",
    [PROPERTY_UINT64] = "t",         [PROPERTY_UINT32] = "u",
    [PROPERTY_INT32] = "i",          [PROPERTY_USEC] = "t",
    [PROPERTY_QUOTA] = "t",          [PROPERTY_FILE_MODE] = "u",
    [PROPERTY_ERRNO] = "i",          [PROPERTY_CAPABILITIES] = "t",
    [PROPERTY_NAMESPACES] = "t",     [PROPERTY_STRINGS] = "as",
    [PROPERTY_SET] = "(bas)",        [PROPERTY_EXEC] = "a(sasb)",
    [PROPERTY_BINDS] = "a(ssbt)",    [PROPERTY_STRING_PAIRS] = "a(ss)",
    [PROPERTY_PREFIXES] = "a(iayu)", [PROPERTY_DEVICE_LIMITS] = "a(st)",
};

static void read_string(sd_bus_message *m, const char *expected)
{
    const char *s = NULL;
    assert_true(sd_bus_message_read(m, "s", &s) > 0);
    assert_string_equal(s, expected);
}

static void read_strings(sd_bus_message *m, const struct strv *expected)
{
    assert_true(sd_bus_message_enter_container(m, 'a', "s") > 0);
    for (size_t i = 0; i < expected->count; i++)
        read_string(m, expected->items[i]);
    assert_true(sd_bus_message_at_end(m, false));
    assert_true(sd_bus_message_exit_container(m) > 0);
}

static void read_boolean(sd_bus_message *m, bool expected)
{
    int b = -1;
    assert_true(sd_bus_message_read(m, "b", &b) > 0);
    assert_int_equal(b, expected);
}

static void read_uint64(sd_bus_message *m, uint64_t expected)
{
    uint64_t t = 0;
    assert_true(sd_bus_message_read(m, "t", &t) > 0);
    assert_int_equal(t, expected);
}

static void read_set(sd_bus_message *m, const struct property *p)
{
    assert_true(sd_bus_message_enter_container(m, 'r', "bas") > 0);
    read_boolean(m, p->set.allow);
    read_strings(m, &p->set.items);
    assert_true(sd_bus_message_exit_container(m) > 0);
}

static void read_exec(sd_bus_message *m, const struct property *p)
{
    assert_true(sd_bus_message_enter_container(m, 'r', "sasb") > 0);
    read_string(m, p->strings.items[0]);
    read_strings(m, &p->strings);
    read_boolean(m, false);
    assert_true(sd_bus_message_exit_container(m) > 0);
}

static void read_binds(sd_bus_message *m, const struct property *p)
{
    for (size_t i = 0; i < p->binds.count; i++) {
        const char *source = p->binds.items[i].source;
        assert_true(sd_bus_message_enter_container(m, 'r', "ssbt") > 0);
        read_string(m, *source == '-' ? source + 1 : source);
        read_string(m, p->binds.items[i].destination);
        read_boolean(m, *source == '-');
        read_uint64(m, 0x4000); // MS_REC
        assert_true(sd_bus_message_exit_container(m) > 0);
    }
}

static void read_pairs(sd_bus_message *m, const struct property *p)
{
    for (size_t i = 0; i < p->strings.count; i += 2) {
        assert_true(sd_bus_message_enter_container(m, 'r', "ss") > 0);
        read_string(m, p->strings.items[i]);
        read_string(m, p->strings.items[i + 1]);
        assert_true(sd_bus_message_exit_container(m) > 0);
    }
}

static void read_prefixes(sd_bus_message *m, const struct property *p)
{
    for (size_t i = 0; i < p->prefixes.count; i++) {
        const struct prefix *prefix = &p->prefixes.items[i];
        bool v6 = prefix->family == FAMILY_IPV6;
        int32_t family = 0;
        uint32_t length = 0;
        const void *bytes = NULL;
        size_t n = 0;
        assert_true(sd_bus_message_enter_container(m, 'r', "iayu") > 0);
        assert_true(sd_bus_message_read(m, "i", &family) > 0);
        assert_int_equal(family, v6 ? AF_INET6 : AF_INET);
        assert_true(sd_bus_message_read_array(m, 'y', &bytes, &n) > 0);
        assert_int_equal(n, v6 ? 16 : 4);
        assert_memory_equal(bytes, prefix->bytes, n);
        assert_true(sd_bus_message_read(m, "u", &length) > 0);
        assert_int_equal(length, prefix->length);
        assert_true(sd_bus_message_exit_container(m) > 0);
    }
}

static void read_limits(sd_bus_message *m, const struct property *p)
{
    for (size_t i = 0; i < p->limits.count; i++) {
        assert_true(sd_bus_message_enter_container(m, 'r', "st") > 0);
        read_string(m, p->limits.items[i].path);
        read_uint64(m, p->limits.items[i].value);
        assert_true(sd_bus_message_exit_container(m) > 0);
    }
}

static void read_number(sd_bus_message *m, const struct property *p)
{
    char type = *signatures[p->type];
    uint64_t t = 0;
    uint32_t u = 0;
    if (type == 't')
        assert_true(sd_bus_message_read(m, "t", &t) > 0);
    else
        assert_true(sd_bus_message_read_basic(m, type, &u) > 0);
    assert_int_equal(type == 't' ? t : u, p->number);
}

// A value whose outermost container is an array.
static void read_array(sd_bus_message *m, const struct property *p,
                       void (*read_items)(sd_bus_message *m, const struct property *p))
{
    assert_true(sd_bus_message_enter_container(m, 'a', signatures[p->type] + 1) > 0);
    read_items(m, p);
    assert_true(sd_bus_message_at_end(m, false));
    assert_true(sd_bus_message_exit_container(m) > 0);
}

static void read_value(sd_bus_message *m, const struct property *p)
{
    switch (p->type) {
    case PROPERTY_STRING:
        read_string(m, p->string);
        break;
    case PROPERTY_BOOLEAN:
        read_boolean(m, p->boolean);
        break;
    case PROPERTY_STRINGS:
        read_strings(m, &p->strings);
        break;
    case PROPERTY_SET:
        read_set(m, p);
        break;
    case PROPERTY_EXEC:
        read_array(m, p, read_exec);
        break;
    case PROPERTY_BINDS:
        read_array(m, p, read_binds);
        break;
    case PROPERTY_STRING_PAIRS:
        read_array(m, p, read_pairs);
        break;
    case PROPERTY_PREFIXES:
        read_array(m, p, read_prefixes);
        break;
    case PROPERTY_DEVICE_LIMITS:
        read_array(m, p, read_limits);
        break;
    default:
        read_number(m, p);
    }
}

static void read_property(sd_bus_message *m, const struct property *p)
{
    assert_true(sd_bus_message_enter_container(m, 'r', "sv") > 0);
    read_string(m, p->name);
    assert_true(sd_bus_message_enter_container(m, 'v', signatures[p->type]) > 0);
    read_value(m, p);
    assert_true(sd_bus_message_exit_container(m) > 0);
    assert_true(sd_bus_message_exit_container(m) > 0);
}

static void read_end(struct bus *b)
{
    assert_true(sd_bus_message_at_end(b->m, false));
    assert_true(sd_bus_message_exit_container(b->m) > 0);
    assert_true(sd_bus_message_at_end(b->m, true));
}

static void check_unit(const struct unit *u)
{
    struct error err = { 0 };
    struct bus b;
    bus_open(&b);
    assert_int_equal(unit_message_append(b.m, u, &err), 0);
    bus_rewind(&b);
    assert_true(u->count > 0);
    for (size_t i = 0; i < u->count; i++)
        read_property(b.m, &u->properties[i]);
    read_end(&b);
    bus_close(&b);
}

static void open_rich(struct fixture *f, enum mode mode, struct host host)
{
    fixture_open(f, "coder", "/var/lib/agents", host);
    fixture_set(f, "Mode", mode_name(mode));
    fixture_set(f, "Command", "/usr/bin/python3 agent.py");
    fixture_set(f, "Description", "100% of $HOME; \"quoted\"");
    fixture_set(f, "Environment", "\"A=b c%d $x\"");
    fixture_set(f, "BindPaths", "/srv/data:/data");
    fixture_set(f, "CPUQuota", "150%");
    fixture_set(f, "IOReadBandwidthMax", "/ 10M");
    fixture_set(f, "IOReadBandwidthMax", "/srv 20M");
    fixture_set(f, "Allow", "10.0.0.5:5432 [2001:db8::]/32:443");
}

static void test_every_mode_reads_back(void **state)
{
    const struct host hosts[] = { debian12, debian13 };
    (void)state;
    for (enum mode mode = 0; mode < MODE_COUNT; mode++)
        for (size_t i = 0; i < ARRAY_SIZE(hosts); i++) {
            struct fixture f;
            open_rich(&f, mode, hosts[i]);
            _cleanup_unit_ struct unit service = fixture_service(&f);
            _cleanup_unit_ struct unit slice = fixture_slice(&f);
            check_unit(&service);
            check_unit(&slice);
            fixture_close(&f);
        }
}

static void test_a_source_that_may_be_absent(void **state)
{
    struct bind bind = { (char *)"-/srv/data", (char *)"/data" };
    struct property p = { .name = "BindPaths", .type = PROPERTY_BINDS, .binds = { &bind, 1 } };
    const struct unit u = { .properties = &p, .count = 1 };
    (void)state;
    check_unit(&u);
}

// What is changed in a running unit adds to what it has, unless the list is emptied before.
static void test_live_lists_are_emptied_first(void **state)
{
    struct error err = { 0 };
    struct fixture f;
    struct bus b;
    (void)state;
    open_rich(&f, MODE_STANDARD, debian12);
    _cleanup_unit_ struct unit service = fixture_service(&f);
    bus_open(&b);
    assert_int_equal(unit_message_append_live(b.m, &service, &err), 0);
    bus_rewind(&b);
    static const char *const names[] = { "IPAddressDeny", "IPAddressAllow" };
    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        const struct property none = { .name = names[i], .type = PROPERTY_PREFIXES };
        read_property(b.m, &none);
        read_property(b.m, unit_property(&service, names[i], 0));
    }
    read_end(&b);
    bus_close(&b);
    fixture_close(&f);
}

static void test_live_limits(void **state)
{
    struct error err = { 0 };
    struct fixture f;
    struct bus b;
    (void)state;
    fixture_open(&f, "coder", "/var/lib/agents", debian12); // no IO limits: four empty lists, once each
    _cleanup_unit_ struct unit slice = fixture_slice(&f);
    bus_open(&b);
    assert_int_equal(unit_message_append_live(b.m, &slice, &err), 0);
    bus_rewind(&b);
    for (size_t i = 0; i < slice.count; i++)
        if (slice.properties[i].live)
            read_property(b.m, &slice.properties[i]);
    read_end(&b);
    bus_close(&b);
    fixture_close(&f);
}

static void test_error_names_the_property(void **state)
{
    struct error err = { 0 };
    struct fixture f;
    struct bus b;
    (void)state;
    open_rich(&f, MODE_STANDARD, debian12);
    _cleanup_unit_ struct unit service = fixture_service(&f);
    bus_open(&b);
    free(service.properties[0].string);
    service.properties[0].string = strdup("\xff"); // D-Bus strings are UTF-8
    assert_true(unit_message_append(b.m, &service, &err) < 0);
    assert_string_equal(err.text, "cannot put Description into a message: Invalid argument");
    error_clear(&err);
    bus_close(&b);
    fixture_close(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_mode_reads_back),
        cmocka_unit_test(test_a_source_that_may_be_absent),
        cmocka_unit_test(test_live_lists_are_emptied_first),
        cmocka_unit_test(test_live_limits),
        cmocka_unit_test(test_error_names_the_property),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
