// The three directories of a workspace: who may do what there, and what is refused.
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/acl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "harness.h"

#include "encode/acl_text.h"
#include "sys/workspace.h"

#define UID 77777
#define OTHER_UID 77778
#define OPERATOR_UID 77779
#define OPERATORS 4321
#define BASE "/var/lib/agents/coder"

static void make(gid_t operators)
{
    _cleanup_names_ struct agent_names names = test_names("coder");
    CHECK_OK(workspace_make(&names, UID, operators, &err));
}

static bool is_as_wanted(gid_t operators)
{
    _cleanup_names_ struct agent_names names = test_names("coder");
    _cleanup_workspace_ struct workspace is = { 0 };
    _cleanup_workspace_ struct workspace want = { 0 };
    CHECK_OK(workspace_read(&names, &is, &err));
    CHECK_OK(workspace_want(UID, operators, &want, &err));
    return workspace_equal(&is, &want);
}

static void check_refused(const char *words)
{
    _cleanup_names_ struct agent_names names = test_names("coder");
    CHECK_FAILS(workspace_make(&names, UID, NO_GROUP, &err), words);
}

static void check_stat(const char *path, uid_t uid, gid_t gid, mode_t mode)
{
    struct stat st;
    CHECK(lstat(path, &st) == 0);
    if (st.st_uid != uid || st.st_gid != gid || (st.st_mode & 07777) != mode)
        FAIL("%s is %u:%u %04o", path, st.st_uid, st.st_gid, st.st_mode & 07777);
}

static void plain(void)
{
    _cleanup_names_ struct agent_names names = test_names("coder");
    _cleanup_workspace_ struct workspace absent = { 0 };
    CHECK_OK(workspace_read(&names, &absent, &err));
    CHECK(!absent.directories[WORKSPACE_BASE].exists);
    CHECK(!is_as_wanted(NO_GROUP));
    make(NO_GROUP);
    check_stat("/var/lib/agents", 0, 0, 0755);
    check_stat(BASE, 0, UID, 0750);
    check_stat(BASE "/home", UID, UID, 0700);
    check_stat(BASE "/work", UID, UID, 0700);
    CHECK(is_as_wanted(NO_GROUP));
    make(NO_GROUP);
    CHECK(is_as_wanted(NO_GROUP));
}

// --- who may do what ---

static int create_file(const void *path)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    return fd < 0 ? errno : 0;
}

static int append_to(const void *path)
{
    int fd = open(path, O_RDWR | O_APPEND | O_CLOEXEC);
    return fd < 0 ? errno : 0;
}

static int look_up(const void *path)
{
    struct stat st;
    return stat(path, &st) < 0 ? errno : 0;
}

static int as_agent(int (*child)(const void *), const char *path)
{
    return run_as(UID, UID, NO_GROUP, child, path);
}

static int as_other(int (*child)(const void *), const char *path)
{
    return run_as(OTHER_UID, OTHER_UID, NO_GROUP, child, path);
}

static int as_operator(int (*child)(const void *), const char *path)
{
    return run_as(OPERATOR_UID, OPERATOR_UID, OPERATORS, child, path);
}

static void rights(void)
{
    make(NO_GROUP);
    CHECK(as_agent(create_file, BASE "/home/a") == 0);
    CHECK(as_agent(create_file, BASE "/work/a") == 0);
    CHECK(as_agent(create_file, BASE "/a") == EACCES);
    CHECK(as_agent(create_file, "/var/lib/agents/a") == EACCES);
    CHECK(as_other(look_up, BASE "/home") == EACCES);
    CHECK(as_operator(look_up, BASE "/home") == EACCES);
    CHECK(chmod(BASE "/home", 0777) == 0); // the agent may: nobody gets that far all the same
    CHECK(as_other(look_up, BASE "/home/a") == EACCES);
}

static void operators(void)
{
    make(OPERATORS);
    if (!is_as_wanted(OPERATORS))
        FAIL("not as wanted");
    CHECK(as_operator(create_file, BASE "/work/task") == 0);
    CHECK(as_agent(append_to, BASE "/work/task") == 0);
    CHECK(as_agent(create_file, BASE "/home/result") == 0);
    CHECK(as_operator(append_to, BASE "/home/result") == 0);
    CHECK(as_operator(create_file, BASE "/x") == EACCES);
    CHECK(as_other(look_up, BASE "/work/task") == EACCES);
    make(NO_GROUP); // the group was taken out of agentctl.conf
    CHECK(is_as_wanted(NO_GROUP));
    check_stat(BASE "/home", UID, UID, 0700);
    CHECK(as_operator(look_up, BASE "/work/task") == EACCES);
    make(OPERATORS);
    CHECK(is_as_wanted(OPERATORS));
}

static void no_acls(void)
{
    _cleanup_names_ struct agent_names names = test_names("coder");
    make_directory("/var/lib/agents", 0755);
    if (mount("ramfs", "/var/lib/agents", "ramfs", 0, NULL) < 0) // the one everywhere that has no ACLs
        test_skip("no ramfs here");
    CHECK(chmod("/var/lib/agents", 0755) == 0);
    make(NO_GROUP);
    CHECK(is_as_wanted(NO_GROUP));
    CHECK_FAILS(workspace_make(&names, UID, OPERATORS, &err),
                "cannot set the ACL of " BASE ": Operation not supported");
}

// --- mending ---

static void set_acl(const char *path, acl_type_t type, const char *text)
{
    acl_t acl = acl_from_text(text);
    CHECK(acl && acl_set_file(path, type, acl) == 0);
    (void)acl_free(acl);
}

static void mended(void)
{
    make(NO_GROUP);
    put_file(BASE "/home/odd", "", 04711);
    CHECK(chown(BASE "/home/odd", 12, 34) == 0);
    static const char *const broken[] = { BASE, BASE "/home", BASE "/work" };
    for (size_t i = 0; i < ARRAY_SIZE(broken); i++) {
        CHECK(chmod(broken[i], 02777) == 0);
        CHECK(!is_as_wanted(NO_GROUP));
        make(NO_GROUP);
        CHECK(is_as_wanted(NO_GROUP));
        CHECK(chown(broken[i], 1, 2) == 0);
        CHECK(!is_as_wanted(NO_GROUP));
        make(NO_GROUP);
        CHECK(is_as_wanted(NO_GROUP));
        set_acl(broken[i], ACL_TYPE_ACCESS, "u::rwx,g::---,o::---,u:77778:rwx,m::rwx");
        CHECK(!is_as_wanted(NO_GROUP));
        make(NO_GROUP);
        CHECK(is_as_wanted(NO_GROUP));
        set_acl(broken[i], ACL_TYPE_DEFAULT, "u::rwx,g::rwx,o::rwx");
        CHECK(!is_as_wanted(NO_GROUP));
        make(NO_GROUP);
        CHECK(is_as_wanted(NO_GROUP));
    }
    CHECK(rmdir(BASE "/work") == 0);
    CHECK(!is_as_wanted(NO_GROUP));
    make(NO_GROUP);
    CHECK(is_as_wanted(NO_GROUP));
    CHECK(chown(BASE "/home/odd", 12, 34) == 0 && chmod(BASE "/home/odd", 04711) == 0);
    make(NO_GROUP);
    check_stat(BASE "/home/odd", 12, 34, 04711); // what is inside is the agent's business
}

// --- what is refused ---

static void links(void)
{
    static const char *const places[] = { BASE, BASE "/home", BASE "/work" };
    make_directory("/var/lib/victim", 0755);
    for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
        _cleanup_names_ struct agent_names names = test_names("coder");
        struct workspace w = { 0 };
        char words[256];
        (void)snprintf(words, sizeof(words), "%s: a symbolic link in the place of a directory", places[i]);
        if (i > 0)
            make_directory(BASE, 0750);
        else
            make_directory("/var/lib/agents", 0755);
        CHECK(symlink("/var/lib/victim", places[i]) == 0);
        check_refused(words);
        CHECK_FAILS(workspace_read(&names, &w, &err), words);
        CHECK(unlink(places[i]) == 0);
        CHECK(symlink("/var/lib/nowhere", places[i]) == 0);
        check_refused(words);
        CHECK(unlink(places[i]) == 0);
        put_file(places[i], "", 0644);
        (void)snprintf(words, sizeof(words), "%s: not a directory", places[i]);
        check_refused(words);
        CHECK_FAILS(workspace_read(&names, &w, &err), words);
        CHECK(unlink(places[i]) == 0);
    }
    check_stat("/var/lib/victim", 0, 0, 0755);
    CHECK(!is_there("/var/lib/nowhere"));
}

static void undone(void)
{
    make_directory(BASE, 0750);
    put_file(BASE "/work", "", 0644);
    check_refused(BASE "/work: not a directory");
    CHECK(!is_there(BASE "/home")); // made by the call that failed
    CHECK(is_there(BASE));
}

static void writable_root(void)
{
    make_directory("/var/lib/agents", 0777);
    check_refused("/var/lib/agents: others than root may write it (UID 0, mode 0777)");
    CHECK(chmod("/var/lib/agents", 0755) == 0 && chown("/var/lib/agents", UID, 0) == 0);
    check_refused("/var/lib/agents: others than root may write it (UID 77777, mode 0755)");
    CHECK(!is_there(BASE));
}

static void full_disk(void)
{
    make_directory("/var/lib/agents", 0755);
    mount_tmpfs("/var/lib/agents", "nr_inodes=3,mode=0755"); // room for base and one more
    check_refused("cannot make " BASE "/work: No space left on device");
    CHECK(!is_there(BASE));
}

static void read_only(void)
{
    make(NO_GROUP);
    CHECK(chmod(BASE "/home", 0755) == 0);
    mount_read_only("/var/lib/agents");
    check_refused("cannot change the mode of " BASE "/home: Read-only file system");
    _cleanup_names_ struct agent_names other = test_names("other");
    CHECK_FAILS(workspace_make(&other, UID + 1, NO_GROUP, &err),
                "cannot make /var/lib/agents/other: Read-only file system");
}

const struct test workspace_tests[] = {
    { "base, home and work are made with their owners and modes", plain },
    { "the agent uses home and work, cannot write base, others cannot pass", rights },
    { "operators and the agent use each other's files", operators },
    { "a file system without ACLs does, but not for operators", no_acls },
    { "owners, modes and ACLs of the three are mended, contents are not", mended },
    { "links and files in the place of directories are refused, untouched", links },
    { "what a failed call made is gone again", undone },
    { "a root directory that others may write is refused", writable_root },
    { "a full disk leaves nothing", full_disk },
    { "a read-only disk is one clear line", read_only },
    { NULL, NULL },
};
