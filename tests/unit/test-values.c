// Every type of value: what is accepted and its canonical text, and what is refused with which words.
#include "expect.h"

#include <stdio.h>

#include "base/number.h"
#include "spec/spec.h"

// Assigns, and compares the whole dump.
static void expect_dump(const char *name, const char *value, const char *dump)
{
    _cleanup_error_ struct error err = { 0 };
    _cleanup_spec_ struct spec *s = spec_new();
    _cleanup_spec_ struct spec *back = spec_new();
    expect_ok(spec_assign(s, name, value, &err), &err);
    _cleanup_free_ char *text = spec_dump(s);
    assert_string_equal(strchr(text, '\n') + 1, dump); // behind the section
    expect_ok(spec_parse(back, "dump", text, strlen(text), &err), &err);
    assert_true(spec_equal(s, back));
}

static void expect_cause(const char *name, const char *value, const char *cause)
{
    _cleanup_error_ struct error err = { 0 };
    _cleanup_spec_ struct spec *s = spec_new();
    _cleanup_text_ struct text expected = { 0 };
    text_addf(&expected, "%s: %s", name, cause);
    expect_refused(spec_assign(s, name, value, &err), &err, expected.data);
}

static char *repeat(const char *unit, size_t count)
{
    _cleanup_text_ struct text t = { 0 };
    for (size_t i = 0; i < count; i++)
        text_add(&t, unit);
    return text_take(&t);
}

static void test_text(void **state)
{
    expect_dump("Description", "  Reviews \"patches\"; 100% # \xc3\xa4 ",
                "Description=Reviews \"patches\"; 100% # \xc3\xa4\n");
    expect_dump("Description", "", "Description=\n");
    expect_dump("Description", "ends\\\\", "Description=ends\\\\\n");
    expect_cause("Description", "ends\\", "a backslash at the end");
    expect_cause("Description", "two\nlines", "a control character or invalid UTF-8 in the value");
    expect_cause("Description", "\xff", "a control character or invalid UTF-8 in the value");
    _cleanup_free_ char *most = repeat("x", 1024);
    _cleanup_free_ char *more = repeat("x", 1025);
    _cleanup_error_ struct error err = { 0 };
    _cleanup_spec_ struct spec *s = spec_new();
    expect_ok(spec_assign(s, "Description", most, &err), &err);
    expect_cause("Description", more, "longer than 1024 bytes");
}

static void test_template(void **state)
{
    static const char cause[] = "not a template's name: a to z, 0 to 9 and '-', at most 64";
    expect_dump("Template", "python", "Template=python\n");
    expect_dump("Template", "", "Template=\n");
    expect_cause("Template", "../../etc/passwd", cause);
    expect_cause("Template", "Python", cause);
    expect_cause("Template", "-x", cause);
    expect_cause("Template", "a.b", cause);
}

static void test_choices(void **state)
{
    expect_dump("Mode", "maximum", "Mode=maximum\n");
    expect_dump("Mode", "", "Mode=standard\n");
    expect_cause("Mode", "maxmum",
                 "must be unrestricted, minimal, standard or maximum; did you mean maximum?");
    expect_cause("Mode", "Standard",
                 "must be unrestricted, minimal, standard or maximum; did you mean standard?");
    expect_cause("Egress", "", "must be none, list, public or open");
    expect_cause("Egress", "everything", "must be none, list, public or open");
    expect_cause("Restart", "on-success", "must be no, on-failure, on-abnormal or always");
    expect_cause("Loopback", "x", "must be own, none or host");
    expect_dump("Jit", "true", "Jit=yes\n");
    expect_dump("Jit", "", "Jit=no\n");
    expect_cause("Jit", "maybe", "not a boolean (yes or no)");
}

static void test_numbers(void **state)
{
    expect_dump("TasksMax", "64", "TasksMax=64\n");
    expect_dump("TasksMax", "infinity", "TasksMax=infinity\n");
    expect_dump("TasksMax", "", "TasksMax=512\n");
    expect_cause("TasksMax", "0", "must be from 1 to 2147483647, or infinity");
    expect_cause("TasksMax", "64K", "must be from 1 to 2147483647, or infinity");
    expect_cause("TasksMax", "20%", "a percentage, which systemd loses at daemon-reload; give a count");
    expect_dump("CPUWeight", "10000", "CPUWeight=10000\n");
    expect_cause("CPUWeight", "10001", "must be from 1 to 10000");
    expect_cause("CPUWeight", "0", "must be from 1 to 10000");
    expect_cause("CPUWeight", "idle", "not a number");
    expect_cause("IOWeight", "infinity", "not a number");
    expect_cause("RestartSteps", "101", "must be from 0 to 100");
    expect_cause("StartLimitBurst", "0", "must be from 1 to 1000");
}

static void test_sizes(void **state)
{
    expect_dump("MemoryMax", "1536M", "MemoryMax=1536M\n");
    expect_dump("MemoryMax", "1.5G", "MemoryMax=1536M\n");
    expect_dump("MemoryMax", "infinity", "MemoryMax=infinity\n");
    expect_dump("MemorySwapMax", "0", "MemorySwapMax=0\n");
    expect_cause("MemoryMax", "2GG", "not a size (512M, 1.5G, infinity)");
    expect_cause("MemoryMax", "0", "must be at least 1M");
    expect_cause("MemoryMax", "1000K", "must be at least 1M");
    expect_cause("MemoryMax", "16E", "too large");
    expect_cause("MemoryMax", "50%",
                 "a percentage of the host's memory, which changes with the host; give a size");
}

static void test_durations(void **state)
{
    expect_dump("RuntimeMaxSec", "90", "RuntimeMaxSec=1min 30s\n");
    expect_dump("RuntimeMaxSec", "infinity", "RuntimeMaxSec=infinity\n");
    expect_cause("RuntimeMaxSec", "0", "must be at least 1s");
    expect_cause("RestartSec", "0", "must be at least 100ms");
    expect_cause("RestartSec", "infinity", "must be at most 1d");
    expect_cause("StartLimitIntervalSec", "0", "must be at least 1s");
    expect_cause("TimeoutStopSec", "infinity", "must be at most 1h");
    expect_cause("TimeoutStopSec", "soon", "not a duration (30s, 1min 30s, 2h, infinity)");
}

static void test_percentages(void **state)
{
    expect_dump("CPUQuota", "250%", "CPUQuota=250%\n");
    expect_dump("CPUQuota", "infinity", "CPUQuota=infinity\n");
    expect_dump("CPUQuota", "", "CPUQuota=infinity\n");
    expect_cause("CPUQuota", "50", "not a percentage (50%, 250%)");
    expect_cause("CPUQuota", "0%", "must be more than 0%");
    expect_cause("CPUQuota", "33.3%", "a fraction of a percent, which systemd loses at daemon-reload");
    expect_cause("CPUQuota", "1000001%", "must be at most 1000000%");
}

static void test_command(void **state)
{
    expect_dump("Command", "/usr/bin/python3 agent.py", "Command=/usr/bin/python3 agent.py\n");
    expect_dump("Command", "/bin/sh -c 'echo \"$HOME\" %h'",
                "Command=/bin/sh -c \"echo \\\"$HOME\\\" %h\"\n");
    expect_dump("Command", "/bin/x a\\nb ''", "Command=/bin/x \"a\\x0ab\" \"\"\n");
    expect_dump("Command", "", "Command=\n");
    expect_cause("Command", "agent.py", "agent.py: the program, the first word, must be an absolute path");
    expect_cause("Command", "-/bin/true",
                 "-/bin/true: the program, the first word, must be an absolute path");
    expect_cause("Command", "\"\" x", "the program, the first word, must be an absolute path");
    expect_cause("Command", "/bin/../x", "/bin/../x: a path must not contain . or ..");
    expect_cause("Command", "/bin/x \"a", "a quote \" is not closed");
    expect_cause("Command", "/bin/x a\\", "a backslash at the end");
    expect_cause("Command", "/bin/x \\xff", "argument 1 is not valid UTF-8 text");
    expect_cause("Command", "/bin/x \\xc2\\x9b", "argument 1 is not valid UTF-8 text");
    expect_cause("Command", "/bin/x \\x00", "NUL character in a word");
    _cleanup_free_ char *words = repeat("/x ", 1025);
    expect_cause("Command", words, "longer than 16384 bytes or 1024 words; put it into a script");
    _cleanup_free_ char *bytes = repeat("/xxxxxxx", 2048);
    expect_cause("Command", bytes, "longer than 16384 bytes or 1024 words; put it into a script");
}

// The worst case of quoting must still fit into one line of a file.
static void test_longest_command_reads_back(void **state)
{
    _cleanup_error_ struct error err = { 0 };
    _cleanup_free_ char *newlines = repeat("\n", 15000);
    _cleanup_strv_ struct strv words = { 0 };
    assert_int_equal(strv_add(&words, "/bin/x"), 0);
    assert_int_equal(strv_add(&words, newlines), 0);
    _cleanup_free_ char *joined = words_join(&words);
    _cleanup_spec_ struct spec *s = spec_new();
    _cleanup_spec_ struct spec *back = spec_new();
    expect_ok(spec_assign(s, "Command", joined, &err), &err);
    _cleanup_free_ char *text = spec_dump(s);
    expect_ok(spec_parse(back, "dump", text, strlen(text), &err), &err);
    assert_true(spec_equal(s, back));
}

static void test_environment(void **state)
{
    expect_dump("Environment",
                "A=1 B=\"x y\" _c2=", "Environment=A=1\nEnvironment=\"B=x y\"\nEnvironment=_c2=\n");
    expect_dump("Environment", "A=1 B=2 A=3", "Environment=A=3\nEnvironment=B=2\n");
    expect_dump("Environment", "AB=1 A=2", "Environment=AB=1\nEnvironment=A=2\n");
    expect_dump("Environment", "A=b=c", "Environment=A=b=c\n");
    static const char *const nameless[] = { "A", "=1", "1A=1", "A-B=1", "\xc3\xa4=1" };
    for (size_t i = 0; i < ARRAY_SIZE(nameless); i++)
        expect_cause(
            "Environment", nameless[i],
            "word 1 is not NAME=value; a name is letters, digits and '_', and a value with spaces needs "
            "quotes");
    expect_cause(
        "Environment", "A=good morning",
        "word 2 is not NAME=value; a name is letters, digits and '_', and a value with spaces needs quotes");
    expect_cause("Environment", "A=x\\ny", "A: a control character or invalid UTF-8 in the value");
    expect_cause("Environment", "A=\\x1b", "A: a control character or invalid UTF-8 in the value");
    expect_cause("Environment", "A=\\xff", "A: a control character or invalid UTF-8 in the value");
    expect_cause(
        "Environment", "LD_PRELOAD=/tmp/x.so",
        "LD_PRELOAD would also steer the launcher before it confines the agent; set it in Command= with "
        "/usr/bin/env");
    expect_cause(
        "Environment", "GCONV_PATH=/tmp",
        "GCONV_PATH would also steer the launcher before it confines the agent; set it in Command= with "
        "/usr/bin/env");
    expect_dump("Environment", "LDFLAGS=-lm", "Environment=LDFLAGS=-lm\n");
    _cleanup_free_ char *longer = repeat("A=xxxxxx", 513);
    expect_cause("Environment", longer, "A: longer than 4096 bytes");
}

static void test_lists_are_bounded(void **state)
{
    _cleanup_text_ struct text variables = { 0 };
    _cleanup_text_ struct text paths = { 0 };
    _cleanup_text_ struct text addresses = { 0 };
    for (int i = 0; i < 257; i++) {
        text_addf(&variables, " V%d=1", i);
        text_addf(&paths, " /p%d", i);
        text_addf(&addresses, " 10.1.%d.%d", i / 200, i % 200);
    }
    expect_cause("Environment", variables.data, "more than 256 entries");
    expect_cause("ReadOnlyPaths", paths.data, "more than 256 entries");
    expect_cause("Filesystem.BindPaths", paths.data, "/p256: more than 256 entries");
    expect_cause("Network.Allow", addresses.data, "10.1.1.56: more than 256 entries");
}

static void test_paths(void **state)
{
    expect_dump("WorkingDirectory", "/srv//x/", "WorkingDirectory=/srv/x\n");
    expect_dump("WorkingDirectory", "", "WorkingDirectory=\n");
    expect_cause("WorkingDirectory", "x", "not an absolute path");
    expect_dump("ReadOnlyPaths", "/a /b /a/", "ReadOnlyPaths=/a\nReadOnlyPaths=/b\n");
    expect_cause("ReadOnlyPaths", "/a b", "b: not an absolute path");
    expect_cause("ReadOnlyPaths", "/a \"/b c\"",
                 "/b c: a space, quote, backslash or % in a path, which systemd may lose when it reloads");
    expect_cause("ReadOnlyPaths", "/b\\nc", "/b\\x0ac: a control character in a path");
}

static void test_binds(void **state)
{
    expect_dump("BindPaths", "/srv/a /srv/b:/mnt /srv/c:/srv/c",
                "BindPaths=/srv/a\nBindPaths=/srv/b:/mnt\nBindPaths=/srv/c\n");
    expect_dump("BindPaths", "/srv/a:/mnt /srv/b:/mnt/", "BindPaths=/srv/b:/mnt\n");
    expect_cause("BindPaths", "/a:/b:/c", "/a:/b:/c: not SOURCE or SOURCE:DESTINATION");
    expect_cause("BindPaths", "-/a", "-/a: not an absolute path");
    expect_cause("BindPaths", "/a:", "/a:: not an absolute path");
    expect_cause("BindPaths", "/a:b", "/a:b: not an absolute path");
}

static void test_io_limits(void **state)
{
    expect_dump("IOReadBandwidthMax", "/var 10M", "IOReadBandwidthMax=/var 10M\n");
    expect_dump("IOReadIOPSMax", "/dev/vda 1500", "IOReadIOPSMax=/dev/vda 1500\n");
    expect_dump("IOWriteIOPSMax", "/dev/vda infinity", "IOWriteIOPSMax=/dev/vda infinity\n");
    expect_cause("IOReadBandwidthMax", "/var", "not a path and a value: /var 10M");
    expect_cause("IOReadBandwidthMax", "/var 1M /srv 1M", "not a path and a value: /var 10M");
    expect_cause("IOReadBandwidthMax", "var 1M", "not an absolute path");
    expect_cause("IOReadBandwidthMax", "/var 1MB", "not a rate (10M, 1.5G, infinity)");
    expect_cause("IOWriteBandwidthMax", "/var 0", "a limit of 0, which systemd ignores");
}

static void test_addresses(void **state)
{
    expect_dump("Allow", "198.51.100.7:443 [2001:DB8::]/32:80,81 198.51.100.7:443/tcp",
                "Allow=198.51.100.7:443\nAllow=[2001:db8::]/32:80-81\n");
    expect_cause("Network.Allow", "1.2.3.4 example.com:443",
                 "example.com:443: host names are not supported yet; give an address or a prefix");
    expect_cause("Network.Allow", "1.2.3.4:80\\x0a", "1.2.3.4:80\\x0a: a control character in an address");
    _cleanup_free_ char *longer = repeat("1", 400);
    _cleanup_free_ char *shown = repeat("1", 100);
    _cleanup_text_ struct text cause = { 0 };
    text_addf(&cause, "%s...: too long", shown);
    expect_cause("Network.Allow", longer, cause.data);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_text),
        cmocka_unit_test(test_template),
        cmocka_unit_test(test_choices),
        cmocka_unit_test(test_numbers),
        cmocka_unit_test(test_sizes),
        cmocka_unit_test(test_durations),
        cmocka_unit_test(test_percentages),
        cmocka_unit_test(test_command),
        cmocka_unit_test(test_longest_command_reads_back),
        cmocka_unit_test(test_environment),
        cmocka_unit_test(test_lists_are_bounded),
        cmocka_unit_test(test_paths),
        cmocka_unit_test(test_binds),
        cmocka_unit_test(test_io_limits),
        cmocka_unit_test(test_addresses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
