# Runs suites in guests, reads their protocol (described in vm), prints every result as it comes, and counts.
# A suite that hangs, dies half-way or takes the guest with it is a failure; its logs are kept.
"""The suites' runner."""

import concurrent.futures
import contextlib
import os
import re
import sys
import threading
import time

import cache
import control
import machine
import session

RESULT = re.compile(r"(ok|not ok|skip) - (.+)")
DONE = re.compile(r"done (\d+)")
AGAIN = re.compile(r"(reboot|crash) (\S+)")
KEEP_RUNS = 10
output_lock = threading.Lock()


class Interrupted(Exception):
    """The run is being stopped."""


def print_line(text):
    """Prints one whole line, whatever the other threads print."""
    with output_lock:
        sys.stdout.write(text + "\n")
        sys.stdout.flush()


class Report:
    """What one suite in one guest has said so far."""

    def __init__(self, release, suite, directory):
        self.release, self.suite = release, suite
        self.counts = {"ok": 0, "not ok": 0, "skip": 0}
        self.stage_results = 0
        self.done = None
        self.again = None
        self.started = time.monotonic()
        self.partial = {b"O": b"", b"E": b""}
        self.log = open(os.path.join(directory, f"debian{release}-{suite}.log"), "w", encoding="utf-8")

    def close(self):
        """Closes the log."""
        self.log.close()

    def begin_stage(self):
        """The suite is started (again)."""
        self.stage_results, self.done, self.again = 0, None, None

    def feed(self, kind, data):
        """Takes in what the suite writes, line by line."""
        lines = (self.partial[kind] + data).split(b"\n")
        self.partial[kind] = lines.pop()
        for line in lines:
            self.line(line.decode(errors="replace"), kind == b"O")

    def end_stage(self):
        """Takes in last lines without an end."""
        for kind, rest in self.partial.items():
            if rest:
                self.feed(kind, b"\n")

    def line(self, text, protocol=True):
        """Takes in one line; only standard output speaks the protocol."""
        self.log.write(f"[{time.monotonic() - self.started:7.2f}] {text}\n")
        self.log.flush()
        result = RESULT.fullmatch(text) if protocol else None
        if result:
            self.counts[result[1]] += 1
            self.stage_results += 1
            print_line(f"debian{self.release} {self.suite}: {text}")
            return
        if protocol and DONE.fullmatch(text):
            self.done = int(DONE.fullmatch(text)[1])
        elif protocol and AGAIN.fullmatch(text):
            self.again = AGAIN.fullmatch(text)
        print_line(f"debian{self.release} {self.suite}| {text}")

    def fail(self, name):
        """Counts a failure that the suite has not reported itself."""
        self.line(f"not ok - {name}")

    def check_stage(self, status, timeout):
        """Judges how the suite ended; gives the request for another stage, or None."""
        self.end_stage()
        if status == control.TIMED_OUT and self.done is None:
            self.fail(f"the suite ends within {timeout:.0f} s")
        elif status:
            self.fail(f"the suite ends with status 0 (it was {status})")
        elif self.again:
            return self.again
        elif self.done is None:
            self.fail("the suite reaches its end (it did not print 'done N')")
        elif self.done != self.stage_results:
            self.fail(f"the suite prints all its results (done {self.done}, but it printed {self.stage_results})")
        return None


class Runner:
    """One call of `vm run`: what all its guests have in common."""

    def __init__(self, options):
        self.images = {}  # release -> image artifact
        self.payloads = {}  # release -> payload disk
        self.fresh, self.memory, self.timeout = options.fresh_boot, options.memory, options.timeout
        self.tests = os.path.realpath(options.tests)
        self.directory = results_folder()
        self.guests = set()
        self.stopping = False
        self.totals = {"ok": 0, "not ok": 0, "skip": 0}
        self.failed = []

    def stop(self):
        """Ends all guests; their threads notice."""
        self.stopping = True
        for guest in list(self.guests):
            guest.kill()

    @contextlib.contextmanager
    def guest(self, release, name):
        """A guest with the payload, which ends with the block."""
        held = cache.Held(os.path.join(cache.folder("run"), f"{name}.{os.getpid()}"))
        guest = None
        try:
            if self.stopping:
                raise Interrupted
            guest = session.bring_up(self.images[release], held.path, self.payloads[release], fresh=self.fresh,
                                     memory=self.memory)
            self.guests.add(guest)
            session.install(guest)
            yield guest
        finally:
            self.guests.discard(guest)
            if guest:
                guest.kill()
            held.close()

    def run_stages(self, guest, report, path):
        """Runs a suite, and again after each reboot that it asks for."""
        stage = []
        while True:
            report.begin_stage()
            with guest.control(timeout=120) as channel:
                status = channel.run([os.path.join("/payload/tests", path), *stage], report.feed, timeout=self.timeout,
                                     cwd="/payload/tests", env={"AGENTCTL_TEST_RELEASE": report.release})
            again = report.check_stage(status, self.timeout)
            if not again:
                return
            stage = [again[2]]
            self.save_journal(guest, report, f".before-{again[2]}")
            self.reboot(guest, report, again[1] == "crash")

    def reboot(self, guest, report, hard):
        """Reboots the guest and waits until it is up."""
        started = time.monotonic()
        guest.reboot(hard)
        down = time.monotonic()
        word = machine.wait_running(guest)
        report.line(f"# shut down in {down - started:.0f} s, booted in {time.monotonic() - down:.0f} s: {word}", False)

    def save_journal(self, guest, report, suffix=""):
        """Keeps the guest's journal, if it still answers."""
        path = os.path.join(self.directory, f"debian{report.release}-{report.suite}.journal{suffix}")
        try:
            with guest.control(1, timeout=30) as channel, open(path, "wb") as file:
                channel.run(["journalctl", "-b", "--no-pager", "-o", "short-precise"],
                            lambda _kind, data: file.write(data), timeout=120)
        except (machine.MachineError, control.ControlError) as error:
            cache.say(f"debian{report.release} {report.suite}: no journal: {error}")

    def save_serial(self, guest, report):
        """Keeps what the guest wrote to its console."""
        path = os.path.join(self.directory, f"debian{report.release}-{report.suite}.serial")
        with open(path, "w", encoding="utf-8") as file:
            file.write(guest.log("serial.log"))

    def run_suite(self, guest, release, suite, path):
        """Runs one suite in a guest that is there, and counts its results. A crash of the guest is raised.

        False when the guest can't be used any longer."""
        usable = True
        report = Report(release, suite, self.directory)
        try:
            self.run_stages(guest, report, path)
        except machine.GuestCrash:
            self.save_serial(guest, report)
            raise
        except (machine.MachineError, control.ControlError, OSError) as error:
            report.end_stage()
            usable = False
            if not self.stopping:
                report.fail(f"the guest works: {error}")
        finally:
            report.close()
        if report.counts["not ok"]:
            self.save_journal(guest, report)
            self.save_serial(guest, report)
        self.count(report)
        return usable

    def count(self, report):
        """Adds a suite's results to the totals."""
        with output_lock:
            for kind, number in report.counts.items():
                self.totals[kind] += number
            if report.counts["not ok"]:
                self.failed.append(f"debian{report.release} {report.suite}")

    def fail(self, release, suite, reason):
        """Counts a suite that could not be run as one failure."""
        report = Report(release, suite, self.directory)
        report.fail(reason)
        report.close()
        self.count(report)

    def task(self, release, suites):
        """Runs suites in one guest; a guest that crashes is replaced, and the suite tried once more."""
        left, tries = list(suites), 0
        while left:
            suite, path = left[0]
            try:
                with self.guest(release, f"suite-{release}-{suite}") as guest:
                    usable = True
                    while left and usable:
                        suite, path = left[0]
                        usable = self.run_suite(guest, release, suite, path)
                        left.pop(0)
                        tries = 0
            except machine.GuestCrash as error:
                tries += 1
                if tries > 1:
                    self.fail(release, suite, f"the guest stays up: {error}")
                    left.pop(0)
                    tries = 0
                else:
                    print_line(f"debian{release} {suite}| # {error}; trying the suite ONCE MORE in a new guest")
            except (machine.MachineError, control.ControlError, OSError) as error:
                if self.stopping:
                    raise Interrupted from error
                self.fail(release, suite, f"a guest comes up: {error}")
                left.pop(0)

    def run(self, tasks, jobs):
        """Runs tasks, (release, suites) each, at most `jobs` at a time."""
        pool = concurrent.futures.ThreadPoolExecutor(jobs)
        futures = [pool.submit(self.task, release, suites) for release, suites in tasks]
        try:
            for future in concurrent.futures.as_completed(futures):
                future.result()
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            self.stop()
            concurrent.futures.wait(futures, timeout=10)
            raise
        pool.shutdown()

    def finish(self):
        """Prints what failed and the totals; gives the exit status."""
        for name in sorted(self.failed):
            print_line(f"failed: {name}")
        if self.failed:
            print_line(f"logs: {self.directory}")
        print_line(f"{self.totals['ok']} passed, {self.totals['not ok']} failed, {self.totals['skip']} skipped")
        return 1 if self.totals["not ok"] else 0


def results_folder():
    """A new folder for the logs of this run; only the newest runs' are kept."""
    parent = os.environ.get("AGENTCTL_TEST_RESULTS") or cache.folder("results")
    path = os.path.join(parent, time.strftime("%Y%m%d-%H%M%S") + f".{os.getpid()}")
    os.makedirs(path)
    if not os.environ.get("AGENTCTL_TEST_RESULTS"):
        for name in sorted(os.listdir(parent))[:-KEEP_RUNS]:
            cache.remove(os.path.join(parent, name))
    return path


def find_suite(tests, name):
    """The path of a suite below the tests' folder."""
    if name == "smoke":
        return "vm/smoke.sh"
    for path in (f"suites/{name}.sh", f"suites/{name}.py", f"suites/{name}"):
        if os.access(os.path.join(tests, path), os.X_OK) and os.path.isfile(os.path.join(tests, path)):
            return path
    raise machine.MachineError(f"there is no suite named {name} in {tests}/suites")


def all_suites(tests):
    """The names of all suites: the guest's own, and what is executable and ends in .sh."""
    folder = os.path.join(tests, "suites")
    names = sorted(os.listdir(folder)) if os.path.isdir(folder) else []
    return ["smoke"] + [name.removesuffix(".sh") for name in names
                        if name.endswith(".sh") and os.access(os.path.join(folder, name), os.X_OK)]
