#!/usr/bin/python3
"""A box from its image to its end: jobqmock starts machines as boxes, jobq spawn launches one, the
machine boots, cloud-init reads its user data, systemd starts the drainer, whose keys come from the
box's role; it drains 100 exec jobs, shows its page, and powers itself off when it is idle.
usage: live_boot.py DIR, made by boot_image.sh"""
import glob
import json
import os
import re
import socket
import sys
import time
import urllib.request

import boto3

from livelib import KEYS, Mock, ROOT, check, fail

folder = os.path.abspath(sys.argv[1])
JOBS, TOKEN = 100, "a-token-for-the-page-of-a-booted-box"
with socket.socket() as probe:
    probe.bind(("127.0.0.1", 0))
    port = probe.getsockname()[1]
for old in glob.glob(folder + "/i-*"):
    os.remove(old)
os.environ.update(BOOT_DIR=folder, BOOT_PORT=str(port), BOOT_TOKEN=TOKEN)
mock = Mock("--boxes", "exec:" + os.path.join(ROOT, "tests/e2e/live/boot_box.py"))
started = time.monotonic()


def console():
    """The last lines of the box's console, without the colours that systemd puts there."""
    text = "".join(open(name, errors="replace").read() for name in glob.glob(folder + "/i-*.console"))
    return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]|\r", "", text)


def within(condition, seconds, what):
    while time.monotonic() < started + seconds:
        if condition():
            print("%5.1f s  %s" % (time.monotonic() - started, what), flush=True)
            return
        check("Kernel panic" not in console(), "the kernel: " + console()[-1500:])
        time.sleep(0.5)
    fail("not %s in %d s; the console says:\n%s" % (what, seconds, console()[-4000:]))


def page(path):
    request = urllib.request.Request("http://127.0.0.1:%d%s" % (port, path), headers={"Authorization": "Bearer " + TOKEN})
    try:
        with urllib.request.urlopen(request, timeout=5) as reply:
            return reply.read().decode()
    except OSError:
        return ""



lines = "".join('{"kind":"exec","payload":"%d"}\n' % i for i in range(JOBS))
ids = mock.jobq("enqueue", "boot", "--batch", "-", input=lines).stdout.split()
check(len(ids) == JOBS, "enqueued %d" % len(ids))
mock.jobq("spawn", "boot", "--image", "ami-0123456789abcdef0", "--instance", "t3.micro", "-n", "4", "--idle-exit", "30s",
          "--exec", "/usr/bin/wc -c")
within(lambda: "login:" in console() or page("/healthz"), 600, "the machine is up")
within(lambda: page("/healthz"), 900, "the page answers")
within(lambda: mock.jobq("wait", "--all", "boot", "--timeout", "1s", check_code=None).returncode == 0, 1200, "all jobs have ended")
said = mock.jobq("status", *ids).stdout
check(said.count("\tdone") == JOBS, "done: %d of %d\n%s" % (said.count("\tdone"), JOBS, said[:500]))
check(glob.glob(folder + "/i-*.console") and len(glob.glob(folder + "/i-*.console")) == 1, "one box was wanted")
check("boot" in page("/") and json.loads(page("/status.json"))["queue"] == "boot", "the page: " + page("/status.json")[:300])
within(lambda: "reboot: Power down" in console(), 1500, "the idle box has powered itself off")
ec2 = boto3.client("ec2", endpoint_url=mock.url, region_name="us-east-1", aws_access_key_id=KEYS["AWS_ACCESS_KEY_ID"],
                   aws_secret_access_key=KEYS["AWS_SECRET_ACCESS_KEY"])
within(lambda: [i["State"]["Name"] for r in ec2.describe_instances()["Reservations"] for i in r["Instances"]] == ["terminated"],
       1600, "EC2 says that it is terminated")
print("ok: a box booted, drained %d exec jobs and left, %.0f s" % (JOBS, time.monotonic() - started))
