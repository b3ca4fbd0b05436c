#!/usr/bin/python3
"""The status page over HTTP: the drainers of a box find each other without the store, a drainer
counts itself, GET and HEAD only, no script, readers cost no request of AWS, slow clients are cut
off, an outage of AWS leaves the last counts on the page, marked as stale."""
import http.client
import json
import re
import socket
import time

from livelib import Mock, check, wait_for

mock = Mock(signed=False)
mock.jobq("enqueue", "page", "--store", "none", "--batch", "-", input="kind=sleep seconds=600\n" * 9)
drains = [mock.start("drain", "page", "-n", "3", "--store", "none", "--kill-grace", "100ms"),
          mock.start("drain", "page", "-n", "2", "--store", "none", "--listen", "127.0.0.1:0", log=mock.dir + "/d2")]
serve = mock.start("serve", "page", "--store", "none", "--listen", "127.0.0.1:0", "--refresh", "5s", log=mock.dir + "/s")


def port_of(log):
    found = []
    wait_for(lambda: found.extend(re.findall(r"http://127.0.0.1:(\d+)/", open(log).read())) or found, 10, "a port")
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

# Both drainers are seen from both pages; the drainer's own page counts itself from the start.
wait_for(lambda: ask(drains_page)[0].status == 200, 10, "the first page")
check("Nothing drains" not in ask(drains_page)[1], "a page of a drainer says that nothing drains")
wait_for(lambda: status(serves)["here"] == {"drainers": 2, "slots": 5, "busy": 5}, 15, "both drainers on the page")
check(status(serves)["schema"] == "jobq.status/1" and status(serves)["process"] is None, "serve's process")
check(status(drains_page)["process"]["slots"] == 2, "the drainer's process")
check("On this box: 2 drainers, 5 slots, 5 busy." in ask(serves)[1], "the box's sums")

# What may be asked, and what comes.
reply, html = ask(serves)
check("<script" not in html and " src=" not in html and "default-src 'none'" in reply.getheader("Content-Security-Policy"),
      "the page may run something")
for method in ("POST", "PUT", "DELETE", "OPTIONS", "PATCH"):
    reply, _ = ask(serves, method=method)
    check(reply.status == 405 and reply.getheader("Allow") == "GET, HEAD", method + " is allowed")
reply, body = ask(serves, "/status.json", "HEAD")
check(reply.status == 200 and body == "" and int(reply.getheader("Content-Length")) > 100, "HEAD")
check(ask(serves, "/nope")[0].status == 404, "another path")
check(ask(serves, "/healthz")[1].startswith("ok"), "healthz")

# Readers cost no request: all of a minute's are the refreshes'.
before = mock.ledger().get("ledger", mock.ledger())["actions"]["GetQueueAttributes"]["requests"]
for _ in range(200):
    ask(drains_page)
after = mock.ledger().get("ledger", mock.ledger())["actions"]["GetQueueAttributes"]["requests"]
check(after - before <= 8, "200 readers cost %d requests" % (after - before))

# Clients that never finish their request: turned away past a number, cut off after a time.
slow = []
for _ in range(100):
    s = socket.create_connection(("127.0.0.1", drains_page))
    s.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n")
    slow.append(s)
mock.proc.kill()  # meanwhile AWS goes away
mock.proc.wait()
begun = time.monotonic()
wait_for(lambda: "<b>Stale:</b>" in ask(serves)[1], 15, "an outage on the page")
view = status(serves)
check(view["depth"]["visible"] is not None and view["read_ms"] < view["taken_ms"] and view["problem"], "stale: %s" % view)
check(view["here"]["drainers"] == 2, "the box's drainers are lost in an outage")


def answers():
    try:
        return ask(drains_page)[0].status == 200
    except OSError:
        return False


wait_for(answers, 20, "an answer in spite of slow clients")
took = time.monotonic() - begun
for process in drains:
    process.kill()
serve.terminate()
check(serve.wait(timeout=10) == 0, "serve ended with %s" % serve.returncode)
mock.close()
print("ok: page; slow clients held it for %.1f s" % took)
