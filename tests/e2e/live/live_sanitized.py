#!/usr/bin/python3
"""Every part of jobq once, built with ASan and UBSan or run under valgrind: any report, and any
leak that the sanitizer sees, ends a command with a code that is not expected here.

usage: live_sanitized.py PROGRAM | --valgrind PROGRAM"""
import json
import os
import re
import stat
import subprocess
import sys
import urllib.request

import livelib
from livelib import Mock, check, wait_for

small = sys.argv[1] == "--valgrind"
livelib.JOBQ = os.path.abspath(sys.argv[-1])
mock = Mock()
if small:
    wrapper = mock.dir + "/jobq-valgrind"
    with open(wrapper, "w") as script:
        script.write("#!/bin/sh\nexec valgrind -q --error-exitcode=9 --child-silent-after-fork=yes %s \"$@\"\n" % livelib.JOBQ)
    os.chmod(wrapper, stat.S_IRWXU)
    livelib.JOBQ = wrapper
JOBS = 24 if small else 240


def line(i):
    return ("kind=exec i=%d fail=%d" % (i, i == 0), "kind=primes n=%d" % (1000 + i), "kind=sleep seconds=0.05 i=%d" % i)[i % 3]


text = "".join(line(i) + "\n" for i in range(JOBS))
ids = mock.jobq("enqueue", "san", "--visibility", "30s", "--batch", "-", "--record", "e.jsonl", input=text).stdout.split()
check(len(ids) == JOBS, "%d ids" % len(ids))
done = mock.jobq("drain", "san", "-n", "20", "--exec", "sh -c 'echo progress 50%; case $(cat) in *fail=1*) exit 3;; esac'",
                 "--attempts", "2", "--backoff", "100ms", "--idle-exit", "1s", "--linger", "200ms", "--stats", "1s",
                 "--record", "d.jsonl", "--json", timeout=300)
states = [json.loads(text)["event"] for text in done.stdout.splitlines()]
check(states.count("done") == JOBS - 1 and states.count("dead") == 1, "events: %s" % {s: states.count(s) for s in states})
check(json.loads(mock.jobq("status", "--json", ids[0]).stdout)["jobs"][0]["state"] == "dead", "the failing job is not dead")
if not small:
    mock.jobq("status", ids[1], ids[2])
    mock.jobq("status", "san-0000000000000000000000zz", check_code=None)
    check(len(json.loads(mock.jobq("list", "san", "--json").stdout)["jobs"]) == JOBS, "rows")
    mock.jobq("list", "san", "--state", "dead")
    mock.jobq("wait", ids[1], "--timeout", "5s")
    mock.jobq("wait", "--all", "san", "--timeout", "20s")
    mock.jobq("cancel", ids[1], check_code=1)
    mock.jobq("dlq", "ls", "san")
    mock.jobq("dlq", "redrive", "san")
    mock.jobq("drain", "san", "-n", "2", "--once", "--exec", "cat", "--linger", "0")
    mock.jobq("doctor", "san", check_code=None)
    mock.jobq("explain-cost", "drain", "san", "-n", "4")
    mock.jobq("spawn", "san", "--instance", "t4g.nano", "--count", "1", "--dry-run", check_code=None)
    mock.jobq("completion", "bash")
    mock.jobq("enqueue", "san", "kind=fly", check_code=2)
    # The page, and a stop with a job that must be given back.
    mock.jobq("enqueue", "san", "seconds=60")
    log = mock.dir + "/serving"
    for command in (("serve", "san", "--listen", "127.0.0.1:0"), ("drain", "san", "-n", "2", "--listen", "127.0.0.1:0",
                                                                   "--drain-timeout", "2s", "--stats", "0")):
        process = mock.start(*command, log=log)
        wait_for(lambda: re.search(r"(?:port |127.0.0.1:)([1-9]\d*)", open(log).read()), 30, "a port")
        port = re.search(r"(?:port |127.0.0.1:)([1-9]\d*)", open(log).read()).group(1)

        def page():
            try:
                return urllib.request.urlopen("http://127.0.0.1:%s/status.json" % port, timeout=10).status == 200
            except OSError:
                return False
        wait_for(page, 30, "the page")
        process.terminate()
        code = process.wait(timeout=60)
        check(code in (0, 130, -15, 143), "%s ended with %d: %s" % (command[0], code, open(log).read()[-3000:]))
        check("Sanitizer" not in open(log).read(), open(log).read()[-3000:])
        os.remove(log)
    mock.jobq("purge", "san", "--confirm", "san")
mock.close()
print("ok: no report")
