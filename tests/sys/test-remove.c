// Removing workspaces that were built to make root fail or reach out of them.
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "harness.h"

#include "encode/acl_text.h"
#include "sys/remove_tree.h"
#include "sys/workspace.h"

#define UID 77777
#define ROOT "/var/lib/agents"
#define BASE ROOT "/coder"
#define TRASH ROOT "/.removing"
#define VICTIM "/var/lib/victim"

static void make(void)
{
    _cleanup_names_ struct agent_names names = test_names("coder");
    CHECK_OK(workspace_make(&names, UID, NO_GROUP, &err));
    make_directory(VICTIM, 0755);
    put_file(VICTIM "/precious", "precious\n", 0644);
}

static void remove_workspace(void)
{
    _cleanup_names_ struct agent_names names = test_names("coder");
    CHECK_OK(workspace_remove(&names, &err));
    CHECK(!is_there(BASE) && !is_there(TRASH));
    if (is_there(VICTIM)) {
        _cleanup_free_ char *text = get_file(VICTIM "/precious");
        CHECK_TEXT(text, "precious\n");
    }
}

static void check_refused(const char *words)
{
    _cleanup_names_ struct agent_names names = test_names("coder");
    CHECK_FAILS(workspace_remove(&names, &err), words);
}

static void absent(void)
{
    remove_workspace();
    CHECK(!is_there(ROOT));
    make();
    remove_workspace();
    remove_workspace();
}

static void put_node(const char *path, mode_t mode)
{
    CHECK(mknod(path, mode, makedev(1, 3)) == 0);
}

static void hostile_objects(void)
{
    char long_name[256 + sizeof(BASE "/home/")] = BASE "/home/";
    make();
    CHECK(symlink(VICTIM, BASE "/home/link") == 0);
    CHECK(symlink("/", BASE "/home/root") == 0);
    CHECK(symlink("..", BASE "/home/up") == 0);
    CHECK(symlink("self", BASE "/home/self") == 0);
    CHECK(symlink("/proc/self/cwd", BASE "/home/magic") == 0);
    CHECK(link(VICTIM "/precious", BASE "/home/hard") == 0);
    put_node(BASE "/home/fifo", S_IFIFO | 0600);
    put_node(BASE "/home/device", S_IFCHR | 0600);
    put_node(BASE "/home/socket", S_IFSOCK | 0600);
    put_file(BASE "/home/new\nline", "", 0);
    put_file(BASE "/home/\x1b[31m\xff", "", 0);
    memset(long_name + strlen(long_name), 'x', 255);
    put_file(long_name, "", 0644);
    make_directory(BASE "/home/...", 0);
    put_file(BASE "/home/.../x", "", 0);
    make_directory(BASE "/work/closed/inner", 0700);
    put_file(BASE "/work/closed/inner/x", "", 0);
    CHECK(chmod(BASE "/work/closed/inner", 0) == 0 && chmod(BASE "/work/closed", 0) == 0);
    remove_workspace();
}

// levels directories named d, one in the other, in the open directory; the descriptor of the last one.
static int dig(int fd, unsigned levels)
{
    for (unsigned i = 0; i < levels; i++) {
        CHECK(mkdirat(fd, "d", 0700) == 0);
        int next = openat(fd, "d", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        CHECK(next >= 0 && close(fd) == 0);
        fd = next;
    }
    return fd;
}

static int open_directory(const char *path)
{
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    CHECK(fd >= 0);
    return fd;
}

static void deep(void)
{
    const struct rlimit few = { .rlim_cur = 100, .rlim_max = 100 };
    make();
    int fd = dig(open_directory(BASE "/work"), 20000);
    CHECK(symlinkat(VICTIM, fd, "link") == 0 && close(fd) == 0);
    CHECK(setrlimit(RLIMIT_NOFILE, &few) == 0);
    remove_workspace();
}

// Every way up leads through directories that were closed on the way down.
static void deep_and_branched(void)
{
    const struct rlimit few = { .rlim_cur = 100, .rlim_max = 100 };
    char name[16];
    make();
    int top = open_directory(BASE "/work");
    for (unsigned i = 0; i < 30; i++) {
        (void)snprintf(name, sizeof(name), "branch%u", i);
        CHECK(mkdirat(top, name, 0700) == 0);
        int fd = dig(openat(top, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC), 70);
        for (unsigned j = 0; j < 5; j++) {
            (void)snprintf(name, sizeof(name), "leaf%u", j);
            CHECK(mkdirat(fd, name, 0700) == 0);
            (void)close(dig(openat(fd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC), 150));
        }
        (void)close(fd);
    }
    CHECK(setrlimit(RLIMIT_NOFILE, &few) == 0);
    remove_workspace();
}

static void wide(void)
{
    char name[32];
    make();
    int fd = open_directory(BASE "/work");
    for (unsigned i = 0; i < 100000; i++) {
        (void)snprintf(name, sizeof(name), "file%u", i);
        int file = openat(fd, name, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
        CHECK(file >= 0 && close(file) == 0);
    }
    for (unsigned i = 0; i < 5000; i++) {
        (void)snprintf(name, sizeof(name), "directory%u", i);
        CHECK(mkdirat(fd, name, 0700) == 0);
        (void)close(dig(openat(fd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC), 1));
    }
    remove_workspace();
}

// --- mounts ---

static void mounted_inside(void)
{
    make();
    put_file(BASE "/work/kept", "", 0644);
    make_directory(BASE "/work/with space/mnt", 0755);
    CHECK(mount(VICTIM, BASE "/work/with space/mnt", NULL, MS_BIND, NULL) == 0);
    check_refused("cannot remove " BASE ": something is mounted at " BASE
                  "/work/with space/mnt; unmount it first");
    CHECK(is_there(BASE "/work/kept") && is_there(VICTIM "/precious") && !is_there(TRASH));
    CHECK(umount(BASE "/work/with space/mnt") == 0);
    remove_workspace();
}

static void mounted_file(void)
{
    make();
    put_file(BASE "/home/file", "", 0644);
    CHECK(mount(VICTIM "/precious", BASE "/home/file", NULL, MS_BIND, NULL) == 0);
    check_refused("something is mounted at " BASE "/home/file");
    CHECK(umount(BASE "/home/file") == 0);
    remove_workspace();
}

static void mounted_base(void)
{
    make();
    CHECK(mount(BASE, BASE, NULL, MS_BIND, NULL) == 0);
    check_refused("something is mounted at " BASE "; unmount it first");
    CHECK(is_there(BASE "/home"));
}

static void mounted_neighbour(void)
{
    _cleanup_names_ struct agent_names names = test_names("coder-2");
    make();
    CHECK_OK(workspace_make(&names, UID + 1, NO_GROUP, &err));
    CHECK(mount(VICTIM, ROOT "/coder-2/work", NULL, MS_BIND, NULL) == 0);
    remove_workspace();
    CHECK(is_there(ROOT "/coder-2/work/precious"));
}

// Mounts that come after the first look are found on the way.
static void mounted_late(void)
{
    make();
    make_directory(BASE "/home/a/b", 0755);
    int fd = open_directory(ROOT);
    CHECK(mount(VICTIM, BASE "/home/a/b", NULL, MS_BIND, NULL) == 0);
    CHECK_FAILS(remove_tree(fd, "coder", ROOT, &err),
                "cannot remove " BASE "/home/a/b: something is mounted there");
    CHECK(is_there(VICTIM "/precious") && umount(BASE "/home/a/b") == 0);
    put_file(BASE "/home/a/file", "", 0644);
    CHECK(mount(VICTIM "/precious", BASE "/home/a/file", NULL, MS_BIND, NULL) == 0);
    CHECK_FAILS(remove_tree(fd, "coder", ROOT, &err), "/file: something is mounted there");
    CHECK(umount(BASE "/home/a/file") == 0);
    CHECK_OK(remove_tree(fd, "coder", ROOT, &err));
    CHECK(!is_there(BASE));
}

// --- leftovers, odd bases, races ---

static void leftovers(void)
{
    make();
    make_directory(TRASH "/coder.0123456789abcdef/work/x", 0700);
    put_file(TRASH "/coder.f", "", 0600);
    make_directory(TRASH "/coder-2.0123456789abcdef/work", 0700);
    make_directory(TRASH "/code.0123456789abcdef/work", 0700);
    _cleanup_names_ struct agent_names names = test_names("coder");
    CHECK_OK(workspace_remove(&names, &err));
    CHECK(!is_there(TRASH "/coder.0123456789abcdef") && !is_there(TRASH "/coder.f") && !is_there(BASE));
    CHECK(is_there(TRASH "/coder-2.0123456789abcdef/work") && is_there(TRASH "/code.0123456789abcdef/work"));
    _cleanup_names_ struct agent_names second = test_names("coder-2");
    _cleanup_names_ struct agent_names third = test_names("code");
    CHECK_OK(workspace_remove(&second, &err));
    CHECK(is_there(TRASH));
    CHECK_OK(workspace_remove(&third, &err));
    CHECK(!is_there(TRASH));
}

static void trash_is_roots(void)
{
    make();
    CHECK(symlink(VICTIM, TRASH) == 0);
    check_refused("cannot open " TRASH);
    CHECK(is_there(VICTIM "/precious") && is_there(BASE "/home"));
    CHECK(unlink(TRASH) == 0);
    make_directory(TRASH, 0777);
    make_directory(TRASH "/other.0", 0700); // keeps it
    CHECK(chown(TRASH, UID, UID) == 0);
    _cleanup_names_ struct agent_names names = test_names("coder");
    CHECK_OK(workspace_remove(&names, &err));
    struct stat st;
    CHECK(stat(TRASH, &st) == 0 && st.st_uid == 0 && (st.st_mode & 07777) == 0700);
}

static void odd_bases(void)
{
    make_directory(ROOT, 0755);
    make_directory(VICTIM, 0755);
    CHECK(symlink(VICTIM, BASE) == 0);
    check_refused(BASE ": a symbolic link in the place of a directory; it is not removed");
    CHECK(unlink(BASE) == 0);
    put_file(BASE, "", 0644);
    check_refused(BASE ": a file in the place of a directory; it is not removed");
    CHECK(is_there(BASE) && is_there(VICTIM));
}

static void read_only(void)
{
    make();
    put_file(BASE "/work/file", "", 0644);
    mount_read_only(ROOT);
    check_refused("cannot make " TRASH ": Read-only file system");
    CHECK(is_there(BASE "/work/file"));
}

// Somebody with a descriptor into the tree keeps swapping a directory for a link to the victim.
static _Noreturn void swap_for_ever(int fd)
{
    for (;;) {
        (void)mkdirat(fd, "x", 0777);
        (void)mkdirat(fd, "x/y", 0777);
        if (symlinkat(VICTIM, fd, "l") < 0 && errno != EEXIST && errno != ENOENT)
            _exit(1);
        (void)renameat2(fd, "x", fd, "l", RENAME_EXCHANGE);
        (void)renameat2(fd, "x", fd, "l", RENAME_EXCHANGE);
        (void)unlinkat(fd, "l", 0);
    }
}

// While somebody changes the tree it may fail, but do no harm.
static void try_to_remove(int root_fd)
{
    _cleanup_error_ struct error err = { 0 };
    if (remove_tree(root_fd, "coder", ROOT, &err) < 0)
        CHECK(err.text);
}

static void swapped_under_our_hands(void)
{
    make();
    make_directory(VICTIM "/y", 0755);
    put_file(VICTIM "/y/precious", "", 0644);
    int root_fd = open_directory(ROOT);
    for (unsigned i = 0; i < 200; i++) {
        make_directory(BASE "/work/hot", 0777);
        int fd = open_directory(BASE "/work/hot");
        pid_t swapper = fork();
        if (swapper == 0)
            swap_for_ever(fd);
        for (unsigned j = 0; j < 5; j++)
            try_to_remove(root_fd);
        CHECK(kill(swapper, SIGKILL) == 0 && waitpid(swapper, NULL, 0) == swapper && close(fd) == 0);
        CHECK(is_there(VICTIM "/y/precious") && is_there(VICTIM "/precious"));
    }
    CHECK_OK(remove_tree(root_fd, "coder", ROOT, &err));
    CHECK(!is_there(BASE));
}

// Moving the directory that is being emptied must not lead the way up out of the tree.
static _Noreturn void move_for_ever(void)
{
    for (;;) {
        (void)rename(BASE "/work/a/b", VICTIM "/b");
        (void)rename(VICTIM "/b", BASE "/work/a/b");
    }
}

static void moved_under_our_hands(void)
{
    make_directory(ROOT, 0755);
    make_directory(VICTIM, 0755);
    put_file(VICTIM "/precious", "", 0644);
    int root_fd = open_directory(ROOT);
    for (unsigned i = 0; i < 50; i++) {
        make_directory(BASE "/work/a/b", 0777);
        (void)close(dig(open_directory(BASE "/work/a/b"), 200));
        pid_t mover = fork();
        if (mover == 0)
            move_for_ever();
        try_to_remove(root_fd);
        CHECK(kill(mover, SIGKILL) == 0 && waitpid(mover, NULL, 0) == mover);
        CHECK(is_there(VICTIM "/precious"));
        int victim_fd = open_directory(VICTIM);
        CHECK_OK(remove_tree(victim_fd, "b", VICTIM, &err));
        CHECK_OK(remove_tree(root_fd, "coder", ROOT, &err));
        (void)close(victim_fd);
    }
}

const struct test remove_tests[] = {
    { "what is not there is removed", absent },
    { "links, devices, odd names and closed directories go, nothing outside does", hostile_objects },
    { "20,000 levels are removed with a hundred descriptors", deep },
    { "deep branches are removed with a hundred descriptors", deep_and_branched },
    { "100,000 files are removed", wide },
    { "a mount inside is refused before anything is changed", mounted_inside },
    { "so is a mounted file", mounted_file },
    { "so is a mounted base", mounted_base },
    { "a neighbour's mount is none of it", mounted_neighbour },
    { "a mount that comes late is not crossed", mounted_late },
    { "leftovers of this agent go, others' stay", leftovers },
    { "the trash is root's alone, or not used", trash_is_roots },
    { "a base that is no directory is left alone", odd_bases },
    { "a read-only disk is one clear line", read_only },
    { "names swapped during removal lead nowhere", swapped_under_our_hands },
    { "directories moved during removal lead nowhere", moved_under_our_hands },
    { NULL, NULL },
};
