"""jobqmock under mixed load: SQS in both protocols, FIFO and standard, SimpleDB, EC2, faults
that change all the time, clients that hang up anywhere, malformed requests. It does not end,
its memory is flat once the load is steady, and a reader that took no part finds every
message, row and box that was acknowledged. Argument: seconds (30). SOAK_STATE=1: with --state."""
import os
import re
import sys
import tempfile
import time

import livelib
from livelib import check
from mock_load import ACCOUNT, client
from mock_load_harm import Faults, Vandal
from mock_load_more import Admin, Boxes, Rows
from mock_load_sqs import Book, Groups, Json, Messages, Query

JITTER_KIB = 2048  # what the resident memory of a steady load may move by


def memory_kib(pid):
    with open("/proc/%d/status" % pid) as status:
        return int(re.search(r"VmRSS:\s+(\d+)", status.read()).group(1))


def median(values):
    return sorted(values)[len(values) // 2]


class Soak:
    def __init__(self, seconds):
        self.state = tempfile.TemporaryDirectory(prefix="jobq-soak-") \
            if os.environ.get("SOAK_STATE") == "1" else None
        options = ["--state", self.state.name + "/state"] if self.state else []
        self.mock, self.seconds = livelib.Mock(*options, signed=False), seconds
        url = self.mock.url
        self.sqs, self.sdb, self.ec2 = (client(url, s) for s in ("sqs", "sdb", "ec2"))
        self.sqs.create_queue(QueueName="soak")
        # What vandals send is not taken away by anybody.
        self.sqs.create_queue(QueueName="junk", Attributes={"MessageRetentionPeriod": "60"})
        self.sqs.create_queue(QueueName="soak.fifo", Attributes={"FifoQueue": "true"})
        for name in ("soak", "junk"):
            self.sdb.create_domain(DomainName=name)
        self.start = time.monotonic()
        end = self.start + seconds
        self.book, self.groups = Book(), Book()
        self.fifo = [Groups(url, n, end, self.groups, Query)
                     for n in (11, 12)]
        self.rows = [Rows(url, n, end) for n in (21, 22)]
        self.boxes = Boxes(url, 31, end)
        self.load = [Messages(url, 1, end, self.book, Json),
                     Messages(url, 2, end, self.book, Json),
                     Messages(url, 3, end, self.book, Query)]
        self.load += self.fifo + self.rows + [self.boxes, Admin(url, 32, end)]
        self.vandals = [Vandal(url, n, end) for n in (41, 42)]
        self.faults = Faults(url, 51, end)
        self.samples = []

    def run(self):
        threads = self.load + self.vandals + [self.faults]
        for thread in threads:
            thread.start()
        every = max(1, self.seconds / 360)
        while any(thread.is_alive() for thread in threads):
            time.sleep(every)
            code = self.mock.proc.poll()
            check(code is None, "jobqmock ended by itself with %s\n%s" % (code, self.said()))
            for thread in threads:
                check(not thread.broken, thread.broken)
            at = time.monotonic() - self.start
            self.samples.append((at, memory_kib(self.mock.proc.pid),
                                 len(os.listdir("/proc/%d/fd" % self.mock.proc.pid))))
            if len(self.samples) % 12 == 1:
                print("%6.0f s: %d calls, %d KiB resident, %d descriptors, %d messages left; "
                      "models: %s" % (
                          at, sum(t.calls for t in threads), *self.samples[-1][1:],
                          self.book.left + self.groups.left, self.model_bytes()), flush=True)
        self.mock.faults("off")

    def model_bytes(self):
        try:
            return ", ".join(re.findall(r'^jobqmock_model_bytes{service="(\w+"} \d+)$',
                                        self.mock.get("/metrics"), re.M)).replace('"}', "")
        except OSError:
            return "not told"

    def said(self):
        with open(self.mock.said) as said:
            return said.read()[-4000:]

    def drain(self, queue):
        """Everything in the queue, in the order in which it comes."""
        url, got = "%s/%s/%s" % (self.mock.url, ACCOUNT, queue), []
        while True:
            more = self.sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10,
                                            VisibilityTimeout=43200).get("Messages", [])
            if not more:
                return [one["Body"].split(":")[0] for one in got]
            got += more
            if queue.endswith(".fifo"):  # a group goes on when its first ones are gone
                self.sqs.delete_message_batch(QueueUrl=url, Entries=[
                    {"Id": str(i), "ReceiptHandle": one["ReceiptHandle"]}
                    for i, one in enumerate(more)])

    def check_messages(self):
        self.mock.get("/_jobq/clock", b"advance=1h")
        for book, queue in ((self.book, "soak"), (self.groups, "soak.fifo")):
            there = self.drain(queue)
            check(len(set(there)) == len(there), queue + ": a message is there twice")
            missing = book.sent - book.deleted - book.unsure - set(there)
            check(not missing, "%d acknowledged messages lost: %s" % (
                len(missing), sorted(missing)[:3]))
            check(not book.refused & set(there), "refused, and there")
            if queue.endswith(".fifo"):
                rank = {key: number for one in self.fifo for number, key in one.order}
                last = {}
                for key in filter(rank.get, there):
                    group = self.fifo[0].group(key)
                    check(rank[key] > last.get(group, 0), "out of order: " + key)
                    last[group] = rank[key]

    def check_rows(self):
        there, token = {}, None
        while True:
            more = {"NextToken": token} if token else {}
            page = self.sdb.select(SelectExpression="select * from `soak` limit 500",
                                   ConsistentRead=True, **more)
            for item in page.get("Items", []):
                check(len(item["Attributes"]) == 1, "a row of two values: " + item["Name"])
                there[item["Name"]] = item["Attributes"][0]["Value"]
            token = page.get("NextToken")
            if not token:
                break
        for worker in self.rows:
            for item, may in worker.may.items():
                check(there.get(item) in may, "row %s holds %s, not %s" % (
                    item, there.get(item), may))
        return len(there)

    def check_boxes(self):
        there = {}
        for page in self.ec2.get_paginator("describe_instances").paginate(
                Filters=[{"Name": "tag:load", "Values": ["31"]}]):
            for reservation in page["Reservations"]:
                for box in reservation["Instances"]:
                    there[box["InstanceId"]] = (
                        box["State"]["Name"], {t["Key"]: t["Value"] for t in box["Tags"]})
        tokens = [tags["token"] for _, tags in there.values()]
        check(len(set(tokens)) == len(tokens), "one ClientToken launched twice")
        for box, token in self.boxes.boxes.items():
            check(box in there or box in self.boxes.dead, "box lost: " + box)
            if box not in there:
                continue  # terminated an hour ago: forgotten, as EC2 does
            state, tags = there[box]
            check(tags["token"] == token, "another box's tags: " + box)
            check(tags.get("n") in self.boxes.tags.get(box, {None}), "a tag lost: " + box)
            check((state in ("shutting-down", "terminated")) or box not in self.boxes.dead,
                  "terminated, and " + state)
        return len(there)

    def check_memory(self):
        """From the first quarter on (but at most 5 minutes, in which FIFO deduplication
        fills up) the memory stays where it is."""
        settled = min(300, self.seconds / 4)
        steady = [kib for at, kib, _ in self.samples if at >= settled]
        tenth = max(1, len(steady) // 10)
        first, last = median(steady[:tenth]), median(steady[-tenth:])
        print("resident: %d KiB at the start, %d at %.0f s, %d at the end, %d at most; "
              "descriptors: %d at most" % (self.samples[0][1], first, settled, last,
                                           max(s[1] for s in self.samples),
                                           max(s[2] for s in self.samples)))
        if self.seconds >= 600:
            check(last - first <= JITTER_KIB, "memory grew by %d KiB" % (last - first))

    def check_end(self):
        """The vandals have gone; a worker keeps a connection or two."""
        for name, most in (("long_polls", 0), ("connections", 2 * len(self.load) + 10)):
            livelib.wait_for(lambda: self.metric(name) <= most, 20,
                             "%d %s that nobody holds" % (self.metric(name), name))
        check(self.mock.proc.poll() is None, "jobqmock ended by itself\n" + self.said())
        self.mock.proc.terminate()
        code = self.mock.proc.wait()
        check(code == 0, "jobqmock ended with %d\n%s" % (code, self.said()))

    def metric(self, name):
        return int(re.search(r"^jobqmock_%s (\d+)$" % name, self.mock.get("/metrics"),
                             re.M).group(1))

    def report(self, rows, boxes):
        ledger = self.mock.ledger()
        counts = {}
        for line in self.mock.get("/metrics").splitlines():
            found = re.match(r'jobqmock_(requests|failed|throttled)_total\{service="(\w+)"',
                             line)
            if found:
                counts[found.groups()] = counts.get(found.groups(), 0) + int(
                    line.rsplit(" ", 1)[1])
        requests = sum(n for (what, _), n in counts.items() if what == "requests")
        failed = sum(n for (what, _), n in counts.items() if what == "failed")
        print("%d s: %d requests (%s) and %d of no known action, %d answered by an error; %d "
              "clients' calls refused, %d without an answer; %d connections of vandals; %d "
              "changes of faults" % (
                  self.seconds, requests, ", ".join(
                      "%s %d" % (service, n) for (what, service), n in sorted(counts.items())
                      if what == "requests"), ledger["other_requests"], failed,
                  sum(t.refusals for t in self.load), sum(t.silences for t in self.load),
                  sum(t.calls for t in self.vandals), self.faults.calls))
        for name, book in (("standard", self.book), ("FIFO", self.groups)):
            print("%s: %d acknowledged, %d received, %d deleted, %d deletes unsure, %d refused"
                  "; none lost" % (name, len(book.sent), book.received, len(book.deleted),
                                   len(book.unsure), len(book.refused)))
        print("%d rows, %d boxes (%d launched): all as acknowledged" % (
            rows, boxes, len(self.boxes.boxes)))
        if self.state:
            print("state: " + ", ".join("%s of %d KiB" % (
                name, os.path.getsize(os.path.join(self.state.name, name)) // 1024)
                for name in sorted(os.listdir(self.state.name))))


def main():
    soak = Soak(float(sys.argv[1]) if len(sys.argv) > 1 else 30)
    soak.run()
    check(sum(t.refusals for t in soak.load) > 0 and sum(t.silences for t in soak.load) > 0,
          "no fault was injected")
    rows, boxes = soak.check_rows(), soak.check_boxes()
    soak.check_messages()
    soak.report(rows, boxes)
    soak.check_memory()
    soak.check_end()


main()
