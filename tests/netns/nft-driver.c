// Drives sys/nft.c from the shell, for tests in a network namespace of their own:
//     nft-driver install|remove|match|counters|text NAME UID EGRESS LOOPBACK SLICE-CGROUP-ID [ALLOW...]
// Every word is trusted: this is no part of what gets installed.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "encode/ruleset.h"
#include "sys/nft.h"

static int choose(const char *word, const char *const *words)
{
    for (int i = 0; words[i]; i++)
        if (str_equal(word, words[i]))
            return i;
    (void)fprintf(stderr, "nft-driver: %s: no such word\n", word);
    exit(2);
}

static void make_policy(struct egress_policy *p, char **argv)
{
    static const char *const egresses[EGRESS_COUNT + 1] = {
        [EGRESS_NONE] = "none", [EGRESS_LIST] = "list", [EGRESS_PUBLIC] = "public", [EGRESS_OPEN] = "open"
    };
    static const char *const loopbacks[LOOPBACK_COUNT + 1] = {
        [LOOPBACK_OWN] = "own", [LOOPBACK_NONE] = "none", [LOOPBACK_HOST] = "host"
    };
    char chain[64];
    (void)snprintf(chain, sizeof(chain), "agent-%s", argv[0]);
    struct agent_names names = { .agent = argv[0], .chain = chain };
    struct spec spec = { .egress = (enum egress)choose(argv[2], egresses),
                         .loopback = (enum loopback)choose(argv[3], loopbacks) };
    struct endpoint allow[64];
    _cleanup_error_ struct error err = { 0 };
    for (char **word = argv + 5; *word && spec.allow.count < ARRAY_SIZE(allow); word++)
        if (endpoint_parse(*word, &allow[spec.allow.count++], &err) < 0) {
            (void)fprintf(stderr, "nft-driver: %s: %s\n", *word, err.text);
            exit(2);
        }
    spec.allow.items = allow;
    if (egress_policy_build(&names, &spec, (uint32_t)strtoul(argv[1], NULL, 10), p, &err) < 0)
        exit(2);
    p->slice_cgroup_id = strtoull(argv[4], NULL, 10);
}

static int run(const char *verb, const struct egress_policy *p, struct error *err)
{
    static const char *const matches[] = { "absent", "different", "same" };
    struct conf conf = { .uid_first = UID_RANGE_FIRST_DEFAULT, .uid_last = UID_RANGE_LAST_DEFAULT };
    _cleanup_nft_ struct nft *n = NULL;
    enum nft_match match = NFT_MATCH_ABSENT;
    struct nft_counters c = { 0 };
    if (str_equal(verb, "text")) {
        _cleanup_free_ char *text = ruleset_agent_text(p);
        return text && fputs(text, stdout) >= 0 ? 0 : -1;
    }
    int r = nft_open(&n, err);
    if (r < 0)
        return r;
    if (str_equal(verb, "install"))
        return nft_agent_install(n, &conf, p, err);
    if (str_equal(verb, "remove"))
        return nft_agent_remove(n, p, err);
    if (str_equal(verb, "match")) {
        r = nft_agent_match(n, &conf, p, &match, err);
        return r < 0 ? r : puts(matches[match]) < 0;
    }
    r = nft_counters_read(n, p, 1, &c, err);
    if (r == 0)
        (void)printf("accepted %lu refused %lu\n", c.accepted.packets, c.refused.packets);
    return r;
}

int main(int argc, char **argv)
{
    _cleanup_egress_ struct egress_policy p = { 0 };
    _cleanup_error_ struct error err = { 0 };
    if (argc < 7)
        return 2;
    make_policy(&p, argv + 2);
    if (run(argv[1], &p, &err) == 0)
        return 0;
    (void)fprintf(stderr, "%s\n", err.text ? err.text : "failed");
    return 1;
}
