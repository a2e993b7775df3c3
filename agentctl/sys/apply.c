// What each step of a plan does to the machine, and how it is taken back. Root's work: every step names only
// things that agentctl made, by names from plan/names.h and UIDs from the ledger.
#include "sys/apply.h"

#include <errno.h>
#include <signal.h>
#include <time.h>

#include "config.h"
#include "base/number.h"
#include "base/text.h"
#include "plan/launch.h"
#include "sys/account.h"
#include "sys/journal.h"
#include "sys/ledger.h"
#include "sys/started.h"
#include "sys/store.h"
#include "sys/workspace.h"

#define JOURNAL_TAIL_LINES 10

struct run {
    struct machine *machine;
    struct agent *agent;
    const struct state *observed;
    uint64_t began_usec; // CLOCK_REALTIME, for the journal
};

// --- making ---

static int do_reserve_uid(struct run *run, struct error *err)
{
    return ledger_reserve(run->agent->names.agent, run->agent->uid, err);
}

// Nothing has run under this UID yet: the steps that start things come later and were taken back before.
static int undo_reserve_uid(struct run *run, struct error *err)
{
    return ledger_release(run->agent->names.agent, run->agent->uid, err);
}

static int do_write_spec(struct run *run, struct error *err)
{
    return store_write_spec(&run->agent->names, run->agent->own, err);
}

// The spec as it was before this run; NULL if there was none.
static int earlier_spec(struct run *run, struct spec **ret, struct error *err)
{
    const char *text = run->observed->spec_text;
    _cleanup_spec_ struct spec *spec = text ? spec_new() : NULL;
    if (text && !spec)
        return error_oom(err);
    int r = text ? spec_parse(spec, run->agent->names.spec_file, text, strlen(text), err) : 0;
    if (r < 0)
        return r;
    *ret = take_ptr(spec);
    return 0;
}

static int undo_write_spec(struct run *run, struct error *err)
{
    const struct agent_names *names = &run->agent->names;
    const char *earlier = run->observed->spec_file;
    return earlier ? store_write_file(names->spec_file, earlier, strlen(earlier), 0644, err)
                   : store_remove_spec(names, err);
}

static int do_create_account(struct run *run, struct error *err)
{
    const struct agent_names *names = &run->agent->names;
    if (run->observed->account == PRESENCE_DIFFERENT) { // half-made by a run that was killed
        int r = account_remove(names->user, err);
        if (r < 0)
            return r;
    }
    return account_create(names->user, run->agent->uid, names->home, "agentctl agent", err);
}

static int do_remove_account(struct run *run, struct error *err)
{
    return account_remove(run->agent->names.user, err);
}

static int do_make_workspace(struct run *run, struct error *err)
{
    gid_t operators = (gid_t)-1;
    int r = agent_operators(run->agent->conf, &operators, err);
    if (r < 0)
        return r;
    return workspace_make(&run->agent->names, run->agent->uid, operators, err);
}

static int do_remove_workspace(struct run *run, struct error *err)
{
    return workspace_remove(&run->agent->names, err);
}

// A workspace that was only mended holds the agent's files: it stays.
static int undo_make_workspace(struct run *run, struct error *err)
{
    return run->observed->workspace == PRESENCE_ABSENT ? do_remove_workspace(run, err) : 0;
}

// The cgroup's id is read anew, because the slice may have come or gone within this run.
static int do_install_rules(struct run *run, struct error *err)
{
    int r = agent_refresh_policy(run->agent, err);
    if (r < 0)
        return r;
    return nft_agent_install(run->machine->nft, run->agent->conf, &run->agent->policy, err);
}

static int do_remove_rules(struct run *run, struct error *err)
{
    return nft_agent_remove(run->machine->nft, &run->agent->policy, err);
}

static int undo_install_rules(struct run *run, struct error *err)
{
    if (run->observed->rules == PRESENCE_ABSENT)
        return do_remove_rules(run, err);
    _cleanup_spec_ struct spec *earlier = NULL;
    int r = earlier_spec(run, &earlier, err);
    if (r < 0)
        return r;
    if (earlier) {
        r = agent_set_spec(run->agent, take_ptr(earlier), err);
        if (r < 0)
            return r;
    }
    return do_install_rules(run, err);
}

// --- starting ---

static int build_unit(struct run *run, int (*build)(const struct unit_input *, struct unit *, struct error *),
                      struct unit *ret, struct error *err)
{
    const struct unit_input input = {
        .names = &run->agent->names,
        .spec = run->agent->effective,
        .host = &run->machine->host,
        .launcher = LAUNCHER_PATH,
    };
    return build(&input, ret, err);
}

static int do_set_limits(struct run *run, struct error *err)
{
    _cleanup_unit_ struct unit slice = { 0 };
    int r = build_unit(run, unit_build_slice, &slice, err);
    if (r < 0)
        return r;
    return manager_set_properties(run->machine->manager, &slice, err);
}

static int undo_set_limits(struct run *run, struct error *err)
{
    _cleanup_spec_ struct spec *earlier = NULL;
    int r = earlier_spec(run, &earlier, err);
    if (r < 0 || !earlier)
        return r;
    r = agent_set_spec(run->agent, take_ptr(earlier), err);
    if (r < 0)
        return r;
    return do_set_limits(run, err);
}

static int do_start_slice(struct run *run, struct error *err)
{
    _cleanup_unit_ struct unit slice = { 0 };
    int r = build_unit(run, unit_build_slice, &slice, err);
    if (r < 0)
        return r;
    return manager_start_unit(run->machine->manager, &slice, err);
}

// The slice goes next and its cgroup's id with it: no element may be left that names it.
static int undo_open_loopback(struct run *run, struct error *err)
{
    int r = agent_refresh_policy(run->agent, err);
    if (r < 0)
        return r;
    run->agent->policy.slice_cgroup_id = 0;
    return nft_agent_install(run->machine->nft, run->agent->conf, &run->agent->policy, err);
}

static int do_stop_slice(struct run *run, struct error *err)
{
    return manager_stop_unit(run->machine->manager, run->agent->names.slice, err);
}

static int do_write_launch(struct run *run, struct error *err)
{
    const struct launch_policy policy = { .agent = run->agent->names.agent,
                                          .command = run->agent->effective->command };
    _cleanup_free_ char *text = launch_policy_dump(&policy);
    return text ? store_write_launch(&run->agent->names, text, err) : error_oom(err);
}

static int do_remove_launch(struct run *run, struct error *err)
{
    return store_remove_launch(&run->agent->names, err);
}

static int undo_write_launch(struct run *run, struct error *err)
{
    const char *earlier = run->observed->launch_text;
    return earlier ? store_write_launch(&run->agent->names, earlier, err) : do_remove_launch(run, err);
}

// An account that somebody has put into a group, or given a password, is not the one that was made.
static int do_start_service(struct run *run, struct error *err)
{
    const struct agent_names *names = &run->agent->names;
    int r = account_check(names->user, run->agent->uid, names->home, err);
    if (r < 0)
        return r;
    _cleanup_unit_ struct unit service = { 0 };
    r = build_unit(run, unit_build_service, &service, err);
    if (r < 0)
        return r;
    r = manager_start_unit(run->machine->manager, &service, err);
    if (r < 0)
        return r;
    return started_await_command(run->machine->manager, run->agent->names.service, LAUNCHER_PATH, err);
}

static int do_stop_service(struct run *run, struct error *err)
{
    return manager_stop_unit(run->machine->manager, run->agent->names.service, err);
}

// --- stopping and removing ---

static int do_kill_processes(struct run *run, struct error *err)
{
    return account_kill_processes(run->agent->uid, err);
}

static int undo_start_service(struct run *run, struct error *err)
{
    int r = do_stop_service(run, err);
    if (r < 0)
        return r;
    return do_kill_processes(run, err);
}

static int do_retire_uid(struct run *run, struct error *err)
{
    return ledger_retire(run->agent->names.agent, run->agent->uid, err);
}

static int do_remove_spec(struct run *run, struct error *err)
{
    return store_remove_spec(&run->agent->names, err);
}

typedef int step_function(struct run *run, struct error *err);

static const struct {
    step_function *run, *undo;
} functions[STEP_COUNT] = {
    [STEP_RESERVE_UID] = { do_reserve_uid, undo_reserve_uid },
    [STEP_WRITE_SPEC] = { do_write_spec, undo_write_spec },
    [STEP_CREATE_ACCOUNT] = { do_create_account, do_remove_account },
    [STEP_MAKE_WORKSPACE] = { do_make_workspace, undo_make_workspace },
    [STEP_INSTALL_RULES] = { do_install_rules, undo_install_rules },
    [STEP_SET_LIMITS] = { do_set_limits, undo_set_limits },
    [STEP_START_SLICE] = { do_start_slice, do_stop_slice },
    [STEP_OPEN_LOOPBACK] = { do_install_rules, undo_open_loopback },
    [STEP_WRITE_LAUNCH] = { do_write_launch, undo_write_launch },
    [STEP_START_SERVICE] = { do_start_service, undo_start_service },
    [STEP_STOP_SERVICE] = { do_stop_service, NULL },
    [STEP_KILL_PROCESSES] = { do_kill_processes, NULL },
    [STEP_REMOVE_LAUNCH] = { do_remove_launch, NULL },
    [STEP_STOP_SLICE] = { do_stop_slice, NULL },
    [STEP_CLOSE_LOOPBACK] = { do_install_rules, NULL },
    [STEP_REMOVE_WORKSPACE] = { do_remove_workspace, NULL },
    [STEP_REMOVE_ACCOUNT] = { do_remove_account, NULL },
    [STEP_REMOVE_RULES] = { do_remove_rules, NULL },
    [STEP_RETIRE_UID] = { do_retire_uid, NULL },
    [STEP_REMOVE_SPEC] = { do_remove_spec, NULL },
};

// --- the run ---

static bool was_interrupted(const sigset_t *signals)
{
    const struct timespec now = { 0 };
    return sigtimedwait(signals, NULL, &now) > 0;
}

static int run_step(struct run *run, const struct step *step, const sigset_t *signals, struct error *err)
{
    if (was_interrupted(signals))
        return error_set(err, EINTR, "interrupted");
    return functions[step->kind].run(run, err);
}

// Takes back the first count steps, the last one first. An undo that fails is reported and does not stop the
// rest.
static void undo_steps(struct run *run, const struct plan *plan, size_t count, struct text *report)
{
    for (size_t i = count; i-- > 0;) {
        const struct step *step = &plan->steps[i];
        _cleanup_error_ struct error err = { 0 };
        if (!functions[step->kind].undo)
            continue;
        text_add(report, report->length > 0 ? "; " : "");
        if (functions[step->kind].undo(run, &err) < 0)
            text_addf(report, "could NOT undo '%s %s': %s", step_rows[step->kind].text, step->object,
                      err.text);
        else
            text_addf(report, "%s %s", step_rows[step->kind].undo, step->object);
    }
}

// The failed step itself may have got half-way: a start that timed out has left a unit behind.
static bool failed_half_way(enum step_kind kind)
{
    return kind == STEP_START_SERVICE || kind == STEP_START_SLICE;
}

// The unit's own words, read before the undo adds its own.
static char *read_journal(struct run *run, enum step_kind kind)
{
    char *lines = NULL;
    _cleanup_error_ struct error ignored = {
        0
    }; // the failure to be reported is the unit's, not the journal's
    if (kind != STEP_START_SERVICE ||
        journal_tail(run->agent->names.service, JOURNAL_TAIL_LINES, run->began_usec, &lines, &ignored) < 0)
        return NULL;
    return lines;
}

static void add_lines(char *lines, struct error *err)
{
    char *save = NULL;
    for (const char *line = strtok_r(lines, "\n", &save); line; line = strtok_r(NULL, "\n", &save))
        (void)error_add(err, err->class, "  %s", line);
}

static int report_failure(struct run *run, const struct plan *plan, size_t failed, int r, struct error *err)
{
    const struct step *step = &plan->steps[failed];
    _cleanup_free_ char *journal = read_journal(run, step->kind);
    _cleanup_text_ struct text undone = { 0 };
    undo_steps(run, plan, failed_half_way(step->kind) ? failed + 1 : failed, &undone);
    r = error_wrap(err, r, "agent %s: %s %s", run->agent->names.agent, step_rows[step->kind].text,
                   step->object);
    if (undone.length > 0)
        (void)error_add(err, err->class, "agent %s: undone: %s", run->agent->names.agent, undone.data);
    if (journal)
        add_lines(journal, err);
    return r;
}

static uint64_t now_usec(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_REALTIME, &now); // cannot fail for this clock
    return (uint64_t)now.tv_sec * USEC_PER_SEC + (uint64_t)now.tv_nsec / 1000;
}

int apply_plan(struct machine *m, struct agent *a, const struct state *observed, const struct plan *plan,
               struct error *err)
{
    struct run run = { .machine = m, .agent = a, .observed = observed, .began_usec = now_usec() };
    sigset_t signals;
    sigset_t earlier;
    (void)sigemptyset(&signals);
    (void)sigaddset(&signals, SIGINT);
    (void)sigaddset(&signals, SIGTERM);
    (void)sigaddset(&signals, SIGHUP);
    if (sigprocmask(SIG_BLOCK, &signals, &earlier) < 0)
        return error_errno(err, errno, "cannot block signals");

    int r = 0;
    for (size_t i = 0; i < plan->count && r >= 0; i++) {
        r = run_step(&run, &plan->steps[i], &signals, err);
        if (r < 0)
            r = report_failure(&run, plan, i, r, err);
    }
    (void)sigprocmask(SIG_SETMASK, &earlier, NULL);
    return r;
}
