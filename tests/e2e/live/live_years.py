#!/usr/bin/python3
"""400 days of a queue's life, a batch of jobs enqueued and drained a day by drainers that end as
soon as the queue is empty: the rows of old days go, day by day, so that nothing is ever refused
for want of a domain. No drainer is alive for long and nobody runs jobq prune.

The clock of jobqmock is advanced a day at a time, that of jobq's processes by libfaketime.

usage: live_years.py [DAYS]"""
import os
import re
import sys
import urllib.parse
import urllib.request

from livelib import Mock, check

DAYS = int(sys.argv[1]) if len(sys.argv) > 1 else 400
KEEP_DAYS, DOMAINS, JOBS, QUEUE = 21, 4, 100, "years"
FAKETIME = "/usr/lib/%s-linux-gnu/faketime/libfaketime.so.1" % os.uname().machine
if not os.path.exists(FAKETIME):
    print("SKIP: libfaketime is not installed")
    sys.exit(77)
mock = Mock(signed=False)


def simpledb(action, **parameters):
    body = urllib.parse.urlencode({"Action": action, "Version": "2009-04-15", **parameters}).encode()
    with urllib.request.urlopen(mock.url + "/", data=body, timeout=10) as reply:
        return reply.read().decode()


def domains():
    """Those of the queue's rows, by name."""
    found, token = [], None
    while True:
        page = simpledb("ListDomains", MaxNumberOfDomains="100", **({"NextToken": token} if token else {}))
        found += re.findall("<DomainName>(%s\\.\\w{5})</DomainName>" % QUEUE, page)
        token = (re.findall("<NextToken>([^<]*)</NextToken>", page) or [None])[0]
        if not token:
            return found


def calls(action):
    return mock.metric('jobqmock_requests_total{service="simpledb",action="%s"' % action)


with open(mock.dir + "/jobs", "w") as lines:
    lines.write("kind=sleep seconds=0\n" * JOBS)
most, first = 0, None
for day in range(DAYS):
    mock.env.update(LD_PRELOAD=FAKETIME, FAKETIME="+%dd" % day, FAKETIME_DONT_FAKE_MONOTONIC="1",
                    DONT_FAKE_MONOTONIC="1")
    ids = mock.jobq("enqueue", QUEUE, "--batch", "jobs", "--quiet").stdout.split()
    check(len(ids) == JOBS, "day %d: %d ids" % (day, len(ids)))
    first = first or ids[0]
    done = mock.jobq("drain", QUEUE, "-n", str(JOBS), "--once", "--wait", "0s", "--json")
    check(done.stdout.count('"event":"done"') == JOBS, "day %d: %s" % (day, done.stdout[-500:] + done.stderr[-500:]))
    most = max(most, len(domains()))
    mock.get("/_jobq/clock", b"advance=24h")
# The present day's, and those of the days that are kept.
check(most <= (KEEP_DAYS + 1) * DOMAINS, "%d domains at a time" % most)
if DAYS > KEEP_DAYS + 2:
    check(calls("DeleteDomain") >= (DAYS - KEEP_DAYS - 2) * DOMAINS, "%d domains dropped" % calls("DeleteDomain"))
    gone = mock.jobq("status", first, check_code=4)
    check("not started or unknown" in gone.stderr, gone.stderr)
print("%d days: at most %d domains at a time, %d made, %d dropped" % (
    DAYS, most, calls("CreateDomain"), calls("DeleteDomain")))
