#!/bin/bash
# The main job, end to end: one agent from create to destroy, with the real agent program, and what is really on the
# machine at each point.
# shellcheck source=tests/suites/lib.sh
. "$(dirname "$0")/lib.sh"

agent=coder
spec_file=/etc/agentctl/agents/$agent.agent
directory=/var/lib/agents/coder

groupadd --system agent-operators
useradd --create-home --groups agent-operators olga
mkdir -p /etc/agentctl
printf '[Host]\nOperatorGroup=agent-operators\n' >/etc/agentctl/agentctl.conf

jq_true() { # JSON FILTER
	jq -e "$2" <<<"$1" >/dev/null || fail "not true: $2 in $1"
}

# --- create --------------------------------------------------------------------------------------------------------

create() {
	agentctl create $agent --template python --memory 512M --cpu 50% -- /usr/bin/python3 agent.py </dev/null
}

account_is_closed() {
	local entry uid
	entry=$(getent passwd agent-$agent)
	uid=$(cut -d: -f3 <<<"$entry")
	[[ $uid -ge 65536 && $uid -le 99999 ]] || fail "UID $uid"
	same "$uid" "$(cut -d: -f4 <<<"$entry")" "GID"
	same "$uid" "$(getent group agent-$agent | cut -d: -f3)" "GID of the group"
	contains '/(nologin|false)$' "$entry"
	contains '^agent-coder:[!*]+:' "$(getent shadow agent-$agent)"
	lacks "agent-coder|:$uid:" "$(cat /etc/subuid /etc/subgid 2>/dev/null)"
	same agent-$agent "$(id -Gn agent-$agent)" "groups"
	[ ! -e /var/lib/systemd/linger/agent-$agent ] || fail "the user lingers"
	[ ! -e /var/spool/mail/agent-$agent ] || fail "the user has a mailbox"
}

directories_are_closed() {
	same "root:root" "$(stat -c %U:%G "$workspaces")" "owner of $workspaces"
	same "root" "$(stat -c %U $directory)" "owner of $directory"
	lacks '[2367]$' "$(stat -c %a $directory)"
	same "agent-$agent:agent-$agent" "$(stat -c %U:%G $directory/home)" "owner of home"
	same "agent-$agent:agent-$agent" "$(stat -c %U:%G $directory/work)" "owner of work"
	setpriv --reuid agent-$agent --regid agent-$agent --clear-groups test -w $directory/work
	! setpriv --reuid agent-$agent --regid agent-$agent --clear-groups mkdir $directory/new 2>/dev/null ||
		fail "the agent can write beside home and work"
	! setpriv --reuid nobody --regid nogroup --clear-groups ls $directory/work 2>/dev/null || fail "anybody can look in"
}

operators_have_an_acl() {
	local name
	for name in home work; do
		contains '^group:agent-operators:rwx' "$(getfacl -p $directory/$name)"
		contains '^default:group:agent-operators:rwx' "$(getfacl -p $directory/$name)"
		contains '^other::---' "$(getfacl -p $directory/$name)"
	done
	runuser -u olga -- touch $directory/work/from-an-operator
	rm $directory/work/from-an-operator
}

spec_is_roots() {
	same "root:root 644" "$(stat -c '%U:%G %a' $spec_file)" "owner and mode"
	contains '^MemoryMax=512M$' "$(cat $spec_file)"
	contains '^CPUQuota=50%$' "$(cat $spec_file)"
	contains '^Template=python$' "$(cat $spec_file)"
	contains '^Command=/usr/bin/python3 agent.py$' "$(cat $spec_file)"
}

created_is_not_running() {
	local status
	same "" "$(systemctl list-units --all --plain --no-legend "agent-$agent.service")" "units"
	jq_true "$(agentctl list --json=short)" 'length == 1'
	status=$(status_is 3 agentctl status $agent)
	contains 'inactive|stopped|dead' "$status"
}

need create
uid=$(uid_of $agent)
check "create makes a closed account" account_is_closed
check "create makes closed directories" directories_are_closed
check "create gives the operators' group an ACL, for old and new files" operators_have_an_acl
check "create writes the spec, for root to change and all to read" spec_is_roots
check "a created agent is listed and does not run" created_is_not_running

# --- start ---------------------------------------------------------------------------------------------------------

install -o agent-$agent -g agent-$agent -m 0644 "$suites/../agent/agent.py" $directory/work/
jq '.api = "http://198.51.100.10/v1/ask"' "$suites/../agent/task.json" >$directory/work/task.json

unit_runs() {
	local pid
	unit_is agent-$agent.service active
	pid=$(unit_property agent-$agent.service MainPID)
	same "$uid $uid" "$(awk '/^[UG]id:/ { printf "%s%s", sep, $2; sep = " " }' "/proc/$pid/status")" "UID and GID"
	contains '/agents.slice/agents-coder.slice/agent-coder.service$' "$(cat "/proc/$pid/cgroup")"
	contains '^NoNewPrivs:[[:space:]]*1$' "$(cat "/proc/$pid/status")"
	contains '^Seccomp:[[:space:]]*2$' "$(cat "/proc/$pid/status")"
	contains '^CapBnd:[[:space:]]*0+$' "$(cat "/proc/$pid/status")"
	contains '^/usr/bin/python3 agent.py $' "$(tr '\0' ' ' <"/proc/$pid/cmdline")"
}

unit_is_hardened() {
	local unit=agent-$agent.service shown
	shown=$(systemctl show $unit)
	contains '^User=(agent-coder|'"$uid"')$' "$shown"
	contains '^NoNewPrivileges=yes$' "$shown"
	contains '^ProtectSystem=strict$' "$shown"
	contains '^ProtectHome=yes$' "$shown"
	contains '^PrivateTmp=yes$' "$shown"
	contains '^PrivateDevices=yes$' "$shown"
	contains '^ProtectKernelModules=yes$' "$shown"
	contains '^RestrictSUIDSGID=yes$' "$shown"
	contains '^MemoryDenyWriteExecute=no$' "$shown"
	same "" "$(unit_property $unit CapabilityBoundingSet)" CapabilityBoundingSet
	contains '^SystemCallArchitectures=native$' "$shown"
	contains '^IPAddressDeny=.*169\.254\.0\.0/16' "$shown"
	contains '^SystemCallFilter=.*openat' "$shown"
	lacks '^SystemCallFilter=.*io_uring' "$shown"
}

limits_are_on_the_slice() {
	local slice=agents-$agent.slice
	same 536870912 "$(unit_property $slice MemoryMax)" MemoryMax
	same 500ms "$(unit_property $slice CPUQuotaPerSecUSec)" CPUQuota
	same 536870912 "$(cat "$(cgroup_of $agent)/memory.max")" memory.max
	contains '^50000 100000$|^500000 1000000$' "$(cat "$(cgroup_of $agent)/cpu.max")"
	[ "$(cat "$(cgroup_of $agent)/pids.max")" != max ] || fail "no limit of tasks"
}

rules_are_there() {
	local table
	table=$(nft_table)
	contains "chain agent-$agent " "$table"
	contains "(^|[^0-9])$uid :" "$table"
}

agent_works() {
	wait_for 300 test -e $directory/work/results.json
	local results
	results=$(cat $directory/work/results.json)
	jq_true "$results" '.failed == []'
	jq_true "$results" '.inspect.user == "agent-coder" and .inspect.home == "/var/lib/agents/coder/home"'
	jq_true "$results" '.inspect.directory == "/var/lib/agents/coder/work"'
	jq_true "$results" '.compile == 2262 and .serve == "served /hello"'
	jq_true "$results" '.api | startswith("echo 198.51.100.10 80")'
	jq_true "$results" '.forbidden.outcome != "connected" and .forbidden.milliseconds < 1000'
	same 0 "$(internet count 169.254.169.254)" "packets at the metadata address"
	[ -e $directory/home/memory.sqlite ] || fail "no memory at home"
}

logs_tell() {
	local logs
	logs=$(agentctl logs $agent)
	contains 'built primes.c and ran it: 2262 primes' "$logs"
	contains '169.254.169.254 port 80: refused' "$logs"
	same "done: results.json written, 0 steps failed" "$(agentctl logs -n 1 -o cat $agent)" "last line"
	agentctl logs -n 1 -o json $agent | jq -e '.MESSAGE or .message' >/dev/null
	contains 'results.json written' "$(journalctl --no-pager -u agent-$agent.service)"
}

follow_follows() {
	agentctl logs -f -n 1 $agent >"$scratch/followed" &
	local follower=$!
	wait_for 60 grep -q results.json "$scratch/followed"
	kill -INT $follower
	wait $follower || [ $? -eq 130 ]
}

status_tells() {
	local text json
	text=$(agentctl status $agent)
	contains "$(unit_property agent-$agent.service MainPID)" "$text"
	contains 'standard' "$text"
	contains '512' "$text"
	json=$(agentctl status --json=short $agent)
	echo "$json"
	jq_true "$json" '.[0] | .name == "coder" and .state == "running" and .mode == "standard" and .egress == "public"'
	jq_true "$json" '.[0].limits | .MemoryMax.kernel == 536870912 and .CPUQuota.kernel == 50 and all(.[]; .same)'
	jq_true "$json" '.[0] | .main_pid > 1 and .usage.tasks > 0 and .usage.memory_bytes > 0 and .usage.cpu_usec > 0'
	jq_true "$json" '.[0] | .rules == "in-force" and .network.accepted.packets > 0 and .network.refused.packets > 0'
}

list_tells() {
	contains 'coder' "$(agentctl list)"
	jq_true "$(agentctl list --json=short)" '.[0].name == "coder"'
	lacks 'agents listed|NAME' "$(agentctl list --no-legend)"
	# Somebody without any privilege may look, too.
	contains 'coder' "$(runuser -u olga -- agentctl list)"
	jq_true "$(runuser -u olga -- agentctl status --json=short coder)" '.[0].state == "running"'
}

shown_unit_is_what_runs() {
	local text key value running
	text=$(agentctl show --unit $agent)
	contains '^\[Service\]$' "$text"
	contains '^NoNewPrivileges=(yes|true|1)$' "$text"
	for key in ProtectSystem ProtectHome KeyringMode UMask ProtectProc; do
		value=$(sed -n "s/^$key=//p" <<<"$text")
		running=$(unit_property agent-$agent.service $key)
		same "$running" "$value" $key
	done
}

shown_rules_are_in_the_kernel() {
	local line
	while IFS= read -r line; do
		[[ $line == *accept* || $line == *reject* ]] || continue
		grep -qF "$(sed 's/counter.*//; s/^[[:space:]]*//; s/[[:space:]]*$//' <<<"$line")" <<<"$(nft list chain inet agentctl agent-$agent)" ||
			fail "not in the kernel: $line"
	done <<<"$(agentctl show --nft $agent)"
}

shown_spec_is_the_file() {
	contains '^MemoryMax=512M$' "$(agentctl show --spec $agent)"
}

need agentctl start $agent
check "start runs the command as the agent's user, in its slice, without privileges" unit_runs
check "the unit has the mode's hardening" unit_is_hardened
check "the limits are on the slice, and in the kernel" limits_are_on_the_slice
check "the agent has its chain and its element" rules_are_there
check "the agent works: tools, compiler, own server, API, and is refused the metadata address" agent_works
check "logs shows the agent's lines in every format" logs_tell
check "logs -f follows and ends on a signal" follow_follows
check "status shows pid, mode, limits" status_tells
check "list shows the agent, to users as well" list_tells
check "show --unit is the unit that runs" shown_unit_is_what_runs
check "show --nft is in the kernel" shown_rules_are_in_the_kernel
check "show --spec is the spec" shown_spec_is_the_file

# --- restart and stop ----------------------------------------------------------------------------------------------

restarts() {
	local before
	before=$(unit_property agent-$agent.service MainPID)
	rm $directory/work/results.json
	agentctl restart $agent
	[ "$before" != "$(unit_property agent-$agent.service MainPID)" ] || fail "the same process"
	wait_for 300 test -e $directory/work/results.json
	jq_true "$(cat $directory/work/results.json)" '.run == 2'
	contains 'I remember: the last run finished at' "$(agentctl logs $agent)"
}

stops() {
	agentctl stop $agent
	lacks . "$(systemctl list-units --all --plain --no-legend "agent-$agent.service")"
	no_process_of "$uid"
	[ ! -e /run/agentctl/launch/$agent ] || fail "the launch file is left"
	[ ! -e "$(cgroup_of $agent)" ] || fail "the slice is left"
	[ -e $directory/work/results.json ] || fail "the work is gone"
	id agent-$agent
	status_is 3 agentctl status $agent
}

restarts_and_stops_with_escapees() {
	# A process that leaves its session and its parent, and ignores SIGTERM, dies with the agent.
	cat >$directory/work/agent.py <<-'END'
		import os, signal, sys, time
		signal.signal(signal.SIGTERM, signal.SIG_IGN)
		if os.fork() == 0:
		    os.setsid()
		    if os.fork() == 0:
		        open("escaped", "w").write("yes")
		        time.sleep(100000)
		    os._exit(0)
		signal.signal(signal.SIGTERM, signal.SIG_DFL)
		time.sleep(100000)
	END
	agentctl start $agent
	wait_for 60 test -e $directory/work/escaped
	[ "$(processes_of "$uid" | wc -l)" -ge 2 ] || fail "the test is broken: nothing has escaped"
	agentctl stop $agent
	no_process_of "$uid"
}

kills_what_is_outside_the_unit() {
	# A process of the user that no unit of the agent holds (as cron would make one) dies as well.
	agentctl start $agent
	setpriv --reuid "$uid" --regid "$uid" --clear-groups setsid sleep 100000 >/dev/null 2>&1 &
	wait_for 20 pgrep -u "$uid" -x sleep
	agentctl stop $agent
	no_process_of "$uid"
}

check "restart is a new process with the old home" restarts
check "stop ends everything that runs and keeps everything that is stored" stops
check "stop kills what left its session and ignores signals" restarts_and_stops_with_escapees
check "stop kills processes of the user outside the unit" kills_what_is_outside_the_unit

# --- destroy -------------------------------------------------------------------------------------------------------

hostile_files() {
	local work=/var/lib/agents/coder/work
	ln -s /etc $work/etc
	ln /etc/hostname $work/hard 2>/dev/null || true
	mkdir -p $work/deep
	python3 - $work/deep <<-'END'
		import os, sys
		os.chdir(sys.argv[1])
		for _ in range(1500):
		    os.mkdir("d")
		    os.chdir("d")
	END
	chown -hR agent-$agent:agent-$agent $work/deep $work/etc
}

destroys() {
	local before
	before=$(sha256sum /etc/hostname)
	agentctl destroy $agent
	same "$before" "$(sha256sum /etc/hostname)" "a file that was hard-linked"
	[ -d /etc/agentctl ] || fail "a symbolic link was followed"
	nothing_left $agent "$uid"
}

table_is_gone() {
	lacks . "$(nft_table)"
	lacks 'agent' "$(systemctl list-units --all --plain --no-legend 'agents-*.slice')"
}

uid_is_retired() {
	agentctl create other -- /bin/true
	[ "$(uid_of other)" != "$uid" ] || fail "the UID came back"
	agentctl destroy other
}

need agentctl start $agent
hostile_files
check "destroy leaves nothing, not even of a deep and hostile tree" destroys
check "the table goes with the last agent" table_is_gone
check "the UID is never given out again" uid_is_retired
check "status of a destroyed agent: no such agent" status_is 4 agentctl status $agent

rm -f /etc/agentctl/agentctl.conf
suite_end
