// Any bytes as a spec: refused with a text, or read, written and read back to the same.
#include <assert.h>
#include <string.h>

#include "fuzz.h"
#include "spec/spec.h"

static void check_round_trip(const struct spec *s)
{
    _cleanup_error_ struct error err = { 0 };
    _cleanup_spec_ struct spec *back = spec_new();
    _cleanup_spec_ struct spec *merged = spec_new();
    _cleanup_free_ char *dump = spec_dump(s);
    assert(dump && back && merged);
    int r = spec_parse(back, "dump", dump, strlen(dump), &err);
    assert(r == 0 && spec_equal(s, back));
    _cleanup_free_ char *again = spec_dump(back);
    assert(again && strcmp(again, dump) == 0);
    r = spec_merge(merged, s, &err);
    assert(r == 0 && spec_equal(s, merged));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    _cleanup_error_ struct error err = { 0 };
    _cleanup_spec_ struct spec *s = spec_new();
    assert(s);
    int r = spec_parse(s, "fuzz", (const char *)data, size, &err);
    assert((r < 0) == (err.text != NULL));
    if (r < 0)
        return 0;
    check_round_trip(s);
    r = spec_check(s, "coder", &err);
    assert((r < 0) == (err.text != NULL));
    return 0;
}
