#!/usr/bin/python3
"""One drain of several queues: slots by weight, none starves, one end and one ledger.

usage: live_queues.py"""
import json
import os

from livelib import Mock, check

HEAVY, LIGHT = 300, 300
mock = Mock()
for queue, count in (("heavy", HEAVY), ("light", LIGHT)):
    jobs = os.path.join(mock.dir, queue + ".txt")
    with open(jobs, "w") as out:
        out.write("kind=sleep seconds=0.1\n" * count)
    mock.jobq("enqueue", queue, "--batch", jobs)

for args, text in ((["heavy=0", "light"], "the weight '0' of queue 'heavy' is not in 1..1000"),
                   (["heavy=1001"], "the weight '1001' of queue 'heavy' is not in 1..1000"),
                   (["heavy=x"], "the weight 'x' of queue 'heavy' is not in 1..1000"),
                   (["heavy=2", "heavy"], "queue 'heavy' is given twice")):
    refused = mock.jobq("drain", *args, "-n", "1", "--once", check_code=None)
    check(refused.returncode == 2 and text in refused.stderr, "%s: %d %s" % (args, refused.returncode, refused.stderr))
absent = mock.jobq("drain", "heavy", "absent", "-n", "1", "--once", check_code=None)
check(absent.returncode == 4 and "'absent'" in absent.stderr, "a missing queue: %d %s" % (absent.returncode, absent.stderr))
check(mock.jobq("list", "heavy", "--state", "running").stdout.count("heavy-") == 0, "a refused drain took jobs")

log = os.path.join(mock.dir, "log")
drain = mock.start("drain", "heavy=3", "light=1", "-n", "8", "--idle-exit", "1s", "--json", log=log)
check(drain.wait(timeout=120) == 0, "the drain ended with %s" % drain.returncode)
with open(log) as lines:
    events = [json.loads(line) for line in lines if line.startswith("{")]
ended = [event["id"].split("-")[0] for event in events if event["event"] == "done"]
check(ended.count("heavy") == HEAVY and ended.count("light") == LIGHT, "done: %d of heavy, %d of light" %
      (ended.count("heavy"), ended.count("light")))
# While both have work, three to one.
at = [place for place, queue in enumerate(ended) if queue == "heavy"][239]
light = ended[:at].count("light")
print("240 jobs of weight 3 beside %d of weight 1" % light)
check(abs(light - 80) <= 12, "%d jobs of weight 1 ended beside 240 of weight 3" % light)

# A second drain takes what comes to either queue, and stops with both.
drain = mock.start("drain", "heavy", "light=9", "-n", "2")
ids = [mock.jobq("enqueue", queue, "kind=sleep", "seconds=0").stdout.strip() for queue in ("light", "heavy")]
mock.jobq("wait", *ids, "--timeout", "20s")
drain.terminate()
check(drain.wait(timeout=30) == 0, "TERM: %s" % drain.returncode)
mock.close()
print("ok: a drain of several queues")
