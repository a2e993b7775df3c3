// Any bytes as a launch file: refused with a text, or read, written and read back to the same.
#include <assert.h>
#include <string.h>

#include "fuzz.h"
#include "plan/launch.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    _cleanup_error_ struct error err = { 0 };
    _cleanup_(launch_policy_clear) struct launch_policy p = { 0 };
    _cleanup_(launch_policy_clear) struct launch_policy back = { 0 };
    int r = launch_policy_parse(&p, "fuzz", (const char *)data, size, &err);
    assert((r < 0) == (err.text != NULL));
    if (r < 0)
        return 0;
    _cleanup_free_ char *dump = launch_policy_dump(&p);
    assert(dump);
    r = launch_policy_parse(&back, "dump", dump, strlen(dump), &err);
    assert(r == 0);
    assert(strcmp(p.agent, back.agent) == 0 && strv_equal(&p.command, &back.command));
    return 0;
}
