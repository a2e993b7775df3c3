// Values that are lists of structures: binds, addresses, IO limits. An entry for the same place replaces the
// earlier one, so that a spec can change what its template says.
#include "spec/values.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/address.h"
#include "base/number.h"
#include "base/text.h"
#include "spec/path.h"

static int each_word(const char *value, void *field,
                     int (*parse)(const char *word, void *field, struct error *err), struct error *err)
{
    _cleanup_strv_ struct strv words = { 0 };
    int r = words_split(value, &words, err);
    for (size_t i = 0; r == 0 && i < words.count; i++) {
        r = parse(words.items[i], field, err);
        if (r < 0)
            return wrap_word(err, r, words.items[i]);
    }
    return r;
}

// Room for one more item, zeroed; NULL when there is none (errno).
static void *grow(void **items, size_t count, size_t size)
{
    if (count >= LIST_MAX) {
        errno = E2BIG;
        return NULL;
    }
    char *grown = reallocarray(*items, count + 1, size);
    if (!grown)
        return NULL;
    *items = grown;
    memset(grown + count * size, 0, size);
    return grown + count * size;
}

// --- binds ---

static int add_bind(struct bind_list *l, const char *source, const char *destination)
{
    _cleanup_free_ char *s = strdup(source);
    _cleanup_free_ char *d = strdup(destination);
    if (!s || !d)
        return -ENOMEM;
    struct bind *b = NULL;
    for (size_t i = 0; i < l->count; i++)
        if (str_equal(l->items[i].destination, destination))
            b = &l->items[i];
    if (!b) {
        void *items = l->items;
        b = grow(&items, l->count, sizeof(*b));
        l->items = items;
        if (!b)
            return -errno;
        l->count++;
    }
    free(b->source);
    free(b->destination);
    *b = (struct bind){ .source = take_ptr(s), .destination = take_ptr(d) };
    return 0;
}

static int bind_parse(const char *word, void *field, struct error *err)
{
    _cleanup_free_ char *copy = strdup(word);
    if (!copy)
        return error_oom(err);
    char *rest = copy;
    const char *first = strsep(&rest, ":");
    if (rest && strchr(rest, ':'))
        return error_class(err, ERROR_USAGE, "not SOURCE or SOURCE:DESTINATION");
    _cleanup_free_ char *source = NULL;
    _cleanup_free_ char *destination = NULL;
    int r = path_normalise(first, &source, err);
    if (r == 0)
        r = path_normalise(rest ? rest : first, &destination, err);
    return r < 0 ? r : list_error(add_bind(field, source, destination), err);
}

static int binds_parse(const struct key *key, const char *value, void *field, struct error *err)
{
    return each_word(value, field, bind_parse, err);
}

static int binds_copy(void *to, const void *from)
{
    const struct bind_list *l = from;
    int r = 0;
    for (size_t i = 0; r == 0 && i < l->count; i++)
        r = add_bind(to, l->items[i].source, l->items[i].destination);
    return r;
}

static int binds_dump(const struct key *key, const void *field, struct text *t)
{
    const struct bind_list *l = field;
    for (size_t i = 0; i < l->count; i++) {
        const struct bind *b = &l->items[i];
        text_addf(t, "%s=%s", key->name, b->source);
        if (!str_equal(b->source, b->destination))
            text_addf(t, ":%s", b->destination);
        text_add(t, "\n");
    }
    return 0;
}

static bool binds_equal(const void *a, const void *b)
{
    const struct bind_list *x = a;
    const struct bind_list *y = b;
    if (x->count != y->count)
        return false;
    for (size_t i = 0; i < x->count; i++)
        if (!str_equal(x->items[i].source, y->items[i].source) ||
            !str_equal(x->items[i].destination, y->items[i].destination))
            return false;
    return true;
}

static void binds_clear(void *field)
{
    struct bind_list *l = field;
    for (size_t i = 0; i < l->count; i++) {
        free(l->items[i].source);
        free(l->items[i].destination);
    }
    free(l->items);
    *l = (struct bind_list){ 0 };
}

const struct value_type value_binds = {
    .placeholder = "SOURCE[:DESTINATION]",
    .list = true,
    .parse = binds_parse,
    .copy = binds_copy,
    .dump = binds_dump,
    .equal = binds_equal,
    .clear = binds_clear,
};

// --- addresses with ports ---

static int add_endpoint(struct endpoint_list *l, const struct endpoint *e)
{
    for (size_t i = 0; i < l->count; i++)
        if (endpoint_equal(&l->items[i], e))
            return 0;
    void *items = l->items;
    struct endpoint *new = grow(&items, l->count, sizeof(*new));
    l->items = items;
    if (!new)
        return -errno;
    *new = *e;
    l->count++;
    return 0;
}

static int endpoint_word_parse(const char *word, void *field, struct error *err)
{
    struct endpoint e = { 0 };
    int r = endpoint_parse(word, &e, err);
    return r < 0 ? r : list_error(add_endpoint(field, &e), err);
}

static int endpoints_parse(const struct key *key, const char *value, void *field, struct error *err)
{
    return each_word(value, field, endpoint_word_parse, err);
}

static int endpoints_copy(void *to, const void *from)
{
    const struct endpoint_list *l = from;
    int r = 0;
    for (size_t i = 0; r == 0 && i < l->count; i++)
        r = add_endpoint(to, &l->items[i]);
    return r;
}

static int endpoints_dump(const struct key *key, const void *field, struct text *t)
{
    const struct endpoint_list *l = field;
    for (size_t i = 0; i < l->count; i++) {
        char buffer[ENDPOINT_TEXT_MAX];
        endpoint_format(&l->items[i], buffer);
        text_addf(t, "%s=%s\n", key->name, buffer);
    }
    return 0;
}

static bool endpoints_equal(const void *a, const void *b)
{
    const struct endpoint_list *x = a;
    const struct endpoint_list *y = b;
    if (x->count != y->count)
        return false;
    for (size_t i = 0; i < x->count; i++)
        if (!endpoint_equal(&x->items[i], &y->items[i]))
            return false;
    return true;
}

static void endpoints_clear(void *field)
{
    struct endpoint_list *l = field;
    free(l->items);
    *l = (struct endpoint_list){ 0 };
}

const struct value_type value_endpoints = {
    .placeholder = "ADDRESS[/LENGTH][:PORTS][/PROTOCOL]",
    .list = true,
    .parse = endpoints_parse,
    .copy = endpoints_copy,
    .dump = endpoints_dump,
    .equal = endpoints_equal,
    .clear = endpoints_clear,
};

// --- IO limits: PATH VALUE ---

static int add_limit(struct io_limit_list *l, const char *path, uint64_t value)
{
    for (size_t i = 0; i < l->count; i++)
        if (str_equal(l->items[i].path, path)) {
            l->items[i].value = value;
            return 0;
        }
    _cleanup_free_ char *copy = strdup(path);
    if (!copy)
        return -ENOMEM;
    void *items = l->items;
    struct io_limit *new = grow(&items, l->count, sizeof(*new));
    l->items = items;
    if (!new)
        return -errno;
    *new = (struct io_limit){ .path = take_ptr(copy), .value = value };
    l->count++;
    return 0;
}

static int limits_parse(const struct key *key, const char *value, void *field, struct error *err)
{
    _cleanup_strv_ struct strv words = { 0 };
    _cleanup_free_ char *path = NULL;
    uint64_t limit = 0;
    int r = words_split(value, &words, err);
    if (r < 0)
        return r;
    if (words.count != 2)
        return error_class(err, ERROR_USAGE, "not a path and a value: /var 10M");
    r = path_normalise(words.items[0], &path, err);
    if (r == 0)
        r = parse_rate(words.items[1], &limit, err);
    if (r < 0)
        return r;
    if (limit == 0)
        return error_class(err, ERROR_USAGE, "a limit of 0, which systemd ignores");
    return list_error(add_limit(field, path, limit), err);
}

static int limits_copy(void *to, const void *from)
{
    const struct io_limit_list *l = from;
    int r = 0;
    for (size_t i = 0; r == 0 && i < l->count; i++)
        r = add_limit(to, l->items[i].path, l->items[i].value);
    return r;
}

static int limits_dump(const struct key *key, const void *field, struct text *t)
{
    const struct io_limit_list *l = field;
    for (size_t i = 0; i < l->count; i++) {
        char buffer[NUMBER_TEXT_MAX];
        format_rate(l->items[i].value, buffer);
        text_addf(t, "%s=%s %s\n", key->name, l->items[i].path, buffer);
    }
    return 0;
}

static bool limits_equal(const void *a, const void *b)
{
    const struct io_limit_list *x = a;
    const struct io_limit_list *y = b;
    if (x->count != y->count)
        return false;
    for (size_t i = 0; i < x->count; i++)
        if (!str_equal(x->items[i].path, y->items[i].path) || x->items[i].value != y->items[i].value)
            return false;
    return true;
}

static void limits_clear(void *field)
{
    struct io_limit_list *l = field;
    for (size_t i = 0; i < l->count; i++)
        free(l->items[i].path);
    free(l->items);
    *l = (struct io_limit_list){ 0 };
}

const struct value_type value_limits = {
    .placeholder = "PATH RATE",
    .list = true,
    .parse = limits_parse,
    .copy = limits_copy,
    .dump = limits_dump,
    .equal = limits_equal,
    .clear = limits_clear,
};
