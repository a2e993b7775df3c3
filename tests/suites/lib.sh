# shellcheck shell=bash
# What every suite uses: results, waiting for events, agents to look out of, and what the machine looks like.
# A suite sources this file, runs its checks, and ends with `suite_end`. It runs as root in the guest, where agentctl is
# installed; it leaves no agent behind, and must not depend on another suite.
#
#   check NAME COMMAND...   runs COMMAND (a function here, mostly) in a subshell with set -e; prints ok or not ok
#   skip NAME REASON        says aloud that something could not be tested

set -u
shopt -s nullglob
export LC_ALL=C.UTF-8 PYTHONDONTWRITEBYTECODE=1

suites=$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")
workspaces=/var/lib/agents
scratch=$(mktemp -d /tmp/suite.XXXXXX)
results=0
inside_command=(/usr/bin/python3 inside.py)

# --- results -------------------------------------------------------------------------------------------------------

check() {
	local name=$1 output status
	shift
	# No condition around the subshell: bash would ignore set -e in it.
	output=$(set -e; "$@" 2>&1 </dev/null)
	status=$?
	results=$((results + 1))
	if [ "$status" -eq 0 ]; then
		echo "ok - $name"
	else
		echo "not ok - $name"
		echo "# $* ended with status $status"
		[ -z "$output" ] || echo "# ${output//$'\n'/$'\n'# }"
	fi
}

skip() {
	results=$((results + 1))
	echo "skip - $1: $2"
}

# Sets the scene: what must work before anything can be checked. Failing ends the suite.
need() {
	local output
	if ! output=$("$@" 2>&1); then
		results=$((results + 1))
		echo "not ok - the scene: $*"
		echo "# ${output//$'\n'/$'\n'# }"
		suite_end
	fi
}

suite_end() {
	suite_cleanup
	echo "done $results"
	exit 0
}

suite_cleanup() {
	local spec
	for spec in /etc/agentctl/agents/*.agent; do
		spec=${spec##*/}
		agentctl destroy "${spec%.agent}" >/dev/null 2>&1 </dev/null
	done
	rm -rf "$scratch"
	# Suites may share a guest: neither their people nor their rules stay.
	userdel --remove person 2>/dev/null
	userdel --remove olga 2>/dev/null
	groupdel agent-operators 2>/dev/null
	rm -f /etc/agentctl/agentctl.conf
	return 0
}

# --- expectations (for use inside checks) --------------------------------------------------------------------------

fail() {
	echo "$*"
	return 1
}

same() { # WANTED GOT [WHAT]
	[ "$1" = "$2" ] || fail "${3:-value}: expected '$1', got '$2'"
}

contains() { # REGEX TEXT
	grep -qE -- "$1" <<<"$2" || fail "expected something matching '$1' in:"$'\n'"$2"
}

lacks() { # REGEX TEXT
	! grep -qE -- "$1" <<<"$2" || fail "expected nothing matching '$1' in:"$'\n'"$2"
}

# STATUS COMMAND...: the command must end with that status. What it said is printed, both outputs together.
status_is() {
	local want=$1 got=0
	shift
	"$@" 2>&1 </dev/null || got=$?
	[ "$got" -eq "$want" ] || fail "expected status $want, got $got: $*"
}

# One line on standard error that begins with "agentctl: ", nothing on standard output, and that status; prints the line.
refused() { # STATUS COMMAND...
	local want=$1 got=0 out err
	shift
	out=$("$@" 2>"$scratch/refused" </dev/null) || got=$?
	err=$(cat "$scratch/refused")
	echo "$err"
	[ "$got" -eq "$want" ] || fail "expected status $want, got $got: $*"
	[ -z "$out" ] || fail "unexpected output: $out"
	[ "$(wc -l <"$scratch/refused")" -eq 1 ] || fail "expected one line of error"
	contains '^agentctl: ' "$err"
}

# An agent's connection must fail with an error that programs understand, and soon. Linux takes an ICMPv6 error for a TCP
# handshake only when it sends its first packet again, after one second.
refused_at_once() { # OUTCOME MILLISECONDS ADDRESS
	local limit=800
	[[ $3 != *:* ]] || limit=2500
	contains '^(ECONNREFUSED|EHOSTUNREACH|ENETUNREACH|EACCES|EPERM|EINVAL)$' "$1"
	[ "$2" -lt $limit ] || fail "$1 only after $2 ms"
}

# --- waiting -------------------------------------------------------------------------------------------------------

# SECONDS COMMAND...: until the command succeeds. The guest is ten times slower than a machine: be generous.
wait_for() {
	local limit=$((SECONDS + $1))
	shift
	until "$@" >/dev/null 2>&1; do
		[ "$SECONDS" -lt "$limit" ] || fail "waited in vain for: $*" || return 1
		sleep 0.2
	done
}

unit_property() { # UNIT PROPERTY
	systemctl show --property="$2" --value "$1"
}

unit_is() { # UNIT STATE
	[ "$(unit_property "$1" ActiveState)" = "$2" ]
}

# --- agents --------------------------------------------------------------------------------------------------------

# NAME [ASSIGNMENT...]: a spec in $scratch/NAME.agent with these lines ("Section.Key=value"; keys add up in their
# order) and the suites' own command, unless Service.Command is among them.
spec_write() {
	local name=$1 assignment section keys=() last=
	shift
	[[ " $* " == *" Service.Command="* ]] || keys=("Service.Command=${inside_command[*]}")
	for assignment in "${keys[@]}" "$@"; do
		section=${assignment%%.*}
		[ "$section" = "$last" ] || echo "[$section]"
		last=$section
		echo "${assignment#*.}"
	done >"$scratch/$name.agent"
}

agent_create() { # NAME [ASSIGNMENT...]
	spec_write "$@"
	agentctl create "$1" --file "$scratch/$1.agent" </dev/null
	install -o "agent-$1" -g "agent-$1" -m 0644 "$suites/inside.py" "$workspaces/$1/work/inside.py"
}

# Creates and starts an agent that answers to `inside`.
agent_up() { # NAME [ASSIGNMENT...]
	agent_create "$@" && agent_start "$1"
}

agent_start() { # NAME
	rm -f "$workspaces/$1/work/ready"
	agentctl start "$1" </dev/null && agent_ready "$1"
}

agent_ready() { # NAME
	if ! wait_for 120 test -e "$workspaces/$1/work/ready"; then
		agentctl logs -n 20 "$1"
		return 1
	fi
}

# NAME OPERATION ARGUMENT...: has the agent do it (inside.py lists the operations); its output, its status.
inside() {
	local work=$workspaces/$1/work id=${EPOCHREALTIME/./} in out got status count line
	shift
	line=$(IFS=$'\t'; echo "$id"$'\t'"$*")
	exec {in}<>"$work/replies" {out}<>"$work/requests"
	echo "${line//$'\n'/$'\x1e'}" >&"$out"
	while read -r -t 300 -u "$in" got status count; do
		for ((; count > 0; count--)); do
			IFS= read -r -t 60 -u "$in" line || break 2
			[ "$got" != "$id" ] || echo "$line"
		done
		[ "$got" != "$id" ] || break
	done
	exec {in}>&- {out}>&-
	[ "${got:-}" = "$id" ] || fail "the agent did not answer" || return 125
	return "$status"
}

uid_of() { # NAME
	id -u "agent-$1"
}


cgroup_of() { # NAME: the slice's directory
	echo "/sys/fs/cgroup/agents.slice/agents-${1//-/\\x2d}.slice"
}

processes_of() { # UID: the pids of every process of that user
	ps -o pid= -u "$1" -U "$1" 2>/dev/null | tr -d ' '
}

no_process_of() { # UID
	[ -z "$(processes_of "$1")" ]
}

# --- what the machine looks like -----------------------------------------------------------------------------------

nft_table() {
	nft list table inet agentctl 2>/dev/null
}

# Everything that a command could have changed, as text: compare two of them.
snapshot() {
	local file
	for file in /etc/passwd /etc/group /etc/shadow /etc/gshadow /etc/subuid /etc/subgid; do
		[ ! -e "$file" ] || sha256sum "$file"
	done
	find /etc/agentctl /var/lib/agents /var/lib/agentctl /run/agentctl \
		\( -type f -o -type d -o -type l \) ! -name lock -printf '%p %y %m %U:%G %s\n' 2>/dev/null | sort
	find /etc/agentctl /var/lib/agentctl /run/agentctl -type f ! -name lock -exec sha256sum {} + 2>/dev/null | sort
	getfacl -nRp "$workspaces" 2>/dev/null | sort
	nft list ruleset 2>/dev/null | sed 's/packets [0-9]* bytes [0-9]*//'
	systemctl list-units --all --plain --no-legend 'agent*' | awk '{ print $1, $3, $4 }' | sort
	find /run/systemd/transient -name 'agent*' -printf '%p\n' 2>/dev/null | sort
}

# COMMAND...: whatever it says or returns, it must leave the machine as it was.
changes_nothing() {
	local before after status=0
	before=$(snapshot)
	"$@" || status=$?
	after=$(snapshot)
	[ "$before" = "$after" ] || { diff <(echo "$before") <(echo "$after"); fail "this changed something: $*"; } || return 1
	return "$status"
}

# Nothing of an agent is left: account, files, unit, slice, rules, processes.
nothing_left() { # NAME UID
	local name=$1 uid=$2
	! getent passwd "agent-$name" || fail "the user is still there"
	! getent group "agent-$name" || fail "the group is still there"
	[ -z "$(processes_of "$uid")" ] || fail "processes are left: $(ps -o pid,args -U "$uid")"
	[ ! -e "/etc/agentctl/agents/$name.agent" ] || fail "the spec is left"
	[ ! -e "$workspaces/$name" ] || fail "the workspace is left"
	[ ! -e "/run/agentctl/launch/$name" ] || fail "the launch file is left"
	[ ! -e "$(cgroup_of "$name")" ] || fail "the slice's cgroup is left"
	lacks . "$(systemctl list-units --all --plain --no-legend "agent-$name.service")"
	lacks . "$(find /run/systemd/transient -name "agent-$name.service*")"
	lacks "(agent-$name([^a-z0-9-]|\$))|[^0-9]$uid([^0-9]|\$)" "$(nft_table)"
	lacks . "$(find /tmp /var/tmp /dev/shm -xdev -uid "$uid" 2>/dev/null)"
}

trap suite_cleanup EXIT
