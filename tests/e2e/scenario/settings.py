#!/usr/bin/env python3
"""One scenario for all programs.

- Every setting of the table, in every program that takes it: the default, both ends of its range and its
  words are taken and shown, what is shown reads back to itself, and just beyond each end is refused with
  the range named. Where it is not taken it is refused with the reason.
- The help of every subcommand of every program fits 80 columns.
- One scenario file runs unchanged in jobqsim run, jobqcost eval and jobq explain-cost, and means the same.

- libjobq takes the settings that the table gives it, and refuses others, in the same words.

usage: settings.py SETTINGS_LIST LIBRARY   (the program that prints the table; libjobq.so)
"""
import ctypes
import json
import os
import re
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor

ROOT = os.getcwd()
DIR = tempfile.mkdtemp()
ENV = {k: v for k, v in os.environ.items() if not k.startswith(("JOBQ_", "AWS_"))}
ENV.update(HOME=DIR, XDG_CONFIG_HOME=DIR, AWS_ENDPOINT_URL="http://127.0.0.1:9", AWS_REGION="us-east-1")
TAKERS = {
    "jobqsim run": [["jobqsim", "run"], ["jobq", "run"]],
    "jobqsim sweep": [["jobqsim", "sweep", "-o", "x.csv"]],
    "jobqsim torture": [["jobqsim", "torture"]],
    "jobqcost": [["jobqcost", sub] for sub in ("eval", "solve", "optimise", "compare", "check", "predict", "report")],
    "jobqmock": [["jobqmock"]],
}
for name in ("enqueue", "drain", "spawn", "serve", "dlq", "doctor", "prune", "repair", "status", "list"):
    TAKERS["jobq " + name] = [["jobq", name]]
TAKERS["jobq wait"] = [["jobq", sub] for sub in ("wait", "cancel", "purge")]
# A line of their own beside the setting, and what hides the table's setting there.
RECORDED = ("time-scale", "limit", "context-token-time", "token-time")
OWN = {("jobqsim torture", "jobs"), ("jobq drain", "max-boxes"), ("jobq spawn", "max-boxes"), ("jobq serve", "max-boxes")}
failures = []


def run(command, *words):
    return subprocess.run([os.path.join(ROOT, "bin", command[0]), *command[1:], *words], cwd=DIR, env=ENV, text=True,
                          capture_output=True, timeout=60, stdin=subprocess.DEVNULL)


def check(true, *what):
    if not true:
        failures.append(" ".join(str(w) for w in what))


def write(name, text):
    with open(os.path.join(DIR, name), "w") as file:
        file.write(text)


def shown_again(command, row, text, index):
    """The value is taken and shown; what is shown is a scenario file that shows itself."""
    words = ["--" + row["name"]] + ([text] if row["kind"] != "flag" else [])
    if row["kind"] == "flag":
        words = ["--%s=%s" % (row["name"], text)]
    if row["name"] in RECORDED:
        words += ["--trace", "one.swf"]
    done = run(command, *words, "--show-scenario")
    check(done.returncode == 0 and not done.stderr, *command, *words, "exit", done.returncode, done.stderr)
    if row["same"] == "changes":
        check("\n%s = " % row["name"] in done.stdout, *command, *words, "shows no", row["name"])
    file = "again-%d.ini" % index
    write(file, done.stdout)
    twice = run(command, "--scenario", file, "--show-scenario")
    check(twice.stdout == done.stdout, *command, *words, "reads back as", twice.stdout + twice.stderr)


def refused(command, row, text):
    done = run(command, "--%s=%s" % (row["name"], text), "--show-scenario")
    named = "%s to %s" % (row["low"], row["high"])
    range_is_told = "out of range" in done.stderr and (named in done.stderr or "1e-9/s to 1G/s" in done.stderr)
    check(done.returncode == 2 and not done.stdout and done.stderr.count("\n") == 1 and
          "--" + row["name"] in done.stderr and (range_is_told or text.startswith("-") and "malformed" in done.stderr),
          *command, row["name"], text, "exit", done.returncode, done.stderr)


def one(job):
    index, command, row = job
    texts = [row["value"]]
    if row["low"] != "-":
        texts += [row["low"], row["high"]]
    if row["words"] != "-":
        texts += row["words"].split("|")
    texts += {"flag": ["no", "yes"], "path": ["one.swf"], "model": ["sqs.duplicate_rate=0.01;sqs.dead=1"],
              "name": ["aws-2012" if row["name"] == "model" else "c7g.large"], "seed": ["0", "0xffffffffffffffff"],
              "dist": ["exp:%s" % row["high"], "gamma:mean=1s,cv=90"],
              "arrivals": ["5M/day", "poisson:0.1/s", "every:2s", "renewal:exp:1s"]}.get(row["kind"], [])
    if row["kind"] == "arrivals":
        texts = [t for t in texts if t != "-"]
    for text in texts:
        shown_again(command, row, text, index)
    for text in (row["below"], row["above"]):
        if text != "-":
            refused(command, row, text)


def table(program):
    names = ("name", "kind", "value", "low", "high", "below", "above", "words", "takers", "same")
    lines = subprocess.run([program], text=True, capture_output=True, check=True).stdout.splitlines()
    return [dict(zip(names, line.split("\t"))) for line in lines]


def every_setting(rows):
    jobs, index = [], 0
    for row in rows:
        takers = row["takers"].split(",")
        for taker, commands in TAKERS.items():
            if (taker, row["name"]) in OWN:
                continue
            for command in commands:
                index += 1
                if taker in takers:
                    jobs.append((index, command, row))
                    continue
                if command == ["jobq", "run"]:
                    continue  # it takes what enqueue and drain take too
                done = run(command, "--" + row["name"], row["value"]) if index % 7 == 0 else None
                own = done and ("'--%s' is no setting of" % row["name"] not in done.stderr or takers[0] not in done.stderr)
                if own and (command[-1], row["name"]) not in (("enqueue", "batch"), ("list", "limit"), ("jobqmock", "boxes")) \
                        and (command[0] != "jobqcost" or row["name"] not in ("region", "date")):
                    check(command[0] == "jobqsim" and command[1] == "torture", *command, row["name"], done.stderr)
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(one, jobs))
    return len(jobs)


def library(rows, path):
    """Makes enqueuers without waiting for a service, as jobq_enqueuer_open does."""
    lib = ctypes.CDLL(path)
    lib.jobq_enqueuer_open.restype = lib.jobq_error_text.restype = ctypes.c_char_p
    lib.jobq_enqueuer_open.restype = ctypes.c_void_p
    lib.jobq_enqueuer_open.argtypes = [ctypes.c_char_p, ctypes.POINTER(ctypes.c_char_p * 2), ctypes.c_int, ctypes.c_double, ctypes.c_char_p]
    lib.jobq_enqueuer_free.argtypes = [ctypes.c_void_p]
    error = ctypes.create_string_buffer(lib.jobq_error_size())

    def refusal(name, value):
        pair = (ctypes.c_char_p * 2)(name.encode(), value.encode())
        made = lib.jobq_enqueuer_open(b"q", ctypes.byref(pair), 1, 1, error)
        if made:
            lib.jobq_enqueuer_free(made)
        return "" if made else lib.jobq_error_text(error).decode()

    taken = 0
    for row in rows:
        name = row["name"]
        if "libjobq" not in row["takers"].split(","):
            check("'%s' is no setting of libjobq, only of " % name in refusal(name, row["value"]), "libjobq", name, refusal(name, row["value"]))
            continue
        taken += 1
        ends = [row["low"], row["high"]] if row["low"] != "-" else []
        for value in [row["value"], *ends, *(row["words"].split("|") if row["words"] != "-" else [])]:
            text = refusal(name, value)
            check(text == "" or value == "dynamodb" and "closed form" in text, "libjobq", name, value, text)
        for value in (row["below"], row["above"]):
            if value != "-":
                text = refusal(name, value)
                words = row["words"].replace("|", ", ") + " or " if row["words"] != "-" else ""
                own = "out of range, want %s%s to %s" % (words, row["low"], row["high"])
                check(text.startswith(name + ": ") and (own in text or value.startswith("-")), "libjobq", name, value, text)
    check(taken >= 8, "libjobq takes", taken)
    check("unknown setting 'kep'; did you mean 'keep'?" == refusal("kep", "1d"), refusal("kep", "1d"))
    # What it does not take is not what was meant.
    check("did you mean 'linger'" not in refusal("linge", "1"), refusal("linge", "1"))


def help_fits():
    looked = 0
    for program in ("jobqsim", "jobqcost", "jobq", "jobqmock"):
        main = run([program], "--help").stdout
        for name in [""] + re.findall(r"(?m)^  ([a-z][a-z-]+)  *\S", main.replace("  %s " % program, "")):
            done = run([program, name] if name else [program], "--help")
            looked += bool(done.stdout)
            for line in done.stdout.split("\n"):
                check(len(line) <= 80, program, name, "--help has %d columns:" % len(line), line)
    check(looked > 30, "help of only", looked, "commands was read")


FILE = """[scenario]
jobs = 2,000
payload = 4KiB
job-time = lognormal:mean=250ms,cv=1.5
arrivals = 20/s
concurrency = 8
boxes = 2
instance = c7g.medium
attempts = 4
visibility = 1min
domains = 8
backoff = 0s
linger = 2s
seed = 7
utilisation = 0.9
"""


def one_file():
    write("fleet.ini", FILE)
    sim = run(["jobqsim", "run"], "--scenario", "fleet.ini", "--json")
    cost = run(["jobqcost", "eval"], "--scenario", "fleet.ini", "--json", "--formula", "closed")
    drain = run(["jobq", "explain-cost"], "--json", "drain", "render", "--scenario", "fleet.ini")
    put = run(["jobq", "explain-cost"], "--json", "enqueue", "render", "--scenario", "fleet.ini")
    for done in (sim, cost, drain, put):
        check(done.returncode == 0, done.args, done.stderr)
    if failures:
        return
    sim, cost, drain, put = (json.loads(done.stdout) for done in (sim, cost, drain, put))
    check(sim["jobs"]["done"] == 2000, "jobqsim run did not play the file:", sim["jobs"])
    inputs = cost["scenario"]
    wanted = {"jobs": 2000, "boxes": 2, "payload": 4096, "concurrency": 8, "arrivals": 20, "domains": 8, "visibility": 60,
              "job-time": 0.25, "job-cv": 1.5, "utilisation": 0.9, "instance": "c7g.medium", "era": "aws-2026"}
    for name, want in wanted.items():
        got = inputs[name]
        check(got == want if isinstance(want, str) else abs(got - want) < 1e-9 * max(1, want), "jobqcost eval:", name, got)
    sends = put["requests"]["SendMessageBatch"]
    check(sends == 200, "jobq explain-cost enqueue: batches of 10 for 2,000 jobs:", sends)
    # A drainer's receives, by the closed form and as jobq explains them, of the same settings.
    marginal = run(["jobqcost", "eval"], "--scenario", "fleet.ini", "--json", "--formula", "closed", "--payload", "4096")
    check(marginal.returncode == 0 and drain["requests"]["PutAttributes"] >= 2_000_000, "jobq explain-cost drain:", drain["requests"])
    normal = sim["scenario"]
    for word in ("jobs=2000", "payload=4096", "job-time=lognormal:mean=250ms,cv=1.5", "arrivals=poisson:20/s", "concurrency=8",
                 "boxes=2", "attempts=4", "visibility=1min", "domains=8", "backoff=0s", "linger=2s", "seed=7"):
        check(" %s " % word in " %s " % normal, "jobqsim run: no '%s' in" % word, normal)
    # The command line comes before the file, wherever it stands.
    again = json.loads(run(["jobqsim", "run"], "--jobs", "10", "--scenario", "fleet.ini", "--json").stdout)
    check(again["jobs"]["done"] == 10, "--jobs before --scenario:", again["jobs"])


rows = table(sys.argv[1])
write("one.swf", "1 0 -1 5 " + " ".join(["-1"] * 14) + "\n")
help_fits()
library(rows, sys.argv[2])
one_file()
looked = every_setting(rows)
for failure in failures[:20]:
    print("FAIL:", failure)
if failures:
    sys.exit(1)
print("ok: %d settings, %d times in a command; one file in three programs" % (len(rows), looked))
