// Where specs, templates, agentctl.conf and launch files are and how a spec's templates come together. Never
// takes a steering file that somebody else than root could have written.
#include "sys/store.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "config.h"
#include "sys/file_io.h"

#define SPEC_SUFFIX ".agent"
#define TEMPLATE_NAME_MAX 64
#define TEMPLATE_DEPTH_MAX 16
#define SPEC_FILE_MODE 0644

// In the order of precedence.
static const char *const template_directories[] = { TEMPLATE_OVERRIDE_DIRECTORY, TEMPLATE_DIRECTORY };

int store_read_conf(struct conf *ret, struct error *err)
{
    _cleanup_free_ char *text = NULL;
    size_t n = 0;
    int r = file_read(CONF_FILE, FILE_ROOT, FILE_SIZE_MAX, &text, &n, err);
    if (r < 0 && r != -ENOENT)
        return r;
    _cleanup_conf_ struct conf conf = { 0 };
    r = conf_init(&conf, err);
    if (r < 0)
        return r;
    if (text) {
        r = conf_parse(&conf, CONF_FILE, text, n, err);
        if (r < 0)
            return r;
    }
    *ret = conf;
    conf = (struct conf){ 0 };
    return 0;
}

// A template's name is a file name within its directories and nothing else.
static bool template_name_valid(const char *name)
{
    static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.";
    size_t n = strlen(name);
    return n > 0 && n <= TEMPLATE_NAME_MAX && name[0] != '.' && strspn(name, allowed) == n;
}

// Adds the valid names of a directory's spec files.
static int list_specs(const char *directory, bool (*valid)(const char *name), struct strv *names,
                      struct error *err)
{
    _cleanup_closedir_ DIR *d = opendir(directory);
    if (!d)
        return errno == ENOENT ? 0 : error_errno(err, errno, "cannot read %s", directory);
    for (;;) {
        errno = 0;
        const struct dirent *entry = readdir(d);
        if (!entry)
            return errno == 0 ? 0 : error_errno(err, errno, "cannot read %s", directory);
        if (!str_suffix(entry->d_name, SPEC_SUFFIX))
            continue;
        size_t n = strlen(entry->d_name) - strlen(SPEC_SUFFIX);
        _cleanup_free_ char *name = strndup(entry->d_name, n);
        if (!name)
            return error_oom(err);
        if (valid(name) && strv_take(names, take_ptr(name)) < 0)
            return error_oom(err);
    }
}

static int compare_strings(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

// Sorts them and drops those that are there twice: a template of /etc that overrides one of the installation.
static void hand_over_sorted(struct strv *names, struct strv *ret)
{
    size_t kept = 0;
    if (names->count > 0)
        qsort(names->items, names->count, sizeof(*names->items), compare_strings);
    for (size_t i = 0; i < names->count; i++) {
        if (kept > 0 && str_equal(names->items[kept - 1], names->items[i]))
            free(names->items[i]);
        else
            names->items[kept++] = names->items[i];
    }
    if (names->items)
        names->items[kept] = NULL;
    names->count = kept;
    *ret = *names;
    *names = (struct strv){ 0 };
}

int store_list_agents(struct strv *ret, struct error *err)
{
    _cleanup_strv_ struct strv names = { 0 };
    int r = list_specs(SPEC_DIRECTORY, agent_name_valid, &names, err);
    if (r < 0)
        return r;
    hand_over_sorted(&names, ret);
    return 0;
}

int store_list_templates(struct strv *ret, struct error *err)
{
    _cleanup_strv_ struct strv names = { 0 };
    for (size_t i = 0; i < ARRAY_SIZE(template_directories); i++) {
        int r = list_specs(template_directories[i], template_name_valid, &names, err);
        if (r < 0)
            return r;
    }
    hand_over_sorted(&names, ret);
    return 0;
}

static int parse_text(const char *file, const char *text, size_t n, struct spec **ret, struct error *err)
{
    _cleanup_spec_ struct spec *spec = spec_new();
    if (!spec)
        return error_oom(err);
    int r = spec_parse(spec, file, text, n, err);
    if (r < 0)
        return r;
    *ret = take_ptr(spec);
    return 0;
}

// -ENOENT without text in err if there is no such file.
static int parse_file(const char *path, enum file_trust trust, struct spec **ret, struct error *err)
{
    _cleanup_free_ char *text = NULL;
    size_t n = 0;
    int r = file_read(path, trust, FILE_SIZE_MAX, &text, &n, err);
    if (r < 0)
        return r;
    return parse_text(path, text, n, ret, err);
}

int store_read_spec(const struct agent_names *names, struct spec **ret, struct error *err)
{
    int r = parse_file(names->spec_file, FILE_ROOT, ret, err);
    if (r != -ENOENT)
        return r;
    *ret = NULL;
    return 0;
}

int store_parse_file(const char *path, struct spec **ret, struct error *err)
{
    if (!str_equal(path, "-")) {
        int r = parse_file(path, FILE_ANY, ret, err);
        return r == -ENOENT ? error_errno(err, ENOENT, "cannot open %s", path) : r;
    }
    _cleanup_free_ char *text = NULL;
    size_t n = 0;
    int r = file_read_fd(STDIN_FILENO, "standard input", FILE_SIZE_MAX, &text, &n, err);
    if (r < 0)
        return r;
    return parse_text("-", text, n, ret, err);
}

static const char *template_candidate(size_t i, const void *userdata)
{
    const struct strv *names = userdata;
    return i < names->count ? names->items[i] : NULL;
}

static int no_such_template(const char *name, struct error *err)
{
    _cleanup_strv_ struct strv names = { 0 };
    int r = store_list_templates(&names, err);
    if (r < 0)
        return r;
    const char *nearest = nearest_name(name, template_candidate, &names);
    if (nearest)
        return error_class(err, ERROR_USAGE, "no such template (did you mean %s?)", nearest);
    return error_class(err, ERROR_USAGE, "no such template in %s or %s", template_directories[0],
                       template_directories[1]);
}

static int read_template(const char *name, struct spec **ret, struct error *err)
{
    if (!template_name_valid(name))
        return error_class(err, ERROR_USAGE, "not a template's name (letters, digits, '-', '_', '.')");
    for (size_t i = 0; i < ARRAY_SIZE(template_directories); i++) {
        _cleanup_free_ char *path = NULL;
        if (asprintf(&path, "%s/%s" SPEC_SUFFIX, template_directories[i], name) < 0) {
            path = NULL;
            return error_oom(err);
        }
        int r = parse_file(path, FILE_ROOT, ret, err);
        if (r != -ENOENT)
            return r;
    }
    return no_such_template(name, err);
}

struct template_chain {
    struct strv names; // the nearest first
    struct spec *specs[TEMPLATE_DEPTH_MAX];
};

static void chain_clear(struct template_chain *c)
{
    for (size_t i = 0; i < ARRAY_SIZE(c->specs); i++)
        (void)spec_free(c->specs[i]);
    strv_clear(&c->names);
}

static int extend_chain(struct template_chain *c, const char *name, struct error *err)
{
    bool seen = strv_contains(&c->names, name);
    if (strv_add(&c->names, name) < 0)
        return error_oom(err);
    if (seen)
        return error_class(err, ERROR_USAGE, "a template that builds on itself");
    if (c->names.count > TEMPLATE_DEPTH_MAX)
        return error_class(err, ERROR_USAGE, "more than %d templates", TEMPLATE_DEPTH_MAX);
    return read_template(name, &c->specs[c->names.count - 1], err);
}

static int read_chain(const struct spec *own, struct template_chain *c, struct error *err)
{
    for (const char *name = own->template_name; name; name = c->specs[c->names.count - 1]->template_name) {
        int r = extend_chain(c, name, err);
        if (r < 0) {
            _cleanup_free_ char *path = strv_join(&c->names, " -> ");
            return error_wrap(err, r, "Template=%s", path ? path : name);
        }
    }
    return 0;
}

int store_effective_spec(const struct conf *conf, const struct spec *own, const char *agent,
                         struct spec **ret, struct error *err)
{
    _cleanup_(chain_clear) struct template_chain chain = { 0 };
    int r = read_chain(own, &chain, err);
    if (r < 0)
        return error_wrap(err, r, "agent %s", agent);
    _cleanup_spec_ struct spec *spec = spec_new();
    if (!spec)
        return error_oom(err);
    r = spec_merge(spec, conf->defaults, err);
    if (r < 0)
        return r;
    for (size_t i = chain.names.count; i-- > 0;) {
        r = spec_merge(spec, chain.specs[i], err);
        if (r < 0)
            return r;
    }
    r = spec_merge(spec, own, err);
    if (r < 0)
        return r;
    r = spec_check(spec, agent, err);
    if (r < 0)
        return r;
    *ret = take_ptr(spec);
    return 0;
}

int store_write_spec(const struct agent_names *names, const struct spec *own, struct error *err)
{
    _cleanup_free_ char *text = spec_dump(own);
    if (!text)
        return error_oom(err);
    return file_write(names->spec_file, text, strlen(text), SPEC_FILE_MODE, err);
}

int store_remove_spec(const struct agent_names *names, struct error *err)
{
    return file_remove(names->spec_file, err);
}

int store_write_launch(const struct agent_names *names, const char *text, struct error *err)
{
    return file_write(names->launch_file, text, strlen(text), SPEC_FILE_MODE, err);
}

int store_read_launch(const struct agent_names *names, char **ret, struct error *err)
{
    size_t n = 0;
    int r = file_read(names->launch_file, FILE_ROOT, FILE_SIZE_MAX, ret, &n, err);
    if (r != -ENOENT)
        return r;
    *ret = NULL;
    return 0;
}

int store_remove_launch(const struct agent_names *names, struct error *err)
{
    return file_remove(names->launch_file, err);
}

int store_write_file(const char *path, const char *data, size_t n, unsigned mode, struct error *err)
{
    return file_write(path, data, n, mode, err);
}

int store_read_file(const char *path, char **ret, size_t *ret_n, struct error *err)
{
    return file_read(path, FILE_REGULAR, FILE_SIZE_MAX, ret, ret_n, err);
}
