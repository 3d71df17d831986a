import type { ResponseCreateParamsNonStreaming } from "openai/resources/responses/responses";
import type { BedrockEndpoint } from "../lib/core/options.ts";
import type { ProviderFailure } from "../lib/model/provider-errors.ts";

/** What the commands ask of AWS, one adapter per service in cli/aws/. Each throws what its SDK client throws. */

export interface Stacks {
  /** The outputs of a deployed stack by their names; `undefined`: there is no such stack. */
  outputs(stackName: string): Promise<DeployedOutputs | undefined>;
}

export interface DeployedOutputs {
  /** CloudFormation's: `UPDATE_COMPLETE`. */
  readonly status: string;
  readonly outputs: Readonly<Record<string, string>>;
}

export interface AlarmState {
  readonly name: string;
  readonly state: "OK" | "ALARM" | "INSUFFICIENT_DATA";
  /** CloudWatch's own sentence. */
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
  /** CloudWatch's filter pattern: `{ $.runId = "…" }`. */
  readonly pattern?: string;
  readonly signal?: AbortSignal;
}

export interface Logs {
  /** All records of the time, oldest first; none where the group does not exist (any more). */
  records(query: LogQuery): Promise<readonly LogRecord[]>;
}

export interface QueuedMessage {
  readonly id: string;
  readonly body: string;
  readonly receipt: string;
  readonly sentAtMs: number | undefined;
}

export interface Queues {
  /** Messages that wait. */
  depth(queueUrl: string): Promise<number>;
  /** Borrows all that wait, up to 500, for two minutes: nobody else sees them meanwhile. */
  borrow(queueUrl: string, signal?: AbortSignal): Promise<readonly QueuedMessage[]>;
  /** Gives a borrowed message back at once. */
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
  /** Invocations at one time in the account and region; `unreserved`: what functions without a reservation share. */
  accountConcurrency(): Promise<{ readonly limit: number; readonly unreserved: number }>;
  /** Puts an event into the function's own queue. */
  send(functionName: string, event: unknown): Promise<void>;
}

export interface Identity {
  caller(): Promise<{ readonly arn: string; readonly account: string }>;
}

export interface Bedrock {
  /** Has a model answer once (model-request.ts). What refused that, or `undefined`: it has answered. */
  ask(question: {
    readonly endpoint: BedrockEndpoint;
    readonly region: string;
    readonly body: ResponseCreateParamsNonStreaming;
  }): Promise<ProviderFailure | undefined>;
}

export interface Aws {
  readonly stacks: Stacks;
  readonly alarms: Alarms;
  readonly logs: Logs;
  readonly queues: Queues;
  readonly schedules: Schedules;
  readonly functions: Functions;
  readonly identity: Identity;
  readonly bedrock: Bedrock;
}
