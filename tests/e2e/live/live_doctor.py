#!/usr/bin/python3
"""What doctor finds when something is wrong, one thing at a time, by a proxy before jobqmock that
tells another time, denies an action, or is slow; and where credentials and region come from:
files, profiles, a container's role, a box's role that is renewed before its end, and clear words
for what jobq does not do."""
import datetime
import http.server
import json
import os
import subprocess
import threading
import time
import urllib.error
import urllib.parse
import urllib.request

from livelib import JOBQ, KEYS, Mock, check, wait_for

mock = Mock()  # checks signatures


class Proxy(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    skew = delay = 0.0
    deny = ""

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        form = urllib.parse.parse_qs(body.decode())
        action = self.headers.get("X-Amz-Target", "").split(".")[-1] or form["Action"][0]
        stamp = self.headers.get("X-Amz-Date") or form["Timestamp"][0]
        stamp = datetime.datetime.strptime(stamp.replace("-", "").replace(":", "")[:15], "%Y%m%dT%H%M%S")
        off = stamp.replace(tzinfo=datetime.timezone.utc).timestamp() - time.time() - Proxy.skew
        time.sleep(Proxy.delay if action == "GetQueueUrl" else 0)
        if action == Proxy.deny:
            self.answer(403, b'{"__type":"x#AccessDeniedException","message":"not you"}' if not form else
                        b"<Response><Errors><Error><Code>AccessDenied</Code><Message>not you</Message></Error></Errors></Response>")
        elif abs(off) > 900:
            self.answer(403, b'{"__type":"x#InvalidSignatureException","message":"Signature expired"}')
        else:
            request = urllib.request.Request(mock.url, data=body, headers=dict(self.headers.items()))
            try:
                with urllib.request.urlopen(request) as reply:
                    self.answer(reply.status, reply.read())
            except urllib.error.HTTPError as reply:
                self.answer(reply.code, reply.read())

    def answer(self, status, body):
        self.send_response_only(status)
        now = time.gmtime(time.time() + Proxy.skew)
        self.send_header("Date", time.strftime("%a, %d %b %Y %H:%M:%S GMT", now))
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args):
        pass


def serve(handler):
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return "http://127.0.0.1:%d" % server.server_port


def run(*args, env=None, without=()):
    mine = {k: v for k, v in {**mock.env, **(env or {})}.items() if k not in without}
    return subprocess.run([JOBQ] + list(args), env=mine, cwd=mock.dir, capture_output=True, text=True, timeout=30)


def doctor(want, finding, text, *args, queue="dr", code=None, env=None, without=()):
    done = run("doctor", queue, "--json", *args, env=env, without=without)
    checks = json.loads(done.stdout)["checks"]
    hits = [c for c in checks if c["check"] == want and c["finding"] == finding and text in c["text"]]
    check(hits, "no %s of '%s' with '%s': %s" % (finding, want, text, json.dumps(checks, indent=1)))
    if code is None:
        code = 1 if any(c["finding"] == "fault" for c in checks) else 0
    check(done.returncode == code, "doctor ended with %d, want %d" % (done.returncode, code))


mock.jobq("enqueue", "dr", "--visibility", "30s", "kind=sleep")
doctor("permissions", "ok", "heartbeats")
doctor("queue", "ok", "1 visible")
doctor("queue", "fault", "QueueDoesNotExist", queue="nosuch")
doctor("permissions", "fault", "InvalidSignatureException", env={"AWS_SECRET_ACCESS_KEY": "wrong"})
doctor("credentials", "fault", "no credentials: looked in", without=("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"), code=77)
doctor("load", "fault", "29 domains", "--arrivals", "1000/s")
doctor("visibility", "ok", "heartbeats carry them, 240 a job", "--job-time", "1h")
mock.jobq("enqueue", "short", "--visibility", "1s", "kind=sleep")
doctor("visibility", "warning", "once a second", queue="short")
mock.jobq("enqueue", "dr", "--visibility", "12h", "kind=sleep")
doctor("visibility", "warning", "waits that long", "--job-time", "2s")
doctor("visibility", "fault", "cannot end", "--job-time", "12h")


def sqs(action, **body):
    mock_off = urllib.request.Request(open_mock.url, data=json.dumps(body).encode(), headers={
        "Content-Type": "application/x-amz-json-1.0", "X-Amz-Target": "AmazonSQS." + action})
    return json.loads(urllib.request.urlopen(mock_off).read() or b"{}")


open_mock = Mock(signed=False)
for name, attributes, text in (
        ("plain", {}, "kept in rows only"),
        ("low", {"RedrivePolicy": json.dumps({"deadLetterTargetArn": "arn:aws:sqs:us-east-1:123456789012:low-dead",
                                              "maxReceiveCount": "3"})}, "maxReceiveCount is 3")):
    if name == "low":
        sqs("CreateQueue", QueueName="low-dead")
    sqs("CreateQueue", QueueName=name, Attributes=attributes)
    doctor("dead letters", "warning", text, queue=name, env={"AWS_ENDPOINT_URL": open_mock.url})
open_mock.close()

mock.env["AWS_ENDPOINT_URL"] = serve(Proxy)
for action, what in (("GetQueueUrl", "permissions"), ("ChangeMessageVisibility", "permissions"), ("DeleteMessage", "permissions"),
                     ("PutAttributes", "permissions"), ("ListDomains", "permissions")):
    Proxy.deny = action
    doctor(what, "fault", action + ": AccessDenied")
Proxy.deny = "DescribeInstances"
doctor("boxes", "warning", "AccessDenied")
Proxy.deny = ""
for Proxy.skew, finding, text in ((3600, "fault", "s behind; past 900 s"), (-3600, "fault", "s ahead; past 900 s"),
                                  (120, "warning", "s behind"), (0, "ok", "within a minute")):
    doctor("clock", finding, text)
Proxy.delay = 1.1
doctor("latency", "warning", "SQS answered in 1")
Proxy.delay = 0
mock.env["AWS_ENDPOINT_URL"] = mock.url

# ---- where keys and region come from
NO_KEYS = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")
PAIR = "aws_access_key_id = %s\naws_secret_access_key = %s\n" % (KEYS["AWS_ACCESS_KEY_ID"], KEYS["AWS_SECRET_ACCESS_KEY"])
os.mkdir(mock.dir + "/.aws")


def files(credentials="", config=""):
    for name, text in (("credentials", credentials), ("config", config)):
        with open(mock.dir + "/.aws/" + name, "w") as file:
            file.write(text)


def denied(text, env=None, without=NO_KEYS):
    done = run("status", ID, env=env, without=without)
    check(done.returncode == 77 and text in done.stderr, "exit %d, want 77 with '%s': %s" % (done.returncode, text, done.stderr))


ID = run("enqueue", "keys", "kind=sleep").stdout.strip()
files(PAIR.join(["[default]\n", ""]))
doctor("credentials", "ok", "from the credentials file", without=NO_KEYS)
files(config="[profile default]\n" + PAIR + "[profile other]\n" + PAIR + "region = eu-west-1\n")
doctor("credentials", "ok", "from the config file", without=NO_KEYS)
doctor("region", "ok", "eu-west-1;", env={"AWS_PROFILE": "other"}, without=NO_KEYS + ("AWS_REGION",))
denied("profile 'nope' is in no file", env={"AWS_PROFILE": "nope"})
check(run("status", ID, env={"AWS_PROFILE": "nope"}).returncode == 0, "keys of the environment do not go before a profile")
files("[default]\naws_access_key_id = AKIA\n")
denied("the credentials file has an access key id alone")
files()
denied("the environment has an access key id alone", without=NO_KEYS[1:])
for key in ("credential_process", "sso_session", "role_arn", "web_identity_token_file"):
    files(PAIR.join(["[source]\n", ""]), "[profile far]\n%s = x\nsource_profile = source\n" % key)
    denied("profile 'far' takes its keys by '%s'" % key, env={"AWS_PROFILE": "far"})
files(PAIR.join(["[far]\n", ""]), "[profile far]\nrole_arn = x\n")
denied("by 'role_arn'", env={"AWS_PROFILE": "far"})
files()
denied("AWS_WEB_IDENTITY_TOKEN_FILE", env={"AWS_WEB_IDENTITY_TOKEN_FILE": "x"})


class Roles(http.server.BaseHTTPRequestHandler):
    """A container's role and a box's; each key pair of the box ends soon."""
    pairs, lasts = 0, 302
    asked = []

    def send(self, status, text):
        self.send_response(status)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text.encode())

    def do_PUT(self):
        self.send(200, "t0ken")

    def do_GET(self):
        Roles.asked.append(self.path)
        soon = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + Roles.lasts))
        role = {"AccessKeyId": KEYS["AWS_ACCESS_KEY_ID"], "SecretAccessKey": KEYS["AWS_SECRET_ACCESS_KEY"], "Expiration": soon}
        if self.path == "/container":
            self.send(200 if self.headers.get("Authorization") == "Bearer x" else 403, json.dumps(role))
        elif self.headers.get("X-aws-ec2-metadata-token") != "t0ken":
            self.send(401, "")
        elif self.path.endswith("/security-credentials/"):
            self.send(200, "worker")
        elif self.path.endswith("/security-credentials/worker"):
            Roles.pairs += 1
            self.send(200, json.dumps(role))
        elif self.path.endswith("/placement/region"):
            self.send(200, "ap-south-1")
        else:
            self.send(404, "")

    def log_message(self, *args):
        pass


roles = serve(Roles)
with open(mock.dir + "/token", "w") as file:
    file.write("Bearer x\n")
container = {"AWS_CONTAINER_CREDENTIALS_FULL_URI": roles + "/container"}
doctor("credentials", "ok", "from the container role", without=NO_KEYS,
       env={**container, "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE": mock.dir + "/token"})
denied("refused (HTTP 403)", env={**container, "AWS_CONTAINER_AUTHORIZATION_TOKEN": "Bearer y"})
for url in ("http://10.0.0.1/", "http://127.0.0.1.example.com/", "http://127.0.0.1:1@10.0.0.1/", "http://127.0.0.1@10.0.0.1/", "ftp://x"):
    done = run("status", ID, env={"AWS_CONTAINER_CREDENTIALS_FULL_URI": url}, without=NO_KEYS)
    check(done.returncode == 2 and "neither https nor local" in done.stderr, url + ": " + done.stderr)

box = {"AWS_EC2_METADATA_DISABLED": "false", "AWS_EC2_METADATA_SERVICE_ENDPOINT": roles}
doctor("credentials", "ok", "from the box role", env=box, without=NO_KEYS)
# Keys that end within these five minutes as they come are asked for once a minute, not at each call.
Roles.lasts, Roles.pairs = 200, 0
run("doctor", "keys", env=box, without=NO_KEYS)
check(Roles.pairs == 1, "keys were fetched %d times" % Roles.pairs)
Roles.lasts = 302
done = run("spawn", "keys", "--instance", "t4g.nano", "--dry-run", env=box, without=("AWS_REGION", "AWS_ENDPOINT_URL"))
check("AWS_REGION=ap-south-1" in done.stdout, "the box's own region: %s%s" % (done.stdout, done.stderr))
# Five minutes before their end keys are renewed: here, after two seconds.
Roles.pairs = 0
env = {k: v for k, v in {**mock.env, **box}.items() if k not in NO_KEYS}
drain = subprocess.Popen([JOBQ, "drain", "keys", "-n", "1", "--wait", "500ms", "--stats", "0", "--notice", "0"], env=env,
                         stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
wait_for(lambda: Roles.pairs >= 2, 15, "renewed keys")
drain.kill()
drain.wait()

# ---- TLS: a certificate that AWS_CA_BUNDLE names is trusted, for its own name only
import ssl  # noqa: E402
d = mock.dir
subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", d + "/k", "-out", d + "/c", "-days", "2",
                "-subj", "/CN=jobq", "-addext", "subjectAltName=IP:127.0.0.1"], check=True, capture_output=True)
tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
tls.load_cert_chain(d + "/c", d + "/k")
server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Proxy)
server.socket = tls.wrap_socket(server.socket, server_side=True)
threading.Thread(target=server.serve_forever, daemon=True).start()
https = "https://127.0.0.1:%d" % server.server_port
done = run("status", ID, env={"AWS_ENDPOINT_URL": https, "AWS_CA_BUNDLE": d + "/c"})
check(done.returncode == 0, "a trusted certificate: " + done.stderr)
done = run("status", ID, env={"AWS_ENDPOINT_URL": https.replace("127.0.0.1", "localhost"), "AWS_CA_BUNDLE": d + "/c"})
check(done.returncode == 77 and "not trusted" in done.stderr, "a certificate of another name: %d %s" % (done.returncode, done.stderr))
mock.close()
print("ok: doctor, credentials, region, TLS")
