#!/usr/bin/python3
"""status_app: the page as a WSGI application, under wsgiref and under gunicorn with forked
workers. The bytes are those of `jobq serve` but for dollars; the guard is the same; each worker
has a page of its own and shares no socket with another; what is wrong is said at the start.

usage: live_wsgi.py BUILD_DIR"""
import http.client
import json
import logging
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading
import urllib.parse
import wsgiref.simple_server
import wsgiref.validate

from livelib import ROOT, Mock, check, wait_for

BUILD = os.path.join(ROOT, sys.argv[1] if len(sys.argv) > 1 else "build/dev")
TOKEN = "correct-horse-battery"
mock = Mock()
os.environ.update(mock.env)
os.environ["JOBQ_LIBRARY"] = os.path.join(BUILD, "libjobq.so.0")
sys.path.insert(0, os.path.join(ROOT, "live/python"))
import jobq  # noqa: E402  (after the environment is set)


def ask(port, path="/", form=None, method=None, **headers):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    body = None if form is None else urllib.parse.urlencode(form)
    connection.request(method or ("GET" if form is None else "POST"), path, body=body, headers={k.replace("_", "-"): v for k, v in headers.items()})
    reply = connection.getresponse()
    text = reply.read().decode()
    connection.close()
    return reply, text


def bearing(port, path="/", form=None, **headers):
    return ask(port, path, form, Authorization="Bearer " + TOKEN, **headers)


def serve(app):
    class Quiet(wsgiref.simple_server.WSGIRequestHandler):
        def log_message(self, *args):
            pass
    server = wsgiref.simple_server.make_server("127.0.0.1", 0, wsgiref.validate.validator(app), handler_class=Quiet)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server.server_port


# ---- what is wrong is said at the start, and costs no request
for wrong, says in ((dict(token="short"), "16 to 256"), (dict(token="with a blank in it"), "blank"), (dict(refresh="1s"), "5s to 1h"),
                    (dict(frobnicate="1"), "frobnicate"), (dict(store="paper"), "simpledb")):
    try:
        jobq.status_app("wsgi", **wrong)
        check(False, "%s is taken" % wrong)
    except jobq.JobqError as error:
        check(says in str(error) and "short" not in str(error), "%s: %s" % (wrong, error))
try:
    jobq.status_app("no such name!")
    check(False, "a queue's name is taken")
except jobq.Invalid:
    pass

# ---- wsgiref, whose validator watches how the application speaks
audit = []
logging.getLogger("jobq").addHandler(type("Keep", (logging.Handler,), {"emit": lambda self, record: audit.append(record.getMessage())})())
logging.getLogger("jobq").propagate = False
jobs = [jobq.Enqueuer("wsgi").enqueue({"kind": "sleep", "seconds": 0.1 * i}) for i in range(3)]
port = serve(jobq.status_app("wsgi", token=TOKEN, refresh="5s"))
wait_for(lambda: bearing(port)[0].status == 200, 20, "the first page")
log = mock.dir + "/serve"
with open(mock.dir + "/token", "w") as file:
    file.write(TOKEN)
os.chmod(mock.dir + "/token", 0o600)
serving = mock.start("serve", "wsgi", "--listen", "127.0.0.1:0", "--refresh", "5s", "--token-file", "token", log=log)
wait_for(lambda: re.search(r":(\d+)/", open(log).read()), 10, "jobq serve")
other = int(re.search(r":(\d+)/", open(log).read()).group(1))
wait_for(lambda: bearing(other)[0].status == 200, 20, "its first page")


def same(text):
    """Without what differs by design or by the second: dollars, spawn, times."""
    text = re.sub(r"[0-9]{4}-[0-9-]+ [0-9:]+ UTC", "TIME", text)
    text = re.sub(r'<div data-n="(requests a job|so far|a million jobs|predicted a million|boxes, an hour|an idle day)">.*?</div>', "", text)
    text = re.sub(r"<p class=m>Dollars at the prices.*?</p>", "", text)
    text = re.sub(r"<form action=\"/spawn\".*?</form>", "", text)
    return re.sub(r"\b\d+ (s|min|min \d+ s)\b", "AGE", text)


for path in ("/", "/page.css", "/page.js", "/jobs/" + jobs[0], "/jobs/%s.json" % jobs[0], "/nope", "/failures", "/readyz"):
    mine, theirs = bearing(port, path), bearing(other, path)
    check(mine[0].status == theirs[0].status and same(mine[1]) == same(theirs[1]), "%s differs:\n%s\n%s" % (path, mine[1], theirs[1]))
    for name in ("Content-Type", "Content-Security-Policy", "X-Content-Type-Options", "Cache-Control", "Referrer-Policy"):
        check(mine[0].headers[name] == theirs[0].headers[name] is not None, "%s of %s" % (name, path))
check(len(bearing(port)[1]) > 2000 and "action=\"/spawn\"" not in bearing(port)[1] and bearing(port, "/spawn")[0].status == 404, "spawn is offered")
view = json.loads(bearing(port, "/status.json")[1])
check(view["queue"] == "wsgi" and view["depth"]["visible"] == 3 and view["money"] is None, "the JSON: %s" % view)
reply, text = bearing(port, "/jobs?id=" + jobs[1])
check(reply.status == 303 and reply.headers["Location"] == "/jobs/" + jobs[1], "the search")
check(ask(port, method="HEAD", Authorization="Bearer " + TOKEN)[1] == "" and ask(port, method="PUT", Authorization="Bearer " + TOKEN)[0].status == 405, "methods")

# ---- the same guard
for path in ("/", "/status.json", "/jobs/" + jobs[0], "/metrics"):
    check(ask(port, path)[0].status == 401 and ask(port, path, Authorization="Bearer wrong-wrong-wrong")[0].status == 401, path + " without the token")
check(ask(port, "/healthz")[0].status == 200, "/healthz is for everybody")
check(ask(port, "/cancel", {"id": jobs[2]})[0].status == 401, "an action without the token")
for headers in ({"Sec_Fetch_Site": "cross-site"}, {"Origin": "http://evil.example"}):
    check(bearing(port, "/cancel", {"id": jobs[2]}, **headers)[0].status == 403, "an action from elsewhere")
check(bearing(port, "/cancel", {"id": jobs[2], "x": "y" * 5000})[0].status == 413, "a long form")
check(bearing(port, "/cancel", {"id": jobs[2]}, X_Jobq_From="1.2.3.4")[0].status == 200, "an action")
check(json.loads(bearing(port, "/jobs/%s.json" % jobs[2])[1])["state"] == "cancelled", "a cancelled job")
wait_for(lambda: len(audit) == 4, 5, "four lines in the log: %s" % audit)
check(all("127.0.0.1 asked for /cancel" in line and TOKEN not in line for line in audit) and "1.2.3.4" not in str(audit), "the log: %s" % audit)
check(ask(port, "/events", Authorization="Bearer " + TOKEN)[0].status == 503, "events that are not served")
locked = serve(jobq.status_app("wsgi", token=TOKEN, read_only=True, refresh="5s"))
check(bearing(locked, "/cancel", {"id": jobs[0]})[0].status == 403, "read_only")
opened = serve(jobq.status_app("wsgi", allow_hosts=["status.example"], refresh="5s"))
wait_for(lambda: ask(opened)[0].status == 200, 20, "a page without a token")
check(ask(opened, Host="status.example")[0].status == 200 and ask(opened, Host="evil.example")[0].status == 421, "names")
check(ask(opened, "/cancel", {"id": jobs[0]})[0].status == 403, "an action where there is no token")
missing = serve(jobq.status_app("nosuch", refresh="5s"))
wait_for(lambda: "QueueDoesNotExist" in ask(missing)[1], 20, "a queue that is not there")
jobq.Enqueuer("nosuch")
wait_for(lambda: ask(missing)[0].status == 200, 20, "a queue that came later")
serving.kill()

# ---- gunicorn: the application is made once, then three workers are forked
if not shutil.which("gunicorn"):
    print("ok: wsgi (SKIP gunicorn is not here)")
    os._exit(0)
with open(mock.dir + "/app.py", "w") as file:
    file.write("import jobq, os, sys\nassert 'WORKER' not in os.environ\napplication = jobq.status_app('wsgi', token=%r, refresh='5s', events=True)\n"
               "def whose(environ, start_response):\n    if environ['PATH_INFO'] == '/pid':\n        start_response('200 OK', [])\n        return [str(os.getpid()).encode()]\n"
               "    return application(environ, start_response)\n" % TOKEN)
with socket.socket() as listener:
    listener.bind(("127.0.0.1", 0))
    listener.listen(64)
    # An open socket that is handed over: nobody else can take the port meanwhile.
    os.set_inheritable(listener.fileno(), True)
    port = listener.getsockname()[1]
    said = open(mock.dir + "/gunicorn", "ab")
    master = subprocess.Popen(["gunicorn", "--preload", "--workers", "3", "--threads", "4", "--worker-tmp-dir", mock.dir, "--graceful-timeout", "2",
                               "--bind", "fd://%d" % listener.fileno(), "app:whose"], cwd=mock.dir, pass_fds=[listener.fileno()], stdout=said, stderr=said,
                              env={**os.environ, "PYTHONPATH": os.path.join(ROOT, "live/python"), "PYTHONDONTWRITEBYTECODE": "1"})
mock.started.append(master)
sockets = lambda pid: {os.readlink("/proc/%d/fd/%s" % (pid, fd)) for fd in os.listdir("/proc/%d/fd" % pid) if "socket:" in os.readlink("/proc/%d/fd/%s" % (pid, fd))}
workers = set()
wait_for(lambda: ask(port, "/pid")[0].status == 200, 20, "gunicorn")
before = sockets(master.pid)


def all_workers_answer():
    workers.add(int(ask(port, "/pid")[1]))
    return len(workers) == 3 and sum(bearing(port)[0].status == 200 for _ in range(60)) == 60


wait_for(all_workers_answer, 60, "pages of three workers")
check(bearing(port, "/status.json")[0].headers["Content-Type"] == "application/json", "gunicorn's JSON")
check(sockets(master.pid) == before, "the master has made sockets")
own = [sockets(pid) - before for pid in workers]
check(all(own) and not any(a & b for i, a in enumerate(own) for b in own[i + 1:]), "workers share sockets: %s" % own)
connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
connection.request("GET", "/events", headers={"Authorization": "Bearer " + TOKEN})
reply = connection.getresponse()
check(reply.status == 200 and reply.headers["Content-Type"] == "text/event-stream", "events under gunicorn")
events = [line for line in (reply.readline() for _ in range(4)) if line.startswith(b"data: ")]
check(len(events) == 2 and "waiting" in json.loads(events[1][6:])["texts"], "events: %s" % events)
connection.close()
victim = workers.pop()
os.kill(victim, signal.SIGKILL)
wait_for(lambda: int(ask(port, "/pid")[1]) not in workers | {victim}, 20, "a worker in a killed one's place")
wait_for(lambda: sum(bearing(port)[0].status == 200 for _ in range(30)) == 30, 20, "its pages")
master.terminate()
check(master.wait(timeout=20) == 0, "gunicorn ended with %s: %s" % (master.returncode, open(mock.dir + "/gunicorn").read()[-2000:]))
check("Traceback" not in open(mock.dir + "/gunicorn").read(), open(mock.dir + "/gunicorn").read())
mock.close()
print("ok: wsgi")
