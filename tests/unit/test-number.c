// Sizes, durations, percentages: what is read, what is refused, and that what is written reads back the same.
#include "expect.h"

#include "base/number.h"

#define NOT_A_SIZE "not a size (512M, 1.5G, infinity)"
#define NOT_A_DURATION "not a duration (30s, 1min 30s, 2h, infinity)"
#define NOT_A_PERCENTAGE "not a percentage (50%, 250%)"

static void test_unsigned(void **state)
{
    _cleanup_error_ struct error err = { 0 };
    uint64_t v = 7;
    expect_ok(parse_unsigned("0", 0, 10, &v, &err), &err);
    assert_int_equal(v, 0);
    expect_ok(parse_unsigned("18446744073709551615", 0, UINT64_MAX, &v, &err), &err);
    assert_true(v == UINT64_MAX);
    v = 7;
    static const char *const bad[] = { "", " ", "-1", "+1", "1 ", " 1", "0x10", "010", "1.5", "1e3", "ten" };
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
        expect_refused(parse_unsigned(bad[i], 0, 10, &v, &err), &err, "not a number");
    static const char *const range[] = { "11", "18446744073709551616", "99999999999999999999999999", "1" };
    for (size_t i = 0; i < ARRAY_SIZE(range); i++)
        expect_refused(parse_unsigned(range[i], 2, 10, &v, &err), &err, "must be from 2 to 10");
    assert_int_equal(v, 7); // untouched
}

static void test_size(void **state)
{
    static const struct {
        const char *text;
        uint64_t value;
        const char *canonical;
    } cases[] = {
        { "0", 0, "0" },
        { "1", 1, "1" },
        { "1024", 1024, "1K" },
        { "512M", UINT64_C(512) << 20, "512M" },
        { "1.5G", UINT64_C(1536) << 20, "1536M" },
        { "0.001M", 1048, "1048" },
        { "2T", UINT64_C(2) << 40, "2T" },
        { "3P", UINT64_C(3) << 50, "3P" },
        { "15E", UINT64_C(15) << 60, "15E" },
        { "15.999999999999999999E", UINT64_C(18446744073709551614), NULL },
        { "18446744073709551614", UINT64_C(18446744073709551614), "18446744073709551614" },
        { "infinity", LIMIT_INFINITY, "infinity" },
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        _cleanup_error_ struct error err = { 0 };
        uint64_t v = 0;
        uint64_t again = 0;
        char text[NUMBER_TEXT_MAX];
        expect_ok(parse_size(cases[i].text, &v, &err), &err);
        assert_true(v == cases[i].value);
        format_size(v, text);
        if (cases[i].canonical)
            assert_string_equal(text, cases[i].canonical);
        expect_ok(parse_size(text, &again, &err), &err);
        assert_true(again == v);
    }
}

static void test_size_refused(void **state)
{
    static const char *const bad[] = { "",    "2GG", "G",        "1.G",  ".5G",
                                       "1.5", "-1",  "+1M",      "1 M",  "1M ",
                                       "1KB", "1k",  "0x1M",     "01M",  "50%",
                                       "1e3", "inf", "Infinity", "1,5G", "1.0000000000000000000G" };
    _cleanup_error_ struct error err = { 0 };
    uint64_t v = 7;
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
        expect_refused(parse_size(bad[i], &v, &err), &err, NOT_A_SIZE);
    static const char *const large[] = { "16E", "18446744073709551615", "18446744073709551616",
                                         "99999999999999999999999G", "17592186044416M" };
    for (size_t i = 0; i < ARRAY_SIZE(large); i++)
        expect_refused(parse_size(large[i], &v, &err), &err, "too large");
    assert_int_equal(v, 7);
}

static void test_rate_has_base_1000(void **state)
{
    _cleanup_error_ struct error err = { 0 };
    uint64_t v = 0;
    char text[NUMBER_TEXT_MAX];
    expect_ok(parse_rate("1.5M", &v, &err), &err);
    assert_int_equal(v, 1500000);
    format_rate(v, text);
    assert_string_equal(text, "1500K");
    format_rate(1024, text);
    assert_string_equal(text, "1024");
    expect_refused(parse_rate("5x", &v, &err), &err, "not a rate (10M, 1.5G, infinity)");
}

static void test_short_sizes(void **state)
{
    static const struct {
        uint64_t value;
        const char *text;
    } cases[] = {
        { 0, "0" },
        { 999, "999" },
        { 1024, "1K" },
        { 1536, "1.5K" },
        { UINT64_C(1288490189), "1.2G" },
        { UINT64_C(512) << 20, "512M" },
        { (UINT64_C(1) << 30) - 1, "1G" },
        { UINT64_MAX - 1, "16E" },
        { LIMIT_INFINITY, "infinity" },
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        char text[NUMBER_TEXT_MAX];
        format_size_short(cases[i].value, text);
        assert_string_equal(text, cases[i].text);
    }
}

static void test_duration(void **state)
{
    static const struct {
        const char *text;
        uint64_t usec;
        const char *canonical;
    } cases[] = {
        { "0", 0, "0" },
        { "90", 90 * USEC_PER_SEC, "1min 30s" },
        { "1min 30s", 90 * USEC_PER_SEC, "1min 30s" },
        { "1min30s", 90 * USEC_PER_SEC, "1min 30s" },
        { "1m 30", 90 * USEC_PER_SEC, "1min 30s" },
        { "250ms", 250 * USEC_PER_MSEC, "250ms" },
        { "1.5s", 1500 * USEC_PER_MSEC, "1s 500ms" },
        { "2h", 7200 * USEC_PER_SEC, "2h" },
        { "2 hours", 7200 * USEC_PER_SEC, "2h" },
        { "7us", 7, "7us" },
        { "7µs", 7, "7us" },
        { "1d", 86400 * USEC_PER_SEC, "1d" },
        { "1w", 604800 * USEC_PER_SEC, "1w" },
        { "1M", 2629800 * USEC_PER_SEC, "4w 2d 10h 30min" },
        { "1y", 31557600 * USEC_PER_SEC, "52w 1d 6h" },
        { "infinity", LIMIT_INFINITY, "infinity" },
        { "18446744073709551614us", UINT64_MAX - 1, "30500568w 6d 8h 1min 49s 551ms 614us" },
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        _cleanup_error_ struct error err = { 0 };
        uint64_t v = 0;
        uint64_t again = 0;
        char text[NUMBER_TEXT_MAX];
        expect_ok(parse_duration(cases[i].text, &v, &err), &err);
        assert_true(v == cases[i].usec);
        format_duration(v, text);
        assert_string_equal(text, cases[i].canonical);
        expect_ok(parse_duration(text, &again, &err), &err);
        assert_true(again == v);
    }
}

static void test_duration_refused(void **state)
{
    static const char *const bad[] = { "",    " ",       "s",           "-1s",   "+1s",
                                       "1x",  "1 min x", "infinity 1s", "1..5s", "1.s",
                                       " 1s", "0x10s",   "010s",        "1s,2s", "1e3s" };
    _cleanup_error_ struct error err = { 0 };
    uint64_t v = 7;
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
        expect_refused(parse_duration(bad[i], &v, &err), &err, NOT_A_DURATION);
    static const char *const large[] = { "18446744073709551615us", "99999999999999999999s", "600000y",
                                         "584000y 1000y" };
    for (size_t i = 0; i < ARRAY_SIZE(large); i++)
        expect_refused(parse_duration(large[i], &v, &err), &err, "too long");
    assert_int_equal(v, 7);
}

static void test_percent(void **state)
{
    static const struct {
        const char *text;
        uint64_t hundredths;
        const char *canonical;
    } cases[] = {
        { "50%", 5000, "50%" },    { "33.3%", 3330, "33.3%" },   { "0.01%", 1, "0.01%" },
        { "250%", 25000, "250%" }, { "12.05%", 1205, "12.05%" }, { "1.50%", 150, "1.5%" },
    };
    _cleanup_error_ struct error err = { 0 };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        uint64_t v = 0;
        char text[NUMBER_TEXT_MAX];
        expect_ok(parse_percent(cases[i].text, 0, &v, &err), &err);
        assert_int_equal(v, cases[i].hundredths);
        format_percent(v, text);
        assert_string_equal(text, cases[i].canonical);
    }
}

static void test_percent_refused(void **state)
{
    _cleanup_error_ struct error err = { 0 };
    uint64_t v = 7;
    static const char *const bad[] = {
        "", "%", "50", "50 %", "50%%", "-5%", "1.234%", "5.%", "050%", "0x5%"
    };
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
        expect_refused(parse_percent(bad[i], 0, &v, &err), &err, NOT_A_PERCENTAGE);
    expect_refused(parse_percent("0%", 0, &v, &err), &err, "must be more than 0%");
    expect_refused(parse_percent("0.00%", 0, &v, &err), &err, "must be more than 0%");
    expect_refused(parse_percent("100.01%", 100, &v, &err), &err, "must be at most 100%");
    expect_refused(parse_percent("18446744073709551615%", 0, &v, &err), &err, "too large");
    expect_ok(parse_percent("100%", 100, &v, &err), &err);
    assert_int_equal(v, 10000);
}

static void test_boolean(void **state)
{
    _cleanup_error_ struct error err = { 0 };
    static const char *const yes[] = { "1", "yes", "YES", "y", "true", "t", "on", "On" };
    static const char *const no[] = { "0", "no", "n", "false", "f", "off", "OFF" };
    bool b = false;
    for (size_t i = 0; i < ARRAY_SIZE(yes); i++) {
        b = false;
        expect_ok(parse_boolean(yes[i], &b, &err), &err);
        assert_true(b);
    }
    for (size_t i = 0; i < ARRAY_SIZE(no); i++) {
        b = true;
        expect_ok(parse_boolean(no[i], &b, &err), &err);
        assert_false(b);
    }
    static const char *const bad[] = { "", "2", "maybe", "yes ", "tru" };
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
        expect_refused(parse_boolean(bad[i], &b, &err), &err, "not a boolean (yes or no)");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_unsigned),         cmocka_unit_test(test_size),
        cmocka_unit_test(test_size_refused),     cmocka_unit_test(test_rate_has_base_1000),
        cmocka_unit_test(test_short_sizes),      cmocka_unit_test(test_duration),
        cmocka_unit_test(test_duration_refused), cmocka_unit_test(test_percent),
        cmocka_unit_test(test_percent_refused),  cmocka_unit_test(test_boolean),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
