#!/usr/bin/python3
"""No-op jobs, concurrency 10, on one jobqmock: jobq drain --store none beside a boto3 thread
worker and, where npm has put it, sqs-consumer; jobs a second, CPU a job, resident memory. Then
jobq with SimpleDB, and 5,000 sleeping slots.

usage: bench_live.py [JOBS]"""
import os
import subprocess
import sys
import time

from livelib import JOBQ, Mock, check, depth  # noqa: E402

JOBS = int(sys.argv[1]) if len(sys.argv) > 1 else 20000
HERE = os.path.dirname(os.path.abspath(__file__))


def peak(process):
    """Peak resident KiB so far. (wait4's figure would count this script before the exec.)"""
    with open("/proc/%d/status" % process.pid) as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmHWM"))


def usage(process):
    """User and system seconds of an ended child."""
    _, status, use = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    return use.ru_utime + use.ru_stime


def measure(name, mock, queue, args, jobs):
    process = subprocess.Popen(args, env={**mock.env, "AWS_DEFAULT_REGION": "us-east-1"}, cwd=mock.dir,
                               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    # From the first job that is gone, so that an interpreter's start is not held against it,
    # until the queue is empty, not until the program notices it.
    # Not process.poll(): it would reap the child and lose its usage.
    deadline = time.monotonic() + 180
    first, first_left, left = None, jobs, jobs
    while left:
        left = sum(depth(mock, queue)[0:2])
        now = time.monotonic()
        check(now < deadline, name + " does not get on")
        if first is None and left < jobs:
            first, first_left = now, left
        time.sleep(0.02)
    check(first_left > 0, name + ": the queue was empty at first sight; more JOBS")
    rss = peak(process)
    if "drain" not in args:
        process.terminate()
    cpu = usage(process)
    rate = first_left / (now - first)
    print("%-34s %8.0f jobs/s  CPU %.3f ms/job  RSS %5.1f MiB" %
          (name, rate, cpu * 1000 / jobs, rss / 1024))
    return rate, cpu * 1000 / jobs, rss / 1024


def fill(mock, queue, jobs, store):
    lines = "\n".join("kind=sleep seconds=0 i=%d" % i for i in range(jobs))
    mock.jobq("enqueue", queue, "--visibility", "60s", "--store", store, "--batch", "-", "--quiet", input=lines)


mock = Mock(signed=False)
results = {}
for label, extra in (("jobq, batch deletes", []), ("jobq, single deletes", ["--batch", "1", "--linger", "0"])):
    queue = "bench-" + ("batch" if not extra else "single")
    jobs = JOBS if not extra else JOBS // 2
    fill(mock, queue, jobs, "none")
    results[label] = measure(label, mock, queue, [JOBQ, "drain", queue, "-n", "10", "--store", "none", "--quiet",
                                                  "--stats", "0", "--idle-exit", "1s"] + extra, jobs)
for label, script, argument in (("boto3 threads, batch deletes", "boto3_worker.py", "batch"),
                                ("boto3 threads, single deletes", "boto3_worker.py", "single"),
                                ("sqs-consumer x10, batch deletes", "sqs_consumer.mjs", "batch"),
                                ("sqs-consumer x10, single deletes", "sqs_consumer.mjs", "single")):
    node = script.endswith("mjs")
    if node and not os.path.isdir(os.path.join(HERE, "live-clients/node_modules/sqs-consumer")):
        print("%-34s skipped: npm could not install it" % label)
        continue
    queue = "bench-" + script.split(".")[0].replace("_", "-") + "-" + argument
    jobs = JOBS // 5
    fill(mock, queue, jobs, "none")
    results[label] = measure(label, mock, queue, ["node" if node else "/usr/bin/python3",
                                                  os.path.join(HERE, "live-clients", script), queue, argument], jobs)
fill(mock, "bench-store", JOBS // 4, "simpledb")
measure("jobq, SimpleDB, batch deletes", mock, "bench-store",
        [JOBQ, "drain", "bench-store", "-n", "10", "--quiet", "--stats", "0", "--idle-exit", "1s"], JOBS // 4)

sleepers = "\n".join("kind=sleep seconds=3" for _ in range(5000))
mock.jobq("enqueue", "bench-slots", "--store", "none", "--visibility", "60s", "--batch", "-", "--quiet", input=sleepers)
slots = measure("jobq, 5,000 sleeping slots", mock, "bench-slots",
        [JOBQ, "drain", "bench-slots", "-n", "5000", "--store", "none", "--quiet", "--stats", "0", "--idle-exit", "1s"], 5000)


missed = []


def bar(text, figure, least=None, most=None):
    met = (least is None or figure >= least) and (most is None or figure <= most)
    print("%-6s %s: %.3g (want %s %g)" % ("met" if met else "MISSED", text, figure, "at least" if most is None else "at most",
                                       least if most is None else most))
    if not met:
        missed.append(text)


for kind, factor, cpu_ms in (("batch", 3, 0.1), ("single", 5, 0.25)):
    rate, cpu, rss = results["jobq, %s deletes" % kind]
    others = [v[0] for k, v in results.items() if not k.startswith("jobq") and kind in k]
    bar("%s deletes, times the best of the others" % kind, rate / max(others), least=factor)
    bar("%s deletes, CPU ms a job" % kind, cpu, most=cpu_ms)
    bar("%s deletes, resident MiB" % kind, rss, most=20)
bar("5,000 sleeping slots, resident MiB", slots[2], most=64)
mock.close()
sys.exit(1 if missed else 0)
