#!/usr/bin/python3
"""Servers that misbehave cost the client a bounded time and memory and get a clear error: an
endless body, a slow one, a wrong length, a redirect, a body that is no JSON, XML that expands,
TLS that ends in the middle or is not trusted, keys of another, a message that is not intact.
Secrets appear in no output, and not in a child's environment; no core can be dumped."""
import json
import os
import re
import resource
import socket
import ssl
import subprocess
import sys
import tempfile
import threading
import time

from livelib import JOBQ, KEYS, Mock, check

SECRET = KEYS["AWS_SECRET_ACCESS_KEY"]


class Server:
    """Answers each connection by answer(connection, request)."""

    def __init__(self, answer, tls=None):
        self.answer, self.tls = answer, tls
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.requests = []
        threading.Thread(target=self.run, daemon=True).start()

    def run(self):
        while True:
            conn, _ = self.socket.accept()
            threading.Thread(target=self.one, args=(conn,), daemon=True).start()

    def one(self, conn):
        try:
            if self.tls:
                conn = self.tls.wrap_socket(conn, server_side=True)
            while True:
                got = b""
                while b"\r\n\r\n" not in got:
                    piece = conn.recv(65536)
                    if not piece:
                        return
                    got += piece
                length = int(re.search(rb"(?i)content-length: (\d+)", got).group(1))
                head, body = got.split(b"\r\n\r\n", 1)
                while len(body) < length:
                    body += conn.recv(65536)
                self.requests.append(head + b"\r\n\r\n" + body)
                if self.answer(conn, head) is None:
                    conn.close()
                    return
        except OSError:
            pass

    def url(self):
        return "http%s://127.0.0.1:%d" % ("s" if self.tls else "", self.socket.getsockname()[1])


def reply(body, status="200 OK", extra="", length=None):
    body = body.encode() if isinstance(body, str) else body
    head = "HTTP/1.1 %s\r\nContent-Length: %d\r\n%s\r\n" % (status, len(body) if length is None else length, extra)
    return head.encode() + body


def jobq(url, *args, seconds=15, **env):
    """Runs jobq purge --dry-run, whose first call is GetQueueUrl, never repeated on an error."""
    home = tempfile.mkdtemp()
    begun = time.monotonic()
    done = subprocess.run([JOBQ] + list(args or ("purge", "q", "--dry-run")),
                          env={"PATH": os.environ["PATH"], "HOME": home, "AWS_REGION": "us-east-1",
                               "AWS_EC2_METADATA_DISABLED": "true", "AWS_ENDPOINT_URL": url, **KEYS, **env},
                          capture_output=True, text=True, timeout=seconds + 30)
    took = time.monotonic() - begun
    check(took < seconds, "took %.1f s: %s" % (took, done.stderr))
    check(SECRET not in done.stdout + done.stderr, "the secret is in the output")
    check("Signature" not in done.stderr, "a signature is in the output")
    return done


def expect(what, done, code, text):
    check(done.returncode == code and re.search(text, done.stderr),
          "%s: exit %d, want %d with /%s/: %s" % (what, done.returncode, code, text, done.stderr))
    print("%-16s %s" % (what, done.stderr.strip()[:110]))


def endless(conn, _):
    conn.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
    while True:
        conn.sendall(b"x" * 65536)


def slow(conn, _):
    conn.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
    while True:
        conn.sendall(b"x")
        time.sleep(0.5)


def send(answer):
    return lambda conn, _: conn.sendall(answer) or True


expect("endless body", jobq(Server(endless).url()), 1, "exceeds")
expect("slow body", jobq(Server(slow).url(), seconds=36), 6, "no reply in time")
expect("endless header", jobq(Server(lambda c, h: c.sendall(b"HTTP/1.1 200 OK\r\nX: " + b"y" * 9000000)).url()), 1, "head is too large")
expect("short body", jobq(Server(lambda c, h: c.sendall(reply("{", length=50))).url()), 75, "network")
expect("no reply", jobq(Server(lambda c, h: None).url()), 75, "network")
expect("not HTTP", jobq(Server(lambda c, h: c.sendall(b"SSH-2.0-x\r\n")).url()), 1, "makes no sense|network")
elsewhere = Server(send(reply("{}")))
expect("redirect", jobq(Server(send(reply("", "301 Moved", "Location: %s/\r\n" % elsewhere.url()))).url()), 77, "redirected")
check(not elsewhere.requests, "a redirect was followed")
expect("no JSON", jobq(Server(send(reply("<html>"))).url()), 75, "not JSON")
expect("wrong JSON", jobq(Server(send(reply("[" * 100000))).url()), 75, "not JSON")
expect("no member", jobq(Server(send(reply('{"QueueUrl": 5}'))).url()), 75, "QueueUrl")
laughs = '<?xml version="1.0"?><!DOCTYPE l [<!ENTITY a "lol">' + "".join(
    '<!ENTITY %s "%s">' % (chr(98 + i), ("&%s;" % chr(97 + i)) * 10) for i in range(9)) + "]><l>&j;</l>"
expect("billion laughs", jobq(Server(send(reply(laughs, "400 Bad"))).url()), 2, "HTTP 400")
expect("error", jobq(Server(send(reply(
    '{"__type": "com.amazonaws.sqs#QueueDoesNotExist", "message": "gone\\u001b[31m"}', "400 Bad",
    "x-amzn-RequestId: 12ab\r\n"))).url()), 4, r"QueueDoesNotExist: gone\\x1b\[31m .HTTP 400, request 12ab")
# A refusal as AWS words it is told to its end: that names the permission.
lacking = ("User: arn:aws:sts::123456789012:assumed-role/jobq-drainer/i-0123456789abcdef0 is not authorized to perform: "
           "sqs:getqueueurl on resource: arn:aws:sqs:us-east-1:123456789012:q because no identity-based policy allows "
           "the sqs:getqueueurl action")
expect("refusal", jobq(Server(send(reply(
    '{"__type": "com.amazonaws.sqs#AccessDeniedException", "message": "%s"}' % lacking, "403 No"))).url()), 77,
    re.escape("AccessDeniedException: %s (HTTP 403" % lacking))
expect("nobody there", jobq("http://127.0.0.1:1"), 75, "network")
expect("no URL", jobq("ftp://127.0.0.1:1"), 2, "AWS_ENDPOINT_URL is no http or https URL")



def wrong_ids(body):
    """A server whose batch replies name entries that were not asked for, twice, or none."""
    def answer(conn, head):
        conn.sendall(reply(body if b"Batch" in head else '{"QueueUrl": "http://127.0.0.1:1/123456789012/q"}'))
        return True
    return Server(answer)


def enqueue_to(server):
    """What jobq enqueue says in its first seconds: such a reply may pass, and is tried again."""
    home = tempfile.mkdtemp()
    process = subprocess.Popen([JOBQ, "enqueue", "q", "--store", "none", "--batch", "-"], text=True,
                               env={"PATH": os.environ["PATH"], "HOME": home, "AWS_REGION": "us-east-1", "AWS_ENDPOINT_URL": server.url(),
                                    "AWS_EC2_METADATA_DISABLED": "true", **KEYS}, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                               stderr=subprocess.PIPE)
    process.stdin.write("kind=sleep\n" * 3)
    process.stdin.close()
    line = process.stderr.readline()
    process.kill()
    return line, process.stdout.read()


entry = '{"Id":"%s","MessageId":"m","MD5OfMessageBody":"x"}'
for what, ids in (("wrong id", "017"), ("id twice", "001"), ("id missing", "01")):
    line, acknowledged = enqueue_to(wrong_ids('{"Successful":[%s]}' % ",".join(entry % i for i in ids)))
    check(not acknowledged and "will be tried again" in line and "each entry exactly once" in line, "%s: %s %s" % (what, line, acknowledged))
    print("%-16s %s" % (what, line.strip()[:110]))

# TLS: a certificate that nobody signed, and a handshake that ends.
d = tempfile.mkdtemp()
subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", d + "/k", "-out", d + "/c",
                "-days", "2", "-subj", "/CN=127.0.0.1"], check=True, capture_output=True)
tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
tls.load_cert_chain(d + "/c", d + "/k")
expect("own certificate", jobq(Server(send(reply("{}")), tls).url()), 77, "not trusted")


def cut(listener):
    while True:
        conn, _ = listener.accept()
        conn.recv(65536)
        conn.sendall(b"\x16\x03\x03\x40\x00\x02")
        conn.close()


listener = socket.create_server(("127.0.0.1", 0))
threading.Thread(target=cut, args=(listener,), daemon=True).start()
expect("cut TLS", jobq("https://127.0.0.1:%d" % listener.getsockname()[1]), 75, "network")

# The clock: a signature refused with a Date an hour ahead is told, to be made anew with that time.
times = []


def skewed(conn, head):
    times.append(re.search(rb"(?i)x-amz-date: (\S+)", head).group(1).decode())
    date = time.strftime("Date: %a, %d %b %Y %H:%M:%S GMT\r\n", time.gmtime(time.time() + 3600))
    conn.sendall(reply('{"__type": "x#InvalidSignatureException", "message": "Signature expired"}', "403 No", date))
    return True


skew = Server(skewed)
done = jobq(skew.url())
expect("clock", done, 75, r"clock is off by 3\d\d\d s; corrected")

# What is sent is what wire/http/wire_bytes.h and the signature say: the bytes of the request line, the headers, the body.
seen = Server(send(reply('{"QueueUrl": "http://x/123456789012/q"}')))
jobq(seen.url(), "purge", "q", "--dry-run")
first = seen.requests[0].decode()
check(re.match(r"POST / HTTP/1.1\r\nHost: 127.0.0.1:\d+\r\n", first), first)
names = [line.split(":")[0] for line in first.split("\r\n\r\n")[0].split("\r\n")[1:]]
check(sorted(names) == sorted(["Host", "User-Agent", "Content-Type", "X-Amz-Target", "X-Amz-Date",
                               "Authorization", "Content-Length"]), "headers are %s" % names)

# A child's environment holds no keys; the drainer's memory is not for others.
mock = Mock()
mock.jobq("enqueue", "env", "kind=exec", "a=1")
mock.jobq("drain", "env", "-n", "1", "--once", "--stats", "0", "--exec", "env")
row = json.loads(mock.jobq("list", "env", "--json").stdout)["jobs"][0]
out = json.loads(mock.jobq("status", row["id"], "--json").stdout)["jobs"][0]["output"]
check("JOBQ_JOB_ID=" + row["id"] in out and "JOBQ_ATTEMPT=1" in out and "JOBQ_QUEUE=env" in out, out)
check("AWS_SECRET" not in out and "AWS_ACCESS" not in out and SECRET not in out, "keys in a child's environment")
process = mock.start("drain", "env", "-n", "1", "--stats", "0")
time.sleep(0.7)
limits = open("/proc/%d/limits" % process.pid).read()
check(re.search(r"Max core file size\s+0\s+0", limits), "core dumps are possible")
check(os.stat("/proc/%d/environ" % process.pid).st_uid == 0, "readable by its user")
process.terminate()
process.wait(timeout=20)
mock.close()

peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
check(peak < 80 << 10, "a jobq grew to %d KiB" % peak)
print("ok: hostile; the largest jobq had %d KiB" % peak)
