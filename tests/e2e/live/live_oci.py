#!/usr/bin/python3
"""The OCI image, run as a container's process would be: its root file system, its user, its entry
point, nothing but an environment. It drains jobs of jobqmock. Needs root (chroot).
usage: live_oci.py LAYOUT VERSION"""
import json
import os
import subprocess
import sys

from livelib import Mock, check

layout, version = sys.argv[1:3]
mock = Mock()
bundle = os.path.join(mock.dir, "bundle")
subprocess.run(["umoci", "unpack", "--image", "%s:%s" % (layout, version), bundle], check=True)
with open(os.path.join(bundle, "config.json")) as file:
    process = json.load(file)["process"]
check(process["args"][0] == "/usr/bin/jobq" and process["user"]["uid"] == 65534, "entry point or user: %s" % process)
ids = [mock.jobq("enqueue", "render", "kind=sleep", "seconds=0").stdout.split()[0] for _ in range(20)]
env = {"PATH": "/usr/bin:/bin", **{k: v for k, v in mock.env.items() if k.startswith("AWS_")}}
user = "%d:%d" % (process["user"]["uid"], process["user"]["gid"])
done = subprocess.run(["/usr/sbin/chroot", "--userspec=" + user, os.path.join(bundle, "rootfs"), process["args"][0], "drain",
                       "render", "-n", "4", "--once"], env=env, capture_output=True, text=True, timeout=60)
check(done.returncode == 0, "the image's drainer: " + done.stderr)
for job in ids:
    said = mock.jobq("status", job).stdout
    check("done" in said, said)
print("ok: 20 jobs drained by the image")
