// The error object: text and class. Never prints, never exits. When memory runs out while an error is built,
// a static text stands in, so that an error is never lost.
#include "base/error.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char out_of_memory[] = "out of memory";

void error_clear(struct error *err)
{
    if (err->text != out_of_memory)
        free(err->text);
    *err = (struct error){ 0 };
}

static void replace_text(struct error *err, enum error_class class, char *text)
{
    error_clear(err);
    err->class = class;
    err->text = text ? text : out_of_memory;
}

__attribute__((format(printf, 1, 0))) static char *format_text(const char *format, va_list ap)
{
    char *text = NULL;
    if (vasprintf(&text, format, ap) < 0)
        return NULL;
    return text;
}

int error_errno(struct error *err, int errno_value, const char *format, ...)
{
    va_list ap;
    va_start(ap, format);
    _cleanup_free_ char *what = format_text(format, ap);
    va_end(ap);

    char *text = NULL;
    if (what && asprintf(&text, "%s: %s", what, strerror(errno_value)) < 0)
        text = NULL;
    replace_text(err, ERROR_FAILED, text);
    return -errno_value;
}

int error_set(struct error *err, int errno_value, const char *format, ...)
{
    va_list ap;
    va_start(ap, format);
    replace_text(err, ERROR_FAILED, format_text(format, ap));
    va_end(ap);
    return -errno_value;
}

int error_class(struct error *err, enum error_class class, const char *format, ...)
{
    va_list ap;
    va_start(ap, format);
    replace_text(err, class, format_text(format, ap));
    va_end(ap);
    return -EINVAL;
}

int error_oom(struct error *err)
{
    replace_text(err, ERROR_FAILED, NULL);
    return -ENOMEM;
}

// Length of one line including its newline, if it has one.
static size_t line_length(const char *text)
{
    const char *end = strchr(text, '\n');
    return end ? (size_t)(end - text) + 1 : strlen(text);
}

int error_wrap(struct error *err, int r, const char *format, ...)
{
    va_list ap;
    va_start(ap, format);
    _cleanup_free_ char *prefix = format_text(format, ap);
    va_end(ap);
    if (!prefix || !err->text || err->text == out_of_memory)
        return r;

    char *text = NULL;
    size_t size = 0;
    FILE *f = open_memstream(&text, &size);
    if (!f)
        return r;
    for (const char *line = err->text; *line;) {
        size_t n = line_length(line);
        (void)fprintf(f, "%s: %.*s", prefix, (int)n, line); // a failed write shows in fclose()
        line += n;
    }
    if (fclose(f) != 0) {
        free(text);
        return r;
    }
    replace_text(err, err->class, text);
    return r;
}

int error_add(struct error *err, enum error_class class, const char *format, ...)
{
    va_list ap;
    va_start(ap, format);
    _cleanup_free_ char *line = format_text(format, ap);
    va_end(ap);

    char *text = NULL;
    if (line && asprintf(&text, "%s%s%s", err->text ? err->text : "", err->text ? "\n" : "", line) < 0)
        text = NULL;
    replace_text(err, class, text);
    return -EINVAL;
}
