// parse(dump(x)) = x, and dump is canonical: the table's order, whatever the order of the file.
#include "expect.h"

#include "spec/key.h"

static const char everything[] =
    "[Network]\nLoopback=host\nAllow=10.0.0.5:53/udp 2001:db8::/32\nEgress=open\n"
    "[Filesystem]\nExecPaths=/opt\nReadOnlyPaths=/srv\nInaccessiblePaths=/mnt /media\n"
    "BindReadOnlyPaths=/srv/a /srv/b:/b\nBindPaths=/srv/c:/c\n"
    "[Resources]\nIOWriteIOPSMax=/ 10\nIOReadIOPSMax=/ 20K\nIOWriteBandwidthMax=/ 1M\nIOReadBandwidthMax=/ "
    "2.5M\n"
    "IOWeight=50\nTasksMax=infinity\nMemorySwapMax=1G\nMemoryHigh=900M\nMemoryMax=1G\nCPUWeight="
    "200\nCPUQuota=150%\n"
    "[Service]\nJit=on\nTimeoutStopSec=90\nRuntimeMaxSec=1d\nStartLimitIntervalSec=10min\nStartLimitBurst=3\n"
    "RestartMaxDelaySec=1min\nRestartSteps=4\nRestartSec=500ms\nRestart=always\n"
    "Environment=A=1 'B=x y' C=\"q\\\"\\\\\"\nWorkingDirectory=/srv/a\nCommand=/bin/sh -c 'echo \"a b\"\\n'\n"
    "[Agent]\nMode=maximum\nTemplate=python\nDescription=All of it; \"every\" key\n";

static const char canonical[] = "[Agent]\n"
                                "Description=All of it; \"every\" key\n"
                                "Template=python\n"
                                "Mode=maximum\n"
                                "\n"
                                "[Service]\n"
                                "Command=/bin/sh -c \"echo \\\"a b\\\"\\x0a\"\n"
                                "WorkingDirectory=/srv/a\n"
                                "Environment=A=1\n"
                                "Environment=\"B=x y\"\n"
                                "Environment=\"C=q\\\"\\\\\"\n"
                                "Restart=always\n"
                                "RestartSec=500ms\n"
                                "RestartSteps=4\n"
                                "RestartMaxDelaySec=1min\n"
                                "StartLimitBurst=3\n"
                                "StartLimitIntervalSec=10min\n"
                                "RuntimeMaxSec=1d\n"
                                "TimeoutStopSec=1min 30s\n"
                                "Jit=yes\n"
                                "\n"
                                "[Resources]\n"
                                "CPUQuota=150%\n"
                                "CPUWeight=200\n"
                                "MemoryMax=1G\n"
                                "MemoryHigh=900M\n"
                                "MemorySwapMax=1G\n"
                                "TasksMax=infinity\n"
                                "IOWeight=50\n"
                                "IOReadBandwidthMax=/ 2500K\n"
                                "IOWriteBandwidthMax=/ 1M\n"
                                "IOReadIOPSMax=/ 20K\n"
                                "IOWriteIOPSMax=/ 10\n"
                                "\n"
                                "[Filesystem]\n"
                                "BindPaths=/srv/c:/c\n"
                                "BindReadOnlyPaths=/srv/a\n"
                                "BindReadOnlyPaths=/srv/b:/b\n"
                                "InaccessiblePaths=/mnt\n"
                                "InaccessiblePaths=/media\n"
                                "ReadOnlyPaths=/srv\n"
                                "ExecPaths=/opt\n"
                                "\n"
                                "[Network]\n"
                                "Egress=open\n"
                                "Allow=10.0.0.5:53/udp\n"
                                "Allow=2001:db8::/32\n"
                                "Loopback=host\n";

static struct spec *parsed(const char *text)
{
    _cleanup_error_ struct error err = { 0 };
    struct spec *s = spec_new();
    expect_ok(spec_parse(s, "f", text, strlen(text), &err), &err);
    return s;
}

static void test_nothing(void **state)
{
    _cleanup_spec_ struct spec *s = spec_new();
    _cleanup_free_ char *text = spec_dump(s);
    assert_string_equal(text, "");
}

static void test_every_key(void **state)
{
    _cleanup_spec_ struct spec *s = parsed(everything);
    for (size_t i = 0; i < spec_key_count; i++)
        assert_true(s->assigned & (UINT64_C(1) << i)); // a new key belongs into this test
    _cleanup_free_ char *text = spec_dump(s);
    assert_string_equal(text, canonical);
    _cleanup_spec_ struct spec *back = parsed(text);
    assert_true(spec_equal(s, back));
    _cleanup_free_ char *again = spec_dump(back);
    assert_string_equal(again, text);
}

static void test_every_key_emptied(void **state)
{
    _cleanup_spec_ struct spec *s = spec_new();
    for (size_t i = 0; i < spec_key_count; i++) {
        _cleanup_error_ struct error err = { 0 };
        if (!str_equal(spec_keys[i].name, "Egress")) // has no default of its own
            expect_ok(spec_assign(s, spec_keys[i].name, "", &err), &err);
    }
    _cleanup_free_ char *text = spec_dump(s);
    _cleanup_spec_ struct spec *back = parsed(text);
    assert_true(spec_equal(s, back));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_nothing),
        cmocka_unit_test(test_every_key),
        cmocka_unit_test(test_every_key_emptied),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
