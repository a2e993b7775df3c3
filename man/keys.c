// Build-time only: prints a manual page's source with the line @KEYS@ replaced by the keys of the spec, from
// the key table, so that there is no second copy of them. Reads one file, writes standard output.
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/text.h"
#include "spec/key.h"

// Plain text for scdoc: nothing in it is markup.
static void print_plain(const char *text)
{
    for (; *text; text++) {
        if (strchr("\\_*~`[]<>#", *text))
            (void)putchar('\\'); // main() checks the stream
        (void)putchar(*text);
    }
}

// "A list. Default: 1s. Option of create: --x=Y." as a paragraph of its own, if there is anything to say.
static void print_facts(const struct key *key)
{
    if (!key->type->list && !key->fallback && !key->option)
        return;
    (void)printf("\n\t");
    if (key->type->list)
        (void)printf("A list. ");
    if (key->fallback) {
        (void)printf("Default: ");
        print_plain(key->fallback);
        (void)printf(". ");
    }
    if (key->option) {
        (void)printf("Option of *create*: *--%s=*_", key->option);
        print_plain(key->type->placeholder);
        (void)printf("_.");
    }
    (void)putchar('\n');
}

static void print_key(const struct key *key)
{
    (void)printf("*%s=*_%s_\n\t", key->name, key->type->placeholder);
    print_plain(key->doc);
    (void)putchar('\n');
    print_facts(key);
    (void)putchar('\n');
}

static void print_keys(void)
{
    const char *section = NULL;
    for (size_t i = 0; i < spec_key_count; i++) {
        if (!str_equal(section, spec_keys[i].section))
            (void)printf("## [%s]\n\n", spec_keys[i].section);
        section = spec_keys[i].section;
        print_key(&spec_keys[i]);
    }
}

int main(int argc, char **argv)
{
    _cleanup_fclose_ FILE *f = argc == 2 ? fopen(argv[1], "re") : NULL;
    if (!f) {
        (void)fprintf(stderr, "usage: man-keys PAGE.scd\n");
        return 2;
    }
    char line[4096];
    while (fgets(line, sizeof(line), f)) {
        if (str_equal(line, "@KEYS@\n"))
            print_keys();
        else
            (void)fputs(line, stdout);
    }
    return ferror(f) || fflush(stdout) != 0 ? 1 : 0;
}
