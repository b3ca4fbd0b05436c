"""What jobqmock answers to requests as AWS's own samples and older clients write them: lists
without numbers, JSON in reply to Query, API versions of other years, targets of other
services; texts of errors word by word; ids of one run and the next."""
import json
import re
import unittest
import urllib.parse

import livelib
from mocklib import ACCOUNT, MockCase
from sqslib import SqsCase, both


class Query(MockCase):
    def ask(self, version, path="/", accept=None, **params):
        """(status, content type, body) of one Query request; "__" in a name is its dot."""
        pairs = [("Version", version)] if version else []
        pairs += [(k.replace("__", "."), v) for k, v in params.items()]
        headers = {"Content_Type": "application/x-www-form-urlencoded"}
        if accept:
            headers["Accept"] = accept
        status, head, body = self.http(path, "POST", urllib.parse.urlencode(pairs).encode(),
                                       **headers)
        return status, head["Content-Type"], body

    def sqs(self, path="/", **params):
        status, _, body = self.ask("2012-11-05", path, **params)
        self.assertEqual(status, 200, body)
        return body

    def queue(self):
        name = self.name()
        self.sqs(Action="CreateQueue", QueueName=name)
        return "/%s/%s" % (ACCOUNT, name)


class Lists(Query):
    def test_sqs(self):
        path = self.queue()
        self.sqs(path, Action="SetQueueAttributes", Attribute__Name="VisibilityTimeout",
                 Attribute__Value="77")
        body = self.sqs(path, Action="GetQueueAttributes", AttributeName="VisibilityTimeout")
        self.assertIn("<Value>77</Value>", body)
        self.assertEqual(body.count("<Attribute>"), 1)
        body = self.sqs(path, Action="GetQueueAttributes", AttributeName="All")
        self.assertGreater(body.count("<Attribute>"), 10)
        # One with a number and one without are two; an empty text alone is the empty list.
        body = self.sqs(path, Action="GetQueueAttributes", AttributeName__1="DelaySeconds",
                        AttributeName="VisibilityTimeout")
        self.assertEqual(body.count("<Attribute>"), 2)
        body = self.sqs(path, Action="GetQueueAttributes", AttributeName="")
        self.assertNotIn("<Attribute>", body)
        self.sqs(path, Action="TagQueue", Tag__Key="k", Tag__Value="v")
        self.assertIn("<Key>k</Key><Value>v</Value>", self.sqs(path, Action="ListQueueTags"))
        self.sqs(path, Action="UntagQueue", TagKey="k")
        self.assertNotIn("<Key>", self.sqs(path, Action="ListQueueTags"))
        self.sqs(path, Action="SendMessage", MessageBody="b", MessageAttribute__Name="m",
                 MessageAttribute__Value__DataType="String",
                 MessageAttribute__Value__StringValue="s")
        body = self.sqs(path, Action="ReceiveMessage", MessageAttributeName="All",
                        AttributeName="ApproximateReceiveCount", VisibilityTimeout="0")
        self.assertIn("<StringValue>s</StringValue>", body)
        self.assertIn("<Name>ApproximateReceiveCount</Name><Value>1</Value>", body)
        self.sqs(path, Action="SendMessageBatch", SendMessageBatchRequestEntry__Id="1",
                 SendMessageBatchRequestEntry__MessageBody="c")
        self.sqs(path, Action="AddPermission", Label="l", AWSAccountId=ACCOUNT, ActionName="*")
        self.sqs(Action="CreateQueue", QueueName=self.name(), Attribute__Name="DelaySeconds",
                 Attribute__Value="3", Tag__Key="a", Tag__Value="b")
        for action, params in (("GetQueueAttributes", {"AttributeName": "Colour"}),
                               ("ReceiveMessage", {"AttributeName": "Colour"}),
                               ("ReceiveMessage", {"MessageSystemAttributeName": "Colour"}),
                               ("SetQueueAttributes", {"Attribute__Name": "Colour",
                                                       "Attribute__Value": "1"})):
            status, _, body = self.ask("2012-11-05", path, Action=action, **params)
            self.assertEqual(status, 400, action)
            self.assertIn("<Code>InvalidAttributeName</Code><Message>Unknown Attribute Colour."
                          "</Message>", body)

    def test_simpledb(self):
        domain = self.name("domain")
        sdb = lambda **params: self.ask("2009-04-15", DomainName=domain, **params)
        sdb(Action="CreateDomain")
        put = {"Action": "PutAttributes", "ItemName": "i", "Attribute__Name": "a"}
        self.assertEqual(sdb(Attribute__Value="1", **put)[0], 200)
        self.assertEqual(sdb(Attribute__Value="2", Attribute__Replace="true", Expected__Name="a",
                             Expected__Value="1", **put)[0], 200)
        self.assertEqual(sdb(Attribute__Value="3", Expected__1__Name="a",
                             Expected__1__Value="1", **put)[0], 409)
        self.assertEqual(sdb(Action="BatchPutAttributes", Item__ItemName="j",
                             Item__Attribute__Name="b", Item__Attribute__Value="x")[0], 200)
        body = sdb(Action="GetAttributes", ItemName="i", AttributeName="a",
                   ConsistentRead="true")[2]
        self.assertIn("<Name>a</Name><Value>2</Value>", body)
        self.assertEqual(sdb(Action="GetAttributes", ItemName="i", AttributeName="b")[2]
                         .count("<Attribute>"), 0)

    def test_ec2(self):
        ec2 = lambda **params: self.ask("2016-11-15", **params)[2]
        made = re.findall("<instanceId>(.*?)</instanceId>", ec2(
            Action="RunInstances", ImageId="ami-12345678", InstanceType="t3.micro", MinCount="2",
            MaxCount="2", TagSpecification__ResourceType="instance",
            TagSpecification__Tag__Key="k", TagSpecification__Tag__Value="v"))
        self.assertEqual(len(made), 2)
        one = ec2(Action="DescribeInstances", InstanceId=made[0])
        self.assertEqual(re.findall("<instanceId>(.*?)</instanceId>", one), made[:1])
        self.assertIn("<key>k</key><value>v</value>", one)
        ec2(Action="CreateTags", ResourceId=made[1], Tag__Key="q", Tag__Value="w")
        found = ec2(Action="DescribeInstances", Filter__Name="tag:q", Filter__Value="w")
        self.assertEqual(re.findall("<instanceId>(.*?)</instanceId>", found), made[1:])
        gone = ec2(Action="TerminateInstances", InstanceId=made[0])
        self.assertIn(made[0], gone)


class Json(Query):
    def test_queries_in_json(self):
        """As API Gateway asks SQS: Query, and "Accept: application/json"."""
        path = self.queue()

        def ask(**params):
            status, kind, body = self.ask("2012-11-05", path, "application/json", **params)
            self.assertEqual(kind, "application/json")
            return status, json.loads(body)

        status, sent = ask(Action="SendMessage", MessageBody='say "hi"',
                           MessageAttribute__1__Name="m",
                           MessageAttribute__1__Value__DataType="String",
                           MessageAttribute__1__Value__StringValue="s")
        self.assertEqual(status, 200)
        one = sent["SendMessageResponse"]
        self.assertRegex(one["ResponseMetadata"]["RequestId"], "^[0-9a-f-]{36}$")
        got = ask(Action="ReceiveMessage", AttributeName="All", MessageAttributeName="All")[1]
        message = got["ReceiveMessageResponse"]["ReceiveMessageResult"]["messages"][0]
        self.assertEqual(message["MessageId"], one["SendMessageResult"]["MessageId"])
        self.assertEqual(message["Body"], 'say "hi"')
        self.assertIn({"Name": "ApproximateReceiveCount", "Value": "1"}, message["Attributes"])
        self.assertEqual(message["MessageAttributes"], [
            {"Name": "m", "Value": {"StringValue": "s", "DataType": "String"}}])
        none = ask(Action="ReceiveMessage", WaitTimeSeconds="1")[1]
        self.assertIsNone(none["ReceiveMessageResponse"]["ReceiveMessageResult"]["messages"])
        attributes = ask(Action="GetQueueAttributes", AttributeName="DelaySeconds")[1]
        self.assertEqual(attributes["GetQueueAttributesResponse"]["GetQueueAttributesResult"],
                         {"Attributes": [{"Name": "DelaySeconds", "Value": "0"}]})
        status, gone = ask(Action="DeleteMessage", ReceiptHandle=message["ReceiptHandle"])
        self.assertEqual((status, list(gone["DeleteMessageResponse"])),
                         (200, ["ResponseMetadata"]))
        status, bad = ask(Action="DeleteMessage", ReceiptHandle="junk")
        self.assertEqual((status, bad["Error"]["Code"], bad["Error"]["Type"]),
                         (400, "ReceiptHandleIsInvalid", "Sender"))
        listed = json.loads(self.ask("2012-11-05", "/", "application/json",
                                     Action="ListQueues")[2])
        self.assertTrue(listed["ListQueuesResponse"]["ListQueuesResult"]["queueUrls"][0]
                        .startswith("http"))

    def test_targets_of_other_services(self):
        for kind in ("application/x-amz-json-1.0", "application/x-amz-json-1.1"):
            status, head, body = self.http("/", "POST", b"{}", Content_Type=kind,
                                           X_Amz_Target="Kinesis_20131202.ListStreams")
            self.assertEqual((status, head["Content-Type"]), (400, kind))
            self.assertIn("UnknownOperationException", json.loads(body)["__type"])

    def test_versions_of_ec2(self):
        for version in ("2014-10-01", "2010-08-31", "2016-11-15"):
            _, _, body = self.ask(version, Action="DescribeInstances")
            self.assertIn('xmlns="http://ec2.amazonaws.com/doc/%s/"' % version, body)
            status, _, body = self.ask(version, Action="DescribeVolumes")
            self.assertEqual(status, 400)
            self.assertRegex(body, "<Response><Errors><Error><Code>InvalidAction</Code>.*"
                                   "<RequestID>")


class Texts(SqsCase):
    def test_ranges(self):
        url = self.queue()
        for name, value, reason in (
                ("WaitTimeSeconds", 21, "Must be >= 0 and <= 20, if provided."),
                ("WaitTimeSeconds", -1, "Must be >= 0 and <= 20, if provided."),
                ("VisibilityTimeout", 43201, "Must be >= 0 and <= 43200, if provided."),
                ("MaxNumberOfMessages", 11, "Must be between 1 and 10, if provided.")):
            self.fails("InvalidParameterValue", self.sqs.receive_message, QueueUrl=url,
                       text="Value %d for parameter %s is invalid. Reason: %s"
                       % (value, name, reason), **{name: value})

    def test_long_values_are_repeated_whole(self):
        url, long = self.queue(), "x" * 3000
        self.fails("ReceiptHandleIsInvalid", self.sqs.delete_message, QueueUrl=url,
                   ReceiptHandle=long, text='"%s" is not a valid receipt handle.' % long)
        self.fails("InvalidAttributeName", self.sqs.get_queue_attributes, QueueUrl=url,
                   AttributeNames=[long], text="Unknown Attribute %s." % long)
        self.fails("InvalidParameterValue", self.sqs.set_queue_attributes, QueueUrl=url,
                   Attributes={"RedrivePolicy": long}, text="Value %s for parameter "
                   "RedrivePolicy is invalid. Reason: Redrive policy is not a valid JSON map."
                   % long)
        self.fails("InvalidParameterValue", self.sqs.send_message, QueueUrl=url,
                   MessageBody="b", MessageGroupId=long, text=long)


class Receipts(SqsCase):
    def test_a_superseded_receipt(self):
        """Success, and nothing changes; that of a deleted message is refused."""
        url = self.queue()
        self.sqs.send_message(QueueUrl=url, MessageBody="b")
        take = lambda: self.sqs.receive_message(QueueUrl=url, VisibilityTimeout=30)
        old = take()["Messages"][0]["ReceiptHandle"]
        self.advance("31s")
        new = take()["Messages"][0]["ReceiptHandle"]
        self.sqs.change_message_visibility(QueueUrl=url, ReceiptHandle=old,
                                           VisibilityTimeout=0)
        self.assertNotIn("Messages", take())
        batch = self.sqs.change_message_visibility_batch(QueueUrl=url, Entries=[
            {"Id": "1", "ReceiptHandle": old, "VisibilityTimeout": 0}])
        self.assertNotIn("Failed", batch)
        self.faults("sqs.model.stale_change_fails=yes")
        self.fails("InvalidParameterValue", self.sqs.change_message_visibility, QueueUrl=url,
                   ReceiptHandle=old, VisibilityTimeout=0,
                   text="Value %s for parameter ReceiptHandle is invalid. Reason: Message does "
                   "not exist or is not available for visibility timeout change." % old)
        self.faults("off")
        self.sqs.delete_message(QueueUrl=url, ReceiptHandle=new)
        for gone in (old, new):
            self.fails("InvalidParameterValue", self.sqs.change_message_visibility, QueueUrl=url,
                       ReceiptHandle=gone, VisibilityTimeout=0)


class Fifo(SqsCase):
    def test_the_scope_of_the_making_holds(self):
        url = self.queue(".fifo", FifoQueue="true")
        self.sqs.set_queue_attributes(QueueUrl=url, Attributes={
            "DeduplicationScope": "messageGroup", "FifoThroughputLimit": "perMessageGroupId"})
        self.assertEqual(self.attribute(url, "DeduplicationScope"), "messageGroup")
        ids = {self.sqs.send_message(QueueUrl=url, MessageBody=g, MessageGroupId=g,
                                     MessageDeduplicationId="d")["MessageId"] for g in "ab"}
        self.assertEqual(len(ids), 1)

    def test_a_queue_may_be_its_own_dead_letter_queue(self):
        url = self.queue()
        self.sqs.set_queue_attributes(QueueUrl=url, Attributes={"RedrivePolicy": json.dumps(
            {"deadLetterTargetArn": self.arn(url), "maxReceiveCount": 1})})
        self.sqs.send_message(QueueUrl=url, MessageBody="b")
        take = lambda: self.receive(url, VisibilityTimeout=0, AttributeNames=["All"])
        for count in "123":  # a receive that moves it there may come back without it
            got = take() or take()
            self.assertEqual([m["Attributes"]["ApproximateReceiveCount"] for m in got], [count])


class Ids(unittest.TestCase):
    def ids_of(self, *options):
        mock = livelib.Mock(*options, signed=False)

        def post(**params):
            return mock.get("/", urllib.parse.urlencode(params).encode())

        post(Action="CreateQueue", QueueName="q", Version="2012-11-05")
        sent = post(Action="SendMessage", MessageBody="b", Version="2012-11-05",
                    QueueUrl="%s/%s/q" % (mock.url, ACCOUNT))
        run = post(Action="RunInstances", ImageId="ami-12345678", InstanceType="t3.micro",
                   MinCount="1", MaxCount="1", Version="2016-11-15")
        mock.close()
        return (re.search("<MessageId>(.*?)<", sent).group(1),
                re.search("<instanceId>(.*?)<", run).group(1))

    def test_fresh_unless_seeded(self):
        first, second = self.ids_of(), self.ids_of()
        self.assertNotEqual(first[0], second[0])
        self.assertNotEqual(first[1], second[1])
        self.assertEqual(self.ids_of("--seed", "5"), self.ids_of("--seed", "5"))


both(globals(), Texts, Receipts, Fifo)
if __name__ == "__main__":
    unittest.main()
