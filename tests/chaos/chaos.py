#!/usr/bin/python3
"""Real drainers and enqueuers on jobqmock, under random faults, and an independent reader of
what they did.

usage: chaos.py [ROUNDS [SEED]]   rounds of seeds SEED, SEED+1, ..., several side by side
       chaos.py --round SEED      one round, with its story
STORE=simpledb|dynamodb and ROWS=all|claim|end|none in the environment: where rows are kept and
which are written; without them a seed chooses, even ones SimpleDB and odd ones DynamoDB.

A round: three drainers that a supervisor starts again whenever they end, enqueuers that come
and go, jobqmock with --state, and a proxy between them. For some seconds dice of the round's
seed kill (9), stop past the visibility timeout, terminate, lose replies, cut them, hold them
back so that they come out of order, apply requests late or twice, refuse permissions and give
them back, kill and restart jobqmock, kill an enqueuer between a job's row and its message, fill
the disk under an enqueuer's journal, and step the clock of a drainer by up to three hours
(libfaketime; where it cannot be preloaded, that is said and left out). Then the faults end, and
the fleet has a minute to finish; batches with a journal are resumed.

Jobs are commands that write their own starts and ends to a log. Of that log, of the rows and
of the writes that jobqmock accepted the reader asks:
 - every job that an enqueuer acknowledged, and every other row that there is, ended as done;
   where there are no rows: it was run to its end
 - the queue and its dead-letter queue are empty
 - only one end of a job was stored, and no command was started after it. With ROWS=end a message's
   first delivery is run unseen, and each later one only behind a look at the row that came
   before the end
 - no attempt of a job was started twice, and none more than a moment after a later one, but what
   was given back; where a claim has no row, a job may run twice at once
 - no process of a drainer outlives it by more than a moment
 - a refusal that a program got is in some program's log, in the service's words
 - drainers end by a signal, by TERM (0) or because they were refused (77), never otherwise
 - a batch with a journal, once it is resumed, has a job for each of its lines

Of many rounds it also says how often each fault struck; in 50 rounds each must have."""
import collections
import glob
import itertools
import json
import os
import random
import re
import resource
import signal
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "e2e"))
import livelib
from livelib import JOBQ
from mocklib import Kept
from proxy import Proxy, denied, form

DRAINERS, SLOTS, VISIBILITY_S = 3, 4, 3
CHAOS_S, SETTLE_S, ORPHAN_S, RESTART_S = 7.0, 60.0, 2.0, 0.3
# A job notes its start this long, at most, after the drainer's last look at its claim. A drainer
# that was paused between the two starts an attempt beside its successor: delivery is at least once.
STARTUP = 0.02
QUEUE = "chaos"
JOB = """#!/bin/bash
# Notes when this attempt starts and ends; $1 is the log.
while IFS== read -r key value || [ -n "$key" ]; do [ "$key" = ms ] && ms=$value; done
echo "start $JOBQ_JOB_ID $JOBQ_ATTEMPT $CHAOS_DRAINER $EPOCHREALTIME" >> "$1"
sleep "$((ms / 1000)).$(printf %03d $((ms % 1000)))"
echo "end $JOBQ_JOB_ID $JOBQ_ATTEMPT $CHAOS_DRAINER $EPOCHREALTIME" >> "$1"
"""
FAKETIME = next(iter(glob.glob("/usr/lib/*/faketime/libfaketimeMT.so.1")), None)
CLOCK_S, JOURNALED = 3 * 3600, 60  # a clock is wrong by so much at most; lines of a batch with a journal
FAULTS = ("again", "clock", "cut", "delay", "denied", "full disk", "kill", "late", "lost", "orphan row", "refuse",
          "restart", "slow", "stop", "terminate")
PERMISSIONS = {"sqs:ReceiveMessage": "ReceiveMessage", "sqs:DeleteMessage": "DeleteMessage(Batch)?",
               "sqs:ChangeMessageVisibility": "ChangeMessageVisibility(Batch)?",
               "sqs:SendMessage": "SendMessage(Batch)?"}
STORES = ("simpledb", "dynamodb")
ROWS = ("all", "claim", "all", "end", "all", "none")  # as they are drawn
WRITES = {"simpledb": {"sdb:PutAttributes": "PutAttributes", "sdb:BatchPutAttributes": "BatchPutAttributes"},
          "dynamodb": {"dynamodb:UpdateItem": "UpdateItem"}}


def mode_of(seed):
    """(store, rows) of a round: as it was asked for, else as its seed says."""
    store = os.environ.get("STORE") or STORES[seed % len(STORES)]
    rows = os.environ.get("ROWS") or ROWS[seed // len(STORES) % len(ROWS)]
    if store not in STORES or rows not in ROWS:
        sys.exit("chaos: STORE is one of %s, ROWS one of %s" % (", ".join(STORES), ", ".join(sorted(set(ROWS)))))
    return store, rows


def written(call):
    """(row, the claim it now has) of a write to one row that the store took; the claim is "" if it wrote none.
    None of other calls."""
    if call.status != 200 or call.action not in ("PutAttributes", "UpdateItem"):
        return None
    if call.action == "PutAttributes":
        fields = form(call.body)
        row = fields.get("ItemName")
        attrs = {value: fields.get(key[:-len("Name")] + "Value", "") for key, value in fields.items()
                 if re.fullmatch(r"Attribute\.\d+\.Name", key)}
    else:
        said = json.loads(call.body)
        row, names, values = said["Key"]["id"]["S"], said["ExpressionAttributeNames"], said["ExpressionAttributeValues"]
        pairs = [pair.split("=") for pair in said["UpdateExpression"].removeprefix("SET ").split(",")]
        attrs = {names[name]: values[value].get("S", "") for name, value in pairs}
    return row, attrs.get("claim", "")


def clock_env(path):
    """An environment whose clock is off by what stands in the file at path, at once when that
    changes. Deadlines are taken on the monotonic clock, which nobody sets."""
    return {"LD_PRELOAD": FAKETIME, "FAKETIME_TIMESTAMP_FILE": path, "FAKETIME_NO_CACHE": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1", "DONT_FAKE_MONOTONIC": "1"}


def set_clock(path, seconds):
    with open(path + ".new", "w") as out:
        out.write("%+d\n" % seconds)
    os.rename(path + ".new", path)


def clocks_can_be_set():
    """Whether libfaketime is there and works."""
    if not FAKETIME:
        return False
    with tempfile.TemporaryDirectory() as folder:
        set_clock(folder + "/clock", 7200)
        done = subprocess.run(["date", "+%s"], env={**os.environ, **clock_env(folder + "/clock")}, text=True,
                              capture_output=True)
    return done.returncode == 0 and abs(int(done.stdout) - time.time() - 7200) < 60


def of_drainer(mark):
    """The processes that carry the mark of a drainer in their environment."""
    found, want = [], ("CHAOS_DRAINER=" + mark).encode()
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open("/proc/%s/environ" % pid, "rb") as env:
                if want in env.read().split(b"\0"):
                    found.append(int(pid))
        except OSError:
            pass
    return found


class Drainer:
    """One process, and why it ended."""

    def __init__(self, round_, name):
        self.name, self.round, self.told, self.stopped, self.ended_at = name, round_, set(), False, None
        self.log, self.clock = round_.path("drain." + name), round_.path("clock." + name)
        clock = {}
        if round_.clocks:
            set_clock(self.clock, 0)
            clock = clock_env(self.clock)
        with open(self.log, "ab") as out:
            self.process = subprocess.Popen(
                # The job's own clock is right: its log is evidence.
                [JOBQ, "drain", QUEUE, "-n", str(SLOTS), "--exec", "env -u LD_PRELOAD %s %s" % (round_.path("job"), round_.log),
                 "--attempts", "50", "--backoff", "200ms", "--kill-grace", "500ms", "--drain-timeout", "2s",
                 "--wait", "1s", "--stats", "0", "--linger", "200ms", "--json"],
                env={**round_.env, **clock, "CHAOS_DRAINER": name}, cwd=round_.mock.dir, stdout=out, stderr=out)

    def signal(self, number):
        self.told.add(number)
        self.process.send_signal(number)
        self.stopped = number == signal.SIGSTOP

    def said(self):
        with open(self.log, errors="replace") as text:
            return text.read()

    def judge(self, code):
        """It has ended; says what is wrong with how."""
        if code == -signal.SIGKILL and signal.SIGKILL in self.told:
            return
        # Before it has set its handler, TERM ends it; 6 says that its time to finish ran out.
        if signal.SIGTERM in self.told and code in (0, 6, -signal.SIGTERM, 77):
            return
        if code == 77 and "not authorized" in self.said():
            return
        self.round.find("drainer %s ended with %d: %s" % (self.name, code, self.said()[-600:]))


class Round:
    def __init__(self, seed):
        self.dice, self.findings, self.stories = random.Random(seed), [], []
        self.store, self.kept = mode_of(seed)
        self.permissions = {**PERMISSIONS, **(WRITES[self.store] if self.kept != "none" else {})}
        self.begun, self.mock = time.time(), Kept()
        self.proxy = Proxy(self.mock.url, seed, keep="(Batch)?PutAttributes|UpdateItem|GetAttributes|GetItem")
        self.log = self.path("jobs")
        with open(self.path("job"), "w") as script:
            script.write(JOB)
        os.chmod(self.path("job"), 0o755)
        open(self.log, "w").close()
        self.env = {"PATH": os.environ["PATH"], "HOME": self.mock.dir, "AWS_REGION": "us-east-1",
                    "AWS_ENDPOINT_URL": self.proxy.url, "AWS_EC2_METADATA_DISABLED": "true",
                    "JOBQ_STORE": self.store, "JOBQ_ROWS": self.kept, **livelib.KEYS}
        self.acknowledged, self.enqueuers, self.refusals, self.dead = set(), [], [], []
        self.drainers, self.counter, self.open, self.faulty = [], 0, True, True
        self.lock, self.batches, self.struck, self.clocks = threading.Lock(), [], collections.Counter(), clocks_can_be_set()

    def path(self, name):
        return os.path.join(self.mock.dir, name)

    def find(self, text):
        self.findings.append(text)
        self.tell("FINDING " + text.split("\n")[0][:300])

    def tell(self, text):
        self.stories.append("%6.2f %s" % (time.time() - self.begun, text))

    # The supervisor.
    def supervise(self):
        while self.open:
            for i, drainer in enumerate(self.drainers):
                code = drainer.process.poll()
                if code is not None and drainer.ended_at is None:
                    drainer.ended_at = time.monotonic()
                    self.ended(drainer, code)
                elif code is not None and time.monotonic() > drainer.ended_at + RESTART_S:
                    self.drainers[i] = self.new_drainer()
            for mark, deadline in list(self.dead):
                if time.monotonic() > deadline:
                    self.dead.remove((mark, deadline))
                    left = of_drainer(mark)
                    if left:
                        self.find("drainer %s is dead, its processes %s are not" % (mark, left))
            time.sleep(0.1)

    def ended(self, drainer, code):
        self.tell("drainer %s ended with %d" % (drainer.name, code))
        drainer.judge(code)
        self.dead.append((drainer.name, time.monotonic() + ORPHAN_S))

    def new_drainer(self):
        self.counter += 1
        return Drainer(self, "%d.%d" % (os.getpid(), self.counter))

    # Enqueuers, some of which do not live to acknowledge.
    def arrivals(self):
        """Keeps the drainers busy while there are faults."""
        dice = random.Random(self.dice.random())
        while self.faulty:
            self.enqueue(dice, dice.choice([1, 1, 2, 12, 40]))
            time.sleep(dice.expovariate(1.5))

    def enqueue(self, dice, count, kill_after=None):
        lines = "".join("kind=exec ms=%d\n" % dice.choice([20] * 8 + [100] * 6 + [300] * 4 + [1500, 4000]) for _ in range(count))
        with self.lock:
            number = len(self.enqueuers)
            self.enqueuers.append(None)
        args = ["--batch", "-"] if count > 1 else lines.split()
        said = open(self.path("enqueue.%d" % number), "w+")
        err = open(self.path("enqueue.%d.err" % number), "w+")
        process = subprocess.Popen([JOBQ, "enqueue", QUEUE, *args], env=self.env, cwd=self.mock.dir, text=True,
                                   stdin=subprocess.PIPE, stdout=said, stderr=err)
        self.enqueuers[number] = (process, said, err, kill_after is not None)
        try:
            process.stdin.write(lines if count > 1 else "")
            process.stdin.close()
        except OSError:
            pass
        if kill_after is not None:
            time.sleep(kill_after)
            process.kill()

    def enqueuers_end(self):
        for number, (process, said, err, killed) in enumerate(self.enqueuers):
            try:
                code = process.wait(timeout=SETTLE_S)
            except subprocess.TimeoutExpired:
                process.kill()
                self.find("enqueuer %d did not end within %d s" % (number, SETTLE_S))
                continue
            said.seek(0), err.seek(0)
            self.acknowledged.update(line for line in said.read().split("\n")[:-1] if line)
            # Refused or out of patience; what it acknowledged counts all the same.
            if code not in ((-9, 0, 77, 75, 6) if killed else (0, 77, 75, 6)):
                self.find("enqueuer %d ended with %d: %s" % (number, code, err.read()[-600:]))

    # The faults. Each says what it did; none lasts past the round.
    def alive(self):
        return [d for d in self.drainers if d.process.poll() is None and not d.stopped]

    def kill(self):
        for drainer in self.dice.sample(self.alive(), min(1, len(self.alive()))):
            self.tell("kill -9 " + drainer.name)
            self.struck["kill"] += 1
            drainer.signal(signal.SIGKILL)

    def terminate(self):
        for drainer in self.dice.sample(self.alive(), min(1, len(self.alive()))):
            self.tell("TERM " + drainer.name)
            self.struck["terminate"] += 1
            drainer.signal(signal.SIGTERM)

    def stop(self):
        if len(self.alive()) < 2:
            return
        drainer, seconds = self.dice.choice(self.alive()), VISIBILITY_S + self.dice.uniform(0.2, 1.5)
        self.tell("stop %s for %.1f s" % (drainer.name, seconds))
        self.struck["stop"] += 1
        drainer.signal(signal.SIGSTOP)
        threading.Timer(seconds, self.resume, [drainer]).start()

    def resume(self, drainer):
        if drainer.process.poll() is None:
            drainer.signal(signal.SIGCONT)

    def fault(self, action, seconds, **what):
        rule = self.proxy.rule(action, **what)
        time.sleep(seconds)
        self.proxy.remove(rule)
        self.struck[rule.verb] += rule.struck
        self.tell("%s %s for %.1f s: %d times" % (rule.verb, action, seconds, rule.struck))

    def lose(self):
        self.fault(self.dice.choice([".*", "PutAttributes|UpdateItem", "ReceiveMessage", "DeleteMessage.*", "SendMessage.*"]),
                   self.dice.uniform(0.5, 1.5), lost=True, chance=self.dice.choice([0.3, 1.0]))

    def late(self):
        draw = random.Random(self.dice.random())
        self.fault(self.dice.choice(["(Batch)?PutAttributes|UpdateItem", "SendMessage.*", "DeleteMessage.*", "ChangeMess.*", ".*"]),
                   self.dice.uniform(0.5, 1.5), late=lambda: draw.uniform(0.5, 6), chance=0.3)

    def slow(self):
        draw = random.Random(self.dice.random())
        verb = self.dice.choice(["delay", "slow"])
        self.fault(".*", self.dice.uniform(0.5, 2), chance=0.5, **{verb: lambda: draw.expovariate(1 / 0.7)})

    def outage(self):
        self.fault(".*", self.dice.uniform(0.5, 2), refuse=(503, {"Content-Type": "text/html"}, "<html>unavailable</html>"))

    def refuse(self):
        permission = self.dice.choice(list(self.permissions))
        # Its own resource tells this refusal from all others.
        words = "%s on resource: chaos-%d" % (permission, len(self.refusals))
        rule = self.proxy.rule(self.permissions[permission], refuse=denied(words))
        time.sleep(self.dice.uniform(1, 3))
        self.proxy.remove(rule)
        self.refusals.append((words, rule))
        self.struck["denied"] += rule.struck
        self.tell("refused %s: %d times" % (words, rule.struck))

    def restart(self):
        self.tell("jobqmock: kill -9")
        self.struck["restart"] += 1
        self.mock.kill()
        time.sleep(self.dice.uniform(0, 1))
        self.mock.start()

    def orphan_row(self):
        """An enqueuer that dies between a job's row and its message."""
        rule = self.proxy.rule("SendMessage(Batch)?", drop=True)
        self.enqueue(self.dice, self.dice.choice([1, 30]), kill_after=self.dice.uniform(0.3, 0.8))
        self.proxy.remove(rule)
        self.struck["orphan row"] += rule.struck
        self.tell("enqueuer killed before its %d messages" % rule.struck)

    def cut(self):
        draw = random.Random(self.dice.random())
        self.fault(self.dice.choice([".*", "PutAttributes|UpdateItem", "ReceiveMessage", "DeleteMessage.*", "SendMessage.*"]),
                   self.dice.uniform(0.5, 1.5), chance=0.5, cut=draw.random)

    def again(self):
        draw = random.Random(self.dice.random())
        self.fault(self.dice.choice(["(Batch)?PutAttributes|UpdateItem", "SendMessage.*", "DeleteMessage.*", "ChangeMess.*", ".*"]),
                   self.dice.uniform(0.5, 1.5), chance=0.3, again=lambda: draw.uniform(0, 3))

    def step(self):
        if not self.clocks or not self.alive():
            return
        drainer, seconds = self.dice.choice(self.alive()), self.dice.randint(-CLOCK_S, CLOCK_S)
        self.struck["clock"] += 1
        self.tell("clock of %s is wrong by %+d s" % (drainer.name, seconds))
        set_clock(drainer.clock, seconds)

    def full_disk(self):
        """A batch whose journal finds no room; the same command ends it in the settling."""
        path, room = self.path("batch.%d" % len(self.batches)), self.dice.randint(1, 4500)
        with open(path, "w") as out:
            out.writelines("kind=exec ms=20\n" for _ in range(JOURNALED))

        def limit():
            resource.setrlimit(resource.RLIMIT_FSIZE, (room, room))
        # SIGXFSZ stays ignored, as it is in Python: a write past the limit fails, as on a full disk.
        try:
            done = subprocess.run([JOBQ, "enqueue", QUEUE, "--batch", path], env=self.env, cwd=self.mock.dir, text=True,
                                  capture_output=True, preexec_fn=limit, restore_signals=False, timeout=20)
            code = done.returncode
            self.acknowledged.update(done.stdout.split("\n")[:-1])
            if code not in (0, 6, 75, 77):
                self.find("enqueue with %d bytes of disk ended with %d: %s" % (room, code, done.stderr[-600:]))
        except subprocess.TimeoutExpired:
            code = "a kill"
        if code != 0:
            self.struck["full disk"] += 1
            self.batches.append(path)
        self.tell("%d bytes of disk under a journal: %s" % (room, code))

    def resume_batches(self):
        for path in self.batches:
            done = subprocess.run([JOBQ, "enqueue", QUEUE, "--batch", path], env=self.quiet(), cwd=self.mock.dir, text=True,
                                  capture_output=True, timeout=60)
            ids = done.stdout.split()
            if done.returncode or len(set(ids)) != JOURNALED or len(ids) != JOURNALED:
                self.find("%s, resumed: exit %d, %d ids of %d lines: %s" % (
                    path, done.returncode, len(set(ids)), JOURNALED, done.stderr[-500:]))
            self.acknowledged.update(ids)

    def chaos(self):
        faults = [self.kill] * 3 + [self.terminate] * 2 + [self.stop] * 2 + [self.lose] * 3 + [self.late] * 3 + [
            self.slow] * 2 + [self.refuse] * 3 + [self.restart] + [self.orphan_row] * 2 + [self.outage] + [
            self.cut] * 2 + [self.again] * 2 + [self.step] * 2 + [self.full_disk]
        arrivals = threading.Thread(target=self.arrivals)
        arrivals.start()
        until = time.monotonic() + CHAOS_S
        while time.monotonic() < until:
            time.sleep(self.dice.expovariate(1 / 0.3))
            self.dice.choice(faults)()
        self.faulty = False
        arrivals.join()

    # The end.
    def quiet(self):
        """jobq, past the proxy."""
        return {**self.env, "AWS_ENDPOINT_URL": self.mock.url}

    def rows(self):
        done = subprocess.run([JOBQ, "list", QUEUE, "--json"], env=self.quiet(), capture_output=True, text=True, timeout=60)
        if done.returncode:
            self.find("jobq list: exit %d: %s" % (done.returncode, done.stderr[-500:]))
            return {}
        return {row["id"]: row for row in json.loads(done.stdout)["jobs"]}

    def left(self):
        with urllib.request.urlopen(self.mock.url + "/metrics", timeout=10) as reply:
            return sum(int(line.split()[-1]) for line in reply.read().decode().split("\n")
                       if line.startswith('jobqmock_queue_messages{region="us-east-1",queue="%s"' % QUEUE))

    def settle(self):
        self.tell("faults end")
        self.proxy.clear()
        for drainer in self.drainers:
            self.resume(drainer)
        self.enqueuers_end()
        self.resume_batches()
        until = time.monotonic() + SETTLE_S
        repair = self.kept != "none"
        while time.monotonic() < until:
            if self.proxy.late == 0 and self.left() == 0:
                if not repair:
                    return
                repair = False
                self.repair()
            time.sleep(0.1)
        self.find("after %d s the queue still holds %d messages" % (SETTLE_S, self.left()))

    def repair(self):
        done = subprocess.run([JOBQ, "repair", QUEUE], env=self.quiet(), capture_output=True, text=True, timeout=60)
        self.tell("repair: " + (done.stdout + done.stderr).strip())
        if done.returncode:
            self.find("jobq repair: exit %d: %s" % (done.returncode, done.stderr[-500:]))

    def close(self):
        self.open = False
        self.supervisor.join()
        for drainer in self.drainers:
            if drainer.process.poll() is None:
                drainer.signal(signal.SIGTERM)
        for drainer in self.drainers:
            try:
                code = drainer.process.wait(timeout=10)
                if drainer.ended_at is None:
                    self.ended(drainer, code)
            except subprocess.TimeoutExpired:
                self.find("drainer %s did not end within 10 s of TERM" % drainer.name)
                drainer.process.kill()
                drainer.process.wait()
        until = time.monotonic() + ORPHAN_S
        while self.dead and time.monotonic() < until:
            self.dead = [(mark, at) for mark, at in self.dead if of_drainer(mark)]
            time.sleep(0.1)
        for mark, _ in self.dead:
            self.find("drainer %s is dead, its processes %s are not" % (mark, of_drainer(mark)))

    def judge(self):
        starts, ended = self.read_log()
        rows, stored, reads = {}, collections.defaultdict(list), collections.defaultdict(list)
        for call in self.proxy.calls:
            if call.action == "GetAttributes":
                reads[form(call.body).get("ItemName")].append(call.begun)
            elif call.action == "GetItem":
                reads[json.loads(call.body)["Key"]["id"]["S"]].append(call.begun)
            row, claim = written(call) or (None, "")
            if claim.startswith("done "):
                stored[row].append(call.ended)
        if self.kept == "none":
            for job in self.acknowledged - ended:
                self.find("acknowledged job %s was not run to its end" % job)
        else:
            rows = self.rows()
            lost = self.acknowledged - set(rows)
            if lost:
                self.find("%d acknowledged jobs have no row: %s" % (len(lost), sorted(lost)[:3]))
        for job, row in rows.items():
            if row["state"] != "done":
                self.find("%s job %s is %s" % ("acknowledged" if job in self.acknowledged else "other", job, row["state"]))
            elif len(stored[job]) > 1:  # none: jobqmock was killed before it could say so
                self.find("the end of %s was stored %d times" % (job, len(stored[job])))
        letters = json.loads(subprocess.run([JOBQ, "dlq", "ls", QUEUE, "--json"], env=self.quiet(), text=True,
                                            capture_output=True, timeout=60).stdout or '{"jobs": []}')["jobs"]
        if letters:
            self.find("%d dead letters: %s" % (len(letters), letters[0]))
        self.judge_starts(starts, stored, reads)
        for words, rule in self.refusals:
            if rule.struck and not any(words in text for text in self.all_logs()):
                self.find("refused %d times and said nowhere: %s" % (rule.struck, words))
        return rows

    def read_log(self):
        """The starts of each job, (when, attempt, drainer), and the jobs that came to their end."""
        starts, ended = collections.defaultdict(list), set()
        with open(self.log) as lines:
            for line in lines:
                what, job, attempt, drainer, at = line.split()
                if what == "start":
                    starts[job].append((float(at), int(attempt), drainer))
                else:
                    ended.add(job)
        self.attempts = sum(map(len, starts.values()))
        return starts, ended

    def judge_starts(self, starts, stored, reads):
        back = self.given_back()
        for job, attempts in starts.items():
            # An attempt that was given back does not count, and its number comes again: once for
            # each time that the store took the give-back.
            counted, left = [], back.copy()
            for at, attempt, _ in sorted(attempts):
                left[job, attempt] -= 1
                if left[job, attempt] < 0:
                    counted.append((at, attempt))
            if self.kept in ("all", "claim") and any(
                    later <= earlier and (later == earlier or then > at + STARTUP)
                    for (at, earlier), (then, later) in itertools.combinations(counted, 2)):
                self.find("attempts of %s started in this order: %s" % (job, sorted(attempts)))
            for at, attempt, drainer in attempts:
                if self.kept != "end" and stored[job] and at > stored[job][0] + STARTUP:
                    self.find("attempt %d of %s was started by %s %.2f s after the job's end was stored" % (
                        attempt, job, drainer, at - stored[job][0]))
            again = sum(attempt > 1 for _, attempt, _ in attempts)
            looks = sum(begun < stored[job][0] for begun in reads[job]) if stored[job] else again
            if self.kept == "end" and again > looks:
                self.find("%s was started %d times behind its first delivery, and looked at %d times before its end: %s" % (
                    job, again, looks, sorted(attempts)))

    def given_back(self):
        """How often the store took the give-back of (job, attempt): claim="queued ATTEMPT-1/TOKEN"."""
        found = collections.Counter()
        for call in self.proxy.calls:
            row, claim = written(call) or (None, "")
            words = re.fullmatch(r"queued (\d+)/.*", claim)
            if words:
                found[row, int(words.group(1)) + 1] += 1
        return found

    def all_logs(self):
        for name in os.listdir(self.mock.dir):
            if name.startswith(("drain.", "enqueue.")):
                with open(self.path(name), errors="replace") as text:
                    yield text.read()

    def run(self):
        # The queue and its domains, before anything goes wrong.
        first = subprocess.run([JOBQ, "enqueue", QUEUE, "--visibility", "%ds" % VISIBILITY_S, "--batch", "-"],
                               input="kind=exec ms=50\n" * 40, env=self.quiet(), text=True, capture_output=True)
        livelib.check(first.returncode == 0, "enqueue: " + first.stderr)
        self.acknowledged.update(first.stdout.split())
        self.drainers = [self.new_drainer() for _ in range(DRAINERS)]
        self.supervisor = threading.Thread(target=self.supervise, daemon=True)
        self.supervisor.start()
        try:
            self.chaos()
            self.settle()
            self.close()
            rows = self.judge()
            self.tell("%d jobs acknowledged, %d rows, %d attempts, %d drainers" % (
                len(self.acknowledged), len(rows), self.attempts, self.counter))
        finally:
            self.open = False
            for drainer in self.drainers:
                if drainer.process.poll() is None:
                    drainer.process.kill()
            self.mock.kill()
            self.proxy.close()


def one_round(seed):
    round_ = Round(seed)
    print("seed=%d, STORE=%s ROWS=%s, files in %s" % (seed, round_.store, round_.kept, round_.mock.dir))
    round_.run()
    print("\n".join(round_.stories))
    print(json.dumps(round_.struck))
    for text in round_.findings:
        print("FINDING: " + text)
    if not round_.findings and not os.environ.get("CHAOS_KEEP"):
        subprocess.run(["rm", "-rf", round_.mock.dir], check=True)
    sys.exit(1 if round_.findings else 0)


def many_rounds(count, seed):
    beside = int(os.environ.get("CHAOS_BESIDE") or 2 * len(os.sched_getaffinity(0)))
    print("seeds up to %d, %d side by side" % (seed + count - 1, beside), flush=True)
    begun, failed, running = time.monotonic(), [], {}
    totals, struck = collections.Counter(), collections.Counter()
    if not clocks_can_be_set():
        print("SKIP clocks that are wrong: libfaketime cannot be preloaded")
    todo = list(range(seed, seed + count))
    while todo or running:
        while todo and len(running) < beside:
            one = todo.pop(0)
            running[one] = subprocess.Popen([sys.executable, __file__, "--round", str(one)], text=True,
                                            stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        for one, process in list(running.items()):
            if process.poll() is None:
                continue
            said = process.stdout.read()
            del running[one]
            if process.returncode:
                failed.append(one)
                print("seed=%d failed:\n%s" % (one, said), flush=True)
            else:
                told, counted = said.split("\n")[-3:-1]
                words = told.split()
                totals.update({"jobs": int(words[1]), "attempts": int(words[6]), "drainers": int(words[8])})
                struck.update(json.loads(counted))
        time.sleep(0.1)
    print("%d rounds in %.0f s: %d jobs acknowledged, %d attempts, %d drainers; %d rounds with findings%s" % (
        count, time.monotonic() - begun, totals["jobs"], totals["attempts"], totals["drainers"], len(failed),
        ": seeds " + " ".join(map(str, failed)) if failed else ""))
    print("struck: " + ", ".join("%s %d" % one for one in sorted(struck.items())))
    never = [fault for fault in FAULTS if not struck[fault] and (fault != "clock" or clocks_can_be_set())]
    if never and count - len(failed) >= 50:
        print("never struck: " + ", ".join(never))
    sys.exit(1 if failed or (never and count - len(failed) >= 50) else 0)


if sys.argv[1:2] == ["--round"]:
    one_round(int(sys.argv[2]))
many_rounds(int(sys.argv[1]) if len(sys.argv) > 1 else 20,
            livelib.seed(2))
