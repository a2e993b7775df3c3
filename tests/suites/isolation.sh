#!/bin/bash
# What an agent of each mode can see and do beside its work, asked from inside; and that ordinary work goes on.
# shellcheck source=tests/suites/lib.sh
. "$(dirname "$0")/lib.sh"

modes="minimal standard maximum"

useradd --create-home person
chmod 0755 /home/person
echo private >/home/person/file
echo host >/tmp/suite-host-file
ipcmk --shmem 4096 --mode 0666 >/dev/null
setsid runuser -u person -- sleep 100001 >/dev/null 2>&1 &

need agent_up victim
need inside victim sh 'echo secret >secret; echo secret >~/secret; chmod -R 0777 . ~; echo t >/tmp/victim'
for mode in $modes; do
	need agent_up "$mode" "Agent.Mode=$mode"
done
victim_pid=$(unit_property agent-victim.service MainPID)

# NAME MODES SCRIPT: in these modes, nothing of what the script prints or changes may come through: it must fail.
closed() {
	local name=$1 mode
	for mode in $2; do
		check "$mode: $name" script_fails "$mode" "$3"
	done
}

script_fails() {
	local said
	said=$(inside "$1" sh "$2") || return 0
	fail "this worked: $2"$'\n'"$said"
}

# NAME MODES SCRIPT: ordinary work that must succeed in these modes.
open() {
	local name=$1 mode
	for mode in $2; do
		check "$mode: $name" inside "$mode" sh "$3"
	done
}

# --- other agents, people, the host's files ------------------------------------------------------------------------

closed "no look at another agent's work" "$modes" "cat $workspaces/victim/work/secret"
closed "no look at another agent's home" "$modes" "cat $workspaces/victim/home/secret"
closed "no list of another agent's directory" "$modes" "ls $workspaces/victim | grep ."
closed "no list of all agents' workspaces" "standard maximum" "ls $workspaces | grep -x victim"
closed "no signal to another agent" "$modes" "kill -0 $victim_pid"
closed "no look at another agent's processes" "standard maximum" "cat /proc/$victim_pid/cmdline | grep ."
closed "no look at another agent's environment" "$modes" "cat /proc/$victim_pid/environ | grep ."
closed "no look at PID 1's command line" "standard maximum" "cat /proc/1/cmdline | tr '\\0' ' ' | grep -E '/sbin/init|systemd'"
closed "no foreign process in sight" "standard maximum" "ps -eo user= | grep -vE \"^(\$(id -un)|\$(id -u)|agent-[a-z+]*)\" | grep ."
closed "no look at people's homes" "standard maximum" "cat /home/person/file"
closed "no look at root's home" "$modes" "ls /root | grep . || test -r /root"
closed "the host's /tmp is elsewhere" "$modes" "cat /tmp/suite-host-file || cat /tmp/victim"
closed "no write to /etc" "$modes" "touch /etc/suite"
closed "no write to /usr" "$modes" "touch /usr/suite"
closed "no write to /var/lib" "$modes" "touch /var/lib/suite"
closed "no write beside home and work" "$modes" 'touch "$HOME/../suite"'
closed "no look at the specs' secrets of the system" "$modes" "cat /etc/shadow"

# --- sockets and buses ---------------------------------------------------------------------------------------------

closed "no system bus" "standard maximum" "python3 -c 'import socket; socket.socket(socket.AF_UNIX).connect(\"/run/dbus/system_bus_socket\")'"
closed "no journal socket" "standard maximum" "python3 -c 'import socket; socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM).connect(\"/run/systemd/journal/socket\")'"
closed "no private socket of systemd" "$modes" "python3 -c 'import socket; socket.socket(socket.AF_UNIX).connect(\"/run/systemd/private\")'"
closed "no socket at all in /run" "standard maximum" "find /run /var/run/ -type s 2>/dev/null | grep ."
closed "no systemctl" "standard maximum" "systemctl list-units"
closed "no way to end the machine" "$modes" "systemctl poweroff || reboot"
closed "no foreign shared memory segments" "standard maximum" "tail -n +2 /proc/sysvipc/shm | grep ."

# --- privileges ----------------------------------------------------------------------------------------------------

open "NoNewPrivileges, no capabilities" "$modes" "grep -qE '^NoNewPrivs:.1' /proc/self/status && grep -qE '^CapBnd:.0+\$' /proc/self/status && grep -qE '^CapEff:.0+\$' /proc/self/status"
closed "no mount" "$modes" "mount -t tmpfs tmpfs /tmp"
closed "no user namespace" "standard maximum" "unshare --user true"
closed "no network namespace" "$modes" "unshare --net true"
closed "no setuid file" "standard maximum" "cp /bin/true suid && chmod u+s suid && test -u suid"
closed "no setgid file" "standard maximum" "cp /bin/true sgid && chmod g+s sgid && test -g sgid"
closed "no real-time priority" "standard maximum" "chrt -f 1 true"
closed "no key of the user's keyring" "standard maximum" "keyctl add user suite x @u"
closed "no write to /proc/sys" "$modes" "echo 1 >/proc/sys/kernel/printk"
closed "no write to /sys" "$modes" "touch /sys/fs/cgroup/suite || mkdir /sys/fs/cgroup/suite || echo 0 >/sys/fs/cgroup/cgroup.procs"
closed "no write to its own limits" "$modes" 'echo max >"/sys/fs/cgroup$(cut -d: -f3 /proc/self/cgroup)/../memory.max"'
closed "no kernel log" "standard maximum" "dmesg | grep ."
closed "no disk, no kernel memory" "$modes" "ls /dev/vda /dev/mem /dev/kmsg /dev/port 2>/dev/null | grep ."
closed "no modules" "$modes" "modprobe dummy"
closed "no clock" "$modes" "date -s @0"
closed "no host name" "$modes" "hostname suite"
closed "no cron job" "$modes" "echo '* * * * * true' | crontab - || echo x >/var/spool/cron/crontabs/x"
closed "no lingering" "standard maximum" "loginctl enable-linger"
closed "no execution outside what is listed" "maximum" "cp /bin/true ./own && ./own"
closed "no memory that is writable and executable" "maximum" "python3 -c 'import mmap; mmap.mmap(-1, 4096, prot=7)'"
closed "no core dump" "standard maximum" "ulimit -c unlimited; python3 -c 'import os; os.abort()' & wait; ls core* | grep ."

no_forged_entries() { # MODE: whatever the agent sends, no entry of its making reaches the journal with fields of its choice
	inside "$1" sh "printf 'MESSAGE=forged by $1\nUNIT=x\n' | logger --journald" || true
	journalctl --sync
	lacks . "$(journalctl --no-pager -o cat "MESSAGE=forged by $1")"
}
for mode in standard maximum; do
	check "$mode: no forged journal fields" no_forged_entries $mode
done

foreign_abi() { # MODE: 32-bit and x32 calls (int 0x80, and the bit in the call's number)
	local said
	said=$(inside "$1" sh './abi i386; echo "i386: $?"; ./abi x32; echo "x32: $?"')
	echo "$said"
	same 2 "$(grep -cE ': [0-9]+$' <<<"$said")" answers
	lacks 'worked' "$said"
}
cat >"$scratch/abi.c" <<'END'
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

int main(int argc, char **argv)
{
    long r;
    if (argc > 1 && strcmp(argv[1], "i386") == 0)
        __asm__ volatile("int $0x80" : "=a"(r) : "a"(20L) : "memory", "r8", "r9", "r10", "r11");
    else
        r = syscall(0x40000000L | SYS_getpid);
    puts(r == getpid() ? "worked" : "refused");
    return 0;
}
END
if [ "$(uname -m)" = x86_64 ] && gcc -O1 -o "$scratch/abi" "$scratch/abi.c"; then
	install -o agent-standard -g agent-standard "$scratch/abi" "$workspaces/standard/work/abi"
	check "standard: no system calls of a foreign ABI" foreign_abi standard
else
	skip "standard: no system calls of a foreign ABI" "no compiler, or not x86-64"
fi

writable_places() { # MODE: exactly these, and nothing else on the whole machine
	local said
	said=$(inside "$1" sh 'find / \( -path /proc -o -path /sys \) -prune -o -type d -writable -print 2>/dev/null || true')
	echo "$said"
	lacks . "$(grep -vE "^($workspaces/$1/(home|work)|/tmp|/var/tmp|/dev/shm|/dev/mqueue)(/|\$)" <<<"$said")"
}
for mode in standard maximum; do
	check "$mode: home, work and temporary directories are all that can be written" writable_places $mode
done

# --- ordinary work -------------------------------------------------------------------------------------------------

open "works in its directories" "$modes" 'pwd | grep -q /work && echo x >file && mv file ~/file && test -w /tmp && rm ~/file'
open "knows who it is" "$modes" 'test "$(id -un)" = "agent-${PWD##*/agents/}" || id -un | grep -q "^agent-"'
open "starts processes, pipes, threads" "$modes" "seq 1000 | sort -rn | head -n 1 | grep -q 1000 && python3 -c 'import threading; t = threading.Thread(target=print); t.start(); t.join()'"
open "uses multiprocessing and sqlite" "$modes" "python3 -c 'import multiprocessing as m, sqlite3
p = m.Pool(2)
assert p.map(abs, [-1, -2]) == [1, 2]
sqlite3.connect(\"db\").execute(\"create table t (x)\")'"
open "has a unix socket of its own" "$modes" "python3 -c 'import socket
s = socket.socket(socket.AF_UNIX); s.bind(\"sock\"); s.listen()
socket.socket(socket.AF_UNIX).connect(\"sock\")' && rm sock"
open "lists network interfaces" "$modes" "python3 -c 'import socket; assert socket.if_nameindex()'"
open "writes to /dev/null, reads /dev/urandom" "$modes" "head -c 16 /dev/urandom >/dev/null"
open "runs what it has built" "minimal standard" "echo 'int main(void) { return 0; }' >own.c && gcc -o own own.c && ./own"
open "reads the time zone and certificates' place" "$modes" "date && ls /etc >/dev/null"

# --- what the spec opens and closes --------------------------------------------------------------------------------

spec_opens_and_closes() {
	mkdir -p /srv/suite/{rw,ro,hidden}
	chmod 0777 /srv/suite/*
	echo content | tee /srv/suite/ro/file >/srv/suite/hidden/file
	agent_up bound "Filesystem.BindPaths=/srv/suite/rw:/srv/shared" "Filesystem.BindReadOnlyPaths=/srv/suite/ro" \
		"Filesystem.InaccessiblePaths=/srv/suite/hidden"
	inside bound sh 'echo written >/srv/shared/file'
	same written "$(cat /srv/suite/rw/file)" "what was written"
	same content "$(inside bound sh 'cat /srv/suite/ro/file')" "what was read"
	script_fails bound 'touch /srv/suite/ro/file'
	script_fails bound 'cat /srv/suite/hidden/file'
	agentctl destroy bound
	[ -e /srv/suite/rw/file ] || fail "destroy removed what was bound"
	rm -rf /srv/suite
}
check "BindPaths=, BindReadOnlyPaths= and InaccessiblePaths= do as they say" spec_opens_and_closes

jit_opens_only_that() {
	agent_up jit Agent.Mode=maximum Service.Jit=yes
	inside jit sh "python3 -c 'import mmap; mmap.mmap(-1, 4096, prot=7)'"
	script_fails jit 'unshare --user true'
	agentctl destroy jit
}
check "Jit=yes opens writable and executable memory in maximum, nothing else" jit_opens_only_that

unrestricted_is_loud() {
	local said
	spec_write free Agent.Mode=unrestricted
	said=$(changes_nothing refused 2 agentctl create free --file "$scratch/free.agent")
	contains 'unrestricted' "$said"
	said=$(agentctl create free --mode unrestricted -- /bin/sleep 100000 2>&1)
	echo "$said"
	contains 'warning|unrestricted' "$said"
	contains 'VPS' "$said"
	said=$(agentctl start free 2>&1)
	contains 'unrestricted' "$said"
	contains 'unrestricted' "$(agentctl list)"
	agentctl destroy free
}
check "Mode=unrestricted must be asked for on the command line, and warns" unrestricted_is_loud

exposure() { # MODE TENTHS: systemd's own score of the unit that runs is no worse than this
	local score
	score=$(systemd-analyze security --no-pager "agent-$1.service" | sed -n 's/.*Overall exposure level for .*: \([0-9.]*\) .*/\1/p')
	echo "exposure $score"
	[ "$(tr -d . <<<"$score")" -le "$2" ] || fail "worse than $2 tenths"
}
check "standard: systemd's exposure score" exposure standard 25
check "maximum: systemd's exposure score" exposure maximum 20

pkill -u person sleep
suite_end
