// ACLs of a workspace: what they say, their canonical text, and that the text makes the same ACL again.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include <acl/libacl.h>

#include "encode/acl_text.h"

static void check_built(acl_t acl, const char *text, bool extended)
{
    assert_non_null(acl);
    assert_int_equal(acl_valid(acl), 0);
    assert_int_equal(workspace_acl_is_extended(acl), extended);
    char *is = workspace_acl_text(acl);
    assert_string_equal(is, text);

    acl_t again = acl_from_text(is);
    assert_non_null(again);
    assert_int_equal(acl_cmp(acl, again), 0);
    char *text_again = workspace_acl_text(again);
    assert_string_equal(text_again, text);
    free(text_again);
    free(is);
    assert_int_equal(acl_free(again), 0);
    assert_int_equal(acl_free(acl), 0);
}

static void test_private(void **state)
{
    check_built(workspace_acl(NO_GROUP), "u::rwx,g::---,o::---", false);
    check_built(workspace_base_acl(NO_GROUP), "u::rwx,g::r-x,o::---", false);
}

static void test_operators(void **state)
{
    check_built(workspace_acl(4321), "u::rwx,g::---,g:4321:rwx,m::rwx,o::---", true);
    check_built(workspace_base_acl(4321), "u::rwx,g::r-x,g:4321:r-x,m::r-x,o::---", true);
    check_built(workspace_default_acl(65536, 4321), "u::rwx,u:65536:rwx,g::---,g:4321:rwx,m::rwx,o::---",
                true);
}

// Ids beyond a signed int, and group 0, are numbers like others.
static void test_odd_ids(void **state)
{
    check_built(workspace_acl(0), "u::rwx,g::---,g:0:rwx,m::rwx,o::---", true);
    check_built(workspace_default_acl(4294967294U, 4294967293U),
                "u::rwx,u:4294967294:rwx,g::---,g:4294967293:rwx,m::rwx,o::---", true);
}

// However an ACL was put together, its text is the same.
static void test_canonical(void **state)
{
    static const char sorted[] = "u::rwx,u:7:r--,u:10:-w-,g::--x,g:5:r-x,g:20:rw-,m::rwx,o::---";
    static const char *const same[] = {
        "u::rwx,u:7:r--,u:10:-w-,g::--x,g:5:r-x,g:20:rw-,m::rwx,o::---",
        "o::---,m::rwx,g:20:rw-,g:5:r-x,g::--x,u:10:-w-,u:7:r--,u::rwx",
        "other::---\nmask::rwx\ngroup:20:rw\ngroup:5:rx\ngroup::x\nuser:10:w\nuser:7:r\nuser::rwx\n",
    };
    for (size_t i = 0; i < sizeof(same) / sizeof(same[0]); i++) {
        acl_t acl = acl_from_text(same[i]);
        assert_non_null(acl);
        char *text = workspace_acl_text(acl);
        assert_string_equal(text, sorted);
        free(text);
        assert_int_equal(acl_free(acl), 0);
    }
}

static void test_extended(void **state)
{
    acl_t minimal = acl_from_mode(0755);
    assert_false(workspace_acl_is_extended(minimal));
    acl_t masked = acl_from_text("u::rwx,g::rwx,m::r-x,o::---"); // a mask alone is more than a mode
    assert_true(workspace_acl_is_extended(masked));
    assert_int_equal(acl_free(minimal), 0);
    assert_int_equal(acl_free(masked), 0);
}

// An empty ACL has no text: it is what "no default ACL" looks like, and callers do not ask.
static void test_empty(void **state)
{
    acl_t acl = acl_init(0);
    assert_null(workspace_acl_text(acl));
    assert_int_equal(acl_free(acl), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_private),   cmocka_unit_test(test_operators), cmocka_unit_test(test_odd_ids),
        cmocka_unit_test(test_canonical), cmocka_unit_test(test_extended),  cmocka_unit_test(test_empty),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
