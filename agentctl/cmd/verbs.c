// The verb table, made from the list in verbs.h.
#include "cmd/verbs.h"

#define VERB_POINTER(name) &verb_##name,

const struct verb *const verbs[] = { VERBS(VERB_POINTER) };
const size_t verb_count = ARRAY_SIZE(verbs);

const struct verb *verb_find(const char *name)
{
    for (size_t i = 0; i < verb_count; i++)
        if (str_equal(verbs[i]->name, name))
            return verbs[i];
    return NULL;
}
