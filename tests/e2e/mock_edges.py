"""jobqmock against clients that hang up, wait, trickle, shout and pipeline."""
import json
import os
import re
import socket
import time
import unittest

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
