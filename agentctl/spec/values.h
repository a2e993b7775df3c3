// The types of values that keys have (struct value_type of spec/key.h). Internal to spec/.
#pragma once

#include "spec/key.h"

#define LIST_MAX 256            // items of one key
#define COMMAND_BYTES_MAX 16384 // all words of Command= together, unquoted
#define COMMAND_WORDS_MAX 1024
#define VARIABLE_BYTES_MAX 4096 // NAME=value

// What adding to a list returned, as an error: -E2BIG is more than LIST_MAX entries, else out of memory.
int list_error(int r, struct error *err);

// Puts the word, made printable and cut, before the text there is. Returns r.
int wrap_word(struct error *err, int r, const char *word);

// Scalars (values.c, the command in values_words.c)
extern const struct value_type value_string, value_template, value_choice, value_boolean;
extern const struct value_type value_number, value_size, value_duration, value_percent;
extern const struct value_type value_path, value_command;

// Lists (values_words.c, values_list.c)
extern const struct value_type value_environment, value_paths, value_binds, value_endpoints;
extern const struct value_type value_limits;

// The word of a choice key's value: key->choices[v].
const char *choice_word(const struct key *key, unsigned v);
