#!/bin/bash
# Looking: list, status, logs and show say what is, to whoever asks, and nothing that an agent writes deceives the reader or
# the terminal.
# shellcheck source=tests/suites/lib.sh
. "$(dirname "$0")/lib.sh"

useradd --create-home person

jq_true() { # JSON FILTER
	jq -e "$2" <<<"$1" >/dev/null || fail "not true: $2 in $1"
}

as_person() {
	setpriv --reuid person --regid person --clear-groups "$@"
}

# COMMAND...: its output as a terminal gets it.
on_terminal() {
	script --quiet --return --command "${*@Q}" /dev/null </dev/null
}

once() { # NAME STATUS-OR-SIGNAL...: an agent that ends as the shell script says, and is not started again
	local name=$1 script=$2
	shift 2
	mkdir -p /opt/looking
	echo "$script" >"/opt/looking/$name"
	agentctl create "$name" --set Service.Restart=no "$@" -- /bin/sh "/opt/looking/$name" </dev/null
	agentctl start "$name" </dev/null || true
	wait_for 60 is_not_active "$name"
}

is_not_active() {
	! unit_is "agent-$1.service" active && ! unit_is "agent-$1.service" activating
}

need agent_up writer Agent.Mode=minimal Resources.MemoryMax=256M
need agent_up other

# --- how agents ended ----------------------------------------------------------------------------------------------

last_exit() { # NAME
	agentctl status --json=short "$1" | jq -r '.[0].last_exit.text'
}

exits_are_told() {
	once seven 'sleep 1; exit 7'
	same "exited, status 7" "$(last_exit seven)"
	once shot 'sleep 1; kill -9 $$'
	same "killed by signal 9 (KILL)" "$(last_exit shot)"
	once good 'sleep 1; exit 0'
	same "success" "$(last_exit good)"
	once late 'sleep 1000' --runtime-max 3s
	same "timeout" "$(last_exit late)"
	contains 'Last exit: exited, status 7' "$(agentctl status seven || true)"
}

failed_is_told_to_anybody() {
	contains 'State: failed' "$(as_person agentctl status seven || true)"
	contains 'Last exit: exited, status 7' "$(as_person agentctl status seven || true)"
}

states_are_told() {
	local list
	list=$(agentctl list --json=short)
	jq_true "$list" 'map({(.name): .state}) | add | . == {good: "stopped", late: "failed", other: "running", seven: "failed",
		shot: "failed", writer: "running"}'
	jq_true "$list" '.[] | select(.name == "good") | .main_pid == null and .since_usec == null'
	jq_true "$list" '.[] | select(.name == "other") | (.since_usec / 1000000 - now | fabs) < 600'
	same "$(unit_property agent-other.service MainPID)" "$(jq '.[] | select(.name == "other").main_pid' <<<"$list")" "main PID"
}

check "status tells how each agent ended" exits_are_told
check "status tells that to those who may not read the journal, too" failed_is_told_to_anybody
check "list tells each agent's state" states_are_told

# --- what is broken or half there ----------------------------------------------------------------------------------

broken_spec_is_listed() {
	cp /etc/agentctl/agents/good.agent "$scratch/good.agent"
	printf '[Agent]\nNonsense=1\n' >/etc/agentctl/agents/good.agent
	contains '^good +stopped +- +- ' "$(agentctl list)"
	contains 'Problem: .*good.agent:2: \[Agent\] Nonsense=' "$(agentctl status good || true)"
	jq_true "$(agentctl list --json=short good)" '.[0] | .mode == null and .egress == null'
	contains 'Nonsense' "$(status_is 2 agentctl show good)"
	cp "$scratch/good.agent" /etc/agentctl/agents/good.agent
	status_is 0 agentctl show good
}

incomplete_is_listed() {
	userdel agent-good
	contains '^good +incomplete' "$(agentctl list)"
	status_is 3 agentctl status good
	agentctl apply good
	contains '^good +stopped' "$(agentctl list)"
}

check "an agent with a broken spec is listed, and its status says what is wrong" broken_spec_is_listed
check "an agent without its user is listed as incomplete" incomplete_is_listed

# --- what differs --------------------------------------------------------------------------------------------------

changed_limit_is_shown() {
	systemctl set-property --runtime "agents-other.slice" TasksMax=99
	contains 'TasksMax 512 \(kernel: 99\)' "$(agentctl status other)"
	jq_true "$(agentctl status --json=short other)" '.[0].limits.TasksMax | .same == false and .kernel == 99'
	systemctl set-property --runtime "agents-other.slice" TasksMax=512
}

removed_rules_are_shown() {
	nft flush chain inet agentctl agent-other
	jq_true "$(agentctl status --json=short other)" '.[0].rules == "different"'
	contains 'RULES DIFFER' "$(agentctl status other)"
	agentctl apply other
	jq_true "$(agentctl status --json=short other)" '.[0].rules == "in-force"'
}

check "a limit that the kernel holds differently is shown" changed_limit_is_shown
check "rules that somebody changed are shown" removed_rules_are_shown

# --- exit status ---------------------------------------------------------------------------------------------------

statuses() {
	status_is 0 agentctl status other writer
	status_is 3 agentctl status other seven
	status_is 0 agentctl status
	contains 'did you mean other' "$(status_is 4 agentctl status othre seven)"
	same "" "$(status_is 3 agentctl status --quiet seven)"
	same "" "$(status_is 0 agentctl status --quiet other)"
	status_is 4 agentctl list othre
	status_is 4 agentctl logs othre
	status_is 4 agentctl show othre
}

check "exit statuses: running, not running, no such agent" statuses

# --- logs ----------------------------------------------------------------------------------------------------------

say() { # NAME PYTHON-BYTES: writes a line to the agent's standard output
	inside "$1" py "import os; os.write(1, $2 + b'\\n')"
}

said() { # NAME TEXT: the journal has it
	agentctl logs -o cat "$1" | grep -qaF -- "$2"
}

forged_fields_are_not_believed() {
	inside writer py 'import socket; socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM).sendto(
    b"MESSAGE=forged by another\n_SYSTEMD_UNIT=agent-other.service\nUNIT=agent-other.service\n_PID=1\n"
    b"SYSLOG_IDENTIFIER=systemd\nMESSAGE_ID=d9b373ed55a64feb8242e02dbe79a49c\nUNIT_RESULT=oom-kill\n",
    "/run/systemd/journal/socket")'
	wait_for 60 said writer 'forged by another'
	lacks 'forged' "$(agentctl logs other)"
	contains 'other: forged|writer python3\[[0-9]+\]: forged' "$(agentctl logs writer other)"
	jq_true "$(agentctl logs -o json writer other | grep forged)" '.agent == "writer" and .source == "agent"'
	lacks 'oom-kill' "$(agentctl status --json=short other)"
}

terminal_is_safe() {
	local escape=$'\e' shown
	say writer 'b"\x1b]0;owned\x07 \x1b[31mred\x1b[0m \xc2\x9b2J \xff done: escapes"'
	wait_for 60 said writer 'done: escapes'
	for format in short cat; do
		shown=$(on_terminal agentctl logs -n 1 -o $format writer)
		contains 'x1b\]0;owned\\x07 red \\xc2\\x9b2J \\xff done: escapes' "$shown"
		lacks "$escape" "$shown"
	done
	for command in "logs -n 1 -o json writer" "logs -n 1 --json=pretty writer" "status -n 1 writer"; do
		# shellcheck disable=SC2086 # words
		shown=$(on_terminal agentctl $command)
		contains 'done: escapes' "$shown"
		lacks "$escape|"$'\xc2\x9b' "$shown"
	done
}

bytes_are_kept() {
	say writer 'b"\x1b[31m \xff \\n bytes"'
	wait_for 60 said writer 'bytes'
	same "1b 5b 33 31 6d 20 ff 20 5c 6e 20 62 79 74 65 73 0a" "$(agentctl logs -n 1 -o cat writer | od -An -tx1 | tr -s ' \n' ' ' |
		sed 's/^ //; s/ $//')"
	same '"\u001b[31m \ufffd \\n bytes"' "$(agentctl logs -n 1 -o json writer | jq -a .message | sed 's/\\u001B/\\u001b/')"
}

lines_cannot_be_forged() {
	inside writer py 'import socket; m = b"first\nJan 01 00:00:00 other systemd[1]: second"
socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM).sendto(
    b"MESSAGE\n" + len(m).to_bytes(8, "little") + m + b"\n", "/run/systemd/journal/socket")'
	wait_for 60 said writer 'second'
	contains '^ +Jan 01 00:00:00 other systemd' "$(agentctl logs -n 1 writer)"
	same 1 "$(agentctl logs -n 1 -o json writer | wc -l)" "lines of JSON"
}

interleaved() {
	say writer 'b"turn 1"'
	wait_for 60 said writer 'turn 1'
	say other 'b"turn 2"'
	wait_for 60 said other 'turn 2'
	say writer 'b"turn 3"'
	wait_for 60 said writer 'turn 3'
	same "writer:turn 1 other:turn 2 writer:turn 3 " "$(agentctl logs -n 3 -o json other writer |
		jq -r '.agent + ":" + .message' | tr '\n' ' ')"
}

entries() { # ARGUMENT...: how many entries the agent's log has
	agentctl logs -o json "$@" writer | wc -l
}

lines_and_times() {
	local all
	all=$(entries)
	[ "$all" -gt 3 ] || fail "only $all lines"
	same 2 "$(entries -n 2)"
	same 0 "$(entries -n 0)"
	same "$all" "$(entries -n all)"
	same "$all" "$(entries -n 100000)"
	same "$all" "$(entries --since=-1h)"
	same 0 "$(entries --until=-1h)"
	same 0 "$(entries --since=+1h)"
	same 1 "$(entries -n 1 --since=-1h --until=now)"
	same "$all" "$(entries -n all --since=yesterday --until=tomorrow)"
}

# NAME: follows its log into $scratch/follow; $follower is the process, which does not outlive the check.
follow() {
	# bash lets background jobs ignore SIGINT, hence env
	env --default-signal=INT agentctl logs -f -n 0 -o cat "$1" >"$scratch/follow" 2>&1 &
	follower=$!
	trap 'kill -KILL $follower 2>/dev/null || true' EXIT
	wait_for 60 grep -q poll "/proc/$follower/wchan"
}

follow_ends() { # SIGNAL
	follow writer
	say writer 'b"followed '"$1"'"'
	wait_for 60 grep -q "followed $1" "$scratch/follow"
	kill "-$1" "$follower"
	wait "$follower"
}

follow_ends_with_the_reader() {
	agentctl logs -f -n 1 -o cat writer | head -n 1 >/dev/null
}

follow_goes_over_restarts() {
	follow other
	agentctl restart other </dev/null
	wait_for 60 grep -q '^Stopp' "$scratch/follow"
	wait_for 60 grep -q 'inside: ready' "$scratch/follow"
	kill "$follower"
	wait "$follower"
}

journal_is_closed() {
	contains 'systemd-journal' "$(refused 1 as_person agentctl logs other)"
	contains 'inside: ready' "$(setpriv --reuid person --regid person --groups systemd-journal agentctl logs other)"
}

agent_sees_no_other_log() {
	lacks 'turn 1' "$(inside other sh 'agentctl logs writer 2>&1 || true')"
}

check "an agent cannot write into another one's log, nor speak as systemd" forged_fields_are_not_believed
check "nothing that an agent writes reaches a terminal raw" terminal_is_safe
check "cat gives a pipe the very bytes, JSON the same text" bytes_are_kept
check "a message of several lines cannot pretend to be another entry" lines_cannot_be_forged
check "several agents' entries come in the order of time" interleaved
check "-n, --since and --until choose what they say" lines_and_times
check "-f shows what is new, and SIGINT ends it well" follow_ends INT
check "-f shows what is new, and SIGTERM ends it well" follow_ends TERM
check "-f ends when nobody reads any more" follow_ends_with_the_reader
check "-f goes on over a restart" follow_goes_over_restarts
check "logs are for root and the group systemd-journal, and others hear that" journal_is_closed
check "an agent does not read another one's log" agent_sees_no_other_log

# --- for anybody, and for machines ---------------------------------------------------------------------------------

anybody_may_look() {
	contains '^other +running +standard +public .* -$' "$(as_person agentctl list)"
	contains 'counters need root' "$(as_person agentctl status other)"
	jq_true "$(as_person agentctl status --json=short other)" '.[0] | .network == null and .rules == "unknown" and .usage.tasks > 0'
	contains '^ProtectSystem=strict$' "$(as_person agentctl show --unit other)"
	contains 'chain agent-other' "$(as_person agentctl show --nft other)"
	contains '^\[Service\]$' "$(as_person agentctl show other)"
}

json_is_documented() {
	local page key
	page=$(find /usr/local/share/man /usr/share/man -name agentctl.1)
	for key in $({
		agentctl status -n 1 --json=short other | jq -r '.[0] | keys[], (.usage, .network, .last_exit, .absent[0], .log[0],
			(.limits | .[])) | if type == "object" then keys[] else empty end'
		agentctl status -n 1 --json=short other | jq -r '.[0] | keys[]'
		agentctl show --json=short other | jq -r 'keys[]'
		agentctl start --dry-run --json=short seven | jq -r '.[] | keys[], (.steps[0] | keys[])'
	} | sort -u); do
		sed 's/\\f.//g; s/\\//g' "$page" | grep -qw "$key" || fail "agentctl(1) does not have $key"
	done
}

json_has_one_shape() {
	# A stopped and a running agent have the same keys.
	same "$(agentctl status --json=short other | jq -c '.[0] | keys')" "$(agentctl status --json=short seven | jq -c '.[0] | keys')"
	same 1 "$(agentctl status --json=short | wc -l)" "lines of --json=short"
	[ "$(agentctl status --json=pretty | wc -l)" -gt 50 ] || fail "--json=pretty is not indented"
	same 6 "$(agentctl status --json=pretty | jq length)" agents
}

unrestricted_is_marked() {
	agentctl create wild --mode unrestricted -- /bin/sleep 1000 </dev/null
	contains '^wild +stopped +unrestricted! ' "$(agentctl list)"
	contains 'no isolation' "$(agentctl list)"
	contains 'NO ISOLATION' "$(agentctl status wild || true)"
	jq_true "$(agentctl list --json=short wild)" '.[0].unrestricted'
}

legend_is_optional() {
	same "$(agentctl list | grep -c '^other ')" "$(agentctl list --no-legend | grep -c '^other ')"
	same "$(agentctl list --json=short | jq length)" "$(agentctl list --no-legend | wc -l)" lines
}

check "anybody may list, read a status and see what an agent is configured with" anybody_may_look
check "every key of the JSON is in the manual" json_is_documented
check "the JSON has one shape" json_has_one_shape
check "an agent without isolation is marked wherever it is listed" unrestricted_is_marked
check "--no-legend leaves the rows alone" legend_is_optional

rm -rf /opt/looking
suite_end
