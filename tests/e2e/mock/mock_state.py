"""What --state keeps through kill -9 besides messages, rows and boxes themselves: their order,
what FIFO queues remember of those that are gone, dead letters on their way back, settings of
every kind, launches' tokens. And files that are not jobqmock's are refused and left alone."""
import hashlib
import json
import os
import random
import shutil
import sqlite3
import subprocess
import tempfile
import time
import unittest
import urllib.error
import urllib.request

import livelib
from mocklib import ACCOUNT, Kept

ARN = "arn:aws:sqs:us-east-1:%s:" % ACCOUNT
EVERYTHING = {"AttributeNames": ["All"], "MessageAttributeNames": ["All"]}


class Keeping(unittest.TestCase):
    def setUp(self):
        self.kept = Kept()
        self.sqs, self.sdb, self.ec2 = (self.kept.client(s) for s in ("sqs", "sdb", "ec2"))

    def tearDown(self):
        self.kept.kill()
        self.kept.proc.stdout.close()
        shutil.rmtree(self.kept.dir)

    def json(self, action, **params):
        """Debian's boto3 has no message-move tasks."""
        request = urllib.request.Request(
            self.kept.url + "/", data=json.dumps(params).encode(),
            headers={"Content-Type": "application/x-amz-json-1.0",
                     "X-Amz-Target": "AmazonSQS." + action})
        with urllib.request.urlopen(request, timeout=10) as reply:
            return json.loads(reply.read())

    def queue(self, name, **attributes):
        return self.sqs.create_queue(QueueName=name, Attributes=attributes)["QueueUrl"]

    def receive(self, url, visibility=600):
        """Everything that can be had, in its order."""
        got = []
        while True:
            more = self.sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10,
                                            VisibilityTimeout=visibility, **EVERYTHING)
            if not more.get("Messages"):
                return got
            got += more["Messages"]

    def count(self, url):
        a = self.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
        return tuple(int(a["ApproximateNumberOfMessages" + k])
                     for k in ("", "NotVisible", "Delayed"))


class Sqs(Keeping):
    def test_messages_as_they_stood(self):
        url = self.queue("q")
        sent = self.sqs.send_message(
            QueueUrl=url, MessageBody="ü &<\t", MessageAttributes={
                "n": {"DataType": "Number.x", "StringValue": "1"},
                "b": {"DataType": "Binary", "BinaryValue": b"\x00\xff"}},
            MessageSystemAttributes={"AWSTraceHeader": {
                "DataType": "String", "StringValue": "Root=1-5759e988-bd862e3fe1be46a994272793"}})
        self.sqs.send_message(QueueUrl=url, MessageBody="delayed", DelaySeconds=300)
        before = self.receive(url, 60)[0]
        self.kept.restart()
        self.assertEqual(self.count(url), (0, 1, 1))
        self.kept.advance("61s")
        after = self.receive(url, 60)[0]
        self.assertEqual(after["MessageId"], sent["MessageId"])
        for key in ("Body", "MessageAttributes", "MD5OfMessageAttributes", "MD5OfBody"):
            self.assertEqual(after[key], before[key])
        for key in ("SentTimestamp", "ApproximateFirstReceiveTimestamp", "AWSTraceHeader",
                    "SenderId"):
            self.assertEqual(after["Attributes"][key], before["Attributes"][key], key)
        self.assertEqual(after["Attributes"]["ApproximateReceiveCount"], "2")
        self.kept.advance("240s")
        self.assertEqual([m["Body"] for m in self.receive(url)][-1], "delayed")

    def test_receipts(self):
        url = self.queue("q")
        for body in "abc":
            self.sqs.send_message(QueueUrl=url, MessageBody=body)
        got = {m["Body"]: m["ReceiptHandle"] for m in self.receive(url)}
        self.kept.restart()
        self.sqs.delete_message(QueueUrl=url, ReceiptHandle=got["a"])
        self.sqs.change_message_visibility(QueueUrl=url, ReceiptHandle=got["b"],
                                           VisibilityTimeout=0)
        self.assertEqual([m["Body"] for m in self.receive(url)], ["b"])
        self.kept.restart()
        self.kept.advance("601s")
        self.assertEqual(sorted(m["Body"] for m in self.receive(url)), ["b", "c"])

    def test_purge_delete_and_reset(self):
        keep, purged, gone = self.queue("keep"), self.queue("purged"), self.queue("gone")
        for url in (keep, purged, gone):
            self.sqs.send_message(QueueUrl=url, MessageBody="x")
        self.sqs.purge_queue(QueueUrl=purged)
        self.sqs.delete_queue(QueueUrl=gone)
        self.kept.restart()
        self.assertEqual([self.count(url)[0] for url in (keep, purged)], [1, 0])
        self.assertEqual(sorted(self.sqs.list_queues()["QueueUrls"]), [keep, purged])
        urllib.request.urlopen(self.kept.url + "/_jobq/reset", data=b"").read()
        self.kept.restart()
        self.assertNotIn("QueueUrls", self.sqs.list_queues())

    def test_settings(self):
        dead = self.queue("dead", RedriveAllowPolicy=json.dumps(
            {"redrivePermission": "byQueue", "sourceQueueArns": [ARN + "q"]}))
        policy = json.dumps({"Version": "2012-10-17", "Statement": []})
        url = self.queue("q", DelaySeconds="7", VisibilityTimeout="77", Policy=policy,
                         MessageRetentionPeriod="86400", ReceiveMessageWaitTimeSeconds="3",
                         MaximumMessageSize="2048", KmsMasterKeyId="alias/k",
                         RedrivePolicy=json.dumps({"deadLetterTargetArn": ARN + "dead",
                                                   "maxReceiveCount": 3}))
        fifo = self.queue("f.fifo", FifoQueue="true", ContentBasedDeduplication="true",
                          DeduplicationScope="messageGroup",
                          FifoThroughputLimit="perMessageGroupId")
        self.sqs.tag_queue(QueueUrl=url, Tags={"a": "1", "ü": "", "gone": "x"})
        self.sqs.untag_queue(QueueUrl=url, TagKeys=["gone"])
        self.sqs.add_permission(QueueUrl=fifo, Label="l", AWSAccountIds=["111122223333"],
                                Actions=["SendMessage"])
        urls = (dead, url, fifo)

        def told():
            return [(self.sqs.get_queue_attributes(QueueUrl=u, AttributeNames=["All"])
                     ["Attributes"], self.sqs.list_queue_tags(QueueUrl=u).get("Tags"),
                     self.sqs.list_dead_letter_source_queues(QueueUrl=u).get("queueUrls"))
                    for u in urls]
        before = told()
        self.kept.advance("1h")
        self.kept.restart()
        self.assertEqual(told(), before)  # with the instants of their last changes
        self.sqs.set_queue_attributes(QueueUrl=url, Attributes={"RedrivePolicy": "",
                                                                "DelaySeconds": "1"})
        before = told()
        self.kept.restart()
        self.assertEqual(told(), before)

    def test_regions(self):
        east, west = self.kept.client("sqs"), self.kept.client("sqs", region="us-west-2")
        for client, body in ((east, "east"), (west, "west")):
            url = client.create_queue(QueueName="q")["QueueUrl"]
            client.send_message(QueueUrl=url, MessageBody=body)
        self.kept.restart()
        for client, body in ((east, "east"), (west, "west")):
            self.assertEqual(client.receive_message(QueueUrl=url)["Messages"][0]["Body"], body)

    def test_clock(self):
        self.queue("q")
        self.kept.advance("40h")
        now = json.loads(urllib.request.urlopen(self.kept.url + "/_jobq/clock").read())
        self.kept.restart()
        later = json.loads(urllib.request.urlopen(self.kept.url + "/_jobq/clock").read())
        self.assertGreaterEqual(later["now_ns"], now["now_ns"])


class DeadLetters(Keeping):
    def setUp(self):
        super().setUp()
        self.dead = self.queue("dead")
        self.url = self.queue("q", RedrivePolicy=json.dumps(
            {"deadLetterTargetArn": ARN + "dead", "maxReceiveCount": 1}))

    def bury(self, count):
        ids = {}
        for i in range(count):
            sent = self.sqs.send_message(QueueUrl=self.url, MessageBody=str(i))
            ids[str(i)] = sent["MessageId"]
        self.assertEqual(len(self.receive(self.url, 5)), count)
        self.kept.advance("6s")
        self.assertEqual(self.receive(self.url, 5), [])
        self.assertEqual(self.count(self.dead)[0], count)
        return ids

    def test_redriven(self):
        ids = self.bury(3)
        self.kept.restart()
        self.assertEqual((self.count(self.url), self.count(self.dead)), ((0, 0, 0), (3, 0, 0)))
        got = self.receive(self.dead, 5)
        self.assertEqual({m["Body"]: m["MessageId"] for m in got}, ids)
        self.assertEqual(got[0]["Attributes"]["DeadLetterQueueSourceArn"], ARN + "q")
        self.kept.advance("6s")
        self.kept.restart()
        # Back to where they came from, which the task must know of each; as new ones.
        self.json("StartMessageMoveTask", SourceArn=ARN + "dead")
        livelib.wait_for(lambda: self.count(self.url)[0] == 3, 10, "moved back")
        self.kept.restart()
        self.assertEqual(sorted(m["Body"] for m in self.receive(self.url)), sorted(ids))

    def test_task_goes_on(self):
        ids = self.bury(12)
        self.json("StartMessageMoveTask", SourceArn=ARN + "dead",
                  MaxNumberOfMessagesPerSecond=4)
        livelib.wait_for(lambda: self.count(self.url)[0] > 1, 10, "the task begins")
        self.kept.restart()
        task = self.json("ListMessageMoveTasks", SourceArn=ARN + "dead")["Results"][0]
        self.assertEqual(task["Status"], "RUNNING")
        self.assertEqual(task["ApproximateNumberOfMessagesToMove"], 12)
        self.assertEqual(task["MaxNumberOfMessagesPerSecond"], 4)
        livelib.wait_for(lambda: self.count(self.url)[0] == 12, 10, "the task goes on")
        self.assertEqual(sorted(m["Body"] for m in self.receive(self.url)), sorted(ids))
        livelib.wait_for(lambda: self.json("ListMessageMoveTasks", SourceArn=ARN + "dead")
                         ["Results"][0]["Status"] == "COMPLETED", 10, "the task ends")
        self.kept.restart()
        task = self.json("ListMessageMoveTasks", SourceArn=ARN + "dead")["Results"][0]
        self.assertEqual(task["ApproximateNumberOfMessagesMoved"], 12)

    def test_task_is_cancelled(self):
        self.bury(12)
        handle = self.json("StartMessageMoveTask", SourceArn=ARN + "dead",
                           MaxNumberOfMessagesPerSecond=1)["TaskHandle"]
        self.kept.restart()
        moved = self.json("CancelMessageMoveTask", TaskHandle=handle)
        self.assertLess(moved["ApproximateNumberOfMessagesMoved"], 12)
        self.kept.restart()
        time.sleep(1.2)
        self.assertGreater(self.count(self.dead)[0], 8)
        task = self.json("ListMessageMoveTasks", SourceArn=ARN + "dead")["Results"][0]
        self.assertEqual(task["Status"], "CANCELLED")


class Fifo(Keeping):
    def setUp(self):
        super().setUp()
        self.url = self.queue("f.fifo", FifoQueue="true")

    def send(self, body, group, dedup=None):
        return self.sqs.send_message(QueueUrl=self.url, MessageBody=body, MessageGroupId=group,
                                     MessageDeduplicationId=dedup or body)

    def test_deduplication(self):
        first = {b: self.send(b, "g") for b in "abc"}
        for message in self.receive(self.url)[:2]:  # a and b
            self.sqs.delete_message(QueueUrl=self.url, ReceiptHandle=message["ReceiptHandle"])
        self.kept.restart()
        for body in "abc":
            again = self.send(body, "g")
            self.assertEqual((again["MessageId"], again["SequenceNumber"]),
                             (first[body]["MessageId"], first[body]["SequenceNumber"]), body)
        self.kept.advance("601s")
        self.assertEqual([m["Body"] for m in self.receive(self.url)], ["c"])
        # The window is over: the same ids are new messages.
        self.assertNotEqual(self.send("a", "g")["MessageId"], first["a"]["MessageId"])

    def test_sequence_and_order(self):
        numbers = [int(self.send("%s%d" % (g, i), g)["SequenceNumber"])
                   for i in range(5) for g in "xy"]
        got = self.sqs.receive_message(QueueUrl=self.url, MaxNumberOfMessages=1,
                                       VisibilityTimeout=600)["Messages"][0]
        self.assertEqual(got["Body"], "x0")
        self.kept.restart()
        numbers += [int(self.send("%s5" % g, g)["SequenceNumber"]) for g in "xy"]
        self.assertEqual(numbers, sorted(set(numbers)))
        # x waits for x0; y does not.
        self.assertEqual([m["Body"] for m in self.receive(self.url)],
                         ["y%d" % i for i in range(6)])
        self.kept.restart()
        self.sqs.delete_message(QueueUrl=self.url, ReceiptHandle=got["ReceiptHandle"])
        self.assertEqual([m["Body"] for m in self.receive(self.url)],
                         ["x%d" % i for i in range(1, 6)])

    def test_windows_of_groups(self):
        self.url = self.queue("h.fifo", FifoQueue="true", DeduplicationScope="messageGroup",
                              FifoThroughputLimit="perMessageGroupId")
        one, two = self.send("1", "g", "d"), self.send("2", "h", "d")
        self.assertNotEqual(one["MessageId"], two["MessageId"])
        for message in self.receive(self.url):
            self.sqs.delete_message(QueueUrl=self.url, ReceiptHandle=message["ReceiptHandle"])
        self.kept.restart()
        self.assertEqual(self.send("3", "g", "d")["MessageId"], one["MessageId"])
        self.assertEqual(self.send("4", "h", "d")["MessageId"], two["MessageId"])
        self.assertNotEqual(self.send("5", "i", "d")["MessageId"], two["MessageId"])


class SimpleDb(Keeping):
    def test_rows(self):
        self.sdb.create_domain(DomainName="dom")
        self.sdb.create_domain(DomainName="gone")
        many = [{"Name": "a%d" % i, "Value": "v%d" % k} for i in range(16) for k in range(16)]
        put = self.sdb.put_attributes
        put(DomainName="dom", ItemName="many", Attributes=many)
        put(DomainName="dom", ItemName="ü \x01", Attributes=[
            {"Name": "n", "Value": v} for v in ("", "&<\x01>", "ü", "x" * 1024)])
        put(DomainName="dom", ItemName="part", Attributes=[
            {"Name": "n", "Value": v} for v in ("1", "2", "3")])
        self.sdb.delete_attributes(DomainName="dom", ItemName="part",
                                   Attributes=[{"Name": "n", "Value": "2"}])
        put(DomainName="dom", ItemName="gone", Attributes=[{"Name": "n", "Value": "1"}])
        self.sdb.delete_attributes(DomainName="dom", ItemName="gone")
        put(DomainName="gone", ItemName="i", Attributes=[{"Name": "n", "Value": "1"}])
        self.sdb.delete_domain(DomainName="gone")

        def told():
            got = self.sdb.select(SelectExpression="select * from dom", ConsistentRead=True)
            rows = {i["Name"]: sorted((a["Name"], a["Value"]) for a in i["Attributes"])
                    for i in got["Items"]}
            meta = self.sdb.domain_metadata(DomainName="dom")
            return rows, {k: v for k, v in meta.items() if k.endswith(("Count", "Bytes"))}
        before = told()
        self.assertEqual((len(before[0]), len(before[0]["many"])), (3, 256))
        self.kept.restart()
        self.assertEqual(told(), before)
        self.assertEqual(self.sdb.list_domains()["DomainNames"], ["dom"])
        put(DomainName="dom", ItemName="part", Expected={"Name": "m", "Exists": False},
            Attributes=[{"Name": "m", "Value": "1"}])
        with self.assertRaisesRegex(Exception, "ConditionalCheckFailed"):
            put(DomainName="dom", ItemName="part", Expected={"Name": "m", "Value": "2"},
                Attributes=[{"Name": "m", "Value": "1"}])


class Ec2(Keeping):
    def boxes(self):
        got = self.ec2.describe_instances()
        return {i["InstanceId"]: (r["ReservationId"], i) for r in got["Reservations"]
                for i in r["Instances"]}

    def run_box(self, **more):
        return self.ec2.run_instances(
            **{**dict(ImageId="ami-0123456789abcdef0", InstanceType="c7g.large", MinCount=1,
                      MaxCount=1), **more})["Instances"][0]["InstanceId"]

    def test_boxes(self):
        plain = self.run_box(KeyName="k", UserData="\x00ü\n", ClientToken="token")
        spot = self.run_box(InstanceMarketOptions={"MarketType": "spot"})
        ended = self.run_box()
        self.ec2.create_tags(Resources=[plain, spot], Tags=[
            {"Key": "k%d" % i, "Value": "v&ü"} for i in range(5)])
        self.ec2.delete_tags(Resources=[plain], Tags=[{"Key": "k1"}, {"Key": "k2"}])
        self.kept.advance("10m")
        self.ec2.terminate_instances(InstanceIds=[ended])
        self.kept.advance("10m")
        before = self.boxes()
        self.assertEqual([before[b][1]["State"]["Name"] for b in (plain, spot, ended)],
                         ["running", "running", "terminated"])
        self.assertEqual(len(before[plain][1]["Tags"]), 3)
        self.assertEqual(before[spot][1]["InstanceLifecycle"], "spot")
        self.kept.restart()
        self.assertEqual(self.boxes(), before)
        # The token still means that launch; with other parameters it is refused.
        again = dict(KeyName="k", UserData="\x00ü\n", ClientToken="token")
        self.assertEqual(self.run_box(**again), plain)
        with self.assertRaisesRegex(Exception, "IdempotentParameterMismatch"):
            self.run_box(**{**again, "InstanceType": "c7g.xlarge"})
        self.assertNotIn(self.run_box(), before)
        tags = self.ec2.describe_tags(Filters=[{"Name": "resource-id", "Values": [spot]}])
        self.assertEqual([t["Key"] for t in tags["Tags"]], ["k%d" % i for i in range(5)])


class Files(unittest.TestCase):
    """What is not a state file, or no longer one."""

    def setUp(self):
        self.dir = tempfile.mkdtemp(prefix="jobq-state-")
        self.file = self.dir + "/state"

    def tearDown(self):
        shutil.rmtree(self.dir)

    def refused(self, text, code=2, file=None):
        file = file or self.file
        done = subprocess.run([livelib.MOCK, "--port", "0", "--state", file],
                              capture_output=True, text=True, timeout=20)
        self.assertEqual(done.returncode, code, done.stderr)
        self.assertIn(file, done.stderr)
        self.assertIn(text, done.stderr)
        self.assertEqual((done.stderr.count("\n"), done.stdout), (1, ""))

    def left_alone(self, text, code=2):
        def told():
            with open(self.file, "rb") as file:
                return hashlib.sha256(file.read()).digest(), sorted(os.listdir(self.dir))
        before = told()
        self.refused(text, code)
        self.assertEqual(told(), before)

    def test_text(self):
        with open(self.file, "w") as file:
            file.write("my notes, which I want to keep\n" * 100)
        self.left_alone("not a database")

    def test_database_of_another(self):
        with sqlite3.connect(self.file) as other:
            other.execute("CREATE TABLE meta(key, value)")
            other.execute("INSERT INTO meta VALUES('bookmark', 1)")
        other.close()
        self.left_alone("not a state file of jobqmock")

    def test_places(self):
        self.refused("unable to open", 1, self.dir)
        self.refused("unable to open", 1, self.dir + "/none/state")

    def made(self):
        kept = Kept()
        sqs = kept.client("sqs")
        url = sqs.create_queue(QueueName="q")["QueueUrl"]
        for i in range(200):
            sqs.send_message(QueueUrl=url, MessageBody="m%d" % i)
        kept.client("sdb").create_domain(DomainName="dom")
        kept.proc.terminate()
        kept.proc.wait()
        kept.proc.stdout.close()
        shutil.copy(kept.file, self.file)
        shutil.rmtree(kept.dir)

    def test_cut_off(self):
        self.made()
        os.truncate(self.file, os.path.getsize(self.file) // 2 // 4096 * 4096)
        self.left_alone("malformed", 1)

    def test_of_another_version(self):
        self.made()
        with sqlite3.connect(self.file) as mine:
            mine.execute("PRAGMA user_version=99")
        mine.close()
        self.left_alone("of version 99")

    def test_changed_bytes(self):
        """Whatever a bad disk does: it starts, or says why it does not, and never crashes."""
        self.made()
        with open(self.file, "rb") as file:
            good = file.read()
        for seed in range(60):
            draw, bad = random.Random(seed), bytearray(good)
            for _ in range(draw.choice((1, 10, 1000))):
                bad[draw.randrange(len(bad))] = draw.randrange(256)
            with open(self.file, "wb") as file:
                file.write(bad)
            proc = subprocess.Popen([livelib.MOCK, "--port", "0", "--state", self.file],
                                    stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
            line = proc.stdout.readline()
            if line:
                proc.terminate()
            text = proc.communicate(timeout=20)[1]
            self.assertEqual(proc.returncode in (1, 2) or proc.returncode == 0 and line != "",
                             True, (seed, proc.returncode, text))
            self.assertEqual(proc.returncode == 0, text == "", (seed, text))


if __name__ == "__main__":
    unittest.main()
