"""SQS of jobqmock as boto3 sees it, in both protocols: what AWS was recorded to do and to say
(localstack's tests, which ran against AWS, and their snapshots), permissions, message-move
tasks, and the limits that take many messages or a throttle."""
import base64
import json
import socket
import unittest

from mocklib import ACCOUNT, attributes_md5
from sqslib import SqsCase, both


class Texts(SqsCase):
    """Codes and words."""

    def send(self, url, **more):
        return self.sqs.send_message(**{"QueueUrl": url, "MessageBody": "x", **more})

    def test_queue_type(self):
        name = self.name()
        unknown = "Unknown Attribute FifoQueue."
        self.fails("InvalidAttributeName", self.sqs.create_queue, QueueName=name,
                   Attributes={"FifoQueue": "false"}, text=unknown)
        for attribute, text in (
                ("ContentBasedDeduplication", "Unknown Attribute ContentBasedDeduplication."),
                ("DeduplicationScope", "You can specify the DeduplicationScope only when "
                                       "FifoQueue is set to true."),
                ("FifoThroughputLimit", "You can specify the FifoThroughputLimit only when "
                                        "FifoQueue is set to true.")):
            value = {"ContentBasedDeduplication": "false", "DeduplicationScope": "queue",
                     "FifoThroughputLimit": "perQueue"}[attribute]
            self.fails("InvalidAttributeName", self.sqs.create_queue, QueueName=name,
                       Attributes={attribute: value}, text=text)
        url = self.queue()
        for value in ("true", "false"):
            self.fails("InvalidAttributeName", self.sqs.set_queue_attributes, QueueUrl=url,
                       Attributes={"FifoQueue": value}, text=unknown)
        fifo = self.queue(".fifo", FifoQueue="True", ContentBasedDeduplication="True")
        self.sqs.set_queue_attributes(QueueUrl=fifo, Attributes={"FifoQueue": "true"})
        self.fails("InvalidAttributeValue", self.sqs.set_queue_attributes, QueueUrl=fifo,
                   Attributes={"FifoQueue": "false"}, text="Invalid value for the parameter "
                   "FifoQueue. Reason: Modifying queue type is not supported.")

    def test_queue_urls(self):
        url = self.queue()
        name = url.rsplit("/", 1)[1]
        self.send(name)
        [got] = self.receive(url)
        self.assertEqual(got["Body"], "x")
        for bad in (self.mock.url + "/" + name, self.mock.url + "/12/" + name, "/" + name):
            self.fails("InvalidAddress", self.send, status=404, url=bad,
                       text="The address %s is not valid for this endpoint." % bad)
        self.fails("AWS.SimpleQueueService.NonExistentQueue", self.send,
                   url=url.replace(ACCOUNT, "999999999999"))
        self.fails("AWS.SimpleQueueService.NonExistentQueue", self.send, url=url + "x")

    def test_ids_are_quoted(self):
        url, fifo = self.queue(), self.queue(".fifo", FifoQueue="true")
        for queue, name, more in (
                (url, "MessageGroupId", {}),
                (fifo, "MessageGroupId", {"MessageDeduplicationId": "d"}),
                (fifo, "MessageDeduplicationId", {"MessageGroupId": "g"})):
            for bad in ("", "group 123", "a" * 129):
                self.fails("InvalidParameterValue", self.send, url=queue, **{name: bad}, **more,
                           text="Value %s for parameter %s is invalid. Reason: %s can only "
                           "include alphanumeric and punctuation characters. 1 to 128 in "
                           "length." % (bad, name, name))
            self.send(queue, **{name: "!" + "a" * 126 + "~"}, **more)
        kind = "The request include parameter that is not valid for this queue type."
        self.fails("InvalidParameterValue", self.send, url=fifo, DelaySeconds=2,
                   MessageGroupId="g", MessageDeduplicationId="d",
                   text="Value 2 for parameter DelaySeconds is invalid. Reason: " + kind)
        self.fails("InvalidParameterValue", self.send, url=url, MessageDeduplicationId="d",
                   text="Value d for parameter MessageDeduplicationId is invalid. Reason: " + kind)

    def test_receipts_are_quoted(self):
        url = self.queue()
        self.send(url)
        [got] = self.receive(url)
        handle = got["ReceiptHandle"]
        self.sqs.delete_message(QueueUrl=url, ReceiptHandle=handle)
        text = "Value %s for parameter ReceiptHandle is invalid. Reason: Message does not " \
            "exist or is not available for visibility timeout change." % handle
        self.fails("InvalidParameterValue", self.sqs.change_message_visibility, QueueUrl=url,
                   ReceiptHandle=handle, VisibilityTimeout=42, text=text)
        changed = self.sqs.change_message_visibility_batch(QueueUrl=url, Entries=[
            {"Id": "a", "ReceiptHandle": handle, "VisibilityTimeout": 42}])
        self.assertEqual(changed["Failed"], [{"Id": "a", "SenderFault": True, "Message": text,
                                              "Code": "InvalidParameterValue"}])
        for call in (self.sqs.delete_message, self.sqs.change_message_visibility):
            more = {} if call == self.sqs.delete_message else {"VisibilityTimeout": 1}
            self.fails("ReceiptHandleIsInvalid", call, QueueUrl=url, ReceiptHandle="garbage",
                       text='The input receipt handle "garbage" is not a valid receipt handle.',
                       **more)
            self.fails("MissingParameter", call, QueueUrl=url, **more,
                       text="The request must contain the parameter ReceiptHandle.")
        fifo = self.queue(".fifo", FifoQueue="true")
        self.send(fifo, MessageGroupId="g", MessageDeduplicationId="d")
        [got] = self.receive(fifo, VisibilityTimeout=1)
        self.advance("2s")
        for call, more in ((self.sqs.delete_message, {}),):
            self.fails("InvalidParameterValue", call, QueueUrl=fifo, **more,
                       ReceiptHandle=got["ReceiptHandle"],
                       text="Value %s for parameter ReceiptHandle is invalid. Reason: The "
                       "receipt handle has expired." % got["ReceiptHandle"])

    def test_batches(self):
        small = self.queue(MaximumMessageSize="1024")
        sent = self.sqs.send_message_batch(QueueUrl=small, Entries=[
            {"Id": "a", "MessageBody": "a" * 1024}, {"Id": "b", "MessageBody": "a" * 1025}])
        self.assertEqual(sent["Failed"], [
            {"Id": "b", "SenderFault": True, "Code": "InvalidParameterValue", "Message":
             "One or more parameters cannot be validated. Reason: Message must be shorter than "
             "1024 bytes."}])
        url = self.queue()
        self.fails("AWS.SimpleQueueService.BatchRequestTooLong", self.sqs.send_message_batch,
                   QueueUrl=url, Entries=[{"Id": "1", "MessageBody": "a" * 1048576},
                                          {"Id": "2", "MessageBody": "a"}],
                   text="Batch requests cannot be longer than 1048576 bytes. You have sent "
                   "1048577 bytes.")
        self.sqs.send_message_batch(QueueUrl=url, Entries=[
            {"Id": "1", "MessageBody": "a" * 1048575}, {"Id": "2", "MessageBody": "a"}])
        fifo = self.queue(".fifo", FifoQueue="true")
        good = {"Id": "1", "MessageBody": "x", "MessageGroupId": "g",
                "MessageDeduplicationId": "d"}
        for absent, text in (
                ("MessageGroupId", "The request must contain the parameter MessageGroupId."),
                ("MessageDeduplicationId", "The queue should either have "
                 "ContentBasedDeduplication enabled or MessageDeduplicationId provided "
                 "explicitly")):
            bad = {k: v for k, v in good.items() if k != absent}
            self.fails("InvalidParameterValue", self.sqs.send_message_batch, QueueUrl=fifo,
                       Entries=[good, {**bad, "Id": "2"}], text=text)
        self.assertEqual(self.receive(fifo), [])

    def test_attribute_texts(self):
        url = self.queue()
        value = {"DataType": "String", "StringValue": "v"}
        self.send(url, MessageAttributes={"attr.1øßä": value, "n" * 256: value})
        for bad in ("§", "a§", "!", "a(b", "aWs.x", "AMAZON.x", "é\u00a0"):
            self.fails("InvalidParameterValue", self.send, url=url,
                       MessageAttributes={bad: value})
        self.fails("InvalidParameterValue", self.send, url=url,
                   MessageAttributes={"E": {"DataType": "String", "StringValue": ""}},
                   text="Message (user) attribute 'E' must contain a non-empty value of type "
                   "'String'.")
        self.fails("InvalidParameterValue", self.send, url=url,
                   MessageAttributes={"k%d" % i: value for i in range(11)},
                   text="Number of message attributes [11] exceeds the allowed maximum [10].")
        trace = {"AWSTraceHeader": value}
        sent = self.send(url, MessageAttributes={"k%d" % i: value for i in range(10)},
                         MessageSystemAttributes=trace)
        self.assertEqual(sent["MD5OfMessageSystemAttributes"], attributes_md5(trace))
        self.fails("InvalidAttributeName", self.sqs.receive_message, QueueUrl=url,
                   AttributeNames=["Foobar"], text="Unknown Attribute Foobar.")
        error = self.fails("InvalidAttributeName", self.sqs.get_queue_attributes, QueueUrl=url,
                           AttributeNames=["Foobar"])
        self.assertEqual(error["Error"]["Message"], "Unknown Attribute Foobar.")

    def test_wildcards(self):
        url = self.queue(VisibilityTimeout="0")
        value = {"DataType": "String", "StringValue": "v"}
        every = {"Help.Me": value, "Hello": value, "General": value}
        self.send(url, MessageAttributes=every)
        for names, wanted in ((["All"], every), (["*"], every), ([".*"], every),
                              (["Foo", "Help"], {}), (["Foo", "Hello"], {"Hello"}),
                              (["Hel.*"], {"Hello", "Help.Me"}), (["AWS."], {}),
                              (["..foo"], {}), ([], {})):
            [got] = self.receive(url, MessageAttributeNames=names)
            self.assertEqual(set(got.get("MessageAttributes", {})), set(wanted), names)
            self.assertEqual("MD5OfMessageAttributes" in got, bool(wanted))
        [got] = self.receive(url, MessageSystemAttributeNames=["All"],
                             AttributeNames=["SenderId"])
        self.assertEqual(set(got["Attributes"]), {
            "SenderId", "SentTimestamp", "ApproximateReceiveCount",
            "ApproximateFirstReceiveTimestamp"})
        [got] = self.receive(url, MessageSystemAttributeNames=["SenderId", "SequenceNumber"])
        self.assertEqual(set(got["Attributes"]), {"SenderId"})

    def test_trace_header(self):
        url, root = self.queue(), "Root=1-3152b799-8954dae64eda91bc9a23a7e8;Sampled=1"

        def add(request, **_):
            request.headers["X-Amzn-Trace-Id"] = root
        client = self.client("sqs")
        client.meta.events.register("before-send.sqs", add)
        sent = client.send_message(QueueUrl=url, MessageBody="x")
        self.assertNotIn("MD5OfMessageSystemAttributes", sent)
        client.send_message_batch(QueueUrl=url, Entries=[{"Id": "a", "MessageBody": "y"}])
        got = self.receive(url, AttributeNames=["AWSTraceHeader"])
        self.assertEqual([m["Attributes"] for m in got], [{"AWSTraceHeader": root}] * 2)

    def test_encryption(self):
        url = self.queue()
        names = ["KmsMasterKeyId", "KmsDataKeyReusePeriodSeconds", "SqsManagedSseEnabled"]

        def shown(**attributes):
            self.sqs.set_queue_attributes(QueueUrl=url, Attributes=attributes)
            got = self.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=names)
            return {k: got["Attributes"].get(k) for k in names}
        self.assertEqual(shown(KmsMasterKeyId="k", KmsDataKeyReusePeriodSeconds="6000"),
                         dict(zip(names, ("k", "6000", "false"))))
        self.assertEqual(shown(KmsMasterKeyId="", KmsDataKeyReusePeriodSeconds="300"),
                         dict(zip(names, (None, None, "false"))))
        self.assertEqual(shown(KmsMasterKeyId="k"), dict(zip(names, ("k", "300", "false"))))
        self.assertEqual(shown(SqsManagedSseEnabled="true"),
                         dict(zip(names, (None, None, "true"))))
        self.fails("InvalidAttributeName", self.sqs.set_queue_attributes, QueueUrl=url,
                   Attributes={"KmsMasterKeyId": "k", "SqsManagedSseEnabled": "true"},
                   text="You can use one type of server-side encryption (SSE) at one time.")
        for bad in ("59", "86401", "x"):
            self.fails("InvalidAttributeValue", self.sqs.set_queue_attributes, QueueUrl=url,
                       Attributes={"KmsDataKeyReusePeriodSeconds": bad})
        self.fails("InvalidAttributeValue", self.sqs.set_queue_attributes, QueueUrl=url,
                   Attributes={"Policy": "{"}, text="Invalid value for the parameter Policy.")


class Behaviour(SqsCase):
    def test_visibility_after_it_ran_out(self):
        url = self.queue(VisibilityTimeout="1")
        self.sqs.send_message(QueueUrl=url, MessageBody="x")
        [got] = self.receive(url)
        self.advance("2s")
        self.sqs.change_message_visibility(QueueUrl=url, VisibilityTimeout=10,
                                           ReceiptHandle=got["ReceiptHandle"])
        self.assertEqual(self.receive(url), [])
        self.advance("10s")
        [again] = self.receive(url)
        self.sqs.change_message_visibility(QueueUrl=url, VisibilityTimeout=10,
                                           ReceiptHandle=got["ReceiptHandle"])
        self.sqs.delete_message(QueueUrl=url, ReceiptHandle=again["ReceiptHandle"])
        self.fails("InvalidParameterValue", self.sqs.change_message_visibility, QueueUrl=url,
                   VisibilityTimeout=10, ReceiptHandle=got["ReceiptHandle"])

    def fifo(self, *sent):
        url = self.queue(".fifo", FifoQueue="true", ContentBasedDeduplication="true")
        for body in sent:
            self.sqs.send_message(QueueUrl=url, MessageBody=body, MessageGroupId=body[:2])
        return url

    def bodies(self, url, count=10, **more):
        return [m["Body"] for m in self.receive(url, count, **more)]

    def test_group_is_seen_up_to_the_first_hidden(self):
        url = self.fifo("g1-1", "g1-2", "g1-3", "g2-1")
        got = self.receive(url, 2)
        self.assertEqual([m["Body"] for m in got], ["g1-1", "g1-2"])
        self.sqs.change_message_visibility(QueueUrl=url, VisibilityTimeout=0,
                                           ReceiptHandle=got[0]["ReceiptHandle"])
        self.assertEqual(self.bodies(url, 4), ["g2-1", "g1-1"])

    def test_groups_take_turns(self):
        url = self.fifo("g1-1", "g2-1", "g2-2", "g3-1", "g1-2")
        self.assertEqual(self.bodies(url, 3, VisibilityTimeout=0), ["g1-1", "g1-2", "g2-1"])
        self.assertEqual(self.bodies(url, VisibilityTimeout=0),
                         ["g3-1", "g1-1", "g1-2", "g2-1", "g2-2"])

    def test_purge_forgets_deduplication(self):
        url = self.fifo("g1-1")
        self.sqs.purge_queue(QueueUrl=url)
        self.sqs.send_message(QueueUrl=url, MessageBody="g1-1", MessageGroupId="g1")
        self.assertEqual(self.bodies(url), ["g1-1"])

    def test_delay_of_a_fifo_queue(self):
        url = self.fifo("g1-1")
        self.sqs.set_queue_attributes(QueueUrl=url, Attributes={"DelaySeconds": "5"})
        self.sqs.send_message(QueueUrl=url, MessageBody="g2-1", MessageGroupId="g2",
                              DelaySeconds=0)
        self.assertEqual(self.bodies(url), ["g1-1"])
        self.advance("5s")
        self.assertEqual(self.bodies(url), ["g2-1"])

    def test_dead_letters_of_two_hops(self):
        """Counts go on and the source is the last queue."""
        last, middle = self.queue(), self.queue()
        first = self.queue(RedrivePolicy=json.dumps(
            {"deadLetterTargetArn": self.arn(middle), "maxReceiveCount": "1"}))
        self.sqs.set_queue_attributes(QueueUrl=middle, Attributes={"RedrivePolicy": json.dumps(
            {"deadLetterTargetArn": self.arn(last), "maxReceiveCount": 1})})
        self.sqs.send_message(QueueUrl=first, MessageBody="x")
        for url in (first, middle):
            self.assertEqual(len(self.receive(url, VisibilityTimeout=0)), 1)
            self.assertEqual(self.receive(url), [])
        [got] = self.receive(last, AttributeNames=["All"])
        self.assertEqual(got["Attributes"]["DeadLetterQueueSourceArn"], self.arn(middle))
        self.assertEqual(got["Attributes"]["ApproximateReceiveCount"], "3")

    def test_sources_in_pages(self):
        dead = self.queue()
        policy = json.dumps({"deadLetterTargetArn": self.arn(dead), "maxReceiveCount": 1})
        urls = sorted(self.queue(RedrivePolicy=policy) for _ in range(5))
        seen, token = [], None
        while True:
            more = {"NextToken": token} if token else {}
            page = self.sqs.list_dead_letter_source_queues(QueueUrl=dead, MaxResults=2, **more)
            seen.append(page["queueUrls"])
            token = page.get("NextToken")
            if not token:
                break
        self.assertEqual([len(p) for p in seen], [2, 2, 1])
        self.assertEqual(sorted(sum(seen, [])), urls)
        self.fails("InvalidParameterValue", self.sqs.list_dead_letter_source_queues,
                   QueueUrl=dead, NextToken="x", text="MaxResults is a mandatory parameter")

    def test_allowed_by_queue(self):
        dead, other = self.queue(), self.queue()
        named = self.queue()
        self.sqs.set_queue_attributes(QueueUrl=dead, Attributes={
            "RedriveAllowPolicy": json.dumps({"redrivePermission": "byQueue",
                                              "sourceQueueArns": [self.arn(named)]})})
        policy = {"RedrivePolicy": json.dumps({"deadLetterTargetArn": self.arn(dead),
                                               "maxReceiveCount": 1})}
        self.sqs.set_queue_attributes(QueueUrl=named, Attributes=policy)
        self.fails("InvalidParameterValue", self.sqs.set_queue_attributes, QueueUrl=other,
                   Attributes=policy)
        many = [self.arn(named) + str(i) for i in range(11)]
        for bad in ({"redrivePermission": "byQueue"}, {"redrivePermission": "nobody"},
                    {"redrivePermission": "denyAll", "sourceQueueArns": many[:1]},
                    {"redrivePermission": "byQueue", "sourceQueueArns": many}):
            self.fails("InvalidParameterValue", self.sqs.set_queue_attributes, QueueUrl=dead,
                       Attributes={"RedriveAllowPolicy": json.dumps(bad)})


class Permissions(SqsCase):
    def policy(self, url):
        got = self.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["Policy"])
        return json.loads(got.get("Attributes", {}).get("Policy", "null"))

    def add(self, url, label, actions=("ReceiveMessage",), accounts=("668614515564",)):
        self.sqs.add_permission(QueueUrl=url, Label=label, Actions=list(actions),
                                AWSAccountIds=list(accounts))

    def test_life(self):
        url = self.queue()
        arn = self.arn(url)

        def statement(label, account="arn:aws:iam::668614515564:root"):
            return {"Sid": label, "Effect": "Allow", "Principal": {"AWS": account},
                    "Action": "SQS:ReceiveMessage", "Resource": arn}
        self.add(url, "one")
        whole = {"Version": "2008-10-17", "Id": arn + "/SQSDefaultPolicy",
                 "Statement": [statement("one")]}
        self.assertEqual(self.policy(url), whole)
        self.fails("InvalidParameterValue", self.add, url=url, label="one",
                   text="Value one for parameter Label is invalid. Reason: Already exists.")
        self.add(url, "two", accounts=("668614515564", ACCOUNT))
        both_accounts = ["arn:aws:iam::668614515564:root", "arn:aws:iam::%s:root" % ACCOUNT]
        self.assertEqual(self.policy(url)["Statement"][1], statement("two", both_accounts))
        self.sqs.remove_permission(QueueUrl=url, Label="one")
        self.assertEqual(len(self.policy(url)["Statement"]), 1)
        self.fails("InvalidParameterValue", self.sqs.remove_permission, QueueUrl=url,
                   Label="one",
                   text="Value one for parameter Label is invalid. Reason: can't find label.")
        self.sqs.remove_permission(QueueUrl=url, Label="two")
        self.assertIsNone(self.policy(url))

    def test_beside_a_policy_of_ones_own(self):
        url = self.queue()
        own = {"Version": "2012-10-17", "Statement": {"Sid": "own", "Effect": "Deny",
                                                      "Principal": "*", "Action": "sqs:*"}}
        self.sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": json.dumps(own)})
        self.assertEqual(self.policy(url), own)
        self.add(url, "more")
        self.assertEqual([s["Sid"] for s in self.policy(url)["Statement"]], ["own", "more"])
        self.sqs.remove_permission(QueueUrl=url, Label="own")
        self.assertEqual([s["Sid"] for s in self.policy(url)["Statement"]], ["more"])
        self.sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": ""})
        self.assertIsNone(self.policy(url))

    def test_limits(self):
        url = self.queue()
        seven = ["SendMessage", "ReceiveMessage", "DeleteMessage", "ChangeMessageVisibility",
                 "GetQueueAttributes", "GetQueueUrl", "PurgeQueue"]
        self.add(url, "l" * 80, actions=seven)
        self.fails("OverLimit", self.add, status=403, url=url, label="many",
                   actions=seven + ["*"],
                   text="8 Actions were found, maximum allowed is 7.")
        self.fails("InvalidParameterValue", self.add, url=url, label="l" * 81)
        self.fails("InvalidParameterValue", self.add, url=url, label="a b")
        for absent in ("Label", "Actions", "AWSAccountIds"):
            some = {"QueueUrl": url, "Label": "x", "Actions": ["*"],
                    "AWSAccountIds": [ACCOUNT]}
            del some[absent]
            self.fails("MissingParameter", self.sqs.add_permission, **some)


class Moves(SqsCase):
    def pipe(self, count):
        """A queue, and its dead-letter queue with that many messages."""
        dead = self.queue()
        url = self.queue(RedrivePolicy=json.dumps(
            {"deadLetterTargetArn": self.arn(dead), "maxReceiveCount": 1}))
        for i in range(count):
            self.sqs.send_message(QueueUrl=url, MessageBody=str(i))
        self.receive(url, VisibilityTimeout=0)
        self.assertEqual(self.receive(url), [])
        return url, dead, self.arn(dead)

    def test_back_to_the_source(self):
        url, dead, arn = self.pipe(3)
        self.sqs.start_message_move_task(SourceArn=arn)
        self.advance("5s")
        [task] = self.sqs.list_message_move_tasks(SourceArn=arn)["Results"]
        self.assertGreater(task.pop("StartedTimestamp"), 1.7e12)
        self.assertEqual(task, {"Status": "COMPLETED", "SourceArn": arn,
                                "ApproximateNumberOfMessagesMoved": 3,
                                "ApproximateNumberOfMessagesToMove": 3})
        self.assertEqual({m["Body"] for m in self.receive(url)}, {"0", "1", "2"})
        self.assertEqual(self.receive(dead), [])

    def test_cancelled(self):
        url, _, arn = self.pipe(10)
        handle = self.sqs.start_message_move_task(
            SourceArn=arn, MaxNumberOfMessagesPerSecond=1)["TaskHandle"]
        self.fails("InvalidParameterValue", self.sqs.start_message_move_task, SourceArn=arn,
                   text="There is already a task running. Only one active task is allowed for "
                   "a source queue arn at a given time.")
        self.advance("2500ms")
        [task] = self.sqs.list_message_move_tasks(SourceArn=arn)["Results"]
        self.assertEqual((task["Status"], task["TaskHandle"],
                          task["MaxNumberOfMessagesPerSecond"]), ("RUNNING", handle, 1))
        moved = self.sqs.cancel_message_move_task(
            TaskHandle=handle)["ApproximateNumberOfMessagesMoved"]
        self.assertIn(moved, (2, 3))
        [task] = self.sqs.list_message_move_tasks(SourceArn=arn)["Results"]
        self.assertEqual(task["Status"], "CANCELLED")
        self.assertNotIn("TaskHandle", task)
        self.assertEqual(len(self.receive(url)), moved)
        self.fails("ResourceNotFoundException", self.sqs.cancel_message_move_task, status=404,
                   TaskHandle=handle)

    def test_destination_goes(self):
        _, _, arn = self.pipe(10)
        target = self.queue()
        target_arn = self.arn(target)
        self.sqs.start_message_move_task(SourceArn=arn, DestinationArn=target_arn,
                                         MaxNumberOfMessagesPerSecond=1)
        self.advance("1500ms")
        self.sqs.delete_queue(QueueUrl=target)
        [task] = self.sqs.list_message_move_tasks(SourceArn=arn)["Results"]
        self.assertEqual((task["Status"], task["FailureReason"], task["DestinationArn"]),
                         ("FAILED", "AWS.SimpleQueueService.NonExistentQueue", target_arn))

    def test_errors(self):
        url, _, arn = self.pipe(1)
        start, cancel = self.sqs.start_message_move_task, self.sqs.cancel_message_move_task
        self.fails("InvalidParameterValue", start, SourceArn=self.arn(url),
                   text="Source queue must be configured as a Dead Letter Queue.")
        missing = "The resource that you specified for the %s parameter doesn't exist."
        self.fails("ResourceNotFoundException", start, status=404, SourceArn=arn + "x",
                   text=missing % "SourceArn")
        self.fails("ResourceNotFoundException", start, status=404, SourceArn=arn,
                   DestinationArn=arn + "x", text=missing % "DestinationArn")
        self.fails("InvalidParameterValue", start, SourceArn=arn, DestinationArn=arn)
        self.fails("MissingParameter", start)
        for bad in (0, 501):
            self.fails("InvalidParameterValue", start, SourceArn=arn,
                       MaxNumberOfMessagesPerSecond=bad)
        def handle(task, source):
            return base64.b64encode(json.dumps({"taskId": task, "sourceArn": source})
                                    .encode()).decode()
        task = "10f57157-fc38-4da9-a113-4de7e12d05dd"
        self.fails("InvalidParameterValue", cancel, TaskHandle="foobared",
                   text="Value for parameter TaskHandle is invalid.")
        self.fails("ResourceNotFoundException", cancel, status=404,
                   TaskHandle=handle(task, arn + "x"), text=missing % "SourceArn")
        self.fails("ResourceNotFoundException", cancel, status=404,
                   TaskHandle=handle(task, arn), text="Task does not exist.")
        for bad in (0, 11):
            self.fails("InvalidParameterValue", self.sqs.list_message_move_tasks,
                       SourceArn=arn, MaxResults=bad)
        self.assertEqual(self.sqs.list_message_move_tasks(SourceArn=arn).get("Results", []), [])
        self.fails("ResourceNotFoundException", self.sqs.list_message_move_tasks, status=404,
                   SourceArn=arn + "x")

    def test_ten_are_told(self):
        _, _, arn = self.pipe(0)
        for _ in range(12):
            self.sqs.start_message_move_task(SourceArn=arn)
            self.advance("1s")
        got = self.sqs.list_message_move_tasks(SourceArn=arn, MaxResults=10)["Results"]
        self.assertEqual([t["Status"] for t in got], ["COMPLETED"] * 10)
        self.assertEqual(len(self.sqs.list_message_move_tasks(SourceArn=arn)["Results"]), 1)


class Limits(SqsCase):
    """Of a real size, or set by /_jobq/faults."""

    def pipelined(self, requests):
        """Sends ready requests over one connection; returns the replies' number and bytes."""
        host, port = self.mock.url[7:].split(":")
        with socket.create_connection((host, int(port))) as one:
            one.settimeout(30)
            mark, tail, done = b"HTTP/1.1 200", b"", 0
            for i in range(0, len(requests), 50):
                block = requests[i:i + 50]
                one.sendall(b"".join(block))
                while done < i + len(block):
                    text = tail + one.recv(1 << 20)
                    done += text.count(mark)
                    tail = text[1 - len(mark):]
            return done

    def raw(self, action, **params):
        body = json.dumps(params)
        return ("POST / HTTP/1.1\r\nHost: x\r\nX-Amz-Target: AmazonSQS.%s\r\n"
                "Content-Type: application/x-amz-json-1.0\r\nContent-Length: %d\r\n\r\n%s"
                % (action, len(body), body)).encode()

    def test_120000_in_flight(self):
        url = self.queue()
        entries = [{"Id": str(i), "MessageBody": "x"} for i in range(10)]
        send = self.raw("SendMessageBatch", QueueUrl=url, Entries=entries)
        receive = self.raw("ReceiveMessage", QueueUrl=url, MaxNumberOfMessages=10)
        self.pipelined([send] * 12001)
        self.pipelined([receive] * 11999)
        [first] = self.receive(url, 1)
        self.assertEqual(len(self.receive(url, 9)), 9)
        self.assertEqual(self.attribute(url, "ApproximateNumberOfMessagesNotVisible"), "120000")
        for wait in (0, 20):
            self.fails("OverLimit", self.receive, status=403, url=url, wait=wait)
        self.sqs.delete_message(QueueUrl=url, ReceiptHandle=first["ReceiptHandle"])
        self.assertEqual(len(self.receive(url)), 1)
        self.fails("OverLimit", self.receive, status=403, url=url)
        self.mock.get("/_jobq/reset", b"")

    def test_fifo_says_nothing(self):
        self.faults("sqs.model.fifo_in_flight_max=3")
        url = self.queue(".fifo", FifoQueue="true", ContentBasedDeduplication="true")
        for i in range(5):
            self.sqs.send_message(QueueUrl=url, MessageBody=str(i), MessageGroupId=str(i))
        self.assertEqual(len(self.receive(url)), 3)
        self.assertEqual(self.receive(url), [])
        self.faults("off")
        self.assertEqual(len(self.receive(url)), 2)

    def test_throttled(self):
        url = self.queue()
        self.faults("sqs.SendMessage.throttle=1")
        self.fails("RequestThrottled", self.sqs.send_message, status=403, QueueUrl=url,
                   MessageBody="x")
        self.assertEqual(self.receive(url), [])
        self.faults("off; sqs.ReceiveMessage.error=1")
        self.fails("InternalFailure", self.receive, status=500, url=url)
        self.faults("off")
        fifo = self.queue(".fifo", FifoQueue="true", ContentBasedDeduplication="true")
        fast = self.queue(".fifo", FifoQueue="true", ContentBasedDeduplication="true",
                          DeduplicationScope="messageGroup",
                          FifoThroughputLimit="perMessageGroupId")
        self.faults("sqs.model.fifo_throttle_per_s=5")

        def burst(queue):
            for _ in range(30):
                self.sqs.send_message(QueueUrl=queue, MessageBody="x", MessageGroupId="g")
        burst(fast)
        self.advance("10s")
        self.fails("RequestThrottled", burst, status=403, queue=fifo)
        self.faults("off")

    def test_duplicates_and_order(self):
        url = self.queue()
        self.faults("duplicate=1")
        self.sqs.send_message(QueueUrl=url, MessageBody="x")
        first, second = self.receive(url), self.receive(url)
        self.assertEqual(first[0]["MessageId"], second[0]["MessageId"])
        self.faults("off; undelete=1")
        self.sqs.delete_message(QueueUrl=url, ReceiptHandle=second[0]["ReceiptHandle"])
        self.assertEqual(len(self.receive(url)), 1)
        self.faults("off")


class Http(SqsCase):
    """GET on a queue's own URL, as the guide shows it."""

    def get(self, path, **params):
        query = "&".join("%s=%s" % one for one in params.items())
        return self.http(path + ("?" + query if query else ""))

    def test_queue_path(self):
        url = self.queue()
        path = url[len(self.mock.url):]
        status, headers, text = self.get(path, Action="ReceiveMessage")
        self.assertEqual(status, 200)
        self.assertIn("<ReceiveMessageResult/>", text)
        self.assertEqual(headers["Content-Type"], "text/xml")
        self.assertEqual(len(headers["x-amzn-RequestId"]), 36)
        status, _, text = self.get(path, Action="SendMessage", MessageBody="foobar")
        self.assertEqual(status, 200)
        self.assertIn("<SendMessageResponse xmlns=\"http://queue.amazonaws.com/doc/2012-11-05/\">",
                      text)
        status, _, text = self.get(path, Action="GetQueueAttributes", **{"AttributeName.1": "Foobar"})
        self.assertEqual(status, 400)
        self.assertIn("<Type>Sender</Type><Code>InvalidAttributeName</Code>"
                      "<Message>Unknown Attribute Foobar.</Message><Detail/>", text)
        for action in ("CreateQueue", "ListQueues", "FooBar"):
            status, _, text = self.get(path, Action=action, QueueName="other")
            self.assertEqual(status, 400)
            self.assertIn("<Code>InvalidAction</Code><Message>The action %s is not valid for "
                          "this endpoint.</Message>" % action, text)
        status, _, text = self.get(path)
        self.assertEqual((status, text.strip()), (404, "<UnknownOperationException/>"))
        status, _, text = self.get(path + "x", Action="ReceiveMessage")
        self.assertIn("<Code>AWS.SimpleQueueService.NonExistentQueue</Code><Message>The "
                      "specified queue does not exist for this wsdl version.", text)

    def test_json(self):
        def call(target, body, **headers):
            return self.http("/", "POST", body, X_Amz_Target=target,
                             Content_Type="application/x-amz-json-1.0", **headers)
        status, headers, text = call("AmazonSQS.ListQueues", b"{}")
        self.assertEqual((status, headers["Content-Type"]), (200, "application/x-amz-json-1.0"))
        json.loads(text)
        for target, body, shape in (
                ("AmazonSQS.Nothing", b"{}",
                 "com.amazon.coral.service#UnknownOperationException"),
                ("AmazonSQS.ListQueues", b"{", "com.amazon.coral.service#SerializationException"),
                ("AmazonSQS.ListQueues", b"[]",
                 "com.amazon.coral.service#SerializationException"),
                ("AmazonSQS.GetQueueUrl", b'{"QueueName": "none"}',
                 "com.amazonaws.sqs#QueueDoesNotExist")):
            status, headers, text = call(target, body)
            self.assertEqual((status, json.loads(text)["__type"]), (400, shape))
            self.assertTrue(headers["x-amzn-query-error"].endswith(";Sender"))


both(globals(), Texts, Behaviour, Permissions, Moves)

if __name__ == "__main__":
    unittest.main()
