#!/usr/bin/python3
"""A program that libjobq is part of may dump core as it likes: of what a dump holds, nothing tells
a key that came from a file, nor does anything in its memory once the enqueuer is closed.

usage: live_dump.py BUILD_DIR"""
import datetime
import hashlib
import hmac
import os
import re
import shutil
import subprocess
import sys

from livelib import KEYS, ROOT, Mock, check

HOST = """import sys
import jobq
queue = jobq.Enqueuer("hosted")
print(queue.status(queue.enqueue({"a": 1})).state, flush=True)
sys.stdin.readline()
queue.close()
print("closed", flush=True)
sys.stdin.readline()
"""
mock = Mock()
SECRET = KEYS["AWS_SECRET_ACCESS_KEY"].encode()
with open(mock.dir + "/keys", "w") as keys:
    keys.write("[default]\naws_access_key_id = %s\naws_secret_access_key = %s\n" % (KEYS["AWS_ACCESS_KEY_ID"], SECRET.decode()))


def telling():
    """The key, and what is as good as it: the day's signing keys, and keys under HMAC's masks."""
    yield "the key", SECRET
    now = datetime.datetime.now(datetime.timezone.utc)
    for day in {(now - datetime.timedelta(minutes=m)).strftime("%Y%m%d") for m in (0, 10)}:
        key = b"AWS4" + SECRET
        for word in (day, "us-east-1", "sqs", "aws4_request"):
            key = hmac.new(key, word.encode(), hashlib.sha256).digest()
        yield "a day's signing key", key
    for mask in (0x36, 0x5c):
        for key in (SECRET, b"AWS4" + SECRET):
            yield "a masked key", bytes(byte ^ mask for byte in key)


def parts(pid, dumped):
    """The memory that a core dump holds; dumped False: what it leaves out."""
    with open("/proc/%d/smaps" % pid) as smaps, open("/proc/%d/mem" % pid, "rb") as memory:
        for part in re.split(r"(?m)^(?=[0-9a-f]+-[0-9a-f]+ )", smaps.read()):
            head = re.match(r"([0-9a-f]+)-([0-9a-f]+) r.*", part)
            left_out = re.search(r"(?m)^VmFlags:.* dd\b", part) is not None
            if head and "[v" not in head.group() and left_out != dumped:
                begin, end = (int(word, 16) for word in head.groups())
                memory.seek(begin)
                yield memory.read(end - begin)


def look(memory, where):
    for part in memory:
        for name, key in telling():
            check(key not in part, "%s is in %s" % (name, where))


def core_limit(pid):
    return open("/proc/%s/limits" % pid).read().split("Max core file size")[1].split()[:2]


environment = {k: v for k, v in mock.env.items() if k not in KEYS}
environment.update(AWS_SHARED_CREDENTIALS_FILE=mock.dir + "/keys", PYTHONPATH=os.path.join(ROOT, "live/python"),
                   JOBQ_LIBRARY=os.path.join(ROOT, sys.argv[1], "libjobq.so.0"))
host = subprocess.Popen(["/usr/bin/python3", "-c", HOST], env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
mock.started.append(host)
check(host.stdout.readline() == "queued\n", "the application's job is not queued")
check(core_limit(host.pid) == core_limit("self"), "the library has changed the application's limit")
check(any(SECRET in part for part in parts(host.pid, False)), "the key is nowhere: this test looks in vain")
look(parts(host.pid, True), "memory that is dumped")
if shutil.which("gcore"):
    subprocess.run(["gcore", "-o", mock.dir + "/core", str(host.pid)], capture_output=True, check=True)
    with open(mock.dir + "/core.%d" % host.pid, "rb") as core:
        whole = core.read()
    check(b"hosted" in whole, "gcore's core holds nothing")
    look([whole], "gcore's core")
else:
    print("SKIP gcore's core: gdb is not installed")
host.stdin.write("\n")
host.stdin.flush()
check(host.stdout.readline() == "closed\n", "the application did not close")
look(parts(host.pid, True), "memory after the close")
look(parts(host.pid, False), "pages of no dump after the close")
host.kill()
mock.close()
print("ok: no dump of an application tells a key")
