import { Stack } from "aws-cdk-lib";
import { poolId } from "../pool-id.ts";
import type { Pool } from "../pool.ts";
import type { StudioRunner } from "../studio-runner.ts";
import manifest from "#package.json" with { type: "json" };
import { settingsText } from "./settings-text.ts";

interface Output {
  readonly id: string;
  readonly value: string;
  readonly description: string;
}

/** Stack outputs for the command line: version, settings, and the names that CloudFormation generated. */
export function operatingOutputs(runner: StudioRunner): readonly Output[] {
  const { settings, alarmTopic, pools } = runner;
  const stack = Stack.of(runner);
  const dashboards = pools.flatMap((pool) => {
    const { dashboard, settings: of } = pool;
    return dashboard === undefined ? [] : [[of.name, dashboard.dashboardName]];
  });
  const json = (value: unknown): string => stack.toJsonString(value);
  return [
    { id: "Version", value: manifest.version, description: "The version of studio-runner" },
    {
      id: "Settings",
      value: settingsText({ ...settings, stackName: stack.stackName }, json),
      description: "The settings, as JSON",
    },
    ...(dashboards.length === 0
      ? []
      : [
          {
            id: "Dashboard",
            value: json(Object.fromEntries(dashboards)),
            description: "The name of each pool's CloudWatch dashboard, as JSON",
          },
        ]),
    ...(alarmTopic === undefined
      ? []
      : [
          {
            id: "AlarmTopic",
            value: alarmTopic.topicArn,
            description: "The topic of all alarms: subscribe here",
          },
        ]),
    ...pools.flatMap((pool) => poolOutputs(pool, json)),
  ];
}

function poolOutputs(pool: Pool, json: (value: unknown) => string): readonly Output[] {
  const { settings, dispatcher, processor, recovery, rotator, monitoring } = pool;
  const id = poolId(settings.name);
  const ofPool = `of pool ${settings.name}`;
  const parts = { Dispatcher: dispatcher, Processor: processor, Recovery: recovery };
  const logs = Object.entries(rotator === undefined ? parts : { ...parts, Rotator: rotator });
  const names = Object.fromEntries(monitoring.alarms.map(({ id: alarm, name }) => [alarm, name]));
  return [
    {
      id: `${id}Schedule`,
      value: dispatcher.schedule.scheduleName,
      description: `The schedule ${ofPool}`,
    },
    ...logs.map(([part, { runner }]) => ({
      id: `${id}${part}Log`,
      value: runner.logGroup.logGroupName,
      description: `The log group of the ${part.toLowerCase()} ${ofPool}`,
    })),
    { id: `${id}Alarms`, value: json(names), description: `The name of each alarm ${ofPool}, as JSON` },
  ];
}
