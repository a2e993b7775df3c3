# One virtual machine: the qemu process, its monitor, its serial console and its control ports.
# Knows how to boot, resume a saved state, reboot and end a guest; what is run in it is the callers' business.
"""Guests under qemu."""

import contextlib
import json
import os
import re
import shlex
import signal
import socket
import subprocess
import time

import cache
import control

PORTS = 4
MEMORY = 1536
PAYLOAD_SIZE = 512 << 20  # the same for every payload: a resumed guest remembers the size of its disks
BOOT_TIMEOUT = 600
SHUTDOWN_TIMEOUT = 300
CRASH = re.compile(rb"Kernel panic|Oops: |BUG: |general protection fault|Internal error|Attempted to kill init")
ARGUMENTS = ("root=/dev/vda rw rootfstype=ext4 console=ttyS0 loglevel=4 oops=panic panic=0 mitigations=off tsc=reliable "
             "nowatchdog rcupdate.rcu_cpu_stall_suppress=1 fsck.mode=skip systemd.show_status=no")


class MachineError(Exception):
    """The virtual machine does not do what it should."""


class GuestCrash(MachineError):
    """The guest's kernel has crashed."""


class Monitor:
    """qemu's machine protocol: commands, and the events seen meanwhile."""

    def __init__(self, path, timeout=30.0):
        self.events = []
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_CLOEXEC)
        self.sock.settimeout(timeout)
        self.sock.connect(path)
        self.lines = self.sock.makefile("rb")
        self._read()
        self.command("qmp_capabilities")

    def close(self):
        """Disconnects."""
        self.lines.close()
        self.sock.close()

    def _read(self):
        line = self.lines.readline()
        if not line:
            raise MachineError("qemu has closed its monitor")
        return json.loads(line)

    def command(self, name, **arguments):
        """Executes one command and gives what it returns."""
        self.sock.sendall(json.dumps({"execute": name, "arguments": arguments}).encode() + b"\n")
        while True:
            answer = self._read()
            if "event" in answer:
                self.events.append(answer["event"])
            elif "error" in answer:
                raise MachineError(f"qemu: {name}: {answer['error']['desc']}")
            elif "return" in answer:
                return answer["return"]

    def wait_event(self, name, timeout, alive):
        """Waits for an event from now on; False when it does not come in time."""
        deadline = time.monotonic() + timeout
        while time.monotonic() < deadline:
            self.command("query-status")
            if name in self.events:
                return True
            alive()
            time.sleep(0.1)
        return False


def accelerator():
    """How qemu emulates: `single` is the stable default, `multi` is faster and has once lost a guest."""
    threads = os.environ.get("AGENTCTL_TEST_TCG") or "single"
    if threads not in ("single", "multi"):
        raise MachineError(f"AGENTCTL_TEST_TCG={threads}: neither single nor multi")
    return f"tcg,thread={threads},tb-size=512"


def hardware(memory):
    """The part of qemu's command line that a saved state depends on."""
    line = ["-machine", "pc", "-cpu", "max,la57=off", "-smp", "2", "-m", str(memory), "-nodefaults", "-no-user-config",
            "-display", "none", "-rtc", "base=utc",
            "-device", "virtio-blk-pci,drive=root,addr=4", "-device", "virtio-blk-pci,drive=payload,addr=5",
            "-device", f"virtio-serial-pci,max_ports={PORTS + 1},addr=6"]
    for port in range(PORTS):
        line += ["-device", f"virtserialport,chardev=port{port},nr={port + 1},name=agentctl.{port}"]
    return line


def _channels(directory):
    line = ["-serial", f"file:{directory}/serial.log", "-qmp", f"unix:{directory}/monitor,server=on,wait=off"]
    for port in range(PORTS):
        line += ["-chardev", f"socket,id=port{port},path={directory}/port{port},server=on,wait=off"]
    return line


def command_line(image, directory, memory, payload, disk=None):
    """qemu's command line. disk is (path, options) of the root disk, by default the image, never written to."""
    path, options = disk or (image.file("disk.img"), "snapshot=on")
    return ["qemu-system-x86_64", "-accel", accelerator(), *hardware(memory), *_channels(directory),
            "-kernel", image.file("vmlinuz"), "-initrd", image.file("initrd.img"), "-append", ARGUMENTS,
            "-drive", f"id=root,if=none,file={path},format=raw,cache=unsafe,{options}",
            "-drive", f"id=payload,if=none,file={payload},format=raw,readonly=on"]


def blank(path):
    """Makes an empty payload disk."""
    with open(path, "wb") as file:
        file.truncate(PAYLOAD_SIZE)
    return path


class Machine:
    """A running guest in a directory that holds its sockets and its serial log."""

    def __init__(self, directory, process=None):
        self.directory = directory
        self.process = process
        self.crash_at = 0  # where in the serial log the search for a crash goes on

    @classmethod
    def start(cls, line, directory, keep=None):
        """Starts qemu. It dies with the calling thread, unless keep is given: a descriptor that it inherits."""
        if len(directory) > 90:
            raise MachineError(f"{directory}: too long for the path of a socket; set AGENTCTL_TEST_CACHE to a shorter one")
        env = dict(os.environ, TMPDIR=cache.folder("tmp"))
        with open(os.path.join(directory, "qemu.log"), "ab") as log:
            process = subprocess.Popen(line if keep else ["setpriv", "--pdeathsig", "KILL", *line], env=env,
                                       stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
                                       pass_fds=[keep] if keep else [])
        with open(os.path.join(directory, "pid"), "w", encoding="ascii") as file:
            file.write(f"{process.pid}\n")
        machine = cls(directory, process)
        deadline = time.monotonic() + 60
        while not os.path.exists(machine.file("monitor")) or not os.path.exists(machine.file(f"port{PORTS - 1}")):
            machine.alive()
            if time.monotonic() > deadline:
                machine.kill()
                raise MachineError("qemu does not open its sockets")
            time.sleep(0.02)
        return machine

    def file(self, name):
        """The path of one of its files."""
        return os.path.join(self.directory, name)

    def log(self, name):
        """The text of one of its logs."""
        try:
            with open(self.file(name), encoding="utf-8", errors="replace") as file:
                return file.read()
        except OSError:
            return ""

    def alive(self):
        """Raises when qemu has ended or the guest's kernel has crashed."""
        if self.process and self.process.poll() is not None:
            raise MachineError(f"qemu has ended with status {self.process.returncode}: {self.log('qemu.log').strip()}")
        try:
            with open(self.file("serial.log"), "rb") as file:
                file.seek(self.crash_at)
                text = file.read()
        except OSError:
            return
        found = CRASH.search(text)
        if found:
            start = text.rfind(b"\n", 0, found.start()) + 1
            raise GuestCrash("the guest's kernel crashed: " + text[start:].split(b"\n")[0].decode(errors="replace").strip())
        self.crash_at += max(0, len(text) - 200)

    def monitor(self):
        """Connects to qemu's monitor."""
        return contextlib.closing(Monitor(self.file("monitor")))

    def control(self, port=0, timeout=BOOT_TIMEOUT):
        """Connects to the guest's agent."""
        return control.Control(self.file(f"port{port}"), timeout, self.alive)

    def resume(self):
        """Waits until the state that qemu was given is loaded, and lets the guest run."""
        with self.monitor() as monitor:
            deadline = time.monotonic() + 120
            while monitor.command("query-status")["status"] == "inmigrate":
                self.alive()
                if time.monotonic() > deadline:
                    raise MachineError("the saved state does not load")
                time.sleep(0.05)
            monitor.command("cont")

    def save(self, path):
        """Stops the guest, writes its state to path, and ends qemu."""
        with self.monitor() as monitor:
            monitor.command("stop")
            monitor.command("migrate-set-parameters", **{"max-bandwidth": 1 << 40})
            monitor.command("migrate", uri=f"exec:cat >{shlex.quote(path)}")
            while True:
                status = monitor.command("query-migrate").get("status")
                if status == "completed":
                    break
                if status in ("failed", "cancelled"):
                    raise MachineError("the state could not be saved")
                self.alive()
                time.sleep(0.1)
            monitor.command("quit")
        self.process.wait(60)

    def reboot(self, hard=False):
        """Really reboots the guest, keeping its disk: in order, or hard, as when the power fails."""
        with self.monitor() as monitor:
            if hard:
                monitor.command("system_reset")
            else:
                with self.control(timeout=60) as channel:
                    channel.capture(["systemctl", "reboot", "--no-block"], timeout=60)
            if not monitor.wait_event("RESET", SHUTDOWN_TIMEOUT, self.alive):
                raise MachineError(f"the guest did not shut down within {SHUTDOWN_TIMEOUT} s")

    def kill(self):
        """Ends qemu at once."""
        if self.process:
            if self.process.poll() is None:
                self.process.kill()
            self.process.wait()
            return
        with contextlib.suppress(OSError, ValueError):
            pid = int(self.log("pid"))
            with open(f"/proc/{pid}/cmdline", encoding="utf-8", errors="replace") as file:
                if f"{self.directory}/monitor" in file.read():
                    os.kill(pid, signal.SIGKILL)


def wait_running(machine):
    """Waits until systemd has finished booting; gives its word for the result (running, degraded, ...)."""
    with machine.control() as channel:
        deadline = time.monotonic() + BOOT_TIMEOUT
        while time.monotonic() < deadline:
            _status, word, _errors = channel.capture(["systemctl", "is-system-running", "--wait"], timeout=BOOT_TIMEOUT)
            if word.strip() not in ("", "offline", "initializing", "starting", "unknown"):
                return word.strip()
            time.sleep(0.5)
    raise MachineError(f"the guest did not finish booting within {BOOT_TIMEOUT} s")
