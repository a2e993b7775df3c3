// Users and groups, made by the machine's own tools in a copy of its /etc.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "harness.h"

#include "base/text.h"
#include "sys/account.h"

#define USER "agent-coder"
#define UID 77777
#define HOME "/var/lib/agents/coder/home"

static const char *const files[] = { "/etc/passwd",  "/etc/shadow", "/etc/group",
                                     "/etc/gshadow", "/etc/subuid", "/etc/subgid" };

// All of the user database in one string.
static char *database(void)
{
    _cleanup_text_ struct text t = { 0 };
    for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
        _cleanup_free_ char *text = is_there(files[i]) ? get_file(files[i]) : strdup("");
        text_add(&t, files[i]);
        text_add(&t, text);
    }
    return text_take(&t);
}

static void run_command(const char *command)
{
    if (system(command) != 0) // NOLINT(bugprone-command-processor,cert-env33-c): of the tests' own, in a copy
        FAIL("%s", command);
}

static void create(void)
{
    CHECK_OK(account_create(USER, UID, HOME, "agentctl agent", &err));
}

// Creating fails with the words and changes nothing.
static void check_refused(const char *words)
{
    _cleanup_free_ char *before = database();
    CHECK_FAILS(account_create(USER, UID, HOME, "agentctl agent", &err), words);
    _cleanup_free_ char *after = database();
    CHECK_TEXT(after, before);
    CHECK(!is_there("/etc/passwd.lock") && !is_there("/etc/group.lock"));
}

static bool has_line(const char *file, const char *line)
{
    _cleanup_free_ char *text = get_file(file);
    _cleanup_free_ char *wanted = NULL;
    CHECK(asprintf(&wanted, "\n%s\n", line) > 0);
    return strstr(text, wanted) != NULL;
}

static void make(void)
{
    _cleanup_free_ char *subuids = get_file("/etc/subuid");
    create();
    CHECK(has_line("/etc/passwd", USER ":x:77777:77777:agentctl agent:" HOME ":/usr/sbin/nologin"));
    CHECK(has_line("/etc/group", USER ":x:77777:"));
    _cleanup_free_ char *shadow = get_file("/etc/shadow");
    CHECK(strstr(shadow, "\n" USER ":!:"));
    _cleanup_free_ char *subuids_after = get_file("/etc/subuid");
    CHECK_TEXT(subuids_after, subuids);
    CHECK(!is_there(HOME) && !is_there("/var/mail") && !is_there("/var/spool"));
    CHECK_OK(account_check(USER, UID, HOME, &err));

    _cleanup_account_ struct account a = { 0 };
    CHECK_OK(account_read(USER, &a, &err));
    CHECK(a.user_exists && a.group_exists && a.uid == UID && a.gid == UID && a.primary_gid == UID);
    CHECK_TEXT(a.home, HOME);
    CHECK_TEXT(a.shell, "/usr/sbin/nologin");
}

static void make_again(void)
{
    create();
    _cleanup_free_ char *before = database();
    create();
    _cleanup_free_ char *after = database();
    CHECK_TEXT(after, before);
}

static void finish_half_made(void)
{
    append_file("/etc/group", USER ":x:77777:\n");
    create();
    CHECK_OK(account_check(USER, UID, HOME, &err));
}

static void remove_all(void)
{
    _cleanup_free_ char *before = database();
    create();
    make_directory("/var/lib/systemd/linger", 0755);
    put_file("/var/lib/systemd/linger/" USER, "", 0644);
    make_directory("/var/spool/cron/crontabs", 0755);
    put_file("/var/spool/cron/crontabs/" USER, "* * * * * true\n", 0600);
    put_file("/var/spool/cron/crontabs/bob", "", 0600);
    make_directory("/var/mail", 0755);
    CHECK(symlink("/etc/passwd", "/var/mail/" USER) == 0);
    CHECK_OK(account_remove(USER, &err));
    _cleanup_free_ char *after = database();
    CHECK_TEXT(after, before);
    CHECK(!is_there("/var/lib/systemd/linger/" USER) && !is_there("/var/spool/cron/crontabs/" USER));
    CHECK(!is_there("/var/mail/" USER) && is_there("/var/spool/cron/crontabs/bob"));
    CHECK_OK(account_remove(USER, &err));

    _cleanup_account_ struct account a = { 0 };
    CHECK_OK(account_read(USER, &a, &err));
    CHECK(!a.user_exists && !a.group_exists);
}

static void remove_half(void)
{
    _cleanup_free_ char *before = database();
    append_file("/etc/group", USER ":x:77777:\n");
    CHECK_OK(account_remove(USER, &err));
    _cleanup_free_ char *after = database();
    CHECK_TEXT(after, before);
}

// --- conflicts ---

static void uid_of_a_user(void)
{
    append_file("/etc/passwd", "bob:x:77777:100::/:/bin/sh\n");
    check_refused("UID 77777 is taken: user bob");
}

static void uid_of_a_group(void)
{
    append_file("/etc/group", "staffers:x:77777:\n");
    check_refused("UID 77777 is taken: group staffers");
}

static void uid_of_a_primary_group(void)
{
    append_file("/etc/passwd", "bob:x:2001:77777::/:/bin/sh\n");
    check_refused("UID 77777 is taken: primary group of user bob");
}

static void uid_in_subuids(void)
{
    append_file("/etc/subuid", "bob:70000:65536\n");
    check_refused("UID 77777 is taken: subordinate UIDs of bob");
}

static void uid_in_subgids(void)
{
    append_file("/etc/subgid", "bob:77777:1\nbad line\n:::\nbob:-1:5\n");
    check_refused("UID 77777 is taken: subordinate GIDs of bob");
}

static void who_has_it(void)
{
    bool is_free = false;
    char *by = NULL;
    CHECK_OK(account_uid_is_free(UID, &is_free, &by, &err));
    CHECK(is_free && !by);
    append_file("/etc/subuid", "bob:4294967000:65536\n");
    CHECK_OK(account_uid_is_free(UINT32_MAX - 1, &is_free, &by, &err));
    CHECK(!is_free);
    CHECK_TEXT(by, "subordinate UIDs of bob");
    free(by);
}

static void name_of_another(void)
{
    append_file("/etc/passwd", USER ":x:1234:1234::/:/bin/sh\n");
    check_refused("user " USER " exists already, with UID 1234 and GID 1234 instead of 77777");
}

static void group_of_another(void)
{
    append_file("/etc/group", USER ":x:1234:\n");
    check_refused("group " USER " exists already, with GID 1234 instead of 77777");
}

// The tools succeed; only reading back tells.
static void member_already(void)
{
    append_file("/etc/group", "docker-like:x:4321:bob," USER "\n");
    check_refused("user " USER ": is a member of group docker-like");
}

static void subuids_already(void)
{
    append_file("/etc/subuid", USER ":200000:65536\n");
    check_refused("user " USER ": has subordinate ids");
}

static void default_groups(void)
{
    append_file("/etc/group", "everybody:x:4321:\n");
    append_file("/etc/default/useradd", "GROUPS=everybody\n");
    create(); // kept off by -G ""
    CHECK(has_line("/etc/group", "everybody:x:4321:"));
}

static void lingering_already(void)
{
    make_directory("/var/lib/systemd/linger", 0755);
    put_file("/var/lib/systemd/linger/" USER, "", 0644);
    check_refused("lingering is on for user " USER ": /var/lib/systemd/linger/" USER);
}

static void crontab_already(void)
{
    make_directory("/var/spool/cron/crontabs", 0755);
    put_file("/var/spool/cron/crontabs/" USER, "", 0600);
    check_refused("there is a crontab for user " USER);
}

// --- accounts that somebody changed ---

// The account is made anew, changed, and the change found.
static void check_changed(const char *file, const char *sed, const char *words)
{
    _cleanup_free_ char *command = NULL;
    run_command("cp -a /etc/. /run/etc");
    create();
    CHECK(asprintf(&command, "sed -i '%s' %s", sed, file) > 0);
    run_command(command);
    CHECK_FAILS(account_check(USER, UID, HOME, &err), words);
    run_command("cp -a /run/etc/. /etc");
}

static void changed_accounts(void)
{
    make_directory("/run/etc", 0755);
    append_file("/etc/subgid", "bob:100000:65536\n");
    check_changed("/etc/passwd", "/^" USER ":/s|/usr/sbin/nologin|/bin/sh|", "shell /bin/sh instead of");
    check_changed("/etc/passwd", "/^" USER ":/s|" HOME "|/root|", "home /root instead of");
    check_changed("/etc/passwd", "/^" USER ":/s|:x:|::|", "the password is not locked");
    check_changed("/etc/shadow", "/^" USER ":/s|:!:|:$6$salt$hash:|", "the password is not locked");
    check_changed("/etc/shadow", "/^" USER ":/s|:!:|::|", "the password is not locked");
    check_changed("/etc/shadow", "/^" USER ":/d", "the password is not locked");
    check_changed("/etc/passwd", "$a twin:x:77777:100::/:/bin/sh",
                  "UID 77777 of user " USER " is also taken: user twin");
    check_changed("/etc/group", "$a sudo-like:x:4321:" USER, "user " USER ": is a member of group sudo-like");
    check_changed("/etc/group", "/^" USER ":/s|$|bob|", "group " USER ": has members (bob)");
    check_changed("/etc/group", "/^" USER ":/d", "group " USER ": not in /etc/group");
    check_changed("/etc/passwd", "/^" USER ":/d", "user " USER ": not in /etc/passwd");
    check_changed("/etc/subgid", "$a 77777:300000:65536", "has subordinate ids");
}

// --- machines on which it cannot work ---

static void read_only_etc(void)
{
    mount_read_only("/etc");
    check_refused("cannot make group " USER ": groupadd failed with exit status 10: ");
}

static void full_etc(void)
{
    mount_tmpfs("/run", "size=4m,mode=0755");
    CHECK(system("cp -a /etc /run/etc && mount --bind /run/etc /etc") ==
          0); // NOLINT(bugprone-command-processor,cert-env33-c)
    fill_up("/run");
    _cleanup_free_ char *before = database();
    CHECK_FAILS(account_create(USER, UID, HOME, "agentctl agent", &err),
                "cannot make group " USER ": groupadd failed");
    _cleanup_free_ char *after = database();
    CHECK_TEXT(after, before);
}

static void no_tools(void)
{
    mount_tmpfs("/usr/sbin", "mode=0755");
    check_refused("groupadd is not installed");
}

static void only_groupadd(void)
{
    CHECK(system("cp /usr/sbin/groupadd /usr/sbin/groupdel /run/") ==
          0); // NOLINT(bugprone-command-processor,cert-env33-c)
    mount_tmpfs("/usr/sbin", "mode=0755");
    CHECK(system("cp /run/groupadd /run/groupdel /usr/sbin/") ==
          0);                                  // NOLINT(bugprone-command-processor,cert-env33-c)
    check_refused("useradd is not installed"); // and the group is gone again
}

static void killed_tool(void)
{
    mount_tmpfs("/usr/sbin", "mode=0755");
    put_file("/usr/sbin/groupadd", "#!/bin/sh\necho one >&2\nprintf '\\033[31mtwo\\n' >&2\nkill -9 $$\n",
             0755);
    check_refused("groupadd was killed by signal 9: one; \\x1b[31mtwo");
}

static void clean_environment(void)
{
    CHECK(setenv("LD_PRELOAD", "/nowhere.so", 1) == 0 && setenv("SECRET", "1", 1) == 0);
    mount_tmpfs("/usr/sbin", "mode=0755");
    put_file("/usr/sbin/groupadd",
             "#!/bin/sh\necho \"$(env | sort | grep -v ^PWD= | tr '\\n' ' ')\" >&2\nexit 3\n", 0755);
    CHECK_FAILS(account_create(USER, UID, HOME, "x", &err),
                "groupadd failed with exit status 3: LC_ALL=C PATH=/usr/sbin:/usr/bin:/sbin:/bin");
}

const struct test account_tests[] = {
    { "user and group are made, locked, without subuids, home or mail", make },
    { "making them again changes nothing", make_again },
    { "a half-made account is finished", finish_half_made },
    { "removal leaves nothing, crontab and linger mark included", remove_all },
    { "a half-made account is removed", remove_half },
    { "a UID of a user is refused", uid_of_a_user },
    { "a UID of a group is refused", uid_of_a_group },
    { "a UID that is only somebody's primary group is refused", uid_of_a_primary_group },
    { "a UID in a subuid range is refused", uid_in_subuids },
    { "a UID in a subgid range is refused", uid_in_subgids },
    { "it is told who has a UID", who_has_it },
    { "a user of that name with another UID is refused", name_of_another },
    { "a group of that name with another GID is refused", group_of_another },
    { "a membership that waits for the name is found before anything is made", member_already },
    { "subuids that wait for the name are found before anything is made", subuids_already },
    { "useradd's default groups are kept off", default_groups },
    { "a linger mark that waits for the name is refused", lingering_already },
    { "a crontab that waits for the name is refused", crontab_already },
    { "a changed account is found", changed_accounts },
    { "a read-only /etc is one clear line", read_only_etc },
    { "a full /etc leaves the user database as it was", full_etc },
    { "missing tools are named", no_tools },
    { "a failure between group and user is undone", only_groupadd },
    { "a killed tool's last words are shown in one safe line", killed_tool },
    { "tools get a clean environment", clean_environment },
    { NULL, NULL },
};
