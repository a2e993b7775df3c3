// The canonical text of a spec. spec_parse() must read back exactly what stands here.
#include "base/text.h"
#include "spec/assign.h"
#include "spec/key.h"

static int dump_key(const struct spec *s, const struct key *key, struct text *t)
{
    if (s->reset & key_bit(key))
        text_addf(t, "%s=\n", key->name);
    return key->type->dump(key, key_field_const(s, key), t);
}

char *spec_dump(const struct spec *s)
{
    _cleanup_text_ struct text t = { 0 };
    const char *section = NULL;
    for (size_t i = 0; i < spec_key_count; i++) {
        const struct key *key = &spec_keys[i];
        if (!(s->assigned & key_bit(key)))
            continue;
        if (!str_equal(section, key->section))
            text_addf(&t, "%s[%s]\n", section ? "\n" : "", key->section);
        section = key->section;
        if (dump_key(s, key, &t) < 0)
            return NULL;
    }
    return text_take(&t);
}
