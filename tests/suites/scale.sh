#!/bin/bash
# Twenty agents: what one look costs does not grow with them, a packet's way does not either, and all go again.
# shellcheck source=tests/suites/lib.sh
. "$(dirname "$0")/lib.sh"

count=20

bus_calls() { # COMMAND...: how many messages it sends over the bus
	strace -f -qq -e trace=sendmsg,sendto -o "$scratch/strace" "$@" >/dev/null
	grep -c . "$scratch/strace"
}

base_rules() { nft list table inet agentctl | awk '/chain (out|in|output|input)/ { on = 1 } /^\t}/ { on = 0 } on' | wc -l; }

need agentctl create a0 -- /bin/sleep 100000
need agentctl start a0
calls_for_one=$(bus_calls agentctl list)
rules_for_one=$(base_rules)

creates() {
	local i
	for ((i = 1; i < count; i++)); do
		agentctl create "a$i" -- /bin/sleep 100000
		agentctl start "a$i"
	done
	same $count "$(systemctl list-units --plain --no-legend --state=running 'agent-*.service' | wc -l)" "running agents"
	same $count "$(for ((i = 0; i < count; i++)); do uid_of "a$i"; done | sort -u | wc -l)" "different UIDs"
}

lists() {
	same $count "$(agentctl list --json=short | jq length)" "listed agents"
	same "$calls_for_one" "$(bus_calls agentctl list)" "messages on the bus"
}

rules_do_not_grow() {
	same "$rules_for_one" "$(base_rules)" "lines of the base chains"
	same $count "$(nft list table inet agentctl | grep -c 'chain agent-a')" chains
}

logs_of_several() {
	agentctl logs -n 5 a1 a2 a3
}

destroys() {
	local i uids=()
	for ((i = 0; i < count; i++)); do
		uids+=("$(uid_of "a$i")")
	done
	for ((i = 0; i < count; i++)); do
		agentctl destroy "a$i"
	done
	for ((i = 0; i < count; i++)); do
		no_process_of "${uids[i]}"
		[ ! -e "$workspaces/a$i" ] || fail "a$i is left"
	done
	lacks . "$(nft_table)"
	same 0 "$(agentctl list --json=short | jq length)" "listed agents"
}

check "$count agents run" creates
check "list costs the bus as much for $count agents as for one" lists
check "the base chains do not grow with the agents" rules_do_not_grow
check "logs of several agents" logs_of_several
check "all are destroyed, and nothing is left" destroys
suite_end
