import type { ResponseCreateParamsNonStreaming } from "openai/resources/responses/responses";
import type { BedrockEndpoint } from "../lib/core/options.ts";
import type { ProviderFailure } from "../lib/model/provider-errors.ts";

/**
 * The AWS calls that the commands need, with one adapter per service in cli/aws/. Each throws what its SDK
 * client throws.
 */

export interface Stacks {
  /** The outputs of a deployed stack by name; `undefined`: there is no such stack. */
  outputs(stackName: string): Promise<DeployedOutputs | undefined>;
}

export interface DeployedOutputs {
  /** CloudFormation's status: `UPDATE_COMPLETE`. */
  readonly status: string;
  readonly outputs: Readonly<Record<string, string>>;
}

export interface AlarmState {
  readonly name: string;
  readonly state: "OK" | "ALARM" | "INSUFFICIENT_DATA";
  /** CloudWatch's reason. */
  readonly reason: string | undefined;
  readonly sinceMs: number | undefined;
}

export interface Alarms {
  states(names: readonly string[]): Promise<readonly AlarmState[]>;
}

export interface LogRecord {
  readonly id: string;
  readonly atMs: number;
  readonly text: string;
}

export interface LogQuery {
  readonly group: string;
  readonly startMs: number;
  readonly endMs?: number;
  /** A CloudWatch filter pattern: `{ $.runId = "…" }`. */
  readonly pattern?: string;
  readonly signal?: AbortSignal;
}

export interface Logs {
  /** All matching records, oldest first; none if the log group does not exist. */
  records(query: LogQuery): Promise<readonly LogRecord[]>;
}

export interface QueuedMessage {
  readonly id: string;
  readonly body: string;
  readonly receipt: string;
  readonly sentAtMs: number | undefined;
}

export interface Queues {
  /** The number of waiting messages. */
  depth(queueUrl: string): Promise<number>;
  /** Receives all waiting messages, up to 500, and hides them from others for two minutes. */
  borrow(queueUrl: string, signal?: AbortSignal): Promise<readonly QueuedMessage[]>;
  /** Makes a borrowed message visible again at once. */
  giveBack(queueUrl: string, receipt: string): Promise<void>;
  remove(queueUrl: string, receipt: string): Promise<void>;
}

export interface ScheduleState {
  readonly enabled: boolean;
  readonly expression: string;
}

export interface Schedules {
  read(name: string): Promise<ScheduleState>;
}

export interface Functions {
  /** The part of the account's concurrency limit in the region that functions without a reservation share. */
  unreservedConcurrency(): Promise<number>;
  /** Invokes the function asynchronously. */
  send(functionName: string, event: unknown): Promise<void>;
}

export interface Identity {
  caller(): Promise<{ readonly arn: string; readonly account: string }>;
}

export interface Bedrock {
  /**
   * Requests one answer from a model (model-request.ts). Returns the error that refused it; `undefined`: it
   * answered.
   */
  ask(question: {
    readonly endpoint: BedrockEndpoint;
    readonly region: string;
    readonly body: ResponseCreateParamsNonStreaming;
  }): Promise<ProviderFailure | undefined>;
}

export interface NetworkSubnet {
  readonly id: string;
  readonly vpcId: string;
  readonly zone: string;
  readonly defaultRoute: "internet gateway" | "NAT or other" | "none";
}

export interface NetworkFacts {
  /** Only those that exist. */
  readonly subnets: readonly NetworkSubnet[];
  readonly securityGroups: readonly {
    readonly id: string;
    readonly vpcId: string;
    /** Whether it lets its members send to port 443. */
    readonly allowsHttps: boolean;
  }[];
  /** Services with an endpoint that every subnet uses: `dynamodb`. */
  readonly endpoints: readonly string[];
  /** Those of them whose own security groups let no function in. */
  readonly closedEndpoints: readonly string[];
}

export interface Network {
  read(given: {
    readonly subnetIds: readonly string[];
    readonly securityGroupIds: readonly string[];
  }): Promise<NetworkFacts>;
}

export interface Aws {
  /** The region that the clients use. @throws CliError `usage` if none is set, or if it is no region */
  readonly region: () => Promise<string>;
  readonly stacks: Stacks;
  readonly alarms: Alarms;
  readonly logs: Logs;
  readonly queues: Queues;
  readonly schedules: Schedules;
  readonly functions: Functions;
  readonly identity: Identity;
  readonly bedrock: Bedrock;
  readonly network: Network;
}
