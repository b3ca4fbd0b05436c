"""jobqmock under mixed load with random faults, lost replies, disconnects and malformed
requests: it neither ends nor loses a message it acknowledged, and its memory returns.
Argument: seconds (30)."""
import random
import socket
import sys
import threading
import time

import boto3
import botocore.exceptions
from botocore.config import Config

import livelib
from livelib import check

ERRORS = (botocore.exceptions.BotoCoreError, botocore.exceptions.ClientError)


def client(mock):
    return boto3.client("sqs", region_name="us-east-1", endpoint_url=mock.url,
                        aws_access_key_id="a", aws_secret_access_key="b",
                        config=Config(retries={"max_attempts": 0}, read_timeout=10))


class Worker(threading.Thread):
    """Sends and consumes; `sent` and `deleted` are what was acknowledged."""

    def __init__(self, mock, number, end):
        super().__init__()
        self.sqs, self.number, self.end = client(mock), number, end
        self.url = mock.url + "/123456789012/soak"
        self.random = random.Random(number)
        self.sent, self.deleted, self.unsure, self.failed = set(), set(), set(), 0

    def run(self):
        i = 0
        while time.monotonic() < self.end:
            i += 1
            body, asked = "%d-%d" % (self.number, i), set()
            try:
                if self.random.random() < 0.6:
                    self.sqs.send_message(QueueUrl=self.url, MessageBody=body)
                    self.sent.add(body)
                    continue
                got = self.sqs.receive_message(
                    QueueUrl=self.url, MaxNumberOfMessages=10, VisibilityTimeout=2,
                    WaitTimeSeconds=self.random.randrange(2)).get("Messages", [])
                for one in got[:6]:
                    asked = {one["Body"]}
                    self.sqs.delete_message(QueueUrl=self.url,
                                            ReceiptHandle=one["ReceiptHandle"])
                    self.deleted.add(one["Body"])
                    asked = set()
            except ERRORS:
                self.failed += 1
                self.unsure |= asked


class Vandal(threading.Thread):
    """Half requests, junk, long polls left alone."""

    def __init__(self, mock, end):
        super().__init__()
        self.mock, self.end, self.random = mock, end, random.Random(99)

    def run(self):
        host, port = self.mock.url[7:].split(":")
        poll = ("GET /?Action=ReceiveMessage&WaitTimeSeconds=20&QueueUrl=%s/123456789012/empty"
                "&Version=2012-11-05 HTTP/1.1\r\nHost: x\r\n\r\n" % self.mock.url).encode()
        while time.monotonic() < self.end:
            one = socket.create_connection((host, int(port)), timeout=5)
            data = bytearray(poll)
            for _ in range(self.random.randrange(6)):
                data[self.random.randrange(len(data))] = self.random.randrange(256)
            one.sendall(bytes(data[:self.random.randrange(1, len(data) + 1)]))
            time.sleep(0.01)
            one.close()


def main():
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 30
    mock = livelib.Mock(signed=False)
    reader = client(mock)
    for name in ("soak", "empty"):
        reader.create_queue(QueueName=name)
    mock.faults("error=0.02; drop=0.02; lost=0.02; sqs.throttle=0.02; latency=exp:1ms; "
                "duplicate=0.01; short_poll=on")
    end = time.monotonic() + seconds
    workers = [Worker(mock, n, end) for n in range(4)]
    for thread in workers + [Vandal(mock, end)]:
        thread.start()
    for worker in workers:
        worker.join()
    mock.faults("off")
    mock.get("/_jobq/clock", b"advance=1h")
    there = set()
    while True:
        got = reader.receive_message(QueueUrl=mock.url + "/123456789012/soak",
                                     MaxNumberOfMessages=10, VisibilityTimeout=43200)
        if not got.get("Messages"):
            break
        there |= {one["Body"] for one in got["Messages"]}
    sent = set().union(*(w.sent for w in workers))
    deleted = set().union(*(w.deleted for w in workers))
    unsure = set().union(*(w.unsure for w in workers))
    lost = sent - deleted - unsure - there
    check(not lost, "%d acknowledged messages lost: %s" % (len(lost), sorted(lost)[:3]))
    check(sum(w.failed for w in workers) > 0, "no fault was injected")
    check(mock.proc.poll() is None, "jobqmock ended by itself")
    mock.proc.terminate()
    check(mock.proc.wait() == 0, "jobqmock ended with %s" % mock.proc.returncode)
    print("%g s: %d sent, %d deleted, %d left, %d calls failed; none lost" % (
        seconds, len(sent), len(deleted), len(there), sum(w.failed for w in workers)))


main()
