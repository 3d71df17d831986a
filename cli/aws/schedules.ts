import { GetScheduleCommand, SchedulerClient } from "@aws-sdk/client-scheduler";
import type { Schedules } from "../ports.ts";
import type { AwsConfig } from "./config.ts";

export function createSchedules(config: AwsConfig): Schedules {
  const client = new SchedulerClient(config);
  return {
    read: async (name) => {
      const { State, ScheduleExpression = "" } = await client.send(new GetScheduleCommand({ Name: name }));
      return { enabled: State === "ENABLED", expression: ScheduleExpression };
    },
  };
}
