#!/usr/bin/python3
"""A drain that gets TERM at 100 random moments: it exits with 0 within its deadline, nothing
in flight is left invisible, no child is left, and at the end every job is done once. What each
drain was about at its moment is read from its own trace; every phase must have been hit: still
starting, receiving, claiming, running, storing, and deletes that wait or are under way.

usage: live_stop.py [TIMES [SEED]]"""
import collections
import json
import random
import sys
import time

from livelib import Mock, check, depth, marked, seed

TIMES = int(sys.argv[1]) if len(sys.argv) > 1 else 100
SEED = seed(2)
QUEUES, DEADLINE = 4, 2.0
dice = random.Random(SEED)
# Latencies, so that calls last and can be hit.
mock = Mock("--seed", str(SEED), "--faults", "latency=exp:15ms", signed=False)
names = ["stop%d-%d" % (SEED, i) for i in range(QUEUES)]
for name in names:
    with open(mock.dir + "/jobs", "w") as lines:
        for i in range(TIMES * 4):
            lines.write("kind=sleep seconds=%.2f\n" % (dice.random() * 0.3) if i % 4 else "kind=exec i=%d\n" % i)
        lines.write("kind=sleep seconds=3\n" * 2)
    mock.jobq("enqueue", name, "--visibility", "60s", "--batch", "jobs")



def phases(path, moment_ns):
    """What a drain was about then, by its trace."""
    try:
        lines = [json.loads(line) for line in open(path)]
    except FileNotFoundError:
        return {"starting"}
    zero_ns = moment_ns - lines[0]["started_wall_ns"] if lines else 0
    under_way = [one for one in lines if "start" in one and one["start"] <= zero_ns < one["start"] + one["ns"]]
    jobs = [one for one in lines if "job" in one]
    found = set()
    for one in under_way:
        if one.get("call") == "ReceiveMessage":
            found.add("receiving")
        elif one.get("call") == "PutAttributes":
            claims = any(abs(one["start"] - job["start"]) < 2e6 for job in jobs)
            found.add("claiming" if claims else "storing")
        elif "job" in one:
            found.add("running")
    ended = sum(job["start"] + job["ns"] <= zero_ns for job in jobs)
    gone = sum(one["entries"] for one in lines if one.get("call", "").startswith("DeleteMessage")
               and one["start"] + one["ns"] <= zero_ns)
    if ended > gone:
        found.add("deleting")
    if not any("call" in one and one["call"] == "ReceiveMessage" and one["start"] <= zero_ns for one in lines):
        found.add("starting")
    return found


slowest, stopped, hit = 0.0, 0, collections.Counter()
while stopped < TIMES:
    # One drain a queue at a time, the queues side by side.
    running = []
    for name in names:
        process = mock.start("drain", name, "-n", "6", "--exec", "sleep 0.1", "--json", "--stats", "0",
                             "--drain-timeout", "%gs" % DEADLINE, "--kill-grace", "200ms",
                             "--record", "trace.%d" % (stopped + len(running)),
                             log=mock.dir + "/log." + name)
        running.append((name, process, time.monotonic() + 0.02 + dice.random() * 0.8))
    moments = {}
    for name, process, at in sorted(running, key=lambda r: r[2]):
        time.sleep(max(0, at - time.monotonic()))
        check(process.poll() is None, "drain ended by itself")
        moments[name] = time.time_ns()
        process.terminate()
    for name, process, at in running:
        code = process.wait(timeout=DEADLINE + 3)
        took = time.monotonic() - at
        slowest = max(slowest, took)
        # -15: the moment was before the program had set its handler, so before any receive.
        check(code in (0, -15), "exit %d: %s" % (code, open(mock.dir + "/log." + name).read()[-500:]))
        check(took < DEADLINE + 0.5, "stopping took %.2f s" % took)
        left = depth(mock, name)
        check(left[1] == 0, "%d messages left invisible" % left[1])
        check(not marked(name), "children left")
        hit.update(phases(mock.dir + "/trace.%d" % stopped, moments[name]))
        stopped += 1
print("stopped %d times, deadline %g s, the slowest in %.2f s; hit: %s" % (stopped, DEADLINE, slowest, dict(hit)))
for phase in ("starting", "receiving", "claiming", "running", "storing", "deleting"):
    check(hit[phase] > 0 or TIMES < 100, "no moment hit a drain that was '%s'" % phase)
mock.faults("off")

for name in names:
    mock.jobq("drain", name, "-n", "50", "--exec", "true", "--idle-exit", "0", "--stats", "0", "--quiet")
    rows = json.loads(mock.jobq("list", name, "--json").stdout)["jobs"]
    states = collections.Counter(row["state"] for row in rows)
    check(states == {"done": TIMES * 4 + 2}, "rows: %s" % dict(states))
    ends = collections.Counter(json.loads(line)["id"] for line in open(mock.dir + "/log." + name)
                               if line.startswith("{") and '"event":"done"' in line)
    check(max(ends.values()) == 1, "a job ended twice")
mock.close()
print("ok: stop")
