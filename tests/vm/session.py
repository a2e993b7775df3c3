# Guests that are ready for commands: saved running states, the payload disk, and what is done after a boot or a resume.
# A saved state is made once for each image (and kind of machine) and resumed in seconds; a real boot is always possible.
"""Guests with the project in them."""

import contextlib
import os
import shlex
import shutil
import subprocess
import time

import cache
import machine

STATE_FILES = ("ram", "disk.img")
# The clock stood still while the guest was saved; the payload is copied because its disk is the same for all guests.
INSTALL = """
set -e
blockdev --flushbufs /dev/vdb
mkdir -p /run/payload /payload
mount -o ro,noatime /dev/vdb /run/payload
tar -C /run/payload -cf - tests | tar -C /payload -xf -
if [ -d /run/payload/root ]; then
	tar -C /run/payload/root -cf - . | tar -C / -xf - --keep-directory-symlink --no-overwrite-dir
	ldconfig
	systemctl daemon-reload
fi
umount /run/payload
rmdir /run/payload
"""


def _cpu():
    with open("/proc/cpuinfo", encoding="utf-8") as file:
        return [line for line in file if line.startswith("model name")][:1]


def _make_state(image, directory):
    release = release_of(image)
    cache.say(f"debian{release}: booting once to save the running state")
    disk, started = os.path.join(directory, "disk.img"), time.monotonic()
    subprocess.run(["cp", "--sparse=always", image.file("disk.img"), disk], check=True)
    with running(image, f"state-{release}", disk=(disk, "discard=unmap")) as guest:
        word = machine.wait_running(guest)
        if word != "running":
            with guest.control() as channel:
                failed = channel.capture(["systemctl", "--failed", "--no-legend", "--plain"], timeout=60)[1]
            raise machine.MachineError(f"debian{release} is {word} after booting: {failed}")
        with guest.control() as channel:
            channel.capture(["sh", "-c", "journalctl --sync; sync; echo 3 >/proc/sys/vm/drop_caches; sync"], timeout=120)
        booted = time.monotonic()
        guest.save(os.path.join(directory, "ram"))
    cache.say(f"debian{release}: booted in {booted - started:.0f} s, saved in {time.monotonic() - booted:.0f} s")


def release_of(image):
    """The release that an image artifact is of."""
    return os.path.basename(image.path).split("-")[1]


def state(image):
    """The saved running state of an image (an artifact with `ram` and `disk.img`)."""
    version = subprocess.run(["qemu-system-x86_64", "--version"], check=True, stdout=subprocess.PIPE).stdout
    key = cache.digest(image.path, " ".join(machine.hardware(machine.MEMORY)), machine.ARGUMENTS, version, *_cpu())
    return cache.get("state", release_of(image), key, STATE_FILES, lambda directory: _make_state(image, directory))


def make_payload(path, tests, root=None):
    """Makes the payload disk: the tests, and what the project installs."""
    stage = path + ".d"
    shutil.copytree(tests, os.path.join(stage, "tests"), symlinks=True, ignore=shutil.ignore_patterns("__pycache__"))
    if root:
        subprocess.run(["cp", "-a", root, os.path.join(stage, "root")], check=True)
    subprocess.run(["chown", "-R", "--no-dereference", "0:0", stage], check=True)
    with open(path, "wb") as file:
        file.truncate(machine.PAYLOAD_SIZE)
    subprocess.run(["mkfs.ext4", "-q", "-F", "-O", "^has_journal", "-E", "root_owner=0:0", "-d", stage, path], check=True)
    shutil.rmtree(stage)
    return path


@contextlib.contextmanager
def running(image, name, **options):
    """A freshly booting machine in a directory of its own, which ends with the block."""
    directory = cache.Held(os.path.join(cache.folder("run"), f"{name}.{os.getpid()}"))
    guest = None
    try:
        payload = machine.blank(directory.file("payload.img"))
        line = machine.command_line(image, directory.path, machine.MEMORY, payload, **options)
        guest = machine.Machine.start(line, directory.path)
        yield guest
    finally:
        if guest:
            guest.kill()
        directory.close()


def _resumed(image, directory, payload, keep):
    """A machine resumed from the saved state, or None (aloud) when that does not work."""
    release = release_of(image)
    try:
        saved = state(image)
    except (machine.MachineError, OSError, subprocess.CalledProcessError) as error:
        cache.say(f"debian{release}: no saved state ({error}): booting for real")
        return None
    guest = None
    try:
        line = machine.command_line(image, directory, machine.MEMORY, payload,
                                    disk=(saved.file("disk.img"), "snapshot=on"))
        line += ["-incoming", "exec:cat " + shlex.quote(saved.file("ram"))]
        guest = machine.Machine.start(line, directory, keep)
        guest.resume()
        with guest.control(timeout=60) as channel:
            channel.capture(["date", "-u", "-s", f"@{time.time():.2f}"], timeout=60)
        saved.close()
        return guest
    except (machine.MachineError, machine.control.ControlError, OSError) as error:
        if guest:
            guest.kill()
        _clear(directory)
        cache.say(f"debian{release}: the saved state can't be resumed ({error}): booting for real, and saving anew next time")
        cache.drop(saved)
        return None


def _clear(directory):
    for name in ["monitor", "pid", "serial.log"] + [f"port{port}" for port in range(machine.PORTS)]:
        with contextlib.suppress(OSError):
            os.unlink(os.path.join(directory, name))


def bring_up(image, directory, payload, *, fresh=False, memory=machine.MEMORY, keep=None):
    """A guest that is ready for commands: resumed, or really booted when fresh or when it has to be."""
    guest = None
    if not fresh and memory == machine.MEMORY:
        guest = _resumed(image, directory, payload, keep)
    if not guest:
        line = machine.command_line(image, directory, memory, payload)
        guest = machine.Machine.start(line, directory, keep)
        try:
            word = machine.wait_running(guest)
        except BaseException:
            guest.kill()
            raise
        if word != "running":
            cache.say(f"debian{release_of(image)} is {word} after booting")
    return guest


def install(guest):
    """Copies what is on the payload disk into the guest."""
    with guest.control(timeout=60) as channel:
        status, output, errors = channel.capture(["sh", "-c", INSTALL], timeout=300)
    if status:
        raise machine.MachineError(f"the payload can't be installed: {output}{errors}")
