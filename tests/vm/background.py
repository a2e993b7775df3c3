# Guests that stay up between calls of the command: started with a name, entered by exec, ended by stop.
# There is no daemon: qemu itself owns the sockets, and the directory run/guest-NAME of the cache is all the state.
"""Named guests in the background."""

import contextlib
import errno
import fcntl
import os
import re
import subprocess
import sys
import time

import cache
import control
import image
import machine
import session


class NameTaken(Exception):
    """A guest of this name runs already."""


def _directory(name):
    if not re.fullmatch(r"[a-zA-Z0-9][a-zA-Z0-9_.-]{0,30}", name):
        raise machine.MachineError(f"{name}: not a name for a guest")
    return os.path.join(cache.folder("run"), f"guest-{name}")


def _hold(name):
    """The guest's directory, locked; the lock is inherited by qemu, so that it lasts as long as the guest."""
    try:
        held = cache.Held(_directory(name))
    except BlockingIOError as error:
        raise NameTaken(f"a guest named {name} runs already: stop it first") from error
    os.set_inheritable(held.lock.fileno(), True)
    return held


def start(release, name, root, tests, fresh=False, memory=machine.MEMORY):
    """Starts a guest that stays until it is stopped."""
    held = _hold(name)
    try:
        payload = session.make_payload(held.file("payload.img"), tests, root)
        with image.image(release) as disk:
            guest = session.bring_up(disk, held.path, payload, fresh=fresh, memory=memory, keep=held.lock.fileno())
        session.install(guest)
        with open(held.file("release"), "w", encoding="ascii") as file:
            file.write(release)
    except BaseException:
        machine.Machine(held.path).kill()
        held.close()
        raise


def names():
    """The guests that are there: (name, release)."""
    for entry in sorted(os.listdir(cache.folder("run"))):
        if entry.startswith("guest-"):
            name = entry.removeprefix("guest-")
            yield name, machine.Machine(_directory(name)).log("release") or " (starting)"


def find(name):
    """The running guest of this name."""
    guest = machine.Machine(_directory(name))
    if not os.path.exists(guest.file("monitor")):
        raise machine.MachineError(f"there is no guest named {name}")
    return guest


@contextlib.contextmanager
def free_port(guest):
    """Connects to a control port that nobody uses; each carries one command at a time."""
    deadline = time.monotonic() + 600
    while True:
        for port in range(machine.PORTS):
            with open(guest.file(f"port{port}.lock"), "w", encoding="ascii") as lock:
                try:
                    fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                except BlockingIOError:
                    continue
                try:
                    with guest.control(port, timeout=60) as channel:
                        yield channel
                except control.ControlError as error:
                    if isinstance(error.__cause__, ConnectionRefusedError):
                        raise machine.MachineError("the guest has gone") from error
                    raise
                return
        if time.monotonic() > deadline:
            raise machine.MachineError("all control ports of the guest are in use")
        time.sleep(0.05)


def write_through(kind, data):
    """Passes what a command writes to our own stdout and stderr."""
    stream = sys.stdout.buffer if kind == b"O" else sys.stderr.buffer
    stream.write(data)
    stream.flush()


def execute(name, argv, timeout, stdin=b""):
    """Runs a command in a guest and gives its status."""
    guest = find(name)
    with free_port(guest) as channel:
        return channel.run(argv, write_through, stdin=stdin, timeout=timeout)


def install(name, root, tests):
    """Puts the tests, and what the project installs, into a guest that runs."""
    for folder, target in ((tests, "/payload/tests"), (root, "/")):
        if folder:
            command = f"mkdir -p {target} && tar -C {target} -xf - --keep-directory-symlink --no-overwrite-dir"
            with subprocess.Popen(["tar", "-C", folder, "--owner=0", "--group=0", "--exclude=__pycache__", "-cf", "-", "."],
                                  stdout=subprocess.PIPE) as tar:
                if execute(name, ["sh", "-c", command], 600, tar.stdout.fileno()) or tar.wait():
                    raise machine.MachineError(f"{folder} can't be copied into the guest")
    if root:
        execute(name, ["sh", "-c", "ldconfig && systemctl daemon-reload"], 300)


def stop(name):
    """Ends a guest at once, whatever it does."""
    directory = _directory(name)
    if not os.path.isdir(directory):
        raise machine.MachineError(f"there is no guest named {name}")
    guest = machine.Machine(directory)
    guest.kill()
    for _ in range(100):
        try:
            cache.Held(directory).close()
            return
        except OSError as error:
            if error.errno != errno.EWOULDBLOCK:
                raise
            time.sleep(0.05)
    raise machine.MachineError(f"{name} does not end")
