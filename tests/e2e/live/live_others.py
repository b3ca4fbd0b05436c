#!/usr/bin/python3
"""Servers that others wrote accept the live client: fauxqs (npm; SQS) and moto's server (SQS,
SimpleDB, EC2; only where the machine has it). Ends with 77 when the server is not there.

Known faults, named and not worked around:
 fauxqs 1.9: SQS only, so --store none. It refuses characters beyond U+FFFF, which SQS takes
             (jobqmock's tests hold the client to those).
 moto 5.2:   no BatchPutAttributes (a batch is refused whole, with HTTP 500) and no Select
             (so no list, no statistics page); Expected is ignored, so two drains may both
             hold a claim and there is one drain here.

usage: live_others.py fauxqs|moto"""
import atexit
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request

from livelib import JOBQ, KEYS, ROOT, check



def skip(text):
    print("SKIP", text)
    sys.exit(77)


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Server:
    def __init__(self, args, health):
        self.dir = tempfile.mkdtemp(prefix="jobq-others-")
        self.port = free_port()
        self.url = "http://127.0.0.1:%d" % self.port
        self.process = subprocess.Popen([a.replace("PORT", str(self.port)) for a in args],
                                        env={**os.environ, "FAUXQS_PORT": str(self.port), "FAUXQS_LOGGER": "false"},
                                        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        atexit.register(self.close)
        end = time.monotonic() + 30
        while True:
            try:
                urllib.request.urlopen(self.url + health, timeout=2).read()
                break
            except OSError:
                if self.process.poll() is not None:
                    skip(args[0] + " does not start on this machine")
                check(time.monotonic() < end, args[0] + " does not answer")
                time.sleep(0.1)

    def close(self):
        if self.process.poll() is None:
            self.process.kill()
        shutil.rmtree(self.dir, ignore_errors=True)

    def jobq(self, *args, want=0, **kwargs):
        done = subprocess.run([JOBQ, *args], capture_output=True, text=True, timeout=60, cwd=self.dir,
                              env={"PATH": os.environ["PATH"], "HOME": self.dir, "AWS_REGION": "us-east-1",
                                   "AWS_ENDPOINT_URL": self.url, "AWS_EC2_METADATA_DISABLED": "true", **KEYS}, **kwargs)
        check(done.returncode == want, "jobq %s: exit %d, want %d: %s" %
              (" ".join(args), done.returncode, want, done.stderr[-800:]))
        return done


def drained(server, queue, ids, *more):
    """Drains the queue; every id done once, in the words of its log."""
    log = server.jobq("drain", queue, "-n", "10", "--idle-exit", "1s", "--stats", "0", "--json",
                      "--linger", "200ms", "--exec", "cat", *more).stdout
    events = [json.loads(line) for line in log.splitlines() if line.startswith("{")]
    done = sorted(e["id"] for e in events if e["event"] == "done")
    check(done == sorted(ids), "%s: %d done, want %d" % (queue, len(done), len(ids)))


def fauxqs():
    cli = os.path.join(ROOT, "build/e2e/node_modules/fauxqs/dist/server.js")
    if not shutil.which("node"):
        skip("fauxqs: no node")
    if not os.path.exists(cli):
        skip("fauxqs: npm could not install it")
    server = Server(["node", cli], "/health")
    batch = "".join("kind=sleep seconds=0 i=%d\n" % i for i in range(200))
    ids = server.jobq("enqueue", "render", "--store", "none", "--visibility", "30s", "--batch", "-",
                      input=batch).stdout.split()
    # Bytes that JSON and the message's MD5 must carry through.
    ids += server.jobq("enqueue", "render", "--store", "none", "kind=exec",
                       "note=Wörter <&> \"quoted\" \\ \u20ac").stdout.split()
    check(len(set(ids)) == 201, "%d ids" % len(set(ids)))
    drained(server, "render", ids, "--store", "none")
    # A job that fails comes back and ends in the dead-letter queue, and from there again.
    dead = server.jobq("enqueue", "render", "--store", "none", "kind=exec", "x=1").stdout.split()
    log = server.jobq("drain", "render", "--store", "none", "--idle-exit", "3s", "--stats", "0", "--json",
                      "--attempts", "2", "--backoff", "100ms", "--exec", "false").stdout
    kinds = [json.loads(line)["event"] for line in log.splitlines() if dead[0] in line]
    check(kinds[-1] == "dead", "the failing job went %s" % kinds)
    check(dead[0] in server.jobq("dlq", "ls", "render", "--store", "none").stdout, "the dead letter is not listed")
    check(dead[0] in server.jobq("dlq", "redrive", "render", "--store", "none").stdout, "the dead letter is not redriven")
    log = server.jobq("drain", "render", "--store", "none", "--idle-exit", "3s", "--stats", "0", "--json", "--exec", "true").stdout
    check([json.loads(line)["event"] for line in log.splitlines() if dead[0] in line] == ["done"], "redriven, it went %s" % log)
    # A long poll waits, and a job that comes ends it early.
    begun = time.monotonic()
    server.jobq("drain", "render", "--store", "none", "--idle-exit", "2s", "--stats", "0", "--wait", "5s")
    check(1.5 < time.monotonic() - begun < 12, "an idle drain took %.1f s" % (time.monotonic() - begun))
    print("ok: fauxqs: 201 jobs done, one dead")


def moto():
    program = shutil.which("moto_server")
    if not program:
        skip("moto: no moto_server on this machine")
    server = Server([program, "-H", "127.0.0.1", "-p", "PORT"], "/moto-api/")
    ids = []
    for i in range(20):
        ids += server.jobq("enqueue", "render", "--visibility", "30s", *(("kind=exec",) if i % 2 else
                           ("kind=sleep", "seconds=0")), "note=Wörter <&> %d" % i).stdout.split()
    check(len(set(ids)) == 20, "%d ids" % len(set(ids)))
    rows = json.loads(server.jobq("status", "--json", *ids).stdout)["jobs"]
    check({row["state"] for row in rows} == {"queued"}, "states before: %s" % {row["state"] for row in rows})
    drained(server, "render", ids)
    rows = json.loads(server.jobq("status", "--json", *ids).stdout)["jobs"]
    check({row["state"] for row in rows} == {"done"}, "states after: %s" % {row["state"] for row in rows})
    server.jobq("cancel", ids[0], want=1)
    boxes = server.jobq("spawn", "render", "--instance", "t3.micro", "--image", "ami-12c6146b",
                        "--count", "2").stdout.split()
    check(len(boxes) == 2 and all(b.startswith("i-") for b in boxes), "boxes are %s" % boxes)
    check("2 tagged jobq:queue=render" in server.jobq("doctor", "render").stdout, "the boxes are not found by tag")
    print("ok: moto: 20 jobs with rows, 2 boxes")


{"fauxqs": fauxqs, "moto": moto}[sys.argv[1]]()
