"""jobqmock --auth check: signatures of boto3 and the AWS CLI pass; a wrong key, a changed
byte, a wrong clock and none at all get each service's own error."""
import datetime
import os
import shutil
import subprocess
import tempfile
import unittest
import urllib.error
import urllib.request

import botocore.auth
import botocore.awsrequest
import botocore.credentials

import livelib
from mocklib import ACCOUNT, MockCase

ACCESS = livelib.KEYS["AWS_ACCESS_KEY_ID"]
SECRET = livelib.KEYS["AWS_SECRET_ACCESS_KEY"]
QUERIES = {"sqs": "Action=ListQueues&Version=2012-11-05",
           "sdb": "Action=ListDomains&Version=2009-04-15",
           "ec2": "Action=DescribeInstances&Version=2016-11-15",
           "sts": "Action=GetCallerIdentity&Version=2011-06-15"}


class Checked(MockCase):
    signed = True

    def call(self, client, service):
        return {"sqs": lambda: client.list_queues(), "sdb": lambda: client.list_domains(),
                "ec2": lambda: client.describe_instances(),
                "sts": lambda: client.get_caller_identity()}[service]

    def signed_v4(self, service, body, now=None, secret=SECRET, region="us-east-1"):
        """A request as botocore signs it, at a time of our choice."""
        request = botocore.awsrequest.AWSRequest(
            "POST", self.mock.url + "/", data=body,
            headers={"Content-Type": "application/x-www-form-urlencoded; charset=utf-8"})
        signer = botocore.auth.SigV4Auth(botocore.credentials.Credentials(ACCESS, secret),
                                         service, region)
        real = botocore.auth.datetime

        class Clock:
            datetime = type("Fixed", (), {"utcnow": staticmethod(
                lambda: now or datetime.datetime.utcnow()),
                "strptime": datetime.datetime.strptime})
        botocore.auth.datetime = Clock
        try:
            signer.add_auth(request)
        finally:
            botocore.auth.datetime = real
        return request.prepare()

    def send(self, prepared, body=None, drop=()):
        headers = {k: v.decode() if isinstance(v, bytes) else v
                   for k, v in prepared.headers.items()
                   if k not in drop and k != "Content-Length"}
        data = body if body is not None else prepared.body
        data = data.encode() if isinstance(data, str) else data
        return self.fetch(urllib.request.Request(prepared.url, data=data, headers=headers))

    def fetch(self, request):
        try:
            with urllib.request.urlopen(request) as reply:
                return reply.status, reply.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()

    def test_good_signatures(self):
        for service in QUERIES:
            self.call(self.client(service), service)()
            self.assertEqual(self.send(self.signed_v4(service, QUERIES[service]))[0], 200)
        sqs = self.client("sqs", region="eu-west-1")
        url = sqs.create_queue(QueueName="signed")["QueueUrl"]
        body = "ü +*~%/=&" + "x" * 70000
        sqs.send_message(QueueUrl=url, MessageBody=body)
        self.assertEqual(sqs.receive_message(QueueUrl=url)["Messages"][0]["Body"], body)
        sdb = self.client("sdb")
        sdb.create_domain(DomainName="signed")
        sdb.put_attributes(DomainName="signed", ItemName="a b+c*~/é",
                           Attributes=[{"Name": "n&=", "Value": "%20 "}])
        got = sdb.get_attributes(DomainName="signed", ItemName="a b+c*~/é")
        self.assertEqual(got["Attributes"], [{"Name": "n&=", "Value": "%20 "}])

    def test_wrong_secret(self):
        for service in QUERIES:
            client = self.client(service, secret="x" * 40)
            code, status = ("AuthFailure", 401) if service == "ec2" else \
                ("SignatureDoesNotMatch", 403)
            self.fails(code, self.call(client, service), status=status)

    def test_unknown_key(self):
        for service in QUERIES:
            client = self.client(service, key="AKIDNOBODY")
            code, status = ("AuthFailure", 401) if service == "ec2" else \
                ("InvalidClientTokenId", 403)
            self.fails(code, self.call(client, service), status=status)

    def test_changed_byte(self):
        for service, query in QUERIES.items():
            prepared = self.signed_v4(service, query)
            status, text = self.send(prepared, body=query + "&x=1")
            self.assertEqual(status, 401 if service == "ec2" else 403)
            self.assertIn("AuthFailure" if service == "ec2" else "SignatureDoesNotMatch",
                          text)

    def test_no_signature(self):
        for service, query in QUERIES.items():
            request = self.signed_v4(service, query)
            status, text = self.send(request, drop=("Authorization",))
            self.assertEqual(status, 401 if service == "ec2" else 403)
            self.assertIn("AuthFailure" if service == "ec2" else
                          "MissingAuthenticationToken", text)

    def test_clock(self):
        now = datetime.datetime.utcnow()
        for minutes, good in ((-14, True), (14, True), (-16, False), (16, False)):
            at = now + datetime.timedelta(minutes=minutes)
            status, text = self.send(self.signed_v4("sqs", QUERIES["sqs"], at))
            self.assertEqual(status, 200 if good else 403, text)
            if not good:
                self.assertIn("Signature expired" if minutes < 0 else
                              "Signature not yet current", text)
        for minutes in (-6, 6):
            at = now + datetime.timedelta(minutes=minutes)
            status, text = self.send(self.signed_v4("ec2", QUERIES["ec2"], at))
            self.assertEqual(status, 400)
            self.assertIn("RequestExpired", text)

    def test_scope(self):
        status, text = self.send(self.signed_v4("s3", QUERIES["sqs"]))
        self.assertEqual(status, 403)
        self.assertIn("Credential should be scoped to correct service", text)

    def presigned(self, service, query, expires=60, ago=0, extra=(), **credentials):
        """A URL as botocore presigns it, `ago` seconds ago."""
        request = botocore.awsrequest.AWSRequest("GET", self.mock.url + "/?" + query,
                                                 headers=dict(extra))
        signer = botocore.auth.SigV4QueryAuth(
            botocore.credentials.Credentials(ACCESS, SECRET, **credentials), service,
            "us-east-1", expires=expires)
        real = botocore.auth.datetime

        class Clock:
            datetime = type("Fixed", (), {"utcnow": staticmethod(
                lambda: datetime.datetime.utcnow() - datetime.timedelta(seconds=ago)),
                "strptime": datetime.datetime.strptime})
        botocore.auth.datetime = Clock
        try:
            signer.add_auth(request)
        finally:
            botocore.auth.datetime = real
        return request.prepare().url

    def get(self, url, **headers):
        return self.fetch(urllib.request.Request(url, headers=headers))

    def test_presigned(self):
        for service, query in QUERIES.items():
            refused = 401 if service == "ec2" else 403
            good = self.presigned(service, query)
            self.assertEqual(self.get(good)[0], 200, self.get(good)[1])
            self.assertEqual(self.get(good + "&x=1")[0], refused)
            self.assertEqual(self.get(good.replace("X-Amz-Expires=60", "X-Amz-Expires=61"))[0],
                             refused)
            self.assertEqual(self.get(good[:-1] + ("0" if good[-1] != "0" else "1"))[0], refused)
        url = self.client("sqs").create_queue(QueueName="pre")["QueueUrl"]
        sent = self.presigned("sqs", "Action=SendMessage&Version=2012-11-05&MessageBody="
                              "a%20%2B%C3%BC~&QueueUrl=" + url)
        self.assertEqual(self.get(sent)[0], 200)
        [got] = self.client("sqs").receive_message(QueueUrl=url)["Messages"]
        self.assertEqual(got["Body"], "a +ü~")

    def test_presigned_time(self):
        sqs, sts = QUERIES["sqs"], QUERIES["sts"]
        self.assertEqual(self.get(self.presigned("sqs", sqs, expires=3600, ago=3000))[0], 200)
        for expires, ago in ((60, 70), (3600, 3700)):
            status, text = self.get(self.presigned("sqs", sqs, expires, ago))
            self.assertEqual((status, "Signature expired" in text), (403, True), text)
        status, text = self.get(self.presigned("sqs", sqs, ago=-1000))
        self.assertEqual((status, "Signature not yet current" in text), (403, True), text)
        # STS: 15 minutes, whatever is asked.
        self.assertEqual(self.get(self.presigned("sts", sts, 60, 600))[0], 200)
        self.assertEqual(self.get(self.presigned("sts", sts, 3600, 1000))[0], 403)
        for bad in (0, 604801):
            status, text = self.get(self.presigned("sqs", sqs, bad))
            self.assertEqual((status, "IncompleteSignature" in text), (400, True), text)

    def test_presigned_parts(self):
        good = self.presigned("sqs", QUERIES["sqs"])
        for name in ("Credential", "Date", "Expires", "SignedHeaders", "Signature"):
            at = good.index("X-Amz-" + name)
            end = good.find("&", at)
            status, text = self.get(good[:at] + (good[end + 1:] if end > 0 else ""))
            self.assertEqual(status, 400, name)
            self.assertIn("AWS query-string parameters must include &apos;X-Amz-%s&apos;"
                          % name, text.replace("'", "&apos;"))

    def test_all_is_signed(self):
        """Whatever is called x-amz- is signed, and so is the host."""
        good = self.presigned("sqs", QUERIES["sqs"])
        status, text = self.get(good, **{"X-Amz-Meta": "x"})
        self.assertEqual(status, 403)
        self.assertRegex(text, "(?i)x-amz-meta.* must be a .*SignedHeader")
        prepared = self.signed_v4("sqs", QUERIES["sqs"])
        prepared.headers["X-Amz-Target"] = "AmazonSQS.DeleteQueue"
        status, text = self.send(prepared)
        self.assertEqual((status, "SignedHeader" in text), (403, True), text)
        self.assertIn("InvalidSignatureException", text)
        prepared = self.signed_v4("sqs", QUERIES["sqs"])
        prepared.headers["Authorization"] = \
            prepared.headers["Authorization"].replace("host;", "")
        status, text = self.send(prepared)
        self.assertEqual((status, "Host" in text and "SignedHeader" in text), (403, True), text)

    def test_stamps_of_version_2(self):
        sdb = self.client("sdb")
        for stamp in ("2001-01-01T00:00:00Z", "2101-01-01T00:00:00Z"):
            signer = botocore.auth.SigV2Auth(botocore.credentials.Credentials(ACCESS, SECRET))
            request = botocore.awsrequest.AWSRequest(
                "POST", self.mock.url + "/", data={
                    "Action": "ListDomains", "Version": "2009-04-15", "Timestamp": stamp})
            real = botocore.auth.time.strftime
            botocore.auth.time.strftime = lambda *_: stamp
            try:
                signer.add_auth(request)
            finally:
                botocore.auth.time.strftime = real
            status, text = self.send(request.prepare())
            self.assertEqual((status, "RequestExpired" in text), (400, True), text)
        sdb.list_domains()

    def test_junk(self):
        for header in ("AWS4-HMAC-SHA256", "AWS4-HMAC-SHA256 Credential=", "x", "AWS x:y",
                       "AWS4-HMAC-SHA256 Credential=a/b, SignedHeaders=host, Signature=0",
                       "AWS4-HMAC-SHA256 Credential=%s/20260101/us-east-1/sqs/aws4_request, "
                       "SignedHeaders=%s, Signature=0" % (ACCESS, ";" * 3000)):
            request = urllib.request.Request(self.mock.url + "/?" + QUERIES["sqs"],
                                             headers={"Authorization": header})
            with self.assertRaises(urllib.error.HTTPError) as caught:
                urllib.request.urlopen(request)
            self.assertIn(caught.exception.code, (400, 403), header[:60])


class CommandLine(MockCase):
    """awscli, signed, as people type it: Debian's, or the one that tests/deps.sh found."""
    signed = True
    program = "/usr/bin/aws" if os.path.exists("/usr/bin/aws") else shutil.which("aws")

    def setUp(self):
        super().setUp()
        self.config = tempfile.NamedTemporaryFile("w")
        self.addCleanup(self.config.close)
        self.config.write("[preview]\nsdb = true\n")  # version 1 asks for it
        self.config.flush()

    def aws(self, *args, refused=False):
        env = {**os.environ, **livelib.KEYS, "AWS_DEFAULT_REGION": "us-east-1",
               "AWS_CONFIG_FILE": self.config.name, "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
               "AWS_MAX_ATTEMPTS": "1", "AWS_PAGER": "", "LC_ALL": "C.UTF-8"}
        done = subprocess.run([self.program, "--endpoint-url", self.mock.url, "--output", "text",
                               *args], env=env, capture_output=True, text=True, timeout=60)
        # What the service refuses: 254 of version 2, 255 of version 1.
        self.assertIn(done.returncode, (254, 255) if refused else (0,), done.stderr)
        return (done.stderr if refused else done.stdout).strip()

    def test_smoke(self):
        url = self.aws("sqs", "create-queue", "--queue-name", "q")
        self.assertEqual(url, "%s/%s/q" % (self.mock.url, ACCOUNT))
        sent = self.aws("sqs", "send-message", "--queue-url", url, "--message-body", "grüße",
                        "--message-attributes", "k={DataType=String,StringValue=v}",
                        "--query", "MD5OfMessageAttributes")
        self.assertEqual(sent, "0a77b0642718c3d9dd47090567d11e0d")
        self.assertIn("AWS.SimpleQueueService.NonExistentQueue",
                      self.aws("sqs", "get-queue-url", "--queue-name", "none", refused=True))
        self.aws("sdb", "create-domain", "--domain-name", "dom")
        box = self.aws("ec2", "run-instances", "--image-id", "ami-0123456789abcdef0",
                       "--instance-type", "c7g.large", "--query",
                       "Instances[0].InstanceId")
        self.assertRegex(box, "^i-[0-9a-f]{17}$")
        self.assertEqual(ACCOUNT, self.aws("sts", "get-caller-identity", "--query",
                                           "Account"))

    def test_what_a_fleet_asks_for_first(self):
        ec2 = lambda *args, **kw: self.aws("ec2", *args, **kw)
        self.assertIn("us-east-1", ec2("describe-regions", "--query", "Regions[].RegionName"))
        self.assertIn("us-east-1a", ec2("describe-availability-zones", "--query", "AvailabilityZones[].ZoneName"))
        vpc = ec2("describe-vpcs", "--filters", "Name=is-default,Values=true", "--query", "Vpcs[0].VpcId")
        self.assertRegex(vpc, "^vpc-")
        group = ec2("create-security-group", "--group-name", "render", "--description", "boxes", "--vpc-id", vpc,
                    "--query", "GroupId")
        ec2("create-launch-template", "--launch-template-name", "render", "--launch-template-data",
            '{"ImageId":"ami-0123456789abcdef0","InstanceType":"t4g.small","SecurityGroupIds":["%s"]}' % group)
        box = ec2("run-instances", "--launch-template", "LaunchTemplateName=render", "--count", "1", "--query",
                  "Instances[0].InstanceId")
        self.assertEqual(["t4g.small", group], ec2(
            "describe-instances", "--instance-ids", box, "--query",
            "Reservations[0].Instances[0].[InstanceType,SecurityGroups[0].GroupId]").split())
        ec2("stop-instances", "--instance-ids", box)
        self.assertEqual("stopped", ec2("describe-instances", "--instance-ids", box, "--query",
                                        "Reservations[0].Instances[0].State.Name"))
        ec2("start-instances", "--instance-ids", box)
        ec2("reboot-instances", "--instance-ids", box)
        spot = ec2("request-spot-instances", "--launch-specification",
                   '{"ImageId":"ami-0123456789abcdef0","InstanceType":"c7g.large"}', "--query",
                   "SpotInstanceRequests[0].SpotInstanceRequestId")
        self.assertIn(spot, ec2("describe-spot-instance-requests", "--query", "SpotInstanceRequests[].SpotInstanceRequestId"))

    def test_names_and_lists_are_checked(self):
        url = self.aws("sqs", "create-queue", "--queue-name", "names")
        said = self.aws("sqs", "get-queue-attributes", "--queue-url", url, "--attribute-names", "Nonsense", refused=True)
        self.assertIn("InvalidAttributeName", said)
        self.aws("sqs", "set-queue-attributes", "--queue-url", url, "--attributes", "VisibilityTimeout=7")
        self.assertEqual("7", self.aws("sqs", "get-queue-attributes", "--queue-url", url, "--attribute-names", "All",
                                       "--query", "Attributes.VisibilityTimeout"))
        said = self.aws("sdb", "create-domain", "--domain-name", "a", refused=True)
        self.assertIn("Value (a) for parameter DomainName is invalid. ", said + " ")


if __name__ == "__main__":
    unittest.main()
