// The verb table: one row a verb, with its options. Dispatch, --help, completion and the man page list come
// from it. Each verb lives in its own file cmd/NAME.c.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/text.h"

enum json_mode { JSON_OFF, JSON_SHORT, JSON_PRETTY };

// Options that verbs share; a verb's row says which it takes. One struct, filled by cmd/options.c.
struct options {
    enum json_mode json;
    bool no_legend;
    bool quiet;
    bool dry_run;
    bool follow;
    bool show_spec, show_unit, show_nft;
    const char *lines, *since, *until, *output; // as text; the verb parses them
    const char *file;
    struct strv
        assignments; // "Section.Key=value" or, for a key's own option, "memory=value"; in the order given
    int argc;        // operands: what is no option and stands before "--"
    char **argv;
    int command_argc; // what stands behind "--"
    char **command_argv;
};

enum option_argument { ARGUMENT_NONE, ARGUMENT_REQUIRED, ARGUMENT_OPTIONAL };

struct option_row {
    const char *name; // "follow"
    char letter;      // 'f', or 0
    enum option_argument argument;
    const char *placeholder;                                               // "SIZE"
    const char *help;                                                      // one line
    void (*apply)(struct options *o);                                      // flags
    int (*parse)(struct options *o, const char *value, struct error *err); // options with a value
};

struct verb {
    const char *name;
    const char *group;              // heading in --help: "life", "look"
    const char *operands;           // "NAME", "[NAME...]", "NAME [-- COMMAND...]"
    const char *summary;            // one line
    const char *const *options;     // NULL-terminated long names of option rows that it takes
    bool takes_keys;                // every key's option of the spec's key table, and --set
    bool takes_command;             // "-- COMMAND..."
    int operands_min, operands_max; // -1: any number
    int (*run)(const struct options *o, struct error *err); // 0, or negative with err
};

extern const struct verb *const verbs[];
extern const size_t verb_count;
extern const struct option_row option_rows[];
extern const size_t option_row_count;

const struct verb *verb_find(const char *name);
const struct option_row *option_find(const char *name);

// The option rows that a verb takes, in the order of its row, and then --set (for verbs with keys) and
// --help; NULL after the last one.
const struct option_row *verb_option(const struct verb *verb, size_t i);

// Fills o from argv, which begins with the verb's name. Errors name the verb and option, with the nearest
// name. *ret_help: --help was asked for; nothing else is checked then. o->argv borrows from argv, which must
// outlive it.
int options_parse(const struct verb *verb, int argc, char **argv, struct options *o, bool *ret_help,
                  struct error *err) _must_check_;
void options_clear(struct options *o);

void help_print_overview(void);
void help_print_verb(const struct verb *verb);
// The rows of all tables, tab-separated, for completion and for the tests that compare man pages with them.
void help_print_tables(void);
