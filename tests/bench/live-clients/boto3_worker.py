"""Ten threads, each receiving ten messages and deleting them, one by one or as a batch."""
import sys
import threading

import boto3
from botocore.config import Config

queue, mode = sys.argv[1:3]


def work():
    import os
    sqs = boto3.session.Session().client("sqs", endpoint_url=os.environ["AWS_ENDPOINT_URL"],
                                         config=Config(max_pool_connections=2))
    url = sqs.get_queue_url(QueueName=queue)["QueueUrl"]
    while True:
        messages = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, WaitTimeSeconds=1).get("Messages", [])
        if not messages:
            continue
        if mode == "batch":
            sqs.delete_message_batch(QueueUrl=url, Entries=[
                {"Id": str(i), "ReceiptHandle": m["ReceiptHandle"]} for i, m in enumerate(messages)])
        else:
            for m in messages:
                sqs.delete_message(QueueUrl=url, ReceiptHandle=m["ReceiptHandle"])


threads = [threading.Thread(target=work, daemon=True) for _ in range(10)]
for t in threads:
    t.start()
for t in threads:
    t.join()
