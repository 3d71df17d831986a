import { randomUUID } from "node:crypto";
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { CloudFormationClient, DescribeStacksCommand } from "@aws-sdk/client-cloudformation";
import {
  CloudWatchLogsClient,
  DescribeLogGroupsCommand,
  FilterLogEventsCommand,
} from "@aws-sdk/client-cloudwatch-logs";
import { DynamoDBClient, ListTablesCommand } from "@aws-sdk/client-dynamodb";
import { IAMClient } from "@aws-sdk/client-iam";
import { LambdaClient, ListFunctionsCommand } from "@aws-sdk/client-lambda";
import { GetScheduleCommand, ListSchedulesCommand, SchedulerClient } from "@aws-sdk/client-scheduler";
import {
  GetSecretValueCommand,
  ListSecretsCommand,
  SecretsManagerClient,
} from "@aws-sdk/client-secrets-manager";
import { ListTopicsCommand, SNSClient } from "@aws-sdk/client-sns";
import { GetQueueAttributesCommand, ListQueuesCommand, SQSClient } from "@aws-sdk/client-sqs";
import { createTable } from "../../lib/adapters/dynamodb.ts";
import { systemClock } from "../../lib/core/clock.ts";
import { isMetricLine, parseLogLine, type LogLine } from "../../cli/parse-log-line.ts";
import { createControlRow, type Control } from "../../lib/runs/control.ts";
import { runSchema, type Run } from "../../lib/runs/run.ts";
import { startModel } from "../../local/model/server.ts";
import { startStudio } from "../../local/studio/server.ts";
import { eventually } from "../support/eventually.ts";
import { createHold } from "../support/hold.ts";
import { credentials, region, startEmulator } from "./emulator.ts";
import { cloneProject } from "./project.ts";
import { preparePython } from "../support/python.ts";

export const stackName = "StudioRunner";
export const pool = "default";
export type Cloud = Awaited<ReturnType<typeof startCloud>>;
type Role = "Dispatcher" | "Processor" | "Recovery" | "Rotator";

const pollEveryMs = 200;

/** Asks until there is an answer, and leaves the machine some time for the work. */
export const until = <T>(what: string, look: () => Promise<T | undefined>): Promise<T> =>
  eventually(what, async () => {
    const found = await look();
    if (found === undefined) await systemClock.sleep(pollEveryMs);
    return found;
  });

/** An AWS account, a Studio, a model, and a user's clone of the project. */
export async function startCloud() {
  // Nothing stays behind if the test runner is killed: MiniStack ends with this process.
  process.once("disconnect", () => process.exit(1));
  const kept = resolve(import.meta.dirname, "../../.local/cloud");
  const bin = await preparePython(kept, join(import.meta.dirname, "requirements.txt"));
  const folder = mkdtempSync(join(tmpdir(), "studio-runner-cloud-"));
  const emulator = await startEmulator({
    python: join(bin, "python"),
    logFile: join(kept, "ministack.log"),
    folder,
  });
  const outside = await startOutside();
  const project = cloneProject(join(folder, "project"), emulator.variables);
  return {
    ...outside,
    ...readers(emulator.endpoint),
    project,
    processOf: emulator.processOf,
    close: async () => {
      await emulator.stop();
      await outside.studio.close();
      await outside.model.close();
    },
  };
}

/** What is not AWS: the local Studio and the offline model. */
async function startOutside() {
  const clock = systemClock;
  const modelKey = randomUUID();
  const { modelClock, hold } = createHold();
  const model = await startModel({ clock: modelClock, keys: [modelKey], latencyMs: 20 });
  const studio = await startStudio({
    file: ":memory:",
    port: 0,
    clock,
    random: Math.random,
    accountToken: randomUUID(),
    info: { kind: "canned", name: "offline-canned" },
  });
  return { studio, model, modelKey, hold };
}

/** What AWS's API says. */
function readers(endpoint: string) {
  const account = { region, endpoint, credentials };
  const cloudFormation = new CloudFormationClient(account);
  const secrets = new SecretsManagerClient(account);
  const scheduler = new SchedulerClient(account);
  const logs = new CloudWatchLogsClient(account);
  const lambda = new LambdaClient(account);
  const [sqs, sns, dynamo] = [new SQSClient(account), new SNSClient(account), new DynamoDBClient(account)];

  /** `undefined`: there is no such stack. */
  const readStack = async (name = stackName) => {
    const answer = cloudFormation.send(new DescribeStacksCommand({ StackName: name }));
    return (await answer.catch(undefinedIf("ValidationError")))?.Stacks?.[0];
  };
  const readOutput = async (name: string): Promise<string> => {
    const found = (await readStack())?.Outputs?.find(({ OutputKey }) => OutputKey === name)?.OutputValue;
    if (found === undefined) throw new Error(`the stack has no output ${name}`);
    return found;
  };
  const openTable = async () => createTable(await readOutput("RunStoreTable"), account);
  /** Oldest first. */
  const readRuns = async (): Promise<readonly Run[]> => {
    const where = { text: "#pool = :pool AND begins_with(#id, :run)", values: { pool, run: "run#" } };
    return (await (await openTable()).query({ where })).map((row) => runSchema.parse(row));
  };
  /** A function's log. */
  const readLines = async (role: Role): Promise<readonly string[]> => {
    const logGroupName = await readOutput(`PoolDefault${role}Log`);
    const { events = [] } = await logs.send(new FilterLogEventsCommand({ logGroupName }));
    return events.map(({ message = "" }) => message);
  };
  return {
    lambda,
    iam: new IAMClient(account),
    readStack,
    readOutput,
    readRuns,
    /** The workspace's newest run, once `holds` is true for it. */
    awaitRun: (workspaceId: string, holds: (run: Run) => boolean): Promise<Run> =>
      until(`the awaited state of the run for ${workspaceId}`, async () => {
        const newest = (await readRuns()).findLast((run) => run.workspaceId === workspaceId);
        return newest && holds(newest) ? newest : undefined;
      }),
    readSchedule: async () =>
      scheduler.send(new GetScheduleCommand({ Name: await readOutput("PoolDefaultSchedule") })),
    readControl: async (): Promise<Control> => createControlRow(await openTable()).read(pool),
    readLines,
    /** The lines of a function's log that are ours. */
    readLog: async (role: Role): Promise<readonly LogLine[]> =>
      (await readLines(role)).flatMap((line) => (isMetricLine(line) ? [] : (parseLogLine(line) ?? []))),
    /** The version of a secret that has this stage; `undefined`: none. */
    readSecret: async (output: string, stage = "AWSCURRENT") => {
      const command = new GetSecretValueCommand({ SecretId: await readOutput(output), VersionStage: stage });
      return secrets.send(command).catch(undefinedIf("ResourceNotFoundException"));
    },
    readDeadLetters: async (): Promise<number> => {
      const QueueUrl = await readOutput("PoolDefaultDeadLetters");
      const command = new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ["All"] });
      const { Attributes = {} } = await sqs.send(command);
      const { ApproximateNumberOfMessages: free, ApproximateNumberOfMessagesNotVisible: taken } = Attributes;
      return Number(free) + Number(taken);
    },
    /** What is in the account. */
    readEverything: async () => ({
      functions: (await lambda.send(new ListFunctionsCommand())).Functions ?? [],
      secrets: (await secrets.send(new ListSecretsCommand())).SecretList ?? [],
      schedules: (await scheduler.send(new ListSchedulesCommand())).Schedules ?? [],
      queues: (await sqs.send(new ListQueuesCommand())).QueueUrls ?? [],
      topics: (await sns.send(new ListTopicsCommand())).Topics ?? [],
      logGroups: (await logs.send(new DescribeLogGroupsCommand())).logGroups ?? [],
      tables: (await dynamo.send(new ListTablesCommand())).TableNames ?? [],
    }),
  };
}

/** For errors of AWS that say that there is no such thing. Every other error is thrown again. */
const undefinedIf =
  (name: string) =>
  (error: Error): undefined => {
    if (error.name !== name) throw error;
  };
