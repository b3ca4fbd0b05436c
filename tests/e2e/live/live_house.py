#!/usr/bin/python3
"""The house: days past their keep are dropped by prune and by a running drainer, days with a live
row are not; rows without a message are sent by repair and by a drainer; retention and keep."""
import json
import time
import urllib.parse
import urllib.request

from livelib import Mock, check, depth, wait_for

mock = Mock("--auth", "off")
DIGITS = "0123456789abcdefghijklmnopqrstuv"
TODAY = int(time.time() // 86400)


def base32(value, digits):
    return "".join(DIGITS[value >> 5 * i & 31] for i in reversed(range(digits)))


def sdb(action, **values):
    form = {"Action": action, "Version": "2009-04-15", **values}
    return mock.get("/", urllib.parse.urlencode(form).encode())


def row(queue, day, shard, number, **attributes):
    """Makes the day's table and a row in it; returns the id."""
    domain = "%s.%s%s" % (queue, base32(day, 3), base32(shard, 2))
    ms = day * 86400000 + number
    item = "%s-%s%s%s%s%s" % (queue, base32(ms, 9), base32(0, 4), base32(day, 3), base32(shard, 2), base32(number, 6))
    form = {"DomainName": domain, "ItemName": item}
    for i, (name, value) in enumerate({"t": str(ms), "p0": "sleep 0", **attributes}.items(), 1):
        form.update({"Attribute.%d.Name" % i: name, "Attribute.%d.Value" % i: value, "Attribute.%d.Replace" % i: "true"})
    sdb("CreateDomain", DomainName=domain)
    sdb("PutAttributes", **form)
    return item


def days(queue):
    """Tables of the queue by their age in days."""
    names = [part.split("<")[0] for part in sdb("ListDomains").split("<DomainName>")[1:]]
    found = []
    for name in names:
        if name.startswith(queue + ".") and len(name) == len(queue) + 6:
            found.append(TODAY - sum(DIGITS.index(c) << 5 * i for i, c in enumerate(reversed(name[-5:-2]))))
    return sorted(found)


def one(*args, **kwargs):
    return json.loads(mock.jobq(*args, "--json", **kwargs).stdout)


def attribute(queue, name):
    def call(action, body):
        request = urllib.request.Request(mock.url + "/", data=json.dumps(body).encode(), headers={
            "Content-Type": "application/x-amz-json-1.0", "X-Amz-Target": "AmazonSQS." + action})
        with urllib.request.urlopen(request, timeout=10) as reply:
            return json.loads(reply.read())
    return call("GetQueueAttributes", {"QueueUrl": call("GetQueueUrl", {"QueueName": queue})["QueueUrl"],
                                       "AttributeNames": ["All"]})["Attributes"][name]


# ---- retention and keep
mock.jobq("enqueue", "q", "kind=sleep", "--visibility", "1s")
check(attribute("q", "MessageRetentionPeriod") == str(14 * 86400), "a new queue keeps messages for " + attribute("q", "MessageRetentionPeriod"))
mock.jobq("enqueue", "short", "kind=sleep", "--retention", "2d")
check(attribute("short", "MessageRetentionPeriod") == str(2 * 86400), "--retention")
done = mock.jobq("drain", "q", "--once", "--keep", "10d", check_code=None)
check(done.returncode == 2 and "'10d' is not longer than '14.5d'" in done.stderr, "a short keep: %d %s" % (done.returncode, done.stderr))
mock.jobq("drain", "q", "--once", "--stats", "0")

# ---- prune
for age in (40, 30, 20):
    row("q", TODAY - age, 0, age, claim="done 1/x")
alive = row("q", TODAY - 25, 1, 1, claim="failed 1/x")
before = days("q")
said = one("prune", "q", "--dry-run")
check(said["dropped"] == 2 and said["kept"] == 1 and said["dry_run"] and days("q") == before, "a dry run: %s" % said)
said = one("prune", "q")
check(said["dropped"] == 2 and said["kept"] == 1 and abs(said["usd"] - 2 * 0.000778) < 1e-5, "prune: %s" % said)
check([d for d in days("q") if d > 2] == [20, 25], "tables after prune: %s" % days("q"))
check(one("prune", "q", "--keep", "15d")["dropped"] == 1, "--keep")
mock.jobq("prune", "nosuch", check_code=4)
check("not longer" in mock.jobq("prune", "q", "--keep", "1d", check_code=2).stderr, "a short keep")

# ---- repair: a client that was killed between a row and its message
lost = row("q", TODAY, 0, 7)
said = one("repair", "q", "--dry-run")
check(said["waiting"] == 1 and said["sent"] == 1 and depth(mock, "q") == (0, 0, 0), "a dry repair: %s" % said)
said = one("repair", "q")
check(said["sent"] == 1 and sum(depth(mock, "q")) == 1, "repair: %s" % said)
mock.jobq("repair", "q", check_code=6)  # the queue is not empty: the row may have its message
mock.jobq("drain", "q", "--once", "--stats", "0")
check(one("status", lost)["jobs"][0]["state"] == "done", "the repaired job")
check(one("repair", "q")["sent"] == 0, "a second repair")

# ---- wait --all asks the rows too: an empty queue may have lost a message
mock.jobq("enqueue", "w", "kind=sleep", "--visibility", "1s")
mock.jobq("drain", "w", "--once", "--stats", "0")
mock.jobq("wait", "--all", "w", "--interval", "50ms")
lost = row("w", TODAY, 0, 7)
waited = mock.jobq("wait", "--all", "w", "--timeout", "1s", "--interval", "50ms", check_code=6).stderr
check(lost in waited and "jobq repair w" in waited, "wait --all with a lost message: %s" % waited)
mock.jobq("repair", "w")
mock.jobq("drain", "w", "--once", "--stats", "0")
mock.jobq("wait", "--all", "w", "--interval", "50ms")

# ---- doctor: how old the oldest waiting job is
def age(queue, code):
    checks = json.loads(mock.jobq("doctor", queue, "--json", check_code=code).stdout)["checks"]
    return {c["check"]: (c["finding"], c["text"]) for c in checks}


check(age("q", 1)["age"][0] == "fault" and "jobq repair" in age("q", 1)["age"][1], "an expired job: %s" % age("q", 1)["age"][1])
row("old", TODAY - 9, 0, 1)
mock.jobq("enqueue", "old", "kind=sleep")
check(age("old", 0)["age"][0] == "warning" and "14d" in age("old", 0)["age"][1], "an old job: %s" % (age("old", 0)["age"],))
check(age("short", 0)["age"][0] == "ok" and age("short", 0)["retention"][0] == "warning", "a short retention")
check(age("q", 1)["domains"][1].startswith("%d of this queue" % len(days("q"))), "domains: %s" % age("q", 1)["domains"][1])

# ---- status and list: what will soon be gone
day = 86400000
fresh = mock.jobq("enqueue", "going", "kind=sleep").stdout.strip()
waits = row("going", TODAY - 9, 0, 1)
lost = row("going", TODAY - 15, 0, 2)
ended = row("going", TODAY - 21, 0, 3, claim="done 1/x")
kept = row("going", TODAY - 2, 0, 4, claim="done 1/x")
def warnings(*args):
    return [line for line in mock.jobq(*args).stderr.split("\n") if "warning" in line]


check(warnings("status", fresh, kept) == [], "warnings of what is young: %s" % warnings("status", fresh, kept))
said = warnings("status", waits)
check(len(said) == 1 and "1 job has not ended after 9 d" in said[0] and "after 14 d" in said[0], "an old job: %s" % said)
said = warnings("status", lost, waits)
check(len(said) == 2 and "2 jobs have not ended after 15 d" in said[0] and "jobq repair" in said[1], "a lost job: %s" % said)
said = warnings("status", ended)
check(len(said) == 1 and "1 row will be dropped, the first in" in said[0] and "kept for 21 d" in said[0], "a row at its keep's end: %s" % said)
said = warnings("status", ended, "--keep", "20d")
check(len(said) == 1 and "1 row can be dropped at any time" in said[0], "a row past its keep: %s" % said)
check(warnings("status", ended, "--keep", "90d") == [], "a longer keep")
said = warnings("list", "going")
check(len(said) == 3, "list: %s" % said)
jobs = {job["id"]: job for job in one("list", "going")["jobs"]}
check(jobs[waits]["message_until_ms"] == (TODAY + 5) * day + 1 and "row_until_ms" not in jobs[waits], "list --json: %s" % jobs[waits])
check(jobs[ended]["row_until_ms"] == (TODAY + 1) * day and "message_until_ms" not in jobs[ended], "list --json: %s" % jobs[ended])
check(one("status", waits)["jobs"][0]["message_until_ms"] == (TODAY + 5) * day + 1, "status --json")

# ---- a drainer does both by itself, and one of two at a time
lost = row("q", TODAY, 1, 8)
row("q", TODAY - 60, 2, 1, claim="done 1/x")
log = mock.dir + "/drain.log"
drains = [mock.start("drain", "q", "-n", "2", "--housekeeping", "1s", "--wait", "1s", log=log) for _ in range(2)]
wait_for(lambda: one("status", lost)["jobs"][0]["state"] == "done", 30, "a drainer's repair")
wait_for(lambda: max(days("q")) < 60, 30, "a drainer's prune")
for drain in drains:
    drain.terminate()
    check(drain.wait(timeout=20) == 0, "drain")
text = open(log).read()
check(text.count("dropped 1 table of old days") == 1, "who dropped it is not said once: " + text)
check(text.count("sent 1 missing message") == 1, "who sent it is not said once: " + text)
mock.close()
print("ok: the house is kept")
