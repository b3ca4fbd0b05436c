#!/usr/bin/python3
"""A drain as a service: systemd is told ready, alive and stopping; a child sees no AWS keys and
its job's names; the second TERM gives back at once, and the job is visible to others; a spot
notice ends the drain as the first TERM does."""
import http.server
import os
import signal
import socket
import threading
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


def expect(word):
    while not any(word in w for w in words):
        words.append(told.recv(4096).decode())


expect("READY=1")
wait_for(lambda: os.path.exists(mock.dir + "/seen"), 15, "the command runs")
env = dict(line.split("=", 1) for line in open(mock.dir + "/seen").read().splitlines() if "=" in line)
check(env.get("JOBQ_QUEUE") == "svc" and env.get("JOBQ_ATTEMPT") == "1" and env.get("JOBQ_JOB_ID", "").startswith("svc-"),
      "the command's environment lacks its job's names")
leaked = [k for k, v in env.items() if mock.env["AWS_SECRET_ACCESS_KEY"] in v or k.startswith("AWS_SECRET")]
check(not leaked, "secrets in the command's environment: %s" % leaked)
expect("WATCHDOG=1")
check(depth(mock, "svc")[1] == 1, "the job is not in flight")
drain.send_signal(signal.SIGTERM)
expect("STOPPING=1")
time.sleep(0.5)
check(drain.poll() is None, "the first TERM did not wait for the job")
begun = time.monotonic()
drain.send_signal(signal.SIGTERM)
check(drain.wait(timeout=15) == 0, "the drain ended with %s" % drain.returncode)
took = time.monotonic() - begun
check(took < 8, "the second TERM took %.1f s" % took)
check(depth(mock, "svc")[1] == 0, "the job is still invisible")


class Metadata(http.server.BaseHTTPRequestHandler):
    """As much of IMDSv2 as a notice needs."""
    noticed = False

    def answer(self, status, body=b""):
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_PUT(self):
        self.answer(200, b"token")

    def do_GET(self):
        if self.headers.get("X-aws-ec2-metadata-token") != "token":
            self.answer(401)
        elif self.path.endswith("/spot/instance-action") and Metadata.noticed:
            self.answer(200, b'{"action": "terminate", "time": "2030-01-01T00:00:00Z"}')
        elif self.path.endswith("/instance-id"):
            self.answer(200, b"i-0123456789abcdef0")
        else:
            self.answer(404)

    def log_message(self, *args):
        pass


metadata = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Metadata)
threading.Thread(target=metadata.serve_forever, daemon=True).start()
drain = mock.start("drain", "spot", "-n", "1", "--create", "--stats", "0", "--wait", "1s", "--notice", "200ms",
                   env={"AWS_EC2_METADATA_DISABLED": "false", "NOTIFY_SOCKET": path,
                        "AWS_EC2_METADATA_SERVICE_ENDPOINT": "http://127.0.0.1:%d" % metadata.server_port})
words.clear()
expect("READY=1")
time.sleep(1)
check(drain.poll() is None, "the drain ended without a notice")
Metadata.noticed = True
check(drain.wait(timeout=15) == 0, "after a notice the drain ended with %s" % drain.returncode)
mock.close()
print("ok: a spot notice ends it; second TERM took %.2f s" % took)
