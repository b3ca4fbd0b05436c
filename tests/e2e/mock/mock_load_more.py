"""The soak's rows in SimpleDB, boxes in EC2, and everything that is seldom asked."""
import http.client
import json
import time

from mock_load import ACCOUNT, REFUSED, SILENT, Broken, Load, client
from mock_load_sqs import Json


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
