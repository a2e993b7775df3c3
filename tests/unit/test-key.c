// The key table is complete, without duplicates, and its defaults are values of their types.
#include "expect.h"

#include <ctype.h>
#include <stdio.h>

#include "spec/key.h"

static void test_every_row_is_filled(void **state)
{
    assert_true(spec_key_count > 0 && spec_key_count <= 64);
    for (size_t i = 0; i < spec_key_count; i++) {
        const struct key *k = &spec_keys[i];
        assert_non_null(k->section);
        assert_non_null(k->name);
        assert_non_null(k->type);
        assert_non_null(k->type->placeholder);
        assert_non_null(k->type->parse);
        assert_non_null(k->type->copy);
        assert_non_null(k->type->dump);
        assert_non_null(k->type->equal);
        assert_true(!k->type->list || k->type->clear);
        assert_non_null(k->help);
        assert_true(*k->help && !str_suffix(k->help, "."));
        assert_non_null(k->doc);
        assert_true(str_suffix(k->doc, "."));
        assert_true(strlen(k->doc) > 40);
        assert_true(isupper((unsigned char)k->name[0]));
    }
}

static void test_names_options_and_fields_are_unique(void **state)
{
    for (size_t i = 0; i < spec_key_count; i++)
        for (size_t j = i + 1; j < spec_key_count; j++) {
            const struct key *a = &spec_keys[i];
            const struct key *b = &spec_keys[j];
            assert_string_not_equal(a->name, b->name); // so that --set Key= needs no section
            assert_true(a->offset != b->offset);
            if (a->option && b->option)
                assert_string_not_equal(a->option, b->option);
        }
}

static void test_sections_stand_together(void **state)
{
    for (size_t i = 1; i < spec_key_count; i++) {
        if (str_equal(spec_keys[i].section, spec_keys[i - 1].section))
            continue;
        for (size_t j = 0; j < i; j++)
            assert_string_not_equal(spec_keys[i].section, spec_keys[j].section);
    }
}

static void test_texts_are_clean(void **state)
{
    for (size_t i = 0; i < spec_key_count; i++) {
        const struct key *k = &spec_keys[i];
        assert_false(text_has_control(k->help, strlen(k->help)));
        assert_false(text_has_control(k->doc, strlen(k->doc)));
        assert_null(strstr(k->doc, "  "));
        assert_true(strlen(k->help) <= 80);
        for (const char *p = k->option; p && *p; p++)
            assert_true(islower((unsigned char)*p) || *p == '-');
    }
}

static void test_lookup(void **state)
{
    for (size_t i = 0; i < spec_key_count; i++) {
        const struct key *k = &spec_keys[i];
        assert_ptr_equal(key_find(k->section, k->name), k);
        assert_ptr_equal(key_find_name(k->name), k);
        assert_int_equal(key_index(k), i);
        assert_true(key_is_section(k->section));
        if (k->option)
            assert_ptr_equal(key_find_option(k->option), k);
    }
    assert_null(key_find("Agent", "MemoryMax"));
    assert_null(key_find("resources", "MemoryMax"));
    assert_null(key_find_option("nothing"));
    assert_null(key_find_name("memorymax"));
    assert_false(key_is_section("Agents"));
}

// Each default, assigned as text, gives the value that an untouched spec has, and survives dump and parse.
static void test_defaults(void **state)
{
    for (size_t i = 0; i < spec_key_count; i++) {
        const struct key *k = &spec_keys[i];
        if (!k->fallback)
            continue;
        _cleanup_error_ struct error err = { 0 };
        _cleanup_spec_ struct spec *plain = spec_new();
        _cleanup_spec_ struct spec *assigned = spec_new();
        _cleanup_spec_ struct spec *back = spec_new();
        expect_ok(spec_assign(assigned, k->name, k->fallback, &err), &err);
        assert_true(k->type->equal((const char *)plain + k->offset, (const char *)assigned + k->offset));
        _cleanup_free_ char *text = spec_dump(assigned);
        _cleanup_text_ struct text expected = { 0 };
        text_addf(&expected, "[%s]\n%s=%s\n", k->section, k->name, k->fallback);
        assert_string_equal(text, expected.data);
        expect_ok(spec_parse(back, "dump", text, strlen(text), &err), &err);
        assert_true(spec_equal(assigned, back));
    }
}

static void test_words_of_choices(void **state)
{
    assert_string_equal(mode_name(MODE_MAXIMUM), "maximum");
    assert_string_equal(egress_name(EGRESS_NONE), "none");
    assert_string_equal(loopback_name(LOOPBACK_HOST), "host");
    assert_string_equal(restart_name(RESTART_ALWAYS), "always");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_row_is_filled),
        cmocka_unit_test(test_names_options_and_fields_are_unique),
        cmocka_unit_test(test_sections_stand_together),
        cmocka_unit_test(test_texts_are_clean),
        cmocka_unit_test(test_lookup),
        cmocka_unit_test(test_defaults),
        cmocka_unit_test(test_words_of_choices),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
