// THE key table: one row for each key of a spec, with section, value type, default, option, help and
// documentation. Parser, merger, dump, --help, completion and man page lists come from it.
#pragma once

#include <stddef.h>

#include "spec/spec.h"

struct key;

// What to do with one type of value; a row of the key table names one. field points into struct spec.
struct value_type {
    const char *placeholder; // in help: SIZE, PERCENT, DURATION ...
    bool list;               // repeated assignments add, an empty one resets
    // The bare cause in err. The value is one line without control characters. Lists: appends.
    int (*parse)(const struct key *key, const char *value, void *field, struct error *err);
    int (*copy)(void *to, const void *from); // scalars: replaces; lists: appends copies. -ENOMEM, -E2BIG
    // Adds "Key=value\n", or a line per list item. -ENOMEM.
    int (*dump)(const struct key *key, const void *field, struct text *t);
    bool (*equal)(const void *a, const void *b);
    void (*clear)(void *field); // NULL: the field owns nothing
};

struct key {
    const char *section, *name;
    const struct value_type *type;
    size_t offset;        // of the field in struct spec
    const char *fallback; // the default as text; NULL: empty or unset
    const char *option;   // create's flag without dashes, or NULL (then only --set Section.Key=)
    const char *help;     // one line for --help and completion
    const char *doc;      // one paragraph for the man page (plain text)
    const void *choices;  // for enumerations: NULL-terminated array of words
    uint64_t min, max; // numbers: in the field's unit, max LIMIT_INFINITY allows "infinity"; texts: max bytes
};

extern const struct key spec_keys[];
extern const size_t spec_key_count; // at most 64 (struct spec, assigned)

// NULL if there is none. Names are exact, case included.
const struct key *key_find(const char *section, const char *name);
const struct key *key_find_option(const char *option);
const struct key *key_find_name(const char *name); // the first of that name in any section
bool key_is_section(const char *section);
// The index of a key, for the bits of assigned and reset.
size_t key_index(const struct key *key);
