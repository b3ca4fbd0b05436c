"""A proxy between jobq and jobqmock that answers some calls by rule: refusals in AWS's own
words, errors that pass, replies that make no sense, or none at all. Calls that no rule is for
go through and are counted."""
import collections
import http.client
import http.server
import re
import threading
import urllib.parse

JSON = "application/x-amz-json-1.0"


class Rule:
    def __init__(self, action, status, body, headers, times):
        self.action, self.status, self.body = action, status, body
        self.headers, self.times = headers or {}, times


class Proxy:
    """Listens on a free port of loopback; `url` is where."""

    def __init__(self, upstream):
        self.upstream = urllib.parse.urlsplit(upstream)
        self.lock = threading.Lock()
        self.rules, self.calls, self.ruled = [], collections.Counter(), collections.Counter()
        proxy = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *args):
                pass

            def do_POST(self):
                proxy.handle(self)

            do_GET = do_POST

        class Server(http.server.ThreadingHTTPServer):
            daemon_threads = True
            request_queue_size = 100

        self.server = Server(("127.0.0.1", 0), Handler)
        self.url = "http://127.0.0.1:%d" % self.server.server_port
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def rule(self, action, status, body, headers=None, times=None):
        """Answers calls whose whole name matches so; `times` of them, or all."""
        with self.lock:
            self.rules.append(Rule(action, status, body, headers, times))

    def deny_sqs(self, action, code="AccessDeniedException", status=403):
        text = "User: arn:aws:sts::1:assumed-role/box/i-1 is not authorized to perform: sqs:" + action
        self.rule(action + "(Batch)?", status,
                  '{"__type":"com.amazonaws.sqs#%s","message":"%s"}' % (code, text),
                  {"Content-Type": JSON, "x-amzn-query-error": code + ";Sender"})

    def refuse_sdb(self, action, code, text, status=403, times=None):
        self.rule(action, status,
                  "<?xml version='1.0'?><Response><Errors><Error><Code>%s</Code><Message>%s</Message>"
                  "<BoxUsage>0.0000219907</BoxUsage></Error></Errors><RequestID>rid-1</RequestID>"
                  "</Response>" % (code, text), None, times)

    def clear(self):
        with self.lock:
            self.rules.clear()

    def match(self, action):
        with self.lock:
            self.calls[action] += 1
            for rule in self.rules:
                if re.fullmatch(rule.action, action) and rule.times != 0:
                    rule.times = rule.times and rule.times - 1
                    self.ruled[action] += 1
                    return rule
        return None

    def handle(self, request):
        body = request.rfile.read(int(request.headers.get("Content-Length") or 0))
        target = request.headers.get("X-Amz-Target", "").split(".")[-1]
        found = re.findall(rb"(?:^|&)Action=(\w+)", body)
        rule = self.match(target or (found[0].decode() if found else "-"))
        try:
            if rule:
                self.reply(request, rule.status, rule.body.encode(), rule.headers)
            else:
                self.pass_on(request, body)
        except OSError:
            request.close_connection = True

    def pass_on(self, request, body):
        upstream = http.client.HTTPConnection(self.upstream.netloc, timeout=60)
        headers = {k: v for k, v in request.headers.items() if k.lower() != "connection"}
        upstream.request(request.command, request.path, body, headers)
        got = upstream.getresponse()
        data = got.read()
        drop = ("content-length", "connection", "transfer-encoding")
        self.reply(request, got.status, data,
                   {k: v for k, v in got.getheaders() if k.lower() not in drop})
        upstream.close()

    @staticmethod
    def reply(request, status, body, headers):
        request.send_response(status)
        for name, value in headers.items():
            request.send_header(name, value)
        request.send_header("Content-Length", str(len(body)))
        request.end_headers()
        request.wfile.write(body)
