// Values that a key has once: text, choices, numbers, one path, the command. Parsers leave the field
// untouched on failure and give the bare cause.
#include "spec/values.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/number.h"
#include "base/text.h"
#include "spec/path.h"

// --- text ---

static int set_string(char **field, const char *value, struct error *err)
{
    char *copy = *value ? strdup(value) : NULL;
    if (*value && !copy)
        return error_oom(err);
    free(*field);
    *field = copy;
    return 0;
}

static int string_parse(const struct key *key, const char *value, void *field, struct error *err)
{
    if (strlen(value) > key->max)
        return error_class(err, ERROR_USAGE, "longer than %" PRIu64 " bytes", key->max);
    return set_string(field, value, err);
}

// The name becomes a file name: NAME.agent.
static int template_parse(const struct key *key, const char *value, void *field, struct error *err)
{
    static const char allowed[] = "abcdefghijklmnopqrstuvwxyz0123456789-";
    if (strlen(value) > key->max || strspn(value, allowed) != strlen(value) || *value == '-')
        return error_class(err, ERROR_USAGE,
                           "not a template's name: a to z, 0 to 9 and '-', at most %" PRIu64, key->max);
    return set_string(field, value, err);
}

static int string_copy(void *to, const void *from)
{
    char **string = to;
    const char *source = *(char *const *)from;
    char *copy = source ? strdup(source) : NULL;
    if (source && !copy)
        return -ENOMEM;
    free(*string);
    *string = copy;
    return 0;
}

static int string_dump(const struct key *key, const void *field, struct text *t)
{
    const char *string = *(char *const *)field;
    text_addf(t, "%s=%s\n", key->name, string ? string : "");
    return 0;
}

static bool string_equal(const void *a, const void *b)
{
    return str_equal(*(char *const *)a, *(char *const *)b);
}

static void string_clear(void *field)
{
    char **string = field;
    free(take_ptr(*string));
}

const struct value_type value_string = {
    .placeholder = "TEXT",
    .parse = string_parse,
    .copy = string_copy,
    .dump = string_dump,
    .equal = string_equal,
    .clear = string_clear,
};

const struct value_type value_template = {
    .placeholder = "TEMPLATE",
    .parse = template_parse,
    .copy = string_copy,
    .dump = string_dump,
    .equal = string_equal,
    .clear = string_clear,
};

static int path_parse(const struct key *key, const char *value, void *field, struct error *err)
{
    _cleanup_free_ char *path = NULL;
    int r = *value ? path_normalise(value, &path, err) : 0;
    if (r < 0)
        return r;
    return set_string(field, path ? path : "", err);
}

const struct value_type value_path = {
    .placeholder = "PATH",
    .parse = path_parse,
    .copy = string_copy,
    .dump = string_dump,
    .equal = string_equal,
    .clear = string_clear,
};

// --- choices ---

const char *choice_word(const struct key *key, unsigned v)
{
    const char *const *words = key->choices;
    return words[v];
}

static const char *choice_candidate(size_t i, const void *userdata)
{
    const char *const *words = userdata;
    return words[i];
}

static int choice_parse(const struct key *key, const char *value, void *field, struct error *err)
{
    const char *const *words = key->choices;
    _cleanup_text_ struct text list = { 0 };
    for (unsigned i = 0; words[i]; i++) {
        if (strcmp(words[i], value) == 0) {
            memcpy(field, &i, sizeof(i)); // an enum of spec.h; they are all unsigned
            return 0;
        }
        text_addf(&list, "%s%s", i == 0 ? "" : words[i + 1] ? ", " : " or ", words[i]);
    }
    _cleanup_free_ char *choices = text_take(&list);
    const char *nearest = *value ? nearest_name(value, choice_candidate, words) : NULL;
    if (nearest)
        return error_class(err, ERROR_USAGE, "must be %s; did you mean %s?", choices ? choices : "", nearest);
    return error_class(err, ERROR_USAGE, "must be %s", choices ? choices : "");
}

static unsigned choice_value(const void *field)
{
    unsigned v = 0;
    memcpy(&v, field, sizeof(v));
    return v;
}

static int choice_copy(void *to, const void *from)
{
    memcpy(to, from, sizeof(unsigned));
    return 0;
}

static int choice_dump(const struct key *key, const void *field, struct text *t)
{
    text_addf(t, "%s=%s\n", key->name, choice_word(key, choice_value(field)));
    return 0;
}

static bool choice_equal(const void *a, const void *b)
{
    return choice_value(a) == choice_value(b);
}

_Static_assert(sizeof(enum mode) == sizeof(unsigned) && sizeof(enum egress) == sizeof(unsigned) &&
                   sizeof(enum loopback) == sizeof(unsigned) && sizeof(enum restart) == sizeof(unsigned),
               "choices are read and written as unsigned");

const struct value_type value_choice = {
    .placeholder = "WORD",
    .parse = choice_parse,
    .copy = choice_copy,
    .dump = choice_dump,
    .equal = choice_equal,
};

static int boolean_parse(const struct key *key, const char *value, void *field, struct error *err)
{
    return parse_boolean(value, field, err);
}

static int boolean_copy(void *to, const void *from)
{
    *(bool *)to = *(const bool *)from;
    return 0;
}

static int boolean_dump(const struct key *key, const void *field, struct text *t)
{
    text_addf(t, "%s=%s\n", key->name, *(const bool *)field ? "yes" : "no");
    return 0;
}

static bool boolean_equal(const void *a, const void *b)
{
    return *(const bool *)a == *(const bool *)b;
}

const struct value_type value_boolean = {
    .placeholder = "BOOL",
    .parse = boolean_parse,
    .copy = boolean_copy,
    .dump = boolean_dump,
    .equal = boolean_equal,
};

// --- numbers: the row's max of LIMIT_INFINITY allows "infinity" ---

static int number_copy(void *to, const void *from)
{
    *(uint64_t *)to = *(const uint64_t *)from;
    return 0;
}

static bool number_equal(const void *a, const void *b)
{
    return *(const uint64_t *)a == *(const uint64_t *)b;
}

static int set_number(const struct key *key, uint64_t value, void (*format)(uint64_t, char[NUMBER_TEXT_MAX]),
                      void *field, struct error *err)
{
    char bound[NUMBER_TEXT_MAX];
    if (value < key->min) {
        format(key->min, bound);
        return error_class(err, ERROR_USAGE, "must be at least %s", bound);
    }
    if (value > key->max) {
        format(key->max, bound);
        return error_class(err, ERROR_USAGE, "must be at most %s", bound);
    }
    *(uint64_t *)field = value;
    return 0;
}

static bool is_percentage(const char *value)
{
    return str_suffix(value, "%");
}

static int number_parse(const struct key *key, const char *value, void *field, struct error *err)
{
    if (is_percentage(value))
        return error_class(err, ERROR_USAGE,
                           "a percentage, which systemd loses at daemon-reload; give a count");
    if (key->max == LIMIT_INFINITY && strcmp(value, "infinity") == 0) {
        *(uint64_t *)field = LIMIT_INFINITY;
        return 0;
    }
    if (key->max == LIMIT_INFINITY && parse_unsigned(value, key->min, INT32_MAX, field, err) < 0)
        return error_class(err, ERROR_USAGE, "must be from %" PRIu64 " to %d, or infinity", key->min,
                           INT32_MAX);
    return key->max == LIMIT_INFINITY ? 0 : parse_unsigned(value, key->min, key->max, field, err);
}

static int number_dump(const struct key *key, const void *field, struct text *t)
{
    uint64_t v = *(const uint64_t *)field;
    if (v == LIMIT_INFINITY)
        text_addf(t, "%s=infinity\n", key->name);
    else
        text_addf(t, "%s=%" PRIu64 "\n", key->name, v);
    return 0;
}

const struct value_type value_number = {
    .placeholder = "NUMBER",
    .parse = number_parse,
    .copy = number_copy,
    .dump = number_dump,
    .equal = number_equal,
};

static int size_parse(const struct key *key, const char *value, void *field, struct error *err)
{
    uint64_t v = 0;
    if (is_percentage(value))
        return error_class(err, ERROR_USAGE,
                           "a percentage of the host's memory, which changes with the host; give a size");
    int r = parse_size(value, &v, err);
    return r < 0 ? r : set_number(key, v, format_size, field, err);
}

static int size_dump(const struct key *key, const void *field, struct text *t)
{
    char buffer[NUMBER_TEXT_MAX];
    format_size(*(const uint64_t *)field, buffer);
    text_addf(t, "%s=%s\n", key->name, buffer);
    return 0;
}

const struct value_type value_size = {
    .placeholder = "SIZE",
    .parse = size_parse,
    .copy = number_copy,
    .dump = size_dump,
    .equal = number_equal,
};

static int duration_parse(const struct key *key, const char *value, void *field, struct error *err)
{
    uint64_t v = 0;
    int r = parse_duration(value, &v, err);
    return r < 0 ? r : set_number(key, v, format_duration, field, err);
}

static int duration_dump(const struct key *key, const void *field, struct text *t)
{
    char buffer[NUMBER_TEXT_MAX];
    format_duration(*(const uint64_t *)field, buffer);
    text_addf(t, "%s=%s\n", key->name, buffer);
    return 0;
}

const struct value_type value_duration = {
    .placeholder = "DURATION",
    .parse = duration_parse,
    .copy = number_copy,
    .dump = duration_dump,
    .equal = number_equal,
};

// Hundredths of a percent; the row's bounds too.
static int percent_parse(const struct key *key, const char *value, void *field, struct error *err)
{
    uint64_t v = 0;
    if (strcmp(value, "infinity") == 0) {
        *(uint64_t *)field = LIMIT_INFINITY;
        return 0;
    }
    int r = parse_percent(value, key->max / 100, &v, err);
    if (r < 0)
        return r;
    if (v % 100 != 0)
        return error_class(err, ERROR_USAGE, "a fraction of a percent, which systemd loses at daemon-reload");
    return set_number(key, v, format_percent, field, err);
}

static int percent_dump(const struct key *key, const void *field, struct text *t)
{
    char buffer[NUMBER_TEXT_MAX] = "infinity";
    if (*(const uint64_t *)field != LIMIT_INFINITY)
        format_percent(*(const uint64_t *)field, buffer);
    text_addf(t, "%s=%s\n", key->name, buffer);
    return 0;
}

const struct value_type value_percent = {
    .placeholder = "PERCENT",
    .parse = percent_parse,
    .copy = number_copy,
    .dump = percent_dump,
    .equal = number_equal,
};
