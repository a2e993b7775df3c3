// A unit as a unit file: one function a property type, in the syntax that systemd.syntax(7) and systemd
// itself use for transient units. Never decides a value.
#include "encode/unit_text.h"

#include <errno.h>
#include <inttypes.h>
#include <sched.h>

#include "base/number.h"

// '%' is systemd's specifier character in almost every value.
static void add_raw(struct text *t, const char *value)
{
    for (const char *c = value; *c; c++)
        text_add(t, *c == '%' ? "%%" : (const char[]){ *c, '\0' });
}

// One word of a list, in quotes where it needs them.
static void add_word(struct text *t, const char *word)
{
    char *items[] = { (char *)word, NULL }; // words_join() only reads
    const struct strv one = { items, 1 };
    _cleanup_free_ char *quoted = words_join(&one);
    if (quoted)
        add_raw(t, quoted);
    else
        t->failed = true;
}

static void add_words(struct text *t, const struct strv *words)
{
    for (size_t i = 0; i < words->count; i++) {
        if (i > 0)
            text_add(t, " ");
        add_word(t, words->items[i]);
    }
}

static void begin(struct text *t, const struct property *p)
{
    text_addf(t, "%s=", p->unit_key);
}

static void add_string(struct text *t, const struct property *p)
{
    begin(t, p);
    add_raw(t, p->string);
    text_add(t, "\n");
}

static void add_boolean(struct text *t, const struct property *p)
{
    text_addf(t, "%s=%s\n", p->unit_key, p->boolean ? "yes" : "no");
}

static void add_number(struct text *t, const struct property *p)
{
    if (p->number == LIMIT_INFINITY)
        text_addf(t, "%s=infinity\n", p->unit_key);
    else
        text_addf(t, "%s=%" PRIu64 "\n", p->unit_key, p->number);
}

static void add_usec(struct text *t, const struct property *p)
{
    char duration[NUMBER_TEXT_MAX];
    format_duration(p->number, duration);
    text_addf(t, "%s=%s\n", p->unit_key, duration);
}

// No quota is the empty value.
static void add_quota(struct text *t, const struct property *p)
{
    char percent[NUMBER_TEXT_MAX] = "";
    if (p->number != LIMIT_INFINITY)
        format_percent(p->number / 100, percent);
    text_addf(t, "%s=%s\n", p->unit_key, percent);
}

static void add_file_mode(struct text *t, const struct property *p)
{
    text_addf(t, "%s=%04" PRIo64 "\n", p->unit_key, p->number);
}

static void add_errno(struct text *t, const struct property *p)
{
    if (p->number == EPERM)
        text_addf(t, "%s=EPERM\n", p->unit_key);
    else
        add_number(t, p);
}

static void add_no_capabilities(struct text *t, const struct property *p)
{
    text_addf(t, "%s=\n", p->unit_key);
}

static void add_namespaces(struct text *t, const struct property *p)
{
    static const struct {
        uint64_t flag;
        const char *name;
    } names[] = {
        { CLONE_NEWCGROUP, "cgroup" }, { CLONE_NEWIPC, "ipc" }, { CLONE_NEWNET, "net" },
        { CLONE_NEWNS, "mnt" },        { CLONE_NEWPID, "pid" }, { CLONE_NEWUSER, "user" },
        { CLONE_NEWUTS, "uts" },
    };
    begin(t, p);
    const char *separator = "";
    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        if (!(p->number & names[i].flag))
            continue;
        text_addf(t, "%s%s", separator, names[i].name);
        separator = " ";
    }
    text_add(t, *separator ? "\n" : "yes\n");
}

static void add_strings(struct text *t, const struct property *p)
{
    begin(t, p);
    add_words(t, &p->strings);
    text_add(t, "\n");
}

static void add_set(struct text *t, const struct property *p)
{
    begin(t, p);
    text_add(t, p->set.allow ? "" : "~");
    add_words(t, &p->set.items);
    text_add(t, "\n");
}

// In a command line '$' begins a variable.
static void add_exec(struct text *t, const struct property *p)
{
    _cleanup_free_ char *line = words_join(&p->strings);
    if (!line) {
        t->failed = true;
        return;
    }
    begin(t, p);
    for (const char *c = line; *c; c++)
        text_add(t, *c == '%' ? "%%" : *c == '$' ? "$$" : (const char[]){ *c, '\0' });
    text_add(t, "\n");
}

static void add_binds(struct text *t, const struct property *p)
{
    for (size_t i = 0; i < p->binds.count; i++) {
        const struct bind *b = &p->binds.items[i];
        begin(t, p);
        add_raw(t, b->source);
        if (!str_equal(b->source + (*b->source == '-'), b->destination)) {
            text_add(t, ":");
            add_raw(t, b->destination);
        }
        text_add(t, "\n");
    }
}

static void add_pairs(struct text *t, const struct property *p)
{
    for (size_t i = 0; i + 1 < p->strings.count; i += 2) {
        begin(t, p);
        add_raw(t, p->strings.items[i]);
        text_addf(t, ":%s\n", p->strings.items[i + 1]); // '%' is not special in mount options
    }
}

static void add_prefixes(struct text *t, const struct property *p)
{
    if (p->prefixes.count == 0)
        return;
    begin(t, p);
    for (size_t i = 0; i < p->prefixes.count; i++) {
        char prefix[PREFIX_TEXT_MAX];
        prefix_format(&p->prefixes.items[i], prefix);
        text_addf(t, "%s%s", i > 0 ? " " : "", prefix);
    }
    text_add(t, "\n");
}

static void add_limits(struct text *t, const struct property *p)
{
    for (size_t i = 0; i < p->limits.count; i++) {
        begin(t, p);
        add_raw(t, p->limits.items[i].path);
        if (p->limits.items[i].value == LIMIT_INFINITY)
            text_add(t, " infinity\n");
        else
            text_addf(t, " %" PRIu64 "\n", p->limits.items[i].value);
    }
}

static void (*const types[PROPERTY_TYPE_COUNT])(struct text *t, const struct property *p) = {
    [PROPERTY_STRING] = add_string,
    [PROPERTY_BOOLEAN] = add_boolean,
    [PROPERTY_UINT64] = add_number,
    [PROPERTY_UINT32] = add_number,
    [PROPERTY_INT32] = add_number,
    [PROPERTY_USEC] = add_usec,
    [PROPERTY_QUOTA] = add_quota,
    [PROPERTY_FILE_MODE] = add_file_mode,
    [PROPERTY_ERRNO] = add_errno,
    [PROPERTY_CAPABILITIES] = add_no_capabilities,
    [PROPERTY_NAMESPACES] = add_namespaces,
    [PROPERTY_STRINGS] = add_strings,
    [PROPERTY_SET] = add_set,
    [PROPERTY_EXEC] = add_exec,
    [PROPERTY_BINDS] = add_binds,
    [PROPERTY_STRING_PAIRS] = add_pairs,
    [PROPERTY_PREFIXES] = add_prefixes,
    [PROPERTY_DEVICE_LIMITS] = add_limits,
};

char *unit_text(const struct unit *u)
{
    _cleanup_text_ struct text t = { 0 };
    const char *section = NULL;
    for (size_t i = 0; i < u->count; i++) {
        const struct property *p = &u->properties[i];
        if (!str_equal(section, p->section)) {
            text_addf(&t, "%s[%s]\n", section ? "\n" : "", p->section);
            section = p->section;
        }
        types[p->type](&t, p);
    }
    return text_take(&t);
}
