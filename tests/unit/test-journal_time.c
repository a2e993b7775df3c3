// Points in time for --since= and --until=, in a fixed time zone.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <time.h>

#include <cmocka.h>

#include "base/number.h"
#include "sys/journal.h"

// 2026-11-22 13:45:30.5 UTC, a Sunday; 08:45:30 in the zone.
#define NOW_SECONDS INT64_C(1795355130)
#define NOW ((uint64_t)NOW_SECONDS * USEC_PER_SEC + 500000)
#define ZONE_SECONDS (5 * 3600)

static int set_zone(void **state)
{
    (void)state;
    if (setenv("TZ", "EST5", 1) != 0) // no daylight saving time
        return -1;
    tzset();
    return 0;
}

static void check(const char *text, uint64_t expected)
{
    struct error err = { 0 };
    uint64_t usec = 0;
    int r = journal_parse_time(text, NOW, &usec, &err);
    if (r < 0)
        fail_msg("%s: %s", text, err.text);
    if (usec != expected)
        fail_msg("%s: %llu instead of %llu", text, (unsigned long long)usec, (unsigned long long)expected);
}

#define SECONDS(s) ((uint64_t)(NOW_SECONDS + (s)) * USEC_PER_SEC)
#define MIDNIGHT_UTC (-(13 * 3600 + 45 * 60 + 30))
#define MIDNIGHT (MIDNIGHT_UTC + ZONE_SECONDS)

static void test_words(void **state)
{
    (void)state;
    check("now", NOW);
    check("today", SECONDS(MIDNIGHT));
    check("yesterday", SECONDS(MIDNIGHT - 86400));
    check("tomorrow", SECONDS(MIDNIGHT + 86400));
    check("today UTC", SECONDS(MIDNIGHT_UTC));
}

static void test_relative(void **state)
{
    (void)state;
    check("-1h", NOW - 3600 * USEC_PER_SEC);
    check("+5min", NOW + 300 * USEC_PER_SEC);
    check("1h 30min ago", NOW - 5400 * USEC_PER_SEC);
    check("-90", NOW - 90 * USEC_PER_SEC);
    check("-0s", NOW);
}

static void test_epoch(void **state)
{
    (void)state;
    check("@0", 0);
    check("@1700000000", UINT64_C(1700000000) * USEC_PER_SEC);
}

static void test_calendar(void **state)
{
    (void)state;
    check("2026-11-22", SECONDS(MIDNIGHT));
    check("2026-11-22 12:00", SECONDS(MIDNIGHT + 12 * 3600));
    check("2026-11-22 12:00:07", SECONDS(MIDNIGHT + 12 * 3600 + 7));
    check("2026-11-22T12:00:07Z", SECONDS(MIDNIGHT_UTC + 12 * 3600 + 7));
    check("2026-11-22 12:00 UTC", SECONDS(MIDNIGHT_UTC + 12 * 3600));
    check("09:15", SECONDS(MIDNIGHT + 9 * 3600 + 15 * 60));
    check("09:15:20", SECONDS(MIDNIGHT + 9 * 3600 + 15 * 60 + 20));
    check("09:15Z", SECONDS(MIDNIGHT_UTC + 9 * 3600 + 15 * 60));
    check("2024-02-29 UTC", UINT64_C(1709164800) * USEC_PER_SEC);
}

// The first and the last of a month, where the neighbouring day is in another one.
static void test_day_words_across_months(void **state)
{
    (void)state;
    struct error err = { 0 };
    uint64_t usec = 0;
    uint64_t first_of_march = UINT64_C(1772366400) * USEC_PER_SEC; // 2026-03-01 12:00 UTC
    assert_int_equal(journal_parse_time("yesterday UTC", first_of_march, &usec, &err), 0);
    assert_int_equal(usec / USEC_PER_SEC, 1772366400 - 43200 - 86400);
    uint64_t last_of_december = UINT64_C(1798718400) * USEC_PER_SEC; // 2026-12-31 12:00 UTC
    assert_int_equal(journal_parse_time("tomorrow UTC", last_of_december, &usec, &err), 0);
    assert_int_equal(usec / USEC_PER_SEC, 1798718400 + 43200);
}

static void test_refused(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "",
        " ",
        "soon",
        "12",
        "12:60",
        "24:00",
        "2026-13-01",
        "2026-00-10",
        "2026-11-32",
        "2026-02-30",
        "2025-02-29",
        "2026-11-22 ",
        "2026-11-22 12",
        "2026-11-22 12:00:00x",
        "2026-11-22  12:00",
        "26-11-22",
        "1969-12-31",
        "@",
        "@-1",
        "@1x",
        "@99999999999999999999",
        "-",
        "+",
        "-infinity",
        "-1parsec",
        "-60y",
        "--1h",
        "ago",
        " ago",
        "infinity",
    };
    for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
        _cleanup_error_ struct error err = { 0 };
        uint64_t usec = 12345;
        if (journal_parse_time(texts[i], NOW, &usec, &err) >= 0)
            fail_msg("'%s' was taken as %llu", texts[i], (unsigned long long)usec);
        assert_int_equal(usec, 12345);
        assert_int_equal(err.class, ERROR_USAGE);
        assert_non_null(err.text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_words),   cmocka_unit_test(test_relative),
        cmocka_unit_test(test_epoch),   cmocka_unit_test(test_calendar),
        cmocka_unit_test(test_refused), cmocka_unit_test(test_day_words_across_months),
    };
    return cmocka_run_group_tests(tests, set_zone, NULL);
}
