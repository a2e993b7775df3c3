// struct spec: made, freed, compared, laid over another. Walks the key table; knows no key but Egress=, whose
// default depends on Mode=.
#include "spec/spec.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

#include "spec/assign.h"
#include "spec/key.h"
#include "spec/values.h"

enum egress egress_default(enum mode m)
{
    switch (m) {
    case MODE_UNRESTRICTED:
    case MODE_MINIMAL:
        return EGRESS_OPEN;
    case MODE_STANDARD:
        return EGRESS_PUBLIC;
    case MODE_MAXIMUM:
    case MODE_COUNT:
        break;
    }
    return EGRESS_LIST;
}

void spec_resolve(struct spec *s)
{
    const struct key *egress = key_find("Network", "Egress");
    if (!(s->assigned & key_bit(egress)))
        s->egress = egress_default(s->mode);
}

struct spec *spec_new(void)
{
    _cleanup_spec_ struct spec *s = calloc(1, sizeof(*s));
    if (!s)
        return NULL;
    for (size_t i = 0; i < spec_key_count; i++) {
        const struct key *key = &spec_keys[i];
        _cleanup_error_ struct error err = { 0 };
        if (!key->fallback)
            continue;
        int r = key->type->parse(key, key->fallback, key_field(s, key), &err);
        assert(r != -EINVAL); // a default of the table is a valid value
        if (r < 0)
            return NULL;
    }
    spec_resolve(s);
    return take_ptr(s);
}

struct spec *spec_free(struct spec *s)
{
    if (!s)
        return NULL;
    for (size_t i = 0; i < spec_key_count; i++)
        if (spec_keys[i].type->clear)
            spec_keys[i].type->clear(key_field(s, &spec_keys[i]));
    free(s);
    return NULL;
}

static int merge_key(struct spec *base, const struct spec *over, const struct key *key)
{
    if (over->reset & key_bit(key)) {
        key->type->clear(key_field(base, key));
        base->reset |= key_bit(key);
    }
    base->assigned |= key_bit(key);
    return key->type->copy(key_field(base, key), key_field_const(over, key));
}

int spec_merge(struct spec *base, const struct spec *over, struct error *err)
{
    for (size_t i = 0; i < spec_key_count; i++) {
        const struct key *key = &spec_keys[i];
        if (!(over->assigned & key_bit(key)))
            continue;
        int r = merge_key(base, over, key);
        if (r < 0)
            return error_wrap(err, list_error(r, err), "[%s] %s=", key->section, key->name);
    }
    spec_resolve(base);
    return 0;
}

bool spec_equal(const struct spec *a, const struct spec *b)
{
    if (a->assigned != b->assigned || a->reset != b->reset)
        return false;
    for (size_t i = 0; i < spec_key_count; i++) {
        const struct key *key = &spec_keys[i];
        if (!key->type->equal(key_field_const(a, key), key_field_const(b, key)))
            return false;
    }
    return true;
}
