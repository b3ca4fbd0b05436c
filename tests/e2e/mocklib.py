"""What jobqmock's conformance tests share: a mock a test class, boto3 clients on it, and
the errors that clients saw."""
import hashlib
import re
import struct
import subprocess
import tempfile
import unittest
import urllib.request
import urllib.error
import urllib.request

import boto3
import botocore.exceptions
from botocore.config import Config

import livelib

ACCOUNT = "123456789012"


def md5(data):
    return hashlib.md5(data if isinstance(data, bytes) else data.encode()).hexdigest()


def attributes_md5(attributes):
    """As SQS's developer guide describes it; written apart from the mock's own."""
    total = b""
    for name in sorted(attributes):
        one = attributes[name]
        total += struct.pack(">I", len(name.encode())) + name.encode()
        total += struct.pack(">I", len(one["DataType"])) + one["DataType"].encode()
        if "StringValue" in one:
            value = one["StringValue"].encode()
            total += b"\x01"
        else:
            value = one["BinaryValue"]
            total += b"\x02"
        total += struct.pack(">I", len(value)) + value
    return hashlib.md5(total).hexdigest()


# The shapes that SQS's JSON gives to errors whose Query codes are other ones; recorded from
# AWS (localstack's snapshots of it).
_SHAPES = {"QueueAlreadyExists": "QueueNameExists",
           "AWS.SimpleQueueService.NonExistentQueue": "QueueDoesNotExist",
           "InvalidParameterValue": "InvalidParameterValueException",
           "MissingParameter": "MissingRequiredParameterException"}


def json_shape(code):
    return _SHAPES.get(code, code.rsplit(".", 1)[-1])


class MockCase(unittest.TestCase):
    """One jobqmock for all tests of a class. options: of its command line."""
    options = ()
    signed = False

    @classmethod
    def setUpClass(cls):
        cls.mock = livelib.Mock(*cls.options, signed=cls.signed)
        cls.made = 0

    @classmethod
    def tearDownClass(cls):
        code = cls.mock.proc.poll()
        cls.mock.close()
        assert code is None, "jobqmock ended by itself: %s" % code

    @classmethod
    def session(cls):
        return boto3

    @classmethod
    def client(cls, service, region="us-east-1", key=livelib.KEYS["AWS_ACCESS_KEY_ID"],
               secret=livelib.KEYS["AWS_SECRET_ACCESS_KEY"], **config):
        return cls.session().client(
            service, region_name=region, endpoint_url=cls.mock.url, aws_access_key_id=key,
            aws_secret_access_key=secret,
            config=Config(**{"retries": {"max_attempts": 0, "mode": "standard"},
                             "parameter_validation": False, "read_timeout": 30, **config}))

    def name(self, suffix=""):
        type(self).made += 1
        return "q%d%s" % (self.made, suffix)

    def fails(self, code, call, status=400, text=None, **kwargs):
        """The call must fail by this code; returns the parsed error."""
        with self.assertRaises(botocore.exceptions.ClientError) as caught:
            call(**kwargs)
        response = caught.exception.response
        got = response["Error"]["Code"]
        header = response["ResponseMetadata"]["HTTPHeaders"].get("x-amzn-query-error")
        if header:  # JSON; older botocores show the shape, newer ones the header's code
            self.assertEqual(header, code + (";Receiver" if status >= 500 else ";Sender"))
            self.assertIn(got, (code, json_shape(code)))
            text = text and text.replace(" for this wsdl version", "")
        else:
            self.assertEqual(got, code, response)
        self.assertEqual(response["ResponseMetadata"]["HTTPStatusCode"], status, response)
        if text:
            self.assertIn(text, response["Error"]["Message"])
        return response

    def advance(self, duration):
        self.mock.get("/_jobq/clock", ("advance=" + duration).encode())

    def http(self, path, method="GET", body=None, **headers):
        """(status, headers, body) of a plain request, whatever the status."""
        headers = {k.replace("_", "-"): v for k, v in headers.items()}
        request = urllib.request.Request(self.mock.url + path, data=body, method=method,
                                         headers=headers)
        try:
            with urllib.request.urlopen(request, timeout=30) as reply:
                return reply.status, reply.headers, reply.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.headers, error.read().decode()

    def faults(self, spec):
        self.mock.faults(spec)


class Kept:
    """A jobqmock on one port and one file, through its deaths."""

    def __init__(self):
        self.dir = tempfile.mkdtemp(prefix="jobq-kill-")
        self.file, self.port = self.dir + "/state", 0
        self.start()

    def start(self):
        self.proc = subprocess.Popen(
            [livelib.MOCK, "--port", str(self.port), "--state", self.file],
            stdout=subprocess.PIPE, text=True)
        line = self.proc.stdout.readline()
        found = re.search(r"http://127\.0\.0\.1:(\d+)", line)
        livelib.check(found, "jobqmock did not start on its state")
        self.port = int(found.group(1))
        self.url = found.group(0)

    def kill(self):
        self.proc.kill()
        self.proc.wait()

    def client(self, service, region="us-east-1"):
        return boto3.client(service, region_name=region, endpoint_url=self.url,
                            aws_access_key_id="a", aws_secret_access_key="b",
                            config=Config(retries={"max_attempts": 0}, read_timeout=5,
                                          connect_timeout=5))

    def restart(self):
        self.kill()
        self.start()

    def advance(self, by):
        urllib.request.urlopen(self.url + "/_jobq/clock",
                               data=b"advance=" + by.encode()).read()
