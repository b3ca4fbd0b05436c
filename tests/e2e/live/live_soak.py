#!/usr/bin/python3
"""Empty receives by the hundred thousand: resident memory and descriptors of the drain stay as
they were after the first twentieth. The mock's clock runs fast, so that a long poll is short.

usage: live_soak.py [RECEIVES]"""
import os
import sys
import time

from livelib import Mock, check

RECEIVES = int(sys.argv[1]) if len(sys.argv) > 1 else 1000000
mock = Mock("--speed", "1000000", signed=False)
mock.jobq("enqueue", "soak", "--store", "none", "kind=sleep", "seconds=0")
drain = mock.start("drain", "soak", "-n", "4", "--store", "none", "--stats", "0", "--wait", "1s", "--quiet", "--receives", "4")


def now():
    """(receives, resident KiB, descriptors)"""
    ledger = mock.ledger()
    actions = ledger.get("ledger", ledger)["actions"]
    with open("/proc/%d/status" % drain.pid) as status:
        rss = next(int(line.split()[1]) for line in status if line.startswith("VmRSS"))
    return (actions.get("ReceiveMessage", {}).get("requests", 0), rss,
            len(os.listdir("/proc/%d/fd" % drain.pid)))


begun = time.monotonic()
first, said = None, 0
most_rss = most_fds = 0
while True:
    time.sleep(0.5)
    check(drain.poll() is None, "the drain ended")
    count, rss, fds = now()
    if count < RECEIVES / 20:
        continue
    if first is None:
        first = (count, rss, fds)
    most_rss, most_fds = max(most_rss, rss), max(most_fds, fds)
    if count >= said + RECEIVES / 10 or count >= RECEIVES:
        said = count
        print("%8d receives  %6d KiB  %3d descriptors  %5.0f s" % (count, rss, fds, time.monotonic() - begun), flush=True)
    if count >= RECEIVES:
        break
check(most_rss <= first[1] + 256, "memory grew from %d to %d KiB" % (first[1], most_rss))
check(most_fds <= first[2] + 1, "descriptors grew from %d to %d" % (first[2], most_fds))
drain.terminate()
check(drain.wait(timeout=30) == 0, "the drain ended with %s" % drain.returncode)
mock.close()
print("ok: %d empty receives, memory +%d KiB, descriptors +%d" % (count, most_rss - first[1], most_fds - first[2]))
