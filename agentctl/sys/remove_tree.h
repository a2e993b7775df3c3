// Removes directory trees that somebody hostile may have built.
#pragma once

#include "base/error.h"

// Removes name, whatever it is, from the open directory, with all that is in it: without following links,
// without crossing mounts, at any depth, with a bounded number of descriptors. where is the directory's path,
// for messages. Fine if absent. Something mounted in the tree is an error that names it, and so is a
// directory that does not get empty because somebody still writes into it.
int remove_tree(int directory_fd, const char *name, const char *where, struct error *err) _must_check_;
