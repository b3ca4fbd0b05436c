#!/usr/bin/python3
"""What a client says of one job, against jobqmock and with both stores: a key, its own attempts, time limit
and back-off, by the command and by the Python class.

usage: live_options.py BUILD_DIR"""
import datetime
import json
import os
import sys
import threading

from livelib import ROOT, Mock, check

BUILD = os.path.join(ROOT, sys.argv[1] if len(sys.argv) > 1 else "build/dev")
mock = Mock()
os.environ.update(mock.env)
os.environ["JOBQ_LIBRARY"] = os.path.join(BUILD, "libjobq.so.0")
sys.path.insert(0, os.path.join(ROOT, "live/python"))
import jobq  # noqa: E402  (after the environment is set)


def status_of(job):
    return json.loads(mock.jobq("status", job, "--json", check_code=None).stdout)["jobs"][0]


def refused(*words):
    done = mock.jobq(*words, check_code=2)
    check(not done.stdout and done.stderr.count("\n") == 1, "%s: %s" % (words, done.stderr))
    return done.stderr


def raises(kind, text, call):
    try:
        call()
        check(False, "no %s" % kind)
    except kind as problem:
        check(text in str(problem), str(problem))


def keys(name, store):
    """Enqueued twice, run once."""
    key = "Rechnung 4711 <&'\"%\n"
    first = mock.jobq("enqueue", name, "--key", key, "kind=exec", "frame=1").stdout.strip()
    check(mock.jobq("enqueue", name, "--key", key, "kind=exec", "frame=1").stdout.strip() == first, "a second id")
    other = mock.jobq("enqueue", name, "--key", "another", "kind=exec", "frame=2").stdout.strip()
    with jobq.Enqueuer(name, store=store) as queue:
        check(queue.enqueue({"kind": "exec", "frame": 1}, key=key) == first, "the class has a second id")
        ids = []
        threads = [threading.Thread(target=lambda: ids.append(queue.enqueue({"kind": "exec", "frame": 3}, key=b"at once")))
                   for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        check(len(ids) == 8 and len(set(ids)) == 1, "ids at once: %s" % ids)
        many = queue.enqueue_many([{"kind": "exec", "frame": i} for i in range(4)], keys=["another", None, "k", "k"])
        check(many[0] == other and many[2] == many[3] and len(set(many)) == 3, "ids of many: %s" % many)
        raises(jobq.Limit, "255", lambda: queue.enqueue({"frame": 1}, key="k" * 256))
        raises(jobq.Invalid, "key is empty", lambda: queue.enqueue({"frame": 1}, key=""))
        raises(ValueError, "1 keys for 2 jobs", lambda: queue.enqueue_many([{"frame": 1}, {"frame": 2}], keys=["k"]))
    # A line a run, with its number.
    done = mock.jobq("drain", name, "-n", "4", "--once", "--json", "--exec", "cat", timeout=60).stdout
    ran = [event["id"] for event in map(json.loads, done.splitlines()) if event["event"] == "done"]
    check(sorted(ran) == sorted({first, other, ids[0], *many}), "ran: %s" % ran)
    check(mock.jobq("enqueue", name, "--key", key, "kind=exec", "frame=1").stdout.strip() == first, "an id after its end")
    check("0 visible, 0 in flight" in mock.jobq("doctor", name, check_code=None).stdout, "a message of a job that is done")
    rows = json.loads(mock.jobq("list", name, "--json").stdout)["jobs"]
    check(len(rows) == len(set(ran)) and all(row["state"] == "done" for row in rows), "rows: %s" % rows)


def limits(name, store):
    dead = mock.jobq("enqueue", name, "--attempts", "2", "--backoff", "0", "kind=exec", "frame=1").stdout.strip()
    slow = mock.jobq("enqueue", name, "--attempts", "1", "--time-limit", "2s", "kind=exec", "frame=2").stdout.strip()
    with jobq.Enqueuer(name, store=store, attempts=3, backoff=0) as queue:
        ones = queue.enqueue_many([{"kind": "exec", "frame": 3}])
        ones += queue.enqueue_many([{"kind": "exec", "frame": 4}], attempts=1, time_limit=datetime.timedelta(seconds=5))
        raises(jobq.Limit, "want 1 to 1000", lambda: queue.enqueue({"frame": 1}, attempts=0))
        raises(jobq.Limit, "12h", lambda: queue.enqueue({"frame": 1}, time_limit="13h"))
        raises(jobq.Invalid, "no setting of a job", lambda: queue.enqueue({"frame": 1}, keep="30d"))
        raises(jobq.Invalid, "did you mean 'attempts'", lambda: queue.enqueue({"frame": 1}, atempts=2))
    command = "read line; [ $line = frame=2 ] && exec sleep 60; echo $line; false"
    mock.jobq("drain", name, "-n", "4", "--idle-exit", "1s", "--exec", "sh -c '%s'" % command, timeout=90)
    for job, attempts in ((dead, 2), (slow, 1), (ones[0], 3), (ones[1], 1)):
        found = status_of(job)
        check(found["state"] == "dead" and found["attempt"] == attempts, "%s, not dead after %d" % (found, attempts))
    wall_ns = status_of(slow)["wall_ns"]
    check(1e9 <= wall_ns < 20e9, "stopped after %.2f s" % (wall_ns / 1e9))


for store in ("simpledb", "dynamodb"):
    mock.env["JOBQ_STORE"] = store
    keys("keys-" + store, store)
    limits("limits-" + store, store)
del mock.env["JOBQ_STORE"]
for rows in (("--rows", "end"), ("--rows", "none"), ("--store", "none")):
    check("a key needs rows" in refused("enqueue", "q", *rows, "--key", "k", "kind=sleep"), "a key without a guard")
check("--batch" in refused("enqueue", "q", "--key", "k", "--batch", "-"), "a key of a batch")
check("1 to 1000" in refused("enqueue", "q", "--attempts", "1001", "kind=sleep"), "too many attempts")
mock.close()
print("ok: options")
