#!/usr/bin/python3
"""One scenario, three ways: predicted, simulated, and run by real processes against jobqmock with
its model's latencies. Requests, bytes and BoxUsage within 1 %, the time to drain within 5 %,
dollars within 2 %; and prediction and run against each other by jobqcost reconcile.

Times hold only where the machine had time to spare meanwhile; else they are shown, as are the
counts that follow from them (a job that comes while another is late shares its request).
A run on this machine has no boot, so the scenarios have none. What is left of a count besides the
1 %: polls that are open at either end (at most 4 a drainer, its --receives), and a batch that is
not full at either end; and the bytes of those polls. The closed form's time is held in the full
runs only: in eight seconds the start and the last round, half a second, are more than 5 %. Endpoints have names as long as AWS's, so that bytes are as on AWS.

usage: live_bill.py short|full [SCENARIO]"""
import json
import os
import subprocess
import sys
import threading
import time

from livelib import ROOT, Mock, check

SHORT = {
    "sleep": dict(jobs=800, time="2s", slots=200, domains=8),
    "cpu": dict(timed=True, jobs=12, time="600ms", slots=1, domains=2, extra={"cpu-share": "1"}),
    "payload": dict(jobs=240, time="1500ms", slots=40, domains=4, extra={"payload": "60KiB"}),
    "arrivals": dict(timed=True, jobs=160, time="300ms", slots=20, domains=4, extra={"arrivals": "every:50ms"}),
    "spot": dict(jobs=400, time="1600ms", slots=40, boxes=2, domains=8, extra={"spot": "yes", "instance": "c7g.large"}),
}
# So many domains that no write is refused: how many are depends on how fast this machine enqueues.
FULL = {
    "sleep": dict(jobs=6000, time="2s", slots=200, domains=60),
    "cpu": dict(timed=True, jobs=100, time="600ms", slots=1, domains=2, extra={"cpu-share": "1"}),
    "payload": dict(jobs=1600, time="1500ms", slots=40, domains=24, extra={"payload": "60KiB"}),
    "arrivals": dict(timed=True, jobs=1200, time="300ms", slots=20, domains=4, extra={"arrivals": "every:50ms"}),
    "spot": dict(jobs=3000, time="1600ms", slots=40, boxes=2, domains=8, extra={"spot": "yes", "instance": "c7g.large"}),
}
SPARE = 0.3  # of the processors' time
SETUP = {"CreateQueue", "GetQueueUrl", "GetQueueAttributes", "CreateDomain", "RunInstances", "ListDomains", "Select"}


def write(path, s):
    lines = {"jobs": s["jobs"], "job-time": s["time"], "concurrency": s["slots"], "boxes": s.get("boxes", 1),
             "domains": s["domains"], "boot": "none", "housekeeping": "never", **s.get("extra", {})}
    with open(path, "w") as file:
        file.write("[scenario]\n" + "".join("%s = %s\n" % item for item in lines.items()))


def program(name, *args):
    return subprocess.run([os.path.join(ROOT, "bin", name)] + list(args), capture_output=True, text=True)


def usage(ledger):
    """The lines that are compared: (amount, what may be off besides the share)."""
    actions = ledger["actions"]
    out = {"requests of " + a: u["requests"] for a, u in actions.items() if a not in SETUP}
    out["bytes out"] = sum(u.get("bytes_out", 0) for a, u in actions.items() if a not in SETUP)
    out["bytes in"] = sum(u.get("bytes_in", 0) for a, u in actions.items() if a not in SETUP)
    out["BoxUsage"] = sum(u.get("box_usage_e10h", 0) for a, u in actions.items() if a not in SETUP)
    return out


def predicted_usage(cost, jobs):
    """The same of a prediction, which knows no single actions."""
    u = cost["usage_per_job"]
    return {"SQS sends": u["sqs_send"] * jobs, "SQS receives": u["sqs_receive"] * jobs, "SQS deletes": u["sqs_delete"] * jobs,
            "puts": u.get("sdb_put", 0) * jobs, "batch puts": u.get("sdb_put_batch", 0) * jobs,
            "bytes out": u["wire_out"] * jobs, "bytes in": u["wire_in"] * jobs,
            "BoxUsage of puts": (u.get("box_put", 0) + u.get("box_put_batch", 0)) * jobs * 1e10}


def observed_usage(ledger):
    a = ledger["actions"]

    def count(*names):
        return sum(a.get(n, {}).get("requests", 0) for n in names)
    return {"SQS sends": count("SendMessage", "SendMessageBatch"), "SQS receives": count("ReceiveMessage"),
            "SQS deletes": count("DeleteMessage", "DeleteMessageBatch"), "puts": count("PutAttributes"),
            "batch puts": count("BatchPutAttributes"), "bytes out": sum(u.get("bytes_out", 0) for u in a.values()),
            "bytes in": sum(u.get("bytes_in", 0) for u in a.values()),
            "BoxUsage of puts": sum(a.get(n, {}).get("box_usage_e10h", 0) for n in ("PutAttributes", "BatchPutAttributes"))}


def idle_s():
    """Seconds that processors have been idle since the machine started, and how many there are."""
    cpu = [line.split() for line in open("/proc/stat") if line.startswith("cpu")]
    return int(cpu[0][4]) / os.sysconf("SC_CLK_TCK"), len(cpu) - 1


def slack_of(what, polls):
    """What so many polls more or less make of a line."""
    return {"bytes out": 700, "bytes in": 300}.get(what, 0 if "Box" in what else 1) * polls


LONG = len(sys.argv) > 1 and sys.argv[1] == "full"


class Scenario(threading.Thread):
    def __init__(self, name, s):
        super().__init__()
        self.name, self.s, self.said, self.bad, self.late, self.off = name, s, [], [], [], {}

    def near(self, what, live, want, share, slack=0.0, timed=False):
        off = live / want - 1 if want else 0.0 if live == want else 1.0
        good = abs(live - want) <= share * abs(want) + slack
        self.off[what] = off
        self.said.append("    %-36s %14.6g %14.6g  %+7.2f %%%s" % (what, want, live, 100 * off, "" if good else "  OFF"))
        if not good:
            (self.late if timed or self.s.get("timed") else self.bad).append("%s: %s %+.2f %%" % (self.name, what, 100 * off))

    def run(self):
        mock = Mock("--latency", "model", signed=False)
        port = int(mock.url.rsplit(":", 1)[1])
        label = "x" * (len("sqs.us-east-1.amazonaws.com") - len(".localhost:%d" % port))
        mock.env.update(AWS_ENDPOINT_URL_SQS="http://%s.localhost:%d" % (label, port), AWS_ACCESS_KEY_ID="AKIAIOSFODNN7EXAMPLE",
                        AWS_ENDPOINT_URL_SIMPLEDB="http://%s.localhost:%d" % (label[:-9 or None] or "s", port))
        path = {k: os.path.join(mock.dir, k) for k in ("fleet.ini", "predicted", "simulated", "live")}
        write(path["fleet.ini"], self.s)
        predict = program("jobqcost", "predict", path["fleet.ini"], "--formula", "closed", "-q", "-o", path["predicted"])
        simulate = program("jobqsim", "run", path["fleet.ini"], "-o", path["simulated"])
        if predict.returncode or simulate.returncode:
            self.bad.append(self.name + ": " + predict.stderr + simulate.stderr)
            return
        done = mock.jobq("run", path["fleet.ini"], "--queue", "jobs", "-o", path["live"], check_code=None, timeout=170)
        theirs = mock.ledger()["ledger"]["actions"]
        mock.proc.terminate()
        if done.returncode:
            self.bad.append("%s: jobq run ended with %d: %s" % (self.name, done.returncode, done.stderr))
            return
        predicted, simulated, live = (json.load(open(path[k])) for k in ("predicted", "simulated", "live"))
        self.compare(predicted, simulated, live, theirs)
        for side in ("simulated", "live"):
            bill = json.loads(program("jobqcost", "bill", path[side], "--json", "-q").stdout)
            self.near("dollars, predicted : " + side, bill["usd"], predicted["total_usd"], 0.02)
        self.reconcile = program("jobqcost", "reconcile", path["predicted"], path["simulated"], path["live"], "-q",
                                 "--tolerance", "2%")
        self.show = (predict.stdout, simulate.stdout, done.stdout)

    def compare(self, predicted, simulated, live, theirs):
        s, polls = self.s, 5 * self.s.get("boxes", 1)
        for action, u in live["actions"].items():
            if theirs.get(action, {}).get("requests", 0) != u["requests"]:
                self.bad.append("%s: %s: the clients' ledger has %d, the service's %s"
                                % (self.name, action, u["requests"], theirs.get(action)))
        if live["jobs"] != {"done": s["jobs"]}:
            self.bad.append("%s: jobs %s" % (self.name, live["jobs"]))
        self.said.append("%-40s %14s %14s" % (self.name, "simulated", "live"))
        sim, seen = usage(simulated), usage(live)
        for what in sorted(set(sim) | set(seen)):
            self.near(what, seen.get(what, 0), sim.get(what, 0), 0.01, slack_of(what, polls))
        self.near("time to drain, s", live["span_ns"] / 1e9, simulated["span_ns"] / 1e9, 0.05, timed=True)
        self.said.append("%-40s %14s %14s" % (self.name, "predicted", "live"))
        foretold, seen = predicted_usage(predicted, s["jobs"]), observed_usage(live)
        for what in foretold:
            self.near(what, seen[what], foretold[what], 0.01, slack_of(what, polls))
        self.near("time to drain, s", live["span_ns"] / 1e9, predicted["makespan_s"], 0.05 if s["jobs"] >= 100 and LONG else 1, timed=True)


def budget():
    """Nothing is called when the prediction exceeds the budget; a run stops at what it has."""
    mock = Mock(signed=False)
    done = mock.jobq("run", "--jobs", "1000", "--budget", "0.001", check_code=3)
    check("exceeds the budget of $0.001" in done.stderr, "the budget is not named: " + done.stderr)
    check(mock.ledger()["ledger"]["actions"] == {}, "calls were made against the budget")
    mock.close()


def main():
    budget()
    which = sys.argv[1] if len(sys.argv) > 1 else "short"
    table = {"short": SHORT, "full": FULL}[which]
    if len(sys.argv) > 2:
        table = {sys.argv[2]: table[sys.argv[2]]}
    runs = [Scenario(name, s) for name, s in table.items()]
    (idle, cores), began = idle_s(), time.monotonic()
    for r in runs:
        r.start()
    for r in runs:
        r.join()
    spare = (idle_s()[0] - idle) / (time.monotonic() - began) / cores
    late, bad = [b for r in runs for b in r.late], [b for r in runs for b in r.bad]
    for r in runs:
        print("\n".join(r.said))
    if spare >= SPARE:
        bad += late
    elif late:
        print("not held, for the machine was %.0f %% busy:\n      %s" % (100 - 100 * spare, "\n      ".join(late)))
    check(not bad, "\n      ".join(["off:"] + bad))
    print("ok: %d scenarios, predicted, simulated and run" % len(runs))


main()
