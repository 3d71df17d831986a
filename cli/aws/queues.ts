import {
  ChangeMessageVisibilityCommand,
  DeleteMessageCommand,
  GetQueueAttributesCommand,
  ReceiveMessageCommand,
  SQSClient,
} from "@aws-sdk/client-sqs";
import type { QueuedMessage, Queues } from "../ports.ts";
import type { AwsConfig } from "./config.ts";

const mostMessages = 500;
/** SQS returns no more messages per call. */
const perCall = 10;
const borrowedForSeconds = 120;
/** Long polling asks every server of the queue. A short poll may miss messages. */
const waitSeconds = 1;

export function createQueues(config: AwsConfig): Queues {
  const client = new SQSClient(config);
  return {
    depth: async (queueUrl) => {
      const name = "ApproximateNumberOfMessages";
      const command = new GetQueueAttributesCommand({ QueueUrl: queueUrl, AttributeNames: [name] });
      const { Attributes } = await client.send(command);
      return Number(Attributes?.[name] ?? 0);
    },
    borrow: (queueUrl, signal) => borrowAll(client, queueUrl, signal),
    giveBack: async (QueueUrl, ReceiptHandle) => {
      await client.send(
        new ChangeMessageVisibilityCommand({ QueueUrl, ReceiptHandle, VisibilityTimeout: 0 }),
      );
    },
    remove: async (QueueUrl, ReceiptHandle) => {
      await client.send(new DeleteMessageCommand({ QueueUrl, ReceiptHandle }));
    },
  };
}

async function borrowAll(
  client: SQSClient,
  queueUrl: string,
  signal: AbortSignal | undefined,
): Promise<readonly QueuedMessage[]> {
  const borrowed: QueuedMessage[] = [];
  while (borrowed.length < mostMessages) {
    const command = new ReceiveMessageCommand({
      QueueUrl: queueUrl,
      MaxNumberOfMessages: perCall,
      VisibilityTimeout: borrowedForSeconds,
      WaitTimeSeconds: waitSeconds,
      MessageSystemAttributeNames: ["SentTimestamp"],
    });
    const { Messages = [] } = await client.send(command, signal === undefined ? {} : { abortSignal: signal });
    if (Messages.length === 0) break;
    for (const { MessageId = "", Body = "", ReceiptHandle = "", Attributes } of Messages) {
      const sent = Number(Attributes?.SentTimestamp);
      const sentAtMs = sent > 0 ? sent : undefined;
      borrowed.push({ id: MessageId, body: Body, receipt: ReceiptHandle, sentAtMs });
    }
  }
  return borrowed;
}
