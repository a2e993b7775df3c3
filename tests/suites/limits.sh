#!/bin/bash
# Limits are kept: memory, tasks, CPU; and what one agent does is no other agent's trouble.
# shellcheck source=tests/suites/lib.sh
. "$(dirname "$0")/lib.sh"

need agent_up neighbour Resources.MemoryMax=128M
need agent_up hog Resources.MemoryMax=96M Resources.MemorySwapMax=0 Service.Restart=no
need agent_up forker Resources.TasksMax=40
need agent_up burner Resources.CPUQuota=20%

in_the_kernel() {
	same 100663296 "$(cat "$(cgroup_of hog)/memory.max")" memory.max
	same 0 "$(cat "$(cgroup_of hog)/memory.swap.max")" memory.swap.max
	same 40 "$(cat "$(cgroup_of forker)/pids.max")" pids.max
	contains '^20000 100000$|^200000 1000000$' "$(cat "$(cgroup_of burner)/cpu.max")"
}

neighbour_lives() {
	same "$(unit_property agent-neighbour.service MainPID)" "$neighbour_pid" "main PID"
	same "pong" "$(inside neighbour sh 'echo pong')" "answer"
}
neighbour_pid=$(unit_property agent-neighbour.service MainPID)

memory_hog_dies_alone() {
	local before
	before=$(systemctl list-units --plain --no-legend --state=failed | wc -l)
	# It touches every page that it asks for, and never answers.
	inside hog py 'import mmap
m = mmap.mmap(-1, 1 << 30)
for i in range(0, 1 << 30, 4096):
    m[i] = 1' >/dev/null 2>&1 &
	local asker=$!
	wait_for 120 hog_is_dead
	kill $asker 2>/dev/null || true
	contains '[Oo][Oo][Mm]' "$(agentctl status hog || true)"
	neighbour_lives
	systemctl is-active test-agent.service
}
hog_is_dead() { unit_is agent-hog.service failed || unit_is agent-hog.service inactive; }

starts_again_after_oom() {
	agent_start hog
	same "pong" "$(inside hog sh 'echo pong')" "answer"
}

fork_bomb_is_bounded() {
	local said peak
	said=$(inside forker py 'import subprocess, time
children = []
try:
    while len(children) < 500:
        pid = os.fork()
        if pid == 0:
            time.sleep(100000)
            os._exit(0)
        children.append(pid)
except OSError as error:
    print("stopped", len(children), error.errno)')
	echo "$said"
	contains '^stopped [0-9]+ 11$' "$said"
	peak=$(cat "$(cgroup_of forker)/pids.current")
	[ "$peak" -le 40 ] || fail "$peak tasks"
	neighbour_lives
	agentctl stop forker
	no_process_of "$(uid_of forker)"
}

# The quota holds over all processes of the agent together, whatever the number of CPUs: measured in cpu.stat.
quota_is_kept() {
	local stat share start_usage start_time usage time
	stat=$(cgroup_of burner)/cpu.stat
	inside burner sh 'for _ in 1 2 3; do (while :; do :; done) >/dev/null 2>&1 & done'
	sleep 1
	start_usage=$(awk '$1 == "usage_usec" { print $2 }' "$stat")
	start_time=${EPOCHREALTIME/./}
	sleep 8
	usage=$(awk '$1 == "usage_usec" { print $2 }' "$stat")
	time=${EPOCHREALTIME/./}
	share=$(((usage - start_usage) * 1000 / (time - start_time)))
	echo "used $share per mille of one CPU"
	[[ $share -ge 180 && $share -le 220 ]] || fail "$share per mille is not within 10 % of 200"
}

status_shows_what_is_used() {
	local json
	json=$(agentctl status --json=short neighbour)
	echo "$json"
	jq -e '.[0] | .limits.MemoryMax.kernel == 134217728 and .usage.memory_bytes > 0 and .usage.memory_peak_bytes > 0' <<<"$json"
	contains '128' "$(agentctl status neighbour)"
}

survives_daemon_reload() {
	systemctl daemon-reload
	in_the_kernel_of_neighbour
}
in_the_kernel_of_neighbour() { same 134217728 "$(cat "$(cgroup_of neighbour)/memory.max")" memory.max; }

check "limits are in the kernel, on the slice" in_the_kernel
check "a memory hog is killed alone, and status says so" memory_hog_dies_alone
check "an agent that ran out of memory starts again" starts_again_after_oom
check "a fork bomb stops at TasksMax and ends with the agent" fork_bomb_is_bounded
check "CPUQuota=20% is kept within a tenth" quota_is_kept
check "status shows limits and use" status_shows_what_is_used
check "limits survive daemon-reload" survives_daemon_reload

defaults_are_bounded() {
	agent_up plain
	[ "$(cat "$(cgroup_of plain)/pids.max")" != max ] || fail "tasks are unbounded by default"
	[ "$(cat "$(cgroup_of plain)/memory.max")" != max ] || fail "memory is unbounded by default"
}
check "an agent without a word about limits has some" defaults_are_bounded

restart_is_bounded() {
	agent_create failing 'Service.Command=/bin/false' Service.Restart=always Service.RestartSec=100ms \
		Service.StartLimitBurst=3 Service.StartLimitIntervalSec=1h
	agentctl start failing || true
	wait_for 120 unit_is agent-failing.service failed
	[ "$(unit_property agent-failing.service NRestarts)" -le 3 ] || fail "too many restarts"
	contains 'fail|exit|start-limit' "$(agentctl status failing || true)"
	agentctl stop failing
}
check "Restart=always of a failing command ends after StartLimitBurst" restart_is_bounded

runtime_is_bounded() {
	agent_create short Service.RuntimeMaxSec=2s Service.Restart=no
	agentctl start short
	wait_for 60 unit_is agent-short.service failed
	same timeout "$(unit_property agent-short.service Result)" result
}
check "RuntimeMaxSec= ends the agent" runtime_is_bounded

suite_end
