"""Own loopback, the host's and none, with real cgroups like those of the slices."""
import socket
import time

from checks_egress import FAST, FAST_TCP6_ICMP, talk
from tap import Skip, equal, ok
from world import HOST4, HOST6, connect, connection, send, serve_here

CODER, SCRIBE = 65536, 65537
LOOPBACK = ("127.0.0.1", "::1")


def servers(w, coder, scribe=("public", "own")):
    """Servers of the host (9001), of coder (9002) and of scribe (9003), on every address."""
    ids = {name: w.slice_id(name) for name in ("coder", "scribe")}
    if not all(ids.values()):
        raise Skip("no cgroup v2 here: the virtual machines' suites test this")
    w.install("coder", CODER, *coder[:2], ids["coder"], *coder[2:])
    w.install("scribe", SCRIBE, *scribe, ids["scribe"])
    w.start(None, serve_here, ("0.0.0.0", "::"), 9001).hear()
    w.start(CODER, serve_here, ("0.0.0.0", "::"), 9002, slice="coder").hear()
    w.start(SCRIBE, serve_here, ("0.0.0.0", "::"), 9003, slice="scribe").hear()
    return ids


def reaches(w, address, port, what):
    equal(w.call(CODER, connect, address, port, slice="coder")[0], "connected", f"{what}: tcp {address} {port} is reached")
    equal(w.call(CODER, send, address, port, True, slice="coder")[0], "answered", f"{what}: udp {address} {port} answers")


def does_not_reach(w, address, port, what):
    for function, good in ((connect, "connected"), (send, "answered")):
        args = (True,) if function is send else ()
        result, seconds = w.call(CODER, function, address, port, *args, slice="coder")
        by_icmp = function is connect and ":" in address and result == "EACCES"
        ok(result not in (good, "timeout", "sent") and seconds < (FAST_TCP6_ICMP if by_icmp else FAST),
           f"{what}: {function.__name__} {address} {port} refused at once", f"{result} after {seconds:.3f} s")


def check_own(w):
    servers(w, ("public", "own"))
    for address in LOOPBACK:
        reaches(w, address, 9002, "own server")
        does_not_reach(w, address, 9001, "the host's server")
        does_not_reach(w, address, 9003, "another agent's server")
        does_not_reach(w, address, 9009, "a closed port")
    for address in (HOST4, HOST6):
        for port in (9001, 9002, 9003):
            does_not_reach(w, address, port, "this host's own address")
    equal(w.call(CODER, connect, "127.9.9.9", 9002, slice="coder")[0], "connected", "any address of loopback is reached")


def check_root_reaches_all(w):
    servers(w, ("public", "own"))
    for uid in (None, 1000):
        for address in LOOPBACK + (HOST4, HOST6):
            for port in (9001, 9002, 9003):
                equal(w.call(uid, connect, address, port)[0], "connected", f"UID {uid or 0} reaches {address} {port}")
                equal(w.call(uid, send, address, port, True)[0], "answered", f"and is answered by udp {address} {port}")


def check_none_at_all(w):
    servers(w, ("public", "none"))
    for address in LOOPBACK:
        for port in (9001, 9002, 9003):
            does_not_reach(w, address, port, "Loopback=none")
        ok(w.call(None, connect, address, 9002)[0] != "connected", f"Loopback=none: its server at {address} answers nobody")


def check_host(w):
    servers(w, ("public", "host"))
    for address in LOOPBACK:
        reaches(w, address, 9001, "Loopback=host: the host's server")
        reaches(w, address, 9002, "Loopback=host: its own server")
        does_not_reach(w, address, 9003, "Loopback=host: another agent's server")
        equal(w.call(CODER, connect, address, 9009, slice="coder")[0], "ECONNREFUSED", "Loopback=host: a closed port")
    for address in (HOST4, HOST6):
        does_not_reach(w, address, 9001, "Loopback=host: this host's own address")


def check_allow_here(w):
    """Allow= of a loopback address, or of this host's own: the host's server there, never another agent's."""
    allow = ("127.0.0.1:9001", "127.0.0.1:9003", f"{HOST4}:9001", f"{HOST4}:9003", "[::1]:9001")
    servers(w, ("list", "own", allow))
    for address in ("127.0.0.1", HOST4, "::1"):
        equal(w.call(CODER, connect, address, 9001, slice="coder")[0], "connected", f"Allow={address}:9001 reaches the host's")
    for address in ("127.0.0.1", HOST4):
        result, seconds = w.call(CODER, connect, address, 9003, slice="coder")
        ok(result != "connected" and seconds < FAST, f"Allow={address}:9003 does not reach another agent's", result)
    does_not_reach(w, "::1", 9003, "what is not allowed")


def check_no_slice(w):
    """Before the slice is known nothing on loopback is reached."""
    ids = servers(w, ("public", "own"))
    w.install("coder", CODER, "public", "own", 0)
    for address in LOOPBACK:
        for port in (9001, 9002, 9003):
            does_not_reach(w, address, port, "no slice")
    w.install("coder", CODER, "public", "own", ids["coder"])
    reaches(w, "127.0.0.1", 9002, "with the slice again")


def check_broadcast(w):
    """A broadcast on loopback would be delivered to everybody who shares the port."""
    servers(w, ("public", "own"))
    host = w.start(None, hear_datagrams, 9010)
    host.hear()
    own = w.start(CODER, hear_datagrams, 9010, slice="coder")
    own.hear()
    result = w.call(CODER, shout, "127.255.255.255", 9010, slice="coder")
    ok(result != "sent", "a broadcast on loopback is refused", result)
    equal(host.hear(), "nothing", "and the host's server hears nothing")


def hear_datagrams(say, port):
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    s.bind(("0.0.0.0", port))
    s.settimeout(1.5)
    say("up")
    try:
        return s.recv(100).decode()
    except TimeoutError:
        return "nothing"


def shout(say, address, port):
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
    try:
        s.sendto(b"shout", (address, port))
    except OSError as e:
        return str(e)
    return "sent"


def check_tightened(w):
    """Loopback=host turned into own ends what is open to the host's servers, and only that."""
    for address in LOOPBACK:
        ids = servers(w, ("public", "host"))
        host = w.start(CODER, talk, address, 9001, slice="coder")
        own = w.start(CODER, talk, address, 9002, slice="coder")
        equal((host.hear(), own.hear()), ("connected", "connected"), f"connections over {address} are open")
        w.install("coder", CODER, "public", "own", ids["coder"])
        result, seconds = host.hear()
        ok(seconds < FAST, f"the one to the host's server over {address} ends at once", f"{result} after {seconds:.3f} s")
        time.sleep(0.3)
        equal(w.call(CODER, connect, address, 9002, slice="coder")[0], "connected", "its own servers stay reachable")
        own.stop()
        w.children.remove(own)
        w.reset()


def check_busy(w):
    """Many short connections to an own server: handshakes' last packets and TIME_WAIT are no refusals."""
    servers(w, ("public", "own"))
    equal(w.call(CODER, many_connections, "127.0.0.1", 9002, 300, slice="coder"), 0, "none of 300 connections fails")
    equal(w.call(CODER, many_connections, "::1", 9002, 300, slice="coder"), 0, "none of 300 over ::1")
    equal(w.drive("counters", "coder", CODER).split()[3], "0", "and nothing was refused")


def many_connections(say, address, port, count):
    failed = 0
    for _ in range(count):
        try:
            with connection(address, port) as s:
                s.sendall(b"hello")
                failed += s.recv(100) != b"hello"
        except OSError:
            failed += 1
    return failed


def check_counted(w):
    servers(w, ("public", "own"))
    before = int(w.drive("counters", "coder", CODER).split()[3])
    w.call(CODER, connect, "127.0.0.1", 9001, slice="coder")
    w.call(CODER, send, "::1", 9003, slice="coder")
    equal(int(w.drive("counters", "coder", CODER).split()[3]) - before, 2, "refusals on loopback count as the agent's")
