#!/usr/bin/python3
"""jobqsim's threads (replications, points of a sweep, plans of a torture), built with
ThreadSanitizer: a report ends the test.

usage: sim_tsan.py JOBQSIM TEST_KERNEL"""
import os
import pty
import subprocess
import sys
import tempfile

from livelib import check
from tsanlib import tsan_runner

wrap = tsan_runner()
program, kernel = (os.path.abspath(path) for path in sys.argv[1:])
with tempfile.TemporaryDirectory() as where:
    # Progress has a thread of its own, where it is shown.
    watcher, terminal = pty.openpty()

    def run(*command):
        done = subprocess.run(wrap + list(command), cwd=where, stdout=subprocess.PIPE, stderr=terminal, text=True, timeout=900,
                              env={**os.environ, "TSAN_OPTIONS": "exitcode=66 log_path=" + where + "/report"})
        reports = "".join(open(os.path.join(where, name)).read() for name in os.listdir(where) if name.startswith("report"))
        check(done.returncode == 0 and not reports,
              "%s: exit %d\n%s" % (" ".join(command), done.returncode, reports[:6000] or done.stdout[-2000:]))

    run(kernel)
    run(program, "run", "--jobs", "200", "--boxes", "2", "--concurrency", "8", "--job-time", "exp:1s", "--reps", "12",
        "--threads", "4")
    run(program, "sweep", "-o", "s.csv", "--jobs", "100", "--payload", "64,4k", "--concurrency", "1,8", "--job-time",
        "exp:1s,2s", "--reps", "2", "--threads", "4")
    run(program, "torture", "--seeds", "24", "--threads", "4")
print("ok: no race among replications, points and plans")
