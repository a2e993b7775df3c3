// Numbers as people write them, in systemd's grammar: sizes (systemd.resource-control(5)), durations
// (systemd.time(7)), percentages. Every parser refuses trailing text, signs and overflow, leaves *ret
// untouched on failure and sets err to the bare cause ("not a size"), without the object. The formatters give
// the canonical text, which parses back to the same value; they write at most NUMBER_TEXT_MAX bytes.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/error.h"

#define NUMBER_TEXT_MAX 64
#define LIMIT_INFINITY UINT64_MAX // "infinity": no limit, in sizes, durations and counts alike
#define USEC_PER_SEC UINT64_C(1000000)
#define USEC_PER_MSEC UINT64_C(1000)

// A decimal number in [min, max].
int parse_unsigned(const char *text, uint64_t min, uint64_t max, uint64_t *ret,
                   struct error *err) _must_check_;

// Bytes: a number, which may have a fraction, with K M G T P E to the base 1024, or "infinity".
int parse_size(const char *text, uint64_t *ret, struct error *err) _must_check_;
void format_size(uint64_t bytes, char ret[NUMBER_TEXT_MAX]);       // exact: "512M", "1234567"
void format_size_short(uint64_t bytes, char ret[NUMBER_TEXT_MAX]); // for tables: "1.2G"

// A rate (bytes or operations a second): as a size, but to the base 1000, as systemd's IO*Max= keys have it.
int parse_rate(const char *text, uint64_t *ret, struct error *err) _must_check_;
void format_rate(uint64_t per_second, char ret[NUMBER_TEXT_MAX]);

// Microseconds: "90", "1min 30s", "250ms", "2h", "infinity"; a bare number is seconds.
int parse_duration(const char *text, uint64_t *ret_usec, struct error *err) _must_check_;
void format_duration(uint64_t usec, char ret[NUMBER_TEXT_MAX]);

// A percentage with up to two decimals, as hundredths of a percent: "33.3%" is 3330. At least 0.01 %, at most
// max_percent (0: no bound).
int parse_percent(const char *text, uint64_t max_percent, uint64_t *ret_hundredths,
                  struct error *err) _must_check_;
void format_percent(uint64_t hundredths, char ret[NUMBER_TEXT_MAX]);

// systemd's booleans: 1 yes y true t on, 0 no n false f off.
int parse_boolean(const char *text, bool *ret, struct error *err) _must_check_;
