#!/usr/bin/python3
"""Results that are read back, and jobs that are Python functions: values, strays, failures, limits.

usage: live_python_jobs.py BUILD_DIR"""
import json
import os
import subprocess
import sys
import time

from livelib import ROOT, Mock, check, wait_for

mock = Mock()
os.environ.update(mock.env)
os.environ["JOBQ_LIBRARY"] = os.path.join(ROOT, sys.argv[1], "libjobq.so.0")
sys.path[:0] = [mock.dir, os.path.join(ROOT, "live/python")]
with open(os.path.join(mock.dir, "tasks.py"), "w") as out:
    out.write('''
import atexit, os, signal, subprocess, sys, time
import jobq

@jobq.job
def add(a, b=0):
    return a + b

@jobq.job
def echo(value):
    return value

@jobq.job
def stray(value):
    print("a stray line")
    print("jobq-value 666")
    sys.stdout.write("no newline at its end")
    subprocess.run(["echo", "from a child"])
    os.write(2, b"on standard error")
    atexit.register(lambda: print("x" * 100000))
    os.close(1)
    return value

@jobq.job
def fail(text):
    raise KeyError(text)

@jobq.job
def leave(code):
    sys.exit(code)

@jobq.job
def crash():
    os.kill(os.getpid(), signal.SIGSEGV)

@jobq.job
def vanish():
    os._exit(0)

@jobq.job
def much(size):
    return "x" * size

@jobq.job
def no_json():
    return {1, 2}

@jobq.job
def size(text):
    return len(text)

@jobq.job
def slow(seconds):
    time.sleep(seconds)
    return "too late"
''')
import jobq  # noqa: E402  (after the environment is set)
import tasks  # noqa: E402

queue = jobq.Enqueuer("calls")
worker = "%s -m jobq worker tasks" % sys.executable
env = {"PYTHONPATH": os.pathsep.join(sys.path[:2])}
drain = mock.start("drain", "calls", "-n", "4", "--attempts", "1", "--time-limit", "15s", "--cancel-check", "500ms",
                   "--exec", worker, env=env)


def result(job_id):
    return queue.result(job_id, wait=60)


def raises(kind, function, *args, **kwargs):
    try:
        function(*args, **kwargs)
    except kind as problem:
        return str(problem)
    check(False, "no %s" % kind)


check(tasks.add(1, 2) == 3 and tasks.add.__name__ == "add", "a job called here")
ids = [tasks.add.enqueue(queue, 40, b=2), tasks.echo.enqueue(queue, {"ü": ["☃", None, 1.5, True, "\n% \x7f \ud800"]}),
       tasks.stray.enqueue(queue, "kept"), tasks.size.enqueue(queue, "ß%\n" * 30000)]
values = [result(one).value for one in ids]
check(values[0] == 42, "the sum: %r" % values[0])
check(values[1] == {"ü": ["☃", None, 1.5, True, "\n% \x7f \ud800"]}, "what came back: %r" % values[1])
check(values[2] == "kept", "among stray prints: %r" % values[2])
check(values[3] == 90000, "a large argument: %r" % values[3])
check(b"from a child" in result(ids[2]).output, "the output of a job is kept beside its value")

failed = {name: result(job_id) for name, job_id in (
    ("fail", tasks.fail.enqueue(queue, "sorry, ☂")), ("leave", tasks.leave.enqueue(queue, 17)),
    ("crash", tasks.crash.enqueue(queue)), ("no_json", tasks.no_json.enqueue(queue)),
    ("slow", tasks.slow.enqueue(queue, 60)), ("unknown", queue.enqueue({"payload": '{"job":"os.system","args":[],"kwargs":{}}'})),
    ("no call", queue.enqueue({"payload": "[]"})))}
for name, code, text in (("fail", 1, "sorry, ☂"), ("leave", 17, ""), ("crash", 139, ""), ("no_json", 1, "not JSON serializable"),
                         ("slow", 143, ""), ("unknown", 2, "tasks has no job 'os.system'"), ("no call", 2, "no call of a Python job")):
    got = failed[name]
    check((got.state, got.exit_code) == ("dead", code), "%s: %s, exit %d" % (name, got.state, got.exit_code))
    told = raises(jobq.JobFailed, lambda: got.value)
    check(text in told, "%s tells %r" % (name, told))
check("KeyError" in failed["fail"].output.decode(), "no traceback in the error text")
raises(ValueError, lambda: result(tasks.vanish.enqueue(queue)).value)
check(len(result(tasks.much.enqueue(queue, 3998)).value) == 3998, "the largest value")
told = raises(jobq.Limit, lambda: result(tasks.much.enqueue(queue, 3999)).value)
check("4001 bytes" in told and "4000" in told, "one that is too large: %s" % told)
raises(TypeError, tasks.add.enqueue, queue, object())
raises(jobq.Limit, tasks.size.enqueue, queue, "x" * 300000)

slow = tasks.slow.options(delay=0).enqueue(queue, 2.5)
wait_for(lambda: queue.status(slow).state == "running", 20, "the slow job to run")
began = time.monotonic()
told = raises(jobq.TryLater, queue.result, slow, wait=0.2)
check("running" in told and time.monotonic() - began < 2, "not ended: %s" % told)
queue.cancel(slow)
check(queue.result(slow).state == "cancelled", "a cancelled job's result")
told = raises(jobq.JobFailed, lambda: queue.result(slow).value)
check("cancelled" in told, told)
raises(jobq.NotFound, queue.result, slow[:-6] + "000000")
drain.terminate()
check(drain.wait(timeout=30) == 0, "the drain ended with %s" % drain.returncode)

# jobq result: what was printed goes to standard output as it was, what is said of it does not.
plain = mock.start("drain", "plain", "-n", "2", "--create", "--attempts", "1", "--exec", "cat")
short = mock.jobq("enqueue", "plain", "kind=exec", "payload=café\n100%")
primes = mock.jobq("enqueue", "plain", "kind=primes", "n=1000").stdout.strip()
done = mock.jobq("result", "--wait", "30s", short.stdout.strip())
check(done.stdout == "café\n100%" and done.stderr == "", "printed: %r %r" % (done.stdout, done.stderr))
check(mock.jobq("result", "--wait", "30s", primes).stdout == "168\n", "primes below 1000")
check(queue.result(primes).output == b"168\n", "primes by the library")
plain.terminate()
plain.wait(timeout=30)
long = mock.start("drain", "plain", "-n", "2", "--attempts", "1", "--exec", "sh -c 'seq 2000; exit $(cat)'")
ids = [mock.jobq("enqueue", "plain", "kind=exec", "payload=%d" % code).stdout.strip() for code in (0, 3)]
whole = "".join("%d\n" % i for i in range(1, 2001))
for job_id, code, text in ((ids[0], 0, "cut: the last "), (ids[1], 5, "job is dead, exit code 3")):
    got = mock.jobq("result", "--wait", "30s", job_id, check_code=code)
    check(whole.endswith(got.stdout) and 2500 < len(got.stdout) < 4097, "%d bytes of a long output" % len(got.stdout))
    check(text in got.stderr and "of %d" % len(whole) in got.stderr, "said: %s" % got.stderr)
row = json.loads(mock.jobq("result", "--json", ids[0]).stdout)["jobs"][0]
check(row["printed_bytes"] == len(whole) and whole.endswith(row["output"]), "as JSON: %s" % row)
check(queue.result(ids[0]).cut and not queue.result(primes).cut, "the flag of the library")
long.terminate()
long.wait(timeout=30)

# What does not end, is not there or is not kept.
waits = mock.jobq("enqueue", "plain", "kind=exec", "payload=0").stdout.strip()
mock.jobq("result", waits, check_code=6)
mock.jobq("result", "--wait", "300ms", waits, check_code=6)
mock.jobq("result", "plain-" + "0" * 24, check_code=4)
mock.jobq("result", "no id", check_code=2)
none = mock.jobq("result", "--rows", "none", waits, check_code=2)
check("none" in none.stderr, none.stderr)
told = raises(jobq.Invalid, jobq.Enqueuer("calls", store="none").result, waits)
check("no rows" in told, told)
queue.close()
usage = subprocess.run([sys.executable, "-m", "jobq"], env={**os.environ, **env}, capture_output=True, text=True)
check(usage.returncode == 2 and "usage" in usage.stderr, "the worker's usage: %s" % usage)
bad = subprocess.run([sys.executable, "-m", "jobq", "worker", "absent"], env={**os.environ, **env, "JOBQ_LIBRARY": "/none"},
                     input="{}", capture_output=True, text=True)
check(bad.returncode == 1 and "absent" in bad.stderr, "a module that is missing: %s" % bad.stderr)
mock.close()
print("ok: results are read back, and Python functions run as jobs")
