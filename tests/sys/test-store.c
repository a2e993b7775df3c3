// Specs, templates and agentctl.conf on disk, and what happens when the disk does not play along.
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "harness.h"

#include "config.h"
#include "sys/store.h"

#define COMMAND "[Service]\nCommand=/bin/true\n"

static struct spec *spec_of(const char *text)
{
    struct spec *spec = spec_new();
    CHECK(spec);
    CHECK_OK(spec_parse(spec, "test", text, strlen(text), &err));
    return spec;
}

static void write_spec(const char *agent, const char *text)
{
    _cleanup_names_ struct agent_names names = test_names(agent);
    _cleanup_spec_ struct spec *spec = spec_of(text);
    CHECK_OK(store_write_spec(&names, spec, &err));
}

static void conf_defaults(void)
{
    _cleanup_conf_ struct conf conf = { 0 };
    CHECK_OK(store_read_conf(&conf, &err));
    CHECK(conf.uid_first == UID_RANGE_FIRST_DEFAULT && conf.uid_last == UID_RANGE_LAST_DEFAULT);
    CHECK_TEXT(conf.workspaces, WORKSPACES_DEFAULT);
}

static void conf_read(void)
{
    _cleanup_conf_ struct conf conf = { 0 };
    make_directory("/etc/agentctl", 0755);
    put_file(CONF_FILE, "[Host]\nUIDRange=70000-70009\n", 0644);
    CHECK_OK(store_read_conf(&conf, &err));
    CHECK(conf.uid_first == 70000 && conf.uid_last == 70009);
}

static void untrusted_conf(void)
{
    struct conf conf = { 0 };
    make_directory("/etc/agentctl", 0755);
    put_file(CONF_FILE, "[Host]\n", 0664);
    CHECK_FAILS(store_read_conf(&conf, &err), CONF_FILE ": others than root may write it (mode 0664)");
    put_file(CONF_FILE, "[Host]\n", 0646);
    CHECK_FAILS(store_read_conf(&conf, &err), "others than root may write it");
    put_file(CONF_FILE, "[Host]\n", 0644);
    CHECK(chown(CONF_FILE, 1000, 0) == 0);
    CHECK_FAILS(store_read_conf(&conf, &err), CONF_FILE ": belongs to UID 1000 and not to root");
    CHECK(unlink(CONF_FILE) == 0 && symlink("/etc/passwd", CONF_FILE) == 0);
    CHECK_FAILS(store_read_conf(&conf, &err), CONF_FILE ": a symbolic link");
    CHECK(unlink(CONF_FILE) == 0 && mkfifo(CONF_FILE, 0644) == 0);
    CHECK_FAILS(store_read_conf(&conf, &err), CONF_FILE ": not a regular file but a pipe");
    CHECK(unlink(CONF_FILE) == 0 && mkdir(CONF_FILE, 0755) == 0);
    CHECK_FAILS(store_read_conf(&conf, &err), CONF_FILE ": not a regular file but a directory");
}

static void spec_round_trip(void)
{
    _cleanup_names_ struct agent_names names = test_names("coder");
    _cleanup_spec_ struct spec *absent = NULL;
    CHECK_OK(store_read_spec(&names, &absent, &err));
    CHECK(!absent);

    write_spec("coder", COMMAND "[Resources]\nMemoryMax=512M\n");
    _cleanup_spec_ struct spec *read = NULL;
    CHECK_OK(store_read_spec(&names, &read, &err));
    CHECK(read && read->memory_max == 512UL << 20);

    struct stat st;
    CHECK(stat(names.spec_file, &st) == 0 && (st.st_mode & 07777) == 0644 && st.st_uid == 0);
    CHECK(stat(SPEC_DIRECTORY, &st) == 0 && (st.st_mode & 07777) == 0755);
    CHECK(stat("/etc/agentctl", &st) == 0 && (st.st_mode & 07777) == 0755);
    CHECK(!is_there(SPEC_DIRECTORY "/.coder.agent.new"));

    CHECK_OK(store_remove_spec(&names, &err));
    CHECK(!is_there(names.spec_file));
    CHECK_OK(store_remove_spec(&names, &err));
}

static void leftover_of_a_killed_run(void)
{
    write_spec("coder", COMMAND);
    put_file(SPEC_DIRECTORY "/.coder.agent.new", "[Serv", 0600);
    write_spec("coder", COMMAND "Jit=yes\n");
    CHECK(!is_there(SPEC_DIRECTORY "/.coder.agent.new"));
    _cleanup_free_ char *text = get_file(SPEC_DIRECTORY "/coder.agent");
    CHECK(strstr(text, "Jit=yes"));
}

static void list_agents(void)
{
    _cleanup_strv_ struct strv names = { 0 };
    CHECK_OK(store_list_agents(&names, &err));
    CHECK(names.count == 0);
    write_spec("zeta", COMMAND);
    write_spec("alpha", COMMAND);
    write_spec("m-1", COMMAND);
    put_file(SPEC_DIRECTORY "/README", "", 0644);
    put_file(SPEC_DIRECTORY "/Upper.agent", "", 0644);
    put_file(SPEC_DIRECTORY "/.alpha.agent.new", "", 0644);
    put_file(SPEC_DIRECTORY "/.agent", "", 0644);
    CHECK_OK(store_list_agents(&names, &err));
    _cleanup_free_ char *joined = strv_join(&names, " ");
    CHECK_TEXT(joined, "alpha m-1 zeta");
}

static void full_disk(void)
{
    _cleanup_names_ struct agent_names names = test_names("coder");
    make_directory("/etc/agentctl", 0755);
    mount_tmpfs("/etc/agentctl", "size=64k,mode=0755");
    write_spec("coder", COMMAND);
    _cleanup_free_ char *before = get_file(names.spec_file);
    fill_up("/etc/agentctl");
    _cleanup_spec_ struct spec *spec = spec_of(COMMAND "Jit=yes\n");
    CHECK_FAILS(store_write_spec(&names, spec, &err),
                "cannot write /etc/agentctl/agents/coder.agent: No space left on device");
    _cleanup_free_ char *after = get_file(names.spec_file);
    CHECK_TEXT(after, before);
    CHECK(!is_there(SPEC_DIRECTORY "/.coder.agent.new"));
}

static void read_only_etc(void)
{
    _cleanup_names_ struct agent_names coder = test_names("coder");
    _cleanup_names_ struct agent_names other = test_names("other");
    write_spec("coder", COMMAND);
    _cleanup_free_ char *before = get_file(coder.spec_file);
    mount_read_only("/etc");
    _cleanup_spec_ struct spec *spec = spec_of(COMMAND "Jit=yes\n");
    CHECK_FAILS(store_write_spec(&coder, spec, &err),
                "cannot write /etc/agentctl/agents/coder.agent: Read-only file system");
    CHECK_FAILS(store_write_spec(&other, spec, &err), "Read-only file system");
    CHECK_FAILS(store_remove_spec(&coder, &err),
                "cannot remove /etc/agentctl/agents/coder.agent: Read-only file system");
    CHECK_OK(store_remove_spec(&other, &err)); // there is nothing to do
    _cleanup_free_ char *after = get_file(coder.spec_file);
    CHECK_TEXT(after, before);
}

static void links_are_not_followed(void)
{
    _cleanup_names_ struct agent_names names = test_names("coder");
    _cleanup_spec_ struct spec *spec = spec_of(COMMAND);
    struct spec *read = NULL;
    make_directory(SPEC_DIRECTORY, 0755);
    put_file("/etc/victim", "precious\n", 0644);
    CHECK(symlink("/etc/victim", names.spec_file) == 0);
    CHECK_FAILS(store_read_spec(&names, &read, &err), "a symbolic link");
    CHECK_FAILS(store_write_spec(&names, spec, &err), "it is a symbolic link and not a regular file");
    CHECK_OK(store_remove_spec(&names, &err)); // the link, not what it leads to
    CHECK(symlink("/etc/victim", SPEC_DIRECTORY "/.coder.agent.new") == 0);
    CHECK_OK(store_write_spec(&names, spec, &err));
    _cleanup_free_ char *victim = get_file("/etc/victim");
    CHECK_TEXT(victim, "precious\n");
}

static void odd_files(void)
{
    _cleanup_names_ struct agent_names names = test_names("coder");
    struct spec *read = NULL;
    make_directory(SPEC_DIRECTORY, 0755);
    char *large = malloc((1 << 20) + 2);
    CHECK(large);
    memset(large, '#', (1 << 20) + 1);
    large[(1 << 20) + 1] = '\0';
    put_file(names.spec_file, large, 0644);
    free(large);
    CHECK_FAILS(store_read_spec(&names, &read, &err), "coder.agent: larger than 1048576 bytes");
    put_file(names.spec_file, COMMAND, 0622);
    CHECK_FAILS(store_read_spec(&names, &read, &err), "others than root may write it");
    put_file(names.spec_file, "[Service]\nNonsense=1\n", 0644);
    CHECK_FAILS(store_read_spec(&names, &read, &err), "coder.agent:2: [Service] Nonsense=");
}

// --- templates ---

static void put_template(const char *directory, const char *name, const char *text)
{
    char path[512];
    make_directory(directory, 0755);
    (void)snprintf(path, sizeof(path), "%s/%s.agent", directory, name);
    put_file(path, text, 0644);
}

static void override(const char *name, const char *text)
{
    put_template(TEMPLATE_OVERRIDE_DIRECTORY, name, text);
}

// With the host's defaults as agentctl.conf has them at this moment.
static int effective(const struct spec *own, struct spec **ret, struct error *err)
{
    _cleanup_conf_ struct conf conf = { 0 };
    int r = store_read_conf(&conf, err);
    return r < 0 ? r : store_effective_spec(&conf, own, "coder", ret, err);
}

static void template_chain(void)
{
    put_template(TEMPLATE_DIRECTORY, "base", "[Resources]\nTasksMax=10\nMemoryMax=1G\nCPUWeight=50\n");
    put_template(TEMPLATE_DIRECTORY, "python", "[Resources]\nTasksMax=999\n");
    override("python", "[Agent]\nTemplate=base\n[Resources]\nTasksMax=20\nMemoryMax=2G\n");
    _cleanup_spec_ struct spec *own =
        spec_of("[Agent]\nTemplate=python\n" COMMAND "[Resources]\nTasksMax=30\n");
    _cleanup_spec_ struct spec *spec = NULL;
    CHECK_OK(effective(own, &spec, &err));
    CHECK(spec->tasks_max == 30 && spec->memory_max == 2UL << 30 && spec->cpu_weight == 50);

    _cleanup_strv_ struct strv names = { 0 };
    CHECK_OK(store_list_templates(&names, &err));
    _cleanup_free_ char *joined = strv_join(&names, " ");
    CHECK_TEXT(joined, "base python");
}

static void host_defaults(void)
{
    CHECK_OK(store_write_file(CONF_FILE, "[Resources]\nTasksMax=77\nMemoryMax=3G\n", 37, 0644, &err));
    override("python", "[Resources]\nMemoryMax=2G\n");
    _cleanup_spec_ struct spec *own = spec_of("[Agent]\nTemplate=python\n" COMMAND);
    _cleanup_spec_ struct spec *spec = NULL;
    CHECK_OK(effective(own, &spec, &err));
    CHECK(spec->tasks_max == 77 && spec->memory_max == 2UL << 30);
    CHECK(unlink(CONF_FILE) == 0);
}

static void check_template_fails(const char *name, const char *words)
{
    char text[256];
    (void)snprintf(text, sizeof(text), "[Agent]\nTemplate=%s\n" COMMAND, name);
    _cleanup_spec_ struct spec *own = spec_of(text);
    struct spec *spec = NULL;
    CHECK_FAILS(effective(own, &spec, &err), words);
}

static void bad_templates(void)
{
    override("self", "[Agent]\nTemplate=self\n");
    override("a", "[Agent]\nTemplate=b\n");
    override("b", "[Agent]\nTemplate=c\n");
    override("c", "[Agent]\nTemplate=a\n");
    override("broken", "[Agent]\nTemplate=worse\n");
    override("worse", "[Resources]\nMemoryMax=2GG\n");
    override("python", "");
    check_template_fails("self", "agent coder: Template=self -> self: a template that builds on itself");
    check_template_fails("a", "agent coder: Template=a -> b -> c -> a: a template that builds on itself");
    check_template_fails("broken",
                         "agent coder: Template=broken -> worse: /etc/agentctl/templates/worse.agent:2:");
    check_template_fails("pyhton", "agent coder: Template=pyhton: no such template (did you mean python?)");
    check_template_fails("qqqqqqqqqqqq", "no such template in /etc/agentctl/templates or ");
    CHECK(chown(TEMPLATE_OVERRIDE_DIRECTORY "/python.agent", 1000, 1000) == 0);
    check_template_fails("python", "python.agent: belongs to UID 1000 and not to root");
}

static void long_chain(void)
{
    for (int i = 0; i < 20; i++) {
        char name[16];
        char text[64];
        (void)snprintf(name, sizeof(name), "t%d", i);
        (void)snprintf(text, sizeof(text), "[Agent]\nTemplate=t%d\n", i + 1);
        override(name, text);
    }
    check_template_fails("t0", "more than 16 templates");
    override("t15", "");
    _cleanup_spec_ struct spec *own = spec_of("[Agent]\nTemplate=t0\n" COMMAND);
    _cleanup_spec_ struct spec *spec = NULL;
    CHECK_OK(effective(own, &spec, &err));
}

static void parse_file(void)
{
    struct spec *spec = NULL;
    CHECK_FAILS(store_parse_file("/etc/nowhere", &spec, &err),
                "cannot open /etc/nowhere: No such file or directory");
    CHECK_FAILS(store_parse_file("/etc", &spec, &err), "cannot read /etc: Is a directory");
    put_file("/etc/mine", COMMAND, 0666); // the caller named it
    CHECK(chown("/etc/mine", 1000, 1000) == 0 && symlink("mine", "/etc/link") == 0);
    CHECK_OK(store_parse_file("/etc/link", &spec, &err));
    CHECK(spec->command.count == 1);
    spec = spec_free(spec);

    int ends[2];
    CHECK(pipe(ends) == 0 && write(ends[1], COMMAND, strlen(COMMAND)) > 0 && close(ends[1]) == 0);
    CHECK(dup2(ends[0], STDIN_FILENO) == STDIN_FILENO);
    CHECK_OK(store_parse_file("-", &spec, &err));
    CHECK(spec->command.count == 1);
    (void)spec_free(spec);
}

static void launch_file(void)
{
    _cleanup_names_ struct agent_names names = test_names("coder");
    char *text = NULL;
    CHECK_OK(store_read_launch(&names, &text, &err));
    CHECK(!text);
    CHECK_OK(store_write_launch(&names, "[Launch]\n", &err));
    CHECK_OK(store_read_launch(&names, &text, &err));
    CHECK_TEXT(text, "[Launch]\n");
    free(text);
    CHECK(chmod(names.launch_file, 0666) == 0);
    CHECK_FAILS(store_read_launch(&names, &text, &err), "others than root may write it");
    CHECK_OK(store_remove_launch(&names, &err));
    CHECK(!is_there(names.launch_file));
}

const struct test store_tests[] = {
    { "without agentctl.conf the defaults hold", conf_defaults },
    { "agentctl.conf is read", conf_read },
    { "an agentctl.conf that others could have written is refused", untrusted_conf },
    { "a spec is written and read, 0644 whatever the umask", spec_round_trip },
    { "what a killed writer left is replaced", leftover_of_a_killed_run },
    { "agents are listed sorted, other files are not", list_agents },
    { "a full disk leaves the old spec", full_disk },
    { "a read-only /etc is one clear line", read_only_etc },
    { "symbolic links are neither read nor written through", links_are_not_followed },
    { "a spec that is too large, writable or wrong is refused", odd_files },
    { "templates build on each other, /etc overrides", template_chain },
    { "agentctl.conf is below the templates, which are below the spec", host_defaults },
    { "bad templates are errors that name the chain", bad_templates },
    { "a chain of templates is bounded", long_chain },
    { "a named file and standard input are parsed", parse_file },
    { "the launch file is kept", launch_file },
    { NULL, NULL },
};
