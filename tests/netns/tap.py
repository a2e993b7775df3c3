"""TAP output: ok() within a check, run() around it, finish() prints the plan and gives the exit status."""
import traceback

count = failed = skipped = 0


class Skip(Exception):
    pass


def ok(condition, what, detail=""):
    global count, failed
    count += 1
    print(f"{'ok' if condition else 'not ok'} {count} - {what}", flush=True)
    if not condition:
        failed += 1
        for line in str(detail).splitlines():
            print(f"# {line}", flush=True)
    return condition


def equal(got, expected, what):
    return ok(got == expected, what, f"got:      {got!r}\nexpected: {expected!r}")


def run(name, test, world):
    global count, failed, skipped
    print(f"# {name}", flush=True)
    try:
        test(world)
    except Skip as reason:
        count += 1
        skipped += 1
        print(f"ok {count} - {name} # SKIP {reason}", flush=True)
    except Exception:
        ok(False, f"{name}: runs to its end", traceback.format_exc())


def finish():
    print(f"1..{count}\n# {count - failed - skipped} passed, {failed} failed, {skipped} skipped")
    return 1 if failed else 0
