"""jobqmock against clients that hang up, wait, trickle, shout and pipeline."""
import http.client
import json
import os
import re
import socket
import struct
import time
import unittest
import xml.etree.ElementTree

import livelib
from mocklib import MockCase


def cpu_s(pid):
    with open("/proc/%d/stat" % pid) as stat:
        fields = stat.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


class Edges(MockCase):
    def open(self):
        host, port = self.mock.url[7:].split(":")
        return socket.create_connection((host, int(port)), timeout=20)

    def request(self, action, **params):
        body = json.dumps(params)
        return ("POST / HTTP/1.1\r\nHost: x\r\nX-Amz-Target: AmazonSQS.%s\r\n"
                "Content-Type: application/x-amz-json-1.0\r\nContent-Length: %d\r\n\r\n%s"
                % (action, len(body), body)).encode()

    def metric(self, name):
        return int(re.search(r"^%s (\d+)$" % name, self.mock.get("/metrics"), re.M).group(1))

    def wait_for(self, count):
        end = time.monotonic() + 20
        while self.metric("jobqmock_long_polls") != count:
            self.assertLess(time.monotonic(), end, "long polls")
            time.sleep(0.02)

    def queue(self):
        url = self.client("sqs").create_queue(QueueName=self.name())["QueueUrl"]
        return url, self.request("ReceiveMessage", QueueUrl=url, WaitTimeSeconds=20)

    def test_half_close_ends_a_wait(self):
        url, receive = self.queue()
        for how in (lambda s: s.shutdown(socket.SHUT_WR), lambda s: s.close()):
            waiter = self.open()
            waiter.sendall(receive)
            self.wait_for(1)
            how(waiter)
            self.wait_for(0)
            waiter.close()
        sqs = self.client("sqs")
        sqs.send_message(QueueUrl=url, MessageBody="x")
        got = sqs.receive_message(QueueUrl=url, AttributeNames=["All"])["Messages"][0]
        self.assertEqual(got["Attributes"]["ApproximateReceiveCount"], "1")

    def test_500_idle_long_polls(self):
        _, receive = self.queue()
        waiters = [self.open() for _ in range(500)]
        for waiter in waiters:
            waiter.sendall(receive)
        self.wait_for(500)
        before = cpu_s(self.mock.proc.pid)
        time.sleep(2)
        self.assertLessEqual(cpu_s(self.mock.proc.pid) - before, 0.02)
        for waiter in waiters:
            waiter.close()
        self.wait_for(0)

    def test_bytes_that_no_reply_can_carry(self):
        """What an error quotes comes back whole; what was no character is still UTF-8, and XML."""
        url, _ = self.queue()
        query = "/?Version=%s&Action=%s&"
        for text in (
                self.http("/", "POST", json.dumps({
                    "QueueUrl": url, "ReceiptHandle": "x" + 200 * "\u00fc"}).encode(),
                    X_Amz_Target="AmazonSQS.DeleteMessage"),
                self.http("/", "POST", json.dumps({"QueueUrl": url, "Entries": [
                    {"Id": "a", "ReceiptHandle": "x" + 200 * "\u00fc"}]}).encode(),
                    X_Amz_Target="AmazonSQS.DeleteMessageBatch")):
            self.assertIn('"x' + 200 * "\u00fc" + '\\"',
                          json.dumps(json.loads(text[2]), ensure_ascii=False))
        for what, code in ((query % ("2012-11-05", "SendMessage") + "QueueUrl=http://%FF%01/1/q",
                            "InvalidAddress"),
                           (query % ("2012-11-05", "TagQueue") + "QueueUrl=" + url +
                            "&Tag.1.Key=a&Tag.1.Value=%FF", "InvalidParameterValue"),
                           (query % ("2016-11-15", "RunInstances") + "ImageId=ami-12345678&"
                            "MinCount=1&MaxCount=1&KeyName=%01", "InvalidParameterValue"),
                           (query % ("2009-04-15", "CreateDomain") + "DomainName=%C3",
                            "InvalidParameterValue")):
            status, _, text = self.http(what)
            self.assertEqual(xml.etree.ElementTree.fromstring(text).tag[-8:], "Response", text)
            self.assertIn("<Code>%s</Code>" % code, text)
        one = self.open()
        one.sendall(b"GET /?Action=ListQueues HTTP/1.1\r\nHost: a\xff\r\n\r\n")
        self.assertIn(b">http://localhost/", one.recv(65536))
        one.close()

    def test_a_launch_is_bounded(self):
        ec2 = self.client("ec2", "eu-west-3")
        run = dict(ImageId="ami-12345678", InstanceType="t3.micro")
        self.fails("InstanceLimitExceeded", ec2.run_instances, MinCount=1001, MaxCount=1001, **run)
        got = ec2.run_instances(MinCount=1, MaxCount=100000, **run)
        self.assertEqual(len(got["Instances"]), 1000)

    def test_pipelined(self):
        url, _ = self.queue()
        one = self.open()
        for i in range(3):
            one.sendall(b"".join(self.request("SendMessage", QueueUrl=url, MessageBody="b")
                                 for _ in range(20)))
        text = b""
        while text.count(b"HTTP/1.1 200") < 60:
            more = one.recv(65536)
            self.assertTrue(more)
            text += more
        one.close()

    def test_pipelined_in_order(self):
        one = self.open()
        one.sendall(b"".join(self.request("GetQueueUrl", QueueName="none-%d" % i) + b"GET /%d "
                             b"HTTP/1.1\r\n\r\n" % i if i % 9 == 0 else
                             self.request("CreateQueue", QueueName="order-%d" % i)
                             for i in range(300)))
        text = b""
        while text.count(b"HTTP/1.1 ") < 300 + 34:
            text += one.recv(65536)
        got = [int(n) for n in re.findall(rb'/order-(\d+)"', text)]
        self.assertEqual(got, [i for i in range(300) if i % 9])
        one.close()

    def test_one_segment_an_answer(self):
        """Of every service and of errors; two writes would be two segments."""
        url, _ = self.queue()
        asked = [self.request("SendMessage", QueueUrl=url, MessageBody="x" * 2000),
                 self.request("ReceiveMessage", QueueUrl=url, VisibilityTimeout=0),
                 self.request("NoSuchAction"), b"GET /latest/meta-data/ HTTP/1.1\r\n\r\n"]
        asked += [("GET /?Action=%s HTTP/1.1\r\nHost: x\r\n\r\n" % a).encode() for a in (
            "ListQueues&Version=2012-11-05", "ListDomains&Version=2009-04-15",
            "DescribeInstances&Version=2016-11-15", "GetCallerIdentity&Version=2011-06-15",
            "Select&Version=2009-04-15&SelectExpression=x")]
        one = self.open()
        for _ in range(10):
            for request in asked:
                one.sendall(request)
                reply = http.client.HTTPResponse(one)
                reply.begin()
                reply.read()
        # struct tcp_info: tcpi_data_segs_in stands at byte 152.
        info = one.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 192)
        self.assertEqual(struct.unpack_from("I", info, 152)[0], 10 * len(asked))
        one.close()

    def memory_kib(self):
        with open("/proc/%d/status" % self.mock.proc.pid) as status:
            return int(re.search(r"VmRSS:\s+(\d+)", status.read()).group(1))

    def stuff(self, request, limit):
        """Sends until nothing more is taken for a while; how many bytes were."""
        one, took = self.open(), 0
        one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
        one.settimeout(0.5)
        try:
            while took < limit:
                took += one.send(request * 100)
        except socket.timeout:
            pass
        return one, took

    def test_pipelined_behind_a_wait(self):
        """64 KiB wait behind a long poll; the rest stays with the kernel and the client."""
        url, receive = self.queue()
        before = self.memory_kib()
        request = self.request("GetQueueUrl", QueueName="none")
        one = self.open()
        one.sendall(receive)
        self.wait_for(1)
        one.settimeout(0.5)
        took = 0
        try:
            while took < 64 << 20:
                took += one.send(request * 100)
        except socket.timeout:
            pass
        self.assertLess(took, 32 << 20)
        self.assertLess(self.memory_kib() - before, 1024)
        self.client("sqs").send_message(QueueUrl=url, MessageBody="go")
        one.settimeout(20)
        first = one.recv(65536)
        self.assertIn(b'"Messages"', first)
        one.close()

    def test_answers_that_nobody_takes(self):
        url, _ = self.queue()
        sqs = self.client("sqs")
        for _ in range(4):
            sqs.send_message(QueueUrl=url, MessageBody="x" * 250000)
        receive = self.request("ReceiveMessage", QueueUrl=url, VisibilityTimeout=0,
                               MaxNumberOfMessages=4)
        before = self.memory_kib()
        one, took = self.stuff(receive, 64 << 20)
        self.assertLess(took, 32 << 20)
        # 4 MiB of them and the one that passed the mark; a growing buffer doubles.
        self.assertLess(self.memory_kib() - before, 20 * 1024)
        self.assertIn("ok", self.mock.get("/_jobq/healthz"))
        one.close()
        livelib.wait_for(lambda: self.metric("jobqmock_connections") <= 2, 10, "it is gone")

    def test_bounds(self):
        for bad, status in ((b"GET / HTTP/1.1\r\n" + b"x: y\r\n" * 70 + b"\r\n", b"431"),
                            (b"GET /" + b"x" * 70000 + b" HTTP/1.1\r\n\r\n", b"431"),
                            (b"POST / HTTP/1.1\r\nContent-Length: 99999999\r\n\r\n", b"413"),
                            (b"\x16\x03\x01\x02\x00\r\n\r\n", b"400"),
                            (b"DELETE / HTTP/1.1\r\nHost: x\r\n\r\n", b"405")):
            one = self.open()
            try:
                one.sendall(bad)
                got = one.recv(4096)
            except ConnectionResetError:
                got = b""
            self.assertEqual(got[9:12], status, bad[:40])
            one.close()
        self.assertIn("ok", self.mock.get("/_jobq/healthz"))


if __name__ == "__main__":
    unittest.main()
