#!/usr/bin/python3
# Holds the includes to the layers: base, spec, plan, encode, sys, cmd, each using only itself and what stands before it.
"""Prints every include that goes the wrong way; status 1 if there is one."""

import pathlib
import re
import sys

LAYERS = ["base", "spec", "plan", "encode", "sys", "cmd"]
# Those on the side: what they may use beyond their own folder.
SIDE = {"launch": LAYERS[:5], "netd": LAYERS[:5]}
# base, spec and plan are pure: no file, no socket, no clock, no library but libc.
PURE = {"base", "spec", "plan"}
IMPURE_HEADERS = re.compile(r"systemd/|libmnl|libnftnl|linux/|sys/(socket|stat|mount|acl|wait|un)|fcntl\.h|time\.h|dirent\.h|"
                            r"netinet/|jansson|pwd\.h|grp\.h")
PRINTING = re.compile(r"\b(printf|puts|putchar|perror|fprintf\s*\(\s*std(out|err))\s*\(")
INCLUDE = re.compile(r'^\s*#\s*include\s+(["<])([^">]+)[">]')


def allowed(folder):
    """The folders that files of this one may include."""
    if folder in SIDE:
        return set(SIDE[folder]) | {folder}
    return set(LAYERS[:LAYERS.index(folder) + 1])


def problems(root, path):
    """Yields what is wrong with one file."""
    folder = path.relative_to(root).parts[0]
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        match = INCLUDE.match(line)
        if match:
            kind, name = match.groups()
            target = name.split("/")[0] if "/" in name else folder
            if kind == '"' and target in set(LAYERS) | set(SIDE) and target not in allowed(folder):
                yield f"{path}:{number}: {folder} must not include {name}"
            if kind == '"' and not (root / name).exists() and name != "config.h":
                yield f"{path}:{number}: {name} is not given from agentctl/"
            # cleanup.h closes what others opened; it opens nothing itself.
            if folder in PURE and path.name != "cleanup.h" and kind == "<" and IMPURE_HEADERS.match(name):
                yield f"{path}:{number}: {folder} is pure and must not include <{name}>"
        elif folder not in ("cmd", "launch") and PRINTING.search(line) and not line.lstrip().startswith("//"):
            yield f"{path}:{number}: only cmd prints"


def main():
    """Checks every file in a folder of agentctl/."""
    root = pathlib.Path("agentctl")
    found = [problem for path in sorted(root.glob("*/*.[ch]")) for problem in problems(root, path)]
    print("\n".join(found), end="\n" if found else "")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
