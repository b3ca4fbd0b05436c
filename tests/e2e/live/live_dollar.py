#!/usr/bin/python3
"""A dollar a million jobs, with a row that tells how each job ended: jobqcost solve finds the
settings, and the closed form, the simulator and real processes against jobqmock all bill a run
with them at less. The live bill is within 2 % of both others.

Jobs sleep. A run has what the marginal job has not: each box is paid for a minute at least, and
polls are open at its end; so that 4,000 jobs may cost more than the solution says, but no more than
the dollar. Boxes run already, as this machine's do."""
import json
import os
import subprocess

from livelib import ROOT, Mock, check

JOBS, TARGET = 4000, 1.00


def program(name, *args):
    done = subprocess.run([os.path.join(ROOT, "bin", name)] + list(args), capture_output=True, text=True)
    check(done.returncode == 0, "%s %s: %s" % (name, " ".join(args), done.stderr))
    return done.stdout


def solve():
    """The cheapest settings whose jobs have a status."""
    found = json.loads(program("jobqcost", "solve", "--target", "%.2f" % TARGET, "--free",
                               "batch,rows,store,instance,concurrency", "--job-time", "1s", "--formula", "closed", "--json", "-q"))
    check(found["reached"], "no settings reach the target")
    with_row = [r for r in found["results"] if r["status"] != "never"]
    check(with_row, "only settings without a status reach the target")
    return with_row[0]


def bill(path):
    return json.loads(program("jobqcost", "bill", path, "--json", "-q"))["usd"]


def main():
    best = solve()
    print("    solved: $%.4f a million with %s" % (best["usd_per_million"], ", ".join(
        "%s %s" % (k, best[k]) for k in ("batch", "rows", "store", "instance", "concurrency"))))
    check(best["usd_per_million"] <= TARGET, "it is over the target")
    mock = Mock("--latency", "model", signed=False)
    path = {k: os.path.join(mock.dir, k) for k in ("fleet.ini", "predicted", "simulated", "live")}
    with open(path["fleet.ini"], "w") as file:
        file.write("[scenario]\njobs = %d\njob-time = 1s\nboxes = 1\nboot = none\nhousekeeping = never\n" % JOBS)
        for name in ("batch", "rows", "store", "instance", "concurrency"):
            file.write("%s = %s\n" % (name, best[name]))
    program("jobqcost", "predict", path["fleet.ini"], "--formula", "closed", "-q", "-o", path["predicted"])
    program("jobqsim", "run", path["fleet.ini"], "-o", path["simulated"])
    mock.jobq("run", path["fleet.ini"], "--queue", "jobs", "-o", path["live"], timeout=170)
    usd = {k: bill(path[k]) for k in ("predicted", "simulated", "live")}
    live = json.load(open(path["live"]))
    check(live["jobs"] == {"done": JOBS}, "jobs: %s" % live["jobs"])
    check(live["write_units"] == JOBS, "a row a job takes %s write units" % live["write_units"])
    for way, value in usd.items():
        per_million = value / JOBS * 1e6
        print("    %-10s $%.4f a million" % (way, per_million))
        check(per_million <= TARGET, "%s: $%.4f a million is over $%.2f" % (way, per_million, TARGET))
        check(abs(usd["live"] / value - 1) <= 0.02, "live is %+.2f %% off %s" % (100 * (usd["live"] / value - 1), way))
    listed = mock.jobq("list", "jobs", "--store", best["store"], "--state", "done").stdout.splitlines()
    check(len(listed) == JOBS, "%d jobs are listed as done" % len(listed))
    mock.close()
    print("ok: a dollar a million jobs with a status: solved, predicted, simulated, run")


main()
