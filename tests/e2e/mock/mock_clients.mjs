// SQS of jobqmock as AWS's SDK for JavaScript sees it (version 3: JSON, checks every MD5),
// and SimpleDB as its version 2 does (signature version 2). Argument: jobqmock's URL.
import assert from "node:assert/strict";
import { createRequire } from "node:module";

const require = createRequire(process.argv[3] + "/");
const aws3 = require("@aws-sdk/client-sqs");
const aws2 = require("aws-sdk");
const endpoint = process.argv[2];
const credentials = {
    accessKeyId: "AKIDEXAMPLE",
    secretAccessKey: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY",
};
const client = new aws3.SQS({ endpoint, region: "us-east-1", credentials, maxAttempts: 1,
    requestChecksumCalculation: "WHEN_REQUIRED" });
const sdb = new aws2.SimpleDB({ endpoint, region: "us-east-1", maxRetries: 0, ...credentials });

let made = 0;
async function queue(attributes = {}, suffix = "") {
    const name = `js${made++}${suffix}`;
    return (await client.createQueue({ QueueName: name, Attributes: attributes })).QueueUrl;
}
async function arn(url) {
    return (await client.getQueueAttributes({ QueueUrl: url, AttributeNames: ["QueueArn"] }))
        .Attributes.QueueArn;
}
async function receive(url, more = {}) {
    const got = await client.receiveMessage(
        { QueueUrl: url, MaxNumberOfMessages: 10, WaitTimeSeconds: 0, ...more });
    return got.Messages ?? [];
}
async function advance(by) {
    await fetch(`${endpoint}/_jobq/clock`, { method: "POST", body: `advance=${by}` });
}
async function fails(name, status, call, text = "") {
    try {
        await call();
    } catch (error) {
        assert.equal(error.name ?? error.code, name, error.stack);
        assert.equal(error.$metadata?.httpStatusCode ?? error.statusCode, status, name);
        assert.ok(error.message.includes(text), error.message);
        return error;
    }
    assert.fail(`no ${name}`);
}

const tests = {
    async queues() {
        const url = await queue({ VisibilityTimeout: "31" });
        assert.equal(url, `${endpoint}/123456789012/js0`);
        assert.equal((await client.getQueueUrl({ QueueName: "js0" })).QueueUrl, url);
        await fails("QueueDoesNotExist", 400, () => client.getQueueUrl({ QueueName: "none" }),
            "The specified queue does not exist.");
        await fails("QueueNameExists", 400, () => client.createQueue(
            { QueueName: "js0", Attributes: { VisibilityTimeout: "32" } }));
        await client.setQueueAttributes({ QueueUrl: url, Attributes: { DelaySeconds: "1" } });
        const all = await client.getQueueAttributes({ QueueUrl: url, AttributeNames: ["All"] });
        assert.equal(all.Attributes.DelaySeconds, "1");
        assert.equal(all.Attributes.VisibilityTimeout, "31");
        await fails("InvalidAttributeValue", 400, () => client.setQueueAttributes(
            { QueueUrl: url, Attributes: { DelaySeconds: "901" } }));
        await fails("InvalidAttributeName", 400, () => client.getQueueAttributes(
            { QueueUrl: url, AttributeNames: ["Colour"] }));
        const page = await client.listQueues({ QueueNamePrefix: "js", MaxResults: 1 });
        assert.deepEqual(page.QueueUrls, [url]);
        const none = await client.listQueues({ QueueNamePrefix: "zz" });
        assert.equal(none.QueueUrls, undefined);
        await client.tagQueue({ QueueUrl: url, Tags: { a: "1", b: "2" } });
        await client.untagQueue({ QueueUrl: url, TagKeys: ["a"] });
        assert.deepEqual((await client.listQueueTags({ QueueUrl: url })).Tags, { b: "2" });
        await client.addPermission({ QueueUrl: url, Label: "l", Actions: ["SendMessage"],
            AWSAccountIds: ["111122223333"] });
        await client.removePermission({ QueueUrl: url, Label: "l" });
        await client.purgeQueue({ QueueUrl: url });
        await fails("PurgeQueueInProgress", 403, () => client.purgeQueue({ QueueUrl: url }));
        await client.deleteQueue({ QueueUrl: url });
        await fails("QueueDeletedRecently", 400, () => client.createQueue({ QueueName: "js0" }));
    },
    async messages() {
        const url = await queue();
        const body = "grüße <&>\"'\\\r\n\t\u{1f600}\u007f";
        const attributes = {
            k: { DataType: "String", StringValue: "v" },
            n: { DataType: "Number", StringValue: "12.5" },
            b: { DataType: "Binary", BinaryValue: Uint8Array.from([0, 255, 128]) },
        };
        const sent = await client.sendMessage({ QueueUrl: url, MessageBody: body,
            MessageAttributes: attributes, MessageSystemAttributes: {
                AWSTraceHeader: { DataType: "String", StringValue: "Root=1" } } });
        assert.ok(sent.MD5OfMessageAttributes && sent.MD5OfMessageSystemAttributes);
        const [got] = await receive(url, { MessageAttributeNames: ["All"],
            MessageSystemAttributeNames: ["All"] });
        assert.equal(got.Body, body);
        assert.deepEqual(got.MessageAttributes.b.BinaryValue, attributes.b.BinaryValue);
        assert.equal(got.MessageAttributes.n.StringValue, "12.5");
        assert.equal(got.MD5OfMessageAttributes, sent.MD5OfMessageAttributes);
        assert.equal(got.Attributes.AWSTraceHeader, "Root=1");
        assert.equal(got.Attributes.ApproximateReceiveCount, "1");
        await client.changeMessageVisibility({ QueueUrl: url, VisibilityTimeout: 0,
            ReceiptHandle: got.ReceiptHandle });
        const [again] = await receive(url);
        assert.equal(again.MessageId, sent.MessageId);
        assert.equal(again.MessageAttributes, undefined);
        await client.deleteMessage({ QueueUrl: url, ReceiptHandle: again.ReceiptHandle });
        await fails("ReceiptHandleIsInvalid", 400, () => client.deleteMessage(
            { QueueUrl: url, ReceiptHandle: "junk" }));
        await fails("InvalidMessageContents", 400, () => client.sendMessage(
            { QueueUrl: url, MessageBody: "\u0001" }));
        const big = await fails("InvalidParameterValue", 400, () => client.sendMessage(
            { QueueUrl: url, MessageBody: "x".repeat(1048577) }),
            "Message must be shorter than 1048576 bytes.");
        assert.equal(big.Code ?? big.name, "InvalidParameterValue");
        assert.deepEqual(await receive(url), []);
    },
    async batches() {
        const url = await queue();
        const sent = await client.sendMessageBatch({ QueueUrl: url, Entries: [
            { Id: "a", MessageBody: "1" }, { Id: "b", MessageBody: "\u0001" },
            { Id: "c", MessageBody: "3", DelaySeconds: 901 }] });
        assert.deepEqual(sent.Successful.map((one) => one.Id), ["a"]);
        assert.deepEqual(sent.Failed.map((one) => [one.Id, one.Code, one.SenderFault]),
            [["b", "InvalidMessageContents", true], ["c", "InvalidParameterValue", true]]);
        const [got] = await receive(url);
        const changed = await client.changeMessageVisibilityBatch({ QueueUrl: url, Entries: [
            { Id: "a", ReceiptHandle: got.ReceiptHandle, VisibilityTimeout: 9 },
            { Id: "b", ReceiptHandle: "junk", VisibilityTimeout: 9 }] });
        assert.equal(changed.Successful.length, 1);
        assert.equal(changed.Failed[0].Code, "ReceiptHandleIsInvalid");
        const deleted = await client.deleteMessageBatch({ QueueUrl: url, Entries: [
            { Id: "a", ReceiptHandle: got.ReceiptHandle }] });
        assert.equal(deleted.Successful[0].Id, "a");
        assert.equal(deleted.Failed, undefined);
        await fails("EmptyBatchRequest", 400, () => client.sendMessageBatch(
            { QueueUrl: url, Entries: [] }));
        await fails("TooManyEntriesInBatchRequest", 400, () => client.sendMessageBatch(
            { QueueUrl: url, Entries: [...Array(11).keys()].map((i) => (
                { Id: `${i}`, MessageBody: "x" })) }));
        await fails("BatchEntryIdsNotDistinct", 400, () => client.deleteMessageBatch(
            { QueueUrl: url, Entries: [{ Id: "a", ReceiptHandle: "x" },
                { Id: "a", ReceiptHandle: "y" }] }));
        await fails("InvalidBatchEntryId", 400, () => client.sendMessageBatch(
            { QueueUrl: url, Entries: [{ Id: "a b", MessageBody: "x" }] }));
        await fails("BatchRequestTooLong", 400, () => client.sendMessageBatch(
            { QueueUrl: url, Entries: [1, 2].map((i) => (
                { Id: `${i}`, MessageBody: "x".repeat(600000) })) }));
    },
    async fifo() {
        const url = await queue({ FifoQueue: "true", ContentBasedDeduplication: "true" },
            ".fifo");
        const first = await client.sendMessage(
            { QueueUrl: url, MessageBody: "a", MessageGroupId: "g" });
        const same = await client.sendMessage(
            { QueueUrl: url, MessageBody: "a", MessageGroupId: "g" });
        assert.equal(first.SequenceNumber, same.SequenceNumber);
        await client.sendMessage({ QueueUrl: url, MessageBody: "b", MessageGroupId: "g" });
        const got = await receive(url, { MessageSystemAttributeNames: ["SequenceNumber"] });
        assert.deepEqual(got.map((one) => one.Body), ["a", "b"]);
        assert.equal(got[0].Attributes.SequenceNumber, first.SequenceNumber);
        await fails("MissingParameter", 400, () => client.sendMessage(
            { QueueUrl: url, MessageBody: "a" }), "MessageGroupId");
    },
    async longPoll() {
        const url = await queue();
        const waiting = receive(url, { WaitTimeSeconds: 20 });
        await new Promise((done) => setTimeout(done, 50));
        await client.sendMessage({ QueueUrl: url, MessageBody: "x" });
        assert.equal((await waiting)[0].Body, "x");
    },
    async moves() {
        const dead = await queue();
        const url = await queue({ RedrivePolicy: JSON.stringify(
            { deadLetterTargetArn: await arn(dead), maxReceiveCount: "1" }) });
        const sources = await client.listDeadLetterSourceQueues({ QueueUrl: dead });
        assert.deepEqual(sources.queueUrls, [url]);
        for (let i = 0; i < 10; i++)
            await client.sendMessage({ QueueUrl: url, MessageBody: `${i}` });
        await receive(url, { VisibilityTimeout: 0 });
        assert.deepEqual(await receive(url), []);
        const SourceArn = await arn(dead);
        await fails("InvalidParameterValue", 400, async () =>
            client.startMessageMoveTask({ SourceArn: await arn(url) }),
        "Source queue must be configured as a Dead Letter Queue.");
        await fails("ResourceNotFoundException", 404, () =>
            client.startMessageMoveTask({ SourceArn: `${SourceArn}none` }));
        const { TaskHandle } = await client.startMessageMoveTask(
            { SourceArn, MaxNumberOfMessagesPerSecond: 1 });
        let [task] = (await client.listMessageMoveTasks({ SourceArn })).Results;
        assert.equal(task.Status, "RUNNING");
        assert.equal(task.TaskHandle, TaskHandle);
        assert.equal(task.MaxNumberOfMessagesPerSecond, 1);
        await advance("3s");
        const { ApproximateNumberOfMessagesMoved: moved } =
            await client.cancelMessageMoveTask({ TaskHandle });
        assert.ok(moved >= 1 && moved <= 6, `${moved}`);
        await fails("ResourceNotFoundException", 404, () =>
            client.cancelMessageMoveTask({ TaskHandle }));
        assert.equal((await receive(url, { VisibilityTimeout: 1 })).length, moved);
        const target = await queue();
        await client.startMessageMoveTask({ SourceArn, DestinationArn: await arn(target) });
        await advance("60s");
        [task] = (await client.listMessageMoveTasks({ SourceArn, MaxResults: 1 })).Results;
        assert.equal(task.Status, "COMPLETED");
        assert.equal(task.TaskHandle, undefined);
        assert.equal(task.DestinationArn, await arn(target));
    },
    async simpledb() {
        const DomainName = "jsdom";
        await sdb.createDomain({ DomainName }).promise();
        const put = { DomainName, ItemName: "i ü", Attributes: [
            { Name: "a", Value: "1" }, { Name: "a", Value: "<2>" }] };
        await sdb.putAttributes({ ...put, Expected: { Name: "a", Exists: false } }).promise();
        await fails("ConditionalCheckFailed", 409, () => sdb.putAttributes(
            { ...put, Expected: { Name: "a", Exists: false } }).promise());
        const got = await sdb.getAttributes({ DomainName, ItemName: "i ü",
            ConsistentRead: true }).promise();
        assert.deepEqual(got.Attributes.map((one) => one.Value).sort(), ["1", "<2>"]);
        await sdb.batchPutAttributes({ DomainName, Items: [...Array(25).keys()].map((i) => (
            { Name: `n${i}`, Attributes: [{ Name: "n", Value: `${i}`, Replace: true }] })) })
            .promise();
        const rows = await sdb.select({ ConsistentRead: true, SelectExpression:
            "select n from jsdom where n > '2' and n < '3' order by n desc limit 3" }).promise();
        assert.deepEqual(rows.Items.map((one) => one.Name), ["n24", "n23", "n22"]);
        assert.ok(rows.NextToken);
        await sdb.batchDeleteAttributes({ DomainName, Items: [{ Name: "n1" }] }).promise();
        await sdb.deleteAttributes({ DomainName, ItemName: "n2" }).promise();
        const about = await sdb.domainMetadata({ DomainName }).promise();
        assert.equal(about.ItemCount, 24);
        assert.ok((await sdb.listDomains().promise()).DomainNames.includes(DomainName));
        await sdb.deleteDomain({ DomainName }).promise();
        const gone = await fails("NoSuchDomain", 400, () =>
            sdb.domainMetadata({ DomainName }).promise());
        assert.ok(gone.message);
    },
    async limits() {
        const url = await queue();
        const faults = (spec) => fetch(`${endpoint}/_jobq/faults`, { method: "POST", body: spec });
        await faults("sqs.model.in_flight_max=1; sqs.ListQueues.throttle=1");
        for (const MessageBody of ["a", "b"])
            await client.sendMessage({ QueueUrl: url, MessageBody });
        assert.equal((await receive(url)).length, 1);
        await fails("OverLimit", 403, () => receive(url));
        await fails("RequestThrottled", 403, () => client.listQueues({}));
        await faults("off");
        assert.equal((await receive(url)).length, 1);
    },
    async ec2() {
        const options = { endpoint, region: "us-east-1", maxRetries: 0, ...credentials };
        const ec2 = new aws2.EC2(options), sts = new aws2.STS(options);
        const run = { ImageId: "ami-0123456789abcdef0", InstanceType: "c7g.large", MinCount: 1,
            MaxCount: 2, InstanceMarketOptions: { MarketType: "spot" }, TagSpecifications: [
                { ResourceType: "instance", Tags: [{ Key: "a", Value: "<1>" }] }] };
        await fails("DryRunOperation", 412, () =>
            ec2.runInstances({ ...run, DryRun: true }).promise());
        const { Instances } = await ec2.runInstances(run).promise();
        assert.deepEqual(Instances.map((one) => one.State.Name), ["pending", "pending"]);
        const InstanceIds = Instances.map((one) => one.InstanceId);
        await ec2.waitFor("instanceRunning", { InstanceIds }).promise();
        const { Reservations } = await ec2.describeInstances({ Filters: [
            { Name: "tag:a", Values: ["<?>"] }] }).promise();
        assert.deepEqual(Reservations[0].Instances.map((one) => one.InstanceId), InstanceIds);
        assert.deepEqual(Reservations[0].Instances[0].Tags, [{ Key: "a", Value: "<1>" }]);
        assert.ok(Reservations[0].Instances[0].LaunchTime instanceof Date);
        const prices = await ec2.describeSpotPriceHistory(
            { InstanceTypes: ["c7g.large"], ProductDescriptions: ["Linux/UNIX"] }).promise();
        assert.equal(prices.SpotPriceHistory.length, 1);
        const types = await ec2.describeInstanceTypes({ InstanceTypes: ["c7g.large"] }).promise();
        assert.equal(types.InstanceTypes[0].MemoryInfo.SizeInMiB, 4096);
        const ended = await ec2.terminateInstances({ InstanceIds }).promise();
        assert.deepEqual(ended.TerminatingInstances.map((one) => one.PreviousState.Code),
            [16, 16]);
        await fails("InvalidInstanceID.NotFound", 400, () => ec2.terminateInstances(
            { InstanceIds: ["i-0123456789abcdef0"] }).promise());
        assert.equal((await sts.getCallerIdentity().promise()).Account, "123456789012");
    },
    async signatures() {
        const bad = { ...credentials, secretAccessKey: "x" };
        const wrong = new aws3.SQS({ endpoint, region: "us-east-1", maxAttempts: 1,
            credentials: bad });
        await fails("SignatureDoesNotMatch", 403, () => wrong.listQueues({}));
        const nobody = new aws3.SQS({ endpoint, region: "us-east-1", maxAttempts: 1,
            credentials: { ...credentials, accessKeyId: "AKIDNOBODY" } });
        await fails("InvalidClientTokenId", 403, () => nobody.listQueues({}));
        const sdb2 = new aws2.SimpleDB({ endpoint, region: "us-east-1", maxRetries: 0, ...bad });
        await fails("SignatureDoesNotMatch", 403, () => sdb2.listDomains().promise());
    },
};

let failed = 0;
for (const [name, test] of Object.entries(tests)) {
    try {
        await test();
        console.log(`ok   ${name}`);
    } catch (error) {
        failed++;
        console.log(`FAIL ${name}: ${error.stack}`);
    }
}
process.exit(failed ? 1 : 0);
