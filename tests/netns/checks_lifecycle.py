"""Installing, changing and removing: what stays, what goes, what a refusal says."""
import subprocess

from tap import equal, ok
from world import sh


def tables():
    return sh("nft", "list", "tables").split("\n")


def check_install_and_remove(w):
    sh("nft", "add", "table", "inet", "mine")
    w.install("coder", 65536)
    w.install("scribe", 65537, "list", "own", 0, ("198.51.100.1:443",))
    sh("nft", "add", "rule", "inet", "agentctl", "agent-scribe", "accept")
    w.drive("remove", "coder", 65536)
    text = sh("nft", "list", "table", "inet", "agentctl")
    ok("coder" not in text and "65536 " not in text and "0x61010000" not in text.replace("0x61010000-0x", ""),
       "nothing of a removed agent is left", text)
    ok("agent-scribe" in text, "the other agent has its chain")
    w.drive("remove", "coder", 65536)
    ok(True, "removing what is not there is fine")
    w.drive("remove", "scribe", 65537)
    ok("table inet agentctl" not in tables(), "the table goes with the last agent")
    ok("table inet mine" in tables(), "others' tables stay")
    w.drive("remove", "scribe", 65537)
    ok(True, "removing without a table is fine")


def check_slice_comes_and_goes(w):
    old, new, others = (10**15 + i for i in range(3))  # no cgroup has them: nft lists those it knows by their path
    args = ("coder", 65536, "public", "own")
    w.install(*args, 0)
    w.install(*args, old)
    equal(w.drive("match", *args, old), "same", "with the slice's id")
    equal(w.drive("match", *args, 0), "different", "a slice that should not be there is seen")
    equal(w.drive("match", *args, new), "different", "another slice is seen")
    w.install("scribe", 65537, "public", "own", others)
    w.install(*args, new)
    text = sh("nft", "list", "table", "inet", "agentctl")
    ok(str(old) not in text and str(new) in text, "a slice that is gone leaves no element", text)
    sh("nft", "flush", "set", "inet", "agentctl", "servers")
    equal(w.drive("match", *args, new), "different", "a lost element is seen")
    w.install(*args, new)
    w.install(*args, 0)
    text = sh("nft", "list", "table", "inet", "agentctl")
    ok(str(new) not in text, "no slice, no element", text)
    w.install("scribe", 65537, "public", "own", others)
    equal(w.drive("match", "scribe", 65537, "public", "own", others), "same", "the other agent's slice stays")


def check_counters_survive_a_change(w):
    from world import connect
    w.install("coder", 65536, "public", "own")
    w.call(65536, connect, "198.51.100.1", 80)
    w.call(65536, connect, "198.51.100.1", 22)
    before = w.drive("counters", "coder", 65536)
    ok(before.startswith("accepted ") and not before.startswith("accepted 0") and before.endswith("refused 1"),
       "accepted and refused packets are counted", before)
    w.install("coder", 65536, "list", "own")
    equal(w.drive("counters", "coder", 65536), before, "a change of rules does not forget them")
    w.drive("remove", "coder", 65536)
    equal(w.drive("counters", "coder", 65536), "accepted 0 refused 0", "without rules there are none")


def check_at_the_same_time(w):
    """Twelve commands at once: nobody's change is lost."""
    def start(verb, i):
        return subprocess.Popen([w.driver, verb, f"a{i}", str(65600 + i), "public", "own", "0"], stderr=subprocess.PIPE)
    for verb, state in (("install", "same"), ("remove", "absent")):
        running = [start(verb, i) for i in range(12)]
        errors = [p.communicate()[1].decode() for p in running]
        equal([e for e in errors if e], [], f"12 times {verb} at once")
        equal({w.drive("match", f"a{i}", 65600 + i) for i in range(12)}, {state}, f"all are {state}")
    ok("table inet agentctl" not in tables(), "and the table is gone")


def failing(w, *prefix, name="coder"):
    r = subprocess.run([*prefix, w.driver, "install", name, "65536", "public", "own", "0"], capture_output=True, text=True)
    return r.returncode, r.stderr.strip()


def check_refusals(w):
    code, text = failing(w, "setpriv", "--reuid=65534", "--regid=65534", "--clear-groups")
    equal((code, text), (1, "nftables: reading rules needs the capability CAP_NET_ADMIN (run as root)"),
          "without privilege: one clear line")
    code, text = failing(w, "setpriv", "--bounding-set=-net_admin", "--inh-caps=-all")
    equal((code, text), (1, "nftables: reading rules needs the capability CAP_NET_ADMIN (run as root)"),
          "root without CAP_NET_ADMIN: the same")
    ok("table inet agentctl" not in tables(), "and nothing was changed")

    sh("nft", "-f", "-", data="table inet agentctl { chain output { type filter hook forward priority 7; }; }\n")
    code, text = failing(w)
    ok(code == 1 and text.startswith("nftables: the kernel refused the chain output: "),
       "the kernel's refusal names what it refused", text)
    sh("nft", "flush", "ruleset")
    sh("nft", "-f", "-", data="table inet agentctl { counter x { }; map transports { type mark : verdict; }; }\n")
    code, text = failing(w)
    ok(code == 1 and text.startswith("nftables: the kernel refused the set transports: "), "and a set", text)
    ok("agent-coder" not in sh("nft", "list", "ruleset"), "and nothing was changed")


def check_refused_rule(w):
    """A chain that may not be gone to from where the rule wants to."""
    sh("nft", "-f", "-", data="table inet agentctl { chain refuse { type filter hook output priority 9; }; }\n")
    code, text = failing(w)
    ok(code == 1 and text.startswith("nftables: the kernel refused the rule 'goto refuse' in chain"),
       "a refused rule is named with its text", text)
