#!/usr/bin/python3
"""jobq as people type it, against jobqmock: help fits 80 columns, every subcommand's --json is
one object of a schema that the manual tells, exit codes are the manual's, batches with bad lines,
a batch that is killed with -9 until it is through, a long list with its price, cancels, limits of
commands, completion."""
import json
import os
import random
import re
import signal
import subprocess
import time
import urllib.parse
import urllib.request

from livelib import JOBQ, ROOT, Mock, check, marked, seed, wait_for

MANUAL = open(ROOT + "/live/man/jobq.1.scd").read().replace("\\", "")
begun = time.monotonic()
mock = Mock(signed=False)


def write(name, text):
    with open(os.path.join(mock.dir, name), "w") as file:
        file.write(text)


def run(*args, code=0, says="", env=None, stdin=""):
    done = subprocess.run([JOBQ] + list(args), env={**mock.env, **(env or {})}, capture_output=True, text=True,
                          cwd=mock.dir, timeout=60, input=stdin)
    check(done.returncode == code, "jobq %s: exit %d, want %d\n%s" % (" ".join(args), done.returncode, code, done.stderr))
    check(re.search(says, done.stderr), "jobq %s says %r, want /%s/" % (" ".join(args), done.stderr, says))
    return done


def one(*args, code=0, **kwargs):
    """Its one JSON object."""
    out = run(*args, "--json", code=code, **kwargs).stdout
    value = json.loads(out)
    check(value["schema"] in MANUAL, "the manual does not tell of " + value["schema"])
    return value


# ---- help
names = re.findall(r"(?m)^  ([a-z][a-z-]+)  +\S", run("help").stdout)
names = [n for n in names if n not in ("help", "version", "jobq")]
check(len(names) == len(re.findall(r"(?m)^    X\(", open(ROOT + "/live/cmd/cmd.h").read())), "subcommands are %s" % names)
for name in [[]] + [[n] for n in names]:
    wide = [line for line in run(*name, "--help").stdout.split("\n") if len(line) > 80]
    check(not wide, "wider than 80 columns: %s" % wide)
run("enq", code=2, says="did you mean 'enqueue'")
run("lst", code=2, says="did you mean 'list'")

# ---- a flag may be switched off where it must have a value
run("purge", "q", code=2, says="must be confirmed", env={"JOBQ_DRY_RUN": "no"})
run("purge", "q", code=2, says="neither yes nor no", env={"JOBQ_DRY_RUN": "perhaps"})
run("purge", "q", code=4, says="queue 'q'", env={"JOBQ_DRY_RUN": "yes"})
write(".jobq.ini", "[drain]\nonce = false\nconcurrency = x\n")
run("drain", "q", code=2, says=r"jobq drain: \.jobq\.ini:3: concurrency: malformed count 'x'")
run("drain", "q", code=2, says="jobq drain: JOBQ_CONCURRENCY: '0' is out of range, want 1 to 100k",
    env={"JOBQ_CONCURRENCY": "0"})
run("drain", "q", code=2, says="unknown variable 'JOBQ_SLOTS'; did you mean that of '--concurrency'?", env={"JOBQ_SLOTS": "3"})
run("drain", "q", "--slots", "3", code=2, says="unknown option '--slots'; did you mean '--concurrency'?")
run("spawn", "q", "--type", "t4g.nano", code=2, says="unknown option '--type'; did you mean '--instance'?")
run("doctor", "q", "--rate", "3", code=2, says="unknown option '--rate'; did you mean '--arrivals'?")
run("list", "q", "--wait", "3s", code=2, says="'--wait' is no setting of jobq list, only of jobqsim run, ")
run("list", "q", "--store", "none", code=2, says="--store: with 'none' there are no rows to read")
run("drain", "q", "-n", "y", code=2, says="jobq drain: --concurrency: malformed count 'y'", env={"JOBQ_CONCURRENCY": "7"})
# ---- a file's bad value, key or section is told with file and line
for text, says in (("[drain]\n; a comment\nwait = 25h\n\n", r"\.jobq\.ini:3: wait: |20s"), ("[drain]\nonce = maybe\n", r"\.jobq\.ini:2: once: 'maybe' is neither"),
                   ("store = disk\n", r"\.jobq\.ini:1: store: unknown value 'disk', want simpledb"), ("[drain]\nslot = 3\n", r"\.jobq\.ini:2: .*'slot'"),
                   ("\n[drian]\nslots = 3\n", r"\.jobq\.ini:3: \[drian\] is no subcommand"), ("slots = 3\n", r"\.jobq\.ini:1: unknown setting 'slots'; did you mean 'concurrency'"), ("slost = 3\n", r"\.jobq\.ini:1: no subcommand has an option 'slost'"),
                   ("[drain]\nslots\n", r"\.jobq\.ini:2: malformed line"), ("[serve]\nrefresh = 1s\n", None), ("image = ami-1\n[spawn]\nimage = x\n", None)):
    write(".jobq.ini", text)
    run("drain", "q", "--idle-exit", "0", code=4 if says is None else 2, says=says or "queue 'q'")
write(".jobq.ini", "[serve]\nrefresh = 1s\n")
run("serve", "q", code=2, says=r"\.jobq\.ini:2: refresh: '1s' is out of range, want 5s to 1h")
os.unlink(mock.dir + "/.jobq.ini")
os.mkdir(mock.dir + "/.aws")
AWS = {"AWS_REGION": "", "AWS_ENDPOINT_URL": "", "AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": ""}
for file, text, says in (
        ("config", "[default]\noutput = json\nregion = EU West\n", "region holds other"), ("config", "[default]\n\nregion = " + "a" * 33, "region is longer than '32'"),
        ("config", "[profile x]\nregion = EU\n[default]\n endpoint_url = ftp://h", None), ("config", "[default]\n#\nendpoint_url = http:///x", "endpoint_url has no host"),
        ("config", "[default]\nservices = s\n[services s]\nsqs =\n  endpoint_url = http://a b", None), ("config", "[default]\nregion = eu-west-1\nhello SeCrEt", "malformed line"),
        ("credentials", "[default]\naws_secret_access_key = SeCrEt\naws_access_key_id = a SeCrEt", "aws_access_key_id holds a blank"),
        ("credentials", "[default]\naws_access_key_id = A\naws_session_token = a\tSeCrEt", "aws_session_token holds a blank"),
        ("credentials", "[default]\n[x]\n[SeCrEt", "section has no ']'")):
    write(".aws/" + file, text)
    line = text.count("\n") + 1 - text.endswith("\n")
    done = run("list", "q", code=2, says=r"jobq list: \S+/\.aws/%s:%d: %s" % (file, line, says or ""), env=AWS)
    check("SeCrEt" not in done.stderr and done.stderr.count("\n") == 1, "a secret, or more than a line: " + done.stderr)
    os.unlink(mock.dir + "/.aws/" + file)
write(".aws/config", "[profile x]\nregion = EU\n")  # another profile's
run("list", "q", code=4)
run("list", "q", code=2, says="jobq list: AWS_REGION: region holds", env={"AWS_REGION": "eu west"})
run("list", "q", code=2, says="jobq list: AWS_ENDPOINT_URL_SQS is no http or https URL", env={"AWS_ENDPOINT_URL_SQS": "127.0.0.1"})
os.unlink(mock.dir + "/.aws/config")

# ---- exit codes
run("list", "nosuch", code=4, says="queue 'nosuch'")
run("status", "nosuch", code=2, says="is not a job id")
run("wait", "--all", "a", "b", code=2, says="one queue")
run("wait", "--all", "nosuch", code=4)
run("spawn", "nosuch", "--instance", "t4g.nano", "--image", "ami-12345678", code=4, says="queue 'nosuch'")
run("drain", "q", "-n", "0", code=2, says="'0' is out of range, want 1 to")
run("drain", "q", "--wait", "25s", code=2, says="20s")

# ---- batches
write("jobs", "kind=exec a='b c' d=e\\ f\n\n# comment\nbad\n{\"kind\":\"sleep\",\"seconds\":0.5}\n{\"a\":[1]}\n"
              "{bad\nkind=sleep seconds=x\na=\"open\n" + "x" * (5 << 20) + "\nkind=exec ok=1")
done = run("enqueue", "q", "--batch", "jobs", code=2, says="(?s)line 4: 'bad'.*line 6: value of 'a'.*line 7.*line 8.*"
           "line 9: quote .*line 10: line is longer.*3 enqueued, 6 refused")
first = done.stdout.split()
check(len(first) == 3, "ids are %s" % first)
again = one("enqueue", "q", "--batch", "jobs", code=2)
check(again["ids"] == first and again["resumed"] == 3 and again["refused"] == 6, "a second run: %s" % again)
done = run("enqueue", "q", "--batch", "-", code=2, stdin="bad\n" * 100)
check(done.stderr.count("line ") == 20 and "more lines like these" in done.stderr and "100 refused" in done.stderr, "complaints are not bounded")
run("enqueue", "q", "--batch", ".", code=2, says="is a directory")
with open("/proc/self/mem") as unreadable:
    done = subprocess.run([JOBQ, "enqueue", "q", "--batch", "-"], env=mock.env, stdin=unreadable, capture_output=True,
                          text=True, timeout=20)
check(done.returncode == 1 and "cannot read the rest of the batch" in done.stderr, "an unreadable batch: %d" % done.returncode)

# ---- killed with -9 until it is through: nothing lost, nothing twice, and the last run tells every id
mock.faults("latency=4ms")
COUNT = 300
write("many", "".join("kind=exec i=%d\n" % i for i in range(COUNT)))
dice, kills = random.Random(seed(default=7)), 0
while True:
    process = subprocess.Popen([JOBQ, "enqueue", "kill", "--batch", "many", "--visibility", "2s",
                                "--domains", "2", "--pipeline", "2"],
                               env=mock.env, cwd=mock.dir, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    try:
        out = process.communicate(timeout=0.1 + 0.15 * kills * dice.random())[0]
        break
    except subprocess.TimeoutExpired:
        process.send_signal(signal.SIGKILL)
        out = process.communicate()[0]
        if process.returncode == 0:
            break  # it was through before the signal came: another run would be another batch
        kills += 1
check(process.returncode == 0 and kills > 1, "ended with %d after %d kills" % (process.returncode, kills))
mock.faults("off")
told = out.split()
rows = one("list", "kill")["jobs"]
check(len(told) == len(set(told)) == COUNT, "the last run told %d ids" % len(told))
check({r["id"] for r in rows} == set(told) and len(rows) == COUNT, "%d rows" % len(rows))
run("drain", "kill", "-n", "50", "--exec", "cat", "--idle-exit", "0", "--stats", "0")
lines = [job["output"] for job in one("status", *told)["jobs"]]
check(sorted(lines) == sorted("i=%d" % i for i in range(COUNT)), "a line of the batch is lost or twice")
check(not os.path.exists(mock.dir + "/many.journal"), "the journal is left")

# ---- a long list
write("long", "kind=sleep seconds=0\n" * 8000)
run("enqueue", "long", "--batch", "long", "-q")
done = run("list", "long", says=r"reads 8000 rows and costs about \$0.01")
check(len(set(done.stdout.split("\n"))) == 8001, "not every row is there once")
check(len(one("list", "long", "--limit", "250")["jobs"]) == 250, "--limit")

# ---- rows that nobody can read: the others are listed, each is named, and JSON stays whole
def put(item, **attributes):
    """What somebody else writes into the queue's domain."""
    queue, day, shard = item[:-25], item[-11:-8], item[-8:-6]
    form = {"Action": "PutAttributes", "Version": "2009-04-15", "DomainName": "%s.%s%s" % (queue, day, shard), "ItemName": item}
    for i, (name, value) in enumerate(attributes.items(), 1):
        form.update({"Attribute.%d.Name" % i: name, "Attribute.%d.Value" % i: value, "Attribute.%d.Replace" % i: "true"})
    mock.get("/", urllib.parse.urlencode(form).encode())


# In the order of a list, and none of the three among its first two rows, whichever domain comes first.
torn = sorted(run("enqueue", "torn", "--batch", "-", "--domains", "2", stdin="kind=exec\n" * 150).stdout.split())
put(torn[13], claim="asleep 1/x")
put(torn[77], end="yesterday 0 1 2")
alien = torn[15][:-6] + "000000"
put(alien, color="\033[31mred")  # no job's row
done = run("list", "torn", code=1)
check(len(done.stdout.splitlines()) == 148 and torn[13] not in done.stdout, "a row hides others: %d lines" % done.stdout.count("\n"))
want = {torn[13]: "row attribute 'claim' is 'asleep 1/x'", torn[77]: "row attribute 'end' is 'yesterday 0 1 2'", alien: "a row with neither 't' nor 'claim' is no job's"}
for item, why in want.items():
    check("jobq list: row '%s' cannot be read: %s\n" % (item, why) in done.stderr, "%s is not named: %s" % (item, done.stderr))
check(done.stderr.count("\n") == 3, "more is said: " + done.stderr)
rows = one("list", "torn", code=1)
check(len(rows["jobs"]) == 148 and {r["id"]: r["why"] for r in rows["unreadable"]} == want, "unreadable: %s" % rows.get("unreadable"))
check("unreadable" not in one("list", "torn", "--limit", "2", "--state", "queued"), "rows that were not read are unreadable")
done = run("status", torn[13], torn[14], code=1, says="(?m)^jobq status: %s: row attribute 'claim' is 'asleep 1/x'$" % torn[13])
check(done.stdout.startswith(torn[14]), "status: " + done.stdout)
run("cancel", torn[13], torn[14], code=1, says="%s: row attribute" % torn[13])
done = run("wait", torn[13], torn[14], code=1, says="%s: row attribute" % torn[13])  # the other is cancelled
check(done.stdout.startswith(torn[14] + "\tcancelled"), "wait gave up: " + done.stdout)
run("purge", "torn", "--confirm=torn", "--rows")

# ---- cancel, wait
ids = run("enqueue", "can", "--batch", "-", stdin="kind=sleep seconds=60\nkind=sleep seconds=0\n").stdout.split()
check(one("cancel", "nosuch", ids[1], code=2)["jobs"] == [{"id": ids[1], "cancelled": True, "state": "cancelled"}], "cancel")
drain = mock.start("drain", "can", "-n", "2", "--cancel-check", "200ms", "--linger", "100ms", "--idle-exit", "0", "--stats", "0", "--create")
wait_for(lambda: one("status", ids[0])["jobs"][0]["state"] == "running", 10, "the job runs")
run("cancel", ids[0])
check(drain.wait(timeout=20) == 0, "drain")
run("wait", *ids, code=5)
check(one("wait", "--all", "can", "--interval", "20ms")["left"] == 0, "wait --all")
run("wait", "--all", "long", "--timeout", "100ms", code=6)

# ---- a drainer that ends by itself says that its box may go; one that is stopped does not
def leave(ends):
    leaves = os.path.join(mock.dir, "leave")
    drain = mock.start("drain", "can", "-n", "1", "--idle-exit", "1ms" if ends else "1h", "--leave-file", leaves, "--stats", "0")
    if not ends:
        time.sleep(0.5)  # at any time of its life a TERM leaves no file
        drain.terminate()
    check(drain.wait(timeout=30) == 0 and os.path.exists(leaves) == ends, "the leave file after %s" % ("an idle end" if ends else "a TERM"))


leave(False)
leave(True)
run("drain", "can", "--idle-exit", "0", "--leave-file", "/nosuch/leave", "--stats", "0", code=2, says="cannot make the leave file '/nosuch/leave': No such file")

# ---- words without a kind mean the command; what is doubtful is refused
ids = run("enqueue", "bare-words", "frame=12").stdout.split()
run("enqueue", "bare-words", "frame=12", "seconds=1", code=2, says="'seconds' means kind 'sleep' and 'frame' means 'exec'; give kind")
run("drain", "bare-words", "--exec", "sed s/^/ran:/", "--idle-exit", "0", "--stats", "0", "--linger", "0")
check(one("status", *ids)["jobs"][0]["output"] == "ran:frame=12", "the command did not run")

# ---- an output's UTF-8 stays what it is, and a byte that is none becomes U+FFFD
ids = run("enqueue", "bytes", "kind=exec").stdout.split()
write("print", "#!/bin/sh\nprintf 'Gr\\303\\274\\303\\237e \\360\\237\\232\\200 \\377\\n'\n")
os.chmod(mock.dir + "/print", 0o755)
# The box's name is the host's only where the metadata service is switched off.
run("drain", "bytes", "--exec", "./print", "--idle-exit", "0", "--stats", "0", "--linger", "0",
    env={"AWS_EC2_METADATA_DISABLED": "false", "AWS_EC2_METADATA_SERVICE_ENDPOINT": "http://127.0.0.1:1"})
job = one("status", *ids)["jobs"][0]
check(job["output"] == "Grüße \U0001f680 \ufffd\n", "output is %r" % job["output"])
check(job["box"] != os.uname().nodename[:23], "metadata is not disabled, and the box is called '%s'" % job["box"])

# ---- a command's environment: no way to the drainer's credentials but what is let through
secret = {"AWS_PROFILE": "p", "AWS_SHARED_CREDENTIALS_FILE": "/f", "AWS_WEB_IDENTITY_TOKEN_FILE": "/t", "AWS_ROLE_ARN": "arn:x",
          "CREDENTIALS_DIRECTORY": "/run/c", "NOTIFY_SOCKET": "@none", "WATCHDOG_USEC": "1000000000", "LISTEN_FDS": "1"}
write("f", "[p]\naws_access_key_id = a\naws_secret_access_key = b\n")
ids = run("enqueue", "env", "kind=exec").stdout.split()
run("drain", "env", "--exec", "env", "--idle-exit", "0", "--stats", "0", "--linger", "0", "--pass-env", "JOBQ_MINE,AWS_PROFILE",
    env={**secret, "AWS_SHARED_CREDENTIALS_FILE": mock.dir + "/f", "JOBQ_MINE": "1", "JOBQ_OTHER": "1"})
told = {line.split("=")[0] for line in one("status", *ids)["jobs"][0]["output"].split("\n")}
check({"JOBQ_JOB_ID", "JOBQ_QUEUE", "JOBQ_ATTEMPT", "JOBQ_MINE", "AWS_PROFILE", "AWS_REGION", "PATH"} <= told, "not inherited: %s" % told)
leaked = told & (set(secret) - {"AWS_PROFILE"} | {"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "JOBQ_OTHER"})
check(not leaked, "inherited: %s" % leaked)

# ---- limits of commands
write("job", "#!/bin/sh\nread first\ncase $first in\n"
             "mem=1) exec python3 -c 'bytearray(900 << 20); print(1)';;\n"
             "cpu=1) exec python3 -c 'while True: pass';;\n"
             "fork=1) (trap '' TERM; sleep 300) & (setsid sh -c \"trap '' TERM; sleep 301\" &); trap '' TERM; sleep 302; sleep 303;;\n"
             "out=1) head -c 100000 /dev/zero | tr '\\0' x; echo; echo 'progress 33%'; echo END;;\n"
             "evil*) printf '%s' \"$first\";;\nesac\n")
os.chmod(mock.dir + "/job", 0o755)
words = ["mem=1", "cpu=1", "fork=1", "out=1", "evil=$(touch pwned);`touch pwned`"]
write("limits", "".join("kind=exec '%s'\n" % w for w in words))
ids = run("enqueue", "lim", "--batch", "limits").stdout.split()
run("drain", "lim", "-n", "5", "--exec", "./job", "--memory-limit", "400M", "--cpu-limit", "1s", "--time-limit", "2s", "--linger", "100ms",
    "--kill-grace", "300ms", "--attempts", "1", "--idle-exit", "0", "--stats", "0")
ends = dict(zip(("mem", "cpu", "fork", "out", "evil"), one("status", *ids)["jobs"]))
check(ends["mem"]["state"] == "dead" and "MemoryError" in ends["mem"]["output"], "memory: %s" % ends["mem"])
check(ends["cpu"]["exit"] in (137, 152, 143), "processor time: %s" % ends["cpu"])
check(ends["fork"]["exit"] == 137 and ends["fork"]["wall_ns"] < 8e9, "a job that ignores TERM: %s" % ends["fork"])
out = ends["out"]["output"]
check(ends["out"]["state"] == "done" and out.endswith("x\nprogress 33%\nEND\n") and 4000 < len(out) <= 4096, "output")
check(ends["evil"]["output"] == words[4] and not os.path.exists(mock.dir + "/pwned"), "a payload was run by a shell")
check(not marked("lim"), "children are left")

# ---- dead letters: what redrive cannot send again it names, and goes on
def sqs(action, **body):
    request = urllib.request.Request(mock.url + "/", data=json.dumps(body).encode(),
                                     headers={"Content-Type": "application/x-amz-json-1.0", "X-Amz-Target": "AmazonSQS." + action})
    with urllib.request.urlopen(request, timeout=10) as reply:
        return json.loads(reply.read() or b"{}")


ids = run("enqueue", "let", "--batch", "-", stdin="kind=exec\n" * 5).stdout.split()
run("drain", "let", "-n", "5", "--exec", "false", "--attempts", "1", "--idle-exit", "0", "--stats", "0", "--linger", "0")
put(ids[1], claim="mine")
put(ids[2], claim="done 1/x")
sqs("SendMessage", QueueUrl=sqs("GetQueueUrl", QueueName="let-dead")["QueueUrl"], MessageBody="hello")
check({j["id"] for j in one("dlq", "ls", "let")["jobs"]} == {*ids, "-"}, "letters that are listed")
check(len(run("dlq", "ls", "let", "--limit", "2").stdout.splitlines()) == 2, "letters up to a limit")
done = run("dlq", "redrive", "let", code=1, says="(?s)next: jobq drain let")
check({line.split("\t")[0] for line in done.stdout.splitlines()} == {ids[0], ids[3], ids[4]}, "redriven: " + done.stdout)
for says in ("jobq dlq: row '%s' cannot be read: its dead letter stays\n" % ids[1], "job '%s' is done: its dead letter was deleted, nothing was sent\n" % ids[2], "is no job: it stays\n"):
    check(says in done.stderr, "%r is not said: %s" % (says, done.stderr))
check({j["id"] for j in one("dlq", "ls", "let")["jobs"]} == {ids[1], "-"}, "letters that stay")
run("drain", "let", "-n", "5", "--exec", "true", "--idle-exit", "0", "--stats", "0", "--linger", "0")
check([j["state"] for j in one("status", ids[0], ids[3], ids[4])["jobs"]] == ["done"] * 3, "redriven jobs run")
run("dlq", "ls", "nosuch", code=4, says="nosuch")
# A message that SQS itself moved there, after too many receives: its row says dead once somebody looks.
moved = run("enqueue", "moved", "kind=exec").stdout.strip()
urls = {name: sqs("GetQueueUrl", QueueName=name)["QueueUrl"] for name in ("moved", "moved-dead")}
arn = sqs("GetQueueAttributes", QueueUrl=urls["moved-dead"], AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
sqs("SetQueueAttributes", QueueUrl=urls["moved"], Attributes={"RedrivePolicy": json.dumps({"deadLetterTargetArn": arn, "maxReceiveCount": 1})})
for _ in range(2):
    sqs("ReceiveMessage", QueueUrl=urls["moved"], VisibilityTimeout=0)
check(one("status", moved)["jobs"][0]["state"] == "queued" and one("dlq", "ls", "moved")["jobs"][0]["id"] == moved, "SQS moved it")
check(one("status", moved)["jobs"][0]["state"] == "dead", "its row is not marked")
# Jobs without rows.
run("enqueue", "bare", "--store", "none", "kind=exec")
run("drain", "bare", "-n", "1", "--store", "none", "--exec", "false", "--attempts", "1", "--idle-exit", "0", "--linger", "0")
check(len(one("dlq", "redrive", "bare", "--store", "none")["redriven"]) == 1, "a job without a row")

# ---- traces: a line a call and a job, whole lines up to where a kill -9 struck
write("traced", "kind=sleep seconds=0.01 word=abc\n" * 600)
run("enqueue", "trace", "--batch", "traced", "--record", "enqueue.trace", "-q")
trace = [json.loads(line) for line in open(mock.dir + "/enqueue.trace")]
jobs = [line for line in trace if "job" in line]
check(trace[0]["schema"] == "jobq.trace/1" and "ledger" in trace[-1], "the trace's ends")
check(len(jobs) == 600 and all(j["bytes"] == 27 and j["code"] == "ok" for j in jobs), "jobs of the trace: %s" % jobs[:1])
for i in range(3):
    name = "%s/drain%d.trace" % (mock.dir, i)
    drain = mock.start("drain", "trace", "-n", "3", "--record", name, "--visibility", "5s")
    wait_for(lambda: os.path.exists(name) and os.path.getsize(name) > 2000, 10, "lines of a trace")
    time.sleep(dice.random() * 0.5)
    drain.send_signal(signal.SIGKILL)
    drain.wait()
    whole, rest = open(name).read().rpartition("\n")[::2]
    ended = [j for j in map(json.loads, whole.split("\n")) if "job" in j]
    check(ended and all(j["state"] == "done" and j["bytes"] > 0 and "cpu_ns" in j for j in ended), "a killed drain's trace")
done = subprocess.run([os.path.join(ROOT, "bin/jobqcost"), "bill", name], capture_output=True, text=True, timeout=20)
check(done.returncode == 2 and "without its ledger" in done.stderr, "a bill of a trace that was cut: " + done.stderr)

# ---- all others as JSON
dead = one("dlq", "ls", "lim")["jobs"]
check({j["id"] for j in dead} == {ends[k]["id"] for k in ("mem", "cpu", "fork")}, "dead letters: %s" % dead)
check(len(one("dlq", "redrive", "lim", "--limit", "1")["redriven"]) == 1, "redrive")
check(one("doctor", "lim")["faults"] == 0, "doctor")
check(one("explain-cost", "status", ids[0])["requests"] == {"GetAttributes": 1}, "explain-cost")
check(one("completion", "bash")["script"] == run("completion", "bash").stdout, "completion")
check(len(one("spawn", "lim", "--instance", "t4g.nano", "--image", "ami-12345678")["ids"]) == 1, "spawn")
check(one("purge", "lim", "--confirm=lim", "--dead", "--rows")["domains"] >= 1, "purge")
check(one("list", "lim")["jobs"] == [], "rows are left")

# ---- what explain-cost predicts is what the mock then counts
def requests():
    ledger = mock.ledger()
    return {k: v["requests"] for k, v in ledger.get("ledger", ledger)["actions"].items()}


write("predicted", "kind=sleep seconds=0 x=1\n" * 250)
run("enqueue", "cost", "--batch", "predicted", "--domains", "1")
cost_id = run("enqueue", "cost", "kind=sleep", "--domains", "1").stdout.strip()
for words in (["enqueue", "cost", "--domains", "1", "--batch", "predicted"], ["enqueue", "cost", "--domains", "1", "a=1", "kind=exec"],
              ["status", cost_id, cost_id], ["cancel", cost_id], ["doctor", "cost"], ["purge", "cost", "--dead", "--dry-run"],
              ["spawn", "cost", "--instance", "t4g.nano", "--image", "ami-12345678"], ["spawn", "cost", "--instance", "x", "--dry-run"]):
    told = one("explain-cost", *words)["requests"]
    before = requests()
    run(*words)
    after = requests()
    counted = {k: n - before.get(k, 0) for k, n in after.items() if n > before.get(k, 0)}
    check(told == counted, "%s: predicted %s, counted %s" % (" ".join(words), told, counted))
check(one("explain-cost", "wait", "--all", "cost")["requests"] == {"GetQueueAttributes": 1}, "wait --all predicted")
check(one("explain-cost", "serve", "cost", "--refresh", "30s")["requests"]["DescribeInstances"] == 2880, "serve predicted")

# ---- completion in bash
words = subprocess.run(["bash", "-c", 'eval "$("$0" completion bash)"; t() { COMP_WORDS=("$@"); COMP_CWORD=$(($#-1)); _jobq;'
                        ' echo "${COMPREPLY[*]}"; }; t jobq en; t jobq dlq r; t jobq enqueue q --store ""; t jobq list q --state d;'
                        't jobq help wa; t jobq serve q --lis', JOBQ], capture_output=True, text=True, check=True).stdout
check(words == "enqueue\nredrive\nsimpledb none dynamodb\ndone dead\nwait\n--listen\n", "completion gave " + words)
mock.close()
print("ok: command line, %d kills, %.1f s" % (kills, time.monotonic() - begun))
