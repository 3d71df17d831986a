import type { Topic } from "./alarm-definitions.ts";
import type { AlarmStatus } from "./alarms.ts";

/** A message that was published to a topic. */
export interface Notification {
  readonly atMs: number;
  /** The topic's logical id, or its ARN if it is not in the template. */
  readonly topic: string;
  readonly subject: string;
  /** JSON text in CloudWatch's format. */
  readonly message: string;
  /** Subscribers at that time: "email:ops@example.com". */
  readonly subscribers: readonly string[];
}

export interface Notifications {
  publish(before: AlarmStatus, after: AlarmStatus): void;
  /** Oldest first. */
  all(): readonly Notification[];
}

const kept = 500;

/** SNS, as far as alarms use it: records what would have been sent, and to whom. */
export function createNotifications(topics: readonly Topic[], region: string): Notifications {
  const sent: Notification[] = [];
  return {
    publish(before, after) {
      for (const arn of after.definition.actions[after.state]) {
        const topic = topics.find((one) => one.arn === arn);
        sent.push({
          atMs: after.sinceMs,
          topic: topic?.logicalId ?? arn,
          subject: `${after.state}: "${after.definition.name}" in ${region}`,
          message: JSON.stringify(messageOf(before, after)),
          subscribers: topic?.subscribers ?? [],
        });
      }
      sent.splice(0, sent.length - kept);
    },
    all: () => sent,
  };
}

function messageOf(before: AlarmStatus, after: AlarmStatus): object {
  const { name, arn, description } = after.definition;
  return {
    AlarmName: name,
    AlarmArn: arn,
    AlarmDescription: description ?? null,
    NewStateValue: after.state,
    NewStateReason: after.reason,
    OldStateValue: before.state,
    StateChangeTime: new Date(after.sinceMs).toISOString(),
  };
}
