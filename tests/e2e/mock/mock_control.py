"""How jobqmock is told what to be and what to do: its options, and the pages under /_jobq/.
Dollars are reckoned here by hand from the sheet's prices."""
import json
import os
import re
import signal
import socket
import subprocess
import time
import unittest
import urllib.error

import botocore.exceptions

import livelib
from mocklib import MockCase

IMAGE = "ami-0123456789abcdef0"


class Pages(MockCase):
    def setUp(self):
        self.faults("off")
        self.mock.get("/_jobq/reset", b"")

    def page(self, path, method="GET", body=None, **headers):
        status, _, text = self.http("/_jobq/" + path, method, body, **headers)
        return status, text

    def test_bill_of_every_request(self):
        """FIFO queues at their own price; tags, permissions, sources and move tasks too."""
        sqs = self.client("sqs")
        url = sqs.create_queue(QueueName="every")["QueueUrl"]
        fifo = sqs.create_queue(QueueName="every.fifo", Attributes={
            "FifoQueue": "true", "ContentBasedDeduplication": "true"})["QueueUrl"]
        self.page("reset", "POST")
        url = sqs.create_queue(QueueName="every")["QueueUrl"]
        fifo = sqs.create_queue(QueueName="every.fifo", Attributes={
            "FifoQueue": "true", "ContentBasedDeduplication": "true"})["QueueUrl"]
        sqs.tag_queue(QueueUrl=url, Tags={"a": "b"})
        sqs.list_queue_tags(QueueUrl=url)
        sqs.list_dead_letter_source_queues(QueueUrl=url)
        sqs.list_queue_tags(QueueUrl=fifo)
        sqs.send_message(QueueUrl=fifo, MessageBody="x" * 65537, MessageGroupId="g")
        sqs.receive_message(QueueUrl=fifo)
        sqs.receive_message(QueueUrl=fifo, WaitTimeSeconds=1)
        usd = {}
        for item in self.mock.ledger()["bill"]["items"]:
            usd[item["item"]] = usd.get(item["item"], 0) + item["usd"]
        self.assertAlmostEqual(usd["standard"], 4 * 0.40e-6, 12)
        # Made, tags listed, sent (2 chunks), received (2 chunks), received in vain.
        self.assertAlmostEqual(usd["fifo"], 7 * 0.50e-6, 12)
        self.page("reset", "POST")
        self.assertEqual(self.mock.ledger()["bill"]["usd"], 0)

    def test_bill(self):
        sqs, sdb, ec2 = (self.client(s) for s in ("sqs", "sdb", "ec2"))
        url = sqs.create_queue(QueueName="q")["QueueUrl"]
        for size in (1, 65536, 65537):
            sqs.send_message(QueueUrl=url, MessageBody="x" * size)
        self.assertEqual(len(sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10)
                             ["Messages"]), 3)
        sqs.receive_message(QueueUrl=url)
        # By another region's sheet, and by an older day's, when a request cost 2.5 times that.
        for query, price in (("date=2026-10", 0.40e-6), ("date=2012-10&region=eu-west-1", 1e-6)):
            [sent] = [i for i in json.loads(self.page("ledger?" + query)[1])["bill"]["items"]
                      if i["what"] == "SendMessage"]
            self.assertAlmostEqual(sent["usd"], 3 * price, 12)
        self.assertIn("bill_error", json.loads(self.page("ledger?region=moon")[1]))
        sdb.create_domain(DomainName="dom")
        sdb.put_attributes(DomainName="dom", ItemName="i",
                           Attributes=[{"Name": "a", "Value": "b"}])
        run = dict(ImageId=IMAGE, InstanceType="c7g.large")
        ec2.run_instances(MinCount=2, MaxCount=2, **run)
        box = ec2.run_instances(MinCount=1, MaxCount=1, **run)["Instances"][0]["InstanceId"]
        self.advance("1h")
        ec2.terminate_instances(InstanceIds=[box])
        self.advance("1h")
        got = self.mock.ledger()
        bill = got["bill"]
        self.assertEqual((bill["region"], bill["date"]), ("us-east-1", "2026-10"))
        usd = {}
        for item in bill["items"]:
            key = (item["service"], item["item"])
            usd[key] = usd.get(key, 0) + item["usd"]
        # Six requests; of 64 KiB begun, one more was sent and two more received.
        self.assertAlmostEqual(usd["sqs", "standard"], 9 * 0.40e-6, 12)
        # CreateDomain's machine hours, and a put's of one pair: 0.0000219907 + 2e-10.
        self.assertAlmostEqual(usd["simpledb", "box"],
                               (0.0055590278 + 0.0000219909) * 0.14, 12)
        # Three names or values of one byte and 45 for each, for two hours, of a month of 730.
        self.assertAlmostEqual(usd["simpledb", "storage"] / (
            (3 + 3 * 45) * 2 / 2**30 / 730 * 0.25), 1, 2)
        # Two boxes for two hours and one for one, each to the next second.
        boxes = usd["ec2", "c7g.large"]
        self.assertTrue(5 * 0.0725 <= boxes <= (5 + 30 / 3600) * 0.0725, boxes)
        self.assertAlmostEqual(bill["usd"], sum(usd.values()), 12)
        self.assertAlmostEqual(bill["usd"], sum(bill["components"].values()), 12)
        actions = got["ledger"]["actions"]
        self.assertEqual((actions["SendMessage"]["requests"], actions["SendMessage"]["entries"]),
                         (3, 3))
        self.assertEqual(actions["ReceiveMessage"]["empty"], 1)
        self.assertEqual(got["ledger"]["send_kib"], {"1": 1, "64": 1, "65": 1})
        # A failure is counted as one; a reset forgets.
        try:
            sqs.get_queue_url(QueueName="none")
        except sqs.exceptions.ClientError:
            pass
        self.assertEqual(self.mock.ledger()["ledger"]["actions"]["GetQueueUrl"]["failed"], 1)
        self.mock.get("/_jobq/reset", b"")
        self.assertEqual(self.mock.ledger()["ledger"]["actions"], {})

    def test_clock(self):
        def now():
            return json.loads(self.page("clock")[1])["now_ns"] / 1e9
        before = now()
        self.advance("12h")
        self.assertAlmostEqual(now() - before, 43200, delta=30)
        self.mock.get("/_jobq/clock", b"speed=100000")
        before = now()
        time.sleep(0.05)
        self.assertGreater(now() - before, 4000)
        self.mock.get("/_jobq/clock", b"speed=1")
        before = now()
        self.assertLess(now() - before, 30)
        for bad in (b"", b"speed=0", b"speed=-1", b"speed=x", b"speed=2e6", b"advance=x",
                    b"advance=-1h", b"advance=11y"):
            status, text = self.page("clock", "POST", bad)
            self.assertEqual(status, 400, bad)
            self.assertIn("error", json.loads(text))

    def test_visibility_of_12_hours(self):
        sqs = self.client("sqs")
        url = sqs.create_queue(QueueName="q")["QueueUrl"]
        sqs.send_message(QueueUrl=url, MessageBody="x")
        sqs.receive_message(QueueUrl=url, VisibilityTimeout=43200)
        self.advance("43199s")
        self.assertNotIn("Messages", sqs.receive_message(QueueUrl=url))
        self.advance("1s")
        self.assertIn("Messages", sqs.receive_message(QueueUrl=url))

    def test_faults(self):
        spec = "error=0.5; sqs.SendMessage.throttle=0.25\nwindow=2s;latency=1ms"
        self.assertEqual(self.page("faults", "POST", spec.encode())[1],
                         "error=0.5\nsqs.SendMessage.throttle=0.25\nwindow=2s\nlatency=1ms\n")
        self.assertEqual(self.page("faults", "POST", b"error=0")[1].split("\n")[0], "error=0")
        for bad in ("error=2", "error=-1", "error=x", "error", "colour=1", "s3.error=1",
                    "sqs.model.colour=1", "ec2.model.pending=x", "short_poll=maybe", "window=x",
                    "latency=x", "sqs.%s.error=1" % ("x" * 60), "short_poll"):
            status, text = self.page("faults", "POST", bad.encode())
            self.assertEqual(status, 400, bad)
            said = json.loads(text)["error"]
            self.assertIn(bad.split("=")[0] if len(bad) < 60 else "63", said)
        # One that is wrong changes nothing of what came with it.
        self.assertEqual(self.page("faults", "POST", b"error=0.75;colour=1")[0], 400)
        self.assertIn("error=0\n", self.page("faults")[1])
        self.assertEqual(self.page("faults", "DELETE"), (200, ""))
        self.faults("sqs.drop=1")
        with self.assertRaises((urllib.error.URLError, ConnectionError)):
            self.http("/?Action=ListQueues&Version=2012-11-05")
        self.assertEqual(self.http("/?Action=ListDomains&Version=2009-04-15")[0], 200)
        # Lost: the queue is made, the reply does not come.
        self.faults("off; sqs.CreateQueue.lost=1")
        with self.assertRaises((urllib.error.URLError, ConnectionError)):
            self.http("/?Action=CreateQueue&QueueName=lost&Version=2012-11-05")
        self.assertEqual(self.http("/?Action=GetQueueUrl&QueueName=lost&Version=2012-11-05")[0],
                         200)
        self.faults("off; sqs.latency=const:300ms; sqs.ListQueues.latency=off")
        for action, slow in (("ListQueues", False), ("GetQueueUrl&QueueName=lost", True)):
            begun = time.monotonic()
            self.http("/?Version=2012-11-05&Action=" + action)
            self.assertEqual(time.monotonic() - begun > 0.29, slow, action)

    def test_reset_tells_those_who_wait(self):
        sqs = self.client("sqs")
        url = sqs.create_queue(QueueName="q")["QueueUrl"]
        body = json.dumps({"QueueUrl": url, "WaitTimeSeconds": 20})
        host, port = self.mock.url[7:].split(":")
        with socket.create_connection((host, int(port)), timeout=20) as waiter:
            waiter.sendall(("POST / HTTP/1.1\r\nHost: x\r\nX-Amz-Target: AmazonSQS."
                            "ReceiveMessage\r\nContent-Length: %d\r\n\r\n%s"
                            % (len(body), body)).encode())
            end = time.monotonic() + 20
            while not re.search(r"^jobqmock_long_polls 1$", self.mock.get("/metrics"), re.M):
                self.assertLess(time.monotonic(), end)
            self.mock.get("/_jobq/reset", b"")
            self.assertIn(b"QueueDoesNotExist", waiter.recv(4096))

    def test_health_and_strangers(self):
        self.assertEqual(json.loads(self.page("healthz")[1]), {"status": "ok"})
        self.assertEqual(self.page("nothing")[0], 404)
        self.assertEqual(self.page("reset")[0], 404)  # GET changes nothing
        # A web page that a browser shows may not control it.
        for path in ("clock", "faults", "reset", "interrupt"):
            self.assertEqual(self.page(path, "POST", b"x=y", Origin="http://evil.example")[0],
                             403, path)

    def test_metrics(self):
        sqs = self.client("sqs")
        url = sqs.create_queue(QueueName="q")["QueueUrl"]
        sqs.send_message(QueueUrl=url, MessageBody="x")
        _, headers, text = self.http("/metrics")
        self.assertTrue(headers["Content-Type"].startswith("text/plain; version=0.0.4"))
        # The exposition format: HELP and TYPE before a family's samples, each family once.
        self.assertTrue(text.endswith("\n"))
        seen, family, samples = set(), None, set()
        for line in text.split("\n")[:-1]:
            found = re.fullmatch(r"# (HELP|TYPE) ([a-zA-Z_:][\w:]*) (.+)", line)
            if found and found.group(1) == "HELP":
                family = found.group(2)
                self.assertNotIn(family, seen)
                seen.add(family)
                continue
            if found:
                self.assertEqual(found.group(2), family)
                self.assertIn(found.group(3), ("counter", "gauge"))
                self.assertEqual(found.group(3) == "counter", family.endswith("_total"))
                continue
            found = re.fullmatch(
                r'([a-zA-Z_:][\w:]*)(\{\w+="(?:[^"\\]|\\[\\"n])*"(?:,\w+="(?:[^"\\]|'
                r'\\[\\"n])*")*\})? (-?\d+(\.\d+)?)', line)
            self.assertTrue(found, line)
            self.assertEqual(found.group(1), family, line)
            self.assertNotIn((found.group(1), found.group(2)), samples)
            samples.add((found.group(1), found.group(2)))
        self.assertIn('jobqmock_requests_total{service="sqs",action="SendMessage"} 1', text)
        self.assertIn('jobqmock_queue_messages{region="us-east-1",queue="q",state="visible"} 1',
                      text)


class Late(MockCase):
    """Calls that take effect after their client has given up."""
    GIVEN_UP = (botocore.exceptions.ConnectionClosedError,
                botocore.exceptions.EndpointConnectionError)

    def tearDown(self):
        self.faults("off")

    def metric(self, name):
        return self.mock.metric(name + " ")

    def test_a_put_arrives_late(self):
        sdb, domain = self.client("sdb"), self.name("domain")
        sdb.create_domain(DomainName=domain)
        put = lambda value: sdb.put_attributes(DomainName=domain, ItemName="i", Attributes=[
            {"Name": "state", "Value": value, "Replace": True}])
        get = lambda: sdb.get_attributes(DomainName=domain, ItemName="i", ConsistentRead=True) \
            .get("Attributes", [{}])[0].get("Value")
        puts = 'jobqmock_requests_total{service="simpledb",action="PutAttributes"}'
        before, struck = self.metric(puts), self.metric('jobqmock_faults_total{kind="late"}')
        self.faults("sdb.PutAttributes.late=1x; late_reply=10ms")
        with self.assertRaises(self.GIVEN_UP):
            put("queued")
        self.assertIsNone(get())
        put("done")
        self.assertEqual((get(), self.metric(puts) - before), ("done", 1))
        self.assertEqual(self.metric("jobqmock_late_calls"), 1)
        self.advance("29s")
        self.assertEqual(get(), "done")
        self.advance("92s")
        self.assertEqual((get(), self.metric(puts) - before), ("queued", 2))
        self.assertEqual(self.metric("jobqmock_late_calls"), 0)
        self.assertEqual(self.metric('jobqmock_faults_total{kind="late"}') - struck, 1)

    def test_by_the_wall_clock_and_in_order(self):
        sqs = self.client("sqs")
        url = sqs.create_queue(QueueName=self.name())["QueueUrl"]
        self.faults("sqs.SendMessage.late=1; late_after=300ms; sqs.late_reply=503")
        for body in "abc":
            self.fails("ServiceUnavailable", sqs.send_message, 503, QueueUrl=url,
                       MessageBody=body)
        self.assertNotIn("Messages", sqs.receive_message(QueueUrl=url))
        got = []
        while len(got) < 3:
            got += sqs.receive_message(QueueUrl=url, WaitTimeSeconds=5).get("Messages", [])
        self.assertEqual([m["Body"] for m in got], list("abc"))
        # A delete that comes late finds the message received again, and deletes nothing.
        self.faults("off; sqs.DeleteMessage.late=1x; late_after=60s; late_reply=1ms")
        with self.assertRaises(self.GIVEN_UP):
            sqs.delete_message(QueueUrl=url, ReceiptHandle=got[0]["ReceiptHandle"])
        self.advance("40s")
        again = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10)["Messages"]
        self.advance("21s")
        count = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
        self.assertEqual((len(again), count["ApproximateNumberOfMessagesNotVisible"]), (3, "3"))

    def test_an_item_arrives_late(self):
        ddb = self.client("dynamodb")
        ddb.create_table(TableName="late", BillingMode="PAY_PER_REQUEST",
                         KeySchema=[{"AttributeName": "k", "KeyType": "HASH"}],
                         AttributeDefinitions=[{"AttributeName": "k", "AttributeType": "S"}])
        self.advance("1m")
        self.faults("late=1; late_reply=1ms; late_after=30s")
        with self.assertRaises(self.GIVEN_UP):
            ddb.put_item(TableName="late", Item={"k": {"S": "a"}})
        self.assertEqual(ddb.scan(TableName="late")["Count"], 0)  # which is never late
        self.advance("31s")
        self.assertEqual(ddb.scan(TableName="late")["Count"], 1)

    def test_a_launch_and_what_is_never_late(self):
        ec2 = self.client("ec2")
        self.faults("late=1; late_reply=1ms; late_after=30s..30s")
        ids = lambda: [i["InstanceId"] for r in ec2.describe_instances()["Reservations"]
                       for i in r["Instances"]]
        run = {"ImageId": "ami-12345678", "InstanceType": "t3.micro", "MinCount": 1,
               "MaxCount": 1, "ClientToken": "t1"}
        with self.assertRaises(self.GIVEN_UP):
            ec2.run_instances(**run)
        self.assertEqual(ids(), [])
        self.faults("late=0")
        made = ec2.run_instances(**run)["Instances"][0]["InstanceId"]
        self.advance("31s")
        self.assertEqual(ids(), [made])  # the token makes the late one a repetition
        self.faults("off; late=1; late_reply=1h")
        client = self.client("sqs", read_timeout=1)  # held: the client's own timeout ends it
        with self.assertRaises(botocore.exceptions.ReadTimeoutError):
            client.create_queue(QueueName="held")
        self.mock.get("/_jobq/reset", b"")
        self.advance("2min")
        self.assertNotIn("QueueUrls", client.list_queues())

    def test_bad_settings(self):
        for bad in ("late=2", "late=-1x", "late=x", "late_after=2min..1min",
                    "late_after=31d", "late_reply=x", "sqs.late_reply=", "late_after=..",
                    "mail.late=1"):
            status, _, body = self.http("/_jobq/faults", "POST", bad.encode())
            self.assertEqual(status, 400, bad + body)
        self.faults("late=0.5; sqs.SendMessage.late=3x; late_after=1s..2s; late_reply=503")
        self.assertEqual(self.mock.get("/_jobq/faults"), "late=0.5\nsqs.SendMessage.late=3x\n"
                         "late_after=1s..2s\nlate_reply=503\n")


class Options(unittest.TestCase):
    def start(self, *args):
        mock = livelib.Mock(*args, signed=False)
        self.addCleanup(mock.close)
        return mock

    def refused(self, *args, code=2):
        done = subprocess.run([livelib.MOCK, *args], capture_output=True, text=True, timeout=20)
        self.assertEqual(done.returncode, code, done)
        said, _, hint = done.stderr.partition("\n")
        self.assertIn(hint, ("", "Try 'jobqmock --help'.\n"))
        self.assertEqual(done.stdout, "")
        return said

    def call(self, mock, action, version="2012-11-05", **params):
        query = "".join("&%s=%s" % one for one in params.items())
        return mock.get("/?Action=%s&Version=%s%s" % (action, version, query))

    def test_bad_ones(self):
        for args, says in (
                (["--colour"], "--colour"), (["--port"], "needs a value"),
                (["--port", "65536"], "65535"), (["--port", "x"], "--port"),
                (["--seed", "-1"], "--seed"), (["--speed", "0"], "--speed"),
                (["--speed", "x"], "--speed"), (["--auth", "maybe"], "'check'"),
                (["--account", "123"], "12 digits"), (["--state", ""], "--state"),
                (["--latency", "some"], "'model'"), (["--boxes", "cmd"], "exec:COMMAND"),
                (["--boxes", "exec:"], "exec:COMMAND"), (["extra"], "extra"),
                (["--host", "0.0.0.0"], "--auth check"), (["--faults", "error=2"], "error=2"),
                (["--faults", "colour=1"], "colour"), (["--model", "aws-1999"], "aws-1999"),
                (["--auth", "check", "--credentials", "/none/there"], "/none/there")):
            said = self.refused("--port", "0", *args)
            self.assertIn(says, said)
            self.assertTrue(said.startswith("jobqmock: "), said)
        self.assertIn("aws-2026", self.refused("--model", "aws-1999"))  # the known ones

    def test_used_port_and_a_clean_end(self):
        mock = self.start()
        port = mock.url.rsplit(":", 1)[1]
        said = self.refused("--port", port, code=1)
        self.assertIn(port, said)
        mock.proc.send_signal(signal.SIGTERM)
        self.assertEqual(mock.proc.wait(20), 0)

    def test_seed_and_account(self):
        bodies = []
        for seed in ("7", "7", "8"):
            mock = self.start("--seed", seed, "--account", "111122223333")
            url = re.search("<QueueUrl>(.*)</QueueUrl>",
                            self.call(mock, "CreateQueue", QueueName="q")).group(1)
            self.assertTrue(url.endswith("/111122223333/q"))
            sent = self.call(mock, "SendMessage", QueueUrl=url, MessageBody="x")
            bodies.append(re.search("<MessageId>(.*)</MessageId>", sent).group(1))
        self.assertEqual(bodies[0], bodies[1])
        self.assertNotEqual(bodies[0], bodies[2])

    def test_model(self):
        """What the years changed: sizes, the long poll, a spot notice."""
        old, new = self.start("--model", "aws-2012"), self.start()
        for mock, largest in ((old, "65536"), (new, "1048576")):
            self.call(mock, "CreateQueue", QueueName="q")
            shown = self.call(mock, "GetQueueAttributes", QueueUrl="q", **{
                "AttributeName.1": "MaximumMessageSize"})
            self.assertIn("<Value>%s</Value>" % largest, shown)
        for mock, state in ((old, "terminated"), (new, "running")):
            run = self.call(mock, "RunInstances", "2016-11-15", ImageId=IMAGE, MinCount="1",
                            MaxCount="1", InstanceType="m1.small", **{
                                "InstanceMarketOptions.MarketType": "spot"})
            box = re.search("<instanceId>(.*?)</instanceId>", run).group(1)
            mock.get("/_jobq/interrupt", ("instance=" + box).encode())
            shown = self.call(mock, "DescribeInstances", "2016-11-15")
            self.assertIn("<name>%s</name>" % state, shown)

    def test_speed(self):
        mock = self.start("--speed", "1000")

        def now():
            return json.loads(mock.get("/_jobq/clock"))["now_ns"] / 1e9
        first = now()
        time.sleep(0.1)
        self.assertGreater(now() - first, 90)

    def test_clock_ends(self):
        """Whatever is added to a time must fit: there are no years past 2200."""
        mock = self.start()
        for _ in range(17):
            mock.get("/_jobq/clock", b"advance=3650d")
        with self.assertRaises(urllib.error.HTTPError) as refused:
            mock.get("/_jobq/clock", b"advance=3650d")
        self.assertIn("2200", refused.exception.read().decode())
        mock.get("/_jobq/clock", b"speed=1000000")
        time.sleep(0.2)
        self.assertLess(json.loads(mock.get("/_jobq/clock"))["now_ns"], 7258118400 * 10**9 + 1)
        self.call(mock, "CreateQueue", QueueName="q")
        self.call(mock, "SendMessage", QueueUrl="q", MessageBody="x")

    def test_latency(self):
        mock, calm = self.start("--latency", "model"), self.start()
        took = []
        for one in (mock, calm):
            self.call(one, "CreateQueue", QueueName="q")
            begun = time.monotonic()
            for _ in range(40):
                self.call(one, "SendMessage", QueueUrl="q", MessageBody="x")
            took.append(time.monotonic() - begun)
        # By the model a send takes 9 ms in the median.
        self.assertGreater(took[0] - took[1], 0.2, took)
        for one, state in ((mock, "pending"), (calm, "running")):
            one.get("/_jobq/faults", b"ec2.latency=off")
            self.call(one, "RunInstances", "2016-11-15", ImageId=IMAGE, MinCount="1",
                      MaxCount="1", InstanceType="c7g.large")
            self.assertIn("<name>%s</name>" % state,
                          self.call(one, "DescribeInstances", "2016-11-15"))

    def test_faults_at_the_start(self):
        mock = self.start("--faults", "sqs.error=1; duplicate=0.5")
        self.assertEqual(mock.get("/_jobq/faults"), "sqs.error=1\nduplicate=0.5\n")
        with self.assertRaises(urllib.error.HTTPError) as caught:
            self.call(mock, "ListQueues")
        self.assertEqual(caught.exception.code, 500)

    @unittest.skipUnless(os.path.exists("/proc/net/if_inet6"), "no IPv6 here")
    def test_host(self):
        mock = self.start("--host", "::1")
        self.assertTrue(mock.url.startswith("http://[::1]:"))
        self.assertIn("ListQueuesResponse", self.call(mock, "ListQueues"))

    def test_help_and_version(self):
        for option in ("--help", "-h", "--version"):
            done = subprocess.run([livelib.MOCK, option], capture_output=True, text=True)
            self.assertEqual((done.returncode, done.stderr), (0, ""))
            self.assertIn("jobqmock", done.stdout)
            self.assertLessEqual(max(map(len, done.stdout.split("\n"))), 80)


if __name__ == "__main__":
    unittest.main()
