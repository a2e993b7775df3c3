// What each step of a plan does to the machine, and how it is taken back. Root's work: every step names only
// things that agentctl made, by names from plan/names.h and UIDs from the ledger.
#include "sys/apply.h"

#include <errno.h>
#include <signal.h>
#include <time.h>

#include "config.h"
#include "base/number.h"
#include "base/text.h"
#include "sys/account.h"
#include "sys/cgroup.h"
#include "sys/clock.h"
#include "sys/journal.h"
#include "sys/ledger.h"
#include "sys/leftovers.h"
#include "sys/limits.h"
#include "sys/record.h"
#include "sys/started.h"
#include "sys/store.h"
#include "sys/workspace.h"

#define JOURNAL_TAIL_LINES 10

struct run {
    struct machine *machine;
    struct agent *agent;
    const struct state *observed;
    bool service_tried;  // something may have run under the UID
    bool undo_failed;    // something is left that the spec and the ledger must go on naming
    uint64_t began_usec; // CLOCK_REALTIME, for the journal
};

// --- making ---

static int do_reserve_uid(struct run *run, struct error *err)
{
    return ledger_reserve(run->agent->names.agent, run->agent->uid, err);
}

// The UID is free again only if nothing can belong to it: nothing has run under it, and no directory was
// there before that was given to it.
static int undo_reserve_uid(struct run *run, struct error *err)
{
    const char *name = run->agent->names.agent;
    bool unused = !run->service_tried && run->observed->workspace == PRESENCE_ABSENT;
    return unused ? ledger_release(name, run->agent->uid, err) : ledger_retire(name, run->agent->uid, err);
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

// The slice's limits, and what can be changed of a running service: its address filter.
static int do_set_limits(struct run *run, struct error *err)
{
    _cleanup_unit_ struct unit slice = { 0 };
    int r = limits_check_devices(run->agent->effective, err);
    if (r >= 0)
        r = build_unit(run, unit_build_slice, &slice, err);
    if (r >= 0)
        r = manager_set_properties(run->machine->manager, &slice, err);
    if (r < 0 || run->observed->service != SERVICE_RUNNING)
        return r;
    _cleanup_unit_ struct unit service = { 0 };
    r = build_unit(run, unit_build_service, &service, err);
    return r < 0 ? r : manager_set_properties(run->machine->manager, &service, err);
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

// A limit that the manager took and the kernel does not hold (a controller that is switched off) is none.
static int check_limits(struct run *run, struct error *err)
{
    struct cgroup_usage usage = { 0 };
    int r = cgroup_read_usage(run->agent->names.slice_cgroup, &usage, err);
    if (r < 0)
        return r;
    struct limit limits[LIMITS_COUNT];
    limits_of(run->agent->effective, &usage, limits);
    const struct limit *different = limits_find_different(limits);
    if (!different)
        return 0;
    char wanted[NUMBER_TEXT_MAX];
    char kernel[NUMBER_TEXT_MAX];
    limit_text(different, different->wanted, wanted, sizeof(wanted));
    limit_text(different, different->kernel, kernel, sizeof(kernel));
    return error_set(err, EOPNOTSUPP,
                     "%s=%s is not in force: the kernel has %s (is the cgroup controller off?)",
                     different->key, wanted, kernel);
}

static int do_start_slice(struct run *run, struct error *err)
{
    _cleanup_unit_ struct unit slice = { 0 };
    int r = limits_check_devices(run->agent->effective, err);
    if (r >= 0)
        r = build_unit(run, unit_build_slice, &slice, err);
    if (r >= 0)
        r = manager_start_unit(run->machine->manager, &slice, err);
    return r < 0 ? r : check_limits(run, err);
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
    _cleanup_free_ char *text = agent_launch_text(run->agent);
    if (!text)
        return error_oom(err);
    int r = store_write_launch(&run->agent->names, text, err);
    return r < 0 ? r : record_write(run->agent, &run->machine->host, err);
}

static int do_remove_launch(struct run *run, struct error *err)
{
    int r = record_remove(&run->agent->names, err);
    return r < 0 ? r : store_remove_launch(&run->agent->names, err);
}

static int undo_write_launch(struct run *run, struct error *err)
{
    const char *earlier = run->observed->launch_text;
    return earlier ? store_write_launch(&run->agent->names, earlier, err) : do_remove_launch(run, err);
}

static int do_start_service(struct run *run, struct error *err)
{
    _cleanup_unit_ struct unit service = { 0 };
    int r = build_unit(run, unit_build_service, &service, err);
    if (r < 0)
        return r;
    run->service_tried = true;
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

// First what would bring processes back: a linger mark, a crontab. An agent whose UID is not known has none.
static int do_kill_processes(struct run *run, struct error *err)
{
    if (!run->agent->uid_reserved)
        return 0;
    int r = leftovers_remove(run->agent->names.user, err);
    return r < 0 ? r : account_kill_processes(run->agent->uid, err);
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
    bool undo_failed_step; // it may have got half-way; its undo is safe even if it has not begun
} functions[STEP_COUNT] = {
    [STEP_RESERVE_UID] = { do_reserve_uid, undo_reserve_uid, false },
    [STEP_WRITE_SPEC] = { do_write_spec, undo_write_spec, true },
    // Takes itself back, and only that knows whose account it met.
    [STEP_CREATE_ACCOUNT] = { do_create_account, do_remove_account, false },
    [STEP_MAKE_WORKSPACE] = { do_make_workspace, undo_make_workspace, true },
    [STEP_SET_LIMITS] = { do_set_limits, undo_set_limits, true },
    [STEP_INSTALL_RULES] = { do_install_rules, undo_install_rules, true },
    [STEP_START_SLICE] = { do_start_slice, do_stop_slice, true },
    [STEP_OPEN_LOOPBACK] = { do_install_rules, undo_open_loopback, true },
    [STEP_WRITE_LAUNCH] = { do_write_launch, undo_write_launch, true },
    [STEP_START_SERVICE] = { do_start_service, undo_start_service, true },
    [STEP_STOP_SERVICE] = { do_stop_service, NULL, false },
    [STEP_KILL_PROCESSES] = { do_kill_processes, NULL, false },
    [STEP_REMOVE_LAUNCH] = { do_remove_launch, NULL, false },
    [STEP_STOP_SLICE] = { do_stop_slice, NULL, false },
    [STEP_CLOSE_LOOPBACK] = { do_install_rules, NULL, false },
    [STEP_REMOVE_SPEC] = { do_remove_spec, NULL, false },
    [STEP_REMOVE_WORKSPACE] = { do_remove_workspace, NULL, false },
    [STEP_REMOVE_ACCOUNT] = { do_remove_account, NULL, false },
    [STEP_REMOVE_RULES] = { do_remove_rules, NULL, false },
    [STEP_RETIRE_UID] = { do_retire_uid, NULL, false },
};

// --- the run ---

static bool was_interrupted(const sigset_t *signals)
{
    const struct timespec now = { 0 };
    return sigtimedwait(signals, NULL, &now) > 0;
}

// An undo that fails is reported and does not stop the rest, but then spec and ledger keep naming the agent,
// so that a destroy can finish.
static void undo_step(struct run *run, const struct step *step, struct text *report)
{
    const struct step_row *row = &step_rows[step->kind];
    bool names_it = step->kind == STEP_WRITE_SPEC || step->kind == STEP_RESERVE_UID;
    if (!functions[step->kind].undo || (run->undo_failed && names_it))
        return;
    _cleanup_error_ struct error err = { 0 };
    text_add(report, report->length > 0 ? "; " : "");
    if (functions[step->kind].undo(run, &err) < 0) {
        run->undo_failed = true;
        text_addf(report, "could NOT undo '%s %s': %s", row->text, step->object, err.text);
        return;
    }
    text_addf(report, "%s %s", row->undo, step->object);
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
    size_t count = functions[step->kind].undo_failed_step && r != -EINTR ? failed + 1 : failed;
    for (size_t i = count; i-- > 0;)
        undo_step(run, &plan->steps[i], &undone);
    r = error_wrap(err, r, "agent %s: %s %s", run->agent->names.agent, step_rows[step->kind].text,
                   step->object);
    if (undone.length > 0)
        (void)error_add(err, err->class, "agent %s: undone: %s", run->agent->names.agent, undone.data);
    if (run->undo_failed)
        (void)error_add(err, err->class, "agent %s: 'agentctl destroy %s' removes what is left",
                        run->agent->names.agent, run->agent->names.agent);
    if (journal)
        add_lines(journal, err);
    return r;
}

// The signals that end a command, without those that the caller has it ignore.
static void interrupting_signals(sigset_t *ret)
{
    static const int signals[] = { SIGINT, SIGTERM, SIGHUP };
    (void)sigemptyset(ret);
    for (size_t i = 0; i < ARRAY_SIZE(signals); i++) {
        struct sigaction action;
        if (sigaction(signals[i], NULL, &action) == 0 && action.sa_handler != SIG_IGN)
            (void)sigaddset(ret, signals[i]);
    }
}

int apply_plan(struct machine *m, struct agent *a, const struct state *observed, const struct plan *plan,
               struct error *err)
{
    struct run run = {
        .machine = m, .agent = a, .observed = observed, .began_usec = clock_usec(CLOCK_REALTIME)
    };
    sigset_t signals;
    sigset_t earlier;
    interrupting_signals(&signals);
    if (sigprocmask(SIG_BLOCK, &signals, &earlier) < 0)
        return error_errno(err, errno, "cannot block signals");

    int r = 0;
    for (size_t i = 0; i < plan->count && r >= 0; i++) {
        r = was_interrupted(&signals) ? error_set(err, EINTR, "interrupted")
                                      : functions[plan->steps[i].kind].run(&run, err);
        if (r < 0)
            r = report_failure(&run, plan, i, r, err);
    }
    // What came too late, or while things were taken back, must not end the command before it has said so.
    while (was_interrupted(&signals))
        continue;
    (void)sigprocmask(SIG_SETMASK, &earlier, NULL);
    return r;
}
