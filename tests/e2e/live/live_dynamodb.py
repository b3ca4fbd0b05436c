#!/usr/bin/python3
"""The commands with --store dynamodb: one table a queue with time to live, every command alike; and a
drainer's ledger has the units and bytes that jobqmock counted.

usage: live_dynamodb.py"""
import json
import time

import boto3

from livelib import Mock, check

JOBS = 400
mock = Mock()
mock.env["JOBQ_STORE"] = "dynamodb"
client = boto3.client("dynamodb", endpoint_url=mock.env["AWS_ENDPOINT_URL"], region_name="us-east-1",
                      aws_access_key_id=mock.env["AWS_ACCESS_KEY_ID"],
                      aws_secret_access_key=mock.env["AWS_SECRET_ACCESS_KEY"])


def lines(*words):
    return mock.jobq(*words).stdout.split("\n")[:-1]


def state_of(job):
    return json.loads(mock.jobq("status", job, "--json").stdout)["jobs"][0]["state"]


# ---- one job after the other
first, second, third = [mock.jobq("enqueue", "q", "kind=sleep", "seconds=0").stdout.strip() for _ in range(3)]
check(sorted(x.split("\t")[0] for x in lines("list", "q", "--state", "queued")) == sorted([first, second, third]),
      "the queued jobs are not listed")
check(state_of(first) == "queued", "a new job is not queued")
mock.jobq("cancel", second)
mock.jobq("drain", "q", "--once", timeout=60)
for job, state in ((first, "done"), (second, "cancelled"), (third, "done")):
    check(state_of(job) == state, job + " is not " + state)
check([x.split("\t")[0] for x in lines("list", "q", "--state", "cancelled")] == [second], "the cancelled job's list")
mock.jobq("wait", first, third)
mock.jobq("wait", "q", "--all")
for words in (("doctor", "q"), ("prune", "q"), ("repair", "q", "--timeout", "1s")):
    mock.jobq(*words)

# ---- the table, and how long a row stays
table = client.describe_table(TableName="q.jobs")["Table"]
check(table["BillingModeSummary"]["BillingMode"] == "PAY_PER_REQUEST", "the table is not on demand")
ttl = client.describe_time_to_live(TableName="q.jobs")["TimeToLiveDescription"]
check(ttl == {"TimeToLiveStatus": "ENABLED", "AttributeName": "ttl"}, "time to live is %s" % ttl)
row = client.get_item(TableName="q.jobs", Key={"id": {"S": first}})["Item"]
days = (int(row["ttl"]["N"]) - time.time()) / 86400
check(20.9 < days < 21.1, "a row goes in %.2f days" % days)

# ---- a row whose message is lost is repaired
lost = mock.jobq("enqueue", "q", "kind=sleep", "seconds=0", "--visibility", "1s").stdout.strip()
mock.jobq("purge", "q", "--confirm", "q")
check("sent 1 missing message" in mock.jobq("repair", "q", "--timeout", "30s").stderr, "the lost message is not sent again")
mock.jobq("drain", "q", "--once", timeout=60)
check(state_of(lost) == "done", "the repaired job is not done")

# ---- usage
with open(mock.dir + "/jobs", "w") as file:
    for i in range(JOBS):
        file.write("kind=sleep seconds=0 i=%d text=\"Größe\\n\"\n" % i)
before = mock.ledger()
mock.jobq("enqueue", "led", "--batch", "jobs", "--record", "enqueue.jsonl")
mock.jobq("drain", "led", "-n", "50", "--idle-exit", "1s", "--quiet", "--record", "drain.jsonl", "--stats", "0",
          timeout=120)
after = mock.ledger()
mine, units = {}, 0
for name in ("enqueue.jsonl", "drain.jsonl"):
    for line in open(mock.dir + "/" + name):
        ledger = json.loads(line).get("ledger")
        if ledger:
            units += ledger["write_units"]
            for action, use in ledger["actions"].items():
                for key, value in use.items():
                    mine[action, key] = mine.get((action, key), 0) + value


def theirs(ledger, action, key):
    return ledger.get("ledger", ledger)["actions"].get(action, {}).get(key, 0)


for key in ("requests", "bytes_out"):
    counted = theirs(after, "UpdateItem", key) - theirs(before, "UpdateItem", key)
    check(mine["UpdateItem", key] == counted, "UpdateItem %s: %d, jobqmock %d" % (key, mine["UpdateItem", key], counted))
counted = after.get("ledger", after)["write_units"] - before.get("ledger", before)["write_units"]
check(units == counted, "%g write units, jobqmock %g" % (units, counted))
check(mine["UpdateItem", "requests"] < 3 * JOBS + 20, "more than three writes a job")
check(mine.get(("GetItem", "requests"), 0) <= 2, "a job was read")

# ---- fewer rows
for rows, writes in (("claim", 2), ("end", 1), ("none", 0)):
    mock.env["JOBQ_ROWS"] = rows
    queue = "rows-" + rows
    ids = [mock.jobq("enqueue", queue, "kind=sleep", "seconds=0").stdout.strip() for _ in range(5)]
    del mock.env["JOBQ_ROWS"]
    said = mock.jobq("status", ids[0], check_code=4).stderr
    check("is not started or unknown" in said, "%s: a waiting job's status: %s" % (rows, said))
    mock.jobq("drain", queue, "--rows", rows, "--once", "--record", rows + ".jsonl", "--stats", "0", timeout=60)
    made = [json.loads(line) for line in open(mock.dir + "/" + rows + ".jsonl")]
    used = [one["ledger"]["actions"].get("UpdateItem", {}) for one in made if "ledger" in one]
    puts = sum(use.get("requests", 0) - use.get("failed", 0) for use in used)
    check(5 * writes <= puts <= 5 * writes + 2, "%s: %d writes of 5 jobs" % (rows, puts))
    if writes:
        late = mock.jobq("enqueue", queue, "--rows", rows, "kind=sleep", "seconds=0").stdout.strip()
        mock.jobq("wait", late, "--rows", rows, "--timeout", "1s", check_code=6)
        mock.jobq("drain", queue, "--rows", rows, "--once", "--stats", "0", timeout=60)
        mock.jobq("wait", late)
        ids.append(late)
        check([state_of(job) for job in ids] == ["done"] * 6, rows + ": the jobs are not done")
        check(sorted(x.split("\t")[0] for x in lines("list", queue, "--state", "done")) == sorted(ids), rows + ": the list")

# ---- the end
mock.jobq("purge", "led", "--rows", "--confirm", "led")
check(lines("list", "led") == [], "rows are left behind")
print("ok: %.3f writes and %.3f write units a job" % (mine["UpdateItem", "requests"] / JOBS, units / JOBS))
mock.close()
