"""The clients of jobqmock's soak: each remembers what was acknowledged, what was refused and
what got no answer, so that a reader can tell afterwards whether anything was lost."""
import http.client
import json
import random
import socket
import struct
import threading
import time
import traceback

import boto3
import botocore.exceptions
from botocore.config import Config

ACCOUNT = "123456789012"
LEFT_MAX = 200  # messages: past it, workers only consume, so that the load is steady
REFUSED = botocore.exceptions.ClientError
SILENT = (botocore.exceptions.BotoCoreError, OSError, http.client.HTTPException)


class Broken(Exception):
    """The server broke a promise."""


def client(url, service):
    return boto3.client(service, region_name="us-east-1", endpoint_url=url,
                        aws_access_key_id="a", aws_secret_access_key="b",
                        config=Config(retries={"max_attempts": 0}, read_timeout=10,
                                      parameter_validation=False))


def body_of(key):
    """The message of this key: seldom a long one, and each as its key tells."""
    number = int(key.split("-")[1])
    length = 64000 if number % 100 == 0 else 4000 if number % 10 == 0 else 60
    return key + ":" + (key + "&<\u00fc ") * (length // 12)


class Book:
    """What all workers of one queue know together."""

    def __init__(self):
        self.lock = threading.Lock()
        self.sent, self.deleted = set(), set()  # acknowledged
        self.unsure = set()                     # deletes without an answer
        self.refused = set()                    # sends that were answered by an error
        self.received = self.left = 0

    def add_sent(self, keys):
        with self.lock:
            keys = set(keys)
            self.left += len(keys - self.deleted)
            self.sent |= keys

    def add_deleted(self, keys):
        with self.lock:
            keys = set(keys)
            self.left -= len(keys & self.sent - self.deleted)
            self.deleted |= keys

    def check(self, body):
        key = body.split(":")[0]
        if body != body_of(key):
            raise Broken("another body under " + key)
        if key in self.refused:
            raise Broken("refused, and there: " + key)
        self.received += 1
        return key


class Load(threading.Thread):
    """Calls `once` until the end. A refusal or no answer is what faults are for; anything
    else ends the soak."""

    def __init__(self, url, number, end):
        super().__init__(daemon=True)
        self.url, self.number, self.end = url, number, end
        self.random = random.Random(number)
        self.calls = self.refusals = self.silences = 0
        self.broken = None

    def run(self):
        try:
            while time.monotonic() < self.end:
                self.calls += 1
                try:
                    self.once()
                except REFUSED:
                    self.refusals += 1
                except SILENT:
                    self.silences += 1
            self.close()
        except Exception:
            self.broken = traceback.format_exc()

    def close(self):
        pass


class Json:
    """SQS in JSON over one kept connection, without an SDK."""

    def __init__(self, url, queue):
        self.host, self.queue = url[7:], "%s/%s/%s" % (url, ACCOUNT, queue)
        self.connection = None

    def call(self, action, **params):
        if not self.connection:
            self.connection = http.client.HTTPConnection(self.host, timeout=10)
        try:
            self.connection.request(
                "POST", "/", json.dumps({"QueueUrl": self.queue, **params}),
                {"Content-Type": "application/x-amz-json-1.0",
                 "X-Amz-Target": "AmazonSQS." + action})
            reply = self.connection.getresponse()
            text = reply.read()
        except SILENT:
            self.connection.close()
            self.connection = None
            raise
        if reply.status != 200:
            error = json.loads(text)
            raise REFUSED({"Error": {"Code": error["__type"], "Message": error["message"]}},
                          action)
        return json.loads(text) if text else {}


class Query:
    """The same by boto3, which speaks Query and holds the MD5s to the bodies."""

    def __init__(self, url, queue):
        self.sqs, self.queue = client(url, "sqs"), "%s/%s/%s" % (url, ACCOUNT, queue)

    def call(self, action, **params):
        name = "".join("_" + c.lower() if c.isupper() else c for c in action)[1:]
        return getattr(self.sqs, name)(QueueUrl=self.queue, **params)


class Messages(Load):
    """Sends, receives and deletes, singly and in batches."""
    VISIBLE_AFTER = (1, 2, 30)

    def __init__(self, url, number, end, book, protocol, queue="soak"):
        super().__init__(url, number, end)
        self.book, self.api, self.count = book, protocol(url, queue), 0

    def once(self):
        if self.book.left < LEFT_MAX and self.random.random() < 0.6:
            self.send_batch() if self.random.random() < 0.1 else self.send()
        else:
            self.consume()

    def key(self):
        self.count += 1
        return "%d-%d" % (self.number, self.count)

    def send(self):
        key = self.key()
        try:
            self.api.call("SendMessage", MessageBody=body_of(key), MessageAttributes={
                "key": {"DataType": "String", "StringValue": key}})
        except REFUSED:
            self.book.refused.add(key)
            raise
        self.book.add_sent([key])

    def send_batch(self):
        keys = [self.key() for _ in range(self.random.randrange(1, 11))]
        try:
            reply = self.api.call("SendMessageBatch", Entries=[
                {"Id": "i" + key, "MessageBody": body_of(key), "MessageAttributes": {
                    "key": {"DataType": "String", "StringValue": key}}} for key in keys])
        except REFUSED:
            self.book.refused.update(keys)
            raise
        self.book.add_sent(one["Id"][1:] for one in reply.get("Successful", []))
        self.book.refused.update(one["Id"][1:] for one in reply.get("Failed", []))

    def consume(self):
        got = self.api.call("ReceiveMessage", MaxNumberOfMessages=10,
                            VisibilityTimeout=self.random.choice(self.VISIBLE_AFTER),
                            WaitTimeSeconds=int(self.random.random() < 0.05),
                            MessageAttributeNames=["All"]).get("Messages", [])
        keys = [self.book.check(one["Body"]) for one in got]
        for one, key in zip(got, keys):
            if one["MessageAttributes"]["key"]["StringValue"] != key:
                raise Broken("attributes of another message at " + key)
        if not got:
            return
        if self.random.random() < 0.1:
            self.api.call("ChangeMessageVisibility", ReceiptHandle=got[0]["ReceiptHandle"],
                          VisibilityTimeout=0)
            got, keys = got[1:], keys[1:]
        if self.random.random() < 0.5 or not got:
            for one, key in zip(got, keys):
                self.delete([key], "DeleteMessage", ReceiptHandle=one["ReceiptHandle"])
        else:
            self.delete(keys, "DeleteMessageBatch", Entries=[
                {"Id": str(i), "ReceiptHandle": one["ReceiptHandle"]}
                for i, one in enumerate(got)])

    def delete(self, keys, action, **params):
        try:
            reply = self.api.call(action, **params)
        except SILENT:
            self.book.unsure.update(keys)
            raise
        done = {int(one["Id"]) for one in reply.get("Successful", [])} \
            if action.endswith("Batch") else {0}
        self.book.add_deleted(key for i, key in enumerate(keys) if i in done)


class Groups(Messages):
    """Ten groups of the FIFO queue: each send is repeated under one deduplication id until it
    is acknowledged, and then it is there once, in its place."""
    VISIBLE_AFTER = (1, 2)
    GROUPS = 10

    def __init__(self, url, number, end, book, protocol):
        super().__init__(url, number, end, book, protocol, "soak.fifo")
        self.order, self.key_now = [], None

    def group(self, key):
        number, count = key.split("-")
        return "%s.%d" % (number, int(count) % self.GROUPS)

    def send_batch(self):
        self.send()

    def send(self):
        if self.key_now is None:
            self.key_now = self.key()
        key = self.key_now
        reply = self.api.call("SendMessage", MessageBody=body_of(key), MessageAttributes={
            "key": {"DataType": "String", "StringValue": key}},
            MessageGroupId=self.group(key), MessageDeduplicationId=key)
        if self.order and int(reply["SequenceNumber"]) <= self.order[-1][0]:
            raise Broken("a sequence number that does not grow at " + key)
        self.order.append((int(reply["SequenceNumber"]), key))
        self.book.add_sent([key])
        self.key_now = None


class Rows(Load):
    """Puts, conditional puts, batches and deletes of its own items. `may`: what an item may
    hold, more than one value only where a call got no answer."""
    ITEMS = 200

    def __init__(self, url, number, end):
        super().__init__(url, number, end)
        self.sdb, self.count = client(url, "sdb"), 0
        self.may = {}

    def write(self, values, call, **params):
        try:
            call(DomainName="soak", **params)
        except SILENT:
            for item, value in values.items():
                self.may[item] = self.may.get(item, {None}) | {value}
            raise
        for item, value in values.items():
            self.may[item] = {value}

    def once(self):
        self.count += 1
        item = "%d-%d" % (self.number, self.random.randrange(self.ITEMS))
        value, what = "v%d&\u00fc" % self.count, self.random.randrange(10)
        pair = [{"Name": "v", "Value": value, "Replace": True}]
        if what < 3:
            self.write({item: value}, self.sdb.put_attributes, ItemName=item, Attributes=pair)
        elif what < 5:
            self.compare_and_put(item, value, pair)
        elif what == 5:
            self.write({item: None}, self.sdb.delete_attributes, ItemName=item)
        elif what == 6:
            items = {"%d-%d" % (self.number, self.random.randrange(self.ITEMS)): value
                     for _ in range(25)}
            self.write(items, self.sdb.batch_put_attributes, Items=[
                {"Name": name, "Attributes": pair} for name in items])
        elif what == 7:
            self.sdb.select(SelectExpression="select * from `soak` where itemName() like "
                            "'%d-%%' and v is not null limit 50" % self.number)
        else:
            self.read(item)

    def read(self, item):
        got = self.sdb.get_attributes(DomainName="soak", ItemName=item, ConsistentRead=True)
        values = [a["Value"] for a in got.get("Attributes", [])] or [None]
        if len(values) != 1 or values[0] not in self.may.get(item, {None}):
            raise Broken("%s holds %s, not %s" % (item, values, self.may.get(item)))
        self.may[item] = {values[0]}
        return values[0]

    def compare_and_put(self, item, value, pair):
        now = self.read(item)
        expected = {"Name": "v", "Exists": False} if now is None else \
            {"Name": "v", "Value": now}
        try:
            self.write({item: value}, self.sdb.put_attributes, ItemName=item,
                       Attributes=pair, Expected=expected)
        except REFUSED as error:
            if error.response["Error"]["Code"] in ("ConditionalCheckFailed",
                                                   "AttributeDoesNotExist"):
                raise Broken("%s was read as %s, and is not" % (item, now))
            raise


class Boxes(Load):
    """Launches, each repeated under its ClientToken until it is acknowledged; tags, looks and
    terminates. One launch in 10 s: the model remembers every box, for the bill."""

    def __init__(self, url, number, end):
        super().__init__(url, number, end)
        self.ec2, self.token, self.boxes, self.dead, self.tags = \
            client(url, "ec2"), None, {}, set(), {}
        self.next_launch = 0

    def once(self):
        if time.monotonic() >= self.next_launch:
            return self.launch()
        box = self.random.choice(list(self.boxes))
        what = self.random.randrange(10)
        if what < 3:
            self.tags[box] = self.tags.get(box, {None}) | {str(self.calls)}
            self.ec2.create_tags(Resources=[box], Tags=[{"Key": "n",
                                                         "Value": str(self.calls)}])
            self.tags[box] = {str(self.calls)}
        elif what < 6:
            got = self.ec2.describe_instances(Filters=[
                {"Name": "instance-state-name", "Values": ["running"]},
                {"Name": "tag:load", "Values": [str(self.number)]}], MaxResults=5)
            for reservation in got["Reservations"]:
                for one in reservation["Instances"]:
                    if one["InstanceId"] in self.dead:
                        raise Broken("terminated, and running: " + one["InstanceId"])
        elif what < 8:
            self.ec2.describe_tags(Filters=[{"Name": "resource-id", "Values": [box]}])
        elif what == 8 and len(self.boxes) - len(self.dead) > 20:
            self.ec2.terminate_instances(InstanceIds=[box])
            self.dead.add(box)
        else:
            self.ec2.describe_instance_status()

    def launch(self):
        self.token = self.token or "t%d-%d" % (self.number, self.calls)
        ran = self.ec2.run_instances(
            ImageId="ami-0123456789abcdef0", InstanceType="c7g.large", MinCount=1, MaxCount=1,
            ClientToken=self.token, TagSpecifications=[{"ResourceType": "instance", "Tags": [
                {"Key": "load", "Value": str(self.number)},
                {"Key": "token", "Value": self.token}]}])
        self.boxes[ran["Instances"][0]["InstanceId"]] = self.token
        self.token, self.next_launch = None, time.monotonic() + 10


class Admin(Load):
    """Everything else: queues and domains made, set, tagged, listed, purged and dropped; dead
    letters moved and moved back; and what the other services tell."""

    def __init__(self, url, number, end):
        super().__init__(url, number, end)
        self.sqs, self.sdb, self.ec2, self.sts = (
            client(url, s) for s in ("sqs", "sdb", "ec2", "sts"))
        self.json = Json(url, "source-%d" % number)  # Debian's boto3 knows no move tasks
        self.calls_of = [self.queue, self.queue, self.domain, self.dead_letters, self.other]

    def once(self):
        self.random.choice(self.calls_of)()

    def queue(self):
        sqs, name = self.sqs, "admin-%d" % self.random.randrange(200)
        fifo = {"FifoQueue": "true", "ContentBasedDeduplication": "true",
                "FifoThroughputLimit": "perMessageGroupId",
                "DeduplicationScope": "messageGroup"} if self.random.random() < 0.3 else {}
        at = sqs.create_queue(QueueName=name + (".fifo" if fifo else ""), tags={"a": "b"},
                              Attributes={"VisibilityTimeout": "5", "MessageRetentionPeriod": "60",
                                          **fifo})["QueueUrl"]
        sqs.set_queue_attributes(QueueUrl=at, Attributes={"DelaySeconds": "3", "Policy": ""})
        sqs.tag_queue(QueueUrl=at, Tags={"c": "\u00fc", "d": ""})
        sqs.untag_queue(QueueUrl=at, TagKeys=["a"])
        if sqs.list_queue_tags(QueueUrl=at).get("Tags") != {"c": "\u00fc", "d": ""}:
            raise Broken("other tags at " + at)
        sqs.add_permission(QueueUrl=at, Label="p", AWSAccountIds=[ACCOUNT], Actions=["*"])
        sqs.remove_permission(QueueUrl=at, Label="p")
        for i in range(5):
            group = {"MessageGroupId": "g"} if fifo else {"DelaySeconds": i}
            sqs.send_message(QueueUrl=at, MessageBody="admin %d" % i, **group)
        sqs.get_queue_attributes(QueueUrl=at, AttributeNames=["All"])
        sqs.list_queues(QueueNamePrefix="admin", MaxResults=7)
        sqs.get_queue_url(QueueName=name + (".fifo" if fifo else ""))
        if self.random.random() < 0.3:
            sqs.purge_queue(QueueUrl=at)
        sqs.delete_queue(QueueUrl=at)

    def dead_letters(self):
        sqs = self.sqs
        dead = sqs.create_queue(QueueName="dead-%d" % self.number, Attributes={
            "MessageRetentionPeriod": "60"})["QueueUrl"]
        arn = "arn:aws:sqs:us-east-1:%s:dead-%d" % (ACCOUNT, self.number)
        at = sqs.create_queue(QueueName="source-%d" % self.number, Attributes={
            "RedrivePolicy": json.dumps({"deadLetterTargetArn": arn, "maxReceiveCount": 1})
        })["QueueUrl"]
        sqs.list_dead_letter_source_queues(QueueUrl=dead)
        for i in range(5):
            sqs.send_message(QueueUrl=at, MessageBody="move %d" % i)
        for _ in range(3):
            sqs.receive_message(QueueUrl=at, MaxNumberOfMessages=10, VisibilityTimeout=0)
        task = self.json.call("StartMessageMoveTask", SourceArn=arn,
                              MaxNumberOfMessagesPerSecond=50)
        self.json.call("ListMessageMoveTasks", SourceArn=arn)
        for one in sqs.receive_message(QueueUrl=at, MaxNumberOfMessages=10,
                                       WaitTimeSeconds=1).get("Messages", []):
            sqs.delete_message(QueueUrl=at, ReceiptHandle=one["ReceiptHandle"])
        self.json.call("CancelMessageMoveTask", TaskHandle=task["TaskHandle"])

    def domain(self):
        sdb, name = self.sdb, "admin-%d" % self.random.randrange(50)
        sdb.create_domain(DomainName=name)
        sdb.batch_put_attributes(DomainName=name, Items=[
            {"Name": "i%d" % i, "Attributes": [{"Name": "a", "Value": str(v)}
                                               for v in range(i + 1)]} for i in range(20)])
        sdb.domain_metadata(DomainName=name)
        sdb.list_domains(MaxNumberOfDomains=10)
        sdb.batch_delete_attributes(DomainName=name, Items=[{"Name": "i3"}, {"Name": "i4"}])
        got = sdb.select(SelectExpression="select count(*) from `%s` where a = '5'" % name,
                         ConsistentRead=True)
        if got["Items"][0]["Attributes"][0]["Value"] != "15":
            raise Broken("another count: %s" % got)
        for old in (name, "junk"):  # what vandals put goes with the domain
            sdb.delete_domain(DomainName=old)
        sdb.create_domain(DomainName="junk")

    def other(self):
        self.sts.get_caller_identity()
        self.ec2.describe_instance_types(InstanceTypes=["c7g.large"])
        self.ec2.describe_spot_price_history(InstanceTypes=["c7g.large"], MaxResults=5)
        self.ec2.describe_tags(MaxResults=5)
        connection = http.client.HTTPConnection(self.url[7:], timeout=10)
        for method, path in (("GET", "/_jobq/ledger"), ("GET", "/metrics"),
                             ("GET", "/_jobq/healthz"), ("GET", "/_jobq/clock")):
            connection.request(method, path)
            if connection.getresponse().read() == b"":
                raise Broken("an empty " + path)
        connection.close()


class Vandal(Load):
    """Whole, half and mangled requests of every kind, cut off anywhere; replies left in the
    middle; connections that say nothing."""

    def __init__(self, url, number, end):
        super().__init__(url, number, end)
        self.kept = []
        host, port = url[7:].split(":")
        self.address = (host, int(port))
        junk = "%s/%s/junk" % (url, ACCOUNT)
        form = "application/x-www-form-urlencoded"
        self.requests = [
            self.post(json.dumps({"QueueUrl": junk, "WaitTimeSeconds": 20}),
                      "AmazonSQS.ReceiveMessage"),
            self.post(json.dumps({"QueueUrl": junk, "MessageBody": "x" * 300,
                                  "MessageAttributes": {"a": {"DataType": "Number",
                                                              "StringValue": "1"}}}),
                      "AmazonSQS.SendMessage"),
            self.post("Action=SendMessage&Version=2012-11-05&MessageBody=a%20b&QueueUrl=" +
                      junk, content=form),
            self.post("Action=PurgeQueue&Version=2012-11-05&QueueUrl=" + junk, content=form),
            self.post("Action=ReceiveMessage&MaxNumberOfMessages=10&VisibilityTimeout=0&"
                      "Version=2012-11-05&QueueUrl=" + junk, content=form),
            self.post("Action=PutAttributes&Version=2009-04-15&DomainName=junk&ItemName=i&"
                      "Attribute.1.Name=a&Attribute.1.Value=b&Attribute.2.Name=c&"
                      "Attribute.2.Value=%C3%BC&Timestamp=2026-11-24T00%3A00%3A00Z&"
                      "AWSAccessKeyId=a&SignatureVersion=2&Signature=b", content=form),
            self.post("Action=Select&Version=2009-04-15&SelectExpression=" +
                      "select%20*%20from%20%60soak%60%20where%20every(v)%20in%20('a'%2C'b')"
                      "%20or%20not%20v%20like%20'%25x'", content=form),
            self.post("Action=DescribeInstances&Version=2016-11-15&Filter.1.Name=tag%3Ax&"
                      "Filter.1.Value.1=*", content=form),
            b"GET /?Action=ListQueues&Version=2012-11-05 HTTP/1.1\r\nHost: x\r\n\r\n",
            b"GET /latest/meta-data/ HTTP/1.1\r\nHost: x\r\n\r\n",
            b"PUT /latest/api/token HTTP/1.1\r\nHost: x\r\n"
            b"X-aws-ec2-metadata-token-ttl-seconds: 60\r\n\r\n",
            b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n",
            b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
            b"1a\r\nAction=ListDomains&Version\r\n0b\r\n=2009-04-15\r\n0\r\n\r\n",
            b"GET / HTTP/1.1\r\n" + b"x: y\r\n" * 80 + b"\r\n",
            b"GET /" + b"x" * 70000 + b" HTTP/1.1\r\n\r\n",
            b"POST / HTTP/1.1\r\nContent-Length: 99999999\r\n\r\n" + b"x" * 100000,
        ]

    def close(self):
        for one in self.kept:
            one.close()

    @staticmethod
    def post(body, target=None, content="application/x-amz-json-1.0"):
        head = "POST / HTTP/1.1\r\nHost: x\r\nContent-Type: %s\r\n" % content
        if target:
            head += "X-Amz-Target: %s\r\n" % target
        return (head + "Authorization: AWS4-HMAC-SHA256 Credential=a/20261124/us-east-1/sqs/"
                "aws4_request, SignedHeaders=host;x-amz-date, Signature=0\r\n"
                "Content-Length: %d\r\n\r\n%s" % (len(body), body)).encode()

    def once(self):
        draw = self.random.randrange
        data = bytearray(self.random.choice(self.requests))
        if draw(2):
            for _ in range(draw(1, 6)):
                data[draw(len(data))] = draw(256)
        if draw(3) == 0:
            data = data * draw(2, 9)
        if draw(3) == 0:
            data = data[:draw(1, len(data) + 1)]
        one = socket.create_connection(self.address, timeout=0.02)
        if draw(20) == 0:
            self.kept.append(one)  # silent from here on, for a while
        try:
            one.sendall(bytes(data))
            if draw(2):
                one.recv(draw(1, 200))
        except OSError:
            pass
        if draw(3) == 0 and one not in self.kept:  # close by a reset
            one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        if one not in self.kept:
            one.close()
        if len(self.kept) > 50:
            self.kept.pop(0).close()
        time.sleep(0.005)


class Faults(Load):
    """Changes what goes wrong, every second or so."""
    SETTINGS = ("error=0.03", "drop=0.03", "lost=0.03", "sqs.throttle=0.05",
                "sdb.throttle=0.05", "ec2.throttle=0.05", "latency=exp:2ms",
                "sqs.ReceiveMessage.latency=5ms", "duplicate=0.02", "reorder=0.1",
                "short_poll=on", "window=300ms", "sqs.SendMessage.lost=0.1",
                "sdb.PutAttributes.lost=0.1", "ec2.RunInstances.lost=0.5")

    def once(self):
        count = self.random.randrange(2, len(self.SETTINGS))
        spec = "; ".join(["off"] + self.random.sample(self.SETTINGS, count))
        connection = http.client.HTTPConnection(self.url[7:], timeout=10)
        connection.request("POST", "/_jobq/faults", spec)
        if connection.getresponse().status != 200:
            raise Broken("a fault was refused: " + spec)
        connection.close()
        time.sleep(self.random.uniform(0.5, 2))
