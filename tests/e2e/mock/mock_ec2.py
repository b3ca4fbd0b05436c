"""EC2, instance metadata and STS of jobqmock as boto3 and plain HTTP see them."""
import json
import unittest
import urllib.error
import urllib.request

from mocklib import ACCOUNT, MockCase

IMAGE = "ami-0123456789abcdef0"


class Ec2Case(MockCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.ec2 = cls.client("ec2")

    def setUp(self):
        self.mock.get("/_jobq/reset", b"")

    def run_boxes(self, count=1, **more):
        asked = dict(ImageId=IMAGE, InstanceType="c7g.large", MinCount=count, MaxCount=count)
        asked.update(more)
        return self.ec2.run_instances(**asked)

    def ids(self, **more):
        got = self.ec2.describe_instances(**more)
        return sorted(i["InstanceId"] for r in got["Reservations"] for i in r["Instances"])


class Boxes(Ec2Case):
    def test_life(self):
        ran = self.run_boxes(2, KeyName="k", TagSpecifications=[
            {"ResourceType": "instance", "Tags": [{"Key": "jobq:queue", "Value": "q"}]}])
        self.assertRegex(ran["ReservationId"], "^r-[0-9a-f]{8,17}$")
        self.assertEqual(ran["OwnerId"], ACCOUNT)
        boxes = ran["Instances"]
        self.assertEqual(len(boxes), 2)
        for box in boxes:
            self.assertRegex(box["InstanceId"], "^i-[0-9a-f]{17}$")
            self.assertIn(box["State"], ({"Code": 0, "Name": "pending"},
                                         {"Code": 16, "Name": "running"}))
            self.assertEqual((box["ImageId"], box["InstanceType"], box["KeyName"]),
                             (IMAGE, "c7g.large", "k"))
            self.assertEqual(box["Tags"], [{"Key": "jobq:queue", "Value": "q"}])
            self.assertNotIn("InstanceLifecycle", box)
            self.assertTrue(box["Placement"]["AvailabilityZone"].startswith("us-east-1"))
        self.assertEqual([b["AmiLaunchIndex"] for b in boxes], [0, 1])
        ids = sorted(b["InstanceId"] for b in boxes)
        self.advance("10m")
        got = self.ec2.describe_instances(InstanceIds=ids)["Reservations"]
        self.assertEqual({i["State"]["Name"] for r in got for i in r["Instances"]},
                         {"running"})
        status = self.ec2.describe_instance_status(InstanceIds=ids)["InstanceStatuses"]
        self.assertEqual(sorted(s["InstanceId"] for s in status), ids)
        self.assertEqual(status[0]["InstanceState"], {"Code": 16, "Name": "running"})
        self.assertIn(status[0]["InstanceStatus"]["Status"], ("ok", "initializing"))
        ended = self.ec2.terminate_instances(InstanceIds=ids)["TerminatingInstances"]
        self.assertEqual({e["PreviousState"]["Name"] for e in ended}, {"running"})
        self.assertEqual({e["CurrentState"]["Name"] for e in ended}, {"shutting-down"})
        self.advance("10m")
        ended = self.ec2.terminate_instances(InstanceIds=ids)["TerminatingInstances"]
        self.assertEqual({e["CurrentState"]["Code"] for e in ended}, {48})
        self.assertEqual(self.ec2.describe_instance_status(InstanceIds=ids)
                         ["InstanceStatuses"], [])
        everything = self.ec2.describe_instance_status(InstanceIds=ids,
                                                       IncludeAllInstances=True)
        self.assertEqual(len(everything["InstanceStatuses"]), 2)
        self.advance("2h")
        self.fails("InvalidInstanceID.NotFound", self.ec2.describe_instances,
                   InstanceIds=ids[:1])

    def test_errors(self):
        run = dict(ImageId=IMAGE, InstanceType="c7g.large", MinCount=1, MaxCount=1)
        for change, code in (({"ImageId": "ami-x"}, "InvalidAMIID.Malformed"),
                             ({"InstanceType": "z9.huge"}, "InvalidParameterValue"),
                             ({"MinCount": 2}, "InvalidParameterCombination"),
                             ({"MaxCount": 0}, "InvalidParameterValue")):
            self.fails(code, self.ec2.run_instances, **{**run, **change})
        for absent in ("ImageId", "MinCount", "MaxCount"):
            some = {k: v for k, v in run.items() if k != absent}
            self.fails("MissingParameter", self.ec2.run_instances, **some)
        self.fails("InvalidInstanceID.Malformed", self.ec2.describe_instances,
                   InstanceIds=["x"])
        self.fails("InvalidInstanceID.NotFound", self.ec2.terminate_instances,
                   InstanceIds=["i-0123456789abcdef0"], text="does not exist")
        self.fails("InvalidAction", self.ec2.describe_volumes)
        self.assertEqual(self.ids(), [])

    def test_token(self):
        first = self.run_boxes(ClientToken="t1")["Instances"][0]["InstanceId"]
        again = self.run_boxes(ClientToken="t1")["Instances"][0]["InstanceId"]
        self.assertEqual(first, again)
        self.assertEqual(self.ids(), [first])
        self.fails("IdempotentParameterMismatch", self.run_boxes, ClientToken="t1",
                   InstanceType="m7g.large")
        self.fails("InvalidParameterValue", self.run_boxes, ClientToken="t" * 65)
        other = self.run_boxes(ClientToken="t2")["Instances"][0]["InstanceId"]
        self.assertNotEqual(first, other)

    def test_dry_run(self):
        self.fails("DryRunOperation", self.run_boxes, status=412, DryRun=True,
                   text="Request would have succeeded, but DryRun flag is set.")
        self.assertEqual(self.ids(), [])
        box = self.run_boxes()["Instances"][0]["InstanceId"]
        self.fails("DryRunOperation", self.ec2.terminate_instances, status=412,
                   InstanceIds=[box], DryRun=True)
        self.fails("DryRunOperation", self.ec2.create_tags, status=412, Resources=[box],
                   Tags=[{"Key": "a", "Value": "b"}], DryRun=True)
        self.assertEqual(self.ids(), [box])

    def test_filters_and_pages(self):
        a = [i["InstanceId"] for i in self.run_boxes(3)["Instances"]]
        b = [i["InstanceId"] for i in self.run_boxes(
            2, InstanceType="m7g.large", InstanceMarketOptions={"MarketType": "spot"})
            ["Instances"]]
        self.ec2.create_tags(Resources=b, Tags=[{"Key": "role", "Value": "drain*r"}])

        def by(**filters):
            return self.ids(Filters=[{"Name": n.replace("_", "-"), "Values": v}
                                     for n, v in filters.items()])
        self.assertEqual(by(instance_type=["c7g.large"]), sorted(a))
        self.assertEqual(by(instance_type=["c7g.*", "m7g.?arge"]), sorted(a + b))
        self.assertEqual(by(instance_lifecycle=["spot"]), sorted(b))
        self.assertEqual(by(instance_state_name=["stopped"]), [])
        self.assertEqual(by(tag_key=["role"]), sorted(b))
        self.assertEqual(self.ids(Filters=[{"Name": "tag:role", "Values": ["drain\\*r"]}]),
                         sorted(b))
        self.assertEqual(by(instance_type=["c7g.large"], tag_key=["role"]), [])
        self.fails("InvalidParameterValue", self.ec2.describe_instances,
                   Filters=[{"Name": "colour", "Values": ["x"]}])
        seen, token, pages = [], None, 0
        for _ in range(9):
            self.run_boxes()
        while True:
            more = {"NextToken": token} if token else {}
            got = self.ec2.describe_instances(MaxResults=5, **more)
            seen += [i["InstanceId"] for r in got["Reservations"] for i in r["Instances"]]
            pages += 1
            token = got.get("NextToken")
            if not token:
                break
        self.assertEqual((len(seen), len(set(seen)), pages), (14, 14, 3))
        self.fails("InvalidParameterCombination", self.ec2.describe_instances,
                   InstanceIds=a, MaxResults=5)

    def test_tags(self):
        box = self.run_boxes()["Instances"][0]["InstanceId"]
        self.ec2.create_tags(Resources=[box], Tags=[{"Key": "a", "Value": "1"},
                                                    {"Key": "ü", "Value": "<&>"}])
        self.ec2.create_tags(Resources=[box], Tags=[{"Key": "a", "Value": "2"}])
        tags = self.ec2.describe_tags(Filters=[{"Name": "resource-id", "Values": [box]}])
        self.assertEqual({(t["Key"], t["Value"]) for t in tags["Tags"]},
                         {("a", "2"), ("ü", "<&>")})
        self.assertEqual(tags["Tags"][0]["ResourceType"], "instance")
        self.ec2.delete_tags(Resources=[box], Tags=[{"Key": "a", "Value": "9"}])
        self.ec2.delete_tags(Resources=[box], Tags=[{"Key": "ü"}])
        tags = self.ec2.describe_tags()["Tags"]
        self.assertEqual([(t["Key"], t["Value"]) for t in tags], [("a", "2")])
        self.fails("InvalidParameterValue", self.ec2.create_tags, Resources=[box],
                   Tags=[{"Key": "aws:x", "Value": "1"}])
        self.fails("InvalidInstanceID.NotFound", self.ec2.create_tags,
                   Resources=["i-0123456789abcdef0"], Tags=[{"Key": "a", "Value": "1"}])

    def test_types_and_prices(self):
        got = self.ec2.describe_instance_types(InstanceTypes=["c7g.large"])["InstanceTypes"]
        self.assertEqual(got[0]["VCpuInfo"]["DefaultVCpus"], 2)
        self.assertEqual(got[0]["MemoryInfo"]["SizeInMiB"], 4096)
        self.assertEqual(got[0]["ProcessorInfo"]["SupportedArchitectures"], ["arm64"])
        self.fails("InvalidInstanceType", self.ec2.describe_instance_types,
                   InstanceTypes=["z9.huge"])
        every = self.ec2.describe_instance_types()["InstanceTypes"]
        self.assertIn("m7g.large", [t["InstanceType"] for t in every])
        prices = self.ec2.describe_spot_price_history(
            InstanceTypes=["c7g.large"], ProductDescriptions=["Linux/UNIX"])
        price = prices["SpotPriceHistory"][0]
        self.assertTrue(0 < float(price["SpotPrice"]) < 1)
        self.assertEqual(price["InstanceType"], "c7g.large")

    def test_spot(self):
        box = self.run_boxes(InstanceMarketOptions={"MarketType": "spot", "SpotOptions":
                             {"MaxPrice": "1.0"}})["Instances"][0]
        self.assertEqual(box["InstanceLifecycle"], "spot")
        self.assertRegex(box["SpotInstanceRequestId"], "^sir-")
        self.fails("InvalidParameterValue", self.run_boxes,
                   InstanceMarketOptions={"MarketType": "stock"})


class Metadata(Ec2Case):
    def ask(self, path, method="GET", **headers):
        headers = {k.replace("_", "-"): v for k, v in headers.items()}
        request = urllib.request.Request(self.mock.url + path, method=method, headers=headers)
        try:
            with urllib.request.urlopen(request) as reply:
                return reply.status, reply.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()

    def token(self, seconds=60):
        status, token = self.ask("/latest/api/token", "PUT",
                                 X_aws_ec2_metadata_token_ttl_seconds=str(seconds))
        self.assertEqual(status, 200)
        return token

    def test_metadata(self):
        data = b"#!/bin/sh\necho \xff\x00"
        box = self.run_boxes(UserData=data, MetadataOptions={
            "InstanceMetadataTags": "enabled"}, TagSpecifications=[
            {"ResourceType": "instance", "Tags": [{"Key": "a", "Value": "1"},
                                                  {"Key": "b", "Value": "2"}]}])
        box = box["Instances"][0]["InstanceId"]
        for bad in ("0", "21601", "x", ""):
            self.assertEqual(self.ask("/latest/api/token", "PUT",
                                      X_aws_ec2_metadata_token_ttl_seconds=bad)[0], 400)
        self.assertEqual(self.ask("/latest/meta-data/instance-id")[0], 401)
        self.assertEqual(self.ask("/latest/meta-data/instance-id",
                                  X_aws_ec2_metadata_token="f" * 32)[0], 401)
        token = self.token()

        def get(path):
            return self.ask("/latest/" + path, X_aws_ec2_metadata_token=token)
        self.assertEqual(get("meta-data/instance-id"), (200, box))
        self.assertEqual(get("meta-data/instance-type"), (200, "c7g.large"))
        self.assertEqual(get("meta-data/instance-life-cycle"), (200, "on-demand"))
        self.assertEqual(get("meta-data/placement/region"), (200, "us-east-1"))
        self.assertEqual(get("meta-data/placement/availability-zone"), (200, "us-east-1a"))
        self.assertEqual(get("meta-data/tags/instance"), (200, "a\nb"))
        self.assertEqual(get("meta-data/tags/instance/b"), (200, "2"))
        self.assertEqual(get("meta-data/tags/instance/c")[0], 404)
        self.assertEqual(get("meta-data/spot/instance-action")[0], 404)
        self.assertEqual(get("meta-data/none")[0], 404)
        document = json.loads(get("dynamic/instance-identity/document")[1])
        self.assertEqual(document["instanceId"], box)
        status, role = get("meta-data/iam/security-credentials/")
        keys = json.loads(get("meta-data/iam/security-credentials/" + role)[1])
        self.assertEqual((keys["Code"], keys["Type"]), ("Success", "AWS-HMAC"))
        raw = urllib.request.urlopen(urllib.request.Request(
            self.mock.url + "/latest/user-data",
            headers={"X-aws-ec2-metadata-token": token})).read()
        self.assertEqual(raw, data)
        self.advance("61s")
        self.assertEqual(get("meta-data/instance-id")[0], 401)

    def test_tags_hidden(self):
        self.run_boxes(TagSpecifications=[{"ResourceType": "instance",
                                           "Tags": [{"Key": "a", "Value": "1"}]}])
        self.assertEqual(self.ask("/latest/meta-data/tags/instance",
                                  X_aws_ec2_metadata_token=self.token())[0], 404)

    def test_no_box(self):
        self.assertEqual(self.ask("/latest/api/token", "PUT",
                                  X_aws_ec2_metadata_token_ttl_seconds="60")[0], 404)


class Identity(Ec2Case):
    def test_caller(self):
        got = self.client("sts").get_caller_identity()
        self.assertEqual(got["Account"], ACCOUNT)
        self.assertTrue(got["Arn"].startswith("arn:aws:iam::%s:" % ACCOUNT))
        self.assertTrue(got["UserId"])
        self.fails("InvalidAction", self.client("sts").get_session_token)


if __name__ == "__main__":
    unittest.main()
