// Printing for people and machines: aligned tables, JSON in the three modes, sizes and times for tables.
#pragma once

#include <jansson.h>
#include <stdio.h>

#include "cmd/verb.h"

// Prints value as asked for with --json= (short: one line, pretty: indented) and releases it.
// err: out of memory, or standard output can't be written.
int output_json(json_t *value, enum json_mode mode, struct error *err) _must_check_;

// A table: fixed columns, every cell made printable. Columns are as wide as their widest cell.
struct output_table;
struct output_table *output_table_new(size_t columns, const char *const *headings); // NULL: out of memory
struct output_table *output_table_free(struct output_table *t);
DEFINE_CLEANUP(struct output_table, output_table_free)
int output_table_add(struct output_table *t, const char *const *cells) _must_check_;
// legend: headings and a closing "N agents listed." line.
int output_table_print(const struct output_table *t, bool legend, FILE *out, struct error *err) _must_check_;

// "2h 5min ago" for tables; buf at least 64 bytes.
void output_ago(uint64_t when_usec, uint64_t now_usec, char *buf, size_t size);
// "2026-11-22 14:03:11 UTC", local time.
void output_timestamp(uint64_t when_usec, char *buf, size_t size);
