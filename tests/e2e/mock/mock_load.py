"""What the clients of jobqmock's soak share. Each remembers what was acknowledged, what was
refused and what got no answer, so that a reader can tell afterwards whether anything was
lost. Messages are in mock_load_sqs.py, rows, boxes and the rest in mock_load_more.py, who does
harm in mock_load_harm.py."""
import http.client
import random
import threading
import time
import traceback

import boto3
import botocore.exceptions
from botocore.config import Config

import livelib

ACCOUNT = "123456789012"
REFUSED = botocore.exceptions.ClientError
SILENT = (botocore.exceptions.BotoCoreError, OSError, http.client.HTTPException)


SEED = livelib.seed(2, default=0)


class Broken(Exception):
    """The server broke a promise."""


def client(url, service):
    return boto3.client(service, region_name="us-east-1", endpoint_url=url,
                        aws_access_key_id="a", aws_secret_access_key="b",
                        config=Config(retries={"max_attempts": 0}, read_timeout=10,
                                      parameter_validation=False))


class Load(threading.Thread):
    """Calls `once` until the end. A refusal or no answer is what faults are for; anything
    else ends the soak."""

    def __init__(self, url, number, end):
        super().__init__(daemon=True)
        self.url, self.number, self.end = url, number, end
        self.random = random.Random(SEED + number)
        self.calls = self.refusals = self.silences = 0
        self.broken = None

    def run(self):
        try:
            while time.monotonic() < self.end:
                self.calls += 1
                try:
                    self.once()
                except REFUSED:
                    self.refusals += 1
                except SILENT:
                    self.silences += 1
            self.close()
        except Exception:
            self.broken = traceback.format_exc()

    def close(self):
        pass
