#!/bin/bash
# Whatever goes wrong: one clear line, the right status, and nothing is changed.
# shellcheck source=tests/suites/lib.sh
. "$(dirname "$0")/lib.sh"

create=(agentctl create new -- /bin/sleep 100000)

# All directories exist, so that only what a command did can differ.
need agent_up there
useradd --create-home person

# TEXT STATUS COMMAND...: refused with a line that matches, and nothing changes.
clear_line() {
	local regex=$1 status=$2 said
	shift 2
	said=$(changes_nothing refused "$status" "$@") || { echo "$said"; return 1; }
	echo "$said"
	contains "$regex" "$said"
}

# --- bad input -----------------------------------------------------------------------------------------------------

bad_spec() { # ASSIGNMENT REGEX
	spec_write bad "$1"
	clear_line "$2" 2 agentctl create bad --file "$scratch/bad.agent"
}

check "an unknown key" bad_spec Resources.MemoryMux=1G 'MemoryMux.*MemoryMax'
check "an unknown section" bad_spec Resource.MemoryMax=1G 'Resource.*Resources'
check "a bad size" bad_spec Resources.MemoryMax=2GG 'MemoryMax=.*not a size'
check "a host name in Allow=" bad_spec Network.Allow=example.com:443 'name|address'
check "a missing template" bad_spec Agent.Template=nosuch 'nosuch'
check "a bad agent name" clear_line 'name' 2 agentctl create Upper -- /bin/true
check "a path as the name" clear_line 'name' 2 agentctl create ../x -- /bin/true
check "a missing file" clear_line 'No such file' 1 agentctl create bad --file /nonexistent
check "a misspelt verb" clear_line 'create' 2 agentctl craete new
broken_conf() {
	echo 'UIDRange=all' >/etc/agentctl/agentctl.conf
	local status=0
	clear_line 'agentctl.conf' 2 "${create[@]}" || status=$?
	rm /etc/agentctl/agentctl.conf
	return $status
}
check "a broken agentctl.conf" broken_conf

several_problems_in_one_go() {
	local said
	spec_write bad Resources.MemoryMax=2GG Resources.CPUQuota=lots Network.Egress=maybe
	said=$(changes_nothing agentctl create bad --file "$scratch/bad.agent" 2>&1) && fail "accepted"
	echo "$said"
	same 3 "$(grep -cE 'bad.agent:[0-9]+: ' <<<"$said")" "problems"
}
check "all problems of a spec in one go" several_problems_in_one_go

# --- who may not ---------------------------------------------------------------------------------------------------

for verb in "create new -- /bin/true" "start there" "stop there" "restart there" "apply there" "destroy there"; do
	# shellcheck disable=SC2086
	check "an unprivileged caller: ${verb%% *}" clear_line 'must be root' 1 runuser -u person -- agentctl $verb
done

# --- full disks ----------------------------------------------------------------------------------------------------

# DIRECTORY COMMAND...: in a mount namespace of its own, with that directory on a file system that has no room left.
with_full() {
	local directory=$1
	shift
	unshare --mount --propagation private bash -c '
		set -e
		mount -t tmpfs -o size=64k,nr_inodes=200 tmpfs /mnt
		cp -a "$1"/. /mnt/ 2>/dev/null || true
		mount --move /mnt "$1"
		head -c 1M /dev/zero >"$1/fill" 2>/dev/null || true
		i=0; while mkdir "$1/fill-$i" 2>/dev/null; do i=$((i + 1)); done
		shift
		exec "$@"' full "$directory" "$@"
}

check "a full disk under the specs" clear_line 'No space left|full' 1 with_full /etc/agentctl "${create[@]}"
check "a full disk under the ledger" clear_line 'No space left|full' 1 with_full /var/lib/agentctl "${create[@]}"
check "a full disk under the workspaces" clear_line 'No space left|full' 1 with_full /var/lib/agents "${create[@]}"

full_etc() { # useradd's own files, too: a copy of /etc that has just no room for one more line
	unshare --mount --propagation private bash -c '
		set -e
		mount -t tmpfs tmpfs /mnt
		cp -a /etc/. /mnt/
		mount -o remount,size=$(($(du -sk /mnt | cut -f1) + 4))k /mnt
		mount --move /mnt /etc
		head -c 100M /dev/zero >/etc/fill 2>/dev/null || true
		exec "$@"' full "${create[@]}"
}
check "a full disk under /etc" clear_line 'No space left|full|useradd|groupadd' 1 full_etc

full_run_for_start() {
	agentctl create new -- /bin/sleep 100000
	clear_line 'No space left|full' 1 with_full /run/agentctl agentctl start new
	agentctl start new
	agentctl destroy new
}
check "a full disk under /run: start is refused, and works when there is room" full_run_for_start

output_is_full() {
	local status=0
	agentctl list >/dev/full 2>"$scratch/err" || status=$?
	cat "$scratch/err"
	same 1 $status status
	contains 'No space left' "$(cat "$scratch/err")"
}
check "standard output is full" output_is_full

# --- what is missing -----------------------------------------------------------------------------------------------

with_read_only() { # DIRECTORY COMMAND...
	local directory=$1
	shift
	unshare --mount --propagation private bash -c '
		mount --bind "$1" "$1" && mount -o remount,bind,ro "$1" && shift && exec "$@"' ro "$directory" "$@"
}
check "a read-only /etc" clear_line 'Read-only' 1 with_read_only /etc "${create[@]}"
check "a read-only /var" clear_line 'Read-only' 1 with_read_only /var "${create[@]}"

without_bus() {
	unshare --mount --propagation private bash -c 'mount -t tmpfs tmpfs /run/dbus && exec "$@"' bus "$@"
}

start_without_bus() {
	agentctl create new -- /bin/sleep 100000
	clear_line 'bus' 1 without_bus agentctl start new
	clear_line 'bus' 1 without_bus agentctl destroy new
	agentctl destroy new
}
check "no system bus" start_without_bus

without_net_admin() { capsh --drop=cap_net_admin -- -c 'exec "$0" "$@"' "$@"; }

start_without_net_admin() {
	clear_line 'CAP_NET_ADMIN|nftables|netlink' 1 without_net_admin "${create[@]}"
	agentctl create new -- /bin/sleep 100000
	nft delete table inet agentctl
	clear_line 'CAP_NET_ADMIN|nftables|netlink' 1 without_net_admin agentctl start new
	no_process_of "$(uid_of new)"
	agentctl destroy new
}
check "no CAP_NET_ADMIN" start_without_net_admin

# --- what starts and fails -----------------------------------------------------------------------------------------

failing_command() { # COMMAND REGEX: the reason is said, nothing of the start is left
	local said status=0
	agentctl create new -- $1
	said=$(agentctl start new 2>&1) || status=$?
	echo "$said"
	same 1 $status status
	contains "$2" "$said"
	lacks . "$(processes_of "$(uid_of new)")"
	[ ! -e "$(cgroup_of new)" ] || fail "the slice is left"
	[ ! -e /run/agentctl/launch/new ] || fail "the launch file is left"
	agentctl destroy new
}
check "a command that does not exist" failing_command /nonexistent/program 'nonexistent|No such file'
check "a command that may not be executed" failing_command /etc/passwd '[Pp]ermission denied'

rejected_property() { # what the manager refuses aborts the start
	agentctl create new --set 'Resources.IOReadBandwidthMax=/dev/nonexistent 1M' -- /bin/sleep 100000
	local status=0 said
	said=$(agentctl start new 2>&1) || status=$?
	echo "$said"
	same 1 $status status
	no_process_of "$(uid_of new)"
	agentctl destroy new
}
check "a device that does not exist" rejected_property

stands_in_the_way() { # WHAT: something else is where the workspace should be
	local status=0
	rm -rf "$workspaces/new"
	case $1 in
	link) ln -s /etc "$workspaces/new" ;;
	file) echo x >"$workspaces/new" ;;
	esac
	clear_line 'new' 1 "${create[@]}" || status=$?
	rm -f "$workspaces/new"
	return $status
}
check "a symbolic link where the workspace should be" stands_in_the_way link
check "a file where the workspace should be" stands_in_the_way file

neighbour_is_well() { same "pong" "$(inside there sh 'echo pong')" answer; }
check "the agent that was there all the time is well" neighbour_is_well

suite_end
