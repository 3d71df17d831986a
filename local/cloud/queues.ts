import { createHash, randomUUID } from "node:crypto";
import type { Clock } from "../../lib/core/clock.ts";
import { ServiceError } from "./errors.ts";

export interface ReceivedMessage {
  readonly id: string;
  readonly body: string;
  readonly md5: string;
  /** Identifies this receipt of the message for `delete`. */
  readonly receipt: string;
  readonly sentMs: number;
  /** How often the message was received, including this time. */
  readonly receives: number;
}

/** An SQS queue in memory, oldest message first. */
export interface MessageQueue {
  readonly name: string;
  readonly arn: string;
  readonly url: string;
  send(body: string): { readonly id: string; readonly md5: string };
  /** Takes and deletes all visible messages. */
  receive(): readonly string[];
  /** Receives messages. Each is hidden until it is deleted or `hiddenMs` is over. */
  lend(options: { readonly max: number; readonly hiddenMs?: number | undefined }): readonly ReceivedMessage[];
  /** Hides a received message for `hiddenMs` from now; 0 makes it visible. Does nothing if it was deleted. */
  hide(receipt: string, hiddenMs: number): void;
  /** @throws ServiceError `ReceiptHandleIsInvalid` */
  delete(receipt: string): void;
  /** The number of messages, including hidden ones. */
  size(): number;
  depth(): { readonly visible: number; readonly hidden: number };
  readonly visibilityMs: number;
}

export interface QueueOptions {
  readonly clock: Clock;
  readonly name: string;
  readonly arn: string;
  readonly url: string;
  readonly visibilityMs: number;
}

interface Message {
  readonly id: string;
  readonly body: string;
  readonly sentMs: number;
  visibleMs: number;
  receives: number;
  receipt: string | undefined;
}

const md5 = (text: string): string => createHash("md5").update(text).digest("hex");

export function createMessageQueue({ clock, ...own }: QueueOptions): MessageQueue {
  let messages: readonly Message[] = [];
  const isVisible = ({ visibleMs }: Message): boolean => visibleMs <= clock.now();
  return {
    ...own,
    send(body) {
      const id = randomUUID();
      const nowMs = clock.now();
      messages = [
        ...messages,
        { id, body, sentMs: nowMs, visibleMs: nowMs, receives: 0, receipt: undefined },
      ];
      return { id, md5: md5(body) };
    },
    receive() {
      const taken = messages.filter(isVisible);
      messages = messages.filter((message) => !taken.includes(message));
      return taken.map(({ body }) => body);
    },
    lend: ({ max, hiddenMs = own.visibilityMs }) =>
      messages
        .filter(isVisible)
        .slice(0, max)
        .map((message) => lendOne(message, clock.now() + hiddenMs)),
    hide(receipt, hiddenMs) {
      const message = messages.find((one) => one.receipt === receipt);
      if (message !== undefined) message.visibleMs = clock.now() + hiddenMs;
    },
    delete(receipt) {
      const message = messages.find((one) => one.receipt === receipt);
      // SQS also accepts an old receipt of a message that was deleted.
      if (message === undefined && !/^[0-9a-f-]{36}$/.test(receipt)) {
        throw new ServiceError(
          "ReceiptHandleIsInvalid",
          `The input receipt handle "${receipt}" is not valid.`,
        );
      }
      messages = messages.filter((one) => one !== message);
    },
    size: () => messages.length,
    depth: () => {
      const visible = messages.filter(isVisible).length;
      return { visible, hidden: messages.length - visible };
    },
  };
}

function lendOne(message: Message, visibleMs: number): ReceivedMessage {
  const receipt = randomUUID();
  message.receives += 1;
  message.receipt = receipt;
  message.visibleMs = visibleMs;
  const { id, body, sentMs, receives } = message;
  return { id, body, md5: md5(body), receipt, sentMs, receives };
}
