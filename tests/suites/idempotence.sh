#!/bin/bash
# The same command again is an empty plan; --dry-run changes nothing; what was killed half-way is finished by the next.
# shellcheck source=tests/suites/lib.sh
. "$(dirname "$0")/lib.sh"

empty_plan() { # COMMAND...: says that there is nothing to do, and does nothing
	local said
	said=$(changes_nothing "$@" 2>&1 </dev/null)
	echo "$said"
	contains 'nothing to (do|change)|is (already|up to date)|already' "$said"
}

need agent_create one Resources.MemoryMax=256M Network.Egress=list 'Network.Allow=198.51.100.10:443'
uid=$(uid_of one)

# --- again ---------------------------------------------------------------------------------------------------------

check "create again with the same spec: nothing to do" empty_plan agentctl create one --file "$scratch/one.agent"
check "apply of what is there: nothing to do" empty_plan agentctl apply one

create_with_another_spec() {
	local said
	spec_write other Resources.MemoryMax=300M
	said=$(changes_nothing refused 1 agentctl create one --file "$scratch/other.agent") ||
		said=$(changes_nothing refused 2 agentctl create one --file "$scratch/other.agent")
	echo "$said"
	contains 'one' "$said"
}
check "create again with another spec: refused, nothing changes" create_with_another_spec

start_again() {
	local pid
	agent_start one
	pid=$(unit_property agent-one.service MainPID)
	empty_plan agentctl start one
	same "$pid" "$(unit_property agent-one.service MainPID)" "main PID"
}
check "start again: the same process goes on" start_again
check "apply of what runs: nothing to do" empty_plan agentctl apply one

apply_changes_what_runs() {
	local pid
	pid=$(unit_property agent-one.service MainPID)
	spec_write one Resources.MemoryMax=300M Network.Egress=list 'Network.Allow=198.51.100.10:80'
	cp "$scratch/one.agent" /etc/agentctl/agents/one.agent
	agentctl apply one
	same "$pid" "$(unit_property agent-one.service MainPID)" "main PID"
	same 314572800 "$(cat "$(cgroup_of one)/memory.max")" memory.max
	contains answered "$(inside one knock tcp 198.51.100.10 80)"
	lacks answered "$(inside one knock tcp 198.51.100.10 443)"
	empty_plan agentctl apply one
}
check "apply of a changed spec changes limits and rules of what runs" apply_changes_what_runs

apply_mends_drift() {
	nft flush ruleset
	chmod 0777 "$workspaces/one/work"
	agentctl apply one
	same 700 "$(stat -c %a "$workspaces/one/work")" "mode"
	contains "chain agent-one " "$(nft_table)"
	lacks answered "$(inside one knock tcp 203.0.113.5 80)"
	contains answered "$(inside one knock tcp 198.51.100.10 80)"
	empty_plan agentctl apply one
}
check "apply mends rules that were flushed and modes that were changed" apply_mends_drift

apply_from_a_file() {
	spec_write two Resources.MemoryMax=128M
	agentctl apply "$scratch/two.agent"
	id agent-two
	[ -e /etc/agentctl/agents/two.agent ] || fail "no spec"
	empty_plan agentctl apply "$scratch/two.agent"
	agentctl destroy two
}
check "apply of a file creates the agent that it describes" apply_from_a_file

stop_again() {
	agentctl stop one
	empty_plan agentctl stop one
}
check "stop again: nothing to do" stop_again

# --- --dry-run -----------------------------------------------------------------------------------------------------

dry() { # REGEX COMMAND...: prints a plan and changes nothing
	local regex=$1 said
	shift
	said=$(changes_nothing "$@" --dry-run 2>&1 </dev/null)
	echo "$said"
	contains "$regex" "$said"
}

spec_write new Resources.MemoryMax=64M
check "create --dry-run" dry 'agent-new' agentctl create new --file "$scratch/new.agent"
check "start --dry-run" dry 'agent-one.service' agentctl start one
need agent_start one
check "stop --dry-run" dry 'agent-one.service' agentctl stop one
check "restart --dry-run" dry 'agent-one.service' agentctl restart one
sed -i 's/^MemoryMax=.*/MemoryMax=200M/' /etc/agentctl/agents/one.agent
check "apply --dry-run" dry 'limit|agents-one.slice' agentctl apply one
check "destroy --dry-run" dry 'agent-one' agentctl destroy one
need agentctl destroy one

# --- again, when it is gone ----------------------------------------------------------------------------------------

check "destroy again: no such agent" changes_nothing refused 4 agentctl destroy one
check "nothing was left the first time" nothing_left one "$uid"

# --- killed half-way -----------------------------------------------------------------------------------------------

# MILLISECONDS COMMAND...: kills it (and its tools) after that time; 0 if it was still running.
kill_after() {
	local delay=$1 pid
	shift
	setsid "$@" >/dev/null 2>&1 </dev/null &
	pid=$!
	sleep "$((delay / 1000)).$(printf %03d $((delay % 1000)))"
	kill -KILL -- "-$pid" 2>/dev/null || kill -KILL "$pid" 2>/dev/null || true
	wait "$pid" 2>/dev/null || true
}

killed_create() { # MILLISECONDS
	spec_write half Resources.MemoryMax=64M
	kill_after "$1" agentctl create half --file "$scratch/half.agent"
	agentctl create half --file "$scratch/half.agent"
	id agent-half
	same "agent-half 700" "$(stat -c '%U %a' "$workspaces/half/work")" "work"
	empty_plan agentctl create half --file "$scratch/half.agent"
	local id
	id=$(uid_of half)
	agentctl destroy half
	nothing_left half "$id"
}

killed_start() { # MILLISECONDS
	agent_create half
	kill_after "$1" agentctl start half
	agent_start half
	same "pong" "$(inside half sh 'echo pong')" "answer"
	agentctl stop half
	local id
	id=$(uid_of half)
	agentctl destroy half
	nothing_left half "$id"
}

killed_destroy() { # MILLISECONDS
	local id again=0
	agent_up half
	id=$(uid_of half)
	kill_after "$1" agentctl destroy half
	agentctl destroy half || again=$?
	# It may have been quick enough, or have got so far that the agent is no longer one.
	[[ $again -eq 0 || $again -eq 4 ]] || fail "the second destroy ended with $again"
	nothing_left half "$id"
}

for delay in 50 150 300 500 800 1300; do
	check "create killed after $delay ms is finished by the next" killed_create $delay
done
for delay in 150 400 800; do
	check "start killed after $delay ms is finished by the next" killed_start $delay
done
for delay in 100 250 500 900 1500; do
	check "destroy killed after $delay ms is finished by the next" killed_destroy $delay
done

# --- one at a time -------------------------------------------------------------------------------------------------

one_at_a_time() {
	local name pids=() pid
	for name in p1 p2 p3 p4; do
		agentctl create $name -- /bin/true >"$scratch/$name.log" 2>&1 </dev/null &
		pids+=($!)
	done
	for pid in "${pids[@]}"; do
		wait "$pid" || { cat "$scratch"/p?.log; fail "one of four creates at the same time failed"; }
	done
	same 4 "$(for name in p1 p2 p3 p4; do uid_of $name; done | sort -u | wc -l)" "different UIDs"
	for name in p1 p2 p3 p4; do
		agentctl destroy $name
	done
}

says_who_holds_the_lock() {
	local said
	printf '[Host]\nLockTimeoutSec=1s\n' >/etc/agentctl/agentctl.conf
	exec 9>>/run/agentctl/lock
	flock -x 9
	said=$(refused 1 agentctl create late -- /bin/true) || { echo "$said"; rm /etc/agentctl/agentctl.conf; return 1; }
	rm /etc/agentctl/agentctl.conf
	echo "$said"
	contains 'lock|another|busy|in progress' "$said"
}

check "four creates at the same time: each waits for the other" one_at_a_time
check "who waits for the lock too long says so" says_who_holds_the_lock

suite_end
