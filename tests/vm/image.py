# Makes the guests' images: a Debian tree (which is the build chroot too) and a disk, kernel and initrd made from it.
# The tree depends on the package lists alone, the disk also on guest/; both are kept in the cache (cache.py).
"""Debian trees and disk images."""

import os
import shutil
import subprocess
import time

import cache

HERE = os.path.dirname(os.path.realpath(__file__))
GUEST = os.path.join(HERE, "guest")
PACKAGES = os.path.join(HERE, "..", "packages")
SUITES = {"12": "bookworm", "13": "trixie"}
KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"
DISK_SIZE = "4G"
IMAGE_FILES = ("disk.img", "vmlinuz", "initrd.img")
# What this host's apt needs to reach its mirror is needed for the guests' mirror too.
APT_OPTIONS = ("Acquire::http::Proxy", "Acquire::https::Proxy", "Acquire::Check-Valid-Until", "Acquire::Check-Date",
               "Acquire::Retries")
# Only what finds the disk: a complete initrd takes seconds to unpack in an emulated machine.
INITRD_SETUP = """
mkdir -p "$1/etc/initramfs-tools/conf.d"
printf 'MODULES=list\\nCOMPRESS=lz4\\n' >"$1/etc/initramfs-tools/conf.d/agentctl-tests"
printf 'virtio_pci\\nvirtio_blk\\n' >"$1/etc/initramfs-tools/modules"
"""


class ImageError(Exception):
    """An image could not be made."""


def packages(release, kinds=("build", "run", "guest")):
    """The package names of these lists for a release."""
    names = " ".join(f"${kind} $" + f"{{{kind}_{release}}}" for kind in kinds)
    result = subprocess.run(["sh", "-euc", f'. "$1"; echo {names}', "sh", PACKAGES], check=True, text=True,
                            stdout=subprocess.PIPE)
    return sorted(set(result.stdout.split()))


def _sources(suite):
    mirror = os.environ.get("AGENTCTL_TEST_MIRROR") or "http://deb.debian.org/debian"
    security = os.environ.get("AGENTCTL_TEST_SECURITY_MIRROR") or mirror + "-security"
    signed = f"[signed-by={KEYRING}]"
    return [f"deb {signed} {mirror} {suite} main", f"deb {signed} {mirror} {suite}-updates main",
            f"deb {signed} {security} {suite}-security main"]


def _apt_options():
    result = subprocess.run(["apt-config", "dump", *APT_OPTIONS], text=True, stdout=subprocess.PIPE, check=True)
    return [f"--aptopt={line.rstrip(';')}" for line in result.stdout.splitlines()]


def _contained(argv):
    """argv in mount and process namespaces of its own: when this process dies nothing runs on or stays mounted."""
    return ["setpriv", "--pdeathsig", "KILL", "unshare", "--mount", "--propagation", "private", "--pid", "--fork",
            "--kill-child", "--mount-proc", *argv]


def _make_tree(release, directory):
    suite = SUITES[release]
    tree = os.path.join(directory, "tree")
    log = os.path.join(directory, "mmdebstrap.log")
    cache.say(f"debian{release}: installing {suite} into a tree (some minutes)")
    argv = ["mmdebstrap", "--mode=root", "--variant=minbase", "--include=" + ",".join(packages(release)),
            *_apt_options(), '--aptopt=APT::Install-Recommends "false"', "--dpkgopt=path-exclude=/usr/share/doc/*",
            "--dpkgopt=path-exclude=/usr/share/locale/*", "--essential-hook=" + INITRD_SETUP, suite, tree,
            *_sources(suite)]
    with open(log, "wb") as file:
        status = subprocess.run(_contained(argv), stdin=subprocess.DEVNULL, stdout=file, stderr=file, check=False)
    if status.returncode:
        with open(log, encoding="utf-8", errors="replace") as file:
            text = file.read()
        if "NO_PUBKEY" in text:
            text += f"\n{KEYRING} does not know {suite}'s key: upgrade debian-archive-keyring\n"
        raise ImageError(f"mmdebstrap {suite} failed:\n{text[-4000:]}")


def tree(release):
    """The Debian tree of this release (an artifact; its folder `tree` is the build chroot, never to be written to)."""
    with open(__file__, "rb") as file:
        recipe = file.read().split(b"def _make_disk", maxsplit=1)[0]
    key = cache.digest(recipe, " ".join(packages(release)), *_sources(SUITES[release]))
    return cache.get("tree", release, key, ("mmdebstrap.log",), lambda directory: _make_tree(release, directory))


def _make_disk(release, base, directory):
    cache.say(f"debian{release}: making the disk image")
    copy = os.path.join(directory, "tree")
    disk = os.path.join(directory, "disk.img")
    try:
        # Hard links: image-setup replaces files and never writes into one.
        subprocess.run(["cp", "-al", base.file("tree"), copy], check=True)
        subprocess.run([os.path.join(GUEST, "image-setup"), copy, release, GUEST], check=True)
        for name in ("vmlinuz", "initrd.img"):
            shutil.copyfile(os.path.join(copy, os.readlink(os.path.join(copy, name)).lstrip("/")),
                            os.path.join(directory, name))
        subprocess.run(["mkfs.ext4", "-q", "-F", "-L", "root", "-m", "1", "-d", copy, disk, DISK_SIZE], check=True,
                       stdout=subprocess.DEVNULL)
    except (OSError, subprocess.CalledProcessError) as error:
        raise ImageError(f"debian{release}: {error}") from error
    finally:
        shutil.rmtree(copy, ignore_errors=True)


def image(release):
    """The disk image of this release (an artifact with the files IMAGE_FILES)."""
    with tree(release) as base:
        # Names and contents, not places: all copies of this repository share the image.
        names = sorted(entry.name for entry in os.scandir(GUEST) if entry.is_file())
        key = cache.digest(os.path.basename(base.path), ("file", __file__), *names,
                           *(("file", os.path.join(GUEST, name)) for name in names))
        started = time.monotonic()
        made = []

        def make(directory):
            made.append(True)
            _make_disk(release, base, directory)

        result = cache.get("image", release, key, IMAGE_FILES, make)
        if made:
            cache.say(f"debian{release}: image made in {time.monotonic() - started:.0f} s")
        return result
