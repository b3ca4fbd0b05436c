#!/usr/bin/python3
"""The status page over HTTP: the drainers of a box find each other without the store, a drainer
counts itself, no action without a token, no script but its own, a token beyond loopback, readers cost no request of AWS, slow clients are cut
off, an outage of AWS leaves the last counts on the page, marked as stale."""
import base64
import http.client
import json
import os
import re
import resource
import socket
import time
import urllib.parse

from livelib import Mock, check, wait_for

mock = Mock(signed=False)
mock.jobq("enqueue", "page", "--store", "none", "--batch", "-", input="kind=sleep seconds=600\n" * 9)
drains = [mock.start("drain", "page", "-n", "3", "--store", "none", "--kill-grace", "100ms"),
          mock.start("drain", "page", "-n", "2", "--store", "none", "--listen", "127.0.0.1:0", log=mock.dir + "/d2")]
serve = mock.start("serve", "page", "--store", "none", "--listen", "127.0.0.1:0", "--refresh", "5s", log=mock.dir + "/s")


def port_of(log):
    found = []
    wait_for(lambda: found.extend(re.findall(r"http://[0-9.]+:(\d+)/", open(log).read())) or found, 10, "a port")
    return int(found[0])


def ask(port, path="/", method="GET", **headers):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    connection.request(method, path, headers=headers)
    reply = connection.getresponse()
    body = reply.read().decode()
    connection.close()
    return reply, body


def status(port):
    return json.loads(ask(port, "/status.json")[1])


serves, drains_page = port_of(mock.dir + "/s"), port_of(mock.dir + "/d2")

def consistent(html):
    """What a page says of slots in one place agrees with the others, or is said not to be known."""
    number = {label: value for value, label in re.findall("<b>([0-9]+|&ndash;)</b>([a-z ]+)<", html)}
    rows = html.split("Running here")[1].split("</table>")[0].count("<th scope=row>") if "Running here" in html else 0
    if "this box: not yet known" in html:
        return number["running"] == number["slots"] == number["drainers"] == "&ndash;" and rows <= int(number["in flight"])
    here = re.search(r"On this box: (\d+) drainers?, (\d+) slots, (\d+) busy", html)
    drainers, slots, busy = map(int, here.groups()) if here else (0, 0, 0)
    if number["running"] == "&ndash;":
        return busy == 0 and rows == 0 and "not yet known" in html
    if int(number["in flight"]) > 0 and int(number["running"]) == 0:
        return False
    # All drainers of this queue are on this box.
    return (busy, slots, drainers) == tuple(int(number[n]) for n in ("running", "slots", "drainers")) and \
        rows <= busy <= int(number["in flight"]) and int(number["in flight"]) + int(number["waiting"]) == 9


# From the first page on, each agrees with itself; soon both drainers are seen from both pages.
wait_for(lambda: ask(drains_page)[0].status == 200 and ask(serves)[0].status == 200, 10, "the first pages")
first = time.monotonic()
while time.monotonic() - first < 3:
    for port in (drains_page, serves):
        html = ask(port)[1]
        check(consistent(html), "a page contradicts itself: " + html.split("<main")[1])
check("Nothing drains" not in ask(drains_page)[1], "a page of a drainer says that nothing drains")
late = [mock.start("serve", "page", "--store", "none", "--listen", "127.0.0.1:0", "--refresh", "5s", log=mock.dir + "/l%d" % i) for i in range(6)]
for i, process in enumerate(late):
    port = port_of(mock.dir + "/l%d" % i)
    wait_for(lambda: ask(port)[0].status == 200, 10, "the first page of a late one")
    html = ask(port)[1]
    check(consistent(html), "a first page contradicts itself: " + html.split("<main")[1])
    wait_for(lambda: status(port)["here"]["busy"] == 5, 3, "a late one to find both drainers before its next reading")
    process.kill()
wait_for(lambda: status(serves)["here"] == {"drainers": 2, "slots": 5, "busy": 5}, 15, "both drainers on the page")
check(status(serves)["schema"] == "jobq.status/1" and status(serves)["process"] is None, "serve's process")
check(status(drains_page)["process"]["slots"] == 2, "the drainer's process")
check("On this box: 2 drainers, 5 slots, 5 busy." in ask(serves)[1], "the box's sums")

def metrics(port, **headers):
    """/metrics by a strict reader of Prometheus's text format 0.0.4: {(name, labels): value}."""
    reply, body = ask(port, "/metrics", **headers)
    check(reply.status == 200 and reply.getheader("Content-Type") == "text/plain; version=0.0.4; charset=utf-8", "type of /metrics")
    check(body.endswith("\n"), "/metrics ends within a line")
    samples, seen, family, helped = {}, set(), None, None
    for line in body[:-1].split("\n"):
        if line.startswith("#"):
            word, name, rest = re.fullmatch(r"# (HELP|TYPE) ([a-z_]+) (.+)", line).groups()
            if word == "HELP":
                check(name not in seen, "%s has come before" % name)
                seen.add(name)
                helped = name
            else:
                check(helped == name and rest in ("counter", "gauge") and (rest == "counter") == name.endswith("_total"), line)
                family = name
            continue
        name, labels, value = re.fullmatch(r'([a-z_]+)\{((?:[a-z_]+="(?:[^"\\]|\\["\\n])*",?)*)\} (-?[0-9.]+(?:e[+-]?[0-9]+)?)', line).groups()
        pairs = re.findall(r'([a-z_]+)="((?:[^"\\]|\\.)*)"', labels)
        key = (name, frozenset(pairs) - {("queue", "page")})
        check(name == family and not labels.endswith(",") and key not in samples and len(dict(pairs)) == len(pairs), line)
        check(("queue", "page") in pairs, "no queue in " + line)
        samples[key] = float(value)
    return samples


def sample(port, name, **labels):
    return metrics(port).get((name, frozenset(labels.items())))


for port in (serves, drains_page):
    wait_for(lambda: sample(port, "jobq_slots_busy") == 5, 20, "the busy slots in /metrics")
    check((sample(port, "jobq_drainers"), sample(port, "jobq_slots"), sample(port, "jobq_running")) == (2, 5, 5), "sums in /metrics")
    check(sample(port, "jobq_queue_messages", state="visible") + sample(port, "jobq_queue_messages", state="in_flight") == 9, "depth in /metrics")
    check(sample(port, "jobq_requests_total", service="sqs", action="GetQueueAttributes") >= 1, "requests in /metrics")
    check(not any(name.startswith("jobq_calls_failing") for name, _ in metrics(port)), "trouble in /metrics")

# What may be asked, and what comes.
reply, html = ask(serves)
csp = reply.getheader("Content-Security-Policy")
check(re.findall("<script[^>]*>", html) == ['<script src="/page.js" defer>'] and html.count(" src=") == 1 and "default-src 'none'" in csp and
      "script-src 'self'" in csp and "unsafe" not in csp and "frame-ancestors 'none'" in csp, "the page may run something else")
for path, kind in (("/page.css", "text/css"), ("/page.js", "text/javascript")):
    reply, body = ask(serves, path)
    check(reply.status == 200 and reply.getheader("Content-Type").startswith(kind) and len(body) > 500, path)
for method in ("PUT", "DELETE", "OPTIONS", "PATCH"):
    reply, _ = ask(serves, method=method)
    check(reply.status == 405 and reply.getheader("Allow") == "GET, HEAD, POST", method + " is allowed")
reply, body = ask(serves, method="POST")
check(reply.status == 403 and "actions want a token" in body, "an action without any token")
reply, body = ask(serves, "/status.json", "HEAD")
check(reply.status == 200 and body == "" and int(reply.getheader("Content-Length")) > 100, "HEAD")
check(ask(serves, "/nope")[0].status == 404, "another path")
check(ask(serves, "/healthz")[1].startswith("ok"), "healthz")
check(ask(serves, "/readyz")[1] == "ready\n" and ask(drains_page, "/readyz")[0].status == 200, "readyz")

# Events: the page's numbers, at once and again every few seconds.
def follow(port):
    s = socket.create_connection(("127.0.0.1", port), timeout=10)
    s.sendall(b"GET /events HTTP/1.1\r\nHost: localhost\r\n\r\n")
    return s


def events(s, count):
    got = b""
    while got.count(b"\n\n") < count:
        more = s.recv(65536)
        check(more, "the events ended: %r" % got)
        got += more
    head, body = got.split(b"\r\n\r\n", 1)
    check(head.startswith(b"HTTP/1.1 200") and b"text/event-stream" in head, "the head of events: %r" % head)
    return [json.loads(part[len(b"data: "):]) for part in body.split(b"\n\n") if part]


stream = follow(drains_page)
first, second = events(stream, 3)[:2]
check(first["texts"]["slots"] == "5" and first["texts"]["running"] == "5" and first["texts"]["updated"] != second["texts"]["updated"], "events: %s" % first)
stream.close()

# Beyond loopback nobody listens without a token, and nobody reads without it.
TOKEN = "correct-horse-battery"
token_file = mock.dir + "/token"


def write_token(text, mode=0o600):
    with open(token_file, "w") as file:
        file.write(text)
    os.chmod(token_file, mode)


for command in (["serve", "page"], ["drain", "page", "-n", "1"]):
    for listen in ("0.0.0.0:0", "0:0", "[::]:0", "192.0.2.1:8080", "[::ffff:127.0.0.1]:0"):
        done = mock.jobq(*command, "--listen", listen, check_code=2)
        check("--listen: '%s' can be reached by other machines: give --token-file" % listen in done.stderr, done.stderr)
    for listen in ("localhost:80", "127.0.0.1", "127.0.0.1:70000", ":80", "[::1]:x"):
        check("--listen: '" in mock.jobq(*command, "--listen", listen, check_code=2).stderr, "listens at " + listen)
    for text, mode, says in (("short", 0o600, "no token of 16 to 256 bytes"), ("", 0o600, "no token of"), ("x" * 257, 0o600, "no token of"),
                             ("correct horse battery", 0o600, "holds a blank"), (TOKEN, 0o604, r"mode 604\): chmod 600")):
        write_token(text, mode)
        done = mock.jobq(*command, "--listen", "0.0.0.0:0", "--token-file", token_file, check_code=2)
        check(re.search("--token-file: .*" + says, done.stderr) and "orrect" not in done.stderr, "token %r: %s" % (text, done.stderr))
    for path, says in (("/nonexistent", "no such file"), ("/tmp", "is no file"), ("/dev/null", "no token of")):
        check(says in mock.jobq(*command, "--listen", "0.0.0.0:0", "--token-file", path, check_code=2).stderr, path)
write_token(TOKEN + "\n")
guarded = [mock.start("serve", "page", "--store", "none", "--listen", "0.0.0.0:0", "--refresh", "5s", log=mock.dir + "/g1", env={"JOBQ_TOKEN_FILE": token_file}),
           mock.start("drain", "page", "-n", "1", "--store", "none", "--listen", "127.0.0.1:0", "--token-file", token_file, log=mock.dir + "/g2")]
basic = lambda pair: "Basic " + base64.b64encode(pair.encode()).decode()
for process, log in zip(guarded, ("/g1", "/g2")):
    port = port_of(mock.dir + log)
    good = {"Authorization": "Bearer " + TOKEN}
    wait_for(lambda: ask(port, **good)[0].status == 200, 10, "the first page for the one with the token")
    for path, method in (("/", "GET"), ("/status.json", "GET"), ("/metrics", "GET"), ("/nope", "GET"), ("/", "HEAD"), ("/", "POST"), ("/healthz/", "GET")):
        reply, body = ask(port, path, method)
        check(reply.status == 401 and "page" not in body.replace("this page", "") and len(body) < 50, "%s %s without a token: %d %s" % (method, path, reply.status, body))
        check([h.split()[0] for h in reply.headers.get_all("WWW-Authenticate")] == ["Bearer", "Basic"], "a browser is not asked for it")
    for wrong in ("", "Bearer", "Bearer ", "Bearer " + TOKEN[:-1], "Bearer " + TOKEN + "x", "Bearer x" + TOKEN, "Bearer " + TOKEN.upper(), TOKEN, "Digest " + TOKEN,
                  "Basic " + TOKEN, basic(TOKEN), basic(TOKEN + ":"), basic("x:" + TOKEN + ":"), basic(":" + TOKEN[1:]), "Basic ****", "Basic", "BearerX " + TOKEN):
        check(ask(port, Authorization=wrong)[0].status == 401, "'%s' is let in" % wrong)
    for right in ("bearer  " + TOKEN, basic(":" + TOKEN), basic("anna:" + TOKEN)):
        check(ask(port, Authorization=right)[0].status == 200, "'%s' is not let in" % right)
    check(json.loads(ask(port, "/status.json", **good)[1])["queue"] == "page" and ask(port, "/", "POST", **good)[0].status == 404, "with the token")
    check(ask(port, "/healthz")[1].startswith("ok"), "a load balancer has no token")
    for where in ("cmdline", "environ"):
        check(TOKEN.encode() not in open("/proc/%d/%s" % (process.pid, where), "rb").read(), "the token is in its " + where)
    check(TOKEN not in open(mock.dir + log).read(), "the token is in the log")
    process.kill()
    process.wait()
check("send the token in clear text" in open(mock.dir + "/g1").read() and "in clear text" not in open(mock.dir + "/g2").read(), "what is said of it")

# Readers cost no request: all of a minute's are the refreshes'.
before = mock.ledger().get("ledger", mock.ledger())["actions"]["GetQueueAttributes"]["requests"]
for _ in range(200):
    ask(drains_page)
after = mock.ledger().get("ledger", mock.ledger())["actions"]["GetQueueAttributes"]["requests"]
check(after - before <= 8, "200 readers cost %d requests" % (after - before))

# However many boxes there are, each is on some page.
form = {"Action": "RunInstances", "Version": "2016-11-15", "ImageId": "ami-0abc0abc", "MinCount": 230, "MaxCount": 230, "InstanceType": "t3.micro",
        "TagSpecification.1.ResourceType": "instance", "TagSpecification.1.Tag.1.Key": "jobq:queue", "TagSpecification.1.Tag.1.Value": "page"}
launched = set(re.findall("<instanceId>(i-[0-9a-f]+)<", mock.get("/", urllib.parse.urlencode(form).encode())))
check(len(launched) == 230, "%d boxes were launched" % len(launched))
wait_for(lambda: "All 230 boxes" in ask(serves)[1], 20, "230 boxes on the page")
listed, path = [], "/boxes/1"
while path:
    html = ask(serves, path)[1]
    listed += re.findall("<th scope=row>(i-[0-9a-f]+)<", html)
    path = (re.findall("<a href=\"(/boxes/[0-9]+)\">next", html) or [None])[0]
check(set(listed) == launched and len(listed) == 230, "%d boxes are listed" % len(listed))
check({box["id"] for box in status(serves)["boxes"]} == launched and status(serves)["box_count"] == 230, "boxes in the JSON")

# A page of elsewhere that has its name point here (DNS rebinding) reads nothing; a proxy's name may be allowed.
named = mock.start("serve", "page", "--store", "none", "--listen", "127.0.0.1:0", "--allow-host", "a.example,status.example", log=mock.dir + "/named")
named_page = port_of(mock.dir + "/named")
wait_for(lambda: ask(named_page)[0].status == 200, 10, "the first page")
for port in (serves, drains_page, named_page):
    for host in ("evil.example", "evil.example:%d" % port, "localhost.evil.example", "127.0.0.1.evil.example", "127.evil", "10.0.0.1", "[::2]", "", "x status.example"):
        for path in ("/", "/status.json", "/metrics", "/nope"):
            check(ask(port, path, Host=host)[0].status == 421, "Host '%s' is answered" % host)
    for host in ("localhost", "LOCALHOST:1", "127.0.0.1", "127.1.2.3:80", "[::1]", "[::1]:9"):
        check(ask(port, Host=host)[0].status == 200, "Host '%s' is not answered" % host)
    check(ask(port, "/healthz", Host="evil.example")[0].status == 200, "a monitor's name is asked")
    check(ask(port, Host="Status.example:443")[0].status == (200 if port == named_page else 421), "--allow-host")
named.kill()

# Clients that never finish their requests, more than there are places: a monitor gets its answer within a second.
resource.setrlimit(resource.RLIMIT_NOFILE, (resource.getrlimit(resource.RLIMIT_NOFILE)[1],) * 2)
slow = []
for many in (300, 1000):
    while len(slow) < many:
        s = socket.create_connection(("127.0.0.1", drains_page))
        s.sendall(b"GET / HTTP/1.1\r\nHost: x\r\nX: ")
        slow.append(s)
    for _ in range(20):
        begun = time.monotonic()
        check(ask(drains_page, "/healthz")[0].status == 200, "healthz")
        check(time.monotonic() - begun < 1, "%d half requests held up healthz for %.1f s" % (many, time.monotonic() - begun))
mock.proc.kill()  # meanwhile AWS goes away
mock.proc.wait()
begun = time.monotonic()
wait_for(lambda: "<b>Stale:</b>" in ask(serves)[1], 15, "an outage on the page")
view = status(serves)
check(view["depth"]["visible"] is not None and view["read_ms"] < view["taken_ms"] and view["problem"], "stale: %s" % view)
check(view["here"]["drainers"] == 2, "the box's drainers are lost in an outage")
wait_for(lambda: sample(serves, "jobq_calls_failing", action="GetQueueAttributes") == 1, 20, "the outage in /metrics")
check(sample(serves, "jobq_calls_failing_seconds", action="GetQueueAttributes") > 0, "since when")
told = [dict(labels) for name, labels in metrics(serves) if name == "jobq_calls_failing_info"]
check(any(one["action"] == "GetQueueAttributes" and one["code"] and one["text"] for one in told), "no words: %s" % told)


def answers():
    try:
        return ask(drains_page)[0].status == 200
    except OSError:
        return False


check(answers(), "no answer in spite of slow clients")
for process in drains:
    process.kill()
serve.terminate()
check(serve.wait(timeout=10) == 0, "serve ended with %s" % serve.returncode)
mock.close()
print("ok: page")
