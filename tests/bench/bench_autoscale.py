#!/usr/bin/python3
"""bench_autoscale.py JOBQSIM: an autoscaled fleet on bursty traces beside the best fixed fleets: the
cheapest of those that wait no longer (95th percentile), and the fastest of those that cost no more."""
import json
import os
import subprocess
import sys

JOBQSIM = sys.argv[1]
SHARED = "../shared/traces/"
TRACES = [("sim/workloads/bursty.swf", ["--concurrency", "2"]),
          (SHARED + "AzureLLMInferenceTrace_code.csv", ["--concurrency", "2"]),
          (SHARED + "Azure2021_200.invitro-sample.csv", ["--concurrency", "2"]),
          (SHARED + "NASA-iPSC-1993-3.1-cln.swf", ["--concurrency", "2", "--limit", "2000"])]
TARGETS = ("1min", "2min", "5min", "15min")
BOXES_MAX = 200


def run(trace, *options):
    done = subprocess.run([JOBQSIM, "run", "--trace", trace, "--json", *options], stdout=subprocess.PIPE, text=True, check=True)
    result = json.loads(done.stdout)
    if result["jobs"]["done"] != result["jobs"]["enqueued"]:
        sys.exit("%s: jobs that were not done" % trace)
    return result["usd"], result["wait_s"]["p95"]


def first(fits):
    """The least number of boxes that fits; None: not even the most does. Fitting is taken to be monotone."""
    low, high = 0, 1
    while not fits(high):
        low, high = high, 2 * high
        if high > BOXES_MAX:
            return None
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if fits(middle) else (middle, high)
    return high


for trace, options in TRACES:
    if not os.path.exists(trace):
        print("SKIP %s: it is not there" % trace)
        continue
    known = {}

    def fixed(boxes):
        if boxes not in known:
            known[boxes] = run(trace, *options, "--boxes", str(boxes))
        return known[boxes]

    print("%s %s" % (os.path.basename(trace), " ".join(options)))
    for target in TARGETS:
        usd, p95 = run(trace, *options, "--autoscale", "--max-boxes", str(BOXES_MAX), "--target-time", target)
        line = "  target %-6s autoscaled $%.4f, p95 wait %.1f s" % (target, usd, p95)
        boxes = first(lambda n: fixed(n)[1] <= p95)
        if boxes:
            line += "; fixed, as fast: %d boxes $%.4f, %.1f s" % (boxes, *fixed(boxes))
        dearer = first(lambda n: fixed(n)[0] > usd)
        if dearer and dearer > 1:
            line += "; fixed, as cheap: %d boxes $%.4f, %.1f s" % (dearer - 1, *fixed(dearer - 1))
        elif dearer:
            line += "; fixed, as cheap: none"
        print(line, flush=True)
