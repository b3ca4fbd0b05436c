#!/usr/bin/python3
"""A trace recorded live against jobqmock with its model's latencies, calibrated, simulated again:
p50 and p95 of each latency in the simulated trace within 5 % of the live one.

Jobs go one a call, so that every receive is full and there are as many calls as a 95th percentile
needs: with 8,000 calls of a lognormal of sigma 1 its sampling error is 2.4 %.

usage: live_calibrate.py [JOBS]"""
import collections
import json
import os
import subprocess
import sys

from livelib import ROOT, Mock, check

JOBS = int(sys.argv[1]) if len(sys.argv) > 1 else 8000
KEY = {"SendMessage": "send", "ReceiveMessage": "receive", "DeleteMessage": "delete", "PutAttributes": "write"}
FLEET = """[scenario]
jobs = %d
job-time = 0s
payload = 100
concurrency = 100
receives = 64
batch = 1
prefetch = 0
domains = 100
visibility = 10min
boot = none
clients = 64
housekeeping = never
""" % JOBS
mock = Mock("--latency", "model", signed=False)
with open(mock.dir + "/fleet.ini", "w") as file:
    file.write(FLEET)
mock.jobq("run", "fleet.ini", "--queue", "jobs", "--keep-traces", mock.dir, "--record", "enqueue.jsonl", timeout=170)


def sim(*args):
    done = subprocess.run([os.path.join(ROOT, "bin/jobqsim")] + list(args), cwd=mock.dir, text=True, capture_output=True)
    check(done.returncode == 0, "jobqsim %s: %s" % (args[0], done.stderr))
    return done.stdout


print(sim("calibrate", "enqueue.jsonl", "drain-1.jsonl", "-o", "params.ini", "--plot", "fit.svg"), end="")
print(open(mock.dir + "/params.ini").read(), end="")
check(os.path.getsize(mock.dir + "/fit.svg") > 10000, "no plot")
# More of them, so that only the live side has a sampling error.
sim("run", "fleet.ini", "--scenario", "params.ini", "--jobs", str(5 * JOBS), "--record", "simulated.jsonl")


def latencies(*names):
    found = collections.defaultdict(list)
    for name in names:
        for line in open(os.path.join(mock.dir, name)):
            one = json.loads(line)
            if one.get("code") == "ok" and one.get("call") in KEY and (one["call"] != "ReceiveMessage" or one["entries"]):
                found[KEY[one["call"]]].append(one["ns"] / 1e6)
    return {key: sorted(values) for key, values in found.items()}


seen, again = latencies("enqueue.jsonl", "drain-1.jsonl"), latencies("simulated.jsonl")
wrong = []
for key in sorted(seen):
    for share in (0.5, 0.95):
        a, b = (v[key][int(share * len(v[key]))] for v in (seen, again))
        print("%-8s p%-3g live %7.2f ms of %5d  simulated %7.2f ms  %+.1f %%" % (key, 100 * share, a, len(seen[key]), b, 100 * (b / a - 1)))
        if abs(b / a - 1) > 0.05:
            wrong.append("%s p%g %+.1f %%" % (key, 100 * share, 100 * (b / a - 1)))
check(not wrong, "off: " + ", ".join(wrong))
print("ok: simulated latencies are the live ones")
mock.close()
