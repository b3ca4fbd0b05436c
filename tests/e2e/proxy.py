"""An HTTP proxy between the programs under test and jobqmock, which the tests tell what to do
with which requests: hold, apply late or twice, lose, cut, drop, reorder, refuse.

    proxy = Proxy(mock.url)
    rule = proxy.rule("SendMessage(Batch)?", refuse=denied("sqs:SendMessage"), count=1)
    ... AWS_ENDPOINT_URL=proxy.url ...
    proxy.remove(rule); rule.struck

A rule is about actions (a regular expression of the whole name) and, with match=, about what
the body says. The first that fits a request strikes, count times at most, each time with
probability `chance`. It does one of:
  refuse=(status, headers, body)   answers so; the mock sees nothing
  drop=True       closes the connection; the mock sees nothing
  lost=True       the mock answers, then the connection closes without the reply
  cut=SHARE       the mock answers; the connection closes after that share of the reply (0..1)
  again=SECONDS   the mock answers, and gets the request once more SECONDS later
  late=SECONDS    the connection closes at once; the mock gets the request SECONDS later
  delay=SECONDS   the mock gets the request SECONDS later; the reply follows
  slow=SECONDS    the mock answers at once; the reply waits SECONDS
SECONDS and SHARE may be functions of no argument; random delays reorder. A client that hung up does
not take its request back, as with a network."""
import asyncio
import collections
import random
import re
import threading
import time
import urllib.parse

Call = collections.namedtuple("Call", "action body begun ended status reply")


def denied(permission, service=None):
    """What AWS answers to a caller without the permission, 'sqs:SendMessage' say."""
    service = service or permission.split(":")[0]
    said = ("User: arn:aws:sts::123456789012:assumed-role/jobq-drainer/i-0123456789abcdef0 is not authorized "
            "to perform: %s because no identity-based policy allows the action" % permission)
    if service == "sqs":
        return 403, {"Content-Type": "application/x-amz-json-1.0", "x-amzn-query-error": "AccessDenied;Sender"}, (
            '{"__type": "com.amazonaws.sqs#AccessDeniedException", "message": "%s"}' % said)
    if service == "dynamodb":
        return 400, {"Content-Type": "application/x-amz-json-1.0"}, (
            '{"__type": "com.amazon.coral.service#AccessDeniedException", "Message": "%s"}' % said)
    if service == "ec2":
        return 403, {"Content-Type": "text/xml"}, (
            "<?xml version='1.0'?><Response><Errors><Error><Code>UnauthorizedOperation</Code><Message>%s</Message>"
            "</Error></Errors><RequestID>rid-1</RequestID></Response>" % said)
    return simpledb_error(403, "AuthFailure", said)


def simpledb_error(status, code, message):
    return status, {"Content-Type": "text/xml"}, (
        "<?xml version='1.0'?><Response><Errors><Error><Code>%s</Code><Message>%s</Message>"
        "<BoxUsage>0.0000219907</BoxUsage></Error></Errors><RequestID>rid-1</RequestID></Response>" % (code, message))


def form(body):
    """The parameters of a SimpleDB or EC2 request's body."""
    return dict(urllib.parse.parse_qsl(body.decode(errors="replace"), keep_blank_values=True))


class Rule:
    def __init__(self, action, match=None, count=None, chance=1.0, **what):
        self.action, self.match = re.compile(action), match and re.compile(match.encode())
        self.left, self.chance, self.struck = count, chance, 0
        (self.verb, self.value), = what.items()

    def strikes(self, action, body, dice):
        if self.left == 0 or not self.action.fullmatch(action) or (self.match and not self.match.search(body)):
            return False
        if self.chance < 1 and dice.random() >= self.chance:
            return False
        self.struck += 1
        if self.left:
            self.left -= 1
        return True

    def drawn(self):
        return self.value() if callable(self.value) else self.value


class Proxy:
    """Actions that match `keep` are kept in self.calls as the mock answered them."""

    def __init__(self, upstream, seed=1, keep=None):
        parts = urllib.parse.urlsplit(upstream)
        self.upstream = (parts.hostname, parts.port)
        self.rules, self.dice = [], random.Random(seed)
        self.keep, self.calls = re.compile(keep or "$^"), []
        self.counts = collections.Counter()
        self.late = 0  # requests that are still to be applied
        self.tasks = set()  # the loop itself holds what it runs by weak references only
        self.loop = asyncio.new_event_loop()
        ready = threading.Event()
        threading.Thread(target=self._run, args=(ready,), daemon=True).start()
        ready.wait()

    def rule(self, action, **what):
        one = Rule(action, **what)
        self.rules = self.rules + [one]
        return one

    def remove(self, rule):
        self.rules = [one for one in self.rules if one is not rule]

    def clear(self):
        self.rules = []

    def close(self):
        self.loop.call_soon_threadsafe(self.loop.stop)

    def _task(self, work):
        task = self.loop.create_task(work)
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)
        return task

    def _run(self, ready):
        asyncio.set_event_loop(self.loop)
        # What a client does to its end of a connection does not matter.
        self.loop.set_exception_handler(lambda loop, context: None)
        server = self.loop.run_until_complete(asyncio.start_server(
            self._client, "127.0.0.1", 0, limit=1 << 24, backlog=500))
        self.port = server.sockets[0].getsockname()[1]
        self.url = "http://127.0.0.1:%d" % self.port
        ready.set()
        self.loop.run_forever()

    async def _read(self, stream):
        """(head, body) of a request or a reply; b"" when the other end closed."""
        head = await stream.readuntil(b"\r\n\r\n")
        length = re.search(rb"(?i)\r\ncontent-length: *(\d+)", head)
        if re.search(rb"(?i)\r\nexpect: 100-continue", head):
            raise OSError("not understood here")
        return head, await stream.readexactly(int(length.group(1))) if length else b""

    async def _forward(self, action, head, body):
        begun = time.time()
        reader, writer = await asyncio.open_connection(*self.upstream, limit=1 << 24)
        try:
            head = re.sub(rb"(?i)\r\nconnection:[^\r]*", b"", head)
            writer.write(head[:-2] + b"Connection: close\r\n\r\n" + body)
            await writer.drain()
            answer, text = await self._read(reader)
        finally:
            writer.close()
        if self.keep.fullmatch(action):
            self.calls.append(Call(action, body, begun, time.time(), int(answer.split(b" ", 2)[1]), text))
        return re.sub(rb"(?i)\r\nconnection:[^\r]*", b"", answer) + text

    async def _later(self, seconds, action, head, body):
        self.late += 1
        try:
            await asyncio.sleep(seconds)
            await self._forward(action, head, body)
        except (OSError, asyncio.IncompleteReadError):
            pass  # the mock is down: the network lost it after all
        finally:
            self.late -= 1

    async def _client(self, reader, writer):
        task = asyncio.current_task()
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)
        try:
            while True:
                head, body = await self._read(reader)
                found = re.search(rb"(?i)\r\nx-amz-target: *\w+\.(\w+)", head) or re.search(rb"(?:^|&)Action=(\w+)", body)
                action = found.group(1).decode() if found else "-"
                self.counts[action] += 1
                rule = next((r for r in self.rules if r.strikes(action, body, self.dice)), None)
                answer = await self._strike(rule, action, head, body)
                if answer is None:
                    return
                if rule and rule.verb == "cut":
                    answer = answer[:int(rule.drawn() * len(answer))]
                writer.write(answer)
                await writer.drain()
                if rule and rule.verb == "cut":
                    return
        except (OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            pass
        finally:
            writer.close()

    async def _strike(self, rule, action, head, body):
        """The bytes to answer with; None closes the connection."""
        verb = rule.verb if rule else None
        if verb == "drop":
            return None
        if verb == "refuse":
            status, headers, text = rule.value
            lines = "".join("%s: %s\r\n" % one for one in headers.items())
            return ("HTTP/1.1 %d Refused\r\n%sContent-Length: %d\r\n\r\n%s" % (
                status, lines, len(text.encode()), text)).encode()
        if verb == "late":
            self._task(self._later(rule.drawn(), action, head, body))
            return None
        if verb == "delay":
            await asyncio.sleep(rule.drawn())
        answer = await asyncio.shield(self._task(self._forward(action, head, body)))
        if verb == "lost":
            return None
        if verb == "again":
            self._task(self._later(rule.drawn(), action, head, body))
        if verb == "slow":
            await asyncio.sleep(rule.drawn())
        return answer
