#!/usr/bin/python3
"""libjobq by its Python class and by C and C++ programs, against jobqmock.

usage: live_library.py BUILD_DIR"""
import atexit
import ctypes
import json
import os
import signal
import subprocess
import sys
import threading
import time

from livelib import ROOT, Mock, check

BUILD = os.path.join(ROOT, sys.argv[1] if len(sys.argv) > 1 else "build/dev")
mock = Mock()
atexit.register(mock.proc.send_signal, signal.SIGCONT)  # before it is told to end
os.environ.update(mock.env)
os.environ["JOBQ_LIBRARY"] = os.path.join(BUILD, "libjobq.so.0")
sys.path.insert(0, os.path.join(ROOT, "live/python"))
import jobq  # noqa: E402  (after the environment is set)

# Programs that were built against the first header keep their layout, and the class has it too.
FIRST = {"state": 0, "attempt": 16, "enqueued_ms": 24, "started_ms": 32, "finished_ms": 40, "exit_code": 48, "wall_s": 56,
         "cpu_s": 64, "box": 72, "output": 96, "output_bytes": 4196}
path = os.path.join(mock.dir, "layout.c")
with open(path, "w") as f:
    f.write("#include <jobq/jobq.h>\n#include <stdio.h>\nint main(void) {\n    printf(\"%zu\\n\", sizeof(struct jobq_status));\n")
    for field in jobq._Status._fields_:
        f.write("    printf(\"%%zu\\n\", offsetof(struct jobq_status, %s));\n" % field[0])
    f.write("    printf(\"%zu\\n\", sizeof(struct jobq_error));\n")
    f.write("    printf(\"%zu\\n\", sizeof(struct jobq_job));\n")
    f.write("    printf(\"%zu\\n\", sizeof(struct jobq_request));\n}\n")
subprocess.run(["cc", "-I" + ROOT + "/include", path, "-o", path + ".out"], check=True)
size, *offsets = map(int, subprocess.run([path + ".out"], capture_output=True, text=True, check=True).stdout.split())
sizes = [offsets.pop() for _ in range(3)][::-1]
check(sizes == [len(jobq._error()), ctypes.sizeof(jobq._Job), ctypes.sizeof(jobq._Request)], "jobq.py's sizes are not the header's: %s" % sizes)
mirror = {field[0]: getattr(jobq._Status, field[0]).offset for field in jobq._Status._fields_}
check(list(mirror.values()) == offsets and ctypes.sizeof(jobq._Status) == size, "jobq.py's layout is not the header's")
check(size == 4200 and all(mirror[name] == at for name, at in FIRST.items()), "a field has moved: %d, %r" % (size, mirror))

# The host's signals are the host's.
def ignores_pipe():
    with open("/proc/self/status") as f:
        ignored = [int(line.split()[1], 16) for line in f if line.startswith("SigIgn:")][0]
    return bool(ignored >> (signal.SIGPIPE - 1) & 1)


signal.signal(signal.SIGPIPE, signal.SIG_DFL)

# The seed's flow.
queue = jobq.Enqueuer("render", visibility_timeout=300)
job = queue.enqueue({"kind": "exec", "frame": 12, "note": "zwei Wörter"})
check(not ignores_pipe(), "the library has changed what its host does with SIGPIPE")
signal.signal(signal.SIGPIPE, signal.SIG_IGN)
check(job.startswith("render-"), "id is not prefixed with the queue's name: " + job)
check(queue.status(job).state == "queued", "state is not queued")
mock.jobq("drain", "render", "-n", "2", "--once", "--exec", "cat")
status = queue.status(job)
check(status.state == "done" and status.exit_code == 0, "job is not done: %r" % status)
check(status.output == "frame=12\nnote=zwei Wörter".encode(), "output is %r" % status.output)

job = queue.enqueue({"frame": 12})  # no kind, so the operator's command
mock.jobq("drain", "render", "-n", "2", "--once", "--exec", "cat")
check(queue.status(job).output == b"frame=12", "output is %r" % queue.status(job).output)

# Settings by name, as jobq enqueue has them.
with jobq.Enqueuer("other", retention="2d", payload_in="store", delay="10min", keep="4d", domains=1) as other:
    job = other.enqueue({"kind": "sleep"})
    check(other.status(job).state == "queued", "settings: %r" % other.status(job))
    found = {c["check"]: c["text"] for c in json.loads(mock.jobq("doctor", "other", "--json", check_code=None).stdout)["checks"]}
    check("2d" in found["retention"] and found["queue"] == "0 visible, 0 in flight, 1 delayed" and found["domains"].startswith("1 of"),
          "what the settings made: %s" % found)
with jobq.Enqueuer("bare", store="none") as bare:
    job = bare.enqueue({"kind": "sleep"})
    try:
        bare.status(job)
        check(False, "status without rows")
    except jobq.Invalid as problem:
        check("store is 'none'" in str(problem), str(problem))
for wrong, kind, text in (({"keep": "4000000d"}, jobq.Limit, "keep: '4000000d' is out of range, want 0s to 36500d"),
                          ({"kep": "4d"}, jobq.Invalid, "did you mean 'keep'"), ({"concurrency": 3}, jobq.Invalid, "no setting of libjobq"),
                          ({"visibility_timeout": 43201}, jobq.Limit, "want 1s to 12h"), ({"store": "none", "payload_in": "disk"}, jobq.Invalid, "want auto|message|store")):
    try:
        jobq.Enqueuer("render", **wrong)
        check(False, "took %s" % wrong)
    except kind as problem:
        check(text in str(problem), "%s: %s" % (wrong, problem))

# Errors are exceptions with their codes, and leave nothing behind.
for wrong, kind in (({"kind": "fly"}, jobq.Invalid), ({"frame": 1, "seconds": 1}, jobq.Invalid), ({"x": "y" * 300000}, jobq.Limit)):
    try:
        queue.enqueue(wrong)
        check(False, "accepted %.40r" % wrong)
    except kind as problem:
        check(problem.code < 0 and str(problem), "no code")
for missing, kind in (("render-zzzz", jobq.Invalid), (job[:-1] + ("0" if job[-1] != "0" else "1"), jobq.NotFound)):
    try:
        queue.status(missing)
        check(False, "found " + missing)
    except kind:
        pass
try:
    jobq.Enqueuer("bad name!")
    check(False, "accepted a bad queue name")
except jobq.Invalid:
    pass

# Many threads on one enqueuer: every id once, and their jobs share batches.
ids, lock = [], threading.Lock()


def worker(number):
    mine = [queue.enqueue({"thread": number, "i": i}) for i in range(50)]
    mine += queue.enqueue_many([{"thread": number, "i": 50 + i} for i in range(25)])
    with lock:
        ids.extend(mine)


threads = [threading.Thread(target=worker, args=(n,)) for n in range(8)]
for t in threads:
    t.start()
for t in threads:
    t.join()
check(len(set(ids)) == 8 * 75, "%d ids of %d" % (len(set(ids)), 8 * 75))
try:
    queue.enqueue_many([{"a": 1}, {"kind": "fly"}, {"a": 2}])
    check(False, "accepted a bad job in a batch")
except jobq.Invalid as problem:
    check([bool(i) for i in problem.ids] == [True, False, True], "ids are %r" % problem.ids)
queue.close()

# Closed while threads call: a call under way ends well and is waited for, a later one raises
# Closed and has written nothing.
mock.faults("latency=5ms")
all_ids = []
for turn in range(15):
    queue = jobq.Enqueuer("closing")
    acknowledged, problems, first = [], [], threading.Barrier(11)

    def until_closed(queue=queue, acknowledged=acknowledged, problems=problems, first=first):
        try:
            acknowledged.append(queue.enqueue({"turn": turn}))
            first.wait()
            while True:
                acknowledged.append(queue.enqueue({"turn": turn}))
                acknowledged.extend(queue.enqueue_many([{"turn": turn}] * 12))
                queue.status(acknowledged[-1])
        except jobq.Closed as problem:
            problems.append(problem.code)
        except BaseException as problem:
            problems.append(problem)

    threads = [threading.Thread(target=until_closed) for _ in range(10)]
    for t in threads:
        t.start()
    first.wait()
    closers = [threading.Thread(target=queue.close) for _ in range(3)]
    for t in closers:
        t.start()
    for t in closers + threads:
        t.join(30)
    check(not any(t.is_alive() for t in closers + threads), "a call hangs after the close")
    check(problems == [-10] * 10, "calls after the close gave %r" % problems)
    all_ids += acknowledged
mock.faults("latency=0s")
rows = {row["id"] for row in json.loads(mock.jobq("list", "closing", "--json").stdout)["jobs"]}
check(rows == set(all_ids), "%d rows, %d acknowledged" % (len(rows), len(all_ids)))
try:
    queue.status(all_ids[0])
    check(False, "a closed one answered")
except ValueError:
    pass



class Closing(str):
    """Closes the queue between a call's first step and its last."""

    def encode(self, *args):
        queue.close()
        return str.encode(self, *args)


queue = jobq.Enqueuer("closing")
try:
    queue.status(Closing(all_ids[0]))
    check(False, "closed meanwhile, it answered")
except jobq.Closed:
    pass

# After a fork the child is told, not hung.
queue = jobq.Enqueuer("render")
child = os.fork()
if child == 0:
    try:
        queue.enqueue({"a": 1})
        os._exit(1)
    except jobq.Invalid:
        os._exit(0)
check(os.waitpid(child, 0)[1] == 0, "a child of fork was not refused")
queue.close()

# A service that does not answer: calls end by their timeout, Ctrl-C ends them at once, and the
# queue works on when the service does.
def within(least, most, kind, call):
    begun = time.monotonic()
    try:
        call()
        check(False, "a service that does not answer answered")
    except kind as problem:
        took = time.monotonic() - begun
        check(least <= took <= most, "%r after %.2f s, want %g to %g" % (problem, took, least, most))
        return problem


def interrupted(call):
    timer = threading.Timer(0.3, os.kill, (os.getpid(), signal.SIGINT))
    timer.start()
    within(0.2, 1.3, KeyboardInterrupt, call)
    timer.join()


def alarmed(_number, _frame):
    alarms.append(time.monotonic())


queue = jobq.Enqueuer("silent", timeout=1.0)
job, victim = queue.enqueue_many([{"a": 1}, {"a": 2}])
mock.proc.send_signal(signal.SIGSTOP)
problem = within(0.9, 2, jobq.TryLater, lambda: queue.enqueue({"a": 2}))
check(problem.name == "timeout" and "1 s" in str(problem), "%r" % problem)
within(0.4, 1.4, jobq.TryLater, lambda: queue.status(job, timeout=0.5))
within(0.4, 1.4, jobq.TryLater, lambda: queue.cancel(victim, timeout=0.5))
within(0.4, 1.4, jobq.TryLater, lambda: jobq.Enqueuer("other", timeout=0.5))
interrupted(lambda: queue.enqueue({"a": 3}, timeout=60))
interrupted(lambda: queue.status(job, timeout=60))
interrupted(lambda: jobq.Enqueuer("other"))
alarms = []
signal.signal(signal.SIGALRM, alarmed)  # a handler that raises nothing ends no call
signal.setitimer(signal.ITIMER_REAL, 0.2)
within(0.4, 1.4, jobq.TryLater, lambda: queue.status(job, timeout=0.5))
check(len(alarms) == 1, "the alarm's handler ran %d times" % len(alarms))
second = jobq.Enqueuer.__new__(jobq.Enqueuer)  # one whose opening was given up is closed at once
interrupted(lambda: second.__init__("other"))
begun = time.monotonic()
second.close()
check(time.monotonic() - begun < 1, "closing took %.1f s" % (time.monotonic() - begun))
mock.proc.send_signal(signal.SIGCONT)
check(queue.status(job, timeout=20).state == "queued", "state after the silence")
later = queue.enqueue_many([{"a": i} for i in range(30)], timeout=20)
check(len(set(later)) == 30 and all(queue.status(i).state == "queued" for i in later), "ids after the silence")
for bad in (0, -1, 1e9, float("nan")):
    try:
        queue.status(job, timeout=bad)
        check(False, "accepted a timeout of %r" % bad)
    except ValueError:
        pass
queue.close()

# Wrong credentials are an exception, not a hang; the secret is in no text.
os.environ["AWS_SECRET_ACCESS_KEY"] = "wrongwrongwrong"
try:
    jobq.Enqueuer("render")
    check(False, "accepted wrong keys")
except jobq.Denied as problem:
    check("wrongwrong" not in str(problem), "the secret is in the error's text")
os.environ.update(mock.env)

# The headers stand alone in C and C++, and both links work.
SOURCE = """#include <jobq/jobq.h>
#include <stdio.h>
int main(void) {
    struct jobq_error err;
    struct jobq_enqueuer *q = jobq_enqueuer_new("render", 60, &err);
    struct jobq_dict job[] = {{"kind", "sleep"}, {"seconds", "0"}};
    char id[JOBQ_ID_MAX];
    if (!q || jobq_enqueue(q, job, 2, id, &err) < 0) { puts(err.text); return 1; }
    puts(id);
    /* A NULL or a negative count is an error, not a crash. */
    struct jobq_status status;
    if (jobq_enqueue(q, NULL, 1, id, &err) != JOBQ_INVALID || jobq_enqueue(q, job, 2, NULL, &err) != JOBQ_INVALID ||
        jobq_enqueue_batch(q, NULL, 3, &err) != JOBQ_INVALID || jobq_enqueue_batch(q, NULL, -1, &err) != JOBQ_INVALID ||
        jobq_enqueue_batch(q, NULL, 0, &err) != 0 || jobq_status(q, NULL, &status, &err) != JOBQ_INVALID ||
        jobq_status(q, id, NULL, &err) != JOBQ_INVALID || jobq_cancel(q, NULL, NULL) != JOBQ_INVALID ||
        jobq_enqueue(NULL, job, 2, id, NULL) != JOBQ_INVALID)
        return 2;
    /* A call in slices; one that is given up; bad requests. */
    struct jobq_job one = {job, 2, 0, "", 1, NULL, NULL, 0};
    struct jobq_request request = {JOBQ_REQUEST_ENQUEUE, &one, 1, NULL, 30, 0};
    struct jobq_call *call = jobq_begin(q, &request, &err);
    while (call && !jobq_wait(call, 0.01))
        ;
    if (!call || jobq_end(call, &one, NULL, &err) != 1 || one.code || !one.id[0])
        return 3;
    request.kind = JOBQ_REQUEST_STATUS;
    request.id = one.id;
    call = jobq_begin(q, &request, &err);
    if (!call || !jobq_wait(call, -1) || jobq_end(call, NULL, &status, &err) || status.state[0] != 'q')
        return 4;
    call = jobq_begin(q, &request, &err);
    if (!call)
        return 5;
    jobq_end(call, NULL, NULL, NULL);
    request.timeout_s = -1;
    if (jobq_begin(q, &request, &err) || err.code != JOBQ_LIMIT)
        return 6;
    jobq_enqueuer_free(q);
    return jobq_enqueuer_new("render", 0, &err) != NULL || err.code != JOBQ_LIMIT ||
           jobq_enqueuer_new("render", 1e9, &err) != NULL || err.code != JOBQ_LIMIT;
}
"""
STATIC = ["-lcurl", "-lssl", "-lcrypto", "-levent", "-ljansson", "-lxml2", "-linih", "-lm", "-lpthread"]
for compiler, name, link in (("cc", "a.c", ["-L" + BUILD, "-ljobq", "-Wl,-rpath," + BUILD]),
                             ("c++", "a.cc", ["-L" + BUILD, "-ljobq", "-Wl,-rpath," + BUILD]),
                             ("cc", "b.c", [os.path.join(BUILD, "libjobq.a")] + STATIC)):
    path = os.path.join(mock.dir, name)
    with open(path, "w") as f:
        f.write(SOURCE)
    subprocess.run([compiler, "-Wall", "-Wextra", "-Werror", "-pedantic", "-I" + ROOT + "/include", path,
                    "-o", path + ".out"] + link, check=True)
    done = subprocess.run([path + ".out"], env=mock.env, capture_output=True, text=True, timeout=20)
    check(done.returncode == 0 and done.stdout.startswith("render-"),
          "%s: %d %s" % (name, done.returncode, done.stdout))
names = subprocess.run(["nm", "-D", "--defined-only", os.path.join(BUILD, "libjobq.so.0")],
                       capture_output=True, text=True, check=True).stdout.split("\n")
others = [n for n in names if n and not n.split()[2].startswith("jobq_") and " A " not in n]
check(not others, "libjobq.so exports %s" % others)
mock.close()
print("ok: library")
