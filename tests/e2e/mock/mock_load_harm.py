"""Who does harm in the soak: clients that mangle and cut off, and the faults."""
import http.client
import json
import socket
import struct
import time

from mock_load import ACCOUNT, Broken, Load


class Vandal(Load):
    """Whole, half and mangled requests of every kind, cut off anywhere; replies left in the
    middle; connections that say nothing."""

    def __init__(self, url, number, end):
        super().__init__(url, number, end)
        self.kept = []
        host, port = url[7:].split(":")
        self.address = (host, int(port))
        junk = "%s/%s/junk" % (url, ACCOUNT)
        form = "application/x-www-form-urlencoded"
        self.requests = [
            self.post(json.dumps({"QueueUrl": junk, "WaitTimeSeconds": 20}),
                      "AmazonSQS.ReceiveMessage"),
            self.post(json.dumps({"QueueUrl": junk, "MessageBody": "x" * 300,
                                  "MessageAttributes": {"a": {"DataType": "Number",
                                                              "StringValue": "1"}}}),
                      "AmazonSQS.SendMessage"),
            self.post("Action=SendMessage&Version=2012-11-05&MessageBody=a%20b&QueueUrl=" +
                      junk, content=form),
            self.post("Action=PurgeQueue&Version=2012-11-05&QueueUrl=" + junk, content=form),
            self.post("Action=ReceiveMessage&MaxNumberOfMessages=10&VisibilityTimeout=0&"
                      "Version=2012-11-05&QueueUrl=" + junk, content=form),
            self.post("Action=PutAttributes&Version=2009-04-15&DomainName=junk&ItemName=i&"
                      "Attribute.1.Name=a&Attribute.1.Value=b&Attribute.2.Name=c&"
                      "Attribute.2.Value=%C3%BC&Timestamp=2026-11-24T00%3A00%3A00Z&"
                      "AWSAccessKeyId=a&SignatureVersion=2&Signature=b", content=form),
            self.post("Action=Select&Version=2009-04-15&SelectExpression=" +
                      "select%20*%20from%20%60soak%60%20where%20every(v)%20in%20('a'%2C'b')"
                      "%20or%20not%20v%20like%20'%25x'", content=form),
            self.post("Action=DescribeInstances&Version=2016-11-15&Filter.1.Name=tag%3Ax&"
                      "Filter.1.Value.1=*", content=form),
            b"GET /?Action=ListQueues&Version=2012-11-05 HTTP/1.1\r\nHost: x\r\n\r\n",
            b"GET /latest/meta-data/ HTTP/1.1\r\nHost: x\r\n\r\n",
            b"PUT /latest/api/token HTTP/1.1\r\nHost: x\r\n"
            b"X-aws-ec2-metadata-token-ttl-seconds: 60\r\n\r\n",
            b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n",
            b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
            b"1a\r\nAction=ListDomains&Version\r\n0b\r\n=2009-04-15\r\n0\r\n\r\n",
            b"GET / HTTP/1.1\r\n" + b"x: y\r\n" * 80 + b"\r\n",
            b"GET /" + b"x" * 70000 + b" HTTP/1.1\r\n\r\n",
            b"POST / HTTP/1.1\r\nContent-Length: 99999999\r\n\r\n" + b"x" * 100000,
        ]

    def close(self):
        for one in self.kept:
            one.close()

    @staticmethod
    def post(body, target=None, content="application/x-amz-json-1.0"):
        head = "POST / HTTP/1.1\r\nHost: x\r\nContent-Type: %s\r\n" % content
        if target:
            head += "X-Amz-Target: %s\r\n" % target
        return (head + "Authorization: AWS4-HMAC-SHA256 Credential=a/20261124/us-east-1/sqs/"
                "aws4_request, SignedHeaders=host;x-amz-date, Signature=0\r\n"
                "Content-Length: %d\r\n\r\n%s" % (len(body), body)).encode()

    def once(self):
        draw = self.random.randrange
        data = bytearray(self.random.choice(self.requests))
        if draw(2):
            for _ in range(draw(1, 6)):
                data[draw(len(data))] = draw(256)
        if draw(3) == 0:
            data = data * draw(2, 9)
        if draw(3) == 0:
            data = data[:draw(1, len(data) + 1)]
        one = socket.create_connection(self.address, timeout=0.02)
        if draw(20) == 0:
            self.kept.append(one)  # silent from here on, for a while
        try:
            one.sendall(bytes(data))
            if draw(2):
                one.recv(draw(1, 200))
        except OSError:
            pass
        if draw(3) == 0 and one not in self.kept:  # close by a reset
            one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        if one not in self.kept:
            one.close()
        if len(self.kept) > 50:
            self.kept.pop(0).close()
        time.sleep(0.005)


class Faults(Load):
    """Changes what goes wrong, every second or so."""
    SETTINGS = ("error=0.03", "drop=0.03", "lost=0.03", "sqs.throttle=0.05",
                "sdb.throttle=0.05", "ec2.throttle=0.05", "latency=exp:2ms",
                "sqs.ReceiveMessage.latency=5ms", "duplicate=0.02", "reorder=0.1",
                "short_poll=on", "window=300ms", "sqs.SendMessage.lost=0.1",
                "sdb.PutAttributes.lost=0.1", "ec2.RunInstances.lost=0.5")

    def once(self):
        count = self.random.randrange(2, len(self.SETTINGS))
        spec = "; ".join(["off"] + self.random.sample(self.SETTINGS, count))
        connection = http.client.HTTPConnection(self.url[7:], timeout=10)
        connection.request("POST", "/_jobq/faults", spec)
        if connection.getresponse().status != 200:
            raise Broken("a fault was refused: " + spec)
        connection.close()
        time.sleep(self.random.uniform(0.5, 2))
