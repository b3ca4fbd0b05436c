"""SQS through botocore in both protocols. It is botocore's own code and its own model of the
service; only the protocol that the model names is changed, since a botocore speaks only the
one (Debian's: Query; newer ones: JSON)."""
import atexit
import copy
import json
import os
import shutil
import tempfile

import boto3
import botocore.loaders
import botocore.session

from mocklib import MockCase

# What Debian's botocore does not know yet of SQS, in its own notation; the names of lists
# are those that Query has.
_TEXT, _WHOLE, _LONG = {"shape": "String"}, {"shape": "Integer"}, {"shape": "Long"}
_NEW_SHAPES = {
    "Long": {"type": "long"},
    "SystemNames": {"type": "list", "flattened": True, "member": {
        "shape": "String", "locationName": "MessageSystemAttributeName"}},
    "StartMove": {"type": "structure", "required": ["SourceArn"], "members": {
        "SourceArn": _TEXT, "DestinationArn": _TEXT,
        "MaxNumberOfMessagesPerSecond": _WHOLE}},
    "StartMoveResult": {"type": "structure", "members": {"TaskHandle": _TEXT}},
    "CancelMove": {"type": "structure", "members": {"TaskHandle": _TEXT}},
    "CancelMoveResult": {"type": "structure", "members": {
        "ApproximateNumberOfMessagesMoved": _LONG}},
    "ListMoves": {"type": "structure", "members": {"SourceArn": _TEXT, "MaxResults": _WHOLE}},
    "Move": {"type": "structure", "members": {
        "TaskHandle": _TEXT, "Status": _TEXT, "SourceArn": _TEXT, "DestinationArn": _TEXT,
        "MaxNumberOfMessagesPerSecond": _WHOLE, "ApproximateNumberOfMessagesMoved": _LONG,
        "ApproximateNumberOfMessagesToMove": _LONG, "FailureReason": _TEXT,
        "StartedTimestamp": _LONG}},
    "Moves": {"type": "list", "flattened": True, "member": {
        "shape": "Move", "locationName": "ListMessageMoveTasksResultEntry"}},
    "ListMovesResult": {"type": "structure", "members": {"Results": {"shape": "Moves"}}}}
_NEW_OPERATIONS = {"StartMessageMoveTask": "StartMove", "CancelMessageMoveTask": "CancelMove",
                   "ListMessageMoveTasks": "ListMoves"}


def _json_names(node):
    """JSON names members as the model does, without the names that Query gives to lists."""
    if isinstance(node, dict):
        for key in ("locationName", "locationNameList", "flattened"):
            node.pop(key, None)
        node = node.values()
    if not isinstance(node, (str, bytes, int, type(None))):
        for one in node:
            _json_names(one)


def _sqs_models():
    """A folder of service models for botocore: "sqs-query" and "sqs-json"."""
    model = botocore.session.get_session().get_component("data_loader") \
        .load_service_model("sqs", "service-2")
    model = copy.deepcopy(model)
    folder = tempfile.mkdtemp(prefix="jobq-model-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    if model["metadata"]["protocol"] == "query":
        shapes, operations = model["shapes"], model["operations"]
        shapes.update(copy.deepcopy(_NEW_SHAPES))
        shapes["ReceiveMessageRequest"]["members"]["MessageSystemAttributeNames"] = \
            {"shape": "SystemNames"}
        for name, shape in _NEW_OPERATIONS.items():
            operations[name] = {"name": name, "http": {"method": "POST", "requestUri": "/"},
                                "input": {"shape": shape}, "output": {
                                    "shape": shape + "Result", "resultWrapper": name + "Result"}}
    for protocol in ("query", "json"):
        if protocol == "json" and model["metadata"]["protocol"] == "query":
            model["metadata"].update(protocol="json", jsonVersion="1.0",
                                     targetPrefix="AmazonSQS")
            _json_names(model["shapes"])
        if model["metadata"]["protocol"] == protocol:
            path = os.path.join(folder, "sqs-" + protocol, "2012-11-05")
            os.makedirs(path)
            with open(os.path.join(path, "service-2.json"), "w") as out:
                json.dump(model, out)
    return folder


_models = None


def sqs_session():
    """A boto3 session that knows the services "sqs-query" and "sqs-json"."""
    global _models
    _models = _models or _sqs_models()
    session = botocore.session.Session()
    session.register_component("data_loader", botocore.loaders.create_loader(_models))
    return boto3.session.Session(botocore_session=session)


# A newer botocore knows no Query: there all is done in JSON.
QUERY = botocore.session.get_session().get_service_model("sqs").metadata["protocol"] == "query"


class SqsCase(MockCase):
    protocol = "query" if QUERY else "json"

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.sqs = cls.client("sqs")

    @classmethod
    def client(cls, service, **more):
        return super().client("sqs-" + cls.protocol if service == "sqs" else service, **more)

    @classmethod
    def session(cls):
        return sqs_session()

    def queue(self, suffix="", **attributes):
        made = self.sqs.create_queue(QueueName=self.name(suffix), Attributes=attributes)
        return made["QueueUrl"]

    def arn(self, url):
        return self.attribute(url, "QueueArn")

    def attribute(self, url, name):
        got = self.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=[name])
        return got["Attributes"][name]

    def receive(self, url, count=10, wait=0, **more):
        got = self.sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=count,
                                       WaitTimeSeconds=wait, **more)
        return got.get("Messages", [])


def both(names, *cases):
    """Adds each case once more, in JSON, to the names of a module."""
    for case in cases if QUERY else ():
        names["Json" + case.__name__] = type("Json" + case.__name__, (case,),
                                             {"protocol": "json"})
