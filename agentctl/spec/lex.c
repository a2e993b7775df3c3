// The lexer: a file in systemd's syntax as section headers and assignments. Knows no key. Must never let a
// control character through: values end up in systemd's fragments, where a newline would forge a line.
#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "spec/spec.h"

#define NAME_MAX_LENGTH 64

struct lexer {
    const char *file;
    struct error *err;
    int (*each)(const struct spec_line *line, void *userdata);
    void *userdata;

    unsigned number; // of the current physical line
    unsigned first;  // number of the logical line's first physical line
    unsigned problems;
    struct text section;
    bool has_section;
    bool skip;        // until the next header: the last one was malformed
    struct text line; // the logical line so far
    bool continued;   // the last physical line ended in a backslash
    bool bad;         // some physical line of it was refused
    bool seen_carriage_return;
};

static void problem(struct lexer *l, unsigned number, const char *format, ...) _printf_(3, 4);
static void problem(struct lexer *l, unsigned number, const char *format, ...)
{
    char cause[256];
    va_list ap;
    va_start(ap, format);
    (void)vsnprintf(cause, sizeof(cause), format, ap); // no cause below is that long
    va_end(ap);
    (void)error_add(l->err, ERROR_USAGE, "%s:%u: %s", l->file, number, cause);
    l->problems++;
}

static bool is_name(const char *s, size_t n)
{
    if (n == 0 || n > NAME_MAX_LENGTH)
        return false;
    for (size_t i = 0; i < n; i++)
        if (!isalnum((unsigned char)s[i]) && s[i] != '-')
            return false;
    return true;
}

// Refuses control characters and what is not UTF-8; tabs are white space.
static bool check_bytes(struct lexer *l, const char *p, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        unsigned char c = (unsigned char)p[i];
        if ((c < 0x20 && c != '\t') || c == 0x7f) {
            problem(l, l->number, "control character \\x%02x in column %zu", c, i + 1);
            return false;
        }
        if (c == 0xc2 && i + 1 < n && (unsigned char)p[i + 1] >= 0x80 && (unsigned char)p[i + 1] < 0xa0) {
            problem(l, l->number, "control character U+%04X in column %zu", (unsigned char)p[i + 1], i + 1);
            return false;
        }
    }
    for (size_t start = 0;
         start < n;) { // between tabs, which text_has_control() counts as control characters
        const char *tab = memchr(p + start, '\t', n - start);
        size_t length = tab ? (size_t)(tab - p) - start : n - start;
        if (text_has_control(p + start, length)) {
            problem(l, l->number, "not valid UTF-8");
            return false;
        }
        start += length + 1;
    }
    return true;
}

static int call(struct lexer *l, const char *key, const char *value)
{
    struct spec_line line = {
        .number = l->first,
        .section = l->has_section ? l->section.data : NULL,
        .key = key,
        .value = value,
    };
    int r = l->each(&line, l->userdata);
    if (r > 0)
        l->problems++;
    return r < 0 ? r : 0;
}

static char *trim(char *s)
{
    s += strspn(s, " ");
    size_t n = strlen(s);
    while (n > 0 && s[n - 1] == ' ')
        s[--n] = '\0';
    return s;
}

static int lex_header(struct lexer *l, const char *line)
{
    size_t n = strlen(line);
    l->skip = line[n - 1] != ']' || n < 2 || !is_name(line + 1, n - 2);
    if (l->skip) {
        problem(l, l->first, "not a section header; it is [Name] and nothing else in the line");
        return 0;
    }
    text_clear(&l->section);
    text_add_n(&l->section, line + 1, n - 2);
    if (l->section.failed)
        return error_oom(l->err);
    l->has_section = true;
    return call(l, NULL, NULL);
}

static int lex_logical_line(struct lexer *l)
{
    for (char *p = l->line.data; *p; p++)
        if (*p == '\t')
            *p = ' ';
    char *line = trim(l->line.data);
    if (!*line)
        return 0;
    if (*line == '[')
        return lex_header(l, line);
    if (l->skip)
        return 0;
    char *equals = strchr(line, '=');
    if (!equals) {
        problem(l, l->first, "neither a section header, a comment nor Key=value");
        return 0;
    }
    *equals = '\0';
    char *key = trim(line);
    if (!is_name(key, strlen(key))) {
        problem(l, l->first, "not a key before '='; keys are letters and digits");
        return 0;
    }
    return call(l, key, trim(equals + 1));
}

static int end_logical_line(struct lexer *l)
{
    int r = 0;
    if (l->line.failed)
        r = error_oom(l->err);
    else if (!l->bad && l->line.length > 0)
        r = lex_logical_line(l);
    text_clear(&l->line);
    l->continued = false;
    l->bad = false;
    return r;
}

// As systemd: a backslash that is not itself escaped continues the line.
static bool ends_in_backslash(const char *p, size_t n)
{
    size_t run = 0;
    while (run < n && p[n - 1 - run] == '\\')
        run++;
    return run % 2 == 1;
}

static void append(struct lexer *l, const char *p, size_t n)
{
    if (l->bad)
        return;
    if (l->line.length + n > SPEC_LINE_MAX) {
        problem(l, l->first, "line longer than %d bytes", SPEC_LINE_MAX);
        l->bad = true;
        return;
    }
    text_add_n(&l->line, p, n);
}

// Windows line ends are reported once for a file; everything else in it is still checked.
static size_t strip_carriage_return(struct lexer *l, const char *p, size_t n)
{
    if (n == 0 || p[n - 1] != '\r')
        return n;
    if (!l->seen_carriage_return)
        problem(l, l->number, "line ends in CR LF (\\x0d); save the file with Unix line ends");
    l->seen_carriage_return = true;
    return n - 1;
}

static int lex_physical_line(struct lexer *l, const char *p, size_t n)
{
    l->number++;
    if (!l->continued)
        l->first = l->number;
    n = strip_carriage_return(l, p, n);
    bool valid = check_bytes(l, p, n);
    size_t blank = 0;
    while (blank < n && (p[blank] == ' ' || p[blank] == '\t'))
        blank++;
    if (blank < n && (p[blank] == '#' || p[blank] == ';'))
        return 0; // also between continued lines
    l->bad |= !valid;
    l->continued = ends_in_backslash(p, n);
    if (l->continued) {
        append(l, p, n - 1);
        append(l, " ", 1);
        return 0;
    }
    append(l, p, n);
    return end_logical_line(l);
}

static int lex_lines(struct lexer *l, const char *text, size_t n)
{
    if (n >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0) {
        problem(l, 1, "the file begins with a byte order mark; save it without one");
        text += 3;
        n -= 3;
    }
    while (n > 0 && l->problems < SPEC_PROBLEMS_MAX) {
        const char *newline = memchr(text, '\n', n);
        size_t length = newline ? (size_t)(newline - text) : n;
        int r = lex_physical_line(l, text, length);
        if (r < 0)
            return r;
        length += newline ? 1 : 0;
        text += length;
        n -= length;
    }
    if (n > 0) {
        (void)error_add(l->err, ERROR_USAGE, "%s: more than %d problems; the rest was not read", l->file,
                        SPEC_PROBLEMS_MAX);
        return -EINVAL;
    }
    return l->continued ? end_logical_line(l) : 0;
}

int spec_lex(const char *file, const char *text, size_t n,
             int (*each)(const struct spec_line *line, void *userdata), void *userdata, struct error *err)
{
    struct lexer l = { .file = file, .err = err, .each = each, .userdata = userdata };
    int r = lex_lines(&l, text, n);
    text_clear(&l.section);
    text_clear(&l.line);
    return r < 0 ? r : l.problems > 0 ? -EINVAL : 0;
}
