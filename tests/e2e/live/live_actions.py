#!/usr/bin/python3
"""The actions of the status page and of jobq's subcommands, against jobqmock whose boxes are
processes: each with the token and without, from another origin, twice; three boxes of which each page
shows all; spawn makes a fourth, seppuku ends exactly one, and no job is lost."""
import http.client
import json
import os
import re
import sys
import time
import urllib.parse

from livelib import JOBQ, Mock, check, wait_for

TOKEN = "correct-horse-battery"
OTHER = "staple-staple-staple"
# A box: jobq drain as the user data says, with a page whose port is in a file.
BOX = """import os, re, sys, subprocess
data = sys.stdin.read()
words = dict(line.strip().split("=", 1) for line in data.split("content: |")[1].split("runcmd")[0].split("\\n") if "=" in line)
env = dict(os.environ, **{k: v.strip('"') for k, v in words.items()})
env.update(JOBQ_LISTEN="127.0.0.1:0", JOBQ_TOKEN_FILE=%r, AWS_ACCESS_KEY_ID="AKIDEXAMPLE", AWS_SECRET_ACCESS_KEY="x" * 20, HOME=%r, JOBQ_STATS="60s")
queue = re.search(r"jobq-drain@([^.]+)\\.service", data).group(1)
log = open("%s/box." + env["JOBQ_INSTANCE_ID"], "ab")
os.dup2(log.fileno(), 1), os.dup2(log.fileno(), 2)
env.pop("JOBQ_LEAVE_FILE", None)
os.execve(%r, ["jobq", "drain", queue], env)
"""
folder = os.environ.get("TMPDIR", "/tmp") + "/jobq-act-%d" % os.getpid()
os.makedirs(folder)
for name, text in (("token", TOKEN), ("box.py", BOX % (folder + "/token", folder, folder, JOBQ))):
    with open(folder + "/" + name, "w") as file:
        file.write(text)
    os.chmod(folder + "/" + name, 0o600)
mock = Mock("--boxes", "exec:%s %s/box.py" % (sys.executable, folder), signed=False)


def ask(port, path, form=None, **headers):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    body = None if form is None else urllib.parse.urlencode(form)
    headers = {k.replace("_", "-"): v for k, v in headers.items()}
    connection.request("GET" if form is None else "POST", path, body=body, headers=headers)
    reply = connection.getresponse()
    text = reply.read().decode()
    connection.close()
    return reply.status, text


def page(port, path, form=None, **headers):
    return ask(port, path, form, Authorization="Bearer " + TOKEN, **headers)


def port_of(log):
    found = []
    wait_for(lambda: os.path.exists(log) and found.extend(re.findall(r"http://[0-9.]+:(\d+)/", open(log).read())) or found, 30, "a port in " + log)
    return int(found[0])


def status(port):
    return json.loads(page(port, "/status.json")[1])


# ---- one box's page: a drainer on this machine
mock.jobq("enqueue", "act", "kind=exec", "a=b")
log = folder + "/drain"
drain = mock.start("drain", "act", "-n", "4", "--exec", "sh -c 'echo \"<i>sorry</i>\"; exit 3'", "--attempts", "1", "--listen", "127.0.0.1:0",
                   "--token-file", folder + "/token", "--prefetch", "0", log=log)
port = port_of(log)
wait_for(lambda: page(port, "/")[0] == 200, 20, "the first page")
audits = lambda: [line for line in open(log).read().split("\n") if "audit:" in line]
for path, form in (("/quiet", {}), ("/resume", {}), ("/slots", {"by": 1}), ("/cancel", {"id": "act-0"}), ("/retry", {"id": "act-0"}),
                   ("/spawn", {"count": 1, "confirm": 1, "once": "a1", "type": "t3.micro"}), ("/seppuku", {"confirm": "i-0"})):
    before = len(audits())
    check(ask(port, path, form)[0] == 401, path + " without a token")
    check(ask(port, path, dict(form, token=OTHER))[0] == 401, path + " with another token")
    for headers in ({"Sec_Fetch_Site": "cross-site"}, {"Sec_Fetch_Site": "same-site"}, {"Origin": "http://evil.example"}, {"Origin": "null"},
                    {"Sec_Fetch_Site": "cross-site", "Origin": "http://127.0.0.1:%d" % port}, {"Origin": "http://127.0.0.1"}):
        code, text = page(port, path, form, **headers)
        check(code == 403 and "must come from this page" in text, "%s from elsewhere, %s: %d" % (path, headers, code))
    check(len(audits()) == before + 8 and all("refused" in line for line in audits()[before:]), "refusals are not in the log")
for headers in ({}, {"Sec_Fetch_Site": "same-origin"}, {"Sec_Fetch_Site": "none"}, {"Origin": "http://127.0.0.1:%d" % port}):
    for _ in range(2):  # each twice
        code, text = page(port, "/quiet", {}, **headers)
        check(code == 200 and "takes no more work" in text, "quiet: %d %s" % (code, text))
wait_for(lambda: ask(port, "/readyz")[0] == 401 and page(port, "/readyz")[0] == 503, 10, "a quiet drainer that is not ready")
check(ask(port, "/resume", {"token": TOKEN})[0] == 200, "the token in a form")
wait_for(lambda: page(port, "/readyz")[0] == 200, 10, "a drainer that works again")
check(page(port, "/slots", {"by": 2})[0] == 200 and page(port, "/slots", {"by": -1})[0] == 200, "slots")
wait_for(lambda: status(port)["process"]["slots"] == 5, 10, "five slots")
for wrong in ("0", "x", "1001", ""):
    check(page(port, "/slots", {"by": wrong})[0] == 400, "slots by " + wrong)
check(TOKEN not in open(log).read(), "the token is in the log")
# So many at once are too many.
codes = [page(port, "/slots", {"by": "0"})[0] for _ in range(20)]
check(codes[-1] == 429 and 400 in codes, "no limit of actions: %s" % codes)

# ---- by hand: the same words
mock.jobq("quiet", "act")
wait_for(lambda: page(port, "/readyz")[0] == 503, 10, "jobq quiet")
check("1 drainer takes work again" in mock.jobq("resume", "act").stderr, "jobq resume")
mock.jobq("slots", "act", "+3")
wait_for(lambda: status(port)["process"]["slots"] == 8, 10, "jobq slots")
check(mock.jobq("slots", "act", "3", check_code=2).returncode == 2 and mock.jobq("quiet", "nobody", check_code=4), "nobody to tell")
check("no box" in mock.jobq("seppuku", "act", "--confirm", "act", check_code=None).stderr, "seppuku off a box")

# ---- jobs: a failed one has its output on the page, is tried again; a running one is stopped
dead = json.loads(mock.jobq("list", "act", "--json").stdout)["jobs"][0]["id"]
wait_for(lambda: json.loads(page(port, "/jobs/%s.json" % dead)[1])["state"] == "dead", 20, "a dead job")
wait_for(lambda: dead in page(port, "/")[1], 10, "a failure on the page")
html = page(port, "/")[1]
check("&lt;i&gt;sorry&lt;/i&gt;" in html and "<i>sorry" not in html and "/jobs/" + dead in html, "its output on the page")
check("&lt;i&gt;sorry" in page(port, "/jobs/" + dead)[1] and dead in page(port, "/failures")[1], "its output on its page")
mock.jobq("retry", dead)
wait_for(lambda: status(port)["process"]["attempts"] == 2, 20, "a second try")
slow = mock.jobq("enqueue", "act", "kind=sleep", "seconds=600").stdout.split()[0]
wait_for(lambda: status(port)["process"]["busy"] == 1, 20, "a running job")
time.sleep(4)  # one action more is allowed every 3 s
code, text = page(port, "/cancel", {"id": slow})
check(code == 200 and "is being stopped" in text, "cancel: %d %s" % (code, text))
wait_for(lambda: status(port)["process"]["busy"] == 0, 10, "the end of a cancelled job")
time.sleep(4)
check(page(port, "/cancel", {"id": slow})[0] == 200, "cancel twice")
check(json.loads(page(port, "/jobs/%s.json" % slow)[1])["state"] == "cancelled", "its row")
drain.terminate()
check(drain.wait(timeout=20) == 0, "drain ended with %s" % drain.returncode)
locked = mock.start("serve", "act", "--listen", "127.0.0.1:0", "--token-file", folder + "/token", "--read-only", log=folder + "/locked")
code, text = page(port_of(folder + "/locked"), "/quiet", {})
check(code == 403 and "read-only" in text, "--read-only")
locked.kill()

def describe(box):
    form = {"Action": "DescribeInstances", "Version": "2016-11-15", "InstanceId.1": box}
    return mock.get("/", urllib.parse.urlencode(form).encode())


# ---- a launch template gives image and role
form = {"Action": "CreateLaunchTemplate", "Version": "2016-11-15", "LaunchTemplateName": "jobq-tmpl", "LaunchTemplateData.ImageId": "ami-0def0def",
        "LaunchTemplateData.IamInstanceProfile.Name": "of-template", "LaunchTemplateData.InstanceType": "m5.large"}
template = re.search("<launchTemplateId>(lt-[0-9a-f]+)<", mock.get("/", urllib.parse.urlencode(form).encode())).group(1)
mock.jobq("enqueue", "tmpl", "kind=sleep", "seconds=0")
for name in ("jobq-tmpl", template):
    box = mock.jobq("spawn", "tmpl", "--launch-template", name, "--instance", "t3.micro").stdout.strip()
    about = describe(box)
    check("<imageId>ami-0def0def<" in about and "of-template" in about and "<instanceType>t3.micro<" in about, "a box of a template: " + about)

# ---- three boxes; each page shows all; spawn makes a fourth; seppuku ends one
mock.jobq("enqueue", "fleet", "kind=sleep", "seconds=0")
profile = "arn:aws:iam::123456789012:instance-profile/jobq-fleet"
hand = ("spawn", "fleet", "--image", "ami-0abc0abc", "--instance", "t3.micro", "--instance-profile", profile, "-n", "5", "--cancel-check", "1s", "--exec", "sleep 0.2")
check("--max-boxes allows 2" in mock.jobq(*hand, "--count", "3", "--max-boxes", "2", check_code=2).stderr, "--max-boxes by hand")
spawn = mock.jobq(*hand, "--count", "3")
check(re.search(r"3 t3.micro: \$0\.03\d+ an hour", spawn.stderr.split("\n")[0]), "the price by hand comes first: " + spawn.stderr)
ids = re.findall(r"i-[0-9a-f]+", spawn.stdout)
check(len(ids) == 3, "spawned %s" % ids)
ports = {i: port_of("%s/box.%s" % (folder, i)) for i in ids}
for i, p in ports.items():
    wait_for(lambda: page(p, "/")[0] == 200 and {b["id"] for b in status(p)["boxes"]} == set(ids), 40, "all boxes on the page of " + i)
first = ids[0]
html = page(ports[first], "/")[1]
check(all(i in html for i in ids) and first + " (this box)" in html, "boxes in the HTML")
code, html = page(ports[first], "/spawn?count=1")
check(code == 200 and re.search(r"1 t3.micro for this queue cost <b>\$0\.0\d+</b> an hour", html), "the price of a spawn: " + html)
once = re.search("name=once value=([0-9a-f]+)", html).group(1)
form = {"count": 1, "type": "t3.micro", "once": once}
check(page(ports[first], "/spawn", form)[0] == 400, "spawn without the number typed again")
check(page(ports[first], "/spawn", dict(form, confirm=1, count=1, type="t3<micro"))[0] == 400, "a type that is none")
check(page(ports[first], "/spawn", dict(form, confirm=400, count=400))[0] == 400, "more than --max-boxes")
code, text = page(ports[first], "/spawn", dict(form, confirm=1))
fourth = re.findall(r"i-[0-9a-f]+", text.split("<main>")[1])[0] if code == 200 else ""
check(fourth and fourth not in ids, "spawn: %d %s" % (code, text))
again = page(ports[first], "/spawn", dict(form, confirm=1))[1]
check(fourth in again, "the same launch twice: " + again)
ports[fourth] = port_of("%s/box.%s" % (folder, fourth))
about = describe(fourth)
check(profile in about and "<imageId>ami-0abc0abc<" in about, "the fourth box has another role or image: " + about)
lines = "".join('{"kind":"exec","payload":"%d"}\n' % i for i in range(300))
jobs = mock.jobq("enqueue", "fleet", "--batch", "-", input=lines).stdout.split()
wait_for(lambda: status(ports[fourth])["process"]["done"] > 3, 60, "exec jobs done by the fourth box")
check(page(ports[ids[1]], "/seppuku", {"confirm": first})[0] == 400, "seppuku with another's id")
check("Type the box" in page(ports[ids[1]], "/seppuku")[1], "seppuku asks")
code, text = page(ports[ids[1]], "/seppuku", {"confirm": ids[1]})
check(code == 200 and ids[1] in text, "seppuku: %d %s" % (code, text))


def boxes():
    return {b["id"] for b in status(ports[first])["boxes"]}


wait_for(lambda: boxes() == {ids[0], ids[2], fourth}, 60, "exactly one box fewer")
done = mock.jobq("wait", *jobs, "--timeout", "120s", timeout=150)
rows = {row["id"]: row for row in json.loads(mock.jobq("list", "fleet", "--json").stdout)["jobs"]}
check(all(rows[i]["state"] == "done" for i in jobs), "jobs that are not done")
check(sum(rows[i]["attempt"] == 1 for i in jobs) >= len(jobs) - 5, "seppuku cost attempts")
check(boxes() == {ids[0], ids[2], fourth}, "a box too many or too few")
mock.close()
os.system("rm -rf " + folder)
print("ok: actions")
