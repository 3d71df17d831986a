import * as z from "zod";
import { ServiceError } from "../errors.ts";
import type { MessageQueue } from "../queues.ts";
import { actionOf, type Actions } from "./protocols.ts";

export type Queues = readonly MessageQueue[];

const action = actionOf<Queues>("InvalidParameterValue");
const ofQueue = z.object({ QueueUrl: z.string() });

/** SQS's JSON 1.0 actions. ReceiveMessage answers at once and ignores the wait time. */
export const sqsActions: Actions<Queues> = {
  GetQueueUrl: action({
    request: z.object({ QueueName: z.string() }),
    answer: ({ QueueName }, queues) => ({ QueueUrl: find(queues, QueueName).url }),
  }),
  GetQueueAttributes: action({
    request: ofQueue.extend({ AttributeNames: z.array(z.string()).default([]) }),
    answer: ({ QueueUrl, AttributeNames }, queues) => {
      const asked = (name: string): boolean =>
        AttributeNames.includes("All") || AttributeNames.includes(name);
      const attributes = Object.entries(attributesOf(find(queues, QueueUrl))).filter(([name]) => asked(name));
      return { Attributes: Object.fromEntries(attributes) };
    },
  }),
  SendMessage: action({
    request: ofQueue.extend({ MessageBody: z.string().min(1) }),
    answer: ({ QueueUrl, MessageBody }, queues) => {
      const { id, md5 } = find(queues, QueueUrl).send(MessageBody);
      return { MessageId: id, MD5OfMessageBody: md5 };
    },
  }),
  ReceiveMessage: action({
    request: ofQueue.extend({
      MaxNumberOfMessages: z.number().min(1).max(10).default(1),
      VisibilityTimeout: z.number().min(0).max(43_200).optional(),
    }),
    answer: ({ QueueUrl, MaxNumberOfMessages, VisibilityTimeout }, queues) => {
      const hiddenMs = VisibilityTimeout === undefined ? undefined : VisibilityTimeout * 1_000;
      const messages = find(queues, QueueUrl).lend({ max: MaxNumberOfMessages, hiddenMs });
      const answers = messages.map(({ id, body, md5, receipt, sentMs, receives }) => ({
        MessageId: id,
        ReceiptHandle: receipt,
        MD5OfBody: md5,
        Body: body,
        Attributes: { SentTimestamp: String(sentMs), ApproximateReceiveCount: String(receives) },
      }));
      return answers.length === 0 ? {} : { Messages: answers };
    },
  }),
  ChangeMessageVisibility: action({
    request: ofQueue.extend({
      ReceiptHandle: z.string(),
      VisibilityTimeout: z.number().min(0).max(43_200),
    }),
    answer: ({ QueueUrl, ReceiptHandle, VisibilityTimeout }, queues) => {
      find(queues, QueueUrl).hide(ReceiptHandle, VisibilityTimeout * 1_000);
      return {};
    },
  }),
  DeleteMessage: action({
    request: ofQueue.extend({ ReceiptHandle: z.string() }),
    answer: ({ QueueUrl, ReceiptHandle }, queues) => {
      find(queues, QueueUrl).delete(ReceiptHandle);
      return {};
    },
  }),
};

function attributesOf(queue: MessageQueue): Readonly<Record<string, string>> {
  const { visible, hidden } = queue.depth();
  return {
    QueueArn: queue.arn,
    ApproximateNumberOfMessages: String(visible),
    ApproximateNumberOfMessagesNotVisible: String(hidden),
    ApproximateNumberOfMessagesDelayed: "0",
    VisibilityTimeout: String(queue.visibilityMs / 1_000),
  };
}

/** Finds a queue by name or URL. Only the last part of the URL matters. */
function find(queues: Queues, urlOrName: string): MessageQueue {
  const queue = queues.find(({ name }) => name === urlOrName.replace(/^.*\//, ""));
  if (queue !== undefined) return queue;
  throw new ServiceError("QueueDoesNotExist", "The specified queue does not exist.");
}
