// How the files of spec/ reach a key's field. Internal to spec/.
#pragma once

#include "spec/key.h"

static inline uint64_t key_bit(const struct key *key)
{
    return UINT64_C(1) << key_index(key);
}

static inline void *key_field(struct spec *s, const struct key *key)
{
    return (char *)s + key->offset;
}

static inline const void *key_field_const(const struct spec *s, const struct key *key)
{
    return (const char *)s + key->offset;
}

// Gives the fields whose default depends on another key their default, unless they are assigned.
void spec_resolve(struct spec *s);
