#!/usr/bin/python3
"""Runs checks side by side and sums up.

usage: run_checks.py CHECK...

A check is a program (its name has a /) or a make target. It passes by exit 0; exit 77 means
that it was skipped, and its last line says why. The whole output of a failed check is shown.

What the targets need is built first, once, so that no two checks build the same file. Then
each check runs in a session and a TMPDIR of its own. Checks that compute get a core each;
those that tests/README.md marks "waits" get a quarter of one. The longest start first, by the
times of the last run (build/check-times) or else of tests/README.md. A check that leaves a
process behind fails. An interrupt ends every process that was started.

CHECK_CORES=N: how many cores to fill (all). CHECK_LIMIT=SECONDS: of one check (900)."""
import ctypes
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
TIMES = os.path.join(ROOT, "build", "check-times")
MAKE = os.environ.get("MAKE", "make").split() + ["--no-print-directory", "-s"]
CORES = int(os.environ.get("CHECK_CORES") or len(os.sched_getaffinity(0)))
LIMIT = float(os.environ.get("CHECK_LIMIT") or 900)
WAITING = 0.25
PR_SET_CHILD_SUBREAPER = 36
TERMINAL = sys.stdout.isatty() and not os.environ.get("CI")


def table():
    """{check: (seconds, waits)} by tests/README.md, then by the last run."""
    known = {}
    with open(os.path.join(ROOT, "tests", "README.md")) as text:
        for row in re.finditer(r"^\| `([\w-]+)` \| (\d+) s(, waits)? \|", text.read(), re.M):
            known[row.group(1)] = (float(row.group(2)), bool(row.group(3)))
    try:
        with open(TIMES) as lines:
            for name, seconds in (line.split() for line in lines):
                known[name] = (float(seconds), known.get(name, (0, False))[1])
    except OSError:
        pass
    return known


def remember(times):
    known = {name: seconds for name, (seconds, _) in table().items()}
    known.update(times)
    os.makedirs(os.path.dirname(TIMES), exist_ok=True)
    with open(TIMES + ".new", "w") as out:
        out.writelines("%s %.1f\n" % one for one in sorted(known.items()))
    os.replace(TIMES + ".new", TIMES)


def build(targets):
    """Builds what the targets need, but runs none of them."""
    if not targets:
        return
    database = subprocess.run(MAKE + ["-pq", "help"], stdout=subprocess.PIPE, text=True,
                              stderr=subprocess.DEVNULL).stdout
    needs = set()
    for line in database.split("\n"):
        name, colon, rest = line.partition(":")
        if colon and name in targets and not rest.startswith("="):
            needs.update(rest.split("|")[0].split())
    needs = sorted(needs - set(targets))
    if needs and subprocess.run(MAKE + ["-j%d" % CORES] + needs).returncode:
        sys.exit("run_checks: what the checks need could not be built")


def processes():
    """{pid: (parent, session)} of all that have not ended."""
    found = {}
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open("/proc/%s/stat" % pid) as stat:
                state, parent, _, session = stat.read().rpartition(")")[2].split()[:4]
        except (OSError, ValueError):
            continue
        if state not in "ZX":
            found[int(pid)] = (int(parent), int(session))
    return found


def kill_descendants():
    """As a subreaper this process is an ancestor of all that the checks left."""
    for _ in range(50):
        family, ours = processes(), {os.getpid()}
        while True:
            more = {pid for pid, (parent, _) in family.items() if parent in ours} - ours
            if not more:
                break
            ours |= more
        ours.discard(os.getpid())
        if not ours:
            return
        for pid in ours:
            try:
                os.kill(pid, signal.SIGKILL)
            except OSError:
                pass
        time.sleep(0.02)


class Check:
    def __init__(self, name, seconds, waits):
        self.command = [name] if "/" in name else MAKE + [name]
        self.name = os.path.basename(name)
        self.seconds, self.waits, self.share = seconds, waits, WAITING if waits else 1.0

    def start(self):
        self.tmp = tempfile.mkdtemp(prefix="jobq-check-")
        self.log = tempfile.TemporaryFile()
        self.begun = time.monotonic()
        self.process = subprocess.Popen(
            self.command, stdin=subprocess.DEVNULL, stdout=self.log, stderr=subprocess.STDOUT,
            cwd=ROOT, env={**os.environ, "TMPDIR": self.tmp}, start_new_session=True)

    def took(self):
        return time.monotonic() - self.begun

    def end(self, code, usage):
        """Says how it ended, and returns passed, skipped or failed."""
        left = [pid for pid, (_, session) in processes().items() if session == self.process.pid]
        for pid in left:
            os.kill(pid, signal.SIGKILL)
        shutil.rmtree(self.tmp, ignore_errors=True)
        self.log.seek(0)
        lines = self.log.read().decode(errors="replace").rstrip("\n").split("\n")
        # make reports a recipe's 77 as its own 2 and names it.
        if code == 2 and lines[-1].endswith("Error 77"):
            code = 77
            lines = [line for line in lines if not line.endswith("Error 77")]
        spent = "%4ds %4ds" % (self.took(), usage.ru_utime + usage.ru_stime)
        if code == 77:
            print("SKIP  %s  %s: %s" % (spent, self.name, lines[-1] if lines else ""))
            return "skipped"
        if code or left:
            what = "exit %d" % code if code >= 0 else "killed by signal %d" % -code
            print("FAIL  %s  %s (%s)" % (spent, self.name,
                                         what if code else "left %d processes" % len(left)))
            print("\n".join("    | " + line for line in lines))
            return "failed"
        seed = next((line for line in lines if line.startswith("seed=")), "")
        print("ok    %s  %s%s" % (spent, self.name, seed and " (%s)" % seed))
        for line in lines:
            if line.startswith("SKIP"):
                print(" " * 19 + line)
        return "passed"


def progress(running, waiting, begun):
    if TERMINAL:
        work = sum(c.seconds * c.share for c in waiting)
        work += sum(max(0, c.seconds - c.took()) * c.share for c in running)
        longest = max([c.seconds - c.took() for c in running] + [c.seconds for c in waiting] + [0])
        text = "%3d s; %d to go, about %d s more: %s" % (
            time.monotonic() - begun, len(running) + len(waiting), max(work / CORES, longest),
            " ".join(c.name for c in running))
        print("\r\033[K" + text[:shutil.get_terminal_size().columns - 1], end="", flush=True)


def run(checks):
    waiting = sorted(checks, key=lambda c: -c.seconds)
    running, ended, begun = {}, {"passed": [], "skipped": [], "failed": []}, time.monotonic()
    times = {}
    while waiting or running:
        free = CORES - sum(c.share for c in running.values())
        for check in [c for c in waiting]:
            if check.share <= free or not running:
                check.start()
                free -= check.share
                running[check.process.pid] = check
                waiting.remove(check)
        pid, status, usage = os.wait4(-1, os.WNOHANG)
        if pid in running:
            check = running.pop(pid)
            check.process.returncode = 0  # reaped here
            times[check.name] = check.took()
            if TERMINAL:
                print("\r\033[K", end="")
            ended[check.end(os.waitstatus_to_exitcode(status), usage)].append(check.name)
            sys.stdout.flush()
        elif pid == 0:
            for check in running.values():
                if check.took() > LIMIT:
                    os.killpg(check.process.pid, signal.SIGKILL)
            progress(running.values(), waiting, begun)
            time.sleep(0.05)
    remember(times)
    return ended


def main():
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda number, frame: sys.exit(128 + number))
    # The variables of a make above reach the makes below; its jobserver does not.
    os.environ["MAKEFLAGS"] = " ".join(
        word for word in re.split(r"(?<!\\) ", os.environ.get("MAKEFLAGS", ""))
        if not re.match(r"--jobserver|-j|-O|--output-sync", word))
    names, known = list(dict.fromkeys(sys.argv[1:])), table()
    try:
        build([name for name in names if "/" not in name])
        ended = run([Check(name, *known.get(os.path.basename(name), (3.0, False))) for name in names])
    except KeyboardInterrupt:
        print("\ninterrupted")
        sys.exit(130)
    finally:
        kill_descendants()
    if ended["failed"]:
        print("failed: " + " ".join(ended["failed"]))
    print("%d passed, %d failed, %d skipped" % tuple(
        len(ended[how]) for how in ("passed", "failed", "skipped")))
    sys.exit(1 if ended["failed"] else 0)


main()
