"""Two namespaces joined by a link: this one is the host with the agents' rules, the far one answers for every address
outside and counts what arrives there. Children run as any UID, in any namespace and cgroup."""
import ctypes
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import traceback

HOST4, HOST6 = "192.0.2.2", "2001:db8:ffff::2"
PORTS_TCP = (22, 25, 53, 80, 443, 5432, 8000, 8010, 8011, 9000)
PORTS_ORPHAN = (7000, 7001)  # a closed socket goes on sending for minutes, into the checks after its own
PORTS_UDP = (53, 123, 443, 9000)
CLONE_NEWNET = 0x40000000
PR_SET_PDEATHSIG = 1
libc = ctypes.CDLL(None, use_errno=True)

COUNTERS = """
table inet seen {
    set seen4 { type ipv4_addr . inet_proto . inet_service; size 65535; flags dynamic; counter; }
    set seen6 { type ipv6_addr . inet_proto . inet_service; size 65535; flags dynamic; counter; }
    counter other { }
    counter octets { }
    chain arrived {
        type filter hook prerouting priority raw; policy accept;
        iifname != "wan" accept
        icmpv6 type { nd-router-solicit, nd-neighbor-solicit, nd-neighbor-advert, mld-listener-report, mld2-listener-report } accept
        counter name "octets"
        icmp type destination-unreachable accept
        icmpv6 type destination-unreachable accept
        meta nfproto ipv4 meta l4proto { tcp, udp } update @seen4 { ip daddr . meta l4proto . th dport } accept
        meta nfproto ipv6 meta l4proto { tcp, udp } update @seen6 { ip6 daddr . meta l4proto . th dport } accept
        counter name "other"
    }
}
"""


def sh(*command, data=None, check=True):
    r = subprocess.run(command, input=data, capture_output=True, text=True)
    if check and r.returncode != 0:
        raise RuntimeError(f"{' '.join(command)}: {r.stderr.strip()}")
    return r.stdout


def wait_for(condition, seconds=10):
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(0.02)
    return True


class Child:
    """A function in a process of its own; it may say() things before it returns. hear() takes the next of them."""

    def __init__(self, function, args, prepare):
        read, write = os.pipe()
        sys.stdout.flush()
        self.pid = os.fork()
        if self.pid == 0:
            status = 0
            try:
                os.close(read)
                libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
                out = os.fdopen(write, "w", buffering=1)
                prepare()
                say = lambda value: out.write(json.dumps(value) + "\n")
                say(function(say, *args))
            except BaseException:
                out.write(json.dumps({"error": traceback.format_exc()}) + "\n")
                status = 1
            os._exit(status)
        os.close(write)
        self.input = os.fdopen(read)

    def hear(self):
        line = self.input.readline()
        if not line:
            raise RuntimeError("the child ended without an answer")
        value = json.loads(line)
        if isinstance(value, dict) and "error" in value:
            raise RuntimeError(value["error"])
        return value

    def stop(self):
        if self.pid:
            os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)
            self.input.close()
            self.pid = 0


class World:
    def __init__(self, driver):
        self.driver = driver
        self.children = []
        self.cgroups = None
        self.far = subprocess.Popen(["setpriv", "--pdeathsig", "KILL", "unshare", "-n", "sleep", "infinity"],
                                    stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        mine = os.readlink("/proc/self/ns/net")
        wait_for(lambda: os.readlink(f"/proc/{self.far.pid}/ns/net") != mine)
        self.far_fd = os.open(f"/proc/{self.far.pid}/ns/net", os.O_RDONLY)
        self.make_link()
        self.servers = self.start(None, serve_far, far=True)
        self.servers.hear()
        self.children.remove(self.servers)
        for address in ("192.0.2.1", "2001:db8:ffff::1"):
            if not wait_for(lambda: self.call(None, connect, address, 80)[0] == "connected"):
                raise RuntimeError(f"{address} is not reached without any rules")

    def make_link(self):
        sh("ip", "link", "add", "eth0", "type", "veth", "peer", "name", "wan", "netns", str(self.far.pid))
        for command in (f"address add {HOST4}/24 dev eth0", f"address add {HOST6}/64 dev eth0 nodad",
                        "link set lo up", "link set eth0 up", "route add default via 192.0.2.1"):
            sh("ip", *command.split())
        for command in ("address add 192.0.2.1/24 dev wan", "address add 2001:db8:ffff::1/64 dev wan nodad",
                        "link set lo up", "link set wan up"):
            self.sh_far("ip", *command.split())
        sh("ip", "-6", "route", "add", "default", "via", "2001:db8:ffff::1")
        # Every address but the host's is the far namespace's own.
        self.sh_far("ip", "route", "add", f"{HOST4}/32", "dev", "wan", "table", "local")
        self.sh_far("ip", "-6", "route", "add", f"{HOST6}/128", "dev", "wan", "table", "local")
        for family in ("-4", "-6"):
            self.sh_far("ip", family, "route", "add", "local", "default", "dev", "lo", "table", "local")
        self.sh_far("sh", "-c", "for i in all wan; do echo 0 >/proc/sys/net/ipv4/conf/$i/rp_filter; done")
        self.sh_far("nft", "-f", "-", data=COUNTERS)

    def sh_far(self, *command, data=None):
        return sh("nsenter", "-t", str(self.far.pid), "-n", *command, data=data)

    def reset(self):
        for child in self.children:
            child.stop()
        self.children = []
        sh("nft", "flush", "ruleset")

    def close(self):
        self.reset()
        self.servers.stop()
        self.far.kill()
        self.far.wait()
        if self.cgroups:
            for path in (*self.slices.values(), self.agents_slice):
                wait_for(lambda: remove_directory(path))
            sh("umount", self.cgroups)
            os.rmdir(self.cgroups)

    # --- rules ----------------------------------------------------------------------------------------------------

    def drive(self, verb, name, uid, egress="public", loopback="own", slice_id=0, allow=()):
        r = subprocess.run([self.driver, verb, name, str(uid), egress, loopback, str(slice_id), *allow],
                           capture_output=True, text=True)
        if r.returncode != 0:
            raise RuntimeError(f"{verb} {name}: {r.stderr.strip()}")
        return r.stdout.strip()

    def install(self, name, uid, egress="public", loopback="own", slice_id=0, allow=()):
        self.drive("install", name, uid, egress, loopback, slice_id, allow)

    # --- cgroups --------------------------------------------------------------------------------------------------

    def slice_id(self, name):
        """The id of a cgroup like agents.slice/agents-NAME.slice. It has no controllers and goes with the test."""
        if not self.cgroups:
            self.cgroups = tempfile.mkdtemp()
            self.slices = {}
            if subprocess.run(["mount", "-t", "cgroup2", "none", self.cgroups], capture_output=True).returncode != 0:
                os.rmdir(self.cgroups)
                self.cgroups = None
                return 0
            self.agents_slice = tempfile.mkdtemp(prefix="agentctl-test-", dir=self.cgroups)
        if name not in self.slices:
            self.slices[name] = os.path.join(self.agents_slice, f"agents-{name}.slice")
            os.mkdir(self.slices[name])
        return os.stat(self.slices[name]).st_ino

    # --- children -------------------------------------------------------------------------------------------------

    def start(self, uid, function, *args, far=False, slice=None):
        def prepare():
            if slice:
                with open(os.path.join(self.slices[slice], "cgroup.procs"), "w") as f:
                    f.write(str(os.getpid()))
            if far and libc.setns(self.far_fd, CLONE_NEWNET) != 0:
                raise OSError(ctypes.get_errno(), "setns")
            if uid:
                os.setgroups([])
                os.setgid(uid)
                os.setuid(uid)
        child = Child(function, args, prepare)
        self.children.append(child)
        return child

    def call(self, uid, function, *args, far=False, slice=None):
        child = self.start(uid, function, *args, far=far, slice=slice)
        value = child.hear()
        self.children.remove(child)
        child.stop()
        return value

    # --- what arrived at the far end --------------------------------------------------------------------------------

    def forget(self):
        for name in ("seen4", "seen6"):
            self.sh_far("nft", "flush", "set", "inet", "seen", name)
        self.sh_far("nft", "reset", "counters", "table", "inet", "seen")

    def arrived(self):
        """{(address, protocol, port): packets}; everything that is neither TCP nor UDP under "other"."""
        seen = {}
        text = self.sh_far("nft", "list", "table", "inet", "seen")
        for a, protocol, port, n in re.findall(r"([0-9a-f.:]+) \. (\w+) \. (\w+) counter packets (\d+)", text):
            port = int(port) if port.isdigit() else socket.getservbyname(port)
            if port not in PORTS_ORPHAN:
                # names come from /etc/protocols, which not every machine has
                seen[a, {"6": "tcp", "17": "udp"}.get(protocol, protocol), port] = int(n)
        other = int(re.search(r"counter other \{\s*packets (\d+)", text)[1])
        if other:
            seen["other"] = other
        return seen

    def arrived_bytes(self):
        text = self.sh_far("nft", "list", "counter", "inet", "seen", "octets")
        return int(re.search(r"bytes (\d+)\s*\}", text)[1])


def remove_directory(path):
    try:
        os.rmdir(path)
    except OSError:
        return not os.path.exists(path)
    return True


# --- what children do ---------------------------------------------------------------------------------------------

def family_of(address):
    return socket.AF_INET6 if ":" in address else socket.AF_INET


def serve(listening, datagrams):
    """Echoes on every socket, until it is killed."""
    import selectors
    selector = selectors.DefaultSelector()
    for s in listening + datagrams:
        selector.register(s, selectors.EVENT_READ)
    while True:
        for key, _ in selector.select():
            s = key.fileobj
            if s in listening:
                selector.register(s.accept()[0], selectors.EVENT_READ)
            elif s in datagrams:
                data, peer = s.recvfrom(2048)
                try:
                    s.sendto(data, peer)
                except OSError:
                    pass
            else:
                try:
                    data = s.recv(65536)
                    if data and len(data) < 1000:
                        s.sendall(data)
                except OSError:
                    data = b""
                if not data:
                    selector.unregister(s)
                    s.close()


def make_server(address, port, kind):
    s = socket.socket(family_of(address), kind)
    if ":" in address:
        s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    s.bind((address, port))
    if kind == socket.SOCK_STREAM:
        s.listen(64)
    return s


def serve_far(say):
    # A datagram must be answered from the address it was sent to: connected sockets would do, one reply hook is
    # enough here, because the tests only look at what arrives.
    listening = [make_server(a, p, socket.SOCK_STREAM) for a in ("0.0.0.0", "::") for p in PORTS_TCP]
    datagrams = [make_server(a, p, socket.SOCK_DGRAM) for a in ("0.0.0.0", "::") for p in PORTS_UDP]
    say("up")
    serve(listening, datagrams)


def serve_here(say, addresses, port):
    """TCP and UDP on that port; says "up", then echoes."""
    say_sockets = [make_server(a, port, socket.SOCK_STREAM) for a in addresses]
    datagrams = [make_server(a, port, socket.SOCK_DGRAM) for a in addresses]
    say("up")
    serve(say_sockets, datagrams)


def connection(address, port):
    s = socket.socket(family_of(address), socket.SOCK_STREAM)
    s.settimeout(8)
    s.connect((address, port))
    return s


def connect(say, address, port):
    """("connected" or the errno's name, seconds)."""
    import errno
    s = socket.socket(family_of(address), socket.SOCK_STREAM)
    s.settimeout(8)
    begin = time.monotonic()
    try:
        s.connect((address, port))
        s.sendall(b"hello")
        result = "connected" if s.recv(100) == b"hello" else "closed"
    except TimeoutError:
        result = "timeout"
    except OSError as e:
        result = errno.errorcode.get(e.errno, str(e))
    return result, time.monotonic() - begin


def send(say, address, port, answer=False):
    """("sent", "answered" or the errno's name, seconds); waits for an answer of 2 s at most if asked to."""
    import errno
    s = socket.socket(family_of(address), socket.SOCK_DGRAM)
    s.settimeout(2)
    begin = time.monotonic()
    try:
        s.connect((address, port))
        s.send(b"hello")
        result = "sent"
        if answer:
            result = "answered" if s.recv(100) == b"hello" else "garbled"
    except TimeoutError:
        result = "timeout"
    except OSError as e:
        result = errno.errorcode.get(e.errno, str(e))
    return result, time.monotonic() - begin
