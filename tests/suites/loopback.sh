#!/bin/bash
# Own loopback: an agent reaches its own servers on 127.0.0.1 and ::1, and neither the host's nor another agent's.
# shellcheck source=tests/suites/lib.sh
. "$(dirname "$0")/lib.sh"

need agent_up one Network.Egress=none
need agent_up two Network.Egress=open
for protocol in tcp udp; do
	for address in 127.0.0.1 ::1; do
		need inside one listen $protocol $address 9001
		need inside two listen $protocol $address 9002
	done
done

# Servers of the host, on ports of their own.
python3 - <<-'END' &
	import socket, threading
	def udp(sock):
	    while True:
	        data, peer = sock.recvfrom(64)
	        sock.sendto(data, peer)
	def tcp(sock):
	    while True:
	        connection, _ = sock.accept()
	        connection.send(connection.recv(64))
	        connection.close()
	for family, address in ((socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1")):
	    server = socket.create_server((address, 9003), family=family)
	    threading.Thread(target=tcp, args=(server,)).start()
	    server = socket.socket(family, socket.SOCK_DGRAM)
	    server.bind((address, 9003))
	    threading.Thread(target=udp, args=(server,)).start()
END
host_server=$!

reaches() { # AGENT PROTOCOL ADDRESS PORT
	local said
	said=$(inside "$1" knock "${@:2}")
	contains '^answered ' "$said"
}

does_not_reach() { # AGENT PROTOCOL ADDRESS PORT
	local said
	said=$(inside "$1" knock "$2" "$3" "$4" 4)
	# shellcheck disable=SC2086
	refused_at_once $said "$3"
}

root_reaches() { # PROTOCOL ADDRESS PORT
	local answer
	answer=$(echo knock | socat -t 20 - "${1^^}${4:-4}:$2:$3,shut-none" | head -n 1)
	same knock "$answer" "$1 $2 port $3"
}

check_all() { # FUNCTION AGENT PORT TEXT
	local protocol address
	for protocol in tcp udp; do
		for address in 127.0.0.1 ::1; do
			check "$2 $4: $protocol $address" "$1" "$2" $protocol $address "$3"
		done
	done
}

host_is_up() { exec 5<>/dev/tcp/127.0.0.1/9003; }
need wait_for 60 host_is_up
check_all reaches one 9001 "reaches its own server"
check_all reaches two 9002 "reaches its own server"
check_all does_not_reach one 9002 "does not reach another agent's server"
check_all does_not_reach two 9001 "does not reach another agent's server"
check_all does_not_reach one 9003 "does not reach the host's server"
check_all does_not_reach two 9003 "does not reach the host's server"
check_all does_not_reach two 9009 "is refused quickly where nobody listens"

for port in 9001 9002 9003; do
	check "root reaches port $port: tcp 127.0.0.1" root_reaches tcp 127.0.0.1 $port
	check "root reaches port $port: udp 127.0.0.1" root_reaches udp 127.0.0.1 $port
	check "root reaches port $port: tcp ::1" root_reaches tcp '[::1]' $port 6
	check "root reaches port $port: udp ::1" root_reaches udp '[::1]' $port 6
done

by_other_addresses() { # an agent's server on all addresses is not reached by the other's detours
	local address
	inside one listen tcp 0.0.0.0 9004
	for address in 127.0.0.1 127.1.2.3 192.0.2.2 0.0.0.0; do
		does_not_reach two tcp $address 9004
	done
	contains '^answered' "$(inside one knock tcp 127.0.0.1 9004)"
}

after_a_restart() {
	agentctl stop one
	agent_start one
	rm -f "$workspaces/one/work/ready"
	agentctl restart one
	agent_ready one
	inside one listen tcp 127.0.0.1 9001
	reaches one tcp 127.0.0.1 9001
	does_not_reach one tcp 127.0.0.1 9002
	does_not_reach two tcp 127.0.0.1 9001
}

after_systemd_restarts_it() {
	agent_up again Service.Restart=always Service.RestartSec=100ms
	rm -f "$workspaces/again/work/ready"
	kill -KILL "$(unit_property agent-again.service MainPID)"
	agent_ready again
	inside again listen tcp 127.0.0.1 9005
	reaches again tcp 127.0.0.1 9005
	does_not_reach again tcp 127.0.0.1 9002
	agentctl destroy again
}

many_connections() { # the first packet decides; every packet of the rest must pass
	inside one py 'import threading
server = socket.create_server(("127.0.0.1", 9006))
def serve():
    while True:
        connection, _ = server.accept()
        with connection:
            size = 0
            while data := connection.recv(65536):
                size += len(data)
threading.Thread(target=serve, daemon=True).start()'
	same 20 "$(inside one py 'done = 0
for _ in range(20):
    with socket.create_connection(("127.0.0.1", 9006), timeout=20) as s:
        s.sendall(bytes(300000))
    done += 1
print(done)')" "connections"
}

check "an agent's server on 0.0.0.0 is out of another's reach by every address" by_other_addresses
check "own loopback after a restart" after_a_restart
check "own loopback after systemd has restarted the agent" after_systemd_restarts_it
check "own loopback carries many connections and large ones" many_connections

loopback_none() {
	agent_up mute Network.Loopback=none
	inside mute listen tcp 127.0.0.1 9007
	inside mute listen udp ::1 9007
	does_not_reach mute tcp 127.0.0.1 9007
	does_not_reach mute udp ::1 9007
	agentctl destroy mute
}

loopback_host() {
	agent_up guest Network.Loopback=host
	reaches guest tcp 127.0.0.1 9003
	reaches guest udp ::1 9003
	agentctl destroy guest
}

check "Loopback=none closes even the agent's own servers" loopback_none
check "Loopback=host opens the host's servers" loopback_host

kill $host_server
suite_end
