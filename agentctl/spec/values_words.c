// Values made of plain words: the command, environment variables, lists of paths.
#include "spec/values.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "spec/path.h"

#define WORD_SHOWN_MAX 100 // bytes of a word in a message

int list_error(int r, struct error *err)
{
    if (r == -E2BIG)
        return error_class(err, ERROR_USAGE, "more than %d entries", LIST_MAX);
    return r < 0 ? error_oom(err) : 0;
}

int wrap_word(struct error *err, int r, const char *word)
{
    size_t n = strnlen(word, WORD_SHOWN_MAX + 1);
    _cleanup_free_ char *printable = text_printable(word, n > WORD_SHOWN_MAX ? WORD_SHOWN_MAX : n);
    if (!printable)
        return error_oom(err);
    return error_wrap(err, r, "%s%s", printable, n > WORD_SHOWN_MAX ? "..." : "");
}

static void words_clear(void *field)
{
    strv_clear(field);
}

static bool words_equal(const void *a, const void *b)
{
    return strv_equal(a, b);
}

// --- the command ---

// Newlines and tabs are fine in an argument (a script after -c), since the command goes nowhere but into the
// launch file, quoted. What that file could not hold is not: invalid UTF-8 and C1 control characters.
bool spec_argument_valid(const char *word)
{
    for (const char *p = word; *p;) {
        size_t n = 0;
        while (p[n] && !iscntrl((unsigned char)p[n]))
            n++;
        if (text_has_control(p, n))
            return false;
        p += n;
        p += *p ? 1 : 0;
    }
    return true;
}

static int check_command(const struct strv *words, struct error *err)
{
    size_t bytes = 0;
    if (words->count == 0)
        return 0;
    for (size_t i = 0; i < words->count; i++) {
        bytes += strlen(words->items[i]) + 1;
        if (!spec_argument_valid(words->items[i]))
            return error_class(err, ERROR_USAGE, "argument %zu is not valid UTF-8 text", i);
    }
    if (bytes > COMMAND_BYTES_MAX || words->count > COMMAND_WORDS_MAX)
        return error_class(err, ERROR_USAGE, "longer than %d bytes or %d words; put it into a script",
                           COMMAND_BYTES_MAX, COMMAND_WORDS_MAX);
    const char *program = words->items[0];
    _cleanup_free_ char *path = NULL;
    int r = *program == '/'
                ? path_normalise(program, &path, err)
                : error_class(err, ERROR_USAGE, "the program, the first word, must be an absolute path");
    return r < 0 && *program ? wrap_word(err, r, program) : r;
}

static int command_parse(const struct key *key, const char *value, void *field, struct error *err)
{
    _cleanup_strv_ struct strv words = { 0 };
    int r = words_split(value, &words, err);
    if (r == 0)
        r = check_command(&words, err);
    if (r < 0)
        return r;
    strv_clear(field);
    *(struct strv *)field = words;
    words = (struct strv){ 0 };
    return 0;
}

static int command_copy(void *to, const void *from)
{
    _cleanup_strv_ struct strv words = { 0 };
    if (strv_copy(&words, from) < 0)
        return -ENOMEM;
    strv_clear(to);
    *(struct strv *)to = words;
    words = (struct strv){ 0 };
    return 0;
}

static int command_dump(const struct key *key, const void *field, struct text *t)
{
    _cleanup_free_ char *command = words_join(field);
    if (!command)
        return -ENOMEM;
    text_addf(t, "%s=%s\n", key->name, command);
    return 0;
}

const struct value_type value_command = {
    .placeholder = "COMMAND",
    .parse = command_parse,
    .copy = command_copy,
    .dump = command_dump,
    .equal = words_equal,
    .clear = words_clear,
};

// --- lists of words ---

static int words_dump(const struct key *key, const void *field, struct text *t)
{
    const struct strv *words = field;
    for (size_t i = 0; i < words->count; i++) {
        struct strv one = { .items = &words->items[i], .count = 1 };
        _cleanup_free_ char *word = words_join(&one);
        if (!word)
            return -ENOMEM;
        text_addf(t, "%s=%s\n", key->name, word);
    }
    return 0;
}

// --- environment ---

static size_t variable_name_length(const char *variable)
{
    size_t n = 0;
    while (isalnum((unsigned char)variable[n]) || variable[n] == '_')
        n++;
    return n == 0 || isdigit((unsigned char)variable[0]) ? 0 : n;
}

// The launcher starts with this environment too, before it confines itself: its dynamic linker and C library
// must not be sent to files that the agent can write.
static bool steers_launcher(const char *variable)
{
    static const char *const names[] = { "LD_", "GLIBC_TUNABLES=", "GCONV_PATH=", "LOCPATH=" };
    for (size_t i = 0; i < ARRAY_SIZE(names); i++)
        if (str_prefix(variable, names[i]))
            return true;
    return false;
}

static int check_variable(const char *variable, struct error *err)
{
    size_t n = variable_name_length(variable);
    if (text_has_control(variable, strlen(variable)))
        return error_class(err, ERROR_USAGE, "%.*s: a control character or invalid UTF-8 in the value",
                           (int)n, variable);
    if (strlen(variable) > VARIABLE_BYTES_MAX)
        return error_class(err, ERROR_USAGE, "%.*s: longer than %d bytes", n > 64 ? 64 : (int)n, variable,
                           VARIABLE_BYTES_MAX);
    if (steers_launcher(variable))
        return error_class(
            err, ERROR_USAGE,
            "%.*s would also steer the launcher before it confines the agent; set it in Command= "
            "with /usr/bin/env",
            (int)n, variable);
    return 0;
}

// A variable that is there already gets the new value, at its old place.
static int add_variable(struct strv *v, const char *variable)
{
    size_t n = variable_name_length(variable);
    for (size_t i = 0; i < v->count; i++)
        if (strncmp(v->items[i], variable, n + 1) == 0) {
            char *copy = strdup(variable);
            if (!copy)
                return -ENOMEM;
            free(v->items[i]);
            v->items[i] = copy;
            return 0;
        }
    return v->count >= LIST_MAX ? -E2BIG : strv_add(v, variable);
}

static int environment_parse(const struct key *key, const char *value, void *field, struct error *err)
{
    _cleanup_strv_ struct strv words = { 0 };
    int r = words_split(value, &words, err);
    for (size_t i = 0; r == 0 && i < words.count; i++) {
        const char *word = words.items[i];
        size_t n = variable_name_length(word);
        if (n == 0 || word[n] != '=') // it may be a piece of a value: not shown
            return error_class(
                err, ERROR_USAGE,
                "word %zu is not NAME=value; a name is letters, digits and '_', and a value with "
                "spaces needs quotes",
                i + 1);
        r = check_variable(word, err);
        if (r == 0)
            r = list_error(add_variable(field, words.items[i]), err);
    }
    return r;
}

static int environment_copy(void *to, const void *from)
{
    const struct strv *source = from;
    int r = 0;
    for (size_t i = 0; r == 0 && i < source->count; i++)
        r = add_variable(to, source->items[i]);
    return r;
}

const struct value_type value_environment = {
    .placeholder = "NAME=VALUE",
    .list = true,
    .parse = environment_parse,
    .copy = environment_copy,
    .dump = words_dump,
    .equal = words_equal,
    .clear = words_clear,
};

// --- paths ---

static int add_path(struct strv *v, const char *path)
{
    if (strv_contains(v, path))
        return 0;
    return v->count >= LIST_MAX ? -E2BIG : strv_add(v, path);
}

static int paths_parse(const struct key *key, const char *value, void *field, struct error *err)
{
    _cleanup_strv_ struct strv words = { 0 };
    int r = words_split(value, &words, err);
    for (size_t i = 0; r == 0 && i < words.count; i++) {
        _cleanup_free_ char *path = NULL;
        r = path_normalise(words.items[i], &path, err);
        if (r < 0)
            return wrap_word(err, r, words.items[i]);
        r = list_error(add_path(field, path), err);
    }
    return r;
}

static int paths_copy(void *to, const void *from)
{
    const struct strv *source = from;
    int r = 0;
    for (size_t i = 0; r == 0 && i < source->count; i++)
        r = add_path(to, source->items[i]);
    return r;
}

const struct value_type value_paths = {
    .placeholder = "PATH",
    .list = true,
    .parse = paths_parse,
    .copy = paths_copy,
    .dump = words_dump,
    .equal = words_equal,
    .clear = words_clear,
};
