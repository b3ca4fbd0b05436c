"""jobqmock under more half-sent big requests and untaken answers than it may hold: the largest
end, a 503 to those that still listen; its memory stays bounded; who waits in a long poll and who
sends a small request does not notice. Argument: how many half-sent requests (2000)."""
import json
import re
import socket
import sys
import threading
import time

import livelib
from livelib import check

BUDGET_MIB, HALF = 64, 1 << 20
HOLDERS, UNTAKEN = int(sys.argv[1]) if len(sys.argv) > 1 else 2000, 60


def memory_mib(mock):
    with open("/proc/%d/status" % mock.proc.pid) as status:
        return int(re.search(r"VmRSS:\s+(\d+)", status.read()).group(1)) / 1024


def connect(mock, take=None):
    host, port = mock.url[7:].split(":")
    one = socket.socket()
    if take:
        one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, take)
    one.settimeout(30)
    one.connect((host, int(port)))
    return one


def request(action, **params):
    body = json.dumps(params).encode()
    return b"POST / HTTP/1.1\r\nHost: x\r\nX-Amz-Target: AmazonSQS.%s\r\n" \
        b"Content-Length: %d\r\n\r\n%s" % (action.encode(), len(body), body)


class Good(threading.Thread):
    """Sends and receives small messages, each over a new connection."""

    def __init__(self, mock):
        super().__init__(daemon=True)
        self.mock, self.done, self.slowest, self.end, self.failed = mock, 0, 0, False, None

    def once(self):
        one = connect(self.mock)
        one.sendall(request("SendMessage", QueueUrl="small", MessageBody="x" * 200))
        reply = one.recv(65536)
        check(b"MD5OfMessageBody" in reply, "a small request got %r" % reply[:80])
        one.close()

    def run(self):
        while not self.end:
            start = time.monotonic()
            try:
                self.once()
            except (OSError, SystemExit) as error:
                self.failed = error
                return
            self.slowest = max(self.slowest, time.monotonic() - start)
            self.done += 1


def half_sent(mock, good):
    """Sends half of HOLDERS requests of 2 MiB."""
    holders, refused = [], 0
    head = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % (2 * HALF)
    for _ in range(HOLDERS):
        one = connect(mock)
        try:
            one.sendall(head + bytes(HALF))
        except OSError:
            refused += 1
        holders.append(one)
        check(not good.failed, "a small request failed: %s" % good.failed)
    most = memory_mib(mock)
    for one in holders:
        one.settimeout(0)
        try:
            refused += b" 503 " in one.recv(1000)
        except OSError:
            pass
        one.close()
    return refused, most


def untaken(mock, good):
    """Asks for answers of 5 MB and takes none."""
    for _ in range(5):
        one = connect(mock)
        one.sendall(request("SendMessage", QueueUrl="big", MessageBody="x" * 1000000))
        one.recv(65536)
        one.close()
    holders, most = [], 0
    for _ in range(UNTAKEN):
        one = connect(mock, 4096)
        one.sendall(request("ReceiveMessage", QueueUrl="big", MaxNumberOfMessages=10,
                            VisibilityTimeout=0))
        holders.append(one)
        most = max(most, memory_mib(mock))
        check(not good.failed, "a small request failed: %s" % good.failed)
    for one in holders:
        one.close()
    return most


def main():
    mock = livelib.Mock("--max-buffers", "%dMiB" % BUDGET_MIB, signed=False)
    mock.get("/_jobq/clock", b"speed=0.001")  # a long poll outlasts the test
    waiter = connect(mock)
    for queue in ("small", "big", "none"):
        waiter.sendall(request("CreateQueue", QueueName=queue))
        waiter.recv(65536)
    waiter.sendall(request("ReceiveMessage", QueueUrl="none", WaitTimeSeconds=20))
    good = Good(mock)
    good.start()
    before = memory_mib(mock)
    refused, halves = half_sent(mock, good)
    ended = mock.metric("jobqmock_overloads_total")
    answers = untaken(mock, good)
    good.end = True
    good.join()
    # The models' own part is small; the allocator may keep as much again as it gave out.
    check(max(halves, answers) - before < 2 * BUDGET_MIB,
          "%d MiB, then %d, then %d" % (before, halves, answers))
    check(not good.failed and good.done > 20, "%d small requests, then %s" % (
        good.done, good.failed))
    check(mock.metric("jobqmock_long_polls") == 1, "the long poll ended")
    mock.get("/_jobq/clock", b"advance=21s")
    check(b"200 OK" in waiter.recv(1000), "the long poll was not answered")
    check(ended >= HOLDERS - BUDGET_MIB and refused >= ended * 0.9,
          "%d ended, %d of them told" % (ended, refused))
    check(mock.metric("jobqmock_overloads_total") > ended, "no untaken answer was dropped")
    check(mock.metric("jobqmock_buffer_bytes") <= BUDGET_MIB << 20, "more than allowed")
    print("resident: %d MiB before, %d under %d half-sent requests, %d under %d untaken "
          "answers; %d ended; %d small requests beside them, the slowest %.0f ms" % (
              before, halves, HOLDERS, answers, UNTAKEN, mock.metric("jobqmock_overloads_total"),
              good.done, 1000 * good.slowest))


main()
