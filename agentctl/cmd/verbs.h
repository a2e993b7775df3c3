// The list of verbs, in the order of --help. A new verb is its own file cmd/NAME.c and one word here.
#pragma once

#include "cmd/verb.h"

#define VERBS(verb)                                                                                          \
    verb(create) verb(start) verb(stop) verb(restart) verb(apply) verb(destroy) verb(list) verb(status)      \
        verb(logs) verb(show)

#define VERB_DECLARE(name) extern const struct verb verb_##name;
VERBS(VERB_DECLARE)
