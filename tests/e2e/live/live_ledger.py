#!/usr/bin/python3
"""Requests by the mock's ledger equal those of the clients' own ledgers, action by action, and
so do the bytes that clients sent; requests a job at saturation are those of batches of ten.

usage: live_ledger.py [JOBS]"""
import collections
import json
import sys

from livelib import Mock, check

JOBS = int(sys.argv[1]) if len(sys.argv) > 1 else 2000
mock = Mock()
with open(mock.dir + "/jobs", "w") as lines:
    for i in range(JOBS):
        lines.write("kind=sleep seconds=0.01 i=%d\n" % i)
mock.jobq("enqueue", "led", "--batch", "jobs", "--record", "enqueue.jsonl")
mock.jobq("drain", "led", "-n", "50", "--idle-exit", "1s", "--quiet", "--record", "drain.jsonl",
          "--stats", "0")


def own(name):
    """The ledger line, and the same summed over the lines of calls."""
    ledger, calls = None, collections.Counter()
    lines = open(mock.dir + "/" + name).read().split("\n")
    check(json.loads(lines[0])["schema"] == "jobq.trace/1", "no schema in " + name)
    for line in filter(None, lines[1:]):
        one = json.loads(line)
        if "call" in one:
            calls[one["call"]] += one["requests"]
        elif "ledger" in one:
            ledger = one["ledger"]["actions"]
    check(ledger, "no ledger in " + name)
    for action, count in calls.items():
        check(ledger[action]["requests"] == count, "%s: ledger %d, lines %d"
              % (action, ledger[action]["requests"], count))
    return ledger


mine = collections.defaultdict(collections.Counter)
for name in ("enqueue.jsonl", "drain.jsonl"):
    for action, usage in own(name).items():
        mine[action].update({k: usage.get(k, 0) for k in ("requests", "entries", "bytes_out",
                                                          "bytes_in", "box_usage_e10h")})
theirs = mock.ledger()
theirs = theirs.get("ledger", theirs)["actions"]
for action in sorted(set(mine) | set(theirs)):
    m, t = mine[action], theirs.get(action, {})
    print("%-28s requests %6d %6d  bytes out %9d %9d  in %9d %9d" %
          (action, m["requests"], t.get("requests", 0), m["bytes_out"], t.get("bytes_out", 0),
           m["bytes_in"], t.get("bytes_in", 0)))
    check(m["requests"] == t.get("requests", 0), action + ": requests differ")
    check(m["box_usage_e10h"] == t.get("box_usage_e10h", 0), action + ": BoxUsage differs")
    check(m["bytes_out"] == t.get("bytes_out", 0), action + ": bytes out differ")
    check(m["bytes_in"] == t.get("bytes_in", 0), action + ": bytes in differ")
# Rows go by 25, and the first put into each of the 4 domains finds it missing: whatever the
# number of batches at once, each is made once and nothing else is sent twice.
check(mine["CreateDomain"]["requests"] == 4, "a domain was made more than once")
check(mine["BatchPutAttributes"]["requests"] == -(-JOBS // 25) + 4, "rows were sent more than once")
sqs = sum(mine[a]["requests"] for a in mine if a in ("SendMessage", "SendMessageBatch", "ReceiveMessage",
                                                     "DeleteMessage", "DeleteMessageBatch",
                                                     "ChangeMessageVisibility",
                                                     "ChangeMessageVisibilityBatch"))
print("ok: %.3f SQS requests a job, %.3f puts a job" %
      (sqs / JOBS, (mine["PutAttributes"]["requests"] + mine["BatchPutAttributes"]["requests"]) / JOBS))
check(sqs / JOBS <= 0.35, "more than 0.35 SQS requests a job")
mock.close()
