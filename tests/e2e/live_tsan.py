#!/usr/bin/python3
"""The threads of libjobq and of a drain's primes, built with ThreadSanitizer, against jobqmock: a
report ends the test.

usage: live_tsan.py BUILD_DIR"""
import json
import os
import subprocess
import sys

import livelib
from livelib import ROOT, Mock, check
from tsanlib import tsan_runner

BUILD = os.path.join(ROOT, sys.argv[1])
THREADS, ROUNDS, BATCH = 10, 6, 12  # as live_threads.c
mock = Mock()
wrap = tsan_runner()
mock.env["TSAN_OPTIONS"] = "exitcode=66"

# Enqueue, batch, status, cancel, new and free from ten threads at once.
done = subprocess.run(wrap + [os.path.join(BUILD, "tests/e2e/live_threads"), "shared"], env=mock.env,
                      capture_output=True, text=True, timeout=300)
check(done.returncode == 0, "live_threads: exit %d\n%s" % (done.returncode, done.stderr[:6000]))
want = THREADS * (ROUNDS * BATCH + ROUNDS // 2 * 2)
ids = done.stdout.split()
check(len(ids) == want and len(set(ids)) == want, "%d ids, %d different, of %d" % (len(ids), len(set(ids)), want))

# Primes in worker threads: counted, cancelled by their row, and given back by a TERM.
livelib.JOBQ = os.path.join(BUILD, "program/jobq")
if wrap:
    livelib.JOBQ = os.path.join(mock.dir, "jobq")
    with open(livelib.JOBQ, "w") as script:
        script.write("#!/bin/sh\nexec %s %s \"$@\"\n" % (" ".join(wrap), os.path.join(BUILD, "program/jobq")))
    os.chmod(livelib.JOBQ, 0o755)
lines = "".join("kind=primes n=%d\n" % (100 + 5000 * i) for i in range(60))
ids = mock.jobq("enqueue", "primes", "--visibility", "30s", "--batch", "-", input=lines).stdout.split()
mock.jobq("drain", "primes", "-n", "12", "--idle-exit", "500ms", "--linger", "100ms", "--stats", "0", timeout=200)
jobs = json.loads(mock.jobq("status", "--json", *ids).stdout)["jobs"]
check([j["state"] for j in jobs] == ["done"] * 60, "states: %s" % {j["state"] for j in jobs})
slow = mock.jobq("enqueue", "primes", "kind=primes", "n=9000000000").stdout.strip()
log = os.path.join(mock.dir, "log")
drain = mock.start("drain", "primes", "-n", "4", "--drain-timeout", "500ms", "--stats", "0", "--json", log=log)
livelib.wait_for(lambda: '"running"' in mock.jobq("status", "--json", slow).stdout, 60, "the long count's start")
drain.terminate()
code = drain.wait(timeout=60)
said = open(log).read()
check("ThreadSanitizer" not in said and code in (0, 130, 143), "drain: exit %d\n%s" % (code, said[:6000]))
mock.close()
print("ok: no race among %d threads of an application, nor in a drain's" % THREADS)
