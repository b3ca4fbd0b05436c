#!/usr/bin/python3
"""jobq autoscale against jobqmock whose boxes are processes: two of them at once make the fleet grow
from no box to what the backlog needs, no further, and it shrinks to no box by itself, with no job lost
or run twice; each decision is the one that the rule makes of the same observation in the simulator."""
import json
import os
import subprocess
import sys
import time

from livelib import JOBQ, Mock, check, wait_for

BUILD = sys.argv[1] if len(sys.argv) > 1 else "build/dev"
# A box: jobq drain as the user data says; the box ends with it.
BOX = """import os, re, sys
data = sys.stdin.read()
words = dict(line.strip().split("=", 1) for line in data.split("content: |")[1].split("runcmd")[0].split("\\n") if "=" in line)
env = dict(os.environ, **{k: v.strip('"') for k, v in words.items()})
env.update(AWS_ACCESS_KEY_ID="AKIDEXAMPLE", AWS_SECRET_ACCESS_KEY="x" * 20, HOME=%r, JOBQ_STATS="1s", JOBQ_WAIT="1s")
queue = re.search(r"jobq-drain@([^.]+)\\.service", data).group(1)
log = open("%s/box." + env["JOBQ_INSTANCE_ID"], "ab")
os.dup2(log.fileno(), 1), os.dup2(log.fileno(), 2)
env.pop("JOBQ_LEAVE_FILE"), env.pop("JOBQ_LISTEN")
os.execve(%r, ["jobq", "drain", queue, "--json"], env)
"""
folder = os.environ.get("TMPDIR", "/tmp") + "/jobq-scale-%d" % os.getpid()
os.makedirs(folder)
with open(folder + "/box.py", "w") as file:
    file.write(BOX % (folder, folder, JOBQ))
mock = Mock("--boxes", "exec:%s %s/box.py" % (sys.executable, folder), signed=False)
TARGET, SLOTS, MOST = 10, 2, 3
OPTIONS = ("--image", "ami-0abc0abc", "-n", str(SLOTS), "--target-time", "%ds" % TARGET, "--max-boxes", str(MOST),
           "--scale-every", "2s", "--idle-exit", "3s", "--job-time", "1s")


def lines(path):
    return [json.loads(line) for line in open(path) if line.startswith("{")]


def boxes_now(path):
    seen = lines(path)
    return seen[-1]["boxes"] if seen else 0


# ---- refusals: one line, the documented code, nothing started
mock.jobq("enqueue", "q", "kind=sleep", "seconds=0")
for args, code, says in ((("q",), 2, "want --image"), (("q", "--image", "ami-0abc0abc", "--instance", "none"), 2, "no box is of type 'none'"),
                         (("q", "--dry-run", "--min-boxes", "5", "--max-boxes", "4"), 2, "--min-boxes 5 is above --max-boxes 4"),
                         (("q", "--dry-run", "--instance", "x9.huge", "--max-dollars-hour", "1"), 2, "the price of a 'x9.huge' is not known"),
                         (("nosuch", "--dry-run", "--once"), 4, "nosuch"), (("q", "--target-time", "0s", "--dry-run"), 2, "target-time")):
    got = mock.jobq("autoscale", *args, check_code=None)
    check(got.returncode == code and says in got.stderr and got.stderr.count("\n") == 1, "%s: %d %s" % (args, got.returncode, got.stderr))
dry = json.loads(mock.jobq("autoscale", "q", "--dry-run", "--once", "--scale-every", "2s", "--json").stdout)
check(dry["wanted"] == 1 and dry["launch"] == 1 and dry["boxes"] == 0 and dry["said"] == "", "dry run: %s" % dry)
check(not [n for n in os.listdir(folder) if n.startswith("box.i-")], "a refusal or a dry run started boxes")

# ---- from 0 boxes to what is needed, and to 0
jobs = mock.jobq("enqueue", "q", "--batch", "-", input='{"kind":"sleep","seconds":"1"}\n' * 60).stdout.split()
check(len(jobs) == 60, "enqueued %d" % len(jobs))
logs = [folder + "/one", folder + "/two"]
both = [mock.start("autoscale", "q", *OPTIONS, "--json", log=log) for log in logs]
mock.jobq("wait", *jobs, "--timeout", "120s", timeout=150)
wait_for(lambda: boxes_now(logs[0]) == 0 and boxes_now(logs[1]) == 0 and len(lines(logs[0])) > 8, 60, "no box at the end")
for process in both:
    process.terminate()
    check(process.wait(timeout=20) == 0, "autoscale ended with %s" % process.returncode)
rows = {row["id"]: row for row in json.loads(mock.jobq("list", "q", "--json").stdout)["jobs"]}
check(all(rows[i]["state"] == "done" and rows[i]["attempt"] == 1 for i in jobs), "a job was lost, or ran twice")
started = [name for name in os.listdir(folder) if name.startswith("box.i-")]
# 61 s of work for 2 slots a box and 10 s, of which a boot leaves 5: more than the 3 that are allowed.
check(len(started) == MOST, "%d boxes were started" % len(started))
check(max(line["boxes"] for log in logs for line in lines(log)) == MOST, "more boxes than allowed")
ends = [open(folder + "/" + name).read() for name in started]
check(all('"event":"lost"' not in text for text in ends), "a box left with a job")

# ---- the same decisions as the simulator's
observed = [line for log in logs for line in lines(log) if "wanted" in line and not line["problem"].startswith("cannot")]
asked = "".join("%d %d 0 %d %d %d %r %d %d\n" % (TARGET, SLOTS, MOST, o["waiting"], o["running"], o["job_s"], o["boxes"], o["deaf"]) for o in observed)
answer = subprocess.run([BUILD + "/tests/e2e/live/scale_replay"], input=asked, stdout=subprocess.PIPE, text=True, check=True).stdout.split("\n")
check(len(observed) > 8, "%d observations" % len(observed))
for seen, text in zip(observed, answer):
    check("%d %d" % (seen["wanted"], seen["launch"]) == text, "%s, but the rule says %s" % (seen, text))

# ---- the least number of boxes stays
mock.jobq("autoscale", "q", *OPTIONS, "--min-boxes", "1", "--once")
wait_for(lambda: len([n for n in os.listdir(folder) if n.startswith("box.i-")]) == MOST + 1, 20, "the box that stays")
time.sleep(6)  # twice the idle time: it is the time that is tested
last = json.loads(mock.jobq("autoscale", "q", "--dry-run", "--once", "--scale-every", "2s", "--json").stdout)
check(last["boxes"] == 1, "a box that was to stay has left: %s" % last)
mock.close()
os.system("rm -rf " + folder)
print("ok: autoscale")
