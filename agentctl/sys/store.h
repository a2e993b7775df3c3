// Files that agentctl owns: specs, templates, agentctl.conf, launch files. Written atomically (temporary
// file, fsync, rename, fsync of the directory), so that a crash or a full disk leaves the old one. What
// steers root (specs, templates, agentctl.conf, launch files) is only read if it is root's and nobody else
// may write it.
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "base/text.h"
#include "plan/conf.h"
#include "plan/names.h"
#include "spec/spec.h"

// /etc/agentctl/agentctl.conf, or the defaults if there is none.
int store_read_conf(struct conf *ret, struct error *err) _must_check_;

// Names of all agents that have a spec file, sorted.
int store_list_agents(struct strv *ret, struct error *err) _must_check_;
// The spec file alone. *ret is NULL if there is none (returns 0).
int store_read_spec(const struct agent_names *names, struct spec **ret, struct error *err) _must_check_;
// The effective spec: the host's defaults, templates from the farthest ancestor on, own on top; checked. A
// template that is missing, builds on itself, or does not parse is an error that names the chain.
int store_effective_spec(const struct conf *conf, const struct spec *own, const char *agent,
                         struct spec **ret, struct error *err) _must_check_;
int store_write_spec(const struct agent_names *names, const struct spec *own, struct error *err) _must_check_;
int store_remove_spec(const struct agent_names *names, struct error *err) _must_check_;
// Reads and parses any file as a spec ("-": standard input): the caller named it, so whose it is does not
// matter.
int store_parse_file(const char *path, struct spec **ret, struct error *err) _must_check_;
// Names of all templates, sorted, those of /etc and of the installation together.
int store_list_templates(struct strv *ret, struct error *err) _must_check_;

// What the launcher reads: root's, 0644, no secrets.
int store_write_launch(const struct agent_names *names, const char *text, struct error *err) _must_check_;
int store_read_launch(const struct agent_names *names, char **ret,
                      struct error *err) _must_check_; // NULL: none
int store_remove_launch(const struct agent_names *names, struct error *err) _must_check_;

// Writes path (with this mode, root's) with all its parents' directories 0755. For modules beside sys/.
int store_write_file(const char *path, const char *data, size_t n, unsigned mode,
                     struct error *err) _must_check_;
// Reads a whole regular file (at most 1 MiB), not through a symbolic link. -ENOENT without text in err if it
// does not exist.
int store_read_file(const char *path, char **ret, size_t *ret_n, struct error *err) _must_check_;
