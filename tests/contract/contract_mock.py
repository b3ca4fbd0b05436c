#!/usr/bin/python3
"""The contract suites on the network world, against jobqmock. usage: contract_mock.py PROGRAM"""
import os
import subprocess
import sys

from livelib import Mock  # noqa: E402

mock = Mock()
code = subprocess.run([sys.argv[1], "--boxes", "ami-12345678"], env=mock.env, timeout=300).returncode
code |= subprocess.run([sys.argv[1], "--store", "dynamodb"], env=mock.env, timeout=300).returncode
refused = subprocess.run([sys.argv[1], "--budget", "0.000001"], env=mock.env, capture_output=True, timeout=60)
if refused.returncode != 3:
    print("FAIL: a budget that is too small was not refused")
    code = 1
for budget, want in (("nan", 2), ("x", 2), ("-1", 3)):
    done = subprocess.run([sys.argv[1], "--budget", budget], env=mock.env, capture_output=True, timeout=60)
    if done.returncode != want:
        print("FAIL: budget %s ended with %d, want %d" % (budget, done.returncode, want))
        code = 1
nobody = {k: v for k, v in mock.env.items() if k != "AWS_SECRET_ACCESS_KEY"}
done = subprocess.run([sys.argv[1]], env=nobody, capture_output=True, text=True, timeout=60)
if done.returncode != 77 or "spends at most $" not in done.stdout or "alone" not in done.stderr:
    print("FAIL: without keys it ended with %d: %s" % (done.returncode, done.stderr))
    code = 1
mock.close()
sys.exit(code)
