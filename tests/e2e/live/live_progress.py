#!/usr/bin/python3
"""What a command says of its progress: in its row while it runs, for jobq status, jobq list and
libjobq, and gone when it has ended; one put for each change and no more.

usage: live_progress.py BUILD_DIR"""
import json
import os
import sys

from livelib import ROOT, Mock, check, wait_for

mock = Mock()
os.environ.update(mock.env)
os.environ["JOBQ_LIBRARY"] = os.path.join(ROOT, sys.argv[1], "libjobq.so.0")
sys.path.insert(0, os.path.join(ROOT, "live/python"))
import jobq  # noqa: E402  (after the environment is set)

job = mock.jobq("enqueue", "far", "--visibility", "60s", "kind=exec").stdout.strip()
library = jobq.Enqueuer("far")
check(library.status(job).progress_percent is None, "progress of a queued job")
drain = mock.start("drain", "far", "-n", "1", "--progress", "500ms", "--stats", "0", "--idle-exit", "0", "--wait", "1s", "--exec",
                   "sh -c 'echo progress 40%; sleep 2.5; echo no progress 50% at all; echo progress 80%; sleep 2.5'")


def row(command="status", what=job):
    return json.loads(mock.jobq(command, "--json", what).stdout)["jobs"][0]


for percent in (40, 80):
    wait_for(lambda: row().get("progress") == percent, 15, "%d %% in the row" % percent)
    check(library.status(job).progress_percent == percent, "libjobq does not tell %d %%" % percent)
    check(row("list", "far").get("progress") == percent, "jobq list does not show %d %%" % percent)
    check("\t%d%%\t" % percent in mock.jobq("status", job).stdout, "jobq status does not show %d %%" % percent)
check(drain.wait(timeout=20) == 0, "the drain ended with %s" % drain.returncode)
end = row()
check(end["state"] == "done" and "progress" not in end, "after its end: %s" % end)
check(library.status(job).progress_percent is None, "progress of a job that is done")
library.close()
ledger = mock.ledger()
puts = ledger.get("ledger", ledger)["actions"]["PutAttributes"]["requests"]
# The row (and once more behind its domain's making), the claim, the end.
check(puts == 2 + 2 + 2, "%d puts, want two for the progress and four for the job" % puts)
mock.close()
print("ok: progress goes to the row")
