"""The rules as such: held to the readable reference, to their own text, and compared with the kernel."""
import os
import re

from tap import Skip, equal, ok
from world import sh

REFERENCE = os.path.join(os.path.dirname(__file__), "../../nft/agentctl.nft")
SCRIBE_ALLOW = ("0.0.0.0/0:22", "10.1.0.0/16", "127.0.0.1:5432", "198.51.100.0/24:8000-8010,9000",
                "[2001:db8::5]:53/udp", "[2001:db8:8000::]/33")
EXAMPLES = (("coder", 65536, "public", "own", ("10.0.0.5:53/udp",)),
            ("scribe", 65537, "list", "own", SCRIBE_ALLOW),
            ("rover", 65538, "open", "host", ()),
            ("hermit", 65539, "none", "none", ()))


def blocks(listing):
    """nft's listing as {header: lines}: the order of blocks and of elements means nothing."""
    result = {}
    for header, body in re.findall(r"^\t(\w+ [\w-]+) \{\n(.*?)^\t\}", listing, re.M | re.S):
        body = re.sub(r",\s+", ", ", body)
        result[header] = [sort_elements(line.strip()) for line in body.splitlines() if line.strip()]
    return result


def sort_elements(line):
    if not line.startswith("elements"):
        return line
    return sorted(part.strip() for part in line[line.index("{") + 1:line.rindex("}")].split(","))


def listing(*command):
    return blocks(sh(*command, "nft", "--stateless", "list", "table", "inet", "agentctl"))


def install_examples(w):
    for name, uid, egress, loopback, allow in EXAMPLES:
        w.install(name, uid, egress, loopback, 0, allow)


def check_reference(w):
    if not os.path.exists(REFERENCE):
        raise Skip("nft/agentctl.nft is not beside the tests")
    install_examples(w)
    built = listing()
    sh("nft", "flush", "ruleset")
    sh("nft", "-f", REFERENCE)
    reference = listing()
    equal(sorted(built), sorted(reference), "the built table has the reference's sets, chains and counters")
    for header in sorted(reference):
        equal(built.get(header), reference[header], f"{header} is listed as the reference's")


def check_text(w):
    for name, uid, egress, loopback, allow in EXAMPLES:
        w.install(name, uid, egress, loopback, 0, allow)
        text = w.drive("text", name, uid, egress, loopback, 0, allow)
        built = sh("nft", "--stateless", "list", "chain", "inet", "agentctl", f"agent-{name}")
        sh("nft", "-f", "-", data=f"flush chain inet agentctl agent-{name}\n{text}\n")
        loaded = sh("nft", "--stateless", "list", "chain", "inet", "agentctl", f"agent-{name}")
        equal(loaded, built, f"the text of {name}'s rules means to nft what was built")
        ok(text == built.strip() or "v1.0.6" not in sh("nft", "--version"), f"and {name}'s is nft's own, word for word",
           f"{text}\n--- nft:\n{built}")


TAMPERINGS = (
    ("a rule more in the agent's chain", "insert rule inet agentctl agent-coder accept"),
    ("the agent's rules gone", "flush chain inet agentctl agent-coder"),
    ("the agent's rules in another order", None),
    ("the agent's element pointing elsewhere",
     "delete element inet agentctl agents { 65536 }\nadd element inet agentctl agents { 65536 : jump replies }"),
    ("the agent's element gone", "delete element inet agentctl agents { 65536 }"),
    ("the connection's mark gone", "delete element inet agentctl flows { 0x61010000 }"),
    ("the refusals' counter gone", "delete element inet agentctl refusals { 0x62010000 }"),
    ("a rule more in the base", "insert rule inet agentctl output accept"),
    ("the base's rules gone", "flush chain inet agentctl output"),
    ("the floor without private addresses", "delete element inet agentctl floor4 { 10.0.0.0/8 }"),
    ("the floor without loopback", "delete element inet agentctl floor6 { ::/96 }"),
    ("the floor with more in it", "add element inet agentctl floor4 { 198.51.100.0/24 }"),
    ("another port in web", "add element inet agentctl web { 22 }"),
    ("no local addresses", "delete element inet agentctl own_addresses { local }"),
    ("the refusing chain accepts", "flush chain inet agentctl refuse"),
    ("the table put to sleep", "add table inet agentctl { flags dormant; }"),
    ("another policy", "add chain inet agentctl output { policy drop; }"),
)


def check_tampering(w):
    allow = ("10.0.0.5:53/udp",)
    args = ("coder", 65536, "public", "own", 0, allow)
    w.install("other", 65540)
    equal(w.drive("match", *args), "absent", "an agent without rules is absent")
    for what, commands in TAMPERINGS:
        w.install(*args)
        equal(w.drive("match", *args), "same", f"installed, before: {what}")
        if commands is None:
            rules = re.findall(r"^\t\t(.*)$", sh("nft", "--stateless", "list", "chain", "inet", "agentctl", "agent-coder"), re.M)
            commands = "flush chain inet agentctl agent-coder\n" + "".join(
                f"add rule inet agentctl agent-coder {rule}\n" for rule in reversed(rules))
        sh("nft", "-f", "-", data=commands + "\n")
        equal(w.drive("match", *args), "different", f"seen: {what}")
    w.install(*args)
    equal(w.drive("match", *args), "same", "all of it is mended by installing")
    equal(w.drive("match", "other", 65540), "same", "and the other agent has its rules as before")


def check_tampering_with_statements(w):
    """One word of any rule of an agent changed is a difference."""
    allow = SCRIBE_ALLOW
    args = ("scribe", 65537, "list", "own", 0, allow)
    changes = (("10/minute", "11/minute"), ("burst 20", "burst 21"), ("scribe refused: ", "scribe refused; "),
               ("flags skuid", ""), ('"refused-scribe"', '"accepted-scribe"'), ("goto unreachable", "goto replies"),
               ("0x61010001", "0x61010000"), ("direction reply", "direction original"), ("10.1.0.0/16", "10.0.0.0/15"),
               ("10.1.0.0/16", "10.1.0.0/17"), ("8000-8010", "8000-8011"), ("dport 9000", "dport 9001"),
               ("udp dport 53", "tcp dport 53"), ("2001:db8::5", "2001:db8::6"), ("!= @own_addresses", "@own_addresses"),
               ("!= @floor4", "@floor4"), ("type local", "type broadcast"), ("@transports", "@web"),
               ('oifname "lo"', 'iifname "lo"'), ("meta mark set", "ct mark set"))
    for old, new in changes:
        w.install(*args)
        rules = re.findall(r"^\t\t(.*)$", w.drive("text", *args), re.M)
        if not any(old in rule for rule in rules):
            raise RuntimeError(f"no rule has {old}")
        if new == "@web":
            new = "{ tcp }"
        commands = "flush chain inet agentctl agent-scribe\n" + "".join(
            f"add rule inet agentctl agent-scribe {rule.replace(old, new)}\n" for rule in rules)
        sh("nft", "-f", "-", data=commands)
        equal(w.drive("match", *args), "different", f"seen: {old} turned into {new or 'nothing'}")


def check_flat_cost(w):
    """Ten thousand agents and one: a packet costs the same."""
    w.install("coder", 65536, "open")
    one = w.call(65536, burst, 20000)
    chains = "".join(f"add chain inet agentctl agent-x{i}\nadd rule inet agentctl agent-x{i} goto refuse\n" for i in range(10000))
    elements = ", ".join(f"{70000 + i} : jump agent-x{i}" for i in range(10000))
    flows = ", ".join(f"{0x61000000 + 70000 + i} : jump agent-x{i}" for i in range(10000))
    sh("nft", "-f", "-", data=f"{chains}add element inet agentctl agents {{ {elements} }}\n"
       f"add element inet agentctl flows {{ {flows} }}\n")
    many = w.call(65536, burst, 20000)
    ok(many < 2 * one, "a packet beside 10,000 agents costs less than twice that of one", f"{one:.3f} s, {many:.3f} s")
    equal(w.drive("match", "coder", 65536, "open"), "same", "and comparing still works")
    w.drive("remove", "coder", 65536, "open")
    equal(w.drive("match", "coder", 65536, "open"), "absent", "and removing")


def burst(say, count):
    import socket
    import time
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.connect(("198.51.100.9", 9000))
    best = None
    for _ in range(3):
        begin = time.monotonic()
        for _ in range(count):
            try:
                s.send(b"x" * 64)
            except OSError:
                pass
        best = min(best or 1e9, time.monotonic() - begin)
    return best
