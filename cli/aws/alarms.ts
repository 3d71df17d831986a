import { CloudWatchClient, DescribeAlarmsCommand } from "@aws-sdk/client-cloudwatch";
import type { Alarms, AlarmState } from "../ports.ts";
import type { AwsConfig } from "./config.ts";

/** DescribeAlarms accepts no more names per call. */
const namesPerCall = 100;

export function createAlarms(config: AwsConfig): Alarms {
  const client = new CloudWatchClient(config);
  const describe = async (names: readonly string[]): Promise<readonly AlarmState[]> => {
    const command = new DescribeAlarmsCommand({
      AlarmNames: [...names],
      AlarmTypes: ["MetricAlarm", "CompositeAlarm"],
      MaxRecords: namesPerCall,
    });
    const { MetricAlarms = [], CompositeAlarms = [] } = await client.send(command);
    return [...MetricAlarms, ...CompositeAlarms].map((alarm) => ({
      name: alarm.AlarmName ?? "",
      state: alarm.StateValue ?? "INSUFFICIENT_DATA",
      reason: alarm.StateReason,
      sinceMs: (alarm.StateTransitionedTimestamp ?? alarm.StateUpdatedTimestamp)?.getTime(),
    }));
  };
  return {
    states: async (names) => {
      const pages = Array.from({ length: Math.ceil(names.length / namesPerCall) }, (_, page) =>
        names.slice(page * namesPerCall, (page + 1) * namesPerCall),
      );
      return (await Promise.all(pages.map(describe))).flat();
    },
  };
}
