// A unit's properties as the a(sv) of StartTransientUnit and SetUnitProperties: one function a property type.
// Builds messages; never sends one.
#include "encode/unit_message.h"

#include <sys/mount.h>
#include <sys/socket.h>

static int append_string(sd_bus_message *m, const struct property *p)
{
    return sd_bus_message_append_basic(m, 's', p->string);
}

static int append_boolean(sd_bus_message *m, const struct property *p)
{
    int value = p->boolean;
    return sd_bus_message_append_basic(m, 'b', &value);
}

static int append_uint64(sd_bus_message *m, const struct property *p)
{
    return sd_bus_message_append_basic(m, 't', &p->number);
}

static int append_uint32(sd_bus_message *m, const struct property *p)
{
    uint32_t value = p->number < UINT32_MAX ? (uint32_t)p->number : UINT32_MAX;
    return sd_bus_message_append_basic(m, 'u', &value);
}

static int append_int32(sd_bus_message *m, const struct property *p)
{
    int32_t value = (int32_t)p->number;
    return sd_bus_message_append_basic(m, 'i', &value);
}

static int append_strv(sd_bus_message *m, const struct strv *v)
{
    static char *none[] = { NULL };
    return sd_bus_message_append_strv(m, v->count > 0 ? v->items : none);
}

static int append_strings(sd_bus_message *m, const struct property *p)
{
    return append_strv(m, &p->strings);
}

static int append_set(sd_bus_message *m, const struct property *p)
{
    int r = sd_bus_message_open_container(m, 'r', "bas");
    if (r >= 0)
        r = sd_bus_message_append(m, "b", p->set.allow);
    if (r >= 0)
        r = append_strv(m, &p->set.items);
    return r < 0 ? r : sd_bus_message_close_container(m);
}

// One command line, whose failure counts. Path and argv[0] are the same.
static int append_exec(sd_bus_message *m, const struct property *p)
{
    int r = sd_bus_message_open_container(m, 'a', "(sasb)");
    if (r >= 0)
        r = sd_bus_message_open_container(m, 'r', "sasb");
    if (r >= 0)
        r = sd_bus_message_append(m, "s", p->strings.items[0]);
    if (r >= 0)
        r = append_strv(m, &p->strings);
    if (r >= 0)
        r = sd_bus_message_append(m, "b", 0);
    if (r >= 0)
        r = sd_bus_message_close_container(m);
    return r < 0 ? r : sd_bus_message_close_container(m);
}

static int append_binds(sd_bus_message *m, const struct property *p)
{
    int r = sd_bus_message_open_container(m, 'a', "(ssbt)");
    for (size_t i = 0; r >= 0 && i < p->binds.count; i++) {
        const struct bind *b = &p->binds.items[i];
        int may_be_absent = *b->source == '-';
        r = sd_bus_message_append(m, "(ssbt)", b->source + may_be_absent, b->destination, may_be_absent,
                                  (uint64_t)MS_REC);
    }
    return r < 0 ? r : sd_bus_message_close_container(m);
}

static int append_pairs(sd_bus_message *m, const struct property *p)
{
    int r = sd_bus_message_open_container(m, 'a', "(ss)");
    for (size_t i = 0; r >= 0 && i + 1 < p->strings.count; i += 2)
        r = sd_bus_message_append(m, "(ss)", p->strings.items[i], p->strings.items[i + 1]);
    return r < 0 ? r : sd_bus_message_close_container(m);
}

static int append_prefix(sd_bus_message *m, const struct prefix *prefix)
{
    bool v6 = prefix->family == FAMILY_IPV6;
    int r = sd_bus_message_open_container(m, 'r', "iayu");
    if (r >= 0)
        r = sd_bus_message_append(m, "i", v6 ? AF_INET6 : AF_INET);
    if (r >= 0)
        r = sd_bus_message_append_array(m, 'y', prefix->bytes, v6 ? 16 : 4);
    if (r >= 0)
        r = sd_bus_message_append(m, "u", (uint32_t)prefix->length);
    return r < 0 ? r : sd_bus_message_close_container(m);
}

static int append_prefixes(sd_bus_message *m, const struct property *p)
{
    int r = sd_bus_message_open_container(m, 'a', "(iayu)");
    for (size_t i = 0; r >= 0 && i < p->prefixes.count; i++)
        r = append_prefix(m, &p->prefixes.items[i]);
    return r < 0 ? r : sd_bus_message_close_container(m);
}

static int append_limits(sd_bus_message *m, const struct property *p)
{
    int r = sd_bus_message_open_container(m, 'a', "(st)");
    for (size_t i = 0; r >= 0 && i < p->limits.count; i++)
        r = sd_bus_message_append(m, "(st)", p->limits.items[i].path, p->limits.items[i].value);
    return r < 0 ? r : sd_bus_message_close_container(m);
}

static const struct {
    const char *signature;
    int (*append)(sd_bus_message *m, const struct property *p);
} types[PROPERTY_TYPE_COUNT] = {
    [PROPERTY_STRING] = { "s", append_string },
    [PROPERTY_BOOLEAN] = { "b", append_boolean },
    [PROPERTY_UINT64] = { "t", append_uint64 },
    [PROPERTY_UINT32] = { "u", append_uint32 },
    [PROPERTY_INT32] = { "i", append_int32 },
    [PROPERTY_USEC] = { "t", append_uint64 },
    [PROPERTY_QUOTA] = { "t", append_uint64 },
    [PROPERTY_FILE_MODE] = { "u", append_uint32 },
    [PROPERTY_ERRNO] = { "i", append_int32 },
    [PROPERTY_CAPABILITIES] = { "t", append_uint64 },
    [PROPERTY_NAMESPACES] = { "t", append_uint64 },
    [PROPERTY_STRINGS] = { "as", append_strings },
    [PROPERTY_SET] = { "(bas)", append_set },
    [PROPERTY_EXEC] = { "a(sasb)", append_exec },
    [PROPERTY_BINDS] = { "a(ssbt)", append_binds },
    [PROPERTY_STRING_PAIRS] = { "a(ss)", append_pairs },
    [PROPERTY_PREFIXES] = { "a(iayu)", append_prefixes },
    [PROPERTY_DEVICE_LIMITS] = { "a(st)", append_limits },
};

static int append_property(sd_bus_message *m, const struct property *p, struct error *err)
{
    const char *signature = types[p->type].signature;
    int r = sd_bus_message_open_container(m, 'r', "sv");
    if (r >= 0)
        r = sd_bus_message_append(m, "s", p->name);
    if (r >= 0)
        r = sd_bus_message_open_container(m, 'v', signature);
    if (r >= 0)
        r = types[p->type].append(m, p);
    if (r >= 0)
        r = sd_bus_message_close_container(m);
    if (r >= 0)
        r = sd_bus_message_close_container(m);
    return r < 0 ? error_errno(err, -r, "cannot put %s into a message", p->name) : 0;
}

int unit_message_append(sd_bus_message *m, const struct unit *u, struct error *err)
{
    int r = sd_bus_message_open_container(m, 'a', "(sv)");
    if (r < 0)
        return error_errno(err, -r, "cannot build a message");
    for (size_t i = 0; i < u->count; i++) {
        r = append_property(m, &u->properties[i], err);
        if (r < 0)
            return r;
    }
    r = sd_bus_message_close_container(m);
    return r < 0 ? error_errno(err, -r, "cannot build a message") : 0;
}

static bool adds_up(enum property_type type)
{
    return type == PROPERTY_PREFIXES || type == PROPERTY_DEVICE_LIMITS;
}

static bool is_empty(const struct property *p)
{
    return p->type == PROPERTY_PREFIXES ? p->prefixes.count == 0 : p->limits.count == 0;
}

static int append_live(sd_bus_message *m, const struct property *p, struct error *err)
{
    if (adds_up(p->type) && !is_empty(p)) {
        struct property none = { .name = p->name, .type = p->type };
        int r = append_property(m, &none, err);
        if (r < 0)
            return r;
    }
    return append_property(m, p, err);
}

int unit_message_append_live(sd_bus_message *m, const struct unit *u, struct error *err)
{
    int r = sd_bus_message_open_container(m, 'a', "(sv)");
    if (r < 0)
        return error_errno(err, -r, "cannot build a message");
    for (size_t i = 0; i < u->count; i++) {
        r = u->properties[i].live ? append_live(m, &u->properties[i], err) : 0;
        if (r < 0)
            return r;
    }
    r = sd_bus_message_close_container(m);
    return r < 0 ? error_errno(err, -r, "cannot build a message") : 0;
}
