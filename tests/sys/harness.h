// Tests of sys/ as root, without a systemd and without touching this machine: every test runs in its own
// mount and PID namespace, with a copy of /etc, an empty /var and /run and no templates. What it starts dies
// with it.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/error.h"
#include "plan/names.h"

struct test {
    const char *name;
    void (*run)(void);
};

// Terminated by a row without a name.
extern const struct test store_tests[], ledger_tests[], lock_tests[], account_tests[], process_tests[],
    workspace_tests[], remove_tests[], cgroup_tests[];

// Ends the test.
_Noreturn void test_fail(const char *file, int line, const char *format, ...) _printf_(3, 4);
_Noreturn void test_skip(const char *format, ...) _printf_(1, 2);

#define FAIL(...) test_fail(__FILE__, __LINE__, __VA_ARGS__)
#define CHECK(condition)                                                                                     \
    do {                                                                                                     \
        if (!(condition))                                                                                    \
            FAIL("%s", #condition);                                                                          \
    } while (0)
#define CHECK_TEXT(is, wanted) check_text(__FILE__, __LINE__, (is), (wanted))
// call uses &err, which is declared here.
#define CHECK_OK(call)                                                                                       \
    do {                                                                                                     \
        _cleanup_error_ struct error err = { 0 };                                                            \
        if ((call) < 0)                                                                                      \
            FAIL("%s: %s", #call, err.text ? err.text : "(no text)");                                        \
    } while (0)
// The call fails and its text is one line that contains the words.
#define CHECK_FAILS(call, words)                                                                             \
    do {                                                                                                     \
        _cleanup_error_ struct error err = { 0 };                                                            \
        if ((call) >= 0)                                                                                     \
            FAIL("%s succeeded", #call);                                                                     \
        check_error(__FILE__, __LINE__, &err, (words));                                                      \
    } while (0)

void check_text(const char *file, int line, const char *is, const char *wanted);
void check_error(const char *file, int line, const struct error *err, const char *words);

// Files.
void put_file(const char *path, const char *text, mode_t mode);
void append_file(const char *path, const char *text);
char *get_file(const char *path); // the caller frees; fails if it cannot be read
bool is_there(const char *path);  // a dangling link is
void make_directory(const char *path, mode_t mode);
void mount_tmpfs(const char *path, const char *options);
void mount_read_only(const char *path); // path becomes a mount of itself that cannot be written
void fill_up(const char *directory);    // until nothing more fits into its file system

// Runs child() in a process with these real, effective and saved ids and no other groups (group: one
// supplementary group, or (gid_t)-1). Returns its exit status, which is what child() returned.
int run_as(uid_t uid, gid_t gid, gid_t group, int (*child)(const void *userdata), const void *userdata);

struct agent_names test_names(const char *agent); // with the default Workspaces=
