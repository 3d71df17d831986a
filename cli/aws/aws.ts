import type { Aws } from "../ports.ts";
import { toAwsConfig, type AwsAccount } from "./config.ts";
import { createAlarms } from "./alarms.ts";
import { createBedrock } from "./bedrock.ts";
import { createFunctions } from "./functions.ts";
import { createIdentity, readRegion } from "./identity.ts";
import { createLogs } from "./logs.ts";
import { createNetwork } from "./network.ts";
import { createQueues } from "./queues.ts";
import { createSchedules } from "./schedules.ts";
import { createStacks } from "./stacks.ts";

/** Creates clients for all services. A client connects when it is first used. */
export function createAws(account: AwsAccount): Aws {
  const config = toAwsConfig(account);
  return {
    region: () => readRegion(config),
    stacks: createStacks(config),
    alarms: createAlarms(config),
    logs: createLogs(config),
    queues: createQueues(config),
    schedules: createSchedules(config),
    functions: createFunctions(config),
    identity: createIdentity(config),
    bedrock: createBedrock(config),
    network: createNetwork(config),
  };
}
