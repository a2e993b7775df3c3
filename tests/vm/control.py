# The host's end of the control channel: runs a command in the guest over one virtio-serial port (a unix socket here).
# Frames are a kind (one byte), a size (32 bits, big-endian) and the payload; the other end is guest/test-agent.
#   to the guest:   R {"argv", "env", "cwd"} run   I bytes (none: the end) to its stdin   K {"signal"} to what runs
#   from the guest: O bytes of stdout   E bytes of stderr   S {"status"} it has ended
# A connection begins with HELLO and 16 random bytes, at any place in the stream: the guest kills what still ran there and
# sends the same back.
"""Control channel to a guest."""

import json
import os
import select
import signal
import socket
import struct
import time

HELLO = b"\xf0\x9f\xf0hello\xf0\x9f\xf0"
FRAME = struct.Struct(">cI")
TIMED_OUT = 124
HIGH_WATER = 65536


class ControlError(Exception):
    """The guest does not answer, or not any longer."""


class Control:
    """One connection to the guest's agent; commands run one after the other."""

    def __init__(self, path, timeout, alive=lambda: None):
        """Connects and waits for the agent, at most timeout seconds. alive() raises when waiting has become pointless."""
        self.alive = alive
        self.incoming = bytearray()
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_CLOEXEC)
        try:
            self.sock.connect(path)
            self.sock.setblocking(False)
            self._greet(time.monotonic() + timeout)
        except OSError as error:
            self.close()
            raise ControlError(f"{path}: {error}") from error
        except BaseException:
            self.close()
            raise

    def close(self):
        """Ends the connection; what runs in the guest is killed."""
        self.sock.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def _greet(self, deadline):
        hello = HELLO + os.urandom(16)
        self.sock.sendall(hello)
        while hello not in self.incoming:
            if not self._receive(deadline):
                raise ControlError("the guest's control agent does not answer")
        del self.incoming[:self.incoming.index(hello) + len(hello)]

    def _receive(self, deadline, outgoing=None, source=None):
        """Waits for something to do, and does it: takes in bytes, sends outgoing, looks whether source can be read.

        False when the deadline has passed, otherwise the events by descriptor."""
        poll = select.poll()
        poll.register(self.sock, select.POLLIN | (select.POLLOUT if outgoing else 0))
        if source is not None and len(outgoing) < HIGH_WATER:
            poll.register(source, select.POLLIN)
        while True:
            left = deadline - time.monotonic()
            if left <= 0:
                return False
            events = dict(poll.poll(min(left, 1.0) * 1000))
            if events:
                break
            self.alive()
        mine = events.get(self.sock.fileno(), 0)
        if mine & select.POLLOUT:
            del outgoing[:self.sock.send(outgoing[:HIGH_WATER])]
        if mine & ~select.POLLOUT:
            data = self.sock.recv(1 << 18)
            if not data:
                self.alive()
                raise ControlError("the virtual machine has closed the control channel")
            self.incoming += data
        return events

    def _frames(self):
        while len(self.incoming) >= FRAME.size:
            kind, size = FRAME.unpack_from(self.incoming)
            if len(self.incoming) < FRAME.size + size:
                return
            payload = bytes(self.incoming[FRAME.size:FRAME.size + size])
            del self.incoming[:FRAME.size + size]
            yield kind, payload

    def run(self, argv, output, *, stdin=b"", env=None, cwd=None, timeout=900.0):
        """Runs argv in the guest and gives its status (128+n for a signal, 124 when it was killed for being late).

        output(kind, data) is called with kind b"O" or b"E" for what it writes. stdin is bytes or a descriptor."""
        request = json.dumps({"argv": list(argv), "env": env, "cwd": cwd}).encode()
        outgoing = bytearray(FRAME.pack(b"R", len(request)) + request)
        source = None if isinstance(stdin, bytes) else stdin
        if source is None:
            outgoing += _stdin_frames(stdin)
        deadline, late = time.monotonic() + timeout, False
        while True:
            try:
                events = self._receive(deadline, outgoing, source)
            except OSError as error:
                raise ControlError(f"control channel: {error}") from error
            if events and source in events:
                data = os.read(source, 65536)
                outgoing += FRAME.pack(b"I", len(data)) + data
                source = source if data else None
            if not events:
                if late:
                    raise ControlError("a command that was to be killed did not end")
                late, deadline, source = True, time.monotonic() + 60, None
                payload = json.dumps({"signal": signal.SIGKILL}).encode()
                outgoing += FRAME.pack(b"K", len(payload)) + payload
                continue
            for kind, payload in self._frames():
                if kind == b"S":
                    return TIMED_OUT if late else json.loads(payload)["status"]
                output(kind, payload)

    def capture(self, argv, **options):
        """Runs argv and gives (status, stdout, stderr) as text."""
        streams = {b"O": bytearray(), b"E": bytearray()}
        status = self.run(argv, lambda kind, data: streams[kind].extend(data), **options)
        return status, streams[b"O"].decode(errors="replace"), streams[b"E"].decode(errors="replace")


def _stdin_frames(data):
    frames = bytearray()
    for start in range(0, len(data), HIGH_WATER):
        part = data[start:start + HIGH_WATER]
        frames += FRAME.pack(b"I", len(part)) + part
    return frames + FRAME.pack(b"I", 0)  # one without bytes is the end
