#!/usr/bin/python3
"""What a command says of its progress: in its row while it runs, for jobq status and jobq list,
on the page, and gone when it has ended; one put for each change and no more."""
import json

from livelib import Mock, check, wait_for

mock = Mock()
job = mock.jobq("enqueue", "far", "--visibility", "60s", "kind=exec").stdout.strip()
drain = mock.start("drain", "far", "-n", "1", "--progress", "500ms", "--stats", "0", "--idle-exit", "0", "--wait", "1s", "--exec",
                   "sh -c 'echo progress 40%; sleep 2.5; echo no progress 50% at all; echo progress 80%; sleep 2.5'")


def row(command="status", what=job):
    return json.loads(mock.jobq(command, "--json", what).stdout)["jobs"][0]


for percent in (40, 80):
    wait_for(lambda: row().get("progress") == percent, 15, "%d %% in the row" % percent)
    check(row("list", "far").get("progress") == percent, "jobq list does not show %d %%" % percent)
    check("\t%d%%\t" % percent in mock.jobq("status", job).stdout, "jobq status does not show %d %%" % percent)
check(drain.wait(timeout=20) == 0, "the drain ended with %s" % drain.returncode)
end = row()
check(end["state"] == "done" and "progress" not in end, "after its end: %s" % end)
ledger = mock.ledger()
puts = ledger.get("ledger", ledger)["actions"]["PutAttributes"]["requests"]
# The row (and once more behind its domain's making), the claim, the end.
check(puts == 2 + 2 + 2, "%d puts, want two for the progress and four for the job" % puts)
mock.close()
print("ok: progress goes to the row")
