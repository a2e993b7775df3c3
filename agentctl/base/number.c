// Numbers, sizes, durations, percentages and booleans as text, and back. Strict: no signs, no white space
// around, no octal or hexadecimal, no rounding that a reader would not expect; overflow is an error.
#include "base/number.h"

#include <errno.h>
#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#define FRACTION_DIGITS_MAX 18

struct unit {
    const char *name;
    uint64_t factor;
};

// A decimal number as written: digits, and the digits behind the point.
struct decimal {
    uint64_t whole;
    const char *fraction;
    size_t fraction_digits;
};

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

// -ERANGE: does not fit; -EINVAL: no digits, or a leading zero, which some parsers read as octal.
static int read_digits(const char **p, uint64_t *ret)
{
    const char *start = *p;
    uint64_t value = 0;
    bool overflow = false;
    for (; is_digit(**p); (*p)++)
        overflow |= __builtin_mul_overflow(value, UINT64_C(10), &value) ||
                    __builtin_add_overflow(value, (uint64_t)(**p - '0'), &value);
    if (*p == start || (start[0] == '0' && *p > start + 1))
        return -EINVAL;
    if (overflow)
        return -ERANGE;
    *ret = value;
    return 0;
}

static int read_decimal(const char **p, struct decimal *ret)
{
    struct decimal d = { 0 };
    int r = read_digits(p, &d.whole);
    if (r < 0)
        return r;
    if (**p == '.') {
        d.fraction = ++*p;
        while (is_digit(**p))
            (*p)++;
        d.fraction_digits = (size_t)(*p - d.fraction);
        if (d.fraction_digits == 0 || d.fraction_digits > FRACTION_DIGITS_MAX)
            return -EINVAL;
    }
    *ret = d;
    return 0;
}

// whole.fraction * factor, rounded down. factor is at most 2^60, so that ten times it fits.
static int scale(const struct decimal *d, uint64_t factor, uint64_t *ret)
{
    uint64_t part = 0;
    for (size_t i = d->fraction_digits; i > 0; i--)
        part = (part + (uint64_t)(d->fraction[i - 1] - '0') * factor) / 10;
    uint64_t value = 0;
    if (__builtin_mul_overflow(d->whole, factor, &value) || __builtin_add_overflow(value, part, &value) ||
        value == LIMIT_INFINITY)
        return -ERANGE;
    *ret = value;
    return 0;
}

int parse_unsigned(const char *text, uint64_t min, uint64_t max, uint64_t *ret, struct error *err)
{
    const char *p = text;
    uint64_t value = 0;
    int r = read_digits(&p, &value);
    if (r == -EINVAL || *p)
        return error_class(err, ERROR_USAGE, "not a number");
    if (r == -ERANGE || value < min || value > max)
        return error_class(err, ERROR_USAGE, "must be from %" PRIu64 " to %" PRIu64, min, max);
    *ret = value;
    return 0;
}

static const struct unit size_units[] = {
    { "E", UINT64_C(1) << 60 }, { "P", UINT64_C(1) << 50 }, { "T", UINT64_C(1) << 40 },
    { "G", UINT64_C(1) << 30 }, { "M", UINT64_C(1) << 20 }, { "K", UINT64_C(1) << 10 },
};

static const struct unit decimal_units[] = {
    { "E", UINT64_C(1000000000000000000) },
    { "P", UINT64_C(1000000000000000) },
    { "T", UINT64_C(1000000000000) },
    { "G", UINT64_C(1000000000) },
    { "M", UINT64_C(1000000) },
    { "K", UINT64_C(1000) },
};

#define SIZE_UNIT_COUNT ARRAY_SIZE(size_units)
_Static_assert(ARRAY_SIZE(decimal_units) == SIZE_UNIT_COUNT, "both tables hold the same suffixes");

static int parse_scaled(const char *text, const struct unit *units, const char *cause, uint64_t *ret,
                        struct error *err)
{
    if (strcmp(text, "infinity") == 0) {
        *ret = LIMIT_INFINITY;
        return 0;
    }
    const char *p = text;
    struct decimal d = { 0 };
    int r = read_decimal(&p, &d);
    uint64_t factor = 1;
    for (size_t i = 0; i < SIZE_UNIT_COUNT; i++)
        if (*p == units[i].name[0]) {
            factor = units[i].factor;
            p++;
            break;
        }
    if (r == -EINVAL || *p || (factor == 1 && d.fraction))
        return error_class(err, ERROR_USAGE, "%s", cause);
    if (r == -ERANGE || scale(&d, factor, ret) < 0)
        return error_class(err, ERROR_USAGE, "too large");
    return 0;
}

// Exact: the largest unit that divides the value.
static void format_scaled(uint64_t value, const struct unit *units, char ret[NUMBER_TEXT_MAX])
{
    const char *suffix = "";
    if (value == LIMIT_INFINITY) {
        (void)snprintf(ret, NUMBER_TEXT_MAX, "infinity");
        return;
    }
    for (size_t i = 0; i < SIZE_UNIT_COUNT && value > 0; i++)
        if (value % units[i].factor == 0) {
            value /= units[i].factor;
            suffix = units[i].name;
            break;
        }
    (void)snprintf(ret, NUMBER_TEXT_MAX, "%" PRIu64 "%s", value, suffix); // 64 bytes hold any of these
}

int parse_size(const char *text, uint64_t *ret, struct error *err)
{
    return parse_scaled(text, size_units, "not a size (512M, 1.5G, infinity)", ret, err);
}

void format_size(uint64_t bytes, char ret[NUMBER_TEXT_MAX])
{
    format_scaled(bytes, size_units, ret);
}

int parse_rate(const char *text, uint64_t *ret, struct error *err)
{
    return parse_scaled(text, decimal_units, "not a rate (10M, 1.5G, infinity)", ret, err);
}

void format_rate(uint64_t per_second, char ret[NUMBER_TEXT_MAX])
{
    format_scaled(per_second, decimal_units, ret);
}

void format_size_short(uint64_t bytes, char ret[NUMBER_TEXT_MAX])
{
    if (bytes == LIMIT_INFINITY) {
        (void)snprintf(ret, NUMBER_TEXT_MAX, "infinity");
        return;
    }
    for (size_t i = 0; i < SIZE_UNIT_COUNT && bytes >= 1024; i++) {
        uint64_t factor = size_units[i].factor; // at most 2^60: ten times the rest fits
        uint64_t tenths = bytes / factor * 10 + (bytes % factor * 10 + factor / 2) / factor;
        if (tenths < 10)
            continue;
        if (tenths % 10 == 0)
            (void)snprintf(ret, NUMBER_TEXT_MAX, "%" PRIu64 "%s", tenths / 10, size_units[i].name);
        else
            (void)snprintf(ret, NUMBER_TEXT_MAX, "%" PRIu64 ".%" PRIu64 "%s", tenths / 10, tenths % 10,
                           size_units[i].name);
        return;
    }
    (void)snprintf(ret, NUMBER_TEXT_MAX, "%" PRIu64, bytes);
}

#define MINUTE (60 * USEC_PER_SEC)
#define HOUR (60 * MINUTE)
#define DAY (24 * HOUR)
#define WEEK (7 * DAY)
#define MONTH (UINT64_C(2629800) * USEC_PER_SEC)
#define YEAR (UINT64_C(31557600) * USEC_PER_SEC)

// systemd.time(7), "Parsing time spans".
static const struct unit time_units[] = {
    { "usec", 1 },
    { "us", 1 },
    { "µs", 1 },
    { "msec", USEC_PER_MSEC },
    { "ms", USEC_PER_MSEC },
    { "seconds", USEC_PER_SEC },
    { "second", USEC_PER_SEC },
    { "sec", USEC_PER_SEC },
    { "s", USEC_PER_SEC },
    { "minutes", MINUTE },
    { "minute", MINUTE },
    { "min", MINUTE },
    { "m", MINUTE },
    { "hours", HOUR },
    { "hour", HOUR },
    { "hr", HOUR },
    { "h", HOUR },
    { "days", DAY },
    { "day", DAY },
    { "d", DAY },
    { "weeks", WEEK },
    { "week", WEEK },
    { "w", WEEK },
    { "months", MONTH },
    { "month", MONTH },
    { "M", MONTH },
    { "years", YEAR },
    { "year", YEAR },
    { "y", YEAR },
};

// The factor of the unit at *p, which is moved behind it; seconds where there is none; 0 if it is unknown.
static uint64_t read_time_unit(const char **p)
{
    size_t n = strcspn(*p, " 0123456789");
    if (n == 0)
        return USEC_PER_SEC;
    for (size_t i = 0; i < ARRAY_SIZE(time_units); i++)
        if (strlen(time_units[i].name) == n && memcmp(*p, time_units[i].name, n) == 0) {
            *p += n;
            return time_units[i].factor;
        }
    return 0;
}

static int read_time_part(const char **p, uint64_t *total)
{
    struct decimal d = { 0 };
    int r = read_decimal(p, &d);
    if (r < 0)
        return r;
    *p += strspn(*p, " ");
    uint64_t factor = read_time_unit(p);
    if (factor == 0)
        return -EINVAL;
    uint64_t part = 0;
    if (scale(&d, factor, &part) < 0 || __builtin_add_overflow(*total, part, total) ||
        *total == LIMIT_INFINITY)
        return -ERANGE;
    *p += strspn(*p, " ");
    return 0;
}

int parse_duration(const char *text, uint64_t *ret_usec, struct error *err)
{
    if (strcmp(text, "infinity") == 0) {
        *ret_usec = LIMIT_INFINITY;
        return 0;
    }
    uint64_t total = 0;
    const char *p = text;
    do {
        int r = read_time_part(&p, &total);
        if (r == -ERANGE)
            return error_class(err, ERROR_USAGE, "too long");
        if (r < 0)
            return error_class(err, ERROR_USAGE, "not a duration (30s, 1min 30s, 2h, infinity)");
    } while (*p);
    *ret_usec = total;
    return 0;
}

void format_duration(uint64_t usec, char ret[NUMBER_TEXT_MAX])
{
    static const struct unit units[] = {
        { "w", WEEK },           { "d", DAY }, { "h", HOUR }, { "min", MINUTE }, { "s", USEC_PER_SEC },
        { "ms", USEC_PER_MSEC }, { "us", 1 },
    };
    if (usec == LIMIT_INFINITY || usec == 0) {
        (void)snprintf(ret, NUMBER_TEXT_MAX, usec ? "infinity" : "0");
        return;
    }
    size_t n = 0;
    for (size_t i = 0; i < ARRAY_SIZE(units); i++) {
        uint64_t count = usec / units[i].factor;
        usec %= units[i].factor;
        if (count > 0) // the longest text, seven parts, has 43 bytes
            n += (size_t)snprintf(ret + n, NUMBER_TEXT_MAX - n, "%s%" PRIu64 "%s", n > 0 ? " " : "", count,
                                  units[i].name);
    }
}

int parse_percent(const char *text, uint64_t max_percent, uint64_t *ret_hundredths, struct error *err)
{
    const char *p = text;
    struct decimal d = { 0 };
    int r = read_decimal(&p, &d);
    if (r == -EINVAL || p[0] != '%' || p[1] || d.fraction_digits > 2)
        return error_class(err, ERROR_USAGE, "not a percentage (50%%, 250%%)");
    uint64_t value = 0;
    if (r == -ERANGE || scale(&d, 100, &value) < 0)
        return error_class(err, ERROR_USAGE, "too large");
    if (value == 0)
        return error_class(err, ERROR_USAGE, "must be more than 0%%");
    if (max_percent > 0 && (value - 1) / 100 >= max_percent)
        return error_class(err, ERROR_USAGE, "must be at most %" PRIu64 "%%", max_percent);
    *ret_hundredths = value;
    return 0;
}

void format_percent(uint64_t hundredths, char ret[NUMBER_TEXT_MAX])
{
    int n = snprintf(ret, NUMBER_TEXT_MAX, "%" PRIu64, hundredths / 100);
    unsigned rest = (unsigned)(hundredths % 100);
    if (rest % 10 > 0)
        n += snprintf(ret + n, (size_t)(NUMBER_TEXT_MAX - n), ".%02u", rest);
    else if (rest > 0)
        n += snprintf(ret + n, (size_t)(NUMBER_TEXT_MAX - n), ".%u", rest / 10);
    (void)snprintf(ret + n, (size_t)(NUMBER_TEXT_MAX - n), "%%");
}

int parse_boolean(const char *text, bool *ret, struct error *err)
{
    static const char *const words[] = { "no",    "yes",  "0", "1", "n",   "y",
                                         "false", "true", "f", "t", "off", "on" };
    for (size_t i = 0; i < ARRAY_SIZE(words); i++)
        if (strcasecmp(text, words[i]) == 0) {
            *ret = i % 2 == 1;
            return 0;
        }
    return error_class(err, ERROR_USAGE, "not a boolean (yes or no)");
}
