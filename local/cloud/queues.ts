/** An SQS queue in memory: what arrived, oldest first. */
export interface MessageQueue {
  send(body: string): void;
  /** Takes all messages that are there. */
  receive(): readonly string[];
  size(): number;
}

export function createMessageQueue(): MessageQueue {
  let messages: string[] = [];
  return {
    send: (body) => void messages.push(body),
    receive() {
      const taken = messages;
      messages = [];
      return taken;
    },
    size: () => messages.length,
  };
}
