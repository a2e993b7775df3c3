// The options of all verbs, one row each, and their parser. Fills struct options and does nothing else: what
// a value means is checked here only where every verb means the same by it.
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/verb.h"
#include "spec/key.h"

static int parse_json(struct options *o, const char *value, struct error *err)
{
    if (str_equal(value, "short"))
        o->json = JSON_SHORT;
    else if (str_equal(value, "pretty"))
        o->json = JSON_PRETTY;
    else if (str_equal(value, "off"))
        o->json = JSON_OFF;
    else
        return error_class(err, ERROR_USAGE, "not one of short, pretty, off");
    return 0;
}

static int parse_lines(struct options *o, const char *value, struct error *err)
{
    (void)err; // each verb says what its count may be
    o->lines = value;
    return 0;
}

static int parse_since(struct options *o, const char *value, struct error *err)
{
    (void)err;
    o->since = value;
    return 0;
}

static int parse_until(struct options *o, const char *value, struct error *err)
{
    (void)err;
    o->until = value;
    return 0;
}

static int parse_output(struct options *o, const char *value, struct error *err)
{
    (void)err;
    o->output = value;
    return 0;
}

static int parse_file(struct options *o, const char *value, struct error *err)
{
    if (*value == '\0')
        return error_class(err, ERROR_USAGE, "no file name");
    o->file = value;
    return 0;
}

static int parse_set(struct options *o, const char *value, struct error *err)
{
    const char *equals = strchr(value, '=');
    const char *dot = strchr(value, '.');
    if (!equals || !dot || dot > equals)
        return error_class(err, ERROR_USAGE, "not Section.Key=value");
    return strv_add(&o->assignments, value) < 0 ? error_oom(err) : 0;
}

static void apply_no_legend(struct options *o)
{
    o->no_legend = true;
}

static void apply_no_pager(struct options *o)
{
    (void)o; // agentctl never starts a pager; scripts that say so are right
}

static void apply_quiet(struct options *o)
{
    o->quiet = true;
}

static void apply_dry_run(struct options *o)
{
    o->dry_run = true;
}

static void apply_follow(struct options *o)
{
    o->follow = true;
}

static void apply_spec(struct options *o)
{
    o->show_spec = true;
}

static void apply_unit(struct options *o)
{
    o->show_unit = true;
}

static void apply_nft(struct options *o)
{
    o->show_nft = true;
}

// clang-format off
const struct option_row option_rows[] = {
    { "help", 'h', ARGUMENT_NONE, NULL, "show this help", NULL, NULL },
    { "quiet", 'q', ARGUMENT_NONE, NULL, "say nothing but errors", apply_quiet, NULL },
    { "json", 0, ARGUMENT_REQUIRED, "MODE", "print JSON: short, pretty or off", NULL, parse_json },
    { "no-legend", 0, ARGUMENT_NONE, NULL, "no headings and no closing line", apply_no_legend, NULL },
    { "no-pager", 0, ARGUMENT_NONE, NULL, "accepted and without effect: there never is a pager", apply_no_pager, NULL },
    { "dry-run", 0, ARGUMENT_NONE, NULL, "print what would be done and change nothing", apply_dry_run, NULL },
    { "file", 0, ARGUMENT_REQUIRED, "FILE", "read the spec from FILE (-: standard input)", NULL, parse_file },
    { "set", 0, ARGUMENT_REQUIRED, "SECTION.KEY=VALUE", "set any key of the spec (agentctl.agent(5))", NULL, parse_set },
    { "follow", 'f', ARGUMENT_NONE, NULL, "go on printing new entries until interrupted", apply_follow, NULL },
    { "lines", 'n', ARGUMENT_REQUIRED, "LINES", "how many of the last log lines, or all", NULL, parse_lines },
    { "since", 0, ARGUMENT_REQUIRED, "TIME", "only entries from TIME on (\"2026-01-31 12:00\", today, -1h)", NULL, parse_since },
    { "until", 0, ARGUMENT_REQUIRED, "TIME", "only entries up to TIME", NULL, parse_until },
    { "output", 'o', ARGUMENT_REQUIRED, "FORMAT", "how to print entries: short, json or cat", NULL, parse_output },
    { "spec", 0, ARGUMENT_NONE, NULL, "the agent's spec file in canonical form (the default)", apply_spec, NULL },
    { "unit", 0, ARGUMENT_NONE, NULL, "the units as systemd gets them, as unit files", apply_unit, NULL },
    { "nft", 0, ARGUMENT_NONE, NULL, "the agent's firewall rules in nft's syntax", apply_nft, NULL },
};
// clang-format on
const size_t option_row_count = ARRAY_SIZE(option_rows);

const struct option_row *option_find(const char *name)
{
    for (size_t i = 0; i < option_row_count; i++)
        if (str_equal(option_rows[i].name, name))
            return &option_rows[i];
    return NULL;
}

const struct option_row *verb_option(const struct verb *verb, size_t i)
{
    size_t own = 0;
    while (verb->options && verb->options[own])
        own++;
    if (i < own)
        return option_find(verb->options[i]);
    if (verb->takes_keys && i == own)
        return option_find("set");
    return i == own + (verb->takes_keys ? 1 : 0) ? option_find("help") : NULL;
}

// What one verb accepts, as getopt_long() wants it. val of longs[i] is VAL_FIRST + i; a long option is either
// a row or, where rows[i].row is NULL, the option of a key.
#define VAL_FIRST 1000

struct accepted_row {
    const struct option_row *row;
};

struct accepted {
    struct option *longs;
    struct accepted_row *rows;
    char *letters;
    size_t count;
};

static void accepted_clear(struct accepted *a)
{
    free(a->longs);
    free(a->rows);
    free(a->letters);
}

static void accept(struct accepted *a, const char *name, enum option_argument argument,
                   const struct option_row *row)
{
    a->longs[a->count] = (struct option){
        .name = name,
        .has_arg = argument == ARGUMENT_NONE       ? no_argument
                   : argument == ARGUMENT_OPTIONAL ? optional_argument
                                                   : required_argument,
        .val = VAL_FIRST + (int)a->count,
    };
    a->rows[a->count++].row = row;
}

static int collect_accepted(const struct verb *verb, struct accepted *a, struct error *err)
{
    size_t max = option_row_count + spec_key_count + 1;
    a->longs = calloc(max, sizeof *a->longs);
    a->rows = calloc(max, sizeof *a->rows);
    if (!a->longs || !a->rows) {
        (void)error_oom(err);
        return -ENOMEM;
    }

    _cleanup_text_ struct text letters = { 0 };
    text_add(&letters, "-:"); // operands in their places, and our own words for a missing value
    const struct option_row *row = NULL;
    for (size_t i = 0; (row = verb_option(verb, i)); i++) {
        accept(a, row->name, row->argument, row);
        if (row->letter)
            text_addf(&letters, "%c%s", row->letter, row->argument == ARGUMENT_NONE ? "" : ":");
    }
    for (size_t i = 0; verb->takes_keys && i < spec_key_count; i++)
        if (spec_keys[i].option)
            accept(a, spec_keys[i].option, ARGUMENT_REQUIRED, NULL);
    a->letters = text_take(&letters);
    if (a->letters)
        return 0;
    (void)error_oom(err);
    return -ENOMEM;
}

static const char *long_candidate(size_t i, const void *userdata)
{
    const struct accepted *a = userdata;
    return i < a->count ? a->longs[i].name : NULL;
}

static size_t count_prefixed(const struct accepted *a, const char *name)
{
    size_t count = 0;
    for (size_t i = 0; i < a->count; i++)
        count += str_prefix(a->longs[i].name, name);
    return count;
}

// word is the argument as typed, with its dashes; letter is set for a short option.
static int error_unknown(const struct verb *verb, const struct accepted *a, const char *word, int letter,
                         struct error *err)
{
    if (letter)
        return error_class(err, ERROR_USAGE, "%s: unknown option -%c", verb->name, letter);
    _cleanup_free_ char *name = strndup(word + 2, strcspn(word + 2, "="));
    if (!name)
        return error_oom(err);
    if (count_prefixed(a, name) > 1)
        return error_class(err, ERROR_USAGE, "%s: --%s could be several options; write it in full",
                           verb->name, name);
    const char *nearest = nearest_name(name, long_candidate, a);
    if (nearest)
        return error_class(err, ERROR_USAGE, "%s: unknown option --%s; did you mean --%s?", verb->name, name,
                           nearest);
    return error_class(err, ERROR_USAGE, "%s: unknown option --%s", verb->name, name);
}

// The option's name as getopt reports it in optopt: a letter, or a val of ours.
static void option_text(const struct accepted *a, int val, char *ret, size_t size)
{
    if (val >= VAL_FIRST && (size_t)(val - VAL_FIRST) < a->count)
        (void)snprintf(ret, size, "--%s", a->longs[val - VAL_FIRST].name);
    else
        (void)snprintf(ret, size, "-%c", val);
}

static int error_bad_option(const struct verb *verb, const struct accepted *a, int c, const char *word,
                            struct error *err)
{
    char text[64];
    option_text(a, optopt, text, sizeof text);
    if (c == ':')
        return error_class(err, ERROR_USAGE, "%s: %s needs a value", verb->name, text);
    if (optopt >= VAL_FIRST)
        return error_class(err, ERROR_USAGE, "%s: %s takes no value", verb->name, text);
    return error_unknown(verb, a, word, optopt, err);
}

static int assign_key(struct options *o, const char *option, const char *value, struct error *err)
{
    return strv_addf(&o->assignments, "%s=%s", option, value) < 0 ? error_oom(err) : 0;
}

static const struct option_row *row_of_letter(const struct accepted *a, int letter)
{
    for (size_t i = 0; i < a->count; i++)
        if (a->rows[i].row && a->rows[i].row->letter == letter)
            return a->rows[i].row;
    return NULL;
}

static int take_option(const struct accepted *a, int c, const char *value, struct options *o, bool *ret_help,
                       struct error *err)
{
    const struct option_row *row = c >= VAL_FIRST ? a->rows[c - VAL_FIRST].row : row_of_letter(a, c);
    int r = 0;
    if (!row)
        r = assign_key(o, a->longs[c - VAL_FIRST].name, value, err);
    else if (row->parse)
        r = row->parse(o, value, err);
    else if (row->apply)
        row->apply(o);
    else
        *ret_help = true;
    if (r < 0 && row)
        return error_wrap(err, r, "--%s=%s", row->name, value ? value : "");
    return r;
}

// With "-" in front of the letters getopt hands over operands in place (as option 1) and stops behind "--",
// so what is an operand and what the command is never a guess.
static int parse_words(const struct verb *verb, const struct accepted *a, int argc, char **argv,
                       struct options *o, bool *ret_help, struct error *err)
{
    optind = 0; // makes glibc start afresh
    opterr = 0;
    int c = 0;
    while ((c = getopt_long(argc, argv, a->letters, a->longs, NULL)) != -1) {
        int r = 0;
        if (c == 1)
            o->argv[o->argc++] = optarg;
        else if (c == '?' || c == ':')
            return error_bad_option(verb, a, c, argv[optind - 1], err);
        else
            r = take_option(a, c, optarg, o, ret_help, err);
        if (r < 0)
            return error_wrap(err, r, "%s", verb->name);
    }
    o->command_argc = argc - optind;
    o->command_argv = argv + optind;
    return 0;
}

static int check_counts(const struct verb *verb, const struct options *o, struct error *err)
{
    if (o->argc < verb->operands_min)
        return error_class(err, ERROR_USAGE, "%s: too few names; usage: agentctl %s %s", verb->name,
                           verb->name, verb->operands);
    if (verb->operands_max >= 0 && o->argc > verb->operands_max)
        return error_class(err, ERROR_USAGE, "%s: what is '%s'? usage: agentctl %s %s", verb->name,
                           o->argv[verb->operands_max], verb->name, verb->operands);
    if (!verb->takes_command && o->command_argc > 0)
        return error_class(err, ERROR_USAGE, "%s: takes no command after '--'", verb->name);
    return 0;
}

int options_parse(const struct verb *verb, int argc, char **argv, struct options *o, bool *ret_help,
                  struct error *err)
{
    _cleanup_(accepted_clear) struct accepted accepted = { 0 };
    int r = collect_accepted(verb, &accepted, err);
    if (r < 0)
        return r;
    o->argv = calloc((size_t)argc + 1, sizeof *o->argv);
    if (!o->argv)
        return error_oom(err);
    bool help = false;
    r = parse_words(verb, &accepted, argc, argv, o, &help, err);
    if (r < 0)
        return r;
    *ret_help = help;
    return help ? 0 : check_counts(verb, o, err);
}

void options_clear(struct options *o)
{
    strv_clear(&o->assignments);
    free(o->argv);
    *o = (struct options){ 0 };
}
