// --help, and the tables that completion and tests read: everything here is printed from the rows of the
// verb, option and key tables.
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "cmd/verbs.h"
#include "config.h"
#include "spec/key.h"

#define HELP_WIDTH 100
#define OPTION_COLUMN 34

// Words wrapped at HELP_WIDTH, the lines after the first indented to `column`, where the first begins as
// well.
static void print_wrapped(const char *text, int column)
{
    int at = column;
    while (*text) {
        int length = (int)strcspn(text, " ");
        if (at > column && at + 1 + length > HELP_WIDTH) {
            (void)printf("\n%*s", column, ""); // main() checks the stream
            at = column;
        } else if (at > column) {
            (void)putchar(' ');
            at++;
        }
        (void)printf("%.*s", length, text);
        at += length;
        text += length + (text[length] == ' ');
    }
    (void)putchar('\n');
}

// One line of an option list: "  -n, --lines=LINES     how many ..."
static void print_option(char letter, const char *name, const char *placeholder, const char *help)
{
    char text[128];
    char short_form[8] = "    ";
    if (letter)
        (void)snprintf(short_form, sizeof short_form, "-%c, ", letter);
    (void)snprintf(text, sizeof text, "  %s--%s%s%s", short_form, name, placeholder ? "=" : "",
                   placeholder ? placeholder : "");
    if (strlen(text) >= OPTION_COLUMN)
        (void)printf("%s\n%*s", text, OPTION_COLUMN, "");
    else
        (void)printf("%-*s", OPTION_COLUMN, text);
    print_wrapped(help, OPTION_COLUMN);
}

// "how much of the isolation is on: unrestricted, minimal, standard, maximum [standard]"
static void print_key_option(const struct key *key)
{
    char text[512];
    int n = snprintf(text, sizeof(text), "%s", key->help);
    const char *const *words = key->choices;
    for (size_t i = 0; words && words[i] && (size_t)n < sizeof(text); i++)
        n += snprintf(text + n, sizeof(text) - (size_t)n, "%s%s", i == 0 ? ": " : ", ", words[i]);
    if (key->fallback && (size_t)n < sizeof(text))
        (void)snprintf(text + n, sizeof(text) - (size_t)n, " [%s]", key->fallback);
    print_option(0, key->option, key->type->placeholder, text);
}

static void print_key_options(void)
{
    const char *section = NULL;
    for (size_t i = 0; i < spec_key_count; i++) {
        const struct key *key = &spec_keys[i];
        if (!key->option)
            continue;
        if (!str_equal(section, key->section))
            (void)printf("\nKeys of section [%s] (and their defaults):\n", key->section);
        section = key->section;
        print_key_option(key);
    }
}

void help_print_verb(const struct verb *verb)
{
    (void)printf("Usage: agentctl %s [OPTIONS] %s\n\n", verb->name, verb->operands);
    print_wrapped(verb->summary, 0);
    (void)printf("\nOptions:\n");
    const struct option_row *row = NULL;
    for (size_t i = 0; (row = verb_option(verb, i)); i++)
        print_option(row->letter, row->name, row->placeholder, row->help);
    if (verb->takes_keys)
        print_key_options();
    (void)printf("\nMore: man agentctl%s\n", verb->takes_keys ? ", man agentctl.agent" : "");
}

// Verbs of one group stand together in the table.
void help_print_overview(void)
{
    (void)printf(
        "Usage: agentctl VERB [OPTIONS] [NAME...]\n\n"
        "Gives every AI agent on this machine its own Unix user, workspace, hardened systemd unit and\n"
        "firewall.\n");
    const char *group = NULL;
    for (size_t i = 0; i < verb_count; i++) {
        const struct verb *verb = verbs[i];
        if (!str_equal(group, verb->group))
            (void)printf("\n%c%s:\n", toupper((unsigned char)verb->group[0]), verb->group + 1);
        group = verb->group;
        (void)printf("  %-10s", verb->name);
        print_wrapped(verb->summary, 12);
    }
    (void)printf("\n'agentctl VERB --help' shows the options of a verb; agentctl(1) is the manual.\n"
                 "agentctl --version prints the version.\n");
}

static void print_verb_tables(const struct verb *verb)
{
    (void)printf("verb\t%s\t%s\t%s\t%s\n", verb->name, verb->group, verb->operands, verb->summary);
    const struct option_row *row = NULL;
    for (size_t i = 0; (row = verb_option(verb, i)); i++)
        (void)printf("option\t%s\t%.1s\t%s\t%s\t%s\n", verb->name, row->letter ? &row->letter : "", row->name,
                     row->placeholder ? row->placeholder : "", row->help);
    for (size_t i = 0; verb->takes_keys && i < spec_key_count; i++)
        if (spec_keys[i].option)
            (void)printf("option\t%s\t\t%s\t%s\t%s\n", verb->name, spec_keys[i].option,
                         spec_keys[i].type->placeholder, spec_keys[i].help);
}

static void print_key_table(const struct key *key)
{
    (void)printf("key\t%s\t%s\t%s\t%s\t%s\t%s\n", key->section, key->name, key->option ? key->option : "",
                 key->type->placeholder, key->fallback ? key->fallback : "", key->help);
    const char *const *words = key->choices;
    for (size_t i = 0; words && words[i]; i++)
        (void)printf("choice\t%s.%s\t%s\n", key->section, key->name, words[i]);
}

void help_print_tables(void)
{
    (void)printf("version\t%s\n", AGENTCTL_VERSION);
    (void)printf("templates\t%s\n", TEMPLATE_DIRECTORY);
    for (size_t i = 0; i < verb_count; i++)
        print_verb_tables(verbs[i]);
    for (size_t i = 0; i < spec_key_count; i++)
        print_key_table(&spec_keys[i]);
}
