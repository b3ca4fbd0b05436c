"""The soak's senders and receivers of messages, by JSON and by Query."""
import http.client
import json
import threading

from mock_load import ACCOUNT, REFUSED, SILENT, Broken, Load, client

LEFT_MAX = 200  # messages: past it, workers only consume, so that the load is steady


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
