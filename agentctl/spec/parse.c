// Lines and options to fields of a spec, through the key table. Reports every problem; must never accept a
// section or key that the table does not hold.
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "spec/assign.h"
#include "spec/key.h"

// --- one key ---

static int parse_value(const struct key *key, const char *value, void *field, struct error *err)
{
    if (!*value && key->fallback)
        return key->type->parse(key, key->fallback, field, err);
    size_t n = strlen(value);
    size_t backslashes = 0;
    while (backslashes < n && value[n - 1 - backslashes] == '\\')
        backslashes++;
    if (backslashes % 2 == 1) // written to a file, it would swallow the next line
        return error_class(err, ERROR_USAGE, "a backslash at the end");
    return key->type->parse(key, value, field, err);
}

static int assign(struct spec *s, const struct key *key, const char *value, struct error *err)
{
    void *field = key_field(s, key);
    if (key->type->list && !*value) {
        key->type->clear(field);
        s->reset |= key_bit(key);
    } else {
        int r = parse_value(key, value, field, err);
        if (r < 0)
            return r;
    }
    s->assigned |= key_bit(key);
    spec_resolve(s);
    return 0;
}

// --- the nearest names ---

static const char *section_candidate(size_t i, const void *userdata)
{
    return i < spec_key_count ? spec_keys[i].section : NULL;
}

static const char *name_candidate(size_t i, const void *section)
{
    for (size_t k = 0; k < spec_key_count; k++) {
        if (section && !str_equal(spec_keys[k].section, section))
            continue;
        if (i-- == 0)
            return spec_keys[k].name;
    }
    return NULL;
}

// Options first, then keys.
static const char *option_candidate(size_t i, const void *userdata)
{
    for (size_t k = 0; k < spec_key_count; k++)
        if (spec_keys[k].option && i-- == 0)
            return spec_keys[k].option;
    return name_candidate(i, NULL);
}

static const char *nearest_section(const char *section)
{
    return key_is_section(section) ? section : nearest_name(section, section_candidate, NULL);
}

static int unknown_key(const char *section, const char *name, struct error *err)
{
    const struct key *elsewhere = key_find_name(name);
    if (elsewhere)
        return error_class(err, ERROR_USAGE, "not a key of this section; it belongs to [%s]",
                           elsewhere->section);
    const char *nearest = nearest_name(name, name_candidate, section);
    if (nearest)
        return error_class(err, ERROR_USAGE, "unknown key; did you mean %s=?", nearest);
    nearest = nearest_name(name, name_candidate, NULL);
    if (nearest)
        return error_class(err, ERROR_USAGE, "unknown key; did you mean %s= of [%s]?", nearest,
                           key_find_name(nearest)->section);
    return error_class(err, ERROR_USAGE, "unknown key");
}

// --- files ---

static int header_line(const char *file, const struct spec_line *line, struct error *err)
{
    if (key_is_section(line->section))
        return 0;
    const char *nearest = nearest_section(line->section);
    if (nearest)
        (void)error_add(err, ERROR_USAGE, "%s:%u: [%s]: unknown section; did you mean [%s]?", file,
                        line->number, line->section, nearest);
    else
        (void)error_add(err, ERROR_USAGE, "%s:%u: [%s]: unknown section", file, line->number, line->section);
    return 1;
}

static int homeless_line(const char *file, const struct spec_line *line, struct error *err)
{
    const struct key *key = key_find_name(line->key);
    if (key)
        (void)error_add(err, ERROR_USAGE, "%s:%u: %s=: outside of a section; it belongs to [%s]", file,
                        line->number, line->key, key->section);
    else
        (void)error_add(err, ERROR_USAGE, "%s:%u: %s=: outside of a section", file, line->number, line->key);
    return 1;
}

int spec_parse_line(struct spec *s, const char *file, const struct spec_line *line, struct error *err)
{
    if (!line->key)
        return header_line(file, line, err);
    if (!line->section)
        return homeless_line(file, line, err);
    const char *section = nearest_section(line->section);
    if (!section)
        return 0; // reported at its header

    _cleanup_error_ struct error cause = { 0 };
    const struct key *key = key_find(section, line->key);
    int r = key ? assign(s, key, line->value, &cause) : unknown_key(section, line->key, &cause);
    if (r == 0)
        return 0;
    if (r == -ENOMEM)
        return error_oom(err);
    (void)error_add(err, ERROR_USAGE, "%s:%u: [%s] %s=: %s", file, line->number, line->section, line->key,
                    cause.text);
    return 1;
}

struct parser {
    struct spec *spec;
    const char *file;
    struct error *err;
};

static int parse_line(const struct spec_line *line, void *userdata)
{
    const struct parser *p = userdata;
    return spec_parse_line(p->spec, p->file, line, p->err);
}

int spec_parse(struct spec *s, const char *file, const char *text, size_t n, struct error *err)
{
    struct parser p = { .spec = s, .file = file, .err = err };
    return spec_lex(file, text, n, parse_line, &p, err);
}

// --- the command line ---

static int unknown_name(const char *name, struct error *err)
{
    const char *dot = strchr(name, '.');
    _cleanup_free_ char *section = strndup(name, dot ? (size_t)(dot - name) : 0);
    if (!section)
        return error_oom(err);
    const char *nearest = dot ? nearest_section(section) : nearest_name(name, option_candidate, NULL);
    if (!dot && nearest)
        return error_class(err, ERROR_USAGE, "unknown option or key; did you mean %s?", nearest);
    if (!nearest)
        return error_class(err, ERROR_USAGE, "unknown option or key");

    const char *key = key_find(nearest, dot + 1) ? dot + 1 : nearest_name(dot + 1, name_candidate, nearest);
    const struct key *elsewhere = key_find_name(dot + 1);
    if (key)
        return error_class(err, ERROR_USAGE, "unknown key; did you mean %s.%s?", nearest, key);
    if (elsewhere)
        return error_class(err, ERROR_USAGE, "unknown key; did you mean %s.%s?", elsewhere->section,
                           elsewhere->name);
    return error_class(err, ERROR_USAGE, "unknown key of [%s]", nearest);
}

static const struct key *find_dotted(const char *name)
{
    const char *dot = strchr(name, '.');
    for (size_t i = 0; dot && i < spec_key_count; i++) {
        const struct key *key = &spec_keys[i];
        size_t n = (size_t)(dot - name);
        if (strlen(key->section) == n && strncmp(key->section, name, n) == 0 && str_equal(key->name, dot + 1))
            return key;
    }
    return NULL;
}

static int assign_text(struct spec *s, const struct key *key, const char *value, struct error *err)
{
    if (text_has_control(value, strlen(value)))
        return error_class(err, ERROR_USAGE, "a control character or invalid UTF-8 in the value");
    value += strspn(value, " ");
    size_t n = strlen(value);
    while (n > 0 && value[n - 1] == ' ')
        n--;
    if (n > SPEC_LINE_MAX)
        return error_class(err, ERROR_USAGE, "longer than %d bytes", SPEC_LINE_MAX);
    _cleanup_free_ char *trimmed = strndup(value, n);
    if (!trimmed)
        return error_oom(err);
    return assign(s, key, trimmed, err);
}

int spec_assign(struct spec *s, const char *name, const char *value, struct error *err)
{
    const struct key *option = key_find_option(name);
    const struct key *key = option ? option : strchr(name, '.') ? find_dotted(name) : key_find_name(name);
    int r = key ? assign_text(s, key, value, err) : unknown_name(name, err);
    if (r == 0)
        return 0;
    _cleanup_free_ char *printable = text_printable(name, strnlen(name, 100));
    return error_wrap(err, r, "%s%s", option ? "--" : "", printable ? printable : "");
}
