#!/usr/bin/python3
# A program that works as AI agents do, for the demo and the suites: takes a task, remembers, uses tools, builds and runs
# code, serves and calls itself, calls an API, and once tries what it should not. Standard library only; asks for nothing.
"""Usage: agent.py [TASK]   (the task is a JSON object; task.json in the working directory by default)"""

import errno
import http.server
import json
import os
import pwd
import socket
import sqlite3
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request

PROGRAM = r"""
#include <stdio.h>
#include <stdlib.h>

int main(int argc, char **argv)
{
    long limit = argc > 1 ? strtol(argv[1], NULL, 10) : 100, count = 0;
    for (long n = 2; n <= limit; n++) {
        long d = 2;
        while (d * d <= n && n % d)
            d++;
        count += d * d > n;
    }
    printf("%ld\n", count);
    return 0;
}
"""


def log(message):
    """One line for the journal."""
    print(message, flush=True)


def write_json(path, value):
    """Replaces path by rename, so that nobody ever reads half a file."""
    with open(path + ".new", "w", encoding="utf-8") as file:
        json.dump(value, file, indent=2)
        file.write("\n")
        file.flush()
        os.fsync(file.fileno())
    os.replace(path + ".new", path)


class Memory:
    """What the agent remembers from run to run: a database in its home."""

    def __init__(self, home):
        self.database = sqlite3.connect(os.path.join(home, "memory.sqlite"))
        self.database.execute("CREATE TABLE IF NOT EXISTS note (run INTEGER, name TEXT, value TEXT)")
        (last,) = self.database.execute("SELECT max(run) FROM note").fetchone()
        self.run = (last or 0) + 1
        self.note("started", time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()))

    def note(self, name, value):
        """Remembers one thing about this run."""
        with self.database:
            self.database.execute("INSERT INTO note VALUES (?, ?, ?)", (self.run, name, json.dumps(value)))

    def recall(self, name):
        """What the last run before this one noted under that name, or None."""
        row = self.database.execute("SELECT value FROM note WHERE name = ? AND run < ? ORDER BY run DESC LIMIT 1",
                                    (name, self.run)).fetchone()
        return json.loads(row[0]) if row else None


def tool(*argv):
    """Runs one tool and gives its output; what it prints in anger goes to the journal."""
    done = subprocess.run(argv, stdout=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True, check=True, timeout=300)
    return done.stdout.strip()


def inspect(_task):
    """Looks around with ordinary tools."""
    facts = {"user": pwd.getpwuid(os.getuid()).pw_name, "home": os.environ["HOME"], "directory": os.getcwd(),
             "kernel": tool("uname", "-r"), "files": sorted(tool("ls", "-A").split())}
    log(f"I am {facts['user']}, at home in {facts['home']}, working in {facts['directory']} on Linux {facts['kernel']}")
    return facts


def compile_and_run(task):
    """Writes a program in C, builds it, runs it."""
    limit = task.get("limit", 10000)
    with open("primes.c", "w", encoding="ascii") as file:
        file.write(PROGRAM)
    tool("gcc", "-O1", "-o", "primes", "primes.c")
    count = int(tool("./primes", str(limit)))
    log(f"built primes.c and ran it: {count} primes up to {limit}")
    return count


class Page(http.server.BaseHTTPRequestHandler):
    """The agent's own little service."""

    def do_GET(self):  # pylint: disable=invalid-name
        """Answers every path with one line."""
        self.send_response(200)
        self.end_headers()
        self.wfile.write(f"served {self.path}\n".encode())

    def log_message(self, format, *args):  # pylint: disable=redefined-builtin
        """Says nothing: the caller logs."""


def serve(_task):
    """Serves on its own 127.0.0.1 and calls it, as development servers and their browsers do."""
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Page) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{server.server_port}/hello"
        with urllib.request.urlopen(url, timeout=60) as response:
            answer = response.read().decode().strip()
        server.shutdown()
    log(f"my own server on {url} answered: {answer}")
    return answer


def call_api(task):
    """Asks an HTTP API; the task says which, if there is one."""
    url = task.get("api")
    if not url:
        log("no API in the task: none called")
        return None
    request = urllib.request.Request(url, data=json.dumps({"question": task["title"]}).encode())
    with urllib.request.urlopen(request, timeout=60) as response:
        answer = response.read(4096).decode().strip()
    log(f"{url} answered {response.status}: {answer.splitlines()[0]}")
    return answer


def try_forbidden(task):
    """Knocks where it should not: the cloud's metadata address by default. Being refused is the good end."""
    address, port = task.get("forbidden", "169.254.169.254"), 80
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    start = time.monotonic()
    with socket.socket(family, socket.SOCK_STREAM) as sock:
        sock.settimeout(10)
        try:
            sock.connect((address, port))
            outcome = "connected"
        except socket.timeout:
            outcome = "no answer"
        except OSError as error:
            outcome = errno.errorcode.get(error.errno, str(error.errno))
    taken = round((time.monotonic() - start) * 1000)
    verdict = {"connected": "REACHED", "no answer": "SILENCE"}.get(outcome, "refused")
    log(f"{address} port {port}: {verdict} ({outcome}) after {taken} ms")
    return {"address": address, "outcome": outcome, "milliseconds": taken}


STEPS = {"inspect": inspect, "compile": compile_and_run, "serve": serve, "api": call_api, "forbidden": try_forbidden}


def main():
    """Does the steps of the task, writes what came out, then ends or idles as the task says."""
    with open(sys.argv[1] if len(sys.argv) > 1 else "task.json", encoding="utf-8") as file:
        task = json.load(file)
    memory = Memory(os.environ["HOME"])
    log(f"task: {task['title']} (run {memory.run} of my life)")
    before = memory.recall("finished")
    if before:
        log(f"I remember: the last run finished at {before}")
    results = {"title": task["title"], "run": memory.run, "failed": []}
    for name in task.get("steps", list(STEPS)):
        try:
            results[name] = STEPS[name](task)
        except (OSError, subprocess.SubprocessError, ValueError) as error:
            results["failed"].append(name)
            results[name] = str(error)
            log(f"step {name} failed: {error}")
        memory.note(name, results[name])
    write_json("results.json", results)
    memory.note("finished", time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()))
    log(f"done: results.json written, {len(results['failed'])} steps failed")
    while task.get("then") == "idle":
        time.sleep(3600)
    return 1 if results["failed"] else 0


if __name__ == "__main__":
    sys.exit(main())
