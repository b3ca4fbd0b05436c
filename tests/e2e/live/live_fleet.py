#!/usr/bin/python3
"""10,000 jobs through jobq enqueue, three drains and jobqmock that errs, throttles and loses
replies; two drains are killed with -9, each when a random part of the jobs is gone and while it
runs some, and started again. Every job ends done or dead exactly once, no row is stuck, no child
is left, the queue is empty, and the dead-letter queue holds the dead jobs and nothing else.

usage: live_fleet.py [JOBS [SEED [FAULTS]]]"""
import collections
import glob
import json
import random
import signal
import sys
import time

from livelib import Mock, check, depth, marked, seed, wait_for

JOBS = int(sys.argv[1]) if len(sys.argv) > 1 else 10000
SEED = seed(2)
FAULTS = sys.argv[3] if len(sys.argv) > 3 else "error=0.05; throttle=0.02; lost=0.01; drop=0.005; duplicate=0.01"
QUEUE = "e2e%d" % SEED
SLOTS, ATTEMPTS, SLOW_S = 40, 3, 5
# What an exec job does is in its payload; a slow one outlives a heartbeat, and a killed drain.
COMMAND = "sh -c 'case $(cat) in *fail=1*) exit 1;; *slow=1*) exec sleep %d;; esac'" % SLOW_S
print("jobs=%d" % JOBS)
dice = random.Random(SEED)
mock = Mock("--seed", str(SEED), "--faults", FAULTS, signed=False)
begun = time.monotonic()

failing = set()
with open(mock.dir + "/jobs", "w") as lines:
    for i in range(JOBS):
        if i % 8 == 0:
            # One exec in 25 always fails, and must end dead; another is slow.
            fails, slow = i % 200 == 0, i % 200 == 48
            failing.update([i] if fails else [])
            lines.write("kind=exec i=%d fail=%d slow=%d\n" % (i, fails, slow))
        elif i % 3 == 0:
            lines.write("kind=primes n=%d\n" % dice.randrange(10, 20000))
        else:
            lines.write("kind=sleep seconds=%.3f\n" % (dice.random() * 0.05))
ids = mock.jobq("enqueue", QUEUE, "--visibility", "6s", "--domains", "20", "--batch", "jobs").stdout.split()
check(len(ids) == JOBS and len(set(ids)) == JOBS, "%d ids, want %d" % (len(ids), JOBS))
failing = {ids[i] for i in failing}
print("enqueued in %.1f s" % (time.monotonic() - begun))


def left():
    return mock.metric('jobqmock_queue_messages{region="us-east-1",queue="%s",' % QUEUE)


def parent(pid):
    try:
        with open("/proc/%d/stat" % pid) as stat:
            return int(stat.read().rpartition(")")[2].split()[1])
    except OSError:
        return 0


def children(process):
    """Commands: children of its keeper."""
    return [pid for pid in marked(QUEUE) if parent(parent(pid)) == process.pid]


def drain(name):
    return mock.start("drain", QUEUE, "-n", str(SLOTS), "--exec", COMMAND, "--attempts", str(ATTEMPTS), "--backoff", "200ms",
                      "--idle-exit", "3s", "--json", "--stats", "0", "--linger", "500ms", "--kill-grace", "1s",
                      log=mock.dir + "/log." + name)


drains = {name: drain(name) for name in "abc"}
for victim, part in zip("ab", sorted(dice.uniform(0.1, 0.8) for _ in "ab")):
    wait_for(lambda: left() < JOBS * (1 - part), 120, "%d %% of the jobs gone" % (100 * part))
    wait_for(lambda: children(drains[victim]), 60, "a child of %s" % victim)
    orphans, remaining = children(drains[victim]), left()
    check(drains[victim].poll() is None, "drain %s had ended before it was to be killed" % victim)
    check(remaining > 0, "nothing was left to drain when %s was to be killed" % victim)
    drains[victim].send_signal(signal.SIGKILL)
    check(drains[victim].wait() == -signal.SIGKILL, "drain %s ended by itself" % victim)
    wait_for(lambda: not set(orphans) & set(marked(QUEUE)), SLOW_S / 2, "the children of killed %s ended" % victim)
    print("killed %s with %d messages left and %d children, which ended" % (victim, remaining, len(orphans)))
    time.sleep(dice.random())
    drains[victim + "2"] = drain(victim + "2")
    del drains[victim]
for name, process in drains.items():
    code = process.wait(timeout=240)
    check(code == 0, "drain %s ended with %d: %s" % (name, code, open(mock.dir + "/log." + name).read()[-2000:]))
print("drained after %.1f s" % (time.monotonic() - begun))

struck = {kind: mock.metric('jobqmock_faults_total{kind="%s"}' % kind) for kind in ("error", "throttle", "drop", "lost")}
calls = mock.metric("jobqmock_requests_total")
print("faults in %d calls: %s" % (calls, struck))
for kind, count in struck.items():
    check(count > calls * 0.002, "hardly any fault of kind '%s' struck" % kind)
mock.faults("off")

rows = {row["id"]: row for row in json.loads(mock.jobq("list", QUEUE, "--json").stdout)["jobs"]}
states = collections.Counter(row["state"] for row in rows.values())
print("rows:", dict(states))
check(len(rows) == JOBS, "%d rows, want %d" % (len(rows), JOBS))
check(set(rows) == set(ids), "the rows are not those of the ids")
check(set(states) <= {"done", "dead"}, "rows that are neither done nor dead: %s" % dict(states))
dead = {i for i, row in rows.items() if row["state"] == "dead"}
check(failing <= dead, "%d jobs that always fail are not dead" % len(failing - dead))
# Others die only of attempts that were taken from them.
check(all(rows[i]["attempt"] == ATTEMPTS for i in dead), "a job died before its last attempt")
taken = sum(row["state"] == "done" and row["attempt"] > 1 for row in rows.values())
check(taken > 0, "no job was taken over from the killed drains")

ends = collections.defaultdict(list)
for name in glob.glob(mock.dir + "/log.*"):
    for line in open(name):
        if line.startswith("{") and line.endswith("}\n"):
            event = json.loads(line)
            if event["event"] in ("done", "dead"):
                ends[event["id"]].append(event["event"])
twice = [i for i, e in ends.items() if len(e) > 1]
check(not twice, "ended twice: %s" % twice[:5])
check(all(rows[i]["state"] == e[0] for i, e in ends.items()), "a row is not what its drain said")
# A killed drain may have stored an end and not said it.
check(JOBS - len(ends) <= 2 * SLOTS, "%d jobs ended unsaid" % (JOBS - len(ends)))

wait_for(lambda: not marked(QUEUE), 5, "children ended")
check(depth(mock, QUEUE) == (0, 0, 0), "the queue holds %s" % (depth(mock, QUEUE),))
letters = [letter["id"] for letter in json.loads(mock.jobq("dlq", "ls", QUEUE, "--json").stdout)["jobs"]]
check(set(letters) == dead, "the dead letters are not the dead jobs: %d missing, %d strange"
      % (len(dead - set(letters)), len(set(letters) - dead)))
mock.close()
print("ok: %d done (%d by a later attempt), %d dead (%d always fail, %d letters), %.1f s"
      % (states["done"], taken, states["dead"], len(failing), len(letters), time.monotonic() - begun))
