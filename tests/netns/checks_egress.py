"""What leaves, counted where it arrives; how fast a refusal is; what happens to what is open when a policy changes."""
import socket
import time

from tap import equal, ok
from world import HOST4, HOST6, PORTS_ORPHAN, connect, connection, send, wait_for

AGENT = 65536
OUTSIDE4, OUTSIDE6 = "198.51.100.1", "2001:db8:1::1"
FLOOR4 = ("10.0.0.5", "100.64.0.1", "169.254.169.254", "172.16.0.1", "192.168.1.1", "198.18.0.1", "192.0.0.192", "240.0.0.1",
          "192.0.2.255")
FLOOR6 = ("fd00:ec2::254", "64:ff9b::a00:5", "2002:a00:5::1", "2001::1", "fec0::1", "::a00:5")
FAST = 1.0
# An ICMP error that meets an IPv6 connect at work is heeded at its first retransmission, after a second.
FAST_TCP6_ICMP = 2.5


def refused(w, uid, function, address, port, what):
    w.forget()
    result, seconds = w.call(uid, function, address, port)
    kind = "tcp" if function is connect else "udp"
    by_icmp = kind == "tcp" and ":" in address and result == "EACCES"
    ok(result not in ("connected", "sent", "timeout") and seconds < (FAST_TCP6_ICMP if by_icmp else FAST),
       f"{what}: {kind} {address} {port} refused at once", f"{result} after {seconds:.3f} s")
    equal(w.arrived(), {}, f"{what}: nothing arrived for {kind} {address} {port}")


def accepted(w, uid, function, address, port, what):
    w.forget()
    result, seconds = w.call(uid, function, address, port)
    kind = "tcp" if function is connect else "udp"
    ok(result in ("connected", "sent"), f"{what}: {kind} {address} {port} is reached", f"{result} after {seconds:.3f} s")
    ok(wait_for(lambda: w.arrived().get((address, kind, port), 0) > 0, 2), f"{what}: {kind} {address} {port} arrived", w.arrived())


def refuses_the_floor(w, what):
    for address in FLOOR4 + FLOOR6:
        refused(w, AGENT, connect, address, 80, what)
    for address in (FLOOR4[0], FLOOR6[0], "224.0.0.251", "ff02::fb%eth0"):
        refused(w, AGENT, send, address, 53, what)
    for address in (HOST4, HOST6):
        refused(w, AGENT, connect, address, 80, what + ", this host's own address")
        refused(w, AGENT, send, address, 53, what + ", this host's own address")


def check_public(w):
    w.install("coder", AGENT, "public")
    for address in (OUTSIDE4, OUTSIDE6, "203.0.113.7"):
        accepted(w, AGENT, connect, address, 80, "public")
        accepted(w, AGENT, connect, address, 443, "public")
        for port in (22, 8000):
            refused(w, AGENT, connect, address, port, "public")
        for port in (53, 443):
            refused(w, AGENT, send, address, port, "public")
    refuses_the_floor(w, "public")


def check_open(w):
    w.install("coder", AGENT, "open")
    for address in (OUTSIDE4, OUTSIDE6):
        for port in (22, 443, 8000):
            accepted(w, AGENT, connect, address, port, "open")
        accepted(w, AGENT, send, address, 123, "open")
    refuses_the_floor(w, "open")


def check_other_protocols(w):
    """TCP and UDP only, even where the agent could make another socket."""
    w.install("coder", AGENT, "open")
    for kind, protocol, address in ((socket.SOCK_DGRAM, 136, OUTSIDE4), (socket.SOCK_DGRAM, 136, OUTSIDE6),
                                    (socket.SOCK_DGRAM, socket.IPPROTO_ICMP, OUTSIDE4)):
        w.forget()
        result = w.call(AGENT, send_protocol, kind, protocol, address)
        ok(result != "sent" or protocol == socket.IPPROTO_ICMP, f"open: protocol {protocol} to {address}", result)
        equal(w.arrived().get("other"), None, f"open: nothing of protocol {protocol} arrived at {address}")


def send_protocol(say, kind, protocol, address):
    try:
        s = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, kind, protocol)
        s.sendto(b"\x08\x00\xf7\xff\x00\x00\x00\x00", (address, 9000))
    except OSError as e:
        return str(e)
    return "sent"


def check_none(w):
    w.install("coder", AGENT, "none", "none", 0, (f"{OUTSIDE4}:80", "10.0.0.5:80"))
    for address in (OUTSIDE4, OUTSIDE6, "10.0.0.5", "127.0.0.1", "::1"):
        refused(w, AGENT, connect, address, 80, "none")
        refused(w, AGENT, send, address, 53, "none")


def check_list(w):
    allow = ("198.51.100.0/24:8000-8010,443", "[2001:db8:1::]/48:443", "10.0.0.0/24:80", "[fd00:ec2::254]:80",
             "10.9.0.5:53/udp", "0.0.0.0/0:22", f"{HOST4}:8000", "192.0.2.0/24:9000")
    w.install("coder", AGENT, "list", "own", 0, allow)
    for address, port in ((OUTSIDE4, 8000), (OUTSIDE4, 8010), (OUTSIDE4, 443), (OUTSIDE6, 443), ("10.0.0.5", 80),
                          ("fd00:ec2::254", 80), ("203.0.113.7", 22), (OUTSIDE4, 22)):
        accepted(w, AGENT, connect, address, port, "list")
    accepted(w, AGENT, send, "10.9.0.5", 53, "list")
    for address, port in ((OUTSIDE4, 8011), (OUTSIDE4, 80), ("203.0.113.7", 443), (OUTSIDE6, 80), ("2001:db8:2::1", 443),
                          ("10.0.1.5", 80), ("10.0.0.5", 22), ("10.0.0.5", 443), ("fd00:ec2::255", 80), ("10.9.0.5", 53),
                          ("192.168.1.1", 22), ("169.254.169.254", 22), (HOST4, 22), (HOST4, 9000)):
        refused(w, AGENT, connect, address, port, "list")
    for address, port in (("10.9.0.6", 53), (OUTSIDE4, 443)):
        refused(w, AGENT, send, address, port, "list")
    server = w.start(None, serve_host, 8000)
    server.hear()
    equal(w.call(AGENT, connect, HOST4, 8000)[0], "connected", "list: an Allow= of this host's very address opens it")


def serve_host(say, port):
    from world import serve_here
    return serve_here(say, ("0.0.0.0", "::"), port)


def check_strangers(w):
    """A UID of the range without a chain, beside an agent: nothing at all, loopback included."""
    w.install("coder", AGENT, "open", "host")
    w.start(None, serve_host, 8000).hear()
    for uid in (65537, 99999):
        for address in (OUTSIDE4, OUTSIDE6, HOST4, HOST6, "127.0.0.1", "::1"):
            refused(w, uid, connect, address, 8000, f"UID {uid}")
            refused(w, uid, send, address, 53, f"UID {uid}")


def check_others(w):
    """Everybody else reaches everything, and is not even marked."""
    w.install("coder", AGENT, "none", "none")
    w.start(None, serve_host, 8000).hear()
    for uid in (None, 1000, 65535, 100000):
        for address in (OUTSIDE4, OUTSIDE6, "10.0.0.5", "169.254.169.254", "fd00:ec2::254"):
            accepted(w, uid, connect, address, 8000, f"UID {uid or 0}")
            accepted(w, uid, send, address, 123, f"UID {uid or 0}")
        for address in (HOST4, HOST6, "127.0.0.1", "::1"):
            equal(w.call(uid, connect, address, 8000)[0], "connected", f"UID {uid or 0} reaches {address}")


def check_reused_flow(w):
    """A flow that began as an agent's and goes on as somebody else's is not the agent's any more."""
    w.install("coder", AGENT, "open")
    w.call(AGENT, send_from, 40001, OUTSIDE4, 9000)
    w.install("coder", AGENT, "none")
    w.forget()
    equal(w.call(AGENT, send_from, 40001, OUTSIDE4, 9000) == "sent", False, "the agent may not go on")
    equal(w.arrived(), {}, "nothing arrived")
    equal(w.call(1000, send_from, 40001, OUTSIDE4, 9000), "sent", "another user with the same ports may")
    ok(wait_for(lambda: w.arrived().get((OUTSIDE4, "udp", 9000)), 2), "and it arrived", w.arrived())


def send_from(say, source, address, port):
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.bind(("0.0.0.0", source))
    try:
        s.sendto(b"x", (address, port))
    except OSError as e:
        return str(e)
    return "sent"


def check_established(w):
    """Tightening ends what is open, at once and with an error."""
    for address in (OUTSIDE4, OUTSIDE6):
        w.install("coder", AGENT, "open")
        child = w.start(AGENT, talk, address, 8000)
        equal(child.hear(), "connected", f"a connection to {address} is open")
        w.install("coder", AGENT, "public")
        result, seconds = child.hear()
        ok(result in ("ECONNRESET", "ECONNREFUSED", "EPIPE", "closed") and seconds < FAST,
           f"tightened: the connection to {address} ends with an error at once", f"{result} after {seconds:.3f} s")


def talk(say, address, port):
    """Says "connected", then exchanges words until that fails: (how, seconds of the last exchange)."""
    import errno
    s = connection(address, port)
    s.sendall(b"one")
    s.recv(100)
    say("connected")
    while True:
        begin = time.monotonic()
        try:
            s.sendall(b"two")
            if not s.recv(100):
                return "closed", time.monotonic() - begin
        except OSError as e:
            return errno.errorcode.get(e.errno, str(e)), time.monotonic() - begin
        time.sleep(0.05)


def check_orphans(w):
    """What a closed socket still sends is judged, too: the kernel has no owner for it any more."""
    size = 150_000  # fits into what an ordinary user may have as a send buffer, and is far beyond the window
    for address in (OUTSIDE4, OUTSIDE6):
        for egress, port in zip(("open", "none"), PORTS_ORPHAN):
            w.install("coder", AGENT, "open")
            sink = w.start(None, slow_sink, address, port, size, far=True)
            sink.hear()
            w.call(AGENT, write_and_close, address, port, size)
            equal(sink.hear(), "connected", f"{address}: {size} bytes were written and the socket is closed")
            if egress == "none":
                w.install("coder", AGENT, "none")
                w.forget()
            before = int(w.drive("counters", "coder", AGENT).split()[1])
            got = go_on(sink)
            after = int(w.drive("counters", "coder", AGENT).split()[1])
            if egress == "open":
                equal(got, size, f"{address}: while it is allowed all of it arrives")
                ok(after - before > 5, f"{address}: and is counted as the agent's", f"{after - before} packets")
            else:
                ok(got < size, f"{address}: once it is forbidden the rest does not", f"{got} of {size}")
                equal(w.arrived_bytes() < 2000, True, f"{address}: nothing of it even leaves")
                equal(after, before, f"{address}: and nothing is accepted")


def go_on(sink):
    import os
    import signal
    os.kill(sink.pid, signal.SIGUSR1)
    return sink.hear()


def slow_sink(say, address, port, size):
    """Accepts one connection with a small window, waits for SIGUSR1, then reads what comes within two quiet seconds."""
    import signal
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGUSR1})
    s = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8192)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    s.bind(("::" if ":" in address else "0.0.0.0", port))
    s.listen(1)
    say("up")
    peer = s.accept()[0]
    say("connected")
    signal.sigwait({signal.SIGUSR1})
    peer.settimeout(2)
    got = 0
    try:
        while got < size:
            data = peer.recv(65536)
            if not data:
                break
            got += len(data)
    except OSError:
        pass
    return got


def write_and_close(say, address, port, size):
    s = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 2 * size)
    s.settimeout(8)
    s.connect((address, port))
    s.sendall(b"x" * size)
    s.close()
    return "closed"


def check_inbound(w):
    """Nobody outside reaches an agent's server, by either of two mechanisms; everybody else's stays reachable."""
    for slice_name in (None, "coder"):
        slice_id = w.slice_id(slice_name) if slice_name else 0
        what = "by the receiver's slice" if slice_id else "by the answer"
        if slice_name and not slice_id:
            continue
        w.install("coder", AGENT, "open", "own", slice_id)
        server = w.start(AGENT, record_datagrams, 8001, slice=slice_name if slice_id else None)
        server.hear()
        w.start(None, serve_host, 8002).hear()
        for address in (HOST4, HOST6):
            result, seconds = w.call(None, connect, address, 8001, far=True)
            ok(result != "connected", f"inbound, {what}: {address} 8001 refused", result)
            if slice_id:
                ok(seconds < FAST, f"inbound, {what}: at once", f"{result} after {seconds:.3f} s")
            result, _ = w.call(None, send, address, 8001, True, far=True)
            ok(result != "answered", f"inbound, {what}: {address} 8001 answers no datagram", result)
            equal(w.call(None, connect, address, 8002, far=True)[0], "connected", f"inbound: root's server at {address} is reached")
            equal(w.call(None, connect, address, 8001)[0], "connected", f"inbound: root on this host reaches it at {address}")
        w.reset()


def record_datagrams(say, port):
    from world import serve_here
    return serve_here(say, ("0.0.0.0", "::"), port)


def check_refusals_are_as_fast(w):
    """Beside an allowed connect: no kind of refusal takes more than a fraction of a second longer."""
    w.install("coder", AGENT, "public", "own")
    allowed = max(w.call(AGENT, connect, address, 80)[1] for address in (OUTSIDE4, OUTSIDE6))
    worst = worst_by_icmp = 0, ""
    for function in (connect, send):
        for address, port in ((OUTSIDE4, 22), (OUTSIDE6, 22), ("10.0.0.5", 80), ("fd00:ec2::254", 80), (HOST4, 80), (HOST6, 80),
                              ("127.0.0.1", 9999), ("::1", 9999), ("127.0.0.53", 53)):
            for _ in range(3):
                result, seconds = w.call(AGENT, function, address, port)
                took = seconds, f"{function.__name__} {address} {port}: {result}"
                if function is connect and ":" in address and result == "EACCES":
                    worst_by_icmp = max(worst_by_icmp, took)
                else:
                    worst = max(worst, took)
    ok(worst_by_icmp[0] < FAST_TCP6_ICMP, "the slowest refusal of an IPv6 connect by an ICMP error", f"{worst_by_icmp}")
    ok(worst[0] < allowed + 0.5, "the slowest refusal", f"{worst}, an allowed connect {allowed:.4f} s")
