"""What the clients of a fleet call first on EC2, as boto3 sees it of jobqmock: where there is
to launch, launch templates, security groups, Spot requests, boxes that stop and start; what a
launch says is said again by DescribeInstances, or refused."""
import base64
import json
import os
import time
import unittest

from mocklib import ACCOUNT, Kept, MockCase

IMAGE = "ami-0123456789abcdef0"


class FleetCase(MockCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.ec2 = cls.client("ec2")

    def setUp(self):
        self.mock.get("/_jobq/reset", b"")

    def launch(self, **more):
        asked = {"ImageId": IMAGE, "InstanceType": "t3.micro", "MinCount": 1, "MaxCount": 1}
        asked.update(more)
        return self.ec2.run_instances(**{k: v for k, v in asked.items() if v is not None}) \
            ["Instances"][0]

    def look(self, box):
        return self.ec2.describe_instances(InstanceIds=[box["InstanceId"]]) \
            ["Reservations"][0]["Instances"][0]


class Places(FleetCase):
    def test_regions_zones_and_the_default_vpc(self):
        regions = self.ec2.describe_regions()["Regions"]
        self.assertIn({"RegionName": "us-east-1", "Endpoint": "ec2.us-east-1.amazonaws.com",
                       "OptInStatus": "opt-in-not-required"}, regions)
        self.assertEqual([r["RegionName"] for r in self.ec2.describe_regions(
            Filters=[{"Name": "region-name", "Values": ["us-west-*"]}])["Regions"]],
            ["us-west-1", "us-west-2"])
        self.fails("InvalidParameterValue", self.ec2.describe_regions, RegionNames=["moon-1"])
        zones = self.ec2.describe_availability_zones()["AvailabilityZones"]
        self.assertEqual([z["ZoneName"] for z in zones],
                         ["us-east-1a", "us-east-1b", "us-east-1c"])
        self.assertEqual({z["State"] for z in zones}, {"available"})
        [vpc] = self.ec2.describe_vpcs(
            Filters=[{"Name": "isDefault", "Values": ["true"]}])["Vpcs"]
        self.assertTrue(vpc["IsDefault"])
        subnets = self.ec2.describe_subnets(
            Filters=[{"Name": "vpc-id", "Values": [vpc["VpcId"]]}])["Subnets"]
        self.assertEqual([s["AvailabilityZone"] for s in subnets],
                         [z["ZoneName"] for z in zones])
        box = self.launch(SubnetId=subnets[1]["SubnetId"])
        self.assertEqual((box["Placement"]["AvailabilityZone"], box["SubnetId"], box["VpcId"]),
                         ("us-east-1b", subnets[1]["SubnetId"], vpc["VpcId"]))
        self.assertEqual(self.launch()["SubnetId"], subnets[0]["SubnetId"])
        self.fails("InvalidSubnetID.NotFound", self.ec2.describe_subnets, SubnetIds=["subnet-1"])
        self.fails("InvalidParameterValue", self.ec2.describe_subnets,
                   Filters=[{"Name": "colour", "Values": ["red"]}])

    def test_images(self):
        found = self.ec2.describe_images(Owners=["amazon"], Filters=[
            {"Name": "name", "Values": ["al2023-ami-*"]},
            {"Name": "architecture", "Values": ["arm64"]}])["Images"]
        self.assertEqual([i["Architecture"] for i in found], ["arm64"])
        self.launch(ImageId=found[0]["ImageId"], InstanceType="t4g.micro")
        self.assertEqual(self.ec2.describe_images(ImageIds=[IMAGE])["Images"][0]["State"],
                         "available")
        self.fails("InvalidAMIID.Malformed", self.ec2.describe_images, ImageIds=["x"])


class Launches(FleetCase):
    def test_what_is_said_comes_back(self):
        group = self.ec2.create_security_group(GroupName="web", Description="d")["GroupId"]
        box = self.look(self.launch(
            Placement={"AvailabilityZone": "us-east-1c"}, Monitoring={"Enabled": True},
            EbsOptimized=True, SecurityGroups=["default", "web"],
            BlockDeviceMappings=[{"DeviceName": "/dev/xvda", "Ebs": {
                "VolumeSize": 20, "DeleteOnTermination": False}},
                {"DeviceName": "/dev/sdf", "Ebs": {"VolumeSize": 5}},
                {"DeviceName": "/dev/sdg", "VirtualName": "ephemeral0"}],
            MetadataOptions={"HttpTokens": "optional", "HttpPutResponseHopLimit": 3},
            TagSpecifications=[
                {"ResourceType": "instance", "Tags": [{"Key": "a", "Value": "1"}]},
                {"ResourceType": "volume", "Tags": [{"Key": "v", "Value": "1"}]},
                {"ResourceType": "instance", "Tags": [{"Key": "b", "Value": "2"}]}]))
        self.assertEqual(box["Placement"]["AvailabilityZone"], "us-east-1c")
        self.assertEqual((box["Monitoring"]["State"], box["EbsOptimized"]), ("enabled", True))
        self.assertEqual([g["GroupName"] for g in box["SecurityGroups"]], ["default", "web"])
        self.assertEqual(box["SecurityGroups"][1]["GroupId"], group)
        self.assertEqual([(d["DeviceName"], d["Ebs"]["DeleteOnTermination"])
                          for d in box["BlockDeviceMappings"]],
                         [("/dev/xvda", False), ("/dev/sdf", True)])
        self.assertEqual((box["MetadataOptions"]["HttpTokens"],
                          box["MetadataOptions"]["HttpPutResponseHopLimit"]), ("optional", 3))
        self.assertEqual({t["Key"]: t["Value"] for t in box["Tags"]}, {"a": "1", "b": "2"})
        two = self.launch(SecurityGroupIds=["sg-0123456789abcdef0", group])
        self.assertEqual([g["GroupId"] for g in two["SecurityGroups"]],
                         ["sg-0123456789abcdef0", group])
        self.assertEqual([g["GroupName"] for g in two["SecurityGroups"]][1], "web")
        by_card = self.launch(NetworkInterfaces=[{
            "DeviceIndex": 0, "SubnetId": "subnet-0123456789abcdef0", "Groups": [group]}])
        self.assertEqual((by_card["SubnetId"], by_card["SecurityGroups"][0]["GroupId"]),
                         ("subnet-0123456789abcdef0", group))
        self.assertEqual(len(self.look(self.launch())["BlockDeviceMappings"]), 1)
        zone = [{"Name": "availability-zone", "Values": ["us-east-1c"]}]
        found = self.ec2.describe_instances(Filters=zone)["Reservations"]
        self.assertEqual([r["Instances"][0]["InstanceId"] for r in found], [box["InstanceId"]])

    def test_what_is_not_served_is_refused(self):
        for code, more in (
                ("InvalidParameterValue", {"Placement": {"AvailabilityZone": "eu-west-1a"}}),
                ("UnsupportedOperation", {"Placement": {"Tenancy": "dedicated"}}),
                ("InvalidGroup.NotFound", {"SecurityGroups": ["none"]}),
                ("InvalidGroup.NotFound", {"SecurityGroupIds": ["web"]}),
                ("InvalidSubnetID.NotFound", {"SubnetId": "net"}),
                ("UnsupportedOperation", {"DisableApiTermination": True}),
                ("UnsupportedOperation", {"HibernationOptions": {"Configured": True}}),
                ("UnsupportedOperation", {"CpuOptions": {"CoreCount": 1}}),
                ("InvalidParameterValue", {"TagSpecifications": [
                    {"ResourceType": "bucket", "Tags": [{"Key": "a", "Value": "b"}]}]}),
                ("InvalidParameterValue", {"InstanceInitiatedShutdownBehavior": "sleep"}),
                ("UnsupportedOperation", {"InstanceMarketOptions": {
                    "MarketType": "spot", "SpotOptions": {"SpotInstanceType": "persistent"}}}),
                ("InvalidLaunchTemplateName.NotFoundException", {
                    "LaunchTemplate": {"LaunchTemplateName": "none"}})):
            self.fails(code, self.launch, **more)
        self.assertEqual(self.ec2.describe_instances()["Reservations"], [])


class Templates(FleetCase):
    def test_life(self):
        data = {"ImageId": IMAGE, "InstanceType": "t3.small", "KeyName": "k",
                "UserData": base64.b64encode(b"hello").decode(),
                "SecurityGroupIds": ["sg-0123456789abcdef0"],
                "InstanceMarketOptions": {"MarketType": "spot"},
                "TagSpecifications": [{"ResourceType": "instance",
                                       "Tags": [{"Key": "from", "Value": "a b&c"}]}]}
        made = self.ec2.create_launch_template(
            LaunchTemplateName="workers", LaunchTemplateData=data, TagSpecifications=[
                {"ResourceType": "launch-template", "Tags": [{"Key": "t", "Value": "1"}]}])
        made = made["LaunchTemplate"]
        self.assertRegex(made["LaunchTemplateId"], "^lt-[0-9a-f]{17}$")
        self.assertEqual((made["LatestVersionNumber"], made["Tags"]),
                         (1, [{"Key": "t", "Value": "1"}]))
        self.fails("InvalidLaunchTemplateName.AlreadyExistsException",
                   self.ec2.create_launch_template, LaunchTemplateName="workers",
                   LaunchTemplateData=data)
        by_name = {"LaunchTemplateName": "workers"}
        box = self.launch(ImageId=None, InstanceType=None, LaunchTemplate=by_name)
        self.assertEqual((box["ImageId"], box["InstanceType"], box["KeyName"],
                          box["InstanceLifecycle"]), (IMAGE, "t3.small", "k", "spot"))
        self.assertEqual(box["Tags"], [{"Key": "from", "Value": "a b&c"}])
        self.assertEqual(box["SecurityGroups"][0]["GroupId"], "sg-0123456789abcdef0")
        box = self.launch(ImageId=None, InstanceType="m7g.large", LaunchTemplate=by_name)
        self.assertEqual(box["InstanceType"], "m7g.large")
        second = self.ec2.create_launch_template_version(
            SourceVersion="1", VersionDescription="two",
            LaunchTemplateData={"InstanceType": "c7g.large"}, **by_name)["LaunchTemplateVersion"]
        self.assertEqual((second["VersionNumber"], second["DefaultVersion"]), (2, False))
        self.assertEqual((second["LaunchTemplateData"]["ImageId"],
                          second["LaunchTemplateData"]["InstanceType"]), (IMAGE, "c7g.large"))
        for version, type_ in (("$Latest", "c7g.large"), ("2", "c7g.large"),
                               ("$Default", "t3.small"), ("1", "t3.small")):
            box = self.launch(ImageId=None, InstanceType=None, LaunchTemplate={
                "LaunchTemplateId": made["LaunchTemplateId"], "Version": version})
            self.assertEqual(box["InstanceType"], type_)
        self.fails("InvalidLaunchTemplateId.VersionNotFound", self.launch,
                   LaunchTemplate={"LaunchTemplateName": "workers", "Version": "7"})
        versions = self.ec2.describe_launch_template_versions(**by_name)["LaunchTemplateVersions"]
        self.assertEqual([v["VersionNumber"] for v in versions], [1, 2])
        said = versions[0]["LaunchTemplateData"]
        self.assertEqual({k: said[k] for k in data}, data)
        listed = self.ec2.describe_launch_templates(LaunchTemplateNames=["workers"])
        self.assertEqual(listed["LaunchTemplates"][0]["LatestVersionNumber"], 2)
        self.ec2.delete_launch_template(**by_name)
        self.assertEqual(self.ec2.describe_launch_templates()["LaunchTemplates"], [])
        self.fails("InvalidLaunchTemplateId.NotFound", self.ec2.describe_launch_template_versions,
                   LaunchTemplateId=made["LaunchTemplateId"])


class Groups(FleetCase):
    def test_life(self):
        [default] = self.ec2.describe_security_groups()["SecurityGroups"]
        self.assertEqual(default["GroupName"], "default")
        self.assertEqual(self.launch()["SecurityGroups"][0]["GroupId"], default["GroupId"])
        group = self.ec2.create_security_group(
            GroupName="web", Description="a group", VpcId=default["VpcId"], TagSpecifications=[
                {"ResourceType": "security-group", "Tags": [{"Key": "k", "Value": "v"}]}])
        group = group["GroupId"]
        self.fails("InvalidGroup.Duplicate", self.ec2.create_security_group, GroupName="web",
                   Description="d")
        rule = {"IpProtocol": "tcp", "FromPort": 8080, "ToPort": 8080,
                "IpRanges": [{"CidrIp": "10.0.0.0/8", "Description": "in"}]}
        self.ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=[rule])
        self.ec2.authorize_security_group_ingress(GroupId=group, IpProtocol="tcp", FromPort=22,
                                                  ToPort=22, CidrIp="10.0.0.0/8")
        self.fails("InvalidPermission.Duplicate", self.ec2.authorize_security_group_ingress,
                   GroupId=group, IpPermissions=[rule])
        [got] = self.ec2.describe_security_groups(
            Filters=[{"Name": "group-name", "Values": ["web"]}])["SecurityGroups"]
        self.assertEqual((got["GroupId"], got["Description"], got["Tags"]),
                         (group, "a group", [{"Key": "k", "Value": "v"}]))
        self.assertEqual([p["FromPort"] for p in got["IpPermissions"]], [8080, 22])
        self.assertEqual(got["IpPermissions"][0]["IpRanges"], rule["IpRanges"])
        self.assertEqual(got["IpPermissionsEgress"][0]["IpProtocol"], "-1")
        self.ec2.revoke_security_group_ingress(GroupId=group, IpPermissions=[rule])
        self.fails("InvalidPermission.NotFound", self.ec2.revoke_security_group_ingress,
                   GroupId=group, IpPermissions=[rule])
        self.ec2.authorize_security_group_egress(GroupId=group, IpPermissions=[rule])
        [got] = self.ec2.describe_security_groups(GroupIds=[group])["SecurityGroups"]
        self.assertEqual((len(got["IpPermissions"]), len(got["IpPermissionsEgress"])), (1, 2))
        self.fails("CannotDelete", self.ec2.delete_security_group, GroupId=default["GroupId"])
        self.ec2.delete_security_group(GroupId=group)
        self.fails("InvalidGroup.NotFound", self.ec2.describe_security_groups, GroupIds=[group])


class Spot(FleetCase):
    def test_life(self):
        asked = self.ec2.request_spot_instances(
            InstanceCount=2, SpotPrice="1.5", LaunchSpecification={
                "ImageId": IMAGE, "InstanceType": "c7g.large",
                "Placement": {"AvailabilityZone": "us-east-1b"}})["SpotInstanceRequests"]
        self.assertEqual({(r["State"], r["Status"]["Code"], r["LaunchedAvailabilityZone"])
                          for r in asked}, {("active", "fulfilled", "us-east-1b")})
        self.assertEqual(float(asked[0]["SpotPrice"]), 1.5)
        ids = [r["SpotInstanceRequestId"] for r in asked]
        box = self.look({"InstanceId": asked[0]["InstanceId"]})
        self.assertEqual((box["InstanceLifecycle"], box["SpotInstanceRequestId"]),
                         ("spot", ids[0]))
        self.launch(InstanceMarketOptions={"MarketType": "spot"})
        find = lambda **more: self.ec2.describe_spot_instance_requests(**more) \
            ["SpotInstanceRequests"]
        self.assertEqual(len(find()), 3)
        gone = self.ec2.cancel_spot_instance_requests(SpotInstanceRequestIds=ids[:1])
        self.assertEqual(gone["CancelledSpotInstanceRequests"],
                         [{"SpotInstanceRequestId": ids[0], "State": "cancelled"}])
        [one] = find(SpotInstanceRequestIds=ids[:1])
        self.assertEqual((one["State"], one["Status"]["Code"]),
                         ("cancelled", "request-canceled-and-instance-running"))
        self.ec2.terminate_instances(InstanceIds=[asked[1]["InstanceId"]])
        [two] = find(SpotInstanceRequestIds=ids[1:])
        self.assertEqual((two["State"], two["Status"]["Code"]),
                         ("closed", "instance-terminated-by-user"))
        self.assertEqual(len(find(Filters=[{"Name": "state", "Values": ["active"]}])), 1)
        self.fails("InvalidSpotInstanceRequestID.NotFound",
                   self.ec2.cancel_spot_instance_requests, SpotInstanceRequestIds=["sir-0"])
        self.fails("SpotMaxPriceTooLow", self.ec2.request_spot_instances, SpotPrice="0.0001",
                   LaunchSpecification={"ImageId": IMAGE, "InstanceType": "c7g.large"})
        self.fails("UnsupportedOperation", self.ec2.request_spot_instances, Type="persistent",
                   LaunchSpecification={"ImageId": IMAGE, "InstanceType": "c7g.large"})


class StopAndStart(FleetCase):
    def state(self, box):
        return self.look(box)["State"]["Name"]

    def test_life(self):
        self.faults("ec2.model.stopping=const:30s; ec2.model.pending=const:10s")
        self.addCleanup(self.faults, "off")
        box = self.launch()
        ids = [box["InstanceId"]]
        self.fails("IncorrectInstanceState", self.ec2.stop_instances, InstanceIds=ids)
        self.advance("10s")
        self.fails("DryRunOperation", self.ec2.stop_instances, 412, InstanceIds=ids, DryRun=True)
        self.advance("1h")
        [moved] = self.ec2.stop_instances(InstanceIds=ids)["StoppingInstances"]
        self.assertEqual((moved["PreviousState"], moved["CurrentState"]),
                         ({"Code": 16, "Name": "running"}, {"Code": 64, "Name": "stopping"}))
        self.fails("IncorrectInstanceState", self.ec2.start_instances, InstanceIds=ids)
        self.advance("31s")
        seen = self.look(box)
        self.assertEqual((seen["State"], seen["StateReason"]["Code"]),
                         ({"Code": 80, "Name": "stopped"}, "Client.UserInitiatedShutdown"))
        self.assertIn("PrivateIpAddress", seen)
        self.advance("10h")  # not billed
        self.ec2.stop_instances(InstanceIds=ids)
        self.fails("IncorrectInstanceState", self.ec2.reboot_instances, InstanceIds=ids)
        self.ec2.start_instances(InstanceIds=ids)
        self.assertEqual(self.state(box), "pending")
        self.advance("10s")
        self.assertEqual(self.state(box), "running")
        self.advance("2h")
        self.ec2.terminate_instances(InstanceIds=ids)
        ledger = self.mock.ledger()
        runs = [(i["ended_at_ns"] - i["running_at_ns"]) / 3600e9
                for i in ledger["ledger"]["instances"]]
        self.assertEqual([round(r, 2) for r in runs], [1, 2])
        usd = [i["quantity"] for i in ledger["bill"]["items"] if i["service"] == "ec2"]
        self.assertAlmostEqual(sum(usd[:1]), 3, places=1)
        self.fails("IncorrectInstanceState", self.ec2.start_instances, InstanceIds=ids)
        spot = self.launch(InstanceMarketOptions={"MarketType": "spot"})
        self.advance("10s")
        self.fails("UnsupportedOperation", self.ec2.stop_instances,
                   InstanceIds=[spot["InstanceId"]], text="one-time Spot Instance request")

    def test_a_stopped_box_is_terminated(self):
        box = self.launch()
        ids = [box["InstanceId"]]
        self.ec2.stop_instances(InstanceIds=ids)
        self.assertEqual(self.state(box), "stopped")
        [moved] = self.ec2.terminate_instances(InstanceIds=ids)["TerminatingInstances"]
        self.assertEqual(moved["PreviousState"]["Name"], "stopped")
        self.assertEqual(self.state(box), "terminated")


class Processes(FleetCase):
    options = ("--boxes", "exec:cat; echo $$ >>$HOME/ran.$JOBQ_INSTANCE_ID; exec sleep 300")

    @classmethod
    def setUpClass(cls):
        import tempfile
        cls.home = tempfile.mkdtemp(prefix="jobq-fleet-")
        old, os.environ["HOME"] = os.environ["HOME"], cls.home
        super().setUpClass()
        os.environ["HOME"] = old

    def started(self, box, count):
        """The process ids of the box's commands, once there were so many."""
        path = "%s/ran.%s" % (self.home, box["InstanceId"])
        until = time.time() + 20
        while time.time() < until:
            if os.path.exists(path):
                with open(path) as lines:
                    got = [int(line) for line in lines.read().split()]
                if len(got) >= count:
                    return got
            time.sleep(0.02)
        self.fail("not started %d times" % count)

    def ended(self, pid):
        until = time.time() + 20
        while time.time() < until:
            if not os.path.exists("/proc/%d" % pid):
                return True
            time.sleep(0.02)
        return False

    def test_stop_start_reboot(self):
        box = self.launch()
        ids = [box["InstanceId"]]
        [first] = self.started(box, 1)
        self.ec2.stop_instances(InstanceIds=ids)
        self.assertTrue(self.ended(first))
        self.assertEqual(self.look(box)["State"]["Name"], "stopped")
        self.ec2.start_instances(InstanceIds=ids)
        second = self.started(box, 2)[1]
        self.ec2.reboot_instances(InstanceIds=ids)
        third = self.started(box, 3)[2]
        self.assertTrue(self.ended(second))
        self.assertEqual(self.look(box)["State"]["Name"], "running")
        os.kill(third, 15)  # a shutdown from within stops it, as AWS's default is
        until = time.time() + 20
        while self.look(box)["State"]["Name"] != "stopped" and time.time() < until:
            time.sleep(0.02)
        self.assertEqual(self.look(box)["State"]["Name"], "stopped")
        self.ec2.terminate_instances(InstanceIds=ids)


class State(unittest.TestCase):
    def test_survives(self):
        kept = Kept()
        ec2 = kept.client("ec2")
        data = {"ImageId": IMAGE, "InstanceType": "t3.small"}
        ec2.create_launch_template(LaunchTemplateName="w w", LaunchTemplateData=data)
        ec2.create_launch_template(LaunchTemplateName="gone", LaunchTemplateData=data)
        ec2.delete_launch_template(LaunchTemplateName="gone")
        group = ec2.create_security_group(GroupName="g", Description="d")["GroupId"]
        run = dict(MinCount=1, MaxCount=1, LaunchTemplate={"LaunchTemplateName": "w w"})
        box = ec2.run_instances(SecurityGroupIds=[group], Monitoring={"Enabled": True},
                                Placement={"AvailabilityZone": "us-east-1b"}, **run)
        ids = [box["Instances"][0]["InstanceId"]]
        kept.advance("1h")
        ec2.stop_instances(InstanceIds=ids)
        spot = ec2.request_spot_instances(LaunchSpecification=data)["SpotInstanceRequests"][0]
        sir = [spot["SpotInstanceRequestId"]]
        ec2.cancel_spot_instance_requests(SpotInstanceRequestIds=sir)

        def look():
            return json.loads(json.dumps([
                ec2.describe_instances()["Reservations"],
                ec2.describe_launch_templates()["LaunchTemplates"],
                ec2.describe_launch_template_versions(LaunchTemplateName="w w")
                ["LaunchTemplateVersions"],
                ec2.describe_security_groups()["SecurityGroups"],
                ec2.describe_spot_instance_requests()["SpotInstanceRequests"]], default=str))

        before = look()
        kept.restart()
        self.assertEqual(look(), before)
        ec2.start_instances(InstanceIds=ids)
        kept.restart()
        urls = kept.url + "/_jobq/ledger"
        import urllib.request
        ledger = json.load(urllib.request.urlopen(urls))["ledger"]["instances"]
        runs = [round((i["ended_at_ns"] - i["running_at_ns"]) / 3600e9) for i in ledger
                if i["id"] == ids[0]]
        self.assertEqual(runs, [1, 0])
        kept.kill()


if __name__ == "__main__":
    unittest.main()
