"""jobqmock --state, killed by signal 9 during load, again and again: every message, row and
box that was acknowledged is there afterwards, and nothing that was acknowledged as deleted.
Arguments: how many kills (3), the seed (0)."""
import os
import random
import subprocess
import sys
import threading
import time

import botocore.exceptions

import livelib
from livelib import check
from mocklib import Kept


class Load(threading.Thread):
    """Sends, receives, deletes, puts, replaces until the server dies; remembers what was
    acknowledged. A call that got no answer may have happened or not: `unsure`."""

    def __init__(self, kept, number, round_number, seed):
        super().__init__()
        self.sqs, self.sdb = kept.client("sqs"), kept.client("sdb")
        self.ec2 = kept.client("ec2")
        self.url = kept.url + "/123456789012/kill"
        self.name = "%d-%d" % (round_number, number)
        self.random = random.Random(seed)
        self.sent, self.deleted, self.unsure = {}, set(), set()
        self.rows, self.unsure_rows, self.boxes = {}, set(), {}

    def run(self):
        i = 0
        try:
            while True:
                i += 1
                self.once(i)
        except (botocore.exceptions.ConnectionError, botocore.exceptions.HTTPClientError):
            pass

    def once(self, i):
        body = "%s-%d" % (self.name, i)
        what = self.random.randrange(10)
        if what < 5:
            self.unsure.add(body)
            self.sent[body] = self.sqs.send_message(
                QueueUrl=self.url, MessageBody=body, MessageAttributes={
                    "k": {"DataType": "String", "StringValue": body}})["MessageId"]
            self.unsure.discard(body)
        elif what < 7:
            got = self.sqs.receive_message(QueueUrl=self.url, MaxNumberOfMessages=2,
                                           VisibilityTimeout=600)
            for one in got.get("Messages", [])[:1]:
                self.unsure.add(one["Body"])
                self.sqs.delete_message(QueueUrl=self.url,
                                        ReceiptHandle=one["ReceiptHandle"])
                self.unsure.discard(one["Body"])
                self.deleted.add(one["Body"])
        elif what < 9:
            item = "%s-%d" % (self.name, i % 20)
            self.unsure_rows.add(item)
            self.sdb.put_attributes(DomainName="kill", ItemName=item, Attributes=[
                {"Name": "v", "Value": body, "Replace": True}])
            self.rows[item] = body
            self.unsure_rows.discard(item)
        elif i % 5 == 0:
            ran = self.ec2.run_instances(
                ImageId="ami-0123456789abcdef0", InstanceType="c7g.large", MinCount=1,
                MaxCount=1, TagSpecifications=[{"ResourceType": "instance", "Tags": [
                    {"Key": "body", "Value": body}]}])
            self.boxes[ran["Instances"][0]["InstanceId"]] = body


def read_all(kept):
    """What is there: bodies by message id, rows, boxes; and messages' attributes agree."""
    sqs, sdb, ec2 = kept.client("sqs"), kept.client("sdb"), kept.client("ec2")
    url = kept.url + "/123456789012/kill"
    bodies = {}
    kept.advance("601s")  # what was in flight is visible again
    while True:
        got = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, VisibilityTimeout=600,
                                  MessageAttributeNames=["All"]).get("Messages", [])
        if not got:
            break
        for one in got:
            check(one["Body"] not in bodies, "twice there: " + one["Body"])
            check(one["MessageAttributes"]["k"]["StringValue"] == one["Body"],
                  "attributes of another message")
            bodies[one["Body"]] = one["MessageId"]
    rows, token = {}, None
    while True:
        more = {"NextToken": token} if token else {}
        page = sdb.select(SelectExpression="select * from `kill`", ConsistentRead=True, **more)
        for item in page.get("Items", []):
            rows[item["Name"]] = item["Attributes"][0]["Value"]
        token = page.get("NextToken")
        if not token:
            break
    boxes = {}
    for reservation in ec2.describe_instances()["Reservations"]:
        for box in reservation["Instances"]:
            boxes[box["InstanceId"]] = box["Tags"][0]["Value"]
    kept.advance("601s")
    return bodies, rows, boxes


def main():
    kills = int(sys.argv[1]) if len(sys.argv) > 1 else 3
    kept = Kept()
    sqs = kept.client("sqs")
    dead = sqs.create_queue(QueueName="dead.fifo", Attributes={"FifoQueue": "true"})
    sqs.create_queue(QueueName="gap")
    sqs.create_queue(QueueName="kill", Attributes={"VisibilityTimeout": "77",
                                                   "MessageRetentionPeriod": "1209600"},
                     tags={"a": "ü"})
    sqs.delete_queue(QueueUrl=kept.url + "/123456789012/gap")
    kept.client("sdb").create_domain(DomainName="kill")
    sent, deleted, unsure, rows, unsure_rows, boxes = {}, set(), set(), {}, set(), {}
    seed = livelib.seed(2, default=0)
    for k in range(kills):
        threads = [Load(kept, n, k, 100 * (seed + k) + n) for n in range(4)]
        for thread in threads:
            thread.start()
        time.sleep(random.Random(seed + k).uniform(0.2, 0.8))
        kept.kill()
        for thread in threads:
            thread.join()
            sent.update(thread.sent)
            deleted |= thread.deleted
            unsure |= thread.unsure
            for item in thread.unsure_rows:
                unsure_rows.add(item)
            rows.update(thread.rows)
            boxes.update(thread.boxes)
        kept.start()
        there, rows_there, boxes_there = read_all(kept)
        for body, message_id in sent.items():
            if body in deleted or body in unsure:
                continue
            check(there.get(body) == message_id, "lost or renamed: " + body)
        back = [body for body in there if body in deleted]
        check(not back, "deleted, and back: %s" % back[:3])
        for item, value in rows.items():
            check(item in unsure_rows or rows_there.get(item) == value, "row lost: " + item)
        for box, body in boxes.items():
            check(boxes_there.get(box) == body, "box lost: " + box)
    sqs = kept.client("sqs")
    url = kept.url + "/123456789012/kill"
    got = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
    check(got["VisibilityTimeout"] == "77", "queue's attributes")
    check(sqs.list_queue_tags(QueueUrl=url)["Tags"] == {"a": "ü"}, "queue's tags")
    check(len(sqs.list_queues()["QueueUrls"]) == 2, "queues: " + str(sqs.list_queues()))
    check(dead["QueueUrl"] in sqs.list_queues()["QueueUrls"], "the FIFO queue")
    second = subprocess.run([livelib.MOCK, "--port", "0", "--state", kept.dir + "/state"],
                            capture_output=True, text=True)
    check(second.returncode == 1 and "in use" in second.stderr, second.stderr)
    kept.proc.terminate()
    check(kept.proc.wait() == 0, "SIGTERM")
    other = subprocess.run([livelib.MOCK, "--port", "0", "--seed", "2", "--state",
                            kept.dir + "/state"], capture_output=True, text=True)
    check(other.returncode == 2 and "--seed" in other.stderr, other.stderr)
    subprocess.run(["rm", "-rf", kept.dir], check=True)
    print("%d kills: %d messages sent, %d deleted, %d rows, %d boxes; none lost, %d unsure"
          % (kills, len(sent), len(deleted), len(rows), len(boxes), len(unsure)))


os.chdir(livelib.ROOT)
main()
