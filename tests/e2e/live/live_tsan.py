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

# Enqueue, batch, status, cancel, new, close and free from ten threads at once. The last enqueuer is
# freed while a call of each thread is under way: its request has come and its reply has not.
with open(os.path.join(mock.dir, "reports"), "w+") as reports:
    program = subprocess.Popen(wrap + [os.path.join(BUILD, "tests/e2e/live/live_threads"), "shared"], env=mock.env, text=True,
                               stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=reports)
    mock.started.append(program)
    ids = []
    for line in program.stdout:
        if line == "freeing\n":
            mock.faults("latency=1s")
            before = mock.metric("jobqmock_requests_total")
            program.stdin.write("ask\n")
            program.stdin.flush()
            livelib.wait_for(lambda: mock.metric("jobqmock_requests_total") >= before + THREADS, 60, "a request of each thread")
            program.stdin.write("free\n")
            program.stdin.flush()
        else:
            ids.append(line.strip())
    code = program.wait(timeout=100)
    reports.seek(0)
    check(code == 0, "live_threads: exit %d\n%s" % (code, reports.read()[:6000]))
mock.faults("latency=0s")
check(len(ids) > THREADS * (ROUNDS * BATCH + ROUNDS) and len(set(ids)) == len(ids), "%d ids, %d different" % (len(ids), len(set(ids))))
rows = {row["id"] for row in json.loads(mock.jobq("list", "shared", "--json").stdout)["jobs"] if row["state"] == "queued"}
check(rows == set(ids), "%d rows, %d acknowledged" % (len(rows), len(ids)))

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
