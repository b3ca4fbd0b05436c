#!/usr/bin/python3
"""Keys and session token are in no output, trace, journal, page, child's environment or core dump
of jobq, whether its calls go well or are refused."""
import os
import re
import resource
import signal
import subprocess
import urllib.request

from livelib import JOBQ, Mock, check, wait_for

mock = Mock(signed=False)
SECRETS = {"AWS_SECRET_ACCESS_KEY": "SecretSecretSecretSecretSecretSecret1234",
           "AWS_SESSION_TOKEN": "TokenTokenTokenTokenTokenTokenToken5678",
           "AWS_CONTAINER_AUTHORIZATION_TOKEN": "ContainerContainerContainer9012"}
mock.env.update(SECRETS)
# The page's token is in a file alone.
SECRETS["page token"] = "PageTokenPageTokenPageToken3456"
with open(mock.dir + "/../page-token-%d" % os.getpid(), "w") as file:
    os.chmod(file.name, 0o600)
    file.write(SECRETS["page token"])
token_file = os.path.realpath(file.name)
seen = []


def run(*args):
    done = mock.jobq(*args, "-v", check_code=None)
    seen.append((" ".join(args), done.stdout + done.stderr))
    return done.stdout


def look():
    files = [(name, open(os.path.join(mock.dir, name), errors="replace").read()) for name in os.listdir(mock.dir)]
    for where, text in seen + files:
        for name, secret in SECRETS.items():
            check(secret not in text, "%s is in '%s'" % (name, where))


with open(mock.dir + "/jobs", "w") as jobs:
    jobs.write("kind=exec\nseconds=0\n")
ids = run("enqueue", "sec", "--batch", "jobs", "--journal", "journal", "--record", "e.jsonl").split()
run("drain", "sec", "-n", "2", "--exec", "sh -c 'env; env > childs-env'", "--once", "--linger", "0", "--json", "--record", "d.jsonl")
run("status", "--json", ids[0])
run("list", "sec", "--json")
run("doctor", "sec")
check("JOBQ_JOB_ID=" in open(mock.dir + "/childs-env").read(), "the child showed no environment")
# Refusals and faults name everything but the secrets.
for spec in ("error=1", "throttle=1", "drop=1"):
    mock.faults(spec)
    try:
        done = subprocess.run([JOBQ, "status", "-v", ids[0]], env=mock.env, cwd=mock.dir, capture_output=True, text=True, timeout=2)
        seen.append((spec, done.stdout + done.stderr))
    except subprocess.TimeoutExpired as late:
        seen.append((spec, "".join((text or b"").decode() for text in (late.stdout, late.stderr))))
mock.faults("off")
refusing = Mock()  # it knows other keys
mock.env["AWS_ENDPOINT_URL"] = refusing.url
text = run("enqueue", "sec", "kind=exec")
check("InvalidClientTokenId" in seen[-1][1] or "Signature" in seen[-1][1] or "denied" in seen[-1][1].lower(),
      "not refused: " + seen[-1][1])
mock.env["AWS_ENDPOINT_URL"] = mock.url
look()


def unlimited():
    resource.setrlimit(resource.RLIMIT_CORE, (resource.getrlimit(resource.RLIMIT_CORE)[1],) * 2)


def aborted(args):
    """Whether a program that is ended so leaves a core."""
    process = subprocess.Popen(args, env=mock.env if args[0] == JOBQ else {}, cwd=mock.dir, preexec_fn=unlimited, stdout=subprocess.PIPE,
                               stderr=subprocess.STDOUT)
    mock.started.append(process)
    if args[0] == JOBQ:
        line = process.stdout.readline().decode()
        check("draining" in line or "status page" in line, "the drain says " + line)
        limits = open("/proc/%d/limits" % process.pid).read()
        check(re.search(r"^Max core file size +0 +0 ", limits, re.M), "a core file is allowed: " + limits)
        listening = re.search(r"http://127.0.0.1:(\d+)/", line)
        if "status page" in line:
            for path in ("/", "/status.json"):
                def page():
                    try:
                        asked = urllib.request.Request("http://127.0.0.1:%s%s" % (listening.group(1), path),
                                                       headers={"Authorization": "Bearer " + SECRETS["page token"]})
                        seen.append((path, urllib.request.urlopen(asked).read().decode()))
                        return True
                    except OSError:
                        return False
                wait_for(page, 10, path)
    process.send_signal(signal.SIGABRT)
    _, status = os.waitpid(process.pid, 0)
    process.returncode = -os.WTERMSIG(status)
    process.stdout.close()
    return os.WCOREDUMP(status)


other = aborted(["/bin/sleep", "60"])
check(not aborted([JOBQ, "drain", "sec", "-n", "1", "--stats", "0", "--listen", "127.0.0.1:0",
                   "--token-file", token_file]), "it left a core")
look()
os.unlink(token_file)
mock.close()
print("ok: no secret is told" + ("" if other else " (no program leaves a core here)"))
