#!/usr/bin/python3
"""Commands that run when an attempt starts and ends: what they are told, and that no job depends on
them.

usage: live_hooks.py"""
import os
import time

from livelib import Mock, check, wait_for

mock = Mock()
said = os.path.join(mock.dir, "said")
hook = "sh -c 'echo %s $JOBQ_QUEUE $JOBQ_JOB_ID $JOBQ_ATTEMPT $JOBQ_STATE ${JOBQ_EXIT-none} $(wc -c) ${AWS_SECRET_ACCESS_KEY-withheld} >>" + said + "'"


def enqueue(payload):
    return mock.jobq("enqueue", "q", "kind=exec", "payload=%s" % payload).stdout.strip()


def told():
    if not os.path.exists(said):
        return []
    with open(said) as lines:
        return sorted(tuple(line.split()) for line in lines)


def drain(*options, log):
    return mock.start("drain", "q", "-n", "4", "--create", "--exec", "sh -c 'exit $(cat)'", *options, log=os.path.join(mock.dir, log))


done, failing = enqueue(0), enqueue(7)
drainer = drain("--attempts", "1", "--idle-exit", "0", "--on-start", hook % "start", "--on-end", hook % "end", log="log")
check(drainer.wait(timeout=60) == 0, "the drain ended with %s" % drainer.returncode)
want = sorted([("start", "q", done, "1", "running", "none", "0", "withheld"), ("end", "q", done, "1", "done", "0", "0", "withheld"),
               ("start", "q", failing, "1", "running", "none", "0", "withheld"), ("end", "q", failing, "1", "dead", "7", "0", "withheld")])
check(told() == want, "told: %s" % told())

# One that fails, one that hangs: no job is lost or late for it, and each is said once.
ids = [enqueue(0) for _ in range(40)]
began = time.monotonic()
drainer = drain("--on-start", "sh -c 'sleep 617; :'", "--on-end", "sh -c 'echo no disk; exit 3'", "--hook-limit", "1s", log="bad")
mock.jobq("wait", *ids, "--timeout", "30s")
check(time.monotonic() - began < 20, "the jobs waited for their hooks: %.1f s" % (time.monotonic() - began))
check(all("\tdone\t" in line for line in mock.jobq("status", *ids).stdout.splitlines()), "not all jobs are done")


def count(text):
    with open(os.path.join(mock.dir, "bad")) as log:
        return log.read().count(text)


wait_for(lambda: count("--hook-limit"), 15, "the hook's time limit to be said")
drainer.terminate()
check(drainer.wait(timeout=40) == 0, "the drain with bad hooks ended with %s" % drainer.returncode)
check(count("was ended at its time limit (--hook-limit)") == 1, "the hook that hangs is said %d times" % count("--hook-limit"))
check(count("failed with exit code 3: no disk") == 1, "the hook that fails is said %d times" % count("exit code 3"))

# A job that is given back, and a hook that is not there.
os.unlink(said)
given = mock.jobq("enqueue", "q", "kind=sleep", "seconds=60").stdout.strip()
drainer = drain("--on-end", hook % "end", "--on-start", "/absent", "--drain-timeout", "1s", log="back")
wait_for(lambda: "\trunning\t" in mock.jobq("status", given).stdout, 20, "the job to run")
drainer.terminate()
check(drainer.wait(timeout=40) == 0, "the drain ended with %s" % drainer.returncode)
check(told() == [("end", "q", given, "1", "queued", "none", "0", "withheld")], "of one given back: %s" % told())
bad = mock.jobq("drain", "q", "-n", "1", "--hook-limit", "0s", check_code=2)
check("hook-limit" in bad.stderr, bad.stderr)
left = os.popen("pgrep -f 'sleep 61[7]'").read()
check(not left, "hooks are left behind: %s" % left)
mock.close()
print("ok: hooks are told, and decide nothing")
