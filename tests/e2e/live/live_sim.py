#!/usr/bin/python3
"""The same scenario on the network and in jobqsim: requests, every action that either side
makes, by three ledgers: the mock's, the clients' own, and the simulator's.

In both worlds all jobs are on the queue before the drainer starts (the simulated box boots
meanwhile), and the drainer is told to stop once the queue is empty. What makes the counts equal,
whatever the machine does meanwhile:
- jobs are a multiple of ten, so every receive brings ten or still waits when the stop comes,
  and every delete has ten;
- a batch that lacks company waits --linger, here a minute: a machine that stalls for seconds
  cannot send it early. In virtual time nobody stalls;
- a visibility timeout of minutes, but where heartbeats are what is counted: there a beat is due
  at 3.6 to 4 s and another not before 7.2, and jobs end at 5.6.
Two differences are set-up, not noise, and stand below: the simulator asks for its box, and its
client makes the domains before the first row, where a live one is refused one put a domain.

The last scenario is noisy on purpose: random job times, three drainers, odd numbers. Its
tolerance is printed.

usage: live_sim.py [BUILD_DIR]"""
import collections
import json
import math
import os
import random
import subprocess
import sys
import threading

from livelib import ROOT, Mock, check, seed, wait_for

BUILD = os.path.join(ROOT, sys.argv[1] if len(sys.argv) > 1 else "build/dev")
Scenario = collections.namedtuple("Scenario", "name jobs seconds slots boxes batch store domains visibility")
# jobqsim takes the same numbers. seconds < 0: exponential of that mean.
EQUAL = [Scenario("batched", 400, 0.5, 40, 1, 10, "simpledb", 4, "5m"),
         Scenario("unbatched", 60, 0.5, 10, 1, 1, "simpledb", 4, "5m"),
         Scenario("no store", 400, 0.5, 40, 1, 10, "none", 0, "5m"),
         Scenario("heartbeats", 40, 5.6, 40, 1, 10, "simpledb", 2, "8s")]
NOISY = Scenario("noisy", 597, -0.3, 13, 3, 10, "simpledb", 4, "6s")
TOLERANCE = 0.10


def simulated(s):
    job_time = ("exp:%gs" % -s.seconds) if s.seconds < 0 else "%gs" % s.seconds
    done = subprocess.run(
        [os.path.join(ROOT, "bin/jobqsim"), "run", "--jobs", str(s.jobs), "--job-time", job_time, "--concurrency",
         str(s.slots), "--boxes", str(s.boxes), "--boot", "model", "--payload", "10", "--domains", str(s.domains or 1),
         "--batch", str(s.batch), "--store", s.store, "--visibility", s.visibility, "--json"],
        capture_output=True, text=True, check=True)
    return collections.Counter(json.loads(done.stdout)["requests"])


def fill(mock, s):
    dice = random.Random(seed(default=5))
    seconds = [s.seconds if s.seconds >= 0 else dice.expovariate(-1 / s.seconds) for _ in range(s.jobs)]
    if s.batch > 1:
        mock.jobq("enqueue", "same", "--visibility", s.visibility, "--store", s.store, "--domains", str(s.domains or 1),
                  "--batch", "-", "--record", "enqueue.jsonl", input="".join("seconds=%.6f\n" % t for t in seconds))
        return
    # One call a job is what an application does, so by the library.
    program = ("import sys, jobq\nq = jobq.Enqueuer('same', visibility_timeout=300)\n"
               "for line in sys.stdin: q.enqueue({'seconds': line.strip()})\n")
    subprocess.run(["/usr/bin/python3", "-c", program], input="".join("%.6f\n" % t for t in seconds), text=True, check=True,
                   env={**mock.env, "PYTHONPATH": os.path.join(ROOT, "live/python"),
                        "JOBQ_LIBRARY": os.path.join(BUILD, "libjobq.so.0")})


def own(mock, name):
    """The ledger that a client wrote."""
    for line in open(os.path.join(mock.dir, name)):
        one = json.loads(line)
        if "ledger" in one:
            return {k: v["requests"] for k, v in one["ledger"]["actions"].items()}
    check(False, "no ledger in " + name)


def live(s):
    """(the mock's count, the clients' own)"""
    mock = Mock(signed=False)
    fill(mock, s)
    recorded = ["enqueue.jsonl"] if s.batch > 1 else []
    before = mock.ledger()
    before = before.get("ledger", before)["actions"] if not recorded else {}
    drains = []
    for i in range(s.boxes):
        recorded.append("drain%d.jsonl" % i)
        drains.append(mock.start("drain", "same", "-n", str(s.slots), "--batch", str(s.batch), "--store", s.store,
                                 "--linger", "1m", "--stats", "0", "--quiet", "--record", recorded[-1]))
    wait_for(lambda: mock.metric("jobqmock_queue_messages") == 0, 60, "the queue is empty")
    for process in drains:
        process.terminate()
    for process in drains:
        check(process.wait(timeout=30) == 0, "a drain ended with %s" % process.returncode)
    wait_for(lambda: mock.metric("jobqmock_long_polls") == 0, 5, "aborted polls are seen to be gone")
    ledger = mock.ledger()
    theirs = collections.Counter({k: v["requests"] for k, v in ledger.get("ledger", ledger)["actions"].items()})
    mine = collections.Counter({k: v["requests"] for k, v in before.items()})
    for name in recorded:
        mine.update(own(mock, name))
    mock.close()
    return theirs, mine


def adjusted(s, sim):
    """What the live side makes by the simulator's count: the two known differences."""
    sim = collections.Counter(sim)
    del sim["RunInstances"]
    if s.domains:
        sim["PutAttributes" if s.batch == 1 else "BatchPutAttributes"] += s.domains
    return sim


results = {}


def play(s):
    try:
        results[s.name] = live(s)
    except SystemExit:
        results[s.name] = None


threads = [threading.Thread(target=play, args=(s,)) for s in EQUAL]
for t in threads:
    t.start()
for t in threads:
    t.join()
wrong = []
for s in EQUAL:
    check(results[s.name], s.name + ": the live side failed")
    theirs, mine = results[s.name]
    sim = adjusted(s, simulated(s))
    print("%s: %d jobs of %g s, %d slots, visibility %s" % (s.name, s.jobs, s.seconds, s.slots, s.visibility))
    for action in sorted(set(theirs) | set(mine) | set(sim)):
        print("    %-30s mock %5d  own %5d  sim %5d" % (action, theirs[action], mine[action], sim[action]))
        if not theirs[action] == mine[action] == sim[action]:
            wrong.append("%s of '%s'" % (action, s.name))
check(not wrong, "not equal: " + ", ".join(wrong))

play(NOISY)
check(results[NOISY.name], "noisy: the live side failed")
theirs, mine = results[NOISY.name]
sim = adjusted(NOISY, simulated(NOISY))
print("noisy: %d jobs of exp(%g s), %d drainers of %d slots, visibility %s, tolerance %d %% and 4" %
      (NOISY.jobs, -NOISY.seconds, NOISY.boxes, NOISY.slots, NOISY.visibility, TOLERANCE * 100))
for action in sorted(set(theirs) | set(mine) | set(sim)):
    print("    %-30s mock %5d  own %5d  sim %5d" % (action, theirs[action], mine[action], sim[action]))
    check(theirs[action] == mine[action], action + ": the mock's ledger and the clients' differ")
    if abs(theirs[action] - sim[action]) > math.ceil(TOLERANCE * sim[action]) + 4:
        wrong.append(action)
check(not wrong, "noisy: out of tolerance: " + ", ".join(wrong))
print("ok: live and simulated requests are equal, action by action")
