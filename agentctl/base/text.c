// Text buffers, string vectors, quoting and nearest names. libc only; opens nothing.
#include "base/text.h"

#include <assert.h>
#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

void text_clear(struct text *t)
{
    free(t->data);
    *t = (struct text){ 0 };
}

static bool text_reserve(struct text *t, size_t more)
{
    if (t->failed)
        return false;
    if (t->length + more + 1 <= t->capacity)
        return true;
    size_t capacity = (t->capacity ? t->capacity * 2 : 256) + more;
    char *data = realloc(t->data, capacity);
    if (!data) {
        t->failed = true;
        return false;
    }
    t->data = data;
    t->capacity = capacity;
    return true;
}

void text_add_n(struct text *t, const char *data, size_t n)
{
    if (!text_reserve(t, n))
        return;
    assert(t->data);
    if (n > 0)
        memcpy(t->data + t->length, data, n);
    t->length += n;
    t->data[t->length] = '\0';
}

void text_add(struct text *t, const char *string)
{
    text_add_n(t, string, strlen(string));
}

void text_addf(struct text *t, const char *format, ...)
{
    va_list ap;
    va_start(ap, format);
    _cleanup_free_ char *string = NULL;
    int n = vasprintf(&string, format, ap);
    va_end(ap);
    if (n < 0) {
        string = NULL;
        t->failed = true;
        return;
    }
    text_add_n(t, string, (size_t)n);
}

char *text_take(struct text *t)
{
    text_add_n(t, "", 0);
    char *data = t->failed ? NULL : take_ptr(t->data);
    text_clear(t);
    return data;
}

void strv_clear(struct strv *v)
{
    for (size_t i = 0; i < v->count; i++)
        free(v->items[i]);
    free(v->items);
    *v = (struct strv){ 0 };
}

int strv_take(struct strv *v, char *string)
{
    if (!string)
        return -ENOMEM;
    char **items = reallocarray(v->items, v->count + 2, sizeof(*items));
    if (!items) {
        free(string);
        return -ENOMEM;
    }
    v->items = items;
    v->items[v->count++] = string;
    v->items[v->count] = NULL;
    return 0;
}

int strv_add(struct strv *v, const char *string)
{
    return strv_take(v, strdup(string));
}

int strv_addf(struct strv *v, const char *format, ...)
{
    va_list ap;
    va_start(ap, format);
    char *string = NULL;
    int n = vasprintf(&string, format, ap);
    va_end(ap);
    return strv_take(v, n < 0 ? NULL : string);
}

int strv_copy(struct strv *to, const struct strv *from)
{
    for (size_t i = 0; i < from->count; i++) {
        int r = strv_add(to, from->items[i]);
        if (r < 0)
            return r;
    }
    return 0;
}

bool strv_contains(const struct strv *v, const char *string)
{
    for (size_t i = 0; i < v->count; i++)
        if (str_equal(v->items[i], string))
            return true;
    return false;
}

bool strv_equal(const struct strv *a, const struct strv *b)
{
    if (a->count != b->count)
        return false;
    for (size_t i = 0; i < a->count; i++)
        if (!str_equal(a->items[i], b->items[i]))
            return false;
    return true;
}

char *strv_join(const struct strv *v, const char *separator)
{
    _cleanup_text_ struct text t = { 0 };
    for (size_t i = 0; i < v->count; i++) {
        if (i > 0)
            text_add(&t, separator);
        text_add(&t, v->items[i]);
    }
    return text_take(&t);
}

bool str_suffix(const char *string, const char *suffix)
{
    size_t n = strlen(string);
    size_t m = strlen(suffix);
    return n >= m && memcmp(string + n - m, suffix, m) == 0;
}

// Length of the valid UTF-8 sequence at p (at most n bytes), or 0: overlong forms, surrogates and values
// above U+10FFFF are invalid (RFC 3629).
static size_t utf8_sequence(const unsigned char *p, size_t n)
{
    if (p[0] < 0x80)
        return 1;
    size_t length = p[0] >= 0xf0 ? 4 : p[0] >= 0xe0 ? 3 : 2;
    if (p[0] < 0xc2 || p[0] > 0xf4 || n < length)
        return 0;
    for (size_t i = 1; i < length; i++)
        if ((p[i] & 0xc0) != 0x80)
            return 0;
    if ((p[0] == 0xe0 && p[1] < 0xa0) || (p[0] == 0xed && p[1] > 0x9f) || (p[0] == 0xf0 && p[1] < 0x90) ||
        (p[0] == 0xf4 && p[1] > 0x8f))
        return 0;
    return length;
}

// Length of the printable character at p, or 0 if it is a control character (C0, DEL, C1) or invalid.
static size_t printable_sequence(const unsigned char *p, size_t n)
{
    if (p[0] < 0x20 || p[0] == 0x7f)
        return 0;
    if (p[0] == 0xc2 && n > 1 && p[1] < 0xa0) // C1: U+0080-U+009F, which terminals obey
        return 0;
    return utf8_sequence(p, n);
}

bool text_has_control(const char *data, size_t n)
{
    const unsigned char *p = (const unsigned char *)data;
    for (size_t i = 0; i < n;) {
        size_t length = printable_sequence(p + i, n - i);
        if (length == 0)
            return true;
        i += length;
    }
    return false;
}

char *text_printable(const char *data, size_t n)
{
    _cleanup_text_ struct text t = { 0 };
    const unsigned char *p = (const unsigned char *)data;
    for (size_t i = 0; i < n;) {
        size_t length = printable_sequence(p + i, n - i);
        if (length == 0)
            text_addf(&t, "\\x%02x", p[i++]);
        else if (p[i] == '\\')
            text_add(&t, "\\\\"), i++;
        else
            text_add_n(&t, data + i, length), i += length;
    }
    return text_take(&t);
}

static const char escape_letters[] = "abfnrtv\\\"'s";
static const char escape_values[] = "\a\b\f\n\r\t\v\\\"' ";

static int hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

// Reads one escape after the backslash at *p and moves *p behind it.
static int unescape(const char **p, char *ret_char, struct error *err)
{
    const char *q = *p;
    const char *letter = *q ? strchr(escape_letters, *q) : NULL;
    if (letter) {
        *ret_char = escape_values[letter - escape_letters];
        *p = q + 1;
        return 0;
    }
    if (*q == 'x' && hex_value(q[1]) >= 0 && hex_value(q[2]) >= 0) {
        *ret_char = (char)(hex_value(q[1]) * 16 + hex_value(q[2]));
        if (*ret_char == '\0')
            return error_class(err, ERROR_USAGE, "NUL character in a word");
        *p = q + 3;
        return 0;
    }
    if (*q == '\0')
        return error_class(err, ERROR_USAGE, "a backslash at the end");
    bool ascii = *q > 0x20 && *q < 0x7f;
    return error_class(err, ERROR_USAGE, ascii ? "unknown escape \\%c" : "unknown escape: byte 0x%02x",
                       (unsigned char)*q);
}

// Reads one word at *p, which is not white space or the end, and moves *p behind it.
static int read_word(const char **p, struct text *word, struct error *err)
{
    char quote = '\0';
    text_add(word, "");
    while (**p && (quote || !isspace((unsigned char)**p))) {
        char c = *(*p)++;
        if (c == '\\') {
            int r = unescape(p, &c, err);
            if (r < 0)
                return r;
            text_add_n(word, &c, 1);
        } else if (quote ? c == quote : (c == '"' || c == '\'')) {
            quote = quote ? '\0' : c;
        } else {
            text_add_n(word, &c, 1);
        }
    }
    if (quote)
        return error_class(err, ERROR_USAGE, "a quote %c is not closed", quote);
    return 0;
}

int words_split(const char *value, struct strv *ret_words, struct error *err)
{
    _cleanup_strv_ struct strv words = { 0 };
    for (const char *p = value;;) {
        while (isspace((unsigned char)*p))
            p++;
        if (!*p)
            break;
        _cleanup_text_ struct text word = { 0 };
        int r = read_word(&p, &word, err);
        if (r < 0)
            return r;
        if (strv_take(&words, text_take(&word)) < 0)
            return error_oom(err);
    }
    for (size_t i = 0; i < words.count; i++) {
        char *string = words.items[i];
        words.items[i] = NULL; // free(NULL) is fine in strv_clear()
        if (strv_take(ret_words, string) < 0)
            return error_oom(err);
    }
    return 0;
}

static void quote_word(struct text *t, const char *word)
{
    if (*word && !strpbrk(word, " \t\n\r\v\f\a\b\\\"'#;") && !text_has_control(word, strlen(word))) {
        text_add(t, word);
        return;
    }
    text_add(t, "\"");
    for (const char *p = word; *p;) {
        size_t n = printable_sequence((const unsigned char *)p, strlen(p));
        if (n == 0)
            text_addf(t, "\\x%02x", (unsigned char)*p++);
        else if (*p == '"' || *p == '\\')
            text_addf(t, "\\%c", *p++);
        else
            text_add_n(t, p, n), p += n;
    }
    text_add(t, "\"");
}

char *words_join(const struct strv *words)
{
    _cleanup_text_ struct text t = { 0 };
    for (size_t i = 0; i < words->count; i++) {
        if (i > 0)
            text_add(&t, " ");
        quote_word(&t, words->items[i]);
    }
    return text_take(&t);
}

#define NEAREST_MAX 64

static unsigned min3(unsigned a, unsigned b, unsigned c)
{
    unsigned m = a < b ? a : b;
    return m < c ? m : c;
}

static bool same_letter(char a, char b)
{
    return tolower((unsigned char)a) == tolower((unsigned char)b);
}

// Optimal string alignment distance; both shorter than NEAREST_MAX.
static unsigned distance(const char *a, const char *b)
{
    unsigned rows[3][NEAREST_MAX + 1];
    size_t n = strlen(a);
    size_t m = strlen(b);
    for (size_t j = 0; j <= m; j++)
        rows[0][j] = (unsigned)j;
    for (size_t i = 1; i <= n; i++) {
        unsigned *row = rows[i % 3];
        const unsigned *above = rows[(i + 2) % 3];
        row[0] = (unsigned)i;
        for (size_t j = 1; j <= m; j++) {
            unsigned cost = same_letter(a[i - 1], b[j - 1]) ? 0 : 1;
            row[j] = min3(above[j] + 1, row[j - 1] + 1, above[j - 1] + cost);
            if (i > 1 && j > 1 && same_letter(a[i - 1], b[j - 2]) && same_letter(a[i - 2], b[j - 1])) {
                unsigned swapped = rows[(i + 1) % 3][j - 2] + 1;
                row[j] = swapped < row[j] ? swapped : row[j];
            }
        }
    }
    return rows[n % 3][m];
}

const char *nearest_name(const char *name, const char *(*candidate)(size_t i, const void *userdata),
                         const void *userdata)
{
    size_t length = strlen(name);
    if (length > NEAREST_MAX)
        return NULL;
    const char *best = NULL;
    unsigned best_distance = length < 4 ? 2 : 4; // below this it counts as a slip
    const char *c = NULL;
    for (size_t i = 0; (c = candidate(i, userdata)); i++) {
        if (strlen(c) > NEAREST_MAX)
            continue;
        unsigned d = distance(name, c);
        if (d < best_distance && d < strlen(c)) {
            best = c;
            best_distance = d;
        }
    }
    return best;
}
