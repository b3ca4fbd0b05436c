"""EC2 of jobqmock through a box's life: pending, running, a spot notice, the end; what it
reads of itself; and boxes that are processes."""
import json
import os
import shutil
import tempfile
import time
import unittest

from botocore.utils import InstanceMetadataFetcher

from mocklib import ACCOUNT, MockCase

IMAGE = "ami-0123456789abcdef0"
SPOT = {"MarketType": "spot"}


class BoxCase(MockCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.ec2 = cls.client("ec2")

    def setUp(self):
        self.faults("off")
        self.mock.get("/_jobq/reset", b"")

    def launch(self, count=1, **more):
        asked = dict(ImageId=IMAGE, InstanceType="c7g.large", MinCount=count, MaxCount=count)
        return self.ec2.run_instances(**{**asked, **more})["Instances"]

    def seen(self, box):
        got = self.ec2.describe_instances(InstanceIds=[box])
        return got["Reservations"][0]["Instances"][0]

    def state(self, box):
        return self.seen(box)["State"]["Name"]

    def interrupt(self, box):
        return json.loads(self.mock.get("/_jobq/interrupt", ("instance=" + box).encode()))

    def metadata(self, path, box=None):
        """(status, text) of a box's metadata; of the newest, if none is named."""
        root = "/_jobq/box/%s/latest/" % box if box else "/latest/"
        status, _, token = self.http(root + "api/token", "PUT",
                                     X_aws_ec2_metadata_token_ttl_seconds="60")
        self.assertEqual(status, 200)
        status, _, text = self.http(root + path, X_aws_ec2_metadata_token=token)
        return status, text


class Life(BoxCase):
    def test_pending_then_running(self):
        """A reply to a launch says pending, though here the box is up at once."""
        box = self.launch()[0]
        self.assertEqual(box["State"], {"Code": 0, "Name": "pending"})
        self.assertEqual(self.state(box["InstanceId"]), "running")
        self.faults("ec2.model.pending=const:20s; ec2.model.stopping=const:30s")
        box = self.launch()[0]["InstanceId"]
        self.assertEqual(self.state(box), "pending")
        got = self.ec2.describe_instance_status(InstanceIds=[box])["InstanceStatuses"]
        self.assertEqual(got, [])
        got = self.ec2.describe_instance_status(InstanceIds=[box], IncludeAllInstances=True)
        self.assertEqual(got["InstanceStatuses"][0]["InstanceState"]["Name"], "pending")
        self.advance("19s")
        self.assertEqual(self.state(box), "pending")
        self.advance("2s")
        self.assertEqual(self.state(box), "running")
        self.ec2.get_waiter("instance_running").wait(InstanceIds=[box])
        ended = self.ec2.terminate_instances(InstanceIds=[box])["TerminatingInstances"][0]
        self.assertEqual(ended["PreviousState"], {"Code": 16, "Name": "running"})
        self.assertEqual(ended["CurrentState"], {"Code": 32, "Name": "shutting-down"})
        self.assertEqual(self.state(box), "shutting-down")
        self.advance("31s")
        gone = self.seen(box)
        self.assertEqual(gone["State"], {"Code": 48, "Name": "terminated"})
        self.assertEqual(gone["StateReason"]["Code"], "Client.UserInitiatedShutdown")
        self.ec2.get_waiter("instance_terminated").wait(InstanceIds=[box])
        self.advance("61m")
        self.fails("InvalidInstanceID.NotFound", self.ec2.describe_instances,
                   InstanceIds=[box])

    def test_what_is_told(self):
        box = self.launch(SecurityGroupIds=["sg-0123456789abcdef0"], KeyName="k",
                          SubnetId="subnet-0123456789abcdef0",
                          IamInstanceProfile={"Name": "boxes"})[0]
        self.assertEqual((box["SubnetId"], box["SecurityGroups"][0]["GroupId"]),
                         ("subnet-0123456789abcdef0", "sg-0123456789abcdef0"))
        self.assertEqual(box["IamInstanceProfile"]["Arn"],
                         "arn:aws:iam::%s:instance-profile/boxes" % ACCOUNT)
        other = self.launch(InstanceType="c7i.large")[0]
        for member in ("SubnetId", "VpcId", "SecurityGroups", "PrivateIpAddress",
                       "PrivateDnsName", "CpuOptions", "MetadataOptions", "PlatformDetails",
                       "Hypervisor", "Architecture", "RootDeviceName", "Monitoring",
                       "SourceDestCheck", "EnaSupport", "CapacityReservationSpecification",
                       "HibernationOptions", "EnclaveOptions", "UsageOperation",
                       "LaunchTime", "VirtualizationType"):
            self.assertIn(member, other)
        self.assertEqual(other["CpuOptions"], {"CoreCount": 1, "ThreadsPerCore": 2})
        self.assertEqual(other["VpcId"], box["VpcId"])
        self.assertEqual(other["MetadataOptions"]["HttpTokens"], "required")

    def test_min_and_max(self):
        self.faults("ec2.model.vcpu_limit=10")
        self.assertEqual(len(self.launch(2, MaxCount=9)), 5)
        self.fails("VcpuLimitExceeded", self.launch, text="current vCPU limit of 10")
        self.faults("ec2.model.spot_vcpu_limit=2")
        self.launch(InstanceMarketOptions=SPOT)
        self.fails("MaxSpotInstanceCountExceeded", self.launch, InstanceMarketOptions=SPOT)
        self.faults("off; ec2.model.instance_limit=1")
        self.fails("InstanceLimitExceeded", self.launch)
        self.faults("off; ec2.model.capacity_failure_p=1")
        self.fails("InsufficientInstanceCapacity", self.launch, status=500)
        self.launch(InstanceMarketOptions=SPOT)
        self.fails("SpotMaxPriceTooLow", self.launch, InstanceMarketOptions={
            "MarketType": "spot", "SpotOptions": {"MaxPrice": "0.0001"}})

    def test_throttled(self):
        self.faults("ec2.model.request_bucket=5; ec2.model.request_refill_per_s=2")
        for _ in range(5):
            self.launch()
        self.fails("RequestLimitExceeded", self.launch, status=503,
                   text="Request limit exceeded.")
        self.advance("1s")
        self.launch()
        self.faults("off; ec2.DescribeInstances.throttle=1; sts.throttle=1; sts.error=0")
        self.fails("RequestLimitExceeded", self.ec2.describe_instances, status=503)
        self.launch()
        self.fails("Throttling", self.client("sts").get_caller_identity,
                   text="Rate exceeded")
        self.faults("off; ec2.error=1")
        self.fails("InternalError", self.launch, status=500)

    def test_dry_runs_of_describes(self):
        for call in (self.ec2.describe_instances, self.ec2.describe_instance_status,
                     self.ec2.describe_tags, self.ec2.describe_spot_price_history,
                     self.ec2.describe_instance_types, self.ec2.delete_tags):
            more = {}
            if call == self.ec2.delete_tags:
                more = {"Resources": [self.launch()[0]["InstanceId"]]}
            self.fails("DryRunOperation", call, status=412, DryRun=True, **more)

    def test_more_limits(self):
        box = self.launch()[0]["InstanceId"]
        self.fails("InvalidParameterValue", self.launch, UserData=b"x" * 16385,
                   text="User data is limited to 16384 bytes")
        self.launch(UserData=b"x" * 16384)
        self.launch(ClientToken="t" * 64)
        tags = [{"Key": "k%02d" % i, "Value": "v"} for i in range(50)]
        self.ec2.create_tags(Resources=[box], Tags=tags)
        self.fails("TagLimitExceeded", self.ec2.create_tags, Resources=[box],
                   Tags=[{"Key": "one more", "Value": ""}])
        self.ec2.delete_tags(Resources=[box])
        for key, value, good in (("k" * 127, "v" * 255, True), ("k" * 128, "", False),
                                 ("k", "v" * 256, False), ("", "v", False)):
            if good:
                self.ec2.create_tags(Resources=[box], Tags=[{"Key": key, "Value": value}])
                continue
            self.fails("InvalidParameterValue", self.ec2.create_tags, Resources=[box],
                       Tags=[{"Key": key, "Value": value}])
        self.fails("InvalidID", self.ec2.create_tags, Resources=["vol-1"],
                   Tags=[{"Key": "a", "Value": ""}])
        self.fails("MissingParameter", self.ec2.create_tags, Resources=[box])
        self.fails("MissingParameter", self.ec2.terminate_instances)
        self.fails("InvalidNextToken", self.ec2.describe_instances, NextToken="junk")
        for bad in (4, 1001):
            self.fails("InvalidParameterValue", self.ec2.describe_instances, MaxResults=bad)
            self.fails("InvalidParameterValue", self.ec2.describe_tags, MaxResults=bad)
        self.ec2.describe_instances(MaxResults=1000)

    def test_tags_in_pages(self):
        boxes = [b["InstanceId"] for b in self.launch(4, TagSpecifications=[
            {"ResourceType": "instance",
             "Tags": [{"Key": k, "Value": v} for k, v in ("ab", "cd", "ef")]}])]
        seen, token = [], None
        while True:
            more = {"NextToken": token} if token else {}
            page = self.ec2.describe_tags(MaxResults=5, Filters=[
                {"Name": "key", "Values": ["a", "c"]}], **more)
            seen += [(t["ResourceId"], t["Key"], t["Value"]) for t in page["Tags"]]
            token = page.get("NextToken")
            if not token:
                break
        self.assertEqual(sorted(seen), sorted((b, k, v) for b in boxes
                                              for k, v in ("ab", "cd")))
        for name, values, count in (("resource-type", ["instance"], 12), ("value", ["?"], 12),
                                    ("tag:a", ["b"], 4), ("resource-id", boxes[:1], 3)):
            got = self.ec2.describe_tags(Filters=[{"Name": name, "Values": values}])["Tags"]
            self.assertEqual(len(got), count, name)

    def test_every_filter(self):
        box = self.launch(InstanceMarketOptions=SPOT, ClientToken="t", KeyName="k",
                          TagSpecifications=[{"ResourceType": "instance", "Tags": [
                              {"Key": "role", "Value": "drain"}]}])[0]
        self.launch(InstanceType="c7i.large")
        seen = self.seen(box["InstanceId"])
        reservation = self.ec2.describe_instances(InstanceIds=[box["InstanceId"]])
        reservation = reservation["Reservations"][0]["ReservationId"]
        for name, value in (("instance-id", seen["InstanceId"]), ("instance-type", "c7g.*"),
                            ("instance-lifecycle", "spot"), ("client-token", "t"),
                            ("reservation-id", reservation), ("architecture", "arm64"),
                            ("key-name", "?"), ("tag:role", "dr*"), ("tag-key", "role"),
                            ("private-ip-address", seen["PrivateIpAddress"]),
                            ("spot-instance-request-id", seen["SpotInstanceRequestId"]),
                            ("tag-value", "drain")):
            got = self.ec2.describe_instances(Filters=[{"Name": name, "Values": [value]}])
            found = [i["InstanceId"] for r in got["Reservations"] for i in r["Instances"]]
            self.assertEqual(found, [seen["InstanceId"]], name)
        for name, value in (("image-id", IMAGE), ("availability-zone", "us-east-1a"),
                            ("instance-state-name", "running"), ("launch-index", "0"),
                            ("instance-state-code", "16")):
            got = self.ec2.describe_instances(Filters=[{"Name": name, "Values": [value]}])
            self.assertEqual(len(got["Reservations"]), 2, name)
        self.ec2.terminate_instances(InstanceIds=[box["InstanceId"]])
        got = self.ec2.describe_instances(Filters=[
            {"Name": "state-reason-code", "Values": ["Client.User*"]}])
        self.assertEqual(len(got["Reservations"]), 1)

    def test_prices_and_types_filtered(self):
        def prices(**more):
            got = self.ec2.describe_spot_price_history(**more)
            return [p["InstanceType"] for p in got["SpotPriceHistory"]], got.get("NextToken")
        every, token = prices()
        self.assertFalse(token)
        self.assertEqual(len(every), len(set(every)))
        self.assertEqual(prices(Filters=[{"Name": "instance-type", "Values": ["c7g.*"]}])[0],
                         [t for t in every if t.startswith("c7g.")])
        self.assertEqual(prices(AvailabilityZone="us-east-1b")[0], [])
        self.assertEqual(prices(ProductDescriptions=["Windows"])[0], [])
        seen, token = prices(MaxResults=50)
        while token:
            page, token = prices(MaxResults=50, NextToken=token)
            self.assertLessEqual(len(page), 50)
            seen += page
        self.assertEqual(seen, every)
        self.fails("InvalidParameterValue", self.ec2.describe_spot_price_history,
                   Filters=[{"Name": "colour", "Values": ["x"]}])
        got = self.ec2.get_paginator("describe_instance_types").paginate(Filters=[
            {"Name": "processor-info.supported-architecture", "Values": ["arm64"]},
            {"Name": "vcpu-info.default-vcpus", "Values": ["2"]}])
        types = [t for page in got for t in page["InstanceTypes"]]
        self.assertIn("c7g.large", [t["InstanceType"] for t in types])
        for one in types:
            self.assertEqual(one["ProcessorInfo"]["SupportedArchitectures"], ["arm64"])
            self.assertEqual(one["VCpuInfo"]["DefaultCores"], 2)
        self.fails("InvalidParameterValue", self.ec2.describe_instance_types,
                   Filters=[{"Name": "colour", "Values": ["x"]}])
        for bad in (4, 101):
            self.fails("InvalidParameterValue", self.ec2.describe_instance_types,
                       MaxResults=bad)


class Notice(BoxCase):
    def test_a_spot_box_is_taken(self):
        box = self.launch(InstanceMarketOptions=SPOT)[0]["InstanceId"]
        other = self.launch(InstanceMarketOptions=SPOT)[0]["InstanceId"]
        demand = self.launch()[0]["InstanceId"]
        for path in ("spot/instance-action", "spot/termination-time",
                     "events/recommendations/rebalance"):
            self.assertEqual(self.metadata("meta-data/" + path, box)[0], 404)
        told = self.interrupt(box)
        status, text = self.metadata("meta-data/spot/instance-action", box)
        self.assertEqual((status, json.loads(text)),
                         (200, {"action": "terminate", "time": told["taken_at"]}))
        self.assertEqual(self.metadata("meta-data/spot/termination-time", box),
                         (200, told["taken_at"]))
        self.assertEqual(self.metadata("meta-data/spot", box),
                         (200, "instance-action\ntermination-time"))
        self.assertIn("noticeTime",
                      self.metadata("meta-data/events/recommendations/rebalance", box)[1])
        self.assertEqual(self.metadata("meta-data/spot/instance-action", other)[0], 404)
        self.assertEqual(self.interrupt(box), told)
        self.advance("119s")
        self.assertEqual(self.state(box), "running")
        self.advance("2s")
        gone = self.seen(box)
        self.assertIn(gone["State"]["Name"], ("shutting-down", "terminated"))
        self.assertEqual(gone["StateReason"]["Code"], "Server.SpotInstanceTermination")
        self.assertEqual(self.state(other), "running")
        for bad, status in ((demand, 409), (box, 409), ("i-0123456789abcdef0", 404)):
            got = self.http("/_jobq/interrupt", "POST", ("instance=" + bad).encode())
            self.assertEqual(got[0], status, got)

    def test_by_the_hazard(self):
        """With a rate of interruption set, boxes are taken without being told to."""
        self.faults("ec2.model.spot_hazard_per_hour=1")
        boxes = [b["InstanceId"] for b in self.launch(40, InstanceMarketOptions=SPOT)]
        self.advance("42m")  # half of them, by the rate: e^-0.7
        got = self.ec2.describe_instances(Filters=[
            {"Name": "instance-state-name", "Values": ["running"]}])
        left = [i for r in got["Reservations"] for i in r["Instances"]]
        self.assertTrue(8 <= len(left) <= 32, len(left))
        self.assertEqual(len(boxes), 40)


class Tree(BoxCase):
    def test_folders(self):
        box = self.launch(MetadataOptions={"InstanceMetadataTags": "enabled"},
                          TagSpecifications=[{"ResourceType": "instance", "Tags": [
                              {"Key": "a", "Value": "1"}]}])[0]
        # Everything that a folder names is there, to the last leaf.
        found, left = {}, [""]
        while left:
            folder = left.pop()
            status, text = self.metadata("meta-data/" + folder)
            self.assertEqual(status, 200, folder)
            names = text.split("\n")
            self.assertEqual(len(names), len(set(names)), folder)
            if folder:
                self.assertEqual(self.metadata("meta-data/" + folder.rstrip("/"))[1], text)
            for name in names:
                if name.endswith("/"):
                    left.append(folder + name)
                    continue
                status, found[folder + name] = self.metadata("meta-data/" + folder + name)
                self.assertEqual(status, 200, folder + name)
        dns = box["PrivateDnsName"]
        wanted = {"ami-id": IMAGE, "instance-id": box["InstanceId"], "hostname": dns,
                  "local-hostname": dns, "local-ipv4": box["PrivateIpAddress"],
                  "tags/instance/a": "1", "security-groups": "default",
                  "services/partition": "aws", "ami-launch-index": "0",
                  "placement/availability-zone": "us-east-1a"}
        for path, text in wanted.items():
            self.assertEqual(found[path], text, path)
        mac = found["mac"]
        self.assertEqual(found["network/interfaces/macs/%s/subnet-id" % mac],
                         box["SubnetId"])
        self.assertNotIn("spot/instance-action", found)
        self.assertEqual(self.metadata("")[1], "dynamic\nmeta-data\nuser-data")
        self.assertEqual(self.metadata("dynamic/instance-identity/")[1], "document")
        self.assertEqual(self.metadata("user-data")[0], 404)
        for none in ("meta-data/placement/none", "meta-datax", "meta-data/mac/x", "none",
                     "dynamic/x"):
            self.assertEqual(self.metadata(none)[0], 404, none)

    def test_tokens(self):
        self.launch()
        ttl = "X-aws-ec2-metadata-token-ttl-seconds"
        for seconds, wanted in (("1", 200), ("21600", 200), ("21601", 400), ("0", 400)):
            got = self.http("/latest/api/token", "PUT", **{ttl: seconds})
            self.assertEqual(got[0], wanted)
            if wanted == 200:
                self.assertEqual(got[1][ttl], seconds)
        self.assertEqual(self.http("/latest/api/token", "PUT")[0], 400)
        # A token is not for what came through a proxy.
        self.assertEqual(self.http("/latest/api/token", "PUT", X_Forwarded_For="10.1.1.1",
                                   **{ttl: "60"})[0], 403)
        self.assertEqual(self.http("/latest/api/token")[0], 405)
        token = self.http("/latest/api/token", "PUT", **{ttl: "60"})[2]
        for path in ("/latest/meta-data/instance-id", "/2021-07-15/meta-data/instance-id"):
            self.assertEqual(self.http(path)[0], 401)
            self.assertEqual(self.http(path, X_aws_ec2_metadata_token=token)[0], 200)
            self.assertEqual(self.http(path, X_aws_ec2_metadata_token=token[:-1] + "z")[0], 401)

    def test_botocore_takes_the_role(self):
        """botocore's own client of IMDSv2 finds keys, and STS knows whose they are."""
        self.launch()
        fetcher = InstanceMetadataFetcher(base_url=self.mock.url + "/")
        fetched = fetcher.retrieve_iam_role_credentials()
        self.assertEqual(fetched["role_name"], "jobq-box")
        sts = self.client("sts", key=fetched["access_key"], secret=fetched["secret_key"])
        self.assertIn(":assumed-role/jobq-box/", sts.get_caller_identity()["Arn"])


class Processes(BoxCase):
    """--boxes exec:CMD."""
    folder = None

    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.mkdtemp(prefix="jobq-boxes-")
        # Writes what it was given, then waits for its end.
        script = os.path.join(cls.folder, "box.sh")
        with open(script, "w") as out:
            out.write('cd "$1"\n'
                      'trap \'echo term >"$JOBQ_INSTANCE_ID.end"; exit 0\' TERM\n'
                      'cat >"$JOBQ_INSTANCE_ID.data"\n'
                      'env >"$JOBQ_INSTANCE_ID.env"; echo $$ >"$JOBQ_INSTANCE_ID.pid.new"\n'
                      'mv "$JOBQ_INSTANCE_ID.pid.new" "$JOBQ_INSTANCE_ID.pid"\n'
                      'if grep -q quit "$JOBQ_INSTANCE_ID.data"; then exit 0; fi\n'
                      'while :; do sleep 0.05; done\n')
        cls.options = ("--boxes", "exec:sh %s %s" % (script, cls.folder))
        super().setUpClass()

    @classmethod
    def tearDownClass(cls):
        super().tearDownClass()
        shutil.rmtree(cls.folder, ignore_errors=True)

    def setUp(self):
        super().setUp()
        for name in os.listdir(self.folder):  # ids begin anew with a reset
            if name != "box.sh":
                os.unlink(os.path.join(self.folder, name))

    def read(self, box, what):
        path = os.path.join(self.folder, box + "." + what)
        end = time.monotonic() + 20
        while not os.path.exists(path) or not os.path.getsize(path):
            self.assertLess(time.monotonic(), end, path)
            time.sleep(0.02)
        with open(path) as file:
            return file.read()

    def ended(self, box, pid):
        end = time.monotonic() + 20
        while os.path.exists("/proc/%s" % pid):
            self.assertLess(time.monotonic(), end, "process of " + box)
            time.sleep(0.02)

    def test_runs_and_is_ended(self):
        box = self.launch(UserData="#!/bin/sh\nqueue=demo\n")[0]["InstanceId"]
        pid = self.read(box, "pid").strip()
        self.assertEqual(self.read(box, "data"), "#!/bin/sh\nqueue=demo\n")
        env = dict(line.split("=", 1) for line in self.read(box, "env").split("\n")
                   if "=" in line)
        self.assertEqual((env["AWS_ENDPOINT_URL"], env["AWS_REGION"]),
                         (self.mock.url, "us-east-1"))
        root = env["AWS_EC2_METADATA_SERVICE_ENDPOINT"]
        self.assertEqual(root, "%s/_jobq/box/%s" % (self.mock.url, box))
        self.assertEqual(self.metadata("user-data", box), (200, "#!/bin/sh\nqueue=demo\n"))
        self.ec2.terminate_instances(InstanceIds=[box])
        self.assertEqual(self.read(box, "end"), "term\n")
        self.ended(box, pid)

    def test_its_own_end_ends_the_box(self):
        box = self.launch(UserData="quit", InstanceInitiatedShutdownBehavior="terminate")
        box = box[0]["InstanceId"]
        pid = self.read(box, "pid").strip()
        self.ended(box, pid)
        end = time.monotonic() + 20
        while self.state(box) not in ("shutting-down", "terminated"):
            self.assertLess(time.monotonic(), end)
            time.sleep(0.02)
        self.assertEqual(self.seen(box)["StateReason"]["Code"],
                         "Client.InstanceInitiatedShutdown")

    def test_a_taken_box_is_ended(self):
        box = self.launch(InstanceMarketOptions=SPOT)[0]["InstanceId"]
        pid = self.read(box, "pid").strip()
        self.interrupt(box)
        self.assertEqual(self.metadata("meta-data/spot/instance-action", box)[0], 200)
        os.kill(int(pid), 0)
        self.advance("121s")
        self.assertEqual(self.read(box, "end"), "term\n")
        self.ended(box, pid)


if __name__ == "__main__":
    unittest.main()
