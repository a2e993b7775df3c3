// Builds the three ACLs of a workspace and writes any ACL as canonical text. Opens nothing and asks no user
// database: ids stay numbers.
#include "encode/acl_text.h"

#include <acl/libacl.h>
#include <stdlib.h>

#include "base/text.h"

struct acl_row {
    acl_tag_t tag;
    id_t id; // ACL_USER and ACL_GROUP only
    const char *permissions;
};

// The order in which the kernel keeps and compares entries (acl(5)); letter is what the short text calls it.
static const struct {
    acl_tag_t tag;
    char letter;
} tags[] = {
    { ACL_USER_OBJ, 'u' }, { ACL_USER, 'u' }, { ACL_GROUP_OBJ, 'g' },
    { ACL_GROUP, 'g' },    { ACL_MASK, 'm' }, { ACL_OTHER, 'o' },
};

static const struct {
    acl_perm_t bit;
    char letter;
} permissions[] = { { ACL_READ, 'r' }, { ACL_WRITE, 'w' }, { ACL_EXECUTE, 'x' } };

static int fill_entry(acl_entry_t entry, const struct acl_row *row)
{
    acl_permset_t set;
    if (acl_set_tag_type(entry, row->tag) < 0)
        return -1;
    if ((row->tag == ACL_USER || row->tag == ACL_GROUP) && acl_set_qualifier(entry, &row->id) < 0)
        return -1;
    if (acl_get_permset(entry, &set) < 0 || acl_clear_perms(set) < 0)
        return -1;
    for (size_t i = 0; i < ARRAY_SIZE(permissions); i++)
        if (strchr(row->permissions, permissions[i].letter) && acl_add_perm(set, permissions[i].bit) < 0)
            return -1;
    return 0;
}

static acl_t build(const struct acl_row *rows, size_t count)
{
    _cleanup_acl_ acl_t acl = acl_init((int)count);
    for (size_t i = 0; acl && i < count; i++) {
        acl_entry_t entry;
        if (acl_create_entry(&acl, &entry) < 0 || fill_entry(entry, &rows[i]) < 0)
            return NULL;
    }
    return take_ptr(acl);
}

static acl_t build_access(const char *group, gid_t operators, const char *operators_may)
{
    const struct acl_row rows[] = {
        { ACL_USER_OBJ, 0, "rwx" },     { ACL_GROUP_OBJ, 0, group },
        { ACL_OTHER, 0, "" },           { ACL_GROUP, operators, operators_may },
        { ACL_MASK, 0, operators_may },
    };
    return build(rows, operators == NO_GROUP ? 3 : ARRAY_SIZE(rows));
}

acl_t workspace_acl(gid_t operators)
{
    return build_access("", operators, "rwx");
}

acl_t workspace_base_acl(gid_t operators)
{
    return build_access("rx", operators, "rx");
}

acl_t workspace_default_acl(uid_t agent, gid_t operators)
{
    const struct acl_row rows[] = {
        { ACL_USER_OBJ, 0, "rwx" },      { ACL_USER, agent, "rwx" }, { ACL_GROUP_OBJ, 0, "" },
        { ACL_GROUP, operators, "rwx" }, { ACL_MASK, 0, "rwx" },     { ACL_OTHER, 0, "" },
    };
    return build(rows, ARRAY_SIZE(rows));
}

bool workspace_acl_is_extended(acl_t acl)
{
    return acl_equiv_mode(acl, NULL) != 0;
}

struct printed {
    size_t rank; // of the tag
    char letter;
    bool has_id;
    id_t id;
    char may[ARRAY_SIZE(permissions) + 1];
};

static int compare_printed(const void *a, const void *b)
{
    const struct printed *x = a;
    const struct printed *y = b;
    if (x->rank != y->rank)
        return x->rank < y->rank ? -1 : 1;
    return x->id < y->id ? -1 : x->id > y->id;
}

static int read_tag(acl_entry_t entry, struct printed *p)
{
    acl_tag_t tag;
    if (acl_get_tag_type(entry, &tag) < 0)
        return -1;
    for (p->rank = 0; p->rank < ARRAY_SIZE(tags) && tags[p->rank].tag != tag; p->rank++)
        ;
    if (p->rank == ARRAY_SIZE(tags))
        return -1;
    p->letter = tags[p->rank].letter;
    p->has_id = tag == ACL_USER || tag == ACL_GROUP;
    if (!p->has_id)
        return 0;
    id_t *id = acl_get_qualifier(entry);
    if (!id)
        return -1;
    p->id = *id;
    (void)acl_free(id);
    return 0;
}

static int read_entry(acl_entry_t entry, struct printed *p)
{
    acl_permset_t set;
    *p = (struct printed){ 0 };
    if (read_tag(entry, p) < 0 || acl_get_permset(entry, &set) < 0)
        return -1;
    for (size_t i = 0; i < ARRAY_SIZE(permissions); i++)
        p->may[i] = acl_get_perm(set, permissions[i].bit) == 1 ? permissions[i].letter : '-';
    return 0;
}

char *workspace_acl_text(acl_t acl)
{
    int count = acl_entries(acl);
    _cleanup_free_ struct printed *all = count > 0 ? calloc((size_t)count, sizeof(*all)) : NULL;
    if (!all)
        return NULL;
    size_t n = 0;
    acl_entry_t entry;
    for (int r = acl_get_entry(acl, ACL_FIRST_ENTRY, &entry); r == 1;
         r = acl_get_entry(acl, ACL_NEXT_ENTRY, &entry))
        if (read_entry(entry, &all[n++]) < 0)
            return NULL;
    qsort(all, n, sizeof(*all), compare_printed);

    _cleanup_text_ struct text t = { 0 };
    for (size_t i = 0; i < n; i++) {
        text_addf(&t, "%s%c:", i > 0 ? "," : "", all[i].letter);
        if (all[i].has_id)
            text_addf(&t, "%u", all[i].id);
        text_addf(&t, ":%s", all[i].may);
    }
    return text_take(&t);
}
