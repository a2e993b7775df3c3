#!/bin/bash
# Where an agent's packets go, for every Egress= mode, IPv4 and IPv6, TCP and UDP; the proof is what the far end counted.
# A refusal must also be quick, and be an error that a program understands.
# shellcheck source=tests/suites/lib.sh
. "$(dirname "$0")/lib.sh"

floor_log=$scratch/floor

need agent_up none Network.Egress=none
need agent_up list Network.Egress=list 'Network.Allow=198.51.100.10:443 198.51.100.10:9999/udp' \
	'Network.Allow=[2001:db8:1::10]:443 [2001:db8:1::10]:9999/udp' 'Network.Allow=203.0.113.0/24:8000-8090'
need agent_up public Network.Egress=public 'Network.Allow=198.51.100.53:53/udp'
need agent_up open Network.Egress=open

# OUTCOME MILLISECONDS PACKETS yes|no ADDRESS: what the agent saw and what the far end counted must both be the verdict.
is_verdict() {
	echo "the agent saw $1 after $2 ms, $3 packets arrived"
	if [ "$4" = yes ]; then
		same answered "$1" "what the agent saw"
		[ "$3" -gt 0 ] || fail "answered without having been asked?"
	else
		same 0 "$3" "packets that arrived"
		refused_at_once "$1" "$2" "$5"
	fi
}

# AGENT PROTOCOL ADDRESS PORT yes|no: one knock, judged at once.
knock() {
	local said
	internet reset
	said=$(inside "$1" knock "$2" "$3" "$4" 4)
	# shellcheck disable=SC2086
	is_verdict $said "$(internet count "${3#::ffff:}" "$2" "$4")" "$5" "$3"
}

# The table of truth: protocol, address, port, and whether it passes with none, list, public, open.
truth='
	tcp 198.51.100.10    80    no no  yes yes
	tcp 198.51.100.10    443   no yes yes yes
	tcp 198.51.100.10    22    no no  no  yes
	tcp 203.0.113.5      8080  no yes no  yes
	tcp 198.51.100.11    443   no no  yes yes
	udp 198.51.100.10    9999  no yes no  yes
	udp 198.51.100.10    443   no no  no  yes
	udp 198.51.100.53    53    no no  yes yes
	tcp 198.51.100.53    8443  no no  no  yes
	tcp 2001:db8:1::10   80    no no  yes yes
	tcp 2001:db8:1::10   443   no yes yes yes
	tcp 2001:db8:1::10   22    no no  no  yes
	tcp 2001:db8:2::5    8080  no no  no  yes
	udp 2001:db8:1::10   9999  no yes no  yes
	udp 2001:db8:1::10   443   no no  no  yes
	tcp 169.254.169.254  80    no no  no  no
	udp 169.254.169.254  123   no no  no  no
	tcp 10.99.0.5        443   no no  no  no
	tcp 172.16.1.1       80    no no  no  no
	tcp 192.168.1.1      80    no no  no  no
	tcp 100.64.1.1       443   no no  no  no
	tcp fd00:ec2::254    80    no no  no  no
	udp fd00:ec2::254    123   no no  no  no
	tcp fd12:3456::1     443   no no  no  no
	tcp 64:ff9b::a63:5   80    no no  no  no
	tcp 2002:a63:5::1    80    no no  no  no
	tcp ::ffff:10.99.0.5 80    no no  no  no'

# Each agent knocks everywhere; then the far end is asked once.
column=0
for agent in none list public open; do
	internet reset
	while read -r protocol address port verdicts; do
		[ -z "$protocol" ] || echo "$protocol $address $port $(inside $agent knock "$protocol" "$address" "$port" 4) $verdicts"
	done <<<"$truth" >"$scratch/$agent.saw"
	internet counters >"$scratch/$agent.arrived"
	while read -r protocol address port outcome took verdicts; do
		read -r -a verdict <<<"$verdicts"
		count=$(awk -v a="${address#::ffff:}" -v p="$protocol" -v n="$port" '$1 == a && $2 == p && $3 == n { s += $4 } END { print s + 0 }' \
			"$scratch/$agent.arrived")
		check "$agent: $protocol $address port $port: ${verdict[column]}" is_verdict "$outcome" "$took" "$count" "${verdict[column]}" "$address"
	done <"$scratch/$agent.saw"
	column=$((column + 1))
done

# --- the floor: nothing at all arrives, whatever the address or protocol --------------------------------------------

floor_is_closed() {
	internet reset
	inside open fork 'import struct
def send(address, port=80):
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
        s = socket.socket(family, kind)
        s.setblocking(False)
        if kind == socket.SOCK_DGRAM:
            s.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
        try:
            s.connect((address, port))
            s.send(b"x")
        except OSError as error:
            pass
for last in ("1", "254"):
    for prefix in ("0.1.2.", "10.0.0.", "10.255.255.", "100.64.0.", "100.127.255.", "169.254.169.", "169.254.0.",
                   "172.16.0.", "172.31.255.", "192.168.0.", "192.168.255.", "224.0.0.", "239.1.2.", "240.0.0.",
                   "255.255.255."):
        send(prefix + last)
for address in ("255.255.255.255", "192.0.2.255", "fc00::1", "fdff::1", "fe80::1%eth0", "ff02::1%eth0", "ff0e::1",
                "fd00:ec2::254", "64:ff9b::a9fe:a9fe", "2002:a9fe:a9fe::1", "::ffff:169.254.169.254"):
    try:
        send(address)
    except OSError as error:
        print(address, error)' || return 1
	sleep 1
	internet counters >"$floor_log"
	lacks . "$(grep -v -e '^ff02::' -e ' ipv6-icmp ' "$floor_log")"
}

other_protocols_are_closed() {
	local said
	internet reset
	said=$(inside open fork 'for family, protocol in ((socket.AF_INET, 1), (socket.AF_INET6, 58), (socket.AF_INET, 132)):
    kind = socket.SOCK_DGRAM if protocol in (1, 58) else socket.SOCK_STREAM
    address = "198.51.100.10" if family == socket.AF_INET else "2001:db8:1::10"
    for kind in (kind, socket.SOCK_RAW):
        try:
            s = socket.socket(family, kind, protocol)
            s.settimeout(1)
            s.sendto(b"\x08\x00\x00\x00\x00\x00\x00\x00", (address, 0))
            print("sent", family, kind, protocol)
        except OSError as error:
            print(error)')
	echo "$said"
	lacks '^198\.51\.100\.10 |^2001:db8:1::10 ' "$(internet counters)"
}

check "open: not one packet to any private, reserved, multicast or broadcast address" floor_is_closed
check "open: neither ICMP nor raw nor any other protocol" other_protocols_are_closed

# --- this host -----------------------------------------------------------------------------------------------------

# A server of the host on all its addresses, which an agent must not reach by any of them.
python3 - <<-'END' &
	import socket, threading
	def serve(sock):
	    while True:
	        try:
	            connection, _ = sock.accept()
	        except OSError:
	            return
	        connection.sendall(b"host")
	        connection.close()
	tcp = socket.create_server(("::", 8099), family=socket.AF_INET6, dualstack_ipv6=True)
	udp = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
	udp.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
	udp.bind(("::", 8099))
	threading.Thread(target=serve, args=(tcp,), daemon=True).start()
	while True:
	    data, peer = udp.recvfrom(64)
	    udp.sendto(b"host", peer)
END
host_server=$!

root_reaches_the_host_server() { exec 5<>/dev/tcp/192.0.2.2/8099; }

host_is_closed() { # AGENT ADDRESS PROTOCOL
	local said
	said=$(inside "$1" knock "$3" "$2" 8099 4)
	# shellcheck disable=SC2086
	refused_at_once $said "$2"
}

need wait_for 60 root_reaches_the_host_server
for agent in none list public open; do
	for address in 192.0.2.2 2001:db8:ffff::2 127.0.0.1 ::1 127.8.9.10 0.0.0.0 ::; do
		for protocol in tcp udp; do
			check "$agent: the host's $protocol server is out of reach by $address" host_is_closed $agent $address $protocol
		done
	done
done

# --- exactly what Allow= says --------------------------------------------------------------------------------------

allow_opens_the_floor_only_there() {
	agent_up exact Network.Egress=list 'Network.Allow=10.99.0.5:443 192.0.2.2:8099 169.254.169.254:80'
	knock exact tcp 10.99.0.5 443 yes
	knock exact tcp 10.99.0.5 80 no
	knock exact tcp 10.99.0.6 443 no
	knock exact udp 10.99.0.5 443 no
	knock exact tcp 169.254.169.254 80 yes
	knock exact tcp 169.254.169.253 80 no
	contains '^answered' "$(inside exact knock tcp 192.0.2.2 8099)"
	lacks '^answered' "$(inside exact knock udp 192.0.2.2 8099)"
	lacks '^answered' "$(inside exact knock tcp 127.0.0.1 8099)"
	agentctl destroy exact
}

wide_allow_does_not_open_the_floor() {
	agent_up wide Network.Egress=list 'Network.Allow=0.0.0.0/0 ::/0'
	knock wide tcp 198.51.100.10 22 yes
	knock wide tcp 2001:db8:1::10 22 yes
	knock wide tcp 10.99.0.5 443 no
	knock wide tcp 169.254.169.254 80 no
	knock wide tcp fd00:ec2::254 80 no
	lacks '^answered' "$(inside wide knock tcp 192.0.2.2 8099)"
	agentctl destroy wide
}

check "Allow= of an address in the floor opens that address, port and protocol, nothing beside it" allow_opens_the_floor_only_there
check "Allow=0.0.0.0/0 does not open the floor" wide_allow_does_not_open_the_floor

# --- users that are no running agents ------------------------------------------------------------------------------

uid_without_a_chain_is_closed() {
	local said
	internet reset
	for address in 198.51.100.10 2001:db8:1::10; do
		said=$(setpriv --reuid 99998 --regid 99998 --clear-groups python3 -c '
import socket, sys, time
s = socket.socket(socket.AF_INET6 if ":" in sys.argv[1] else socket.AF_INET)
s.settimeout(4)
try:
    s.connect((sys.argv[1], 80))
    print("connected")
except OSError as error:
    print("refused", error)' $address)
		contains '^refused' "$said"
		same 0 "$(internet count $address)" "packets that arrived at $address"
	done
}

others_are_left_alone() {
	local user
	for user in root nobody; do
		setpriv --reuid $user --clear-groups curl -sS --max-time 60 http://198.51.100.10/ | grep -q '^echo 198.51.100.10'
		setpriv --reuid $user --clear-groups curl -sS --max-time 60 "http://[2001:db8:1::10]:8080/" | grep -q '^echo 2001'
		setpriv --reuid $user --clear-groups curl -sS --max-time 60 http://10.99.0.5/ | grep -q '^echo 10.99.0.5'
	done
}

check "a UID of the range without a chain is refused everything" uid_without_a_chain_is_closed
check "root and other users reach whatever they did" others_are_left_alone

# --- what is counted and logged ------------------------------------------------------------------------------------

refusals_are_counted() {
	local before after
	before=$(agentctl status --json=short list | jq '.[0].network.refused.packets')
	inside list knock tcp 198.51.100.99 80
	after=$(agentctl status --json=short list | jq '.[0].network.refused.packets')
	echo "refused before: $before, after: $after"
	[ "$after" -gt "$before" ] || fail "the refusal was not counted"
}

refusals_are_logged_at_a_rate() {
	local lines uid
	uid=$(uid_of list)
	inside list fork 'for i in range(400):
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    try:
        s.sendto(b"x", ("198.51.100.99", 1000 + i))
    except OSError:
        pass'
	lines=$(journalctl -k --no-pager | grep -cE "198\.51\.100\.99.*UID=$uid|UID=$uid.*198\.51\.100\.99" || true)
	echo "$lines lines"
	[ "$lines" -ge 1 ] || fail "no line in the kernel's log"
	[ "$lines" -le 100 ] || fail "a refused agent can flood the log"
}

check "refusals are counted" refusals_are_counted
check "refusals are logged, at a limited rate" refusals_are_logged_at_a_rate

kill $host_server
suite_end
