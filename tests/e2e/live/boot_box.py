#!/usr/bin/python3
"""A box for jobqmock --boxes: a machine of qemu that boots the image BOOT_DIR/root.img with the user
data that it was launched with, as EC2 would. It adds to the drainer's parameters only where the
services are, which on EC2 nobody has to say, and a page that the host can reach with a token.
usage, by jobqmock: boot_box.py < USER_DATA, with BOOT_DIR, BOOT_PORT and BOOT_TOKEN; BOOT_ACCEL=kvm where
that works: a machine may have /dev/kvm and no guest that gets past its first instruction"""
import os
import re
import subprocess
import sys

folder, port, token = (os.environ[name] for name in ("BOOT_DIR", "BOOT_PORT", "BOOT_TOKEN"))
box = os.environ["JOBQ_INSTANCE_ID"]
# The host's loopback as the machine sees it.
seen = {name: re.sub("127.0.0.1|localhost", "10.0.2.2", os.environ[name])
        for name in ("AWS_ENDPOINT_URL", "AWS_EC2_METADATA_SERVICE_ENDPOINT")}
more = ["%s=%s" % item for item in seen.items()] + ["JOBQ_LISTEN=0.0.0.0:8080"]
data = sys.stdin.read().replace("      JOBQ_LISTEN=127.0.0.1:8080\n", "".join("      %s\n" % line for line in more))
data = data.replace("write_files:\n", """write_files:
  - path: /etc/jobq/boot.token
    permissions: '0600'
    content: %s
  - path: /etc/systemd/system/jobq-drain@boot.service.d/page.conf
    content: |
      [Service]
      LoadCredential=token:/etc/jobq/boot.token
      Environment=JOBQ_TOKEN_FILE=%%d/token
""" % token)
base = os.path.join(folder, box)
with open(base + ".user", "w") as file:
    file.write(data)
with open(base + ".meta", "w") as file:
    file.write("instance-id: %s\nlocal-hostname: box\n" % box)
subprocess.run(["cloud-localds", base + ".seed", base + ".user", base + ".meta"], check=True)
os.execvp("qemu-system-x86_64", [
    "qemu-system-x86_64", "-accel", os.environ.get("BOOT_ACCEL", "tcg"), "-smp", "2", "-m", "768", "-display", "none", "-no-reboot",
    "-serial", "file:%s.console" % base, "-monitor", "none", "-snapshot",
    "-kernel", os.path.join(folder, "vmlinuz"), "-initrd", os.path.join(folder, "initrd.img"),
    "-append", "root=/dev/vda rw console=ttyS0 net.ifnames=0 systemd.journald.forward_to_console=1",
    "-drive", "file=%s,format=raw,if=virtio" % os.path.join(folder, "root.img"),
    "-drive", "file=%s.seed,format=raw,if=virtio" % base,
    "-nic", "user,model=virtio,hostfwd=tcp:127.0.0.1:%s-:8080" % port])
