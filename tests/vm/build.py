# Builds the project in the Debian tree of a release, at the host's speed and with that release's libraries.
# The build folder stays in the cache, one for each source tree and release, so that only what changed is compiled.
"""Builds for the guests."""

import json
import os
import subprocess

import cache
import image

HERE = os.path.dirname(os.path.realpath(__file__))
REPOSITORY = os.path.realpath(os.path.join(HERE, "..", ".."))
SETUP = ["--prefix=/usr", "--sysconfdir=/etc", "--localstatedir=/var", "-Dbuildtype=debugoptimized"]


class BuildError(Exception):
    """The project does not build."""


def work_folder(release, source):
    """Where this source tree is built for this release: `build` (meson's) and `root` (what was installed)."""
    return cache.folder(f"build-{release}-{cache.digest(os.path.realpath(source))}")


def in_chroot(base, source, work, argv, check=True):
    """Runs argv in the release's tree; what it prints goes to stderr."""
    line = [os.path.join(HERE, "chroot"), base.file("tree"), source, work, *argv]
    result = subprocess.run(line, stdin=subprocess.DEVNULL, stdout=2, check=False)
    if check and result.returncode:
        raise BuildError(f"{' '.join(argv[:2])} failed with status {result.returncode}")
    return result.returncode


def _configure(base, source, work, options):
    """Runs meson setup when this has not been done with the same options and the same tree."""
    wanted = json.dumps([base.path, *options])
    stamp = os.path.join(work, "options")
    try:
        with open(stamp, encoding="utf-8") as file:
            if file.read() == wanted and os.path.exists(os.path.join(work, "build", "build.ninja")):
                return
    except OSError:
        pass
    cache.remove(os.path.join(work, "build"))
    in_chroot(base, source, work, ["meson", "setup", *SETUP, *options, "/mnt/work/build", "/mnt/source"])
    with open(stamp, "w", encoding="utf-8") as file:
        file.write(wanted)


def build(release, source=REPOSITORY, options=(), test=False):
    """Builds and installs the project, and gives the folder of what was installed."""
    source = os.path.realpath(source)
    if not os.path.exists(os.path.join(source, "meson.build")):
        raise BuildError(f"{source} has no meson.build")
    work = work_folder(release, source)
    with image.tree(release) as base, cache.locked(os.path.basename(work)):
        _configure(base, source, work, options)
        in_chroot(base, source, work, ["ninja", "--quiet", "-C", "build"])
        if test:
            in_chroot(base, source, work, ["meson", "test", "-C", "build", "--print-errorlogs"])
        cache.remove(os.path.join(work, "root.new"))
        os.mkdir(os.path.join(work, "root.new"))
        in_chroot(base, source, work, ["env", "DESTDIR=/mnt/work/root.new", "meson", "install", "-C", "build",
                                       "--no-rebuild", "--quiet"])
        root = os.path.join(work, "root")
        cache.remove(root)
        os.rename(root + ".new", root)
    return root
