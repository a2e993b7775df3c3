// Tables, JSON, times and sizes on standard output. Makes everything printable that it puts on a terminal.
#include "cmd/output.h"

#include <errno.h>
#include <string.h>
#include <time.h>

#include "base/number.h"

int output_finish(struct error *err)
{
    if (fflush(stdout) == 0 && !ferror(stdout))
        return 0;
    return error_errno(err, errno ? errno : EIO, "cannot write to standard output");
}

int output_json(json_t *value, enum json_mode mode, struct error *err)
{
    if (!value)
        return error_oom(err);
    size_t flags = mode == JSON_PRETTY ? JSON_INDENT(2) : JSON_COMPACT;
    if (isatty(STDOUT_FILENO))
        flags |= JSON_ENSURE_ASCII; // C1 control characters are valid JSON, and terminals obey them
    int r = json_dumpf(value, stdout, flags | JSON_ENCODE_ANY);
    json_decref(value);
    if (r == 0 && fputc('\n', stdout) != EOF)
        return output_finish(err);
    return error_errno(err, errno ? errno : EIO, "cannot write to standard output");
}

json_t *output_json_number(uint64_t value)
{
    return value > INT64_MAX ? json_null() : json_integer((json_int_t)value);
}

// Length of the longest prefix that jansson takes as UTF-8.
static size_t valid_prefix(const char *data, size_t n)
{
    size_t low = 0;
    for (size_t length = 1; low < n; low += length) {
        json_t *probe = NULL;
        for (length = 1; length <= 4 && low + length <= n && !probe; length++)
            probe = json_stringn(data + low, length);
        if (!probe)
            break;
        json_decref(probe);
        length--;
    }
    return low;
}

json_t *output_json_string(const char *data, size_t n)
{
    json_t *string = json_stringn(data, n);
    if (string)
        return string;
    _cleanup_text_ struct text t = { 0 };
    for (size_t i = 0; i < n;) {
        size_t valid = valid_prefix(data + i, n - i);
        text_add_n(&t, data + i, valid);
        i += valid;
        if (i < n) {
            text_add(&t, "\xef\xbf\xbd"); // U+FFFD
            i++;
        }
    }
    size_t length = t.length;
    _cleanup_free_ char *text = text_take(&t);
    return text ? json_stringn(text, length) : NULL;
}

// Length of an escape sequence at p that only sets colours ("\x1b[1;31m"), or 0.
static size_t colour_sequence(const char *p, size_t n)
{
    if (n < 3 || p[0] != '\x1b' || p[1] != '[')
        return 0;
    size_t i = 2;
    while (i < n && ((p[i] >= '0' && p[i] <= '9') || p[i] == ';'))
        i++;
    return i < n && p[i] == 'm' ? i + 1 : 0;
}

// Bytes from p on up to the next one that output_sanitize() treats itself.
static size_t plain_length(const char *p, size_t n)
{
    size_t i = 0;
    while (i < n && p[i] != '\\' && p[i] != '\t' && p[i] != '\n' && !(i > 0 && p[i] == '\x1b'))
        i++;
    return i;
}

char *output_sanitize(const char *data, size_t n, const char *indent)
{
    _cleanup_text_ struct text t = { 0 };
    while (n > 0 && data[n - 1] == '\n')
        n--;
    for (size_t i = 0; i < n;) {
        size_t length = colour_sequence(data + i, n - i);
        if (length > 0) {
            i += length;
        } else if ((length = plain_length(data + i, n - i)) > 0) {
            _cleanup_free_ char *printable = text_printable(data + i, length);
            if (!printable)
                return NULL;
            text_add(&t, printable);
            i += length;
        } else {
            text_add_n(&t, data + i, 1); // a backslash stays single: this is for reading, not for parsing
            if (data[i++] == '\n')
                text_add(&t, indent);
        }
    }
    return text_take(&t);
}

static const struct {
    uint64_t seconds;
    const char *name;
} span_units[] = {
    { 86400, "d" },
    { 3600, "h" },
    { 60, "min" },
    { 1, "s" },
};

void output_span(uint64_t usec, char *buf, size_t size)
{
    uint64_t left = usec / USEC_PER_SEC;
    size_t used = 0;
    unsigned parts = 0;
    buf[0] = '\0';
    for (size_t i = 0; i < ARRAY_SIZE(span_units) && parts < 2 && used < size; i++) {
        uint64_t count = left / span_units[i].seconds;
        left %= span_units[i].seconds;
        if (count > 0)
            used += (size_t)snprintf(buf + used, size - used, "%s%llu%s", parts > 0 ? " " : "",
                                     (unsigned long long)count, span_units[i].name);
        parts += parts > 0 || count > 0; // the unit after the largest counts even if it is zero
    }
    if (used == 0)
        (void)snprintf(buf, size, "0s");
}

void output_ago(uint64_t when_usec, uint64_t now_usec, char *buf, size_t size)
{
    char span[48];
    output_span(now_usec > when_usec ? now_usec - when_usec : 0, span, sizeof span);
    (void)snprintf(buf, size, "%s ago", span);
}

void output_cpu(uint64_t usec, char *buf, size_t size)
{
    if (usec < USEC_PER_SEC)
        (void)snprintf(buf, size, "%llums", (unsigned long long)(usec / USEC_PER_MSEC));
    else if (usec < 60 * USEC_PER_SEC)
        (void)snprintf(buf, size, "%.1fs", (double)usec / (double)USEC_PER_SEC);
    else
        output_span(usec, buf, size);
}

void output_timestamp(uint64_t when_usec, char *buf, size_t size)
{
    time_t t = (time_t)(when_usec / USEC_PER_SEC);
    struct tm tm = { 0 };
    if (!localtime_r(&t, &tm) || strftime(buf, size, "%Y-%m-%d %H:%M:%S %Z", &tm) == 0)
        (void)snprintf(buf, size, "-");
}

void output_size(uint64_t bytes, char *buf, size_t size)
{
    char text[NUMBER_TEXT_MAX] = "-";
    if (bytes != LIMIT_INFINITY)
        format_size_short(bytes, text);
    (void)snprintf(buf, size, "%s", text);
}
