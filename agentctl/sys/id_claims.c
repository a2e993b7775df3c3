// Collects claims to ids from /etc/passwd, group, subuid and subgid. Only reads. A line that the system's own
// tools would ignore claims nothing.
#include "sys/id_claims.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sys/user_files.h"

// Where a kind of claim is written. count_field 0: one id.
static const struct claim_source {
    const char *file;
    unsigned id_field, count_field;
    const char *text;
} sources[CLAIM_COUNT] = {
    [CLAIM_USER] = { "/etc/passwd", 2, 0, "user" },
    [CLAIM_PRIMARY_GROUP] = { "/etc/passwd", 3, 0, "primary group of user" },
    [CLAIM_GROUP] = { "/etc/group", 2, 0, "group" },
    [CLAIM_SUBUIDS] = { "/etc/subuid", 1, 2, "subordinate UIDs of" },
    [CLAIM_SUBGIDS] = { "/etc/subgid", 1, 2, "subordinate GIDs of" },
};

struct collection {
    const struct claim_source *source;
    struct id_claims *claims;
    uint32_t first, last;
};

void id_claims_clear(struct id_claims *c)
{
    for (size_t i = 0; i < c->count; i++)
        free(c->items[i].name);
    free(c->items);
    *c = (struct id_claims){ 0 };
}

static bool parse_id(const char *field, uint32_t *ret)
{
    char *end = NULL;
    errno = 0;
    unsigned long long value = strtoull(field, &end, 10);
    if (errno != 0 || end == field || *end != '\0' || field[0] == '-' || value > UINT32_MAX)
        return false;
    *ret = (uint32_t)value;
    return true;
}

static int add_claim(struct id_claims *c, const struct id_claim *claim, const char *name)
{
    struct id_claim *items = reallocarray(c->items, c->count + 1, sizeof(*items));
    if (!items)
        return -ENOMEM;
    c->items = items;
    items[c->count] = *claim;
    items[c->count].name = strdup(name);
    if (!items[c->count].name)
        return -ENOMEM;
    c->count++;
    return 0;
}

static int collect(char **fields, size_t count, void *userdata)
{
    const struct collection *c = userdata;
    const struct claim_source *source = c->source;
    struct id_claim claim = { .kind = (enum id_claim_kind)(source - sources) };
    uint32_t ids = 1;
    if (count <= source->id_field || count <= source->count_field ||
        !parse_id(fields[source->id_field], &claim.first))
        return 0;
    if (source->count_field && (!parse_id(fields[source->count_field], &ids) || ids == 0))
        return 0;
    claim.last = ids - 1 > UINT32_MAX - claim.first ? UINT32_MAX : claim.first + ids - 1;
    if (claim.last < c->first || claim.first > c->last)
        return 0;
    return add_claim(c->claims, &claim, fields[0]);
}

int id_claims_read(uint32_t first, uint32_t last, struct id_claims *ret, struct error *err)
{
    _cleanup_claims_ struct id_claims claims = { 0 };
    for (size_t i = 0; i < CLAIM_COUNT; i++) {
        struct collection c = { .source = &sources[i], .claims = &claims, .first = first, .last = last };
        int r = user_file_each(sources[i].file, collect, &c, err);
        if (r == -ENOMEM)
            return error_oom(err);
        if (r < 0)
            return r;
    }
    *ret = claims;
    claims = (struct id_claims){ 0 };
    return 0;
}

const struct id_claim *id_claims_find(const struct id_claims *c, uint32_t id)
{
    const struct id_claim *found = NULL;
    for (size_t i = 0; i < c->count; i++) {
        const struct id_claim *claim = &c->items[i];
        if (id >= claim->first && id <= claim->last && (!found || claim->last > found->last))
            found = claim;
    }
    return found;
}

char *id_claim_text(const struct id_claim *claim)
{
    char *text = NULL;
    return asprintf(&text, "%s %s", sources[claim->kind].text, claim->name) < 0 ? NULL : text;
}
