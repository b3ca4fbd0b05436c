#!/usr/bin/python3
"""A drain as a service: systemd is told ready, alive and stopping; a child sees no AWS keys and
its job's names; the second TERM gives back at once, and the job is visible to others."""
import os
import signal
import socket
import time

from livelib import Mock, check, depth, wait_for

mock = Mock(signed=False)
path = os.path.join(mock.dir, "notify")
told = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
told.bind(path)
told.settimeout(15)
mock.jobq("enqueue", "svc", "--visibility", "60s", "kind=exec", "a=1")
drain = mock.start("drain", "svc", "-n", "2", "--exec", "sh -c 'env > seen.part; mv seen.part seen; sleep 60'",
                   "--stats", "0", "--drain-timeout", "50s", "--kill-grace", "200ms", "--wait", "1s",
                   env={"NOTIFY_SOCKET": path, "WATCHDOG_USEC": "2000000"})
words = []


def hear(word):
    while not any(word in w for w in words):
        words.append(told.recv(4096).decode())


hear("READY=1")
wait_for(lambda: os.path.exists(mock.dir + "/seen"), 15, "the command runs")
env = dict(line.split("=", 1) for line in open(mock.dir + "/seen").read().splitlines() if "=" in line)
check(env.get("JOBQ_QUEUE") == "svc" and env.get("JOBQ_ATTEMPT") == "1" and env.get("JOBQ_JOB_ID", "").startswith("svc-"),
      "the command's environment lacks its job's names")
leaked = [k for k, v in env.items() if mock.env["AWS_SECRET_ACCESS_KEY"] in v or k.startswith("AWS_SECRET")]
check(not leaked, "secrets in the command's environment: %s" % leaked)
hear("WATCHDOG=1")
check(depth(mock, "svc")[1] == 1, "the job is not in flight")
drain.send_signal(signal.SIGTERM)
hear("STOPPING=1")
time.sleep(0.5)
check(drain.poll() is None, "the first TERM did not wait for the job")
begun = time.monotonic()
drain.send_signal(signal.SIGTERM)
check(drain.wait(timeout=15) == 0, "the drain ended with %s" % drain.returncode)
took = time.monotonic() - begun
check(took < 8, "the second TERM took %.1f s" % took)
check(depth(mock, "svc")[1] == 0, "the job is still invisible")
mock.close()
print("ok: second TERM took %.2f s" % took)
