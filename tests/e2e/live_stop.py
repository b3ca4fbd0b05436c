#!/usr/bin/python3
"""A drain that gets TERM at 100 random moments: it exits with 0 within its deadline, nothing
in flight is left invisible, no child is left, and at the end every job is done once.

usage: live_stop.py [TIMES [SEED]]"""
import collections
import json
import random
import sys
import time

from livelib import Mock, check, depth, marked

TIMES = int(sys.argv[1]) if len(sys.argv) > 1 else 100
SEED = int(sys.argv[2]) if len(sys.argv) > 2 else random.randrange(1 << 30)
QUEUES, DEADLINE = 4, 2.0
print("seed=%d" % SEED)
dice = random.Random(SEED)
mock = Mock("--seed", str(SEED), signed=False)
names = ["stop%d-%d" % (SEED, i) for i in range(QUEUES)]
for name in names:
    with open(mock.dir + "/jobs", "w") as lines:
        for i in range(TIMES * 4):
            lines.write("kind=sleep seconds=%.2f\n" % (dice.random() * 0.3) if i % 4 else "kind=exec i=%d\n" % i)
        lines.write("kind=sleep seconds=3\n" * 2)
    mock.jobq("enqueue", name, "--visibility", "60s", "--batch", "jobs")

slowest, stopped = 0.0, 0
while stopped < TIMES:
    # One drain a queue at a time, the queues side by side.
    running = []
    for name in names:
        process = mock.start("drain", name, "-n", "6", "--exec", "sleep 0.1", "--json", "--stats", "0",
                             "--drain-timeout", "%gs" % DEADLINE, "--kill-grace", "200ms",
                             log=mock.dir + "/log." + name)
        running.append((name, process, time.monotonic() + 0.05 + dice.random() * 0.8))
    for name, process, at in sorted(running, key=lambda r: r[2]):
        time.sleep(max(0, at - time.monotonic()))
        check(process.poll() is None, "drain ended by itself")
        process.terminate()
    for name, process, at in running:
        code = process.wait(timeout=DEADLINE + 3)
        took = time.monotonic() - at
        slowest = max(slowest, took)
        # -15: the moment was before the program had set its handler, so before any receive.
        check(code in (0, -15), "exit %d: %s" % (code, open(mock.dir + "/log." + name).read()[-500:]))
        check(took < DEADLINE + 1.5, "stopping took %.1f s" % took)
        left = depth(mock, name)
        check(left[1] == 0, "%d messages left invisible" % left[1])
        check(not marked(name), "children left")
        stopped += 1
print("stopped %d times, the slowest in %.2f s" % (stopped, slowest))

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
