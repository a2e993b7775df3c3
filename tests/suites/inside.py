#!/usr/bin/python3
# The suites' hands inside an agent: runs as the agent's command and does what the suite asks through two FIFOs in the
# work directory, so that a test sees what the agent itself can and cannot do. lib.sh has the other end (`inside`).
"""Requests are lines of tab-separated fields: ID OPERATION ARGUMENT... (a newline in them is \\x1e).

A reply is `ID STATUS COUNT` and COUNT lines."""

import contextlib
import errno
import io
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import traceback

ANSWER_SECONDS = 10


def family_of(address):
    """The address family of a literal address."""
    return socket.AF_INET6 if ":" in address else socket.AF_INET


# A question to a name server: the address of api.test.
QUESTION = b"\x12\x34\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00\x03api\x04test\x00\x00\x01\x00\x01"


def knock_words(kind, port):
    """What the server behind that port answers to."""
    if int(port) != 53:
        return b"knock\n"
    return QUESTION if kind == socket.SOCK_DGRAM else len(QUESTION).to_bytes(2, "big") + QUESTION


def knock(kind, address, port, seconds):
    """Sends a few bytes and waits for an answer; gives what happened."""
    with socket.socket(family_of(address), kind) as sock:
        sock.settimeout(seconds)
        try:
            sock.connect((address, int(port)))
        except socket.timeout:
            return "timeout"
        except OSError as error:
            return errno.errorcode.get(error.errno, str(error.errno))
        try:
            sock.send(knock_words(kind, port))
            return "answered" if sock.recv(64) else "closed"
        except socket.timeout:
            return "silence"
        except OSError as error:
            return errno.errorcode.get(error.errno, str(error.errno))


def do_knock(protocol, address, port, seconds=ANSWER_SECONDS):
    """tcp|udp ADDRESS PORT: what happened, and how many milliseconds it took."""
    start = time.monotonic()
    kind = socket.SOCK_STREAM if protocol == "tcp" else socket.SOCK_DGRAM
    outcome = knock(kind, address, port, float(seconds))
    return 0, f"{outcome} {round((time.monotonic() - start) * 1000)}"


def echo_tcp(server):
    """Accepts for ever and gives back the first bytes of each connection."""
    while True:
        connection, _peer = server.accept()
        with connection:
            with contextlib.suppress(OSError):
                connection.settimeout(ANSWER_SECONDS)
                connection.send(connection.recv(64))


def echo_udp(server):
    """Gives back every datagram."""
    while True:
        with contextlib.suppress(OSError):
            data, peer = server.recvfrom(64)
            server.sendto(data, peer)


def do_listen(protocol, address, port):
    """tcp|udp ADDRESS PORT: an echo server, until the agent ends."""
    kind = socket.SOCK_STREAM if protocol == "tcp" else socket.SOCK_DGRAM
    server = socket.socket(family_of(address), kind)
    server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if server.family == socket.AF_INET6:
        server.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
    server.bind((address, int(port)))
    if protocol == "tcp":
        server.listen(64)
    target = echo_tcp if protocol == "tcp" else echo_udp
    threading.Thread(target=target, args=(server,), daemon=True).start()
    return 0, ""


def do_sh(script):
    """A shell script; its status, its output and errors together."""
    done = subprocess.run(["/bin/bash", "-c", script], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, check=False)
    return done.returncode if done.returncode >= 0 else 128 - done.returncode, done.stdout.decode(errors="replace")


def do_py(code):
    """Python code in this very process; status 1 and the error if it raises."""
    output = io.StringIO()
    try:
        with contextlib.redirect_stdout(output):
            exec(code, {"os": os, "socket": socket, "sys": sys})  # pylint: disable=exec-used
    except Exception as error:  # pylint: disable=broad-exception-caught
        name = errno.errorcode.get(getattr(error, "errno", None), "")
        return 1, f"{output.getvalue()}{name} {error!r}"
    return 0, output.getvalue()


def do_fork_py(code):
    """Python code in a child, for what would change this process for good."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        status, text = do_py(code)
        os.write(writer, text.encode())
        os._exit(status)
    os.close(writer)
    with os.fdopen(reader, "rb") as pipe:
        text = pipe.read().decode(errors="replace")
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    return status if status >= 0 else 128 - status, text


OPERATIONS = {"knock": do_knock, "listen": do_listen, "sh": do_sh, "py": do_py, "fork": do_fork_py}


def serve(requests, replies):
    """Takes one line, does it, answers; a broken request is answered too."""
    for line in requests:
        number, operation, *arguments = line.rstrip("\n").replace("\x1e", "\n").split("\t")
        try:
            status, text = OPERATIONS[operation](*arguments)
        except Exception:  # pylint: disable=broad-exception-caught
            status, text = 125, traceback.format_exc()
        lines = text.splitlines()
        replies.write("\n".join([f"{number} {status} {len(lines)}", *lines]) + "\n")
        replies.flush()


def main():
    """Makes the FIFOs, says that it is ready, and serves until it is stopped."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    for name in ("ready", "requests", "replies"):
        with contextlib.suppress(FileNotFoundError):
            os.unlink(name)
    os.mkfifo("requests")
    os.mkfifo("replies")
    # Open for reading and writing: neither end ever sees an end of file, or waits for the other.
    requests = os.fdopen(os.open("requests", os.O_RDWR), "r", encoding="utf-8", closefd=True)
    replies = os.fdopen(os.open("replies", os.O_RDWR), "w", encoding="utf-8", closefd=True)
    with open("ready", "w", encoding="ascii") as file:
        file.write("ready\n")
    print("inside: ready", flush=True)
    serve(requests, replies)


if __name__ == "__main__":
    main()
