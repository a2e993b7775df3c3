// The UID ledger: what it promises, and what it does when it cannot be trusted.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "harness.h"

#include "sys/ledger.h"

#define LEDGER "/var/lib/agentctl/uids"

static const struct conf conf = { .uid_first = 70000, .uid_last = 70004 };

static uint32_t next_uid(void)
{
    uint32_t uid = 0;
    CHECK_OK(ledger_next_uid(&conf, &uid, &err));
    return uid;
}

static void check_live(const char *agent, uint32_t wanted)
{
    enum ledger_entry entry = LEDGER_NONE;
    uint32_t uid = 0;
    CHECK_OK(ledger_find(agent, &entry, &uid, &err));
    CHECK(entry == (wanted ? LEDGER_LIVE : LEDGER_NONE));
    CHECK(uid == wanted);
}

static void put_ledger(const char *text)
{
    make_directory("/var/lib/agentctl", 0755);
    put_file(LEDGER, text, 0644);
}

static void life_of_an_entry(void)
{
    check_live("coder", 0);
    CHECK(next_uid() == 70000);
    CHECK_OK(ledger_reserve("coder", 70000, &err));
    CHECK_OK(ledger_reserve("coder", 70000, &err));
    check_live("coder", 70000);
    CHECK(next_uid() == 70001);
    CHECK_OK(ledger_reserve("other", 70001, &err));
    CHECK_OK(ledger_retire("coder", 70000, &err));
    CHECK_OK(ledger_retire("coder", 70000, &err));
    check_live("coder", 0);
    CHECK(next_uid() == 70002); // a retired UID never comes back
    _cleanup_free_ char *text = get_file(LEDGER);
    CHECK_TEXT(text, "70000 coder retired\n70001 other live\n");
    CHECK_OK(ledger_reserve("coder", 70002, &err));
    check_live("coder", 70002);
    struct stat st;
    CHECK(stat(LEDGER, &st) == 0 && (st.st_mode & 07777) == 0644);
}

static void release(void)
{
    CHECK_OK(ledger_release("coder", 70000, &err));
    CHECK_OK(ledger_reserve("coder", 70000, &err));
    CHECK_OK(ledger_reserve("other", 70001, &err));
    CHECK_OK(ledger_release("coder", 70000, &err));
    check_live("coder", 0);
    CHECK(next_uid() == 70000);
    CHECK_FAILS(ledger_release("coder", 70001, &err), "UID 70001 belongs to agent other");
    CHECK_OK(ledger_retire("other", 70001, &err));
    CHECK_FAILS(ledger_release("other", 70001, &err), "UID 70001 belonged to agent other");
    _cleanup_free_ char *text = get_file(LEDGER);
    CHECK_TEXT(text, "70001 other retired\n");
}

static void conflicts(void)
{
    CHECK_OK(ledger_reserve("coder", 70000, &err));
    CHECK_FAILS(ledger_reserve("other", 70000, &err), "UID 70000 belongs to agent coder");
    CHECK_FAILS(ledger_reserve("coder", 70001, &err), "agent coder has UID 70000 already");
    CHECK_FAILS(ledger_retire("other", 70000, &err), "UID 70000 belongs to agent coder");
    CHECK_OK(ledger_retire("coder", 70000, &err));
    CHECK_FAILS(ledger_reserve("coder", 70000, &err), "UID 70000 belonged to agent coder");
    CHECK_OK(ledger_retire("stray", 70003, &err)); // unknown: better retired than given out
    CHECK(next_uid() == 70001);
    bool known = false;
    CHECK_OK(ledger_has_uid(70003, &known, &err));
    CHECK(known);
    CHECK_OK(ledger_has_uid(70004, &known, &err));
    CHECK(!known);
}

static void exhausted(void)
{
    uint32_t uid = 0;
    put_ledger("70000 a retired\n70001 b live\n70002 c retired\n70003 d retired\n70004 e live\n");
    CHECK_FAILS(ledger_next_uid(&conf, &uid, &err), "all 5 UIDs of UIDRange=70000-70004 are used or retired");
    CHECK(uid == 0);
}

static void claims_of_others(void)
{
    append_file("/etc/passwd", "bob:x:70000:100::/:/bin/sh\n");
    append_file("/etc/group", "staffers:x:70001:\n");
    append_file("/etc/passwd", "carol:x:2001:70002::/:/bin/sh\n");
    CHECK(next_uid() == 70003);
    append_file("/etc/subuid", "bob:69000:1004\n");
    CHECK(next_uid() == 70004);
    append_file("/etc/subgid", "bob:70004:65536\n");
    uint32_t uid = 0;
    CHECK_FAILS(ledger_next_uid(&conf, &uid, &err), "all 5 UIDs");
}

static int reserve_other(const void *userdata)
{
    CHECK_OK(ledger_reserve("other", 70001, &err));
    CHECK_OK(ledger_release("coder", 70000, &err));
    return 0;
}

static void changed_by_another_process(void)
{
    CHECK_OK(ledger_reserve("coder", 70000, &err));
    check_live("coder", 70000);
    CHECK(run_as(0, 0, (gid_t)-1, reserve_other, NULL) == 0);
    check_live("coder", 0);
    check_live("other", 70001);
    CHECK(unlink(LEDGER) == 0);
    check_live("other", 0);
}

// Each of these stops every function and leaves the file as it is.
static const struct {
    const char *text, *words;
} corrupt[] = {
    { "70000 coder alive\n", ":1: not an entry" },
    { "70000 coder live\n70001 other\n", ":2: not an entry" },
    { "70000 coder live \n", ":1: not an entry" },
    { " 70000 coder live\n", ":1: not an entry" },
    { "70000  coder live\n", ":1: not an entry" },
    { "070000 coder live\n", ":1: not an entry" },
    { "0 coder live\n", ":1: not an entry" },
    { "-1 coder live\n", ":1: not an entry" },
    { "+70000 coder live\n", ":1: not an entry" },
    { "0x11170 coder live\n", ":1: not an entry" },
    { "4294967295 coder live\n", ":1: not an entry" },
    { "99999999999999999999999 coder live\n", ":1: not an entry" },
    { "70000 Coder live\n", ":1: not an entry" },
    { "70000 ../x live\n", ":1: not an entry" },
    { "70000 abcdefghijklmnopqrstuvwxyz live\n", ":1: not an entry" },
    { "70000 coder live\n\n70001 other live\n", ":2: not an entry" },
    { "# comment\n70000 coder live\n", ":1: not an entry" },
    { "70000 coder live\n70001 oth", ":2: the line is cut off" },
    { "70000 coder live", ":1: the line is cut off" },
    { "70000 coder live\n70000 other retired\n", "UID 70000 has two entries" },
    { "70000 coder live\n70001 coder live\n", "agent coder has two live UIDs" },
    { "70000 coder retired\n70002 x live\n70001 coder retired\n70000 coder live\n",
      "UID 70000 has two entries" },
};

static void corruption(void)
{
    for (size_t i = 0; i < ARRAY_SIZE(corrupt); i++) {
        enum ledger_entry entry = LEDGER_NONE;
        uint32_t uid = 0;
        const char *words = corrupt[i].words;
        put_ledger(corrupt[i].text);
        CHECK_FAILS(ledger_find("coder", &entry, &uid, &err), words);
        CHECK_FAILS(ledger_next_uid(&conf, &uid, &err), words);
        CHECK_FAILS(ledger_reserve("new", 70004, &err), words);
        CHECK_FAILS(ledger_release("coder", 70000, &err), words);
        CHECK_FAILS(ledger_retire("coder", 70000, &err), words);
        CHECK(uid == 0);
        _cleanup_free_ char *after = get_file(LEDGER);
        CHECK_TEXT(after, corrupt[i].text);
    }
}

static void nul_byte(void)
{
    enum ledger_entry entry = LEDGER_NONE;
    uint32_t uid = 0;
    put_ledger("");
    FILE *f = fopen(LEDGER, "we");
    CHECK(f && fwrite("70000 coder live\0x\n", 1, 19, f) == 19 && fclose(f) == 0);
    CHECK_FAILS(ledger_find("coder", &entry, &uid, &err), LEDGER ":1: not an entry 'UID NAME live|retired'");
}

static void not_roots(void)
{
    enum ledger_entry entry = LEDGER_NONE;
    uint32_t uid = 0;
    put_ledger("70000 coder live\n");
    CHECK(chmod(LEDGER, 0666) == 0);
    CHECK_FAILS(ledger_find("coder", &entry, &uid, &err), "others than root may write it");
    CHECK(chmod(LEDGER, 0644) == 0 && chown(LEDGER, 70000, 0) == 0);
    CHECK_FAILS(ledger_find("coder", &entry, &uid, &err), "belongs to UID 70000 and not to root");
    CHECK(rename(LEDGER, "/var/lib/agentctl/elsewhere") == 0 && symlink("elsewhere", LEDGER) == 0);
    CHECK_FAILS(ledger_find("coder", &entry, &uid, &err), "a symbolic link");
    CHECK_FAILS(ledger_reserve("other", 70001, &err), "a symbolic link");
}

static void full_disk(void)
{
    make_directory("/var/lib/agentctl", 0755);
    mount_tmpfs("/var/lib/agentctl", "size=64k,mode=0755");
    CHECK_OK(ledger_reserve("coder", 70000, &err));
    fill_up("/var/lib/agentctl");
    CHECK_FAILS(ledger_reserve("other", 70001, &err), "cannot write " LEDGER ": No space left on device");
    CHECK_FAILS(ledger_retire("coder", 70000, &err), "No space left on device");
    check_live("coder", 70000);
    check_live("other", 0);
    CHECK(unlink("/var/lib/agentctl/filler") == 0);
    CHECK(mount(NULL, "/var/lib/agentctl", NULL, MS_REMOUNT | MS_RDONLY, NULL) == 0);
    CHECK_FAILS(ledger_reserve("other", 70001, &err), "cannot write " LEDGER ": Read-only file system");
    check_live("coder", 70000);
}

static void whole_default_range(void)
{
    const struct conf all = { .uid_first = UID_RANGE_FIRST_DEFAULT, .uid_last = UID_RANGE_LAST_DEFAULT };
    make_directory("/var/lib/agentctl", 0755);
    FILE *f = fopen(LEDGER, "we");
    CHECK(f && fchmod(fileno(f), 0644) == 0);
    for (unsigned uid = all.uid_first; uid < all.uid_last; uid++)
        CHECK(fprintf(f, "%u abcdefghijklmnopq%05u retired\n", uid, uid) > 0);
    CHECK(fclose(f) == 0);
    uint32_t uid = 0;
    CHECK_OK(ledger_next_uid(&all, &uid, &err));
    CHECK(uid == all.uid_last);
    CHECK_OK(ledger_reserve("last", uid, &err));
    CHECK_FAILS(ledger_next_uid(&all, &uid, &err), "all 34464 UIDs");
}

const struct test ledger_tests[] = {
    { "an entry is reserved, found, retired and never given out again", life_of_an_entry },
    { "a reservation can be taken back, a life cannot", release },
    { "one UID an agent, one agent a UID", conflicts },
    { "what another process changed is seen", changed_by_another_process },
    { "an exhausted range says so", exhausted },
    { "UIDs of users, groups and subordinate ranges are passed over", claims_of_others },
    { "anything that is not an entry stops everything", corruption },
    { "a NUL byte is not an entry", nul_byte },
    { "a ledger that others could have written is refused", not_roots },
    { "a full or read-only disk leaves the old ledger", full_disk },
    { "a ledger of every UID there is works", whole_default_range },
    { NULL, NULL },
};
