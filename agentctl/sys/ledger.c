// Reads and rewrites the UID ledger as a whole. Must never let a UID be given out twice: what it does not
// understand stops everything.
#include "sys/ledger.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/number.h"
#include "base/text.h"
#include "plan/names.h"
#include "sys/account.h"
#include "sys/file_io.h"
#include "sys/id_claims.h"

#define LEDGER_FILE STATE_DIRECTORY "/uids"
#define LEDGER_MODE 0644
#define LEDGER_SIZE_MAX (64 * 1024 * 1024) // more than every UID that can be configured

struct entry {
    uint32_t uid;
    bool live;
    char agent[AGENT_NAME_MAX + 1];
};

struct ledger {
    struct entry *entries; // in the order of the file
    size_t count, capacity;
    struct entry *live; // copies, sorted by name
    size_t live_count;
};

static void ledger_clear(struct ledger *l)
{
    free(l->entries);
    free(l->live);
    *l = (struct ledger){ 0 };
}

#define _cleanup_ledger_ _cleanup_(ledger_clear)

static int add_entry(struct ledger *l, const struct entry *e, struct error *err)
{
    if (l->count == l->capacity) {
        size_t capacity = l->capacity ? l->capacity * 2 : 64;
        struct entry *entries = reallocarray(l->entries, capacity, sizeof(*entries));
        if (!entries)
            return error_oom(err);
        l->entries = entries;
        l->capacity = capacity;
    }
    l->entries[l->count++] = *e;
    return 0;
}

// "65536 coder live", exactly as written: one space, no leading zeros, nothing else. line is changed.
static bool parse_entry(char *line, struct entry *ret)
{
    char *name = strchr(line, ' ');
    char *word = name ? strchr(name + 1, ' ') : NULL;
    if (!word || line[0] < '1' || line[0] > '9')
        return false;
    *name++ = '\0';
    *word++ = '\0';
    char *end = NULL;
    errno = 0;
    unsigned long long uid = strtoull(line, &end, 10);
    if (errno != 0 || *end != '\0' || uid >= UINT32_MAX || !agent_name_valid(name))
        return false;
    if (!str_equal(word, "live") && !str_equal(word, "retired"))
        return false;
    *ret = (struct entry){ .uid = (uint32_t)uid, .live = word[0] == 'l' };
    (void)snprintf(ret->agent, sizeof(ret->agent), "%s", name); // a valid name fits
    return true;
}

static int parse_ledger(char *text, size_t n, struct ledger *l, struct error *err)
{
    size_t number = 1;
    for (char *line = text; line < text + n; number++) {
        char *end = memchr(line, '\n', (size_t)(text + n - line));
        struct entry e;
        if (!end)
            return error_set(err, EBADMSG, "%s:%zu: the line is cut off", LEDGER_FILE, number);
        *end = '\0';
        if (strlen(line) != (size_t)(end - line) || !parse_entry(line, &e))
            return error_set(err, EBADMSG, "%s:%zu: not an entry 'UID NAME live|retired'", LEDGER_FILE,
                             number);
        int r = add_entry(l, &e, err);
        if (r < 0)
            return r;
        line = end + 1;
    }
    return 0;
}

static int compare_uids(const void *a, const void *b)
{
    const struct entry *x = a;
    const struct entry *y = b;
    return x->uid < y->uid ? -1 : x->uid > y->uid;
}

static int compare_names(const void *a, const void *b)
{
    const struct entry *x = a;
    const struct entry *y = b;
    return strcmp(x->agent, y->agent);
}

// A UID has one entry, an agent one live entry. Leaves the live ones sorted.
static int check_unique(struct ledger *l, struct error *err)
{
    struct entry *sorted = l->live = calloc(l->count + 1, sizeof(*sorted));
    if (!sorted)
        return error_oom(err);
    for (size_t i = 0; i < l->count; i++)
        sorted[i] = l->entries[i];
    qsort(sorted, l->count, sizeof(*sorted), compare_uids);
    for (size_t i = 1; i < l->count; i++)
        if (sorted[i].uid == sorted[i - 1].uid)
            return error_set(err, EBADMSG, "%s: UID %u has two entries", LEDGER_FILE, sorted[i].uid);
    for (size_t i = 0; i < l->count; i++)
        if (sorted[i].live)
            sorted[l->live_count++] = sorted[i];
    qsort(sorted, l->live_count, sizeof(*sorted), compare_names);
    for (size_t i = 1; i < l->live_count; i++)
        if (str_equal(sorted[i].agent, sorted[i - 1].agent))
            return error_set(err, EBADMSG, "%s: agent %s has two live UIDs", LEDGER_FILE, sorted[i].agent);
    return 0;
}

static int read_ledger(struct ledger *ret, struct error *err)
{
    _cleanup_free_ char *text = NULL;
    size_t n = 0;
    int r = file_read(LEDGER_FILE, FILE_ROOT, LEDGER_SIZE_MAX, &text, &n, err);
    if (r == -ENOENT)
        return 0;
    if (r < 0)
        return r;
    _cleanup_ledger_ struct ledger l = { 0 };
    r = parse_ledger(text, n, &l, err);
    if (r < 0)
        return r;
    r = check_unique(&l, err);
    if (r < 0)
        return r;
    *ret = l;
    l = (struct ledger){ 0 };
    return 0;
}

// The ledger as it was last read for looking, so that a listing of all agents does not read it for each of
// them. What decides or changes anything reads the file itself.
static struct ledger seen;
static struct stat seen_as;

static int write_ledger(const struct ledger *l, struct error *err)
{
    _cleanup_text_ struct text t = { 0 };
    for (size_t i = 0; i < l->count; i++)
        text_addf(&t, "%u %s %s\n", l->entries[i].uid, l->entries[i].agent,
                  l->entries[i].live ? "live" : "retired");
    size_t n = t.length;
    _cleanup_free_ char *data = text_take(&t);
    if (!data)
        return error_oom(err);
    seen_as = (struct stat){ 0 };
    return file_write(LEDGER_FILE, data, n, LEDGER_MODE, err);
}

static const struct entry *find_live(const struct ledger *l, const char *agent)
{
    struct entry key = { 0 };
    if (strlen(agent) > AGENT_NAME_MAX || l->live_count == 0)
        return NULL;
    (void)snprintf(key.agent, sizeof(key.agent), "%s", agent); // fits
    return bsearch(&key, l->live, l->live_count, sizeof(key), compare_names);
}

static struct entry *find_uid(const struct ledger *l, uint32_t uid)
{
    for (size_t i = 0; i < l->count; i++)
        if (l->entries[i].uid == uid)
            return &l->entries[i];
    return NULL;
}

static bool is_same_file(const struct stat *a, const struct stat *b)
{
    return a->st_dev == b->st_dev && a->st_ino == b->st_ino && a->st_size == b->st_size &&
           a->st_mtim.tv_sec == b->st_mtim.tv_sec && a->st_mtim.tv_nsec == b->st_mtim.tv_nsec &&
           a->st_ctim.tv_sec == b->st_ctim.tv_sec && a->st_ctim.tv_nsec == b->st_ctim.tv_nsec;
}

static int look_at_ledger(struct error *err)
{
    struct stat st = { 0 };
    if (lstat(LEDGER_FILE, &st) == 0 && is_same_file(&st, &seen_as))
        return 0;
    struct ledger l = { 0 };
    int r = read_ledger(&l, err);
    if (r < 0)
        return r;
    ledger_clear(&seen);
    seen = l;
    seen_as = st; // older than what was read, if it was replaced in between: then it is read again
    return 0;
}

int ledger_find(const char *agent, enum ledger_entry *ret, uint32_t *ret_uid, struct error *err)
{
    int r = look_at_ledger(err);
    if (r < 0)
        return r;
    const struct entry *e = find_live(&seen, agent);
    *ret = e ? LEDGER_LIVE : LEDGER_NONE;
    if (e)
        *ret_uid = e->uid;
    return 0;
}

int ledger_list_live(struct strv *ret, struct error *err)
{
    int r = look_at_ledger(err);
    for (size_t i = 0; r >= 0 && i < seen.count; i++)
        if (seen.entries[i].live && strv_add(ret, seen.entries[i].agent) < 0)
            r = error_oom(err);
    return r;
}

int ledger_has_uid(uint32_t uid, bool *ret, struct error *err)
{
    _cleanup_ledger_ struct ledger l = { 0 };
    int r = read_ledger(&l, err);
    if (r < 0)
        return r;
    *ret = find_uid(&l, uid) != NULL;
    return 0;
}

// One bit a UID of the range: the ledger can hold as many entries as the range has UIDs.
static uint8_t *given_out(const struct ledger *l, const struct conf *conf)
{
    uint8_t *bits = calloc(((size_t)conf->uid_last - conf->uid_first) / 8 + 1, 1);
    for (size_t i = 0; bits && i < l->count; i++) {
        uint32_t uid = l->entries[i].uid;
        if (uid >= conf->uid_first && uid <= conf->uid_last)
            bits[(uid - conf->uid_first) / 8] |= (uint8_t)(1 << (uid - conf->uid_first) % 8);
    }
    return bits;
}

// The lowest UID of the range that is free, or one beyond the range.
static int find_free(const struct conf *conf, const uint8_t *used, const struct id_claims *claims,
                     uint64_t *ret, struct error *err)
{
    uint64_t uid = conf->uid_first;
    for (; uid <= conf->uid_last; uid++) {
        uint64_t i = uid - conf->uid_first;
        if (used[i / 8] & 1 << i % 8)
            continue;
        const struct id_claim *claim = id_claims_find(claims, (uint32_t)uid);
        if (claim) {
            uid = claim->last;
            continue;
        }
        // Name services other than the files can only be asked one by one.
        bool is_free = false;
        int r = account_uid_is_free((uint32_t)uid, &is_free, NULL, err);
        if (r < 0)
            return r;
        if (is_free)
            break;
    }
    *ret = uid;
    return 0;
}

int ledger_next_uid(const struct conf *conf, uint32_t *ret, struct error *err)
{
    _cleanup_ledger_ struct ledger l = { 0 };
    int r = read_ledger(&l, err);
    if (r < 0)
        return r;
    _cleanup_claims_ struct id_claims claims = { 0 };
    r = id_claims_read(conf->uid_first, conf->uid_last, &claims, err);
    if (r < 0)
        return r;
    _cleanup_free_ uint8_t *used = given_out(&l, conf);
    if (!used)
        return error_oom(err);
    uint64_t uid = 0;
    r = find_free(conf, used, &claims, &uid, err);
    if (r < 0)
        return r;
    if (uid > conf->uid_last)
        return error_set(err, ERANGE, "all %u UIDs of UIDRange=%u-%u are used or retired",
                         conf->uid_last - conf->uid_first + 1, conf->uid_first, conf->uid_last);
    *ret = (uint32_t)uid;
    return 0;
}

int ledger_reserve(const char *agent, uint32_t uid, struct error *err)
{
    _cleanup_ledger_ struct ledger l = { 0 };
    int r = read_ledger(&l, err);
    if (r < 0)
        return r;
    const struct entry *by_uid = find_uid(&l, uid);
    const struct entry *by_name = find_live(&l, agent);
    if (by_uid && by_name && by_uid->uid == by_name->uid)
        return 0;
    if (by_uid)
        return error_set(err, EEXIST, "UID %u %s to agent %s", uid, by_uid->live ? "belongs" : "belonged",
                         by_uid->agent);
    if (by_name)
        return error_set(err, EEXIST, "agent %s has UID %u already", agent, by_name->uid);
    struct entry e = { .uid = uid, .live = true };
    (void)snprintf(e.agent, sizeof(e.agent), "%s", agent); // a valid name fits
    r = add_entry(&l, &e, err);
    if (r < 0)
        return r;
    return write_ledger(&l, err);
}

int ledger_release(const char *agent, uint32_t uid, struct error *err)
{
    _cleanup_ledger_ struct ledger l = { 0 };
    int r = read_ledger(&l, err);
    if (r < 0)
        return r;
    struct entry *e = find_uid(&l, uid);
    if (!e)
        return 0;
    if (!e->live || !str_equal(e->agent, agent))
        return error_set(err, EEXIST, "UID %u %s to agent %s", uid, e->live ? "belongs" : "belonged",
                         e->agent);
    size_t after = l.count - (size_t)(e - l.entries) - 1;
    memmove(e, e + 1, after * sizeof(*e));
    l.count--;
    return write_ledger(&l, err);
}

int ledger_retire(const char *agent, uint32_t uid, struct error *err)
{
    _cleanup_ledger_ struct ledger l = { 0 };
    int r = read_ledger(&l, err);
    if (r < 0)
        return r;
    struct entry *e = find_uid(&l, uid);
    if (e && !str_equal(e->agent, agent))
        return error_set(err, EEXIST, "UID %u %s to agent %s", uid, e->live ? "belongs" : "belonged",
                         e->agent);
    if (e && !e->live)
        return 0;
    if (e) {
        e->live = false;
        return write_ledger(&l, err);
    }
    struct entry retired = { .uid = uid, .live = false };
    (void)snprintf(retired.agent, sizeof(retired.agent), "%s", agent); // a valid name fits
    r = add_entry(&l, &retired, err);
    if (r < 0)
        return r;
    return write_ledger(&l, err);
}
