#!/bin/bash
# Checks the guest itself: what the other suites take for granted about the machine, the test internet and the harness.
# Knows nothing of agentctl.
set -u

results=0
result() { # STATUS NAME
	results=$((results + 1))
	if [ "$1" -eq 0 ]; then echo "ok - $2"; else echo "not ok - $2"; fi
}

check() { # NAME COMMAND...
	local name=$1 output status
	shift
	output=$("$@" 2>&1)
	status=$?
	result "$status" "$name"
	if [ "$status" -ne 0 ] && [ -n "$output" ]; then echo "# ${output//$'\n'/$'\n'# }"; fi
}

same() { [ "$1" = "$2" ] || { echo "expected '$1', got '$2'"; return 1; }; }
sends() { # ADDRESS PROTO PORT COMMAND...: the command makes packets arrive there
	local before address=$1 proto=$2 port=$3
	shift 3
	before=$(internet count "$address" "$proto" "$port")
	"$@" || return 1
	[ "$(internet count "$address" "$proto" "$port")" -gt "$before" ] || { echo "nothing was counted"; return 1; }
}
http_says() { # WHERE EXPECTED
	local page
	page=$(curl --silent --show-error --max-time 30 "http://$1/") || return 1
	[[ $page == "echo $2 from "* ]] || { echo "got: $page"; return 1; }
}
udp_echo() { # ADDRESS PORT
	same ping "$(echo ping | timeout 30 socat -T 10 - "UDP:$1:$2")"
}
resolves() { # NAME ADDRESS
	getent ahosts "$1" | grep -q "^$2 "
}
nft_counts() {
	nft add table inet smoke &&
		nft add chain inet smoke out '{ type filter hook output priority 0; }' &&
		nft add rule inet smoke out meta skuid 0 counter &&
		nft delete table inet smoke
}
flush_is_harmless() {
	local before
	before=$(internet count)
	nft flush ruleset
	http_says 198.51.100.10 "198.51.100.10 80" || return 1
	[ "$(internet count)" -gt "$before" ]
}
reset_forgets() {
	internet reset
	same 0 "$(internet count)"
}
blackhole() { # still counted
	sends 203.0.113.99 tcp 80 bash -c '! curl --silent --max-time 3 http://203.0.113.99/'
}
new_name() {
	internet name moved.test 198.51.100.88
	resolves moved.test 198.51.100.88 || return 1
	internet queries | grep -qx 'A moved.test'
}
release_is() { grep -qx "VERSION_ID=\"$AGENTCTL_TEST_RELEASE\"" /etc/os-release; }
compiles() {
	local folder
	folder=$(mktemp -d)
	echo 'int main(void) { return 42; }' >"$folder/a.c"
	gcc -o "$folder/a" "$folder/a.c" && { "$folder/a"; same 42 $?; }
}
limits_hold() {
	local output eater='x = bytearray(100 << 20)'
	if output=$(systemd-run --wait --pipe --quiet -p MemoryMax=32M -p MemorySwapMax=0 python3 -c "$eater" 2>&1); then
		echo "100 MiB fitted into 32: $output"
		return 1
	fi
}
not_immune() { same 0 "$(cat /proc/self/oom_score_adj)"; }
clock_is_right() { # this file came with the payload just now; the saved state may be old
	local now made
	now=$(date +%s)
	made=$(stat -c %Y /payload)
	[ $((now - made)) -lt 86400 ] && [ "$now" -ge "$made" ]
}
booted_again() {
	[ "$(cat /var/lib/smoke-boot-id)" != "$(cat /proc/sys/kernel/random/boot_id)" ] || return 1
	same "$1" "$(uptime_small)"
}
uptime_small() { awk '{ print ($1 < 600) ? "small" : "large " $1 }' /proc/uptime; }
journal_has_boots() { [ "$(journalctl --list-boots --no-pager | grep -cE '^ *-?[0-9]')" -ge "$1" ]; }

first_stage() {
	check "PID 1 is systemd" same systemd "$(cat /proc/1/comm)"
	check "the release is the one asked for" release_is
	check "the system is up without failed units" same running "$(systemctl is-system-running --wait)"
	check "cgroups are version 2" same cgroup2fs "$(stat -f -c %T /sys/fs/cgroup)"
	check "Landlock is on" grep -qw landlock /sys/kernel/security/lsm
	check "nft makes and removes a table" nft_counts
	check "systemd enforces a memory limit" limits_hold
	check "tests are not immune to the memory killer" not_immune
	check "the clock is right" clock_is_right
	check "a C program compiles and runs" compiles
	check "HTTP over IPv4, counted" sends 198.51.100.10 tcp 80 http_says 198.51.100.10 "198.51.100.10 80"
	check "HTTP over IPv6, counted" sends 2001:db8:1::10 tcp 8080 http_says '[2001:db8:1::10]:8080' "2001:db8:1::10 8080"
	check "HTTP by name" http_says files.test "2001:db8:2::5 80"
	check "UDP over IPv4, counted" sends 203.0.113.5 udp 9999 udp_echo 203.0.113.5 9999
	check "UDP over IPv6, counted" sends 2001:db8:2::5 udp 9999 udp_echo '[2001:db8:2::5]' 9999
	check "the metadata address answers, counted" sends 169.254.169.254 tcp 80 http_says 169.254.169.254 "169.254.169.254 80"
	check "its IPv6 sister answers, counted" sends fd00:ec2::254 tcp 80 http_says '[fd00:ec2::254]' "fd00:ec2::254 80"
	check "a private address answers, counted" sends 10.99.0.5 tcp 443 http_says 10.99.0.5:443 "10.99.0.5 443"
	check "any address answers, counted" sends 8.8.8.8 tcp 853 http_says 8.8.8.8:853 "8.8.8.8 853"
	check "names resolve to IPv4" resolves api.test 198.51.100.10
	check "names resolve to IPv6" resolves api.test 2001:db8:1::10
	check "unknown names do not" bash -c '! getent ahosts nothing.example'
	check "a name can be added, and queries are seen" new_name
	check "a blackhole swallows and counts" blackhole
	check "the internet survives nft flush ruleset" flush_is_harmless
	check "the counters can be reset" reset_forgets
	cat /proc/sys/kernel/random/boot_id >/var/lib/smoke-boot-id
	sync
	echo "reboot rebooted"
}

case ${1:-} in
"") first_stage ;;
rebooted)
	check "the guest was rebooted, its disk kept" booted_again small
	check "the journal has both boots" journal_has_boots 2
	check "the internet is up after a reboot" http_says api.test "2001:db8:1::10 80"
	check "the clock is right after a reboot" clock_is_right
	cat /proc/sys/kernel/random/boot_id >/var/lib/smoke-boot-id
	sync
	echo "crash crashed"
	;;
crashed)
	check "the guest came back after a power failure" booted_again small
	check "the system is up without failed units" same running "$(systemctl is-system-running --wait)"
	echo "done $results"
	;;
esac
