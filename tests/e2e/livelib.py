"""What the live end-to-end tests share: jobqmock, jobq, and looking at both from outside."""
import atexit
import http.client
import json
import os
import random
import re
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
JOBQ = os.path.join(ROOT, "bin", "jobq")
MOCK = os.environ.get("JOBQMOCK", os.path.join(ROOT, "bin", "jobqmock"))
KEYS = {"AWS_ACCESS_KEY_ID": "AKIDEXAMPLE",
        "AWS_SECRET_ACCESS_KEY": "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"}


def fail(text):
    print("FAIL:", text)
    sys.exit(1)


def check(condition, text):
    if not condition:
        fail(text)


def seed(position=99, default=None):
    """The seed of a random test: its argument there, SEED of the environment, the default, or
    a random one. Says which."""
    given = sys.argv[position] if len(sys.argv) > position else os.environ.get("SEED") or default
    chosen = random.randrange(1 << 30) if given is None else int(given)
    print("seed=%d" % chosen, flush=True)
    return chosen


class Mock:
    """jobqmock on a free port, and an environment that points to it. What it says on its
    standard error is in the file `said`."""

    def __init__(self, *options, signed=True):
        self.dir = tempfile.mkdtemp(prefix="jobq-live-")
        self.started = []
        self.said = os.path.join(self.dir, "stderr")
        args = [MOCK, "--port", "0"] + (["--auth", "check"] if signed else [])
        with open(self.said, "w") as said:
            self.proc = subprocess.Popen(args + list(options), stdout=subprocess.PIPE,
                                         stderr=said, text=True)
        atexit.register(self.close)
        line = self.proc.stdout.readline()
        found = re.search(r"(http://\S+)", line)
        check(found, "jobqmock did not start: " + line)
        self.url = found.group(1)
        self.env = {"PATH": os.environ["PATH"], "HOME": self.dir, "AWS_REGION": "us-east-1",
                    "AWS_ENDPOINT_URL": self.url, "AWS_EC2_METADATA_DISABLED": "true", **KEYS}

    def close(self):
        for process in self.started:
            if process.poll() is None:
                process.kill()
        if self.proc.poll() is None:
            self.proc.terminate()
            self.proc.wait()
        subprocess.run(["rm", "-rf", self.dir], check=True)

    def get(self, path, body=None):
        request = urllib.request.Request(self.url + path, data=body)
        with urllib.request.urlopen(request, timeout=10) as reply:
            return reply.read().decode()

    def ledger(self):
        return json.loads(self.get("/_jobq/ledger"))

    def metric(self, start):
        """The sum of the metrics whose line begins so."""
        return sum(int(line.split()[-1]) for line in self.get("/metrics").split("\n") if line.startswith(start))

    def faults(self, spec):
        self.get("/_jobq/faults", spec.encode())

    def jobq(self, *args, check_code=0, **kwargs):
        done = subprocess.run([JOBQ] + list(args), env=self.env, capture_output=True,
                              text=True, cwd=self.dir, timeout=kwargs.pop("timeout", 120),
                              **kwargs)
        if "Sanitizer" in done.stderr or "runtime error:" in done.stderr:
            fail("jobq %s: %s" % (" ".join(args), done.stderr[-3000:]))
        if check_code is not None and done.returncode != check_code:
            fail("jobq %s: exit %d, want %d\n%s" % (" ".join(args), done.returncode,
                                                    check_code, done.stderr[-1500:]))
        return done

    def start(self, *args, log=None, env=None):
        out = open(log, "ab") if log else subprocess.DEVNULL
        process = subprocess.Popen([JOBQ] + list(args), env={**self.env, **(env or {})},
                                   cwd=self.dir, stdout=out, stderr=out)
        self.started.append(process)
        return process


def depth(mock, queue):
    """(visible, in flight, delayed), asked with boto-free JSON; needs --auth off."""
    def call(action, body):
        request = urllib.request.Request(
            mock.url + "/", data=json.dumps(body).encode(),
            headers={"Content-Type": "application/x-amz-json-1.0",
                     "X-Amz-Target": "AmazonSQS." + action})
        # The mock may be told to answer with errors and to lose replies.
        for last in [False] * 19 + [True]:
            try:
                with urllib.request.urlopen(request, timeout=10) as reply:
                    return json.loads(reply.read())
            except (urllib.error.URLError, ConnectionError, http.client.HTTPException):
                if last:
                    raise
    url = call("GetQueueUrl", {"QueueName": queue})["QueueUrl"]
    a = call("GetQueueAttributes", {"QueueUrl": url, "AttributeNames": ["All"]})["Attributes"]
    return tuple(int(a[k]) for k in ("ApproximateNumberOfMessages",
                                     "ApproximateNumberOfMessagesNotVisible",
                                     "ApproximateNumberOfMessagesDelayed"))


def marked(mark):
    """Processes that carry mark in their environment as a job of that queue."""
    found = []
    want = ("JOBQ_QUEUE=" + mark).encode()
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open("/proc/%s/environ" % pid, "rb") as env:
                if want in env.read().split(b"\0"):
                    found.append(int(pid))
        except OSError:
            pass
    return found


def wait_for(condition, seconds, what):
    end = time.monotonic() + seconds
    while not condition():
        check(time.monotonic() < end, "not within %d s: %s" % (seconds, what))
        time.sleep(0.05)
