// agentctl: finds the verb, runs it, prints its error and turns it into the exit status. Nothing else.
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "cmd/verbs.h"
#include "config.h"

static void print_error(const struct error *err)
{
    for (const char *line = err->text; line && *line;) {
        size_t n = strcspn(line, "\n");
        (void)fprintf(stderr, "agentctl: %.*s\n", (int)n, line); // the exit status tells the rest
        line += n + (line[n] == '\n');
    }
}

static const char *verb_candidate(size_t i, const void *userdata)
{
    (void)userdata;
    return i < verb_count ? verbs[i]->name : NULL;
}

static int error_unknown_verb(const char *name, struct error *err)
{
    const char *nearest = nearest_name(name, verb_candidate, NULL);
    if (nearest)
        return error_class(err, ERROR_USAGE, "%s: no such verb; did you mean %s?", name, nearest);
    return error_class(err, ERROR_USAGE, "%s: no such verb; see agentctl --help", name);
}

static int run_verb(const struct verb *verb, int argc, char **argv, struct error *err)
{
    struct options o = { 0 };
    bool help = false;
    int r = options_parse(verb, argc, argv, &o, &help, err);
    if (r >= 0 && help)
        help_print_verb(verb);
    else if (r >= 0)
        r = verb->run(&o, err);
    options_clear(&o);
    return r;
}

static int run(int argc, char **argv, struct error *err)
{
    if (argc < 2)
        return error_class(err, ERROR_USAGE, "a verb is missing; see agentctl --help");
    if (str_equal(argv[1], "--help") || str_equal(argv[1], "-h") || str_equal(argv[1], "help")) {
        const struct verb *verb = argc > 2 ? verb_find(argv[2]) : NULL;
        if (argc > 2 && str_equal(argv[2], "--tables"))
            help_print_tables();
        else if (argc > 2 && !verb)
            return error_unknown_verb(argv[2], err);
        else if (verb)
            help_print_verb(verb);
        else
            help_print_overview();
        return 0;
    }
    if (str_equal(argv[1], "--version")) {
        (void)puts("agentctl " AGENTCTL_VERSION); // main() checks the stream
        return 0;
    }
    const struct verb *verb = verb_find(argv[1]);
    return verb ? run_verb(verb, argc - 1, argv + 1, err) : error_unknown_verb(argv[1], err);
}

// What the caller left set must not change what the tools that we run do, or what modes our files get.
static void reset_inherited(void)
{
    (void)signal(SIGCHLD, SIG_DFL);
    (void)umask(022);
}

int main(int argc, char **argv)
{
    reset_inherited();
    _cleanup_error_ struct error err = { 0 };
    int r = run(argc, argv, &err);
    if (fflush(stdout) != 0 && r >= 0)
        r = error_set(&err, EIO, "cannot write to standard output");
    if (r >= 0)
        return 0;
    print_error(&err);
    return err.class ? (int)err.class : ERROR_FAILED;
}
