// Text: string vectors, a growing buffer, predicates on characters, quoting, the nearest of several names.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/error.h"

// --- a growing buffer
// --------------------------------------------------------------------------------------- Appending never
// fails halfway: after the first failed allocation the buffer is marked and text_take() says so.
struct text {
    char *data; // always NUL-terminated once anything was added
    size_t length;
    size_t capacity;
    bool failed;
};

void text_clear(struct text *t);
void text_add(struct text *t, const char *string);
void text_add_n(struct text *t, const char *data, size_t n);
void text_addf(struct text *t, const char *format, ...) _printf_(2, 3);
// The text built so far, which the caller frees; "" for none. NULL when memory ran out. t is empty
// afterwards.
char *text_take(struct text *t) _must_check_;

#define _cleanup_text_ _cleanup_(text_clear)

// --- vectors of strings
// ------------------------------------------------------------------------------------- A NULL-terminated
// array of owned strings; count does not include the NULL. {0} is an empty vector.
struct strv {
    char **items;
    size_t count;
};

void strv_clear(struct strv *v);
int strv_add(struct strv *v, const char *string) _must_check_; // copies; -ENOMEM
int strv_addf(struct strv *v, const char *format, ...) _printf_(2, 3) _must_check_;
int strv_take(struct strv *v, char *string) _must_check_;             // owns string, also on failure
int strv_copy(struct strv *to, const struct strv *from) _must_check_; // appends copies
bool strv_contains(const struct strv *v, const char *string) _pure_;
bool strv_equal(const struct strv *a, const struct strv *b) _pure_;
// Joined with the separator; the caller frees. NULL on out of memory.
char *strv_join(const struct strv *v, const char *separator) _must_check_;

#define _cleanup_strv_ _cleanup_(strv_clear)
#define STRV_FOREACH(item, v) for (char *const *_i = (v)->items, *item; _i && (item = *_i); _i++)

// --- predicates
// ---------------------------------------------------------------------------------------------
static inline bool str_equal(const char *a, const char *b)
{
    return a == b || (a && b && strcmp(a, b) == 0);
}

static inline bool str_prefix(const char *string, const char *prefix)
{
    return strncmp(string, prefix, strlen(prefix)) == 0;
}

bool str_suffix(const char *string, const char *suffix) _pure_;

// True if the n bytes hold a C0/C1 control character or DEL (newline, ESC, NUL ...) or are not valid UTF-8.
// A newline in a value would forge lines in systemd's fragments and in listings.
bool text_has_control(const char *data, size_t n) _pure_;

// A copy that is safe on a terminal and in a log: control characters and invalid UTF-8 as \xNN, backslash as
// \\. The caller frees.
char *text_printable(const char *data, size_t n) _must_check_;

// --- quoting (systemd's: white space separates, "" and '' group, C escapes)
// ------------------------------------- Splits a value into words and appends them. err: what is wrong with
// the quoting, without an object.
int words_split(const char *value, struct strv *ret_words, struct error *err) _must_check_;
// The inverse: words_split(words_join(v)) = v. Words are quoted only where they need it. NULL on out of
// memory.
char *words_join(const struct strv *words) _must_check_;

// --- the nearest name
// --------------------------------------------------------------------------------------- The candidate
// closest to name (Damerau-Levenshtein, ignoring case), or NULL if none is close enough to be a slip of the
// fingers. candidate(i, userdata) returns NULL after the last one.
const char *nearest_name(const char *name, const char *(*candidate)(size_t i, const void *userdata),
                         const void *userdata);
