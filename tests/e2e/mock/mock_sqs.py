"""SQS of jobqmock as boto3 sees it: every action, its errors and its limits, in both
protocols. Sums are computed here from the service's documentation. Texts are those that AWS
gave (localstack's snapshots of AWS, its API reference)."""
import hashlib
import json
import time
import unittest

from mocklib import ACCOUNT, attributes_md5, md5
from sqslib import SqsCase, both


class Queues(SqsCase):
    def test_made_and_found(self):
        name = self.name()
        url = self.sqs.create_queue(QueueName=name)["QueueUrl"]
        self.assertEqual(url, "%s/%s/%s" % (self.mock.url, ACCOUNT, name))
        self.assertEqual(self.sqs.get_queue_url(QueueName=name)["QueueUrl"], url)
        self.assertEqual(self.sqs.create_queue(QueueName=name)["QueueUrl"], url)
        self.assertEqual(self.arn(url), "arn:aws:sqs:us-east-1:%s:%s" % (ACCOUNT, name))
        self.fails("QueueAlreadyExists", self.sqs.create_queue, QueueName=name,
                   Attributes={"VisibilityTimeout": "31"},
                   text="already exists with the same name and a different value")
        self.fails("AWS.SimpleQueueService.NonExistentQueue", self.sqs.get_queue_url,
                   QueueName="never-made", text="does not exist")
        self.fails("AWS.SimpleQueueService.NonExistentQueue", self.sqs.get_queue_url,
                   QueueName=name, QueueOwnerAWSAccountId="999999999999")
        self.fails("MissingParameter", self.sqs.create_queue)

    def test_names(self):
        for bad in ("a b", "", "x" * 81, "a.b", ".fifo", "ü", "a/b"):
            self.fails("InvalidParameterValue", self.sqs.create_queue, QueueName=bad)
        self.sqs.create_queue(QueueName="A_b-9" + "x" * 75)

    def test_regions_are_apart(self):
        name = self.name()
        self.sqs.create_queue(QueueName=name)
        other = self.client("sqs", region="eu-west-1")
        self.fails("AWS.SimpleQueueService.NonExistentQueue", other.get_queue_url,
                   QueueName=name)
        url = other.create_queue(QueueName=name)["QueueUrl"]
        arn = other.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])
        self.assertIn(":eu-west-1:", arn["Attributes"]["QueueArn"])

    def test_defaults(self):
        url = self.queue()
        got = self.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
        wanted = {"VisibilityTimeout": "30", "DelaySeconds": "0",
                  "MaximumMessageSize": "1048576", "MessageRetentionPeriod": "345600",
                  "ReceiveMessageWaitTimeSeconds": "0", "SqsManagedSseEnabled": "true",
                  "ApproximateNumberOfMessages": "0",
                  "ApproximateNumberOfMessagesNotVisible": "0",
                  "ApproximateNumberOfMessagesDelayed": "0"}
        for name, value in wanted.items():
            self.assertEqual(got[name], value, name)
        self.assertLess(abs(int(got["CreatedTimestamp"]) - time.time()), 60 * 60 * 24 * 30)
        for absent in ("FifoQueue", "RedrivePolicy", "Policy", "DeduplicationScope"):
            self.assertNotIn(absent, got)
        none = self.sqs.get_queue_attributes(QueueUrl=url)
        self.assertNotIn("Attributes", none)
        self.fails("InvalidAttributeName", self.sqs.get_queue_attributes, QueueUrl=url,
                   AttributeNames=["Colour"], text="Unknown Attribute Colour")

    def test_attributes_and_limits(self):
        url = self.queue()
        limits = {"VisibilityTimeout": (0, 43200), "DelaySeconds": (0, 900),
                  "MaximumMessageSize": (1024, 1048576),
                  "MessageRetentionPeriod": (60, 1209600),
                  "ReceiveMessageWaitTimeSeconds": (0, 20)}
        for name, (low, high) in limits.items():
            for value in (low, high):
                self.sqs.set_queue_attributes(QueueUrl=url, Attributes={name: str(value)})
                self.assertEqual(self.attribute(url, name), str(value))
            for value in (low - 1, high + 1, "x", "", "1.5"):
                self.fails("InvalidAttributeValue", self.sqs.set_queue_attributes,
                           QueueUrl=url, Attributes={name: str(value)}, text=name)
            self.assertEqual(self.attribute(url, name), str(high))
        self.fails("InvalidAttributeName", self.sqs.set_queue_attributes, QueueUrl=url,
                   Attributes={"Colour": "red"})
        policy = json.dumps({"Version": "2012-10-17", "Statement": []})
        self.sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": policy})
        self.assertEqual(json.loads(self.attribute(url, "Policy")), json.loads(policy))

    def test_listed_in_pages(self):
        prefix = self.name("-page-")
        for i in range(25):
            self.sqs.create_queue(QueueName="%s%02d" % (prefix, i))
        got = self.sqs.list_queues(QueueNamePrefix=prefix)
        self.assertEqual(len(got["QueueUrls"]), 25)
        self.assertNotIn("NextToken", got)
        seen, token, pages = [], None, 0
        while True:
            more = {"NextToken": token} if token else {}
            page = self.sqs.list_queues(QueueNamePrefix=prefix, MaxResults=10, **more)
            seen += page["QueueUrls"]
            pages += 1
            token = page.get("NextToken")
            if not token:
                break
        self.assertEqual((len(set(seen)), pages), (25, 3))
        self.assertNotIn("QueueUrls", self.sqs.list_queues(QueueNamePrefix="none-such"))
        for bad in (0, 1001):
            self.fails("InvalidParameterValue", self.sqs.list_queues, MaxResults=bad)

    def test_deleted(self):
        url = self.queue()
        self.sqs.send_message(QueueUrl=url, MessageBody="x")
        self.sqs.delete_queue(QueueUrl=url)
        for call, args in ((self.sqs.send_message, {"MessageBody": "x"}),
                           (self.sqs.receive_message, {}), (self.sqs.delete_queue, {}),
                           (self.sqs.purge_queue, {}),
                           (self.sqs.get_queue_attributes, {"AttributeNames": ["All"]})):
            self.fails("AWS.SimpleQueueService.NonExistentQueue", call, QueueUrl=url,
                       text="does not exist for this wsdl version", **args)
        name = url.rsplit("/", 1)[1]
        self.fails("AWS.SimpleQueueService.QueueDeletedRecently", self.sqs.create_queue,
                   QueueName=name, text="60 seconds")
        self.advance("61s")
        self.sqs.create_queue(QueueName=name)
        self.assertEqual(self.receive(url), [])

    def test_purged(self):
        url = self.queue()
        self.sqs.send_message(QueueUrl=url, MessageBody="x")
        self.sqs.purge_queue(QueueUrl=url)
        self.assertEqual(self.receive(url), [])
        self.fails("AWS.SimpleQueueService.PurgeQueueInProgress", self.sqs.purge_queue,
                   status=403, QueueUrl=url)
        self.advance("61s")
        self.sqs.purge_queue(QueueUrl=url)

    def test_tags(self):
        url = self.sqs.create_queue(QueueName=self.name(), tags={"a": "1"})["QueueUrl"]
        self.sqs.tag_queue(QueueUrl=url, Tags={"b": "2", "ü": "ä"})
        self.assertEqual(self.sqs.list_queue_tags(QueueUrl=url)["Tags"],
                         {"a": "1", "b": "2", "ü": "ä"})
        self.sqs.tag_queue(QueueUrl=url, Tags={"a": "3"})
        self.sqs.untag_queue(QueueUrl=url, TagKeys=["b", "ü", "none"])
        self.assertEqual(self.sqs.list_queue_tags(QueueUrl=url)["Tags"], {"a": "3"})
        self.sqs.untag_queue(QueueUrl=url, TagKeys=["a"])
        self.assertNotIn("Tags", self.sqs.list_queue_tags(QueueUrl=url))
        self.sqs.tag_queue(QueueUrl=url, Tags={"k%d" % i: "v" for i in range(50)})
        self.fails("InvalidParameterValue", self.sqs.tag_queue, QueueUrl=url,
                   Tags={"one more": "v"})
        for bad in ({"k" * 129: "v"}, {"k": "v" * 257}):
            self.fails("InvalidParameterValue", self.sqs.tag_queue, QueueUrl=url, Tags=bad)

    def test_permissions(self):
        url = self.queue()
        add = dict(QueueUrl=url, Label="lab", AWSAccountIds=["111122223333"],
                   Actions=["SendMessage", "ReceiveMessage"])
        self.sqs.add_permission(**add)
        policy = json.loads(self.attribute(url, "Policy"))
        statement = policy["Statement"]
        statement = statement[0] if isinstance(statement, list) else statement
        self.assertEqual(statement["Sid"], "lab")
        self.assertEqual(statement["Effect"], "Allow")
        self.assertEqual(statement["Resource"], self.arn(url))
        self.assertEqual(statement["Action"], ["SQS:SendMessage", "SQS:ReceiveMessage"])
        self.fails("InvalidParameterValue", self.sqs.add_permission, **add)
        self.fails("InvalidParameterValue", self.sqs.add_permission,
                   **{**add, "Label": "b", "Actions": ["CreateQueue"]})
        self.fails("InvalidParameterValue", self.sqs.add_permission,
                   **{**add, "Label": "b", "AWSAccountIds": ["12"]})
        self.sqs.remove_permission(QueueUrl=url, Label="lab")
        self.fails("InvalidParameterValue", self.sqs.remove_permission, QueueUrl=url,
                   Label="lab")
        got = self.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["Policy"])
        self.assertNotIn("Attributes", got)


class Messages(SqsCase):
    def test_round_trip(self):
        url = self.queue()
        body = "grüße <&>\"'\r\n\t\U0001f600 ]]>"
        sent = self.sqs.send_message(QueueUrl=url, MessageBody=body)
        self.assertEqual(sent["MD5OfMessageBody"], md5(body))
        self.assertNotIn("MD5OfMessageAttributes", sent)
        self.assertNotIn("SequenceNumber", sent)
        [got] = self.receive(url, AttributeNames=["All"])
        self.assertEqual(got["Body"], body)
        self.assertEqual(got["MD5OfBody"], md5(body))
        self.assertEqual(got["MessageId"], sent["MessageId"])
        a = got["Attributes"]
        self.assertEqual(a["ApproximateReceiveCount"], "1")
        self.assertEqual(len(a["SentTimestamp"]), 13)
        self.assertGreaterEqual(a["ApproximateFirstReceiveTimestamp"], a["SentTimestamp"])
        self.assertIn("SenderId", a)
        self.assertEqual(self.receive(url), [])
        self.sqs.delete_message(QueueUrl=url, ReceiptHandle=got["ReceiptHandle"])
        self.sqs.delete_message(QueueUrl=url, ReceiptHandle=got["ReceiptHandle"])
        self.advance("31s")
        self.assertEqual(self.receive(url), [])

    def test_attributes(self):
        url = self.queue()
        attributes = {
            "k": {"DataType": "String", "StringValue": "v"},
            "a.b-c_9": {"DataType": "Number.int", "StringValue": "-1.5e3"},
            "bin": {"DataType": "Binary.gif", "BinaryValue": bytes(range(256))},
            "uni": {"DataType": "String", "StringValue": "ä\U0001f600"}}
        sent = self.sqs.send_message(QueueUrl=url, MessageBody="x",
                                     MessageAttributes=attributes)
        self.assertEqual(sent["MD5OfMessageAttributes"], attributes_md5(attributes))
        known = {"k": attributes["k"]}
        self.assertEqual(attributes_md5(known), "0a77b0642718c3d9dd47090567d11e0d")
        [got] = self.receive(url, MessageAttributeNames=["All"], VisibilityTimeout=0)
        self.assertEqual(got["MessageAttributes"], attributes)
        self.assertEqual(got["MD5OfMessageAttributes"], attributes_md5(attributes))
        [got] = self.receive(url, MessageAttributeNames=["k", "a.*", "none"],
                             VisibilityTimeout=0)
        self.assertEqual(set(got["MessageAttributes"]), {"k", "a.b-c_9"})
        self.assertEqual(got["MD5OfMessageAttributes"],
                         attributes_md5(got["MessageAttributes"]))
        [got] = self.receive(url, VisibilityTimeout=0)
        self.assertNotIn("MessageAttributes", got)
        self.assertNotIn("MD5OfMessageAttributes", got)

    def test_system_attributes(self):
        url = self.queue()
        trace = {"AWSTraceHeader": {"DataType": "String", "StringValue": "Root=1-2-3"}}
        sent = self.sqs.send_message(QueueUrl=url, MessageBody="x",
                                     MessageSystemAttributes=trace)
        self.assertEqual(sent["MD5OfMessageSystemAttributes"], attributes_md5(trace))
        [got] = self.receive(url, AttributeNames=["AWSTraceHeader"], VisibilityTimeout=0)
        self.assertEqual(got["Attributes"], {"AWSTraceHeader": "Root=1-2-3"})
        [got] = self.receive(url, AttributeNames=["SentTimestamp"], VisibilityTimeout=0)
        self.assertEqual(list(got["Attributes"]), ["SentTimestamp"])
        self.fails("InvalidParameterValue", self.sqs.send_message, QueueUrl=url,
                   MessageBody="x", MessageSystemAttributes={"Other": trace["AWSTraceHeader"]})

    def test_bad_attributes(self):
        url = self.queue()
        good = {"DataType": "String", "StringValue": "v"}
        bad = [{"AWS.x": good}, {"Amazon.x": good}, {"a b": good}, {".a": good},
               {"a.": good}, {"a..b": good}, {"n" * 257: good},
               {"a": {"DataType": "Strings", "StringValue": "v"}},
               {"a": {"DataType": "Text", "StringValue": "v"}},
               {"a": {"DataType": "Number", "StringValue": "one"}},
               {"a": {"DataType": "String", "StringValue": ""}},
               {"a": {"StringValue": "v"}},
               {"k%d" % i: good for i in range(11)}]
        for attributes in bad:
            self.fails("InvalidParameterValue", self.sqs.send_message, QueueUrl=url,
                       MessageBody="x", MessageAttributes=attributes)
        self.sqs.send_message(QueueUrl=url, MessageBody="x",
                              MessageAttributes={"k%d" % i: good for i in range(10)})

    def test_contents_and_sizes(self):
        url = self.queue()
        for bad in ("\x00", "a\x0bb", "\uffff"):
            self.fails("InvalidMessageContents", self.sqs.send_message, QueueUrl=url,
                       MessageBody=bad)
        for good in ("\t", "\ud7ff", "\ue000", "\ufffd", "\U0010ffff"):
            self.sqs.send_message(QueueUrl=url, MessageBody=good)
        self.fails("MissingParameter", self.sqs.send_message, QueueUrl=url, MessageBody="",
                   text="MessageBody")
        self.fails("MissingParameter", self.sqs.send_message, QueueUrl=url)
        self.sqs.send_message(QueueUrl=url, MessageBody="x" * 1048576)
        self.fails("InvalidParameterValue", self.sqs.send_message, QueueUrl=url,
                   MessageBody="x" * 1048577,
                   text="Message must be shorter than 1048576 bytes")
        self.fails("InvalidParameterValue", self.sqs.send_message, QueueUrl=url,
                   MessageBody="x" * (1048576 - 7),
                   MessageAttributes={"k": {"DataType": "String", "StringValue": "v"}})
        small = self.queue(MaximumMessageSize="1024")
        self.sqs.send_message(QueueUrl=small, MessageBody="ü" * 512)
        self.fails("InvalidParameterValue", self.sqs.send_message, QueueUrl=small,
                   MessageBody="x" * 1025, text="shorter than 1024 bytes")

    def test_delay(self):
        url = self.queue(DelaySeconds="60")
        self.sqs.send_message(QueueUrl=url, MessageBody="late")
        self.sqs.send_message(QueueUrl=url, MessageBody="now", DelaySeconds=0)
        self.assertEqual([m["Body"] for m in self.receive(url)], ["now"])
        self.assertEqual(self.attribute(url, "ApproximateNumberOfMessagesDelayed"), "1")
        self.advance("60s")
        self.assertEqual([m["Body"] for m in self.receive(url)][:1], ["late"])
        for bad in (-1, 901):
            self.fails("InvalidParameterValue", self.sqs.send_message, QueueUrl=url,
                       MessageBody="x", DelaySeconds=bad)

    def test_visibility(self):
        url = self.queue(VisibilityTimeout="100")
        self.sqs.send_message(QueueUrl=url, MessageBody="x")
        [first] = self.receive(url)
        self.assertEqual(self.attribute(url, "ApproximateNumberOfMessagesNotVisible"), "1")
        self.advance("99s")
        self.assertEqual(self.receive(url), [])
        self.sqs.change_message_visibility(QueueUrl=url, VisibilityTimeout=50,
                                           ReceiptHandle=first["ReceiptHandle"])
        self.advance("49s")
        self.assertEqual(self.receive(url), [])
        self.advance("2s")
        [again] = self.receive(url, AttributeNames=["ApproximateReceiveCount"])
        self.assertEqual(again["Attributes"]["ApproximateReceiveCount"], "2")
        self.assertNotEqual(again["ReceiptHandle"], first["ReceiptHandle"])
        self.sqs.delete_message(QueueUrl=url, ReceiptHandle=first["ReceiptHandle"])
        self.sqs.change_message_visibility(QueueUrl=url, VisibilityTimeout=0,
                                           ReceiptHandle=again["ReceiptHandle"])
        [third] = self.receive(url)
        self.sqs.delete_message(QueueUrl=url, ReceiptHandle=third["ReceiptHandle"])
        self.fails("InvalidParameterValue", self.sqs.change_message_visibility, QueueUrl=url,
                   VisibilityTimeout=10, ReceiptHandle=third["ReceiptHandle"])
        for bad in (-1, 43201):
            self.fails("InvalidParameterValue", self.sqs.change_message_visibility,
                       QueueUrl=url, VisibilityTimeout=bad,
                       ReceiptHandle=third["ReceiptHandle"])
        self.fails("ReceiptHandleIsInvalid", self.sqs.delete_message, QueueUrl=url,
                   ReceiptHandle="junk")
        self.fails("ReceiptHandleIsInvalid", self.sqs.change_message_visibility,
                   QueueUrl=url, VisibilityTimeout=1, ReceiptHandle="junk")

    def test_twelve_hours_in_all(self):
        url = self.queue()
        self.sqs.send_message(QueueUrl=url, MessageBody="x")
        [got] = self.receive(url, VisibilityTimeout=43200)
        self.advance("60s")
        self.fails("InvalidParameterValue", self.sqs.change_message_visibility, QueueUrl=url,
                   VisibilityTimeout=43200, ReceiptHandle=got["ReceiptHandle"],
                   text="Total VisibilityTimeout for the message is beyond the limit")

    def test_retention(self):
        url = self.queue(MessageRetentionPeriod="60")
        self.sqs.send_message(QueueUrl=url, MessageBody="x")
        self.advance("61s")
        self.assertEqual(self.receive(url), [])
        self.assertEqual(self.attribute(url, "ApproximateNumberOfMessages"), "0")

    def test_receive_parameters(self):
        url = self.queue()
        for bad in ({"MaxNumberOfMessages": 0}, {"MaxNumberOfMessages": 11},
                    {"WaitTimeSeconds": 21}, {"WaitTimeSeconds": -1},
                    {"VisibilityTimeout": -1}, {"VisibilityTimeout": 43201}):
            self.fails("InvalidParameterValue", self.sqs.receive_message, QueueUrl=url, **bad)
        for _ in range(3):
            self.sqs.send_message(QueueUrl=url, MessageBody="x")
        self.assertEqual(len(self.sqs.receive_message(QueueUrl=url)["Messages"]), 1)
        self.assertEqual(len(self.receive(url)), 2)
        self.assertNotIn("Messages", self.sqs.receive_message(QueueUrl=url))

    def test_long_poll(self):
        url = self.queue(ReceiveMessageWaitTimeSeconds="1")
        start = time.monotonic()
        self.assertEqual(self.sqs.receive_message(QueueUrl=url).get("Messages"), None)
        took = time.monotonic() - start
        self.assertTrue(0.9 < took < 3, took)
        start = time.monotonic()
        self.receive(url, wait=0)
        self.assertLess(time.monotonic() - start, 0.9)

    def test_batches(self):
        url = self.queue()
        entries = [{"Id": "i%d" % i, "MessageBody": "b%d" % i} for i in range(10)]
        entries[3]["MessageBody"] = "\x01"
        entries[4]["DelaySeconds"] = 901
        entries[5]["MessageAttributes"] = {"k": {"DataType": "String", "StringValue": "v"}}
        sent = self.sqs.send_message_batch(QueueUrl=url, Entries=entries)
        self.assertEqual(len(sent["Successful"]), 8)
        failed = {f["Id"]: f for f in sent["Failed"]}
        self.assertEqual(failed["i3"]["Code"], "InvalidMessageContents")
        self.assertEqual(failed["i4"]["Code"], "InvalidParameterValue")
        self.assertTrue(failed["i3"]["SenderFault"] and failed["i3"]["Message"])
        for one in sent["Successful"]:
            self.assertEqual(one["MD5OfMessageBody"], md5("b" + one["Id"][1:]))
            self.assertEqual("MD5OfMessageAttributes" in one, one["Id"] == "i5")
        got = self.receive(url)
        self.assertEqual(len(got), 8)
        changes = [{"Id": str(i), "ReceiptHandle": m["ReceiptHandle"], "VisibilityTimeout": 60}
                   for i, m in enumerate(got)]
        changes[0]["ReceiptHandle"] = "junk"
        changes[1]["VisibilityTimeout"] = 43201
        changed = self.sqs.change_message_visibility_batch(QueueUrl=url, Entries=changes)
        self.assertEqual({f["Id"]: f["Code"] for f in changed["Failed"]},
                         {"0": "ReceiptHandleIsInvalid", "1": "InvalidParameterValue"})
        self.assertEqual(len(changed["Successful"]), 6)
        deletes = [{"Id": str(i), "ReceiptHandle": m["ReceiptHandle"]}
                   for i, m in enumerate(got)]
        deletes[7]["ReceiptHandle"] = "junk"
        deleted = self.sqs.delete_message_batch(QueueUrl=url, Entries=deletes)
        self.assertEqual([f["Code"] for f in deleted["Failed"]], ["ReceiptHandleIsInvalid"])
        self.assertEqual(len(deleted["Successful"]), 7)
        deleted = self.sqs.delete_message_batch(
            QueueUrl=url, Entries=[{"Id": "7", "ReceiptHandle": got[7]["ReceiptHandle"]}])
        self.assertNotIn("Failed", deleted)

    def test_batch_errors(self):
        url, service = self.queue(), "AWS.SimpleQueueService."
        one = {"MessageBody": "x"}
        send = self.sqs.send_message_batch
        self.fails(service + "EmptyBatchRequest", send, QueueUrl=url, Entries=[])
        self.fails(service + "TooManyEntriesInBatchRequest", send, QueueUrl=url,
                   Entries=[{"Id": str(i), **one} for i in range(11)],
                   text="Maximum number of entries per request are 10")
        self.fails(service + "BatchEntryIdsNotDistinct", send, QueueUrl=url,
                   Entries=[{"Id": "a", **one}, {"Id": "a", **one}])
        for bad in ("a b", "x" * 81, ""):
            self.fails(service + "InvalidBatchEntryId", send, QueueUrl=url,
                       Entries=[{"Id": bad, **one}])
        self.fails(service + "BatchRequestTooLong", send, QueueUrl=url,
                   Entries=[{"Id": str(i), "MessageBody": "x" * 524289} for i in range(2)])
        self.assertEqual(self.receive(url), [])
        for call in (self.sqs.delete_message_batch,
                     self.sqs.change_message_visibility_batch):
            self.fails(service + "EmptyBatchRequest", call, QueueUrl=url, Entries=[])

    def test_group_on_standard_queue(self):
        url = self.queue()
        self.sqs.send_message(QueueUrl=url, MessageBody="x", MessageGroupId="tenant")
        [got] = self.receive(url, AttributeNames=["MessageGroupId"])
        self.assertEqual(got["Attributes"], {"MessageGroupId": "tenant"})
        self.fails("InvalidParameterValue", self.sqs.send_message, QueueUrl=url,
                   MessageBody="x", MessageGroupId="g" * 129)

    def test_fair_queue(self):
        url = self.queue()

        def send(group, count):
            for i in range(0, count, 10):
                self.sqs.send_message_batch(QueueUrl=url, Entries=[
                    {"Id": str(j), "MessageBody": group, **(
                        {"MessageGroupId": group} if group else {"MessageBody": "none"})}
                    for j in range(i, min(count, i + 10))])

        def bodies(count=10):
            return [m["Body"] for m in self.receive(url, count, wait=1)]

        send("noisy", 60)
        for _ in range(2):
            self.assertEqual(bodies(), ["noisy"] * 10)
        send("quiet", 1)
        self.assertEqual(bodies(), ["noisy"] * 10)  # 20 in flight were not yet noise
        send("other", 2)
        send("", 1)
        got = bodies()
        self.assertEqual(sorted(got[:4]), ["none", "other", "other", "quiet"])
        self.assertEqual(got[4:], ["noisy"] * 6)
        self.assertEqual(bodies(), ["noisy"] * 10)


class Fifo(SqsCase):
    def fifo(self, **attributes):
        return self.queue(".fifo", FifoQueue="true", **attributes)

    def send(self, url, body, group="g", dedup=None, **more):
        if dedup:
            more["MessageDeduplicationId"] = dedup
        return self.sqs.send_message(QueueUrl=url, MessageBody=body, MessageGroupId=group,
                                     **more)

    def test_made(self):
        url = self.fifo()
        got = self.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
        self.assertEqual(got["FifoQueue"], "true")
        self.assertEqual(got["ContentBasedDeduplication"], "false")
        self.assertEqual(got["DeduplicationScope"], "queue")
        self.assertEqual(got["FifoThroughputLimit"], "perQueue")
        self.fails("InvalidParameterValue", self.sqs.create_queue, QueueName="plain",
                   Attributes={"FifoQueue": "true"})
        self.fails("InvalidParameterValue", self.sqs.create_queue, QueueName="no.fifo")
        self.sqs.set_queue_attributes(QueueUrl=url, Attributes={
            "DeduplicationScope": "messageGroup", "FifoThroughputLimit": "perMessageGroupId"})
        self.assertEqual(self.attribute(url, "FifoThroughputLimit"), "perMessageGroupId")
        text = ("Invalid value for the parameter FifoThroughputLimit. Reason: To set "
                "FifoThroughputLimit to perMessageGroupId, the DeduplicationScope must be "
                "messageGroup.")
        limit = {"FifoThroughputLimit": "perMessageGroupId"}
        self.fails("InvalidAttributeValue", self.sqs.create_queue, text=text,
                   QueueName=self.name(".fifo"), Attributes={"FifoQueue": "true", **limit})
        for change in ({"DeduplicationScope": "queue"},
                       {"DeduplicationScope": "queue", **limit}):
            self.fails("InvalidAttributeValue", self.sqs.set_queue_attributes, text=text,
                       QueueUrl=url, Attributes=change)
        self.sqs.set_queue_attributes(QueueUrl=url, Attributes={
            "DeduplicationScope": "queue", "FifoThroughputLimit": "perQueue"})
        self.fails("InvalidAttributeValue", self.sqs.set_queue_attributes, text=text,
                   QueueUrl=url, Attributes=limit)
        self.sqs.set_queue_attributes(QueueUrl=url, Attributes={
            "DeduplicationScope": "messageGroup"})
        self.sqs.set_queue_attributes(QueueUrl=url, Attributes=limit)
        self.fails("InvalidAttributeValue", self.sqs.set_queue_attributes, QueueUrl=url,
                   Attributes={"DeduplicationScope": "planet"})

    def test_order_and_groups(self):
        url = self.fifo()
        numbers = []
        for i in range(6):
            sent = self.send(url, str(i), "ab"[i % 2], "d%d" % i)
            numbers.append(sent["SequenceNumber"])
        self.assertEqual(numbers, sorted(numbers))
        self.assertEqual({len(n) for n in numbers}, {20})
        first = self.receive(url, 1, AttributeNames=["All"])
        self.assertEqual(first[0]["Body"], "0")
        a = first[0]["Attributes"]
        self.assertEqual((a["MessageGroupId"], a["MessageDeduplicationId"],
                          a["SequenceNumber"]), ("a", "d0", numbers[0]))
        self.assertEqual([m["Body"] for m in self.receive(url)], ["1", "3", "5"])
        self.assertEqual(self.receive(url), [])
        self.sqs.delete_message(QueueUrl=url, ReceiptHandle=first[0]["ReceiptHandle"])
        self.assertEqual([m["Body"] for m in self.receive(url)], ["2", "4"])

    def test_deduplication(self):
        url = self.fifo()
        first = self.send(url, "one", dedup="d")
        again = self.send(url, "other", dedup="d")
        self.assertEqual(again["MessageId"], first["MessageId"])
        self.assertEqual(again["SequenceNumber"], first["SequenceNumber"])
        [got] = self.receive(url)
        self.sqs.delete_message(QueueUrl=url, ReceiptHandle=got["ReceiptHandle"])
        self.send(url, "still swallowed", dedup="d")
        self.assertEqual(self.receive(url), [])
        self.advance("301s")
        self.send(url, "new", dedup="d")
        self.assertEqual([m["Body"] for m in self.receive(url)], ["new"])

    def test_content_based(self):
        url = self.fifo(ContentBasedDeduplication="true")
        first = self.send(url, "same")
        self.assertEqual(self.send(url, "same")["MessageId"], first["MessageId"])
        self.assertNotEqual(self.send(url, "other")["MessageId"], first["MessageId"])
        got = self.receive(url, AttributeNames=["MessageDeduplicationId"])
        self.assertEqual(got[0]["Attributes"]["MessageDeduplicationId"],
                         hashlib.sha256(b"same").hexdigest())

    def test_scope_of_group(self):
        url = self.fifo(DeduplicationScope="messageGroup",
                        FifoThroughputLimit="perMessageGroupId")
        a = self.send(url, "x", "a", "d")
        b = self.send(url, "x", "b", "d")
        self.assertNotEqual(a["MessageId"], b["MessageId"])

    def test_errors(self):
        url = self.fifo()
        self.fails("MissingParameter", self.sqs.send_message, QueueUrl=url, MessageBody="x",
                   MessageDeduplicationId="d", text="MessageGroupId")
        self.fails("InvalidParameterValue", self.sqs.send_message, QueueUrl=url,
                   MessageBody="x", MessageGroupId="g",
                   text="ContentBasedDeduplication enabled or MessageDeduplicationId")
        self.fails("InvalidParameterValue", self.send, url=url, body="x", dedup="d",
                   DelaySeconds=1)
        self.fails("InvalidParameterValue", self.send, url=url, body="x", dedup="d e")
        self.fails("InvalidParameterValue", self.send, url=url, body="x", dedup="d" * 129)
        standard = self.queue()
        self.fails("InvalidParameterValue", self.sqs.send_message, QueueUrl=standard,
                   MessageBody="x", MessageDeduplicationId="d")

    def test_expired_receipt(self):
        url = self.fifo()
        self.send(url, "x", dedup="d")
        [got] = self.receive(url, VisibilityTimeout=10)
        self.advance("11s")
        self.fails("InvalidParameterValue", self.sqs.delete_message, QueueUrl=url,
                   ReceiptHandle=got["ReceiptHandle"], text="receipt handle has expired")

    def test_batch(self):
        url = self.fifo()
        entries = [{"Id": str(i), "MessageBody": str(i), "MessageGroupId": "g",
                    "MessageDeduplicationId": "d%d" % (i % 8)} for i in range(10)]
        sent = self.sqs.send_message_batch(QueueUrl=url, Entries=entries)
        ids = {s["Id"]: s["MessageId"] for s in sent["Successful"]}
        self.assertEqual(ids["8"], ids["0"])
        self.assertEqual([m["Body"] for m in self.receive(url)], [str(i) for i in range(8)])


class DeadLetters(SqsCase):
    def pair(self, receives=2):
        dead = self.queue()
        policy = json.dumps({"deadLetterTargetArn": self.arn(dead),
                             "maxReceiveCount": receives})
        return self.queue(RedrivePolicy=policy), dead

    def test_redrive(self):
        url, dead = self.pair()
        self.sqs.send_message(QueueUrl=url, MessageBody="x")
        for _ in range(2):
            self.assertEqual(len(self.receive(url, VisibilityTimeout=0)), 1)
        self.assertEqual(self.receive(url), [])
        [got] = self.receive(dead, AttributeNames=["All"])
        self.assertEqual(got["Body"], "x")
        self.assertEqual(got["Attributes"]["DeadLetterQueueSourceArn"], self.arn(url))
        policy = json.loads(self.attribute(url, "RedrivePolicy"))
        self.assertEqual(policy, {"deadLetterTargetArn": self.arn(dead),
                                  "maxReceiveCount": 2})
        found = self.sqs.list_dead_letter_source_queues(QueueUrl=dead)
        self.assertEqual(found["queueUrls"], [url])
        self.assertEqual(self.sqs.list_dead_letter_source_queues(QueueUrl=url)
                         .get("queueUrls", []), [])
        self.sqs.set_queue_attributes(QueueUrl=url, Attributes={"RedrivePolicy": ""})
        self.assertEqual(self.sqs.list_dead_letter_source_queues(QueueUrl=dead)
                         .get("queueUrls", []), [])

    def test_bad_policies(self):
        url, dead = self.queue(), self.queue()
        fifo = self.queue(".fifo", FifoQueue="true")
        arn = self.arn(dead)
        for bad in ("x", {"deadLetterTargetArn": arn}, {"maxReceiveCount": 1},
                    {"deadLetterTargetArn": arn, "maxReceiveCount": 0},
                    {"deadLetterTargetArn": arn, "maxReceiveCount": 1001},
                    {"deadLetterTargetArn": arn + "none", "maxReceiveCount": 1},
                    {"deadLetterTargetArn": self.arn(fifo), "maxReceiveCount": 1}):
            value = bad if isinstance(bad, str) else json.dumps(bad)
            self.fails("InvalidParameterValue", self.sqs.set_queue_attributes, QueueUrl=url,
                       Attributes={"RedrivePolicy": value})

    def test_policy_texts(self):
        """As AWS says it, two full stops included."""
        url, fifo = self.queue(), self.queue(".fifo", FifoQueue="true")
        arn = self.arn(url)
        for target, count, reason in (
                (arn + "none", 1, "Dead letter target does not exist."),
                (self.arn(fifo), 1, "Dead-letter queue must be same type of queue as the "
                                    "source.."),
                (arn, -36, "Invalid value for maxReceiveCount: -36, valid values are from 1 "
                           "to 1000 both inclusive.")):
            policy = '{"deadLetterTargetArn":"%s","maxReceiveCount":%d}' % (target, count)
            self.fails("InvalidParameterValue", self.sqs.set_queue_attributes, QueueUrl=url,
                       Attributes={"RedrivePolicy": policy}, text="Value %s for parameter "
                       "RedrivePolicy is invalid. Reason: %s" % (policy, reason))

    def test_allow_policy(self):
        dead = self.queue()
        self.sqs.set_queue_attributes(QueueUrl=dead, Attributes={
            "RedriveAllowPolicy": json.dumps({"redrivePermission": "denyAll"})})
        self.assertEqual(json.loads(self.attribute(dead, "RedriveAllowPolicy")),
                         {"redrivePermission": "denyAll"})
        policy = json.dumps({"deadLetterTargetArn": self.arn(dead), "maxReceiveCount": 1})
        self.fails("InvalidParameterValue", self.sqs.create_queue, QueueName=self.name(),
                   Attributes={"RedrivePolicy": policy})


both(globals(), Queues, Messages, Fifo, DeadLetters)

if __name__ == "__main__":
    unittest.main()
