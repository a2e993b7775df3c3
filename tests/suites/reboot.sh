#!/bin/bash
# After a reboot nothing is half-way: agents are stopped, their accounts and work are there, and start works again.
# shellcheck source=tests/suites/lib.sh
. "$(dirname "$0")/lib.sh"

notes=/var/lib/suite-reboot

case ${1:-} in
"")
	need agent_up one Resources.MemoryMax=128M Network.Egress=list Network.Allow=198.51.100.10:443
	need agent_create two
	need inside one sh 'echo kept >file; echo kept >~/file'
	need agentctl create retired -- /bin/true
	mkdir -p $notes
	uid_of one >$notes/uid
	uid_of retired >$notes/retired
	need agentctl destroy retired
	trap - EXIT
	sync
	echo "reboot again"
	exit 0
	;;
esac

is_stopped() {
	status_is 3 agentctl status one
	lacks . "$(systemctl list-units --all --plain --no-legend 'agent-*.service')"
	lacks . "$(processes_of "$(uid_of one)")"
	lacks . "$(find /run/agentctl/launch -type f 2>/dev/null)"
}

is_listed() {
	same 2 "$(agentctl list --json=short | jq length)" agents
	same "$(cat $notes/uid)" "$(uid_of one)" UID
	same kept "$(cat "$workspaces/one/work/file")" "the work"
}

starts() {
	agent_start one
	same kept "$(inside one sh 'cat ~/file')" "the home"
	contains answered "$(inside one knock tcp 198.51.100.10 443)"
	lacks answered "$(inside one knock tcp 198.51.100.10 80)"
	same 134217728 "$(cat "$(cgroup_of one)/memory.max")" memory.max
	inside one listen tcp 127.0.0.1 9001
	contains answered "$(inside one knock tcp 127.0.0.1 9001)"
}

old_logs() { contains 'inside: ready' "$(agentctl logs -n 100 one)"; }

never_again() {
	agentctl create new -- /bin/true
	[ "$(uid_of new)" != "$(cat $notes/retired)" ] || fail "a retired UID came back after a reboot"
	agentctl destroy new
}

destroys() {
	local uid
	uid=$(cat $notes/uid)
	agentctl destroy one
	agentctl destroy two
	nothing_left one "$uid"
}

check "after a reboot agents are stopped, and nothing is half-way" is_stopped
check "they are listed, with their accounts and their work" is_listed
check "start works again: rules, limits, own loopback" starts
check "logs are there" old_logs
check "a retired UID stays retired" never_again
check "destroy leaves nothing" destroys
rm -rf $notes
suite_end
