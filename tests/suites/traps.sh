#!/bin/bash
# What systemd, the kernel and the firewall get wrong behind one's back: one check for each known trap, on the running
# process and not on what was configured.
# shellcheck source=tests/suites/lib.sh
. "$(dirname "$0")/lib.sh"

systemd_version=$(systemctl --version | awk 'NR == 1 { print $2 }')
bpf_framework=$(systemctl --version | grep -c -- '+BPF_FRAMEWORK')
marker='dollar$HOME $$ %n %% "quoted" \n ; ${x} *'

# A command whose arguments are full of what unit files would expand; its last argument tells what came in.
need agent_create dollar
printf '%s\n' '#!/usr/bin/python3' 'import json, sys, time' 'json.dump(sys.argv[1:], open("argv", "w"))' \
	'time.sleep(100000)' >"$workspaces/dollar/work/argv.py"

need agent_up sand Network.Egress=public Service.Restart=always Service.RestartSec=100ms \
	"Service.Environment=PUBLIC=value" Resources.TasksMax=200 Resources.CPUQuota=33%

# --- namespaces ----------------------------------------------------------------------------------------------------

no_namespaces() { # by the flags of unshare(2), and by clone through the tool
	local said
	said=$(inside sand fork 'import ctypes
libc = ctypes.CDLL(None, use_errno=True)
for name, flag in (("user", 0x10000000), ("mnt", 0x20000), ("net", 0x40000000), ("ipc", 0x8000000), ("pid", 0x20000000),
                   ("cgroup", 0x2000000)):
    print(name, "MADE" if libc.unshare(flag) == 0 else os.strerror(ctypes.get_errno()))')
	echo "$said"
	same 6 "$(wc -l <<<"$said")" "answers"
	lacks MADE "$said"
	lacks 'uid=' "$(inside sand sh 'unshare --user --map-root-user id 2>&1')"
}

no_namespaces_after_reload_and_restart() {
	systemctl daemon-reload
	rm -f "$workspaces/sand/work/ready"
	kill -KILL "$(unit_property agent-sand.service MainPID)"
	agent_ready sand
	same 1 "$(unit_property agent-sand.service NRestarts)" "restarts"
	no_namespaces
}

check "no namespaces for an agent" no_namespaces
check "no namespaces after daemon-reload and a restart by systemd" no_namespaces_after_reload_and_restart

# --- what a reload loses -------------------------------------------------------------------------------------------

# What systemctl shows of a unit, without what moves by itself (times, counters, the order of sets).
shown() { # UNIT
	systemctl show "$1" | python3 -c '
import re, sys
moving = re.compile(r"[A-Za-z]*(Timestamp|Monotonic|USage|Current|Peak|Available|NSec|Bytes|Operations|Packets)[A-Za-z]*=|NeedDaemonReload=")
for line in sys.stdin:
    if not moving.match(line):
        name, _, value = re.sub(" ; start_time=.*", "", line).rstrip().partition("=")
        print(name, *sorted(value.split()))'
}

reload_changes_nothing() {
	local unit before after
	for unit in agent-sand.service agents-sand.slice; do
		before=$(shown "$unit")
		systemctl daemon-reload
		after=$(shown "$unit")
		diff <(echo "$before") <(echo "$after") || fail "daemon-reload changed $unit"
	done
}

limits_are_exact() {
	same 330ms "$(unit_property agents-sand.slice CPUQuotaPerSecUSec)" "CPUQuota before"
	systemctl daemon-reload
	same 330ms "$(unit_property agents-sand.slice CPUQuotaPerSecUSec)" "CPUQuota after daemon-reload"
	# What a reload would lose is not taken.
	refused 2 agentctl create fraction --set Resources.CPUQuota=33.3% -- /bin/true
	same 200 "$(unit_property agents-sand.slice TasksMax)" TasksMax
	refused 2 agentctl create percent --set Resources.TasksMax=20% -- /bin/true
}

same_process_after_reexec() {
	local pid
	pid=$(unit_property agent-sand.service MainPID)
	systemctl daemon-reexec
	same "$pid" "$(unit_property agent-sand.service MainPID)" "main PID"
	no_namespaces
	reload_changes_nothing
}

check "daemon-reload changes nothing that systemctl shows" reload_changes_nothing
check "limits are the same after a reload; those that it would lose are refused" limits_are_exact
check "daemon-reexec: the same process, the same properties" same_process_after_reexec

# --- the command line ----------------------------------------------------------------------------------------------

arguments_arrive() {
	agentctl destroy dollar
	agentctl create dollar -- /usr/bin/python3 argv.py "$marker" '$HOME' '' 'a b'
	printf '%s\n' 'import json, sys, time' 'json.dump(sys.argv[1:], open("argv.new", "w"))' \
		'import os; os.rename("argv.new", "argv")' 'time.sleep(100000)' >"$workspaces/dollar/work/argv.py"
	agentctl start dollar
	wait_for 60 test -e "$workspaces/dollar/work/argv"
	same "$(jq -cn --arg m "$marker" '[$m, "$HOME", "", "a b"]')" "$(jq -c . "$workspaces/dollar/work/argv")" arguments
	# And they still do when systemd itself restarts the agent after a reload.
	systemctl daemon-reload
	contains '^loaded$' "$(unit_property agent-dollar.service LoadState)"
	agentctl destroy dollar
}

environment_is_as_given() {
	same value "$(inside sand sh 'echo $PUBLIC')" PUBLIC
	same "$workspaces/sand/home" "$(inside sand sh 'echo $HOME')" HOME
	same agent-sand "$(inside sand sh 'echo $USER')" USER
	lacks 'SUDO|SSH|DBUS' "$(inside sand sh env)"
	# It is public, as the manual says: nothing secret belongs there.
	contains 'PUBLIC=value' "$(setpriv --reuid nobody --clear-groups systemctl show -p Environment agent-sand.service)"
	contains 'Environment' "$(man -P cat 5 agentctl.agent 2>/dev/null || zcat -f /usr/share/man/man5/*agent* /usr/local/share/man/man5/*agent*)"
}

control_characters() { # KEY VALUE: refused, and nothing is made
	local said
	said=$(changes_nothing refused 2 agentctl create evil "--set" "$1=$2" -- /bin/true)
	echo "$said"
	contains 'control character' "$said"
}

check "arguments with \$, %, quotes and blanks arrive as they are" arguments_arrive
check "the environment is the agent's; Environment= is public, and documented as such" environment_is_as_given
check "a newline in Description= is refused" control_characters Agent.Description $'nice\nExecStartPre=/bin/touch /tmp/evil'
check "a newline in WorkingDirectory= is refused" control_characters Service.WorkingDirectory $'/tmp\nUser=root'
check "a newline in Environment= is refused" control_characters Service.Environment $'A=b\nUser=root'
check "an escape sequence in Description= is refused" control_characters Agent.Description $'\033[2Jnice'

newline_in_the_command() { # it may be a real argument: if it is taken, it must arrive and inject nothing
	local status=0
	agentctl create evil -- /bin/sh -c $'touch one\ntouch two' || status=$?
	[ "$status" -eq 0 ] || { same 2 $status; return; }
	agentctl start evil
	wait_for 60 test -e "$workspaces/evil/work/two"
	lacks '^touch' "$(systemctl cat agent-evil.service 2>/dev/null)"
	agentctl destroy evil
}
check "a newline in the command injects nothing" newline_in_the_command

# --- system calls and sockets --------------------------------------------------------------------------------------

io_uring_is_denied() {
	contains '^(EPERM|ENOSYS) ' "$(inside sand fork 'import ctypes
libc = ctypes.CDLL(None, use_errno=True)
for number in (425, 426, 427):
    if libc.syscall(number, 8, ctypes.create_string_buffer(120), 0, 0, 0, 0) < 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code)) if code in (1, 38) else SystemExit(f"call {number}: {os.strerror(code)}")
    raise SystemExit(f"call {number} works")' || true)"
}

address_families() {
	local said
	said=$(inside sand fork 'for name, family, kind in (("packet", 17, 3), ("alg", 38, 5), ("vsock", 40, 1), ("bluetooth", 31, 3), ("xdp", 44, 3), ("tipc", 30, 1), ("inet", 2, 1), ("inet6", 10, 1), ("unix", 1, 1)):
    try:
        socket.socket(family, kind)
        print(name, "yes")
    except OSError as error:
        print(name, error)')
	echo "$said"
	contains '^inet yes' "$said"
	contains '^inet6 yes' "$said"
	contains '^unix yes' "$said"
	lacks '^(packet|alg|vsock|bluetooth|xdp|tipc) yes' "$said"
}

check "io_uring is denied, all three calls" io_uring_is_denied
check "only the listed address families" address_families

# What a closed socket still sends has no owner any more. A server in the test internet accepts and does not read; the agent
# fills the connection, closes it, and is then cut off: from then on nothing more may arrive.
orphans_are_judged() {
	local before after
	rm -f "$scratch"/orphan*
	# Room for what the agent sends and nobody reads yet.
	sysctl -q net.core.wmem_max=4194304
	# Its output must not be the check's, which would wait for it.
	ip netns exec inet python3 - "$scratch/orphan" >"$scratch/orphan.log" 2>&1 <<-'END' &
		import os, socket, sys, time
		server = socket.create_server(("198.51.100.77", 8087))
		server.settimeout(120)
		server.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 16384)
		open(sys.argv[1] + ".up", "w").close()
		connection, _ = server.accept()
		connection.settimeout(30)
		deadline = time.monotonic() + 120
		while not os.path.exists(sys.argv[1] + ".read") and time.monotonic() < deadline:
		    time.sleep(0.05)
		size = 0
		try:
		    while data := connection.recv(65536):
		        size += len(data)
		except OSError as error:
		    print(error, file=sys.stderr)
		with open(sys.argv[1] + ".new", "w") as file:
		    file.write(str(size))
		os.rename(sys.argv[1] + ".new", sys.argv[1])
	END
	wait_for 60 test -e "$scratch/orphan.up"
	agent_up orphan Network.Egress=list Network.Allow=198.51.100.77:8087
	same 'written 600000' "$(inside orphan py 's = socket.socket()
s.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 2000000)
s.connect(("198.51.100.77", 8087))
print("written", s.send(bytes(600000)))
s.close()')" "the agent's side"
	contains '198\.51\.100\.77:8087' "$(ss -tan state fin-wait-1)"
	before=$(accepted_bytes orphan)
	if [ "$1" = counted ]; then
		touch "$scratch/orphan.read"
		wait_for 120 test -e "$scratch/orphan"
		same 600000 "$(cat "$scratch/orphan")" "bytes that arrived"
		after=$(accepted_bytes orphan)
		echo "bytes counted for the agent: $before, then $after"
		[ "$after" -ge 600000 ] || fail "what the closed socket sent was not counted as the agent's"
	else
		sed -i '/^Allow=/d' /etc/agentctl/agents/orphan.agent
		agentctl apply orphan
		internet reset
		touch "$scratch/orphan.read"
		wait_for 120 test -e "$scratch/orphan"
		after=$(cat "$scratch/orphan")
		echo "bytes that arrived: $after"
		[ "$after" -lt 400000 ] || fail "a closed socket went on sending after the agent was cut off"
	fi
	agentctl destroy orphan
	rm -f "$scratch"/orphan*
}
accepted_bytes() { agentctl status --json=short "$1" | jq '.[0].network.accepted.bytes'; }

check "what a closed socket sends is counted as the agent's" orphans_are_judged counted
check "what a closed socket sends is refused when the agent is cut off" orphans_are_judged refused

# --- other hands on the firewall -----------------------------------------------------------------------------------

flushed_ruleset() {
	local said
	contains '169.254.0.0/16' "$(unit_property agent-sand.service IPAddressDeny)"
	contains answered "$(inside sand knock tcp 198.51.100.10 80)"
	nft flush ruleset
	internet reset
	for address in 169.254.169.254 10.99.0.5 fd00:ec2::254; do
		said=$(inside sand knock tcp $address 80 3)
		lacks '^(answered|closed|silence)' "$said"
		said=$(inside sand knock udp $address 9999 3)
		lacks '^(answered|closed)' "$said"
		same 0 "$(internet count $address)" "packets that arrived at $address"
	done
	agentctl apply sand
	contains "chain agent-sand " "$(nft_table)"
}
check "nft flush ruleset: systemd's own filter still closes the floor, and apply puts the rules back" flushed_ruleset

no_rules_no_start() {
	agentctl stop sand
	nft flush ruleset
	agent_start sand
	contains "chain agent-sand " "$(nft_table)"
}
check "start puts missing rules back before anything runs" no_rules_no_start

# --- journal, users, shared memory ---------------------------------------------------------------------------------

# By default journald begins a file for each UID, as README says; with SplitMode=none it does not, and logs still tell all.
journal_of_all_in_one() {
	local conf=/etc/systemd/journald.conf.d/suite.conf said
	mkdir -p /var/log/journal "${conf%/*}"
	printf '[Journal]\nStorage=persistent\nSplitMode=none\n' >$conf
	systemctl restart systemd-journald.service
	agent_up quiet
	journalctl --sync
	said=$(agentctl logs quiet)
	rm $conf
	systemctl restart systemd-journald.service
	contains 'inside: ready' "$said"
	lacks "user-$(uid_of quiet)\.journal" "$(find /var/log/journal -name '*.journal')"
	contains 'SplitMode=none' "$(find /usr/share/doc/agentctl -name 'README.md' -exec cat {} +)"
	agentctl destroy quiet
}

uid_conflict_is_noticed() { # somebody else has the next UID: another one is taken, never shared
	local next
	agentctl create probe -- /bin/true
	next=$(($(uid_of probe) + 1))
	agentctl destroy probe
	groupadd -g $next squatter
	useradd -u $next -g $next -M squatter
	agentctl create probe -- /bin/true
	[ "$(uid_of probe)" -gt $next ] || fail "UID $(uid_of probe)"
	same "$(uid_of probe)" "$(stat -c %u "$workspaces/probe/work")" "owner of work"
	agentctl destroy probe
	userdel squatter
}

foreign_user_is_refused() { # a user of the agent's name that agentctl did not make
	useradd -M -u 1777 agent-foreign
	changes_nothing refused 1 agentctl create foreign -- /bin/true
	userdel agent-foreign
}

subuids_are_avoided() {
	local next
	agentctl create probe -- /bin/true
	next=$(($(uid_of probe) + 1))
	agentctl destroy probe
	echo "nobody:$next:3" >>/etc/subuid
	agentctl create probe -- /bin/true
	[ "$(uid_of probe)" -gt $((next + 2)) ] || fail "UID $(uid_of probe) belongs to nobody's subuids"
	agentctl destroy probe
	sed -i "/^nobody:$next:3\$/d" /etc/subuid
}

shared_memory_is_private() {
	echo host >/dev/shm/suite-host
	chmod 0666 /dev/shm/suite-host
	inside sand sh 'echo agent >/dev/shm/suite-agent; ls /dev/shm'
	lacks suite-host "$(inside sand sh 'ls /dev/shm')"
	[ ! -e /dev/shm/suite-agent ] || fail "the agent wrote into the host's /dev/shm"
	contains ok "$(inside sand fork 'from multiprocessing import shared_memory
m = shared_memory.SharedMemory(create=True, size=4096)
m.unlink()
print("ok")')"
	rm /dev/shm/suite-host
}

check "with SplitMode=none journald keeps no file for the agent's UID, and logs shows all" journal_of_all_in_one
check "a taken UID is passed over" uid_conflict_is_noticed
check "a foreign user of the agent's name is refused" foreign_user_is_refused
check "a subordinate UID of somebody is passed over" subuids_are_avoided
check "/dev/shm is the agent's own, and works" shared_memory_is_private

# --- accepted is not enforced --------------------------------------------------------------------------------------

absent_is_said() {
	local text
	text=$(agentctl status sand)
	echo "systemd $systemd_version, BPF framework: $bpf_framework"
	echo "$text"
	if [ "$bpf_framework" -eq 0 ]; then
		contains 'BPF_FRAMEWORK|[Aa]bsent|not enforced' "$text"
	else
		lacks 'BPF_FRAMEWORK' "$text"
	fi
	agentctl status --json=short sand | jq -e '.[0].absent | type == "array"'
}
check "what this systemd would accept and ignore is shown as absent" absent_is_said

suite_end
