// Points in time as people write them for --since= and --until=. Asks no clock: the caller says what time it
// is.
#include "sys/journal.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/number.h"

static int not_a_time(struct error *err)
{
    return error_class(
        err, ERROR_USAGE,
        "not a time (use \"2026-01-31 12:00\", \"12:00\", \"today\", \"-1h\" or \"@1700000000\")");
}

// "-1h", "+5min", "1h ago"
static int parse_relative(const char *text, uint64_t now_usec, uint64_t *ret, struct error *err)
{
    bool future = text[0] == '+';
    _cleanup_free_ char *span = strdup(*text == '-' || *text == '+' ? text + 1 : text);
    if (!span)
        return error_oom(err);
    if (str_suffix(span, " ago"))
        span[strlen(span) - strlen(" ago")] = '\0';

    uint64_t usec = 0;
    if (parse_duration(span, &usec, err) < 0 || usec == LIMIT_INFINITY)
        return not_a_time(err);
    if (future ? usec > UINT64_MAX - now_usec : usec > now_usec)
        return error_class(err, ERROR_USAGE, "out of range");
    *ret = future ? now_usec + usec : now_usec - usec;
    return 0;
}

static int parse_epoch(const char *text, uint64_t *ret, struct error *err)
{
    uint64_t seconds = 0;
    if (parse_unsigned(text, 0, UINT64_MAX / USEC_PER_SEC, &seconds, err) < 0)
        return not_a_time(err);
    *ret = seconds * USEC_PER_SEC;
    return 0;
}

// Reads exactly `digits` decimal digits of a number in [min, max] and moves *p behind them.
static bool read_number(const char **p, int digits, int min, int max, int *ret)
{
    int value = 0;
    for (int i = 0; i < digits; i++, (*p)++) {
        if (!isdigit((unsigned char)**p))
            return false;
        value = value * 10 + (**p - '0');
    }
    if (value < min || value > max)
        return false;
    *ret = value;
    return true;
}

static bool read_char(const char **p, char c)
{
    if (**p != c)
        return false;
    (*p)++;
    return true;
}

// "YYYY-MM-DD"
static bool read_date(const char **p, struct tm *tm)
{
    if (!read_number(p, 4, 1970, 9999, &tm->tm_year) || !read_char(p, '-') ||
        !read_number(p, 2, 1, 12, &tm->tm_mon) || !read_char(p, '-') ||
        !read_number(p, 2, 1, 31, &tm->tm_mday))
        return false;
    tm->tm_year -= 1900;
    tm->tm_mon -= 1;
    return true;
}

// "HH:MM[:SS]"
static bool read_clock(const char **p, struct tm *tm)
{
    if (!read_number(p, 2, 0, 23, &tm->tm_hour) || !read_char(p, ':') ||
        !read_number(p, 2, 0, 59, &tm->tm_min))
        return false;
    return !read_char(p, ':') || read_number(p, 2, 0, 59, &tm->tm_sec);
}

static bool same_day(const struct tm *a, const struct tm *b)
{
    return a->tm_mday == b->tm_mday && a->tm_mon == b->tm_mon && a->tm_year == b->tm_year;
}

static int broken_down_to_usec(struct tm tm, bool utc, uint64_t *ret, struct error *err)
{
    struct tm asked = tm;
    tm.tm_isdst = -1;
    time_t t = utc ? timegm(&tm) : mktime(&tm);
    if (t < 0)
        return error_class(err, ERROR_USAGE, "out of range");
    if (!same_day(&tm, &asked)) // normalised: 31 February became March
        return error_class(err, ERROR_USAGE, "no such day");
    *ret = (uint64_t)t * USEC_PER_SEC;
    return 0;
}

// Removes a trailing " UTC" or "Z" and tells whether it was there.
static bool take_utc(char *text)
{
    size_t n = strlen(text);
    if (str_suffix(text, " UTC"))
        text[n - strlen(" UTC")] = '\0';
    else if (n > 1 && text[n - 1] == 'Z' && isdigit((unsigned char)text[n - 2]))
        text[n - 1] = '\0';
    else
        return false;
    return true;
}

// Midnight of the day that is `days` from today.
static void day_of(uint64_t now_usec, int days, bool utc, struct tm *ret)
{
    time_t t = (time_t)(now_usec / USEC_PER_SEC);
    struct tm tm = { 0 };
    (void)(utc ? gmtime_r(&t, &tm) : localtime_r(&t, &tm)); // fails only for years beyond an int
    *ret = (struct tm){ .tm_year = tm.tm_year, .tm_mon = tm.tm_mon, .tm_mday = tm.tm_mday + days };
    if (days != 0) { // into the neighbouring month: at noon, where no clock change can move the day
        ret->tm_hour = 12;
        (void)timegm(ret);
        ret->tm_hour = 0;
    }
}

static const struct {
    const char *word;
    int days;
} day_words[] = {
    { "today", 0 },
    { "yesterday", -1 },
    { "tomorrow", 1 },
};

static int parse_calendar(const char *text, uint64_t now_usec, uint64_t *ret, struct error *err)
{
    _cleanup_free_ char *copy = strdup(text);
    if (!copy)
        return error_oom(err);
    bool utc = take_utc(copy);
    struct tm tm = { 0 };

    for (size_t i = 0; i < ARRAY_SIZE(day_words); i++)
        if (str_equal(copy, day_words[i].word)) {
            day_of(now_usec, day_words[i].days, utc, &tm);
            return broken_down_to_usec(tm, utc, ret, err);
        }

    const char *p = copy;
    bool clock_wanted = true;
    if (strchr(copy, '-')) {
        if (!read_date(&p, &tm))
            return not_a_time(err);
        clock_wanted = read_char(&p, ' ') || read_char(&p, 'T');
    } else {
        day_of(now_usec, 0, utc, &tm);
    }
    if ((clock_wanted && !read_clock(&p, &tm)) || *p != '\0')
        return not_a_time(err);
    return broken_down_to_usec(tm, utc, ret, err);
}

int journal_parse_time(const char *text, uint64_t now_usec, uint64_t *ret_usec, struct error *err)
{
    if (str_equal(text, "now")) {
        *ret_usec = now_usec;
        return 0;
    }
    if (*text == '@')
        return parse_epoch(text + 1, ret_usec, err);
    if (*text == '-' || *text == '+' || str_suffix(text, " ago"))
        return parse_relative(text, now_usec, ret_usec, err);
    return parse_calendar(text, now_usec, ret_usec, err);
}
