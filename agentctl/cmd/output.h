// Printing for people and machines: aligned tables, JSON in its modes, sizes and times. Nothing that an agent
// can choose reaches a terminal raw.
#pragma once

#include <jansson.h>
#include <stdio.h>

#include "cmd/verb.h"

// Prints value as asked for with --json= (short: one line, pretty: indented) and releases it, also on
// failure; NULL counts as out of memory. For a terminal everything beyond ASCII is escaped, which says the
// same.
int output_json(json_t *value, enum json_mode mode, struct error *err) _must_check_;
// A string of any bytes; what is not UTF-8 becomes U+FFFD. NULL: out of memory.
json_t *output_json_string(const char *data, size_t n) _must_check_;
// An unsigned number, or null if it is LIMIT_INFINITY (no limit, or not known). NULL: out of memory.
json_t *output_json_number(uint64_t value) _must_check_;

// Whether standard output took everything written to it. Verbs call it last.
int output_finish(struct error *err) _must_check_;

// A message for a terminal, on one or more lines: control characters and invalid UTF-8 as \xNN, colours
// removed, tabs kept, each further line behind `indent`, so that no line can pretend to be another entry. The
// caller frees; NULL: out of memory.
char *output_sanitize(const char *data, size_t n, const char *indent) _must_check_;

// A table: fixed columns, every cell made printable. Columns are as wide as their widest cell. A heading that
// begins with '>' stands, without it, over a column of numbers, which is aligned to the right.
struct output_table;
struct output_table *output_table_new(size_t columns, const char *const *headings); // NULL: out of memory
struct output_table *output_table_free(struct output_table *t);
DEFINE_CLEANUP(struct output_table, output_table_free)
#define _cleanup_table_ _cleanup_(output_table_freep)
int output_table_add(struct output_table *t, const char *const *cells) _must_check_; // copies; NULL: "-"
// legend: with headings. Rows are printed in the order they were added.
int output_table_print(const struct output_table *t, bool legend, FILE *out, struct error *err) _must_check_;

// "2h 5min ago"; buf at least 64 bytes.
void output_ago(uint64_t when_usec, uint64_t now_usec, char *buf, size_t size);
// "2h 5min": the two largest units of a span.
void output_span(uint64_t usec, char *buf, size_t size);
// CPU time: "850ms", "12.5s", "2h 5min".
void output_cpu(uint64_t usec, char *buf, size_t size);
// "2026-11-22 14:03:11 UTC", local time.
void output_timestamp(uint64_t when_usec, char *buf, size_t size);
// "1.2G", or "-" if it is LIMIT_INFINITY.
void output_size(uint64_t bytes, char *buf, size_t size);
