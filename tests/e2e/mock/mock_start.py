"""jobqmock's own start and end: each thing that is wrong is named in one line, by the right
exit code; SIGTERM ends it cleanly with everybody still talking."""
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time
import unittest

import boto3

import livelib


class Start(unittest.TestCase):
    def setUp(self):
        self.dir = tempfile.mkdtemp(prefix="jobq-start-")

    def tearDown(self):
        shutil.rmtree(self.dir)

    def file(self, text):
        path = os.path.join(self.dir, "keys")
        with open(path, "w") as file:
            file.write(text)
        return path

    def refused(self, options, code, *texts):
        done = subprocess.run([livelib.MOCK, *options], capture_output=True, text=True,
                              timeout=20)
        self.assertEqual((done.returncode, done.stdout), (code, ""), done.stderr)
        self.assertTrue(done.stderr.startswith("jobqmock: "), done.stderr)
        for text in texts:
            self.assertIn(text, done.stderr.split("\n")[0])

    def test_used_port(self):
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = str(taken.getsockname()[1])
            self.refused(["--port", port], 1, port, "in use")

    def test_addresses(self):
        for host in ("0.0.0.0", "192.0.2.1", "::"):
            self.refused(["--port", "0", "--host", host], 2, host, "--auth check")
        self.refused(["--port", "0", "--host", "192.0.2.1", "--auth", "check"], 2, "192.0.2.1")
        self.refused(["--port", "0", "--host", "127.0.0.no"], 2, "127.0.0.no")

    def test_options(self):
        for options, *texts in ((["--port", "65536"], "--port", "65536", "65535"),
                                (["--port", "x"], "--port", "x"),
                                (["--speed", "0"], "--speed", "0"),
                                (["--max-connections", "0"], "--max-connections", "0"),
                                (["--max-buffers", "1MiB"], "--max-buffers", "32MiB"),
                                (["--auth", "maybe"], "--auth", "maybe", "check"),
                                (["--account", "12"], "--account", "12"),
                                (["--model", "aws-1999"], "aws-1999", "aws-2026"),
                                (["--boxes", "ls"], "--boxes", "ls"),
                                (["--port"], "--port", "value"), (["--no"], "--no"),
                                (["more"], "more")):
            self.refused(options, 2, *texts)

    def test_credentials(self):
        check = ["--port", "0", "--auth", "check", "--credentials"]
        for text, *said in (("[A]\nsecret=s\nnonsense\n", ":3"),
                            ("[A]\npassword=s\n", ":2", "password"),
                            ("[A]\nsecret=%s\n" % ("s" * 150), ":2", "secret", "131"),
                            ("[A]\nsecret=s\ntoken=%s\n" % ("t" * 4097), ":3", "token", "4096"),
                            ("[A]\ntoken=%s\n" % ("t" * 9000), ":2", "6144"),
                            ("secret=s\n", ":1", "key id"),
                            ("[%s]\nsecret=s\n" % ("A" * 40000), ":1")):
            path = self.file(text)
            self.refused(check + [path], 2, path, *said)
        self.refused(check + [self.dir + "/none"], 2, self.dir + "/none")

    def test_long_token(self):
        """AWS's session tokens have 1 to 2 KiB."""
        token = "IQoJb3JpZ2luX2VjE+/" * 110
        path = self.file("[AKIDLONG]\nsecret = s3cret\ntoken = %s==\n" % token)
        mock = livelib.Mock("--credentials", path)
        for good in (True, False):
            sqs = boto3.client("sqs", region_name="us-east-1", endpoint_url=mock.url,
                               aws_access_key_id="AKIDLONG", aws_secret_access_key="s3cret",
                               aws_session_token=token + ("==" if good else "="))
            if good:
                self.assertNotIn("QueueUrls", sqs.list_queues())
                continue
            with self.assertRaises(sqs.exceptions.ClientError):
                sqs.list_queues()
        mock.close()

    def test_faults(self):
        for spec, *said in (("error=2", "error=2", "0..1"), ("error", "error", "KEY=VALUE"),
                            ("s3.error=0.1", "s3.error", "sqs"), ("nonsense=1", "nonsense"),
                            ("short_poll=maybe", "short_poll", "on"), ("window=x", "window"),
                            ("latency=fast", "fast"), ("sqs.model.none=1", "none"),
                            ("error=0.1; drop=x", "drop=x")):
            self.refused(["--port", "0", "--faults", spec], 2, "--faults", *said)

    def test_end_during_load(self):
        for name in ("SIGTERM", "SIGINT"):
            mock = livelib.Mock(signed=False)
            stop = threading.Event()
            threads = [threading.Thread(target=self.load, args=(mock, stop)) for _ in range(4)]
            for thread in threads:
                thread.start()
            time.sleep(0.3)
            begin = time.monotonic()
            mock.proc.send_signal(getattr(signal, name))
            self.assertEqual(mock.proc.wait(timeout=10), 0)
            self.assertLess(time.monotonic() - begin, 2)
            stop.set()
            for thread in threads:
                thread.join()
            with open(mock.said) as said:
                self.assertEqual(said.read(), "")
            mock.proc.stdout.close()
            mock.close()

    @staticmethod
    def load(mock, stop):
        """Creates, and leaves a long poll and half a request on each connection."""
        host, port = mock.url[7:].split(":")
        kept = []
        request = ("GET /?Action=%s&Version=2012-11-05 HTTP/1.1\r\nHost: x\r\n\r\n")
        try:
            while not stop.is_set():
                one = socket.create_connection((host, int(port)), timeout=1)
                kept.append(one)
                one.sendall((request % "CreateQueue&QueueName=q").encode())
                one.recv(4096)
                wait = "ReceiveMessage&WaitTimeSeconds=20&QueueUrl=%s/123456789012/q"
                one.sendall((request % (wait % mock.url)).encode() + b"GET /half")
        except OSError:
            pass
        for one in kept:
            one.close()


if __name__ == "__main__":
    unittest.main()
