# Where the harness keeps what is costly to make, under ${AGENTCTL_TEST_CACHE:-/var/cache/agentctl-tests}.
# An artifact is a directory KIND-RELEASE-HASH of its inputs: made aside and renamed, locked while in use, never changed.
"""Cache directory, locks and artifacts."""

import contextlib
import fcntl
import hashlib
import os
import shutil
import sys
import threading
import time

KEEP = 2  # artifacts of one kind and release that stay: two working trees may differ in their inputs


def root():
    """The cache directory, which exists afterwards."""
    path = os.path.realpath(os.environ.get("AGENTCTL_TEST_CACHE") or "/var/cache/agentctl-tests")
    os.makedirs(path, mode=0o755, exist_ok=True)
    return path


def folder(name):
    """A folder of the cache directory, which exists afterwards."""
    path = os.path.join(root(), name)
    os.makedirs(path, exist_ok=True)
    return path


def say(text):
    """Tells the person who waits; results go to stdout, this goes to stderr."""
    print(f"vm: {text}", file=sys.stderr, flush=True)


def digest(*parts):
    """A short hash of texts, bytes and the contents of files (given as ('file', path))."""
    total = hashlib.sha256()
    for part in parts:
        if isinstance(part, tuple):
            with open(part[1], "rb") as file:
                part = file.read()
        if isinstance(part, str):
            part = part.encode()
        total.update(hashlib.sha256(part).digest())
    return total.hexdigest()[:16]


@contextlib.contextmanager
def locked(name):
    """Holds the lock `name` of the cache; says so when that takes waiting for another process."""
    with open(os.path.join(folder("locks"), name), "a+", encoding="ascii") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            say(f"waiting for process {file.read().strip() or '?'}, which makes {name}")
            fcntl.flock(file, fcntl.LOCK_EX)
        file.truncate(0)
        file.write(f"{os.getpid()}\n")
        file.flush()
        yield


class Artifact:
    """A finished directory of the cache, not removed as long as this object is open."""

    def __init__(self, path, lock):
        self.path = path
        self.lock = lock

    def file(self, name):
        """The path of one of its files."""
        return os.path.join(self.path, name)

    def close(self):
        """Lets others remove it."""
        self.lock.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def _open(path, files):
    """Opens the artifact at path, or gives None when it is absent; one that is damaged is removed aloud."""
    try:
        lock = open(os.path.join(path, "lock"), "r", encoding="ascii")
    except OSError:
        if os.path.exists(path):
            say(f"{path} is damaged (no lock file): making it again")
            remove(path)
        return None
    fcntl.flock(lock, fcntl.LOCK_SH)
    damage = _damage(path, files)
    if damage:
        lock.close()
        if os.path.exists(path):
            say(f"{path} is damaged ({damage}): making it again")
            remove(path)
        return None
    os.utime(path)
    return Artifact(path, lock)


def _damage(path, files):
    try:
        with open(os.path.join(path, "sizes"), encoding="utf-8") as file:
            sizes = dict(line.split() for line in file)
        for name in files:
            if str(os.stat(os.path.join(path, name)).st_size) != sizes.get(name):
                return f"{name} has another size than when it was made"
    except (OSError, ValueError) as error:
        return str(error)
    return None


def get(kind, release, key, files, make):
    """Opens the artifact `kind` for this release and key; make(directory) is called when it is absent.

    files are those whose size is checked at every use. Safe when several processes ask for it at once."""
    path = os.path.join(root(), f"{kind}-{release}-{key}")
    artifact = _open(path, files)
    if artifact:
        return artifact
    with locked(f"{kind}-{release}"):
        artifact = _open(path, files)
        if artifact:
            return artifact
        sweep("tmp")
        work = Held(os.path.join(folder("tmp"), f"{kind}-{release}.{os.getpid()}.{threading.get_ident()}"))
        try:
            make(work.path)
            with open(work.file("sizes"), "w", encoding="utf-8") as file:
                for name in files:
                    file.write(f"{name} {os.stat(work.file(name)).st_size}\n")
            os.rename(work.path, path)
        finally:
            work.close()
        artifact = _open(path, files)
        _prune(kind, release)
        if not artifact:
            raise OSError(f"{path} vanished while it was being made")
        return artifact


def drop(artifact):
    """Removes an artifact that turned out to be unusable."""
    artifact.close()
    remove(artifact.path)


def remove(path):
    """Removes a tree, if it is there; renamed first, so that nobody finds half of it."""
    aside = os.path.join(folder("tmp"), f"trash.{os.getpid()}.{time.monotonic_ns()}")
    with contextlib.suppress(OSError):
        os.rename(path, aside)
    shutil.rmtree(aside, ignore_errors=True)


def _paths(kind, release):
    """All artifacts of this kind, the newest first."""
    paths = [entry.path for entry in os.scandir(root()) if entry.name.startswith(f"{kind}-{release}-")]
    return sorted(paths, key=lambda path: os.stat(path).st_mtime, reverse=True)


def remove_kind(kind, release):
    """Removes all artifacts of this kind, except those that are about to be used."""
    _prune(kind, release, 0)


def _prune(kind, release, keep=KEEP):
    """Removes all but the newest artifacts of this kind, except those in use."""
    for path in _paths(kind, release)[keep:]:
        try:
            with open(os.path.join(path, "lock"), "r", encoding="ascii") as lock:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                remove(path)
        except OSError:
            pass


def sweep(name):
    """Removes what killed processes left in a folder of locked directories (see Held)."""
    for entry in os.scandir(folder(name)):
        if entry.name.startswith("trash."):
            shutil.rmtree(entry.path, ignore_errors=True)
            continue
        try:
            with open(os.path.join(entry.path, "lock"), "r", encoding="ascii") as lock:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                remove(entry.path)
        except OSError:
            pass


class Held:
    """A directory that is locked as long as the process (or one that inherited the lock) lives, then swept."""

    def __init__(self, path):
        self.path = path
        while True:
            os.makedirs(path, exist_ok=True)
            try:
                self.lock = open(os.path.join(path, "lock"), "w", encoding="ascii")
                fcntl.flock(self.lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                if os.path.samestat(os.fstat(self.lock.fileno()), os.stat(self.lock.name)):
                    return
            except FileNotFoundError:
                pass  # swept by another process before it was locked

    def file(self, name):
        """The path of one of its files."""
        return os.path.join(self.path, name)

    def close(self):
        """Removes the directory (unless it was renamed) and lets go of it."""
        remove(self.path)
        self.lock.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
