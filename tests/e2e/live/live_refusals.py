#!/usr/bin/env python3
"""What jobq does when AWS refuses a call, fails for long or answers nonsense: it says so in
AWS's own words, gives back what it holds and ends, or goes on when it may."""
import os
import re
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from livelib import Mock, check, wait_for  # noqa: E402
from proxylib import JSON, Proxy  # noqa: E402

mock = Mock(signed=False)
proxy = Proxy(mock.url)
mock.env["AWS_ENDPOINT_URL"] = proxy.url


def path(name):
    return os.path.join(mock.dir, name)


def read(name):
    with open(path(name)) as file:
        return file.read()


def enqueue(queue, *options):
    return mock.jobq("enqueue", queue, *options, "-q").stdout.strip()


def state(job):
    return mock.jobq("status", job, check_code=None).stdout.split("\t")[1].strip()


def ends(name, queue, *options, code=77, says=(), started=None):
    """Drains until it ends by itself; returns what it printed."""
    done = mock.jobq("drain", queue, "--wait", "1s", *options, check_code=code, timeout=60)
    for text in says:
        check(text in done.stderr, "%s: '%s' is not in\n%s" % (name, text, done.stderr))
    if started is not None:
        check(done.stdout.count(" started ") == started, "%s started:\n%s" % (name, done.stdout))
    proxy.clear()
    return done


# A refused heartbeat: no two attempts side by side, and no attempt spent.
job = enqueue("beat", "--visibility", "3s", "kind=exec", "a=1")
with open(path("j.sh"), "w") as script:
    script.write("#!/bin/sh\ncat >/dev/null\necho start >> side\nsleep 8\necho end >> side\n")
os.chmod(path("j.sh"), 0o755)
proxy.deny_sqs("ChangeMessageVisibility")
began = time.monotonic()
ends("heartbeat", "beat", "--exec", "./j.sh",
     says=["refused: ChangeMessageVisibility", "AccessDenied", "not authorized to perform: sqs:Change",
           "could not be given back"])
check(time.monotonic() - began < 8, "a refused heartbeat let the job run on")
check(state(job) == "queued", "after a refused heartbeat the job is " + state(job))
check(read("side") == "start\n", "the job's side effects:\n" + read("side"))
mock.jobq("drain", "beat", "--exec", "./j.sh", "--once", timeout=60)
check(state(job) == "done", "the next drainer left the job " + state(job))

# A refused delete.
jobs = [enqueue("del", "--visibility", "2s", "kind=sleep") for _ in range(3)]
proxy.deny_sqs("DeleteMessage")
done = ends("delete", "del", "-n", "2", "--linger", "0",
            says=["refused: DeleteMessage", "not authorized to perform: sqs:DeleteMessage"])
check(done.stderr.count("refused: ") == 1, "a refusal is said once:\n" + done.stderr)

# Refused writes and reads of rows.
job = enqueue("put", "--visibility", "2s", "kind=sleep")
proxy.refuse_sdb("PutAttributes", "AuthFailure", "not authorized to sdb:PutAttributes")
ends("claim", "put", says=["refused: PutAttributes", "not authorized to sdb:PutAttributes"])
check(state(job) == "queued", "a refused claim left the job " + state(job))
proxy.deny_sqs("ReceiveMessage")
ends("receive", "put", says=["refused: ReceiveMessage", "not authorized to perform: sqs:ReceiveMessage"])
proxy.deny_sqs("GetQueueAttributes")
ends("attributes", "put", "--visibility", "2s", "--idle-exit", "1s", says=["refused: GetQueueAttributes"])

# A store without the domain: nothing goes to the dead letters.
job = enqueue("wiped", "--visibility", "2s", "kind=sleep")
proxy.refuse_sdb("PutAttributes|GetAttributes", "NoSuchDomain", "The specified domain does not exist.", 400)
ends("no domain", "wiped", "--once", code=4, says=["does not exist", "--create"])
check("no dead letters" in mock.jobq("dlq", "ls", "wiped").stderr, "a missing domain made dead letters")
mock.jobq("drain", "wiped", "--once", timeout=60)
check(state(job) == "done", "after the domain was back the job is " + state(job))

# What passes is tried again: a KMS throttle, a captive portal.
job = enqueue("pass", "--visibility", "2s", "kind=sleep")
proxy.rule("ReceiveMessage", 400, '{"__type":"com.amazonaws.sqs#KmsThrottled","message":"KMS throttles"}',
           {"Content-Type": JSON, "x-amzn-query-error": "KMS.ThrottlingException;Sender"}, times=1)
proxy.rule("ReceiveMessage", 200, "<html>captive portal</html>", times=2)
proxy.rule("PutAttributes", 200, "<html>captive portal</html>", times=1)
ends("throttle and nonsense", "pass", "--once", code=0)
check(state(job) == "done", "a throttle and nonsense left the job " + state(job))
proxy.rule("ReceiveMessage", 400, '{"__type":"com.amazonaws.sqs#KmsAccessDenied","message":"no key for you"}',
           {"Content-Type": JSON})
ends("KMS", "pass", says=["KmsAccessDenied: no key for you"])

# A service that is away: said after a few seconds, again each minute, and when it is back.
drainer = mock.start("drain", "pass", "--wait", "1s", log=path("away"))
wait_for(lambda: proxy.calls["ReceiveMessage"] > 5 and "draining" in read("away"), 20, "a drainer that polls")
proxy.rule(".*", 503, "<html>Service Unavailable</html>")
wait_for(lambda: "failing for" in read("away"), 20, "a word about a service that answers 503")
check(re.search("will be tried again: ReceiveMessage.*503", read("away")), "which call fails:\n" + read("away"))
proxy.clear()
wait_for(lambda: "ReceiveMessage succeeds again" in read("away"), 60, "a word about its return")
drainer.terminate()
check(drainer.wait(30) == 0, "a drainer that was told to stop")

# A page goes on when it is refused: its log says so once, and when it is over.
proxy.deny_sqs("GetQueueAttributes")
serve = mock.start("serve", "pass", "--listen", "127.0.0.1:0", "--refresh", "5s", log=path("page"))
wait_for(lambda: proxy.calls["GetQueueAttributes"] > 0 and "refused: GetQueueAttributes" in read("page"), 20,
         "a word about a refused reading")
proxy.clear()
wait_for(lambda: "GetQueueAttributes succeeds again" in read("page"), 30, "a word about its end")
check(read("page").count("refused: ") == 1, "a refusal is said once:\n" + read("page"))
serve.terminate()
check(serve.wait(30) == 0, "a page that was told to stop")

# Other commands say why they wait, too.
waiting = mock.start("enqueue", "pass", "kind=sleep", log=path("waits"))
wait_for(lambda: waiting.poll() is not None, 20, "an enqueue")
check(waiting.returncode == 0, "enqueue: " + read("waits"))
proxy.rule(".*", 503, "<html>Service Unavailable</html>")
waiting = mock.start("enqueue", "pass", "kind=sleep", log=path("waits"))
wait_for(lambda: "failing for" in read("waits"), 20, "why enqueue waits")
proxy.clear()
check(waiting.wait(60) == 0, "enqueue after the service came back: " + read("waits"))

# A drainer without a command leaves exec jobs alone.
job = enqueue("noexec", "--visibility", "2s", "kind=exec", "a=1")
other = enqueue("noexec", "kind=sleep")
done = ends("no command", "noexec", "--once", code=2, says=["--exec", "1 exec jobs are left"])
check(state(job) == "queued" and state(other) == "done", "exec: %s, sleep: %s" % (state(job), state(other)))
check("no dead letters" in mock.jobq("dlq", "ls", "noexec").stderr, "an exec job became a dead letter")

# Started events have no duration; "given back" names the attempt that was.
job = enqueue("events", "--visibility", "20s", "kind=sleep", "seconds=100")
drainer = mock.start("drain", "events", "-v", "--json", "--drain-timeout", "2s", log=path("events"))
wait_for(lambda: '"started"' in read("events"), 20, "a job that starts")
drainer.terminate()
drainer.wait(30)
check(re.search(r'"event":"started","id":"[^"]*","attempt":1}', read("events")), read("events"))
check(re.search(r'"event":"given back","id":"[^"]*","attempt":1,"ms":\d+', read("events")), read("events"))

# Dead letters that another look hides are not "none".
dead = enqueue("dead", "--visibility", "2s", "kind=exec", "a=1")
mock.jobq("drain", "dead", "--exec", "/bin/false", "--attempts", "1", "--once", timeout=60)
check("1 dead" in mock.jobq("dlq", "ls", "dead").stderr, "a dead letter")
proxy.rule("ChangeMessageVisibility(Batch)?", 503, "")  # the first look's giving back fails
mock.jobq("dlq", "ls", "dead")
done = mock.jobq("dlq", "ls", "dead")
check("1 more are hidden" in done.stderr and "no dead letters\n" not in done.stderr, done.stderr)

print("ok: refusals")
