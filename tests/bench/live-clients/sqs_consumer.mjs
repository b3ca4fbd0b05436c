// Ten consumers of sqs-consumer in one process, each of batches of ten.
import { Consumer } from "sqs-consumer";
import { SQSClient, GetQueueUrlCommand } from "@aws-sdk/client-sqs";

const [queue, mode] = process.argv.slice(2);
const sqs = new SQSClient({ endpoint: process.env.AWS_ENDPOINT_URL, region: "us-east-1" });
const { QueueUrl } = await sqs.send(new GetQueueUrlCommand({ QueueName: queue }));
for (let i = 0; i < 10; i++) {
  const handler = mode === "batch" ? { handleMessageBatch: async (m) => m } : { handleMessage: async (m) => m };
  const consumer = Consumer.create({ queueUrl: QueueUrl, sqs, batchSize: 10, waitTimeSeconds: 1, ...handler });
  consumer.on("error", (e) => { console.error(String(e)); process.exit(1); });
  consumer.start();
}
