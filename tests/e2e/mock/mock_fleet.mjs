// EC2 of jobqmock as AWS's SDK for JavaScript sees it (version 3), and what an audit by other
// suites asked of SQS and SimpleDB, by npm's clients. Arguments: URL and URL of another jobqmock
// of the same seed, the packages.
import assert from "node:assert/strict";
import { createRequire } from "node:module";

const [, , endpoint, other, packages] = process.argv;
const require = createRequire(packages + "/");
const aws3 = require("@aws-sdk/client-ec2"), sqs3 = require("@aws-sdk/client-sqs");
const aws2 = require("aws-sdk");
const keys = {
    accessKeyId: "AKIDEXAMPLE",
    secretAccessKey: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY",
};
const to = (url) => ({ endpoint: url, region: "us-east-1", credentials: keys, maxAttempts: 1 });
const ec2 = new aws3.EC2(to(endpoint)), sqs = new sqs3.SQS(to(endpoint));
const sdb = new aws2.SimpleDB({ endpoint, region: "us-east-1", maxRetries: 0, ...keys });
const image = "ami-0123456789abcdef0";

const post = (page, body) => fetch(`${endpoint}/_jobq/${page}`, { method: "POST", body });
async function run(count, more = {}) {
    return (await ec2.runInstances({ ImageId: image, InstanceType: "t3.micro", MinCount: count,
        MaxCount: count, ...more })).Instances;
}
async function found(filters, more = {}) {
    const Filters = Object.entries(filters).map(([Name, Values]) => ({ Name, Values }));
    const got = await ec2.describeInstances({ Filters, ...more });
    return got.Reservations.flatMap((r) => r.Instances);
}
async function fails(name, status, call, text = "") {
    try {
        await call();
    } catch (error) {
        assert.equal(error.code ?? error.name, name, error.stack);
        assert.equal(error.$metadata?.httpStatusCode ?? error.statusCode, status, name);
        assert.ok(error.message.includes(text), error.message);
        return;
    }
    assert.fail(`no ${name}`);
}
const ids = (boxes) => boxes.map((box) => box.InstanceId);
const sorted = (list) => [...list].sort();

const tests = {
    async life() {
        const boxes = await run(2, { TagSpecifications: [
            { ResourceType: "instance", Tags: [{ Key: "jobq:queue", Value: "q <&> \"ü\"" }] },
            { ResourceType: "instance", Tags: [{ Key: "b", Value: "2" }] }] });
        assert.deepEqual(Object.fromEntries(boxes[0].Tags.map((t) => [t.Key, t.Value])),
            { "jobq:queue": "q <&> \"ü\"", b: "2" });
        await aws3.waitUntilInstanceRunning({ client: ec2, maxWaitTime: 20, minDelay: 1,
            maxDelay: 1 }, { InstanceIds: ids(boxes) });
        const [one] = await found({}, { InstanceIds: [boxes[0].InstanceId] });
        assert.ok(one.LaunchTime instanceof Date && one.State.Code === 16);
        await ec2.createTags({ Resources: ids(boxes), Tags: [{ Key: "role", Value: "drain*r" }] });
        await ec2.deleteTags({ Resources: [boxes[1].InstanceId], Tags: [{ Key: "b" }] });
        const { Tags } = await ec2.describeTags({ Filters: [
            { Name: "resource-id", Values: [boxes[1].InstanceId] }] });
        assert.deepEqual(sorted(Tags.map((t) => t.Key)), ["jobq:queue", "role"]);
        const { TerminatingInstances } = await ec2.terminateInstances(
            { InstanceIds: ids(boxes) });
        assert.deepEqual(TerminatingInstances.map((t) => t.CurrentState.Name),
            ["shutting-down", "shutting-down"]);
        await fails("InvalidInstanceID.NotFound", 400, () => ec2.terminateInstances(
            { InstanceIds: ["i-0123456789abcdef9"] }), "does not exist");
        await fails("InvalidInstanceID.Malformed", 400, () =>
            ec2.describeInstances({ InstanceIds: ["x"] }));
        await fails("DryRunOperation", 412, () => run(1, { DryRun: true }));
    },
    async filtersAndPages() {
        const plain = ids(await run(3)), spot = ids(await run(4, { InstanceType: "t3.small",
            InstanceMarketOptions: { MarketType: "spot" },
            TagSpecifications: [{ ResourceType: "instance", Tags: [{ Key: "k", Value: "a*" }] }] }));
        assert.deepEqual(sorted(ids(await found({ "instance-lifecycle": ["spot"] }))), sorted(spot));
        assert.deepEqual(sorted(ids(await found({ "instance-type": ["t3.micro"] }))), sorted(plain));
        assert.deepEqual(ids(await found({ "tag:k": ["a\\*"], "instance-type": ["t3.micro"] })), []);
        assert.equal((await found({ "tag:k": ["a\\*", "none"] })).length, 4);
        assert.equal((await found({ "tag-key": ["k"] })).length, 4);
        const pages = aws3.paginateDescribeInstances({ client: ec2, pageSize: 5 }, {});
        const seen = [];
        for await (const page of pages) {
            const boxes = page.Reservations.flatMap((r) => r.Instances);
            assert.ok(boxes.length <= 5);
            seen.push(...ids(boxes));
        }
        assert.deepEqual(sorted(seen), sorted([...plain, ...spot]));
        await fails("InvalidParameterValue", 400, () => found({ colour: ["red"] }));
    },
    async launchSaysWhatItWasTold() {
        const { GroupId } = await ec2.createSecurityGroup({ GroupName: "web", Description: "d" });
        const [box] = await run(1, { Placement: { AvailabilityZone: "us-east-1c" },
            Monitoring: { Enabled: true }, EbsOptimized: true, SecurityGroups: ["default", "web"],
            BlockDeviceMappings: [{ DeviceName: "/dev/xvda", Ebs: { VolumeSize: 20,
                DeleteOnTermination: false } }] });
        const [got] = await found({}, { InstanceIds: [box.InstanceId] });
        assert.equal(got.Placement.AvailabilityZone, "us-east-1c");
        assert.equal(got.Monitoring.State, "enabled");
        assert.equal(got.EbsOptimized, true);
        assert.deepEqual(got.SecurityGroups.map((g) => g.GroupName), ["default", "web"]);
        assert.equal(got.SecurityGroups[1].GroupId, GroupId);
        assert.equal(got.BlockDeviceMappings[0].Ebs.DeleteOnTermination, false);
        await fails("UnsupportedOperation", 400, () => run(1, { DisableApiTermination: true }));
        const LaunchTemplateData = { ImageId: image, InstanceType: "c7g.large",
            TagSpecifications: [{ ResourceType: "instance", Tags: [{ Key: "t", Value: "1" }] }] };
        await ec2.createLaunchTemplate({ LaunchTemplateName: "workers", LaunchTemplateData });
        const LaunchTemplate = { LaunchTemplateName: "workers", Version: "$Latest" };
        const [by] = await run(1, { LaunchTemplate, ImageId: undefined, InstanceType: undefined });
        assert.equal(by.InstanceType, "c7g.large");
        assert.ok(by.Tags.some((t) => t.Key === "t" && t.Value === "1"));
    },
    async whatFleetClientsCallFirst() {
        const { Regions } = await ec2.describeRegions({});
        assert.ok(Regions.some((r) => r.RegionName === "us-east-1"));
        const { AvailabilityZones } = await ec2.describeAvailabilityZones({});
        const { Vpcs } = await ec2.describeVpcs({ Filters: [
            { Name: "isDefault", Values: ["true"] }] });
        const { Subnets } = await ec2.describeSubnets({ Filters: [
            { Name: "vpc-id", Values: [Vpcs[0].VpcId] }] });
        assert.deepEqual(Subnets.map((s) => s.AvailabilityZone),
            AvailabilityZones.map((z) => z.ZoneName));
        const { Images } = await ec2.describeImages({ Owners: ["amazon"], Filters: [
            { Name: "name", Values: ["al2023-ami-*"] },
            { Name: "architecture", Values: ["arm64"] }] });
        assert.equal(Images[0].Architecture, "arm64");
        const { SecurityGroups } = await ec2.describeSecurityGroups({ GroupNames: ["default"] });
        assert.equal(SecurityGroups.length, 1);
    },
    async spotRequests() {
        const { SpotInstanceRequests } = await ec2.requestSpotInstances({ InstanceCount: 1,
            LaunchSpecification: { ImageId: image, InstanceType: "t3.micro" } });
        const [{ SpotInstanceRequestId }] = SpotInstanceRequests;
        await aws3.waitUntilSpotInstanceRequestFulfilled({ client: ec2, maxWaitTime: 20,
            minDelay: 1, maxDelay: 1 }, { SpotInstanceRequestIds: [SpotInstanceRequestId] });
        const got = await ec2.describeSpotInstanceRequests(
            { SpotInstanceRequestIds: [SpotInstanceRequestId] });
        const [box] = await found({}, { InstanceIds: [got.SpotInstanceRequests[0].InstanceId] });
        assert.equal(box.InstanceLifecycle, "spot");
        assert.equal(box.SpotInstanceRequestId, SpotInstanceRequestId);
        await fails("SpotMaxPriceTooLow", 400, () => ec2.requestSpotInstances({ SpotPrice: "0.0001",
            LaunchSpecification: { ImageId: image, InstanceType: "t3.micro" } }));
        const { SpotPriceHistory } = await ec2.describeSpotPriceHistory({
            InstanceTypes: ["c7g.large"], ProductDescriptions: ["Linux/UNIX"] });
        assert.ok(Number(SpotPriceHistory[0].SpotPrice) > 0);
    },
    async stopStartReboot() {
        const InstanceIds = ids(await run(1));
        await aws3.waitUntilInstanceRunning({ client: ec2, maxWaitTime: 20, minDelay: 1,
            maxDelay: 1 }, { InstanceIds });
        await ec2.rebootInstances({ InstanceIds });
        const { StoppingInstances } = await ec2.stopInstances({ InstanceIds });
        assert.equal(StoppingInstances[0].PreviousState.Name, "running");
        await post("clock", "advance=4m");
        assert.equal((await found({}, { InstanceIds }))[0].State.Name, "stopped");
        await ec2.startInstances({ InstanceIds });
        await post("clock", "advance=4m");
        assert.equal((await found({}, { InstanceIds }))[0].State.Name, "running");
    },
    // An older version of the API answers in its own namespace, which version 2 goes by.
    async olderVersions() {
        const old = new aws2.EC2({ endpoint, region: "us-east-1", maxRetries: 0,
            apiVersion: "2015-10-01", ...keys });
        await fails("InvalidInstanceID.Malformed", 400, () =>
            old.describeInstances({ InstanceIds: ["x"] }).promise());
        assert.ok((await old.describeRegions({}).promise()).Regions.length > 1);
    },
    async receiptsAndQueues() {
        const { QueueUrl } = await sqs.createQueue({ QueueName: "m" });
        const send = (url, more = {}) => sqs.sendMessage({ QueueUrl: url, MessageBody: "b", ...more });
        const take = async () => (await sqs.receiveMessage({ QueueUrl, VisibilityTimeout: 30,
            WaitTimeSeconds: 0 })).Messages?.[0].ReceiptHandle;
        await send(QueueUrl);
        const old = await take();
        await post("clock", "advance=31s");
        assert.ok(await take());
        await sqs.changeMessageVisibility({ QueueUrl, ReceiptHandle: old, VisibilityTimeout: 0 });
        assert.equal(await take(), undefined);
        for (const [name, value, text] of [
            ["WaitTimeSeconds", 21, "Must be >= 0 and <= 20, if provided."],
            ["MaxNumberOfMessages", 11, "Must be between 1 and 10, if provided."]])
            await fails("InvalidParameterValue", 400, () =>
                sqs.receiveMessage({ QueueUrl, [name]: value }), text);
        for (const name of ["AWS.x", "a..b", "x".repeat(257)])
            await fails("InvalidParameterValue", 400, () => send(QueueUrl, { MessageAttributes: {
                [name]: { DataType: "String", StringValue: "v" } } }));
        const { Attributes } = await sqs.getQueueAttributes({ QueueUrl,
            AttributeNames: ["QueueArn"] });
        await sqs.setQueueAttributes({ QueueUrl, Attributes: { RedrivePolicy: JSON.stringify(
            { deadLetterTargetArn: Attributes.QueueArn, maxReceiveCount: 1 }) } });
        const fifo = (await sqs.createQueue({ QueueName: "m.fifo", Attributes: {
            FifoQueue: "true" } })).QueueUrl;
        await sqs.setQueueAttributes({ QueueUrl: fifo, Attributes: {
            DeduplicationScope: "messageGroup", FifoThroughputLimit: "perMessageGroupId" } });
        const sent = [];
        for (const MessageGroupId of ["a", "b"])
            sent.push((await send(fifo, { MessageGroupId, MessageDeduplicationId: "d" })).MessageId);
        assert.equal(sent[0], sent[1]);
    },
    async messageIdsOfTwoServers() {
        const made = [];
        for (const url of [endpoint, other]) {
            const one = new sqs3.SQS(to(url));
            const { QueueUrl } = await one.createQueue({ QueueName: "same" });
            made.push((await one.sendMessage({ QueueUrl, MessageBody: "b" })).MessageId);
        }
        assert.notEqual(made[0], made[1]);
    },
    async countsOfSimpleDb() {
        const DomainName = "counted";
        await sdb.createDomain({ DomainName }).promise();
        for (let from = 0; from < 125; from += 25)
            await sdb.batchPutAttributes({ DomainName, Items: Array.from({ length: 25 }, (_, i) =>
                ({ Name: `n${1000 + from + i}`, Attributes: [{ Name: "v", Value: "1" }] })) })
                .promise();
        const sorted = "where itemName() > 'n' order by itemName()";
        // As AWS's guide does it: skip rows by a count, then read on from there.
        const skip = await sdb.select({ ConsistentRead: true,
            SelectExpression: `select count(*) from counted ${sorted} limit 100` }).promise();
        assert.equal(skip.Items[0].Attributes[0].Value, "100");
        const rest = await sdb.select({ ConsistentRead: true, NextToken: skip.NextToken,
            SelectExpression: `select itemName() from counted ${sorted} limit 100` }).promise();
        assert.deepEqual(rest.Items.map((item) => item.Name),
            Array.from({ length: 25 }, (_, i) => `n${1100 + i}`));
        await fails("InvalidParameterValue", 400, () => sdb.createDomain({ DomainName: "a" })
            .promise(), "Value (a) for parameter DomainName is invalid. ");
    },
};

let failed = 0;
for (const [name, test] of Object.entries(tests)) {
    await post("reset", "");
    try {
        await test();
        console.log(`ok   ${name}`);
    } catch (error) {
        failed++;
        console.log(`FAIL ${name}: ${error.stack}`);
    }
}
process.exit(failed ? 1 : 0);
