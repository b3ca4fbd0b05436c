#!/usr/bin/python3
"""10,000 jobs through jobq enqueue, three drains and jobqmock that errs, throttles and loses
replies; two drains are killed with -9 and started again at random moments. Every job ends done
or dead exactly once, no row is stuck, no child is left, the queue is empty.

usage: live_fleet.py [JOBS [SEED]]"""
import collections
import json
import random
import signal
import sys
import time

from livelib import Mock, check, depth, marked, wait_for

JOBS = int(sys.argv[1]) if len(sys.argv) > 1 else 10000
SEED = int(sys.argv[2]) if len(sys.argv) > 2 else random.randrange(1 << 30)
QUEUE = "e2e%d" % SEED
EXECS = JOBS // 8
print("seed=%d jobs=%d" % (SEED, JOBS))
dice = random.Random(SEED)
mock = Mock("--seed", str(SEED), "--faults",
            "error=0.05; throttle=0.02; lost=0.01; drop=0.005; duplicate=0.01", signed=False)
begun = time.monotonic()

with open(mock.dir + "/jobs", "w") as lines:
    for i in range(JOBS):
        if i % (JOBS // EXECS) == 0:
            # One in fifty always fails: it must end dead.
            lines.write("kind=exec i=%d fail=%d\n" % (i, i % 50 == 0))
        elif i % 3 == 0:
            lines.write("kind=primes n=%d\n" % dice.randrange(10, 20000))
        else:
            lines.write("kind=sleep seconds=%.3f\n" % (dice.random() * 0.05))
ids = mock.jobq("enqueue", QUEUE, "--visibility", "6s", "--domains", "20", "--batch", "jobs").stdout.split()
check(len(ids) == JOBS and len(set(ids)) == JOBS, "%d ids, want %d" % (len(ids), JOBS))
print("enqueued in %.1f s" % (time.monotonic() - begun))


def drain(name):
    return mock.start("drain", QUEUE, "-n", "40", "--exec", "sh -c 'if grep -q fail=1; then exit 1; fi'",
                      "--attempts", "3", "--retry-base", "200ms", "--idle-exit", "3s", "--json",
                      "--stats", "0", "--linger", "500ms", "--kill-grace", "1s",
                      log=mock.dir + "/log." + name)


drains = {name: drain(name) for name in "abc"}
for victim in ("a", "b"):
    time.sleep(0.5 + 2.5 * dice.random())
    if drains[victim].poll() is None:
        drains[victim].send_signal(signal.SIGKILL)
        drains[victim].wait()
        print("killed %s after %.1f s" % (victim, time.monotonic() - begun))
    time.sleep(dice.random())
    drains[victim] = drain(victim)
for name, process in drains.items():
    code = process.wait(timeout=240)
    check(code == 0, "drain %s ended with %d: %s" % (name, code, open(mock.dir + "/log." + name).read()[-2000:]))
print("drained after %.1f s" % (time.monotonic() - begun))

rows = json.loads(mock.jobq("list", QUEUE, "--json").stdout)["jobs"]
states = collections.Counter(row["state"] for row in rows)
print("rows:", dict(states))
check(len(rows) == JOBS, "%d rows, want %d" % (len(rows), JOBS))
check({row["id"] for row in rows} == set(ids), "the rows are not those of the ids")
check(set(states) <= {"done", "dead"}, "rows that are neither done nor dead")
check(states["dead"] >= 1, "no job is dead, though some always fail")

ends = collections.defaultdict(list)
for name in "abc":
    for line in open(mock.dir + "/log." + name):
        if line.startswith("{"):
            event = json.loads(line)
            if event["event"] in ("done", "dead"):
                ends[event["id"]].append((name, event))
twice = [e for e in ends.values() if len(e) > 1]
check(not twice, "ended twice: %s" % twice[:5])
wait_for(lambda: not marked(QUEUE), 5, "children ended")
left = depth(mock, QUEUE)
check(left == (0, 0, 0), "the queue holds %s" % (left,))
mock.close()
print("ok: %d done, %d dead, %.1f s" % (states["done"], states["dead"], time.monotonic() - begun))
