import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { inject } from "vitest";
import * as z from "zod";
import { systemClock } from "../../lib/clock.ts";
import type { WindowSummary } from "../../lib/dispatch/window.ts";
import { createTable, type Table } from "../../lib/dynamodb.ts";
import { runSchema, type Run } from "../../lib/ledger/run.ts";
import type { LogEvent } from "../../lib/log.ts";
import type { MetricName } from "../../lib/metrics.ts";
import type { CloudEvent } from "../../local/cloud/events.ts";
import type { InvokeResult } from "../../local/cloud/lambda-service.ts";
import type { LocalCloud } from "../../local/cloud/local-cloud.ts";
import type { OfflineModel } from "../../local/model/server.ts";
import { isMetricLine, parseLogLine, type LogLine } from "../../local/narrate.ts";
import { drain } from "../../local/once.ts";
import type { LocalOptions } from "../../local/options.ts";
import { startStack, type BuiltStack, type StackSettings } from "../../local/stack.ts";
import type { WorkspaceDetail, WorkspaceSummary } from "../../local/studio/page-api.ts";
import type { LocalStudio } from "../../local/studio/server.ts";
import { eventually } from "./eventually.ts";

export interface ScenarioOptions {
  /** Default 4. */
  readonly concurrency?: number;
  /** Default 60 s, in which no lease runs out and no beat is due. */
  readonly leaseMs?: number;
  /** Of one turn of the model. Default 20 ms. */
  readonly turnMs?: number;
  /** The dispatcher runs by its schedule, in pickup "fast"; else only when `window` or `drain` invoke it. */
  readonly serve?: boolean;
  /** In place of the template's. */
  readonly processorTimeoutSeconds?: number;
  /** Over the functions' own variables. */
  readonly variables?: Readonly<Record<string, string>>;
}

export interface WindowResult {
  /** What the dispatcher answered; absent when it ended with a function error. */
  readonly summary?: WindowSummary;
  /** The function error that Lambda counts, and its alarm sees. */
  readonly error?: { readonly errorType: string; readonly errorMessage: string };
}

/** The local stack with a test's hands on it. */
export interface Scenario {
  readonly cloud: LocalCloud;
  readonly studio: LocalStudio;
  readonly model: OfflineModel;
  readonly table: Table;
  /** Everything that happened in the cloud, log lines included. */
  readonly events: readonly CloudEvent[];
  /** The functions' own log lines of that name. */
  lines(event: LogEvent): readonly LogLine[];
  /** The sum of a metric's values, over its dimensions. */
  metric(name: MetricName): number;
  /** Queues a job for a new workspace; gives the workspace's id. */
  queue(text: string): string;
  /** One invocation of the dispatcher. */
  window(): Promise<WindowResult>;
  /** Windows until the queue is empty and everything has ended. */
  drain(): Promise<void>;
  /** The line with which the workspace's newest run ended, once it has. */
  ended(workspaceId: string): Promise<LogLine>;
  summary(workspaceId: string): WorkspaceSummary;
  /** The workspace as the page shows it. */
  detail(workspaceId: string): Promise<WorkspaceDetail>;
  /** Paths of the requests about a workspace, in order. */
  requests(workspaceId: string): readonly string[];
  /** The ledger's runs, oldest first. */
  runs(): Promise<readonly Run[]>;
  /** Puts a value into the template's secret whose logical id has `part` in it. */
  putSecret(part: "Keys" | "ModelKey", value: string): void;
  /** The values that must be seen nowhere, by what they are. */
  secrets(): Readonly<Record<"runnerKey" | "modelKey", string>>;
  close(): Promise<void>;
}

const pool = "local";

const templateSchema = z.looseObject({
  Resources: z.record(
    z.string(),
    z.looseObject({ Type: z.string(), Properties: z.record(z.string(), z.unknown()).default({}) }),
  ),
});

type Template = z.output<typeof templateSchema>;

/** Starts a stack on the bundles of `build-once.ts`. */
export async function startScenario(options: ScenarioOptions = {}): Promise<Scenario> {
  const stateDir = mkdtempSync(join(tmpdir(), "studio-runner-state-"));
  const events: CloudEvent[] = [];
  const stack = await startStack(stackOptions(options, stateDir), {
    clock: systemClock,
    random: Math.random,
    newSecret: () => crypto.randomUUID().replaceAll("-", ""),
    stateDir,
    onEvent: (event) => void events.push(event),
    tuning: {
      leaseMs: options.leaseMs ?? 60_000,
      modelLatencyMs: options.turnMs ?? 20,
      build: (settings) => Promise.resolve(reuse(settings, options)),
    },
  });
  const { cloud, studio, model } = stack;
  if (!studio || !model) throw new Error("a scenario has its own Studio and model");
  const secretIds = { Keys: idOf("KeysSecret"), ModelKey: idOf("ModelKeySecret") };
  const table = createTable(cloud.tableName(idOf("LedgerTable")), {
    endpoint: cloud.env["AWS_ENDPOINT_URL_DYNAMODB"]!,
    region: "us-east-1",
    credentials: { accessKeyId: "local", secretAccessKey: "local" },
  });
  const logLines = (): readonly string[] => events.flatMap((one) => (one.kind === "log" ? [one.line] : []));
  const lines = (event: LogEvent): readonly LogLine[] =>
    logLines().flatMap((text) => {
      const line = isMetricLine(text) ? undefined : parseLogLine(text);
      return line?.message === event ? [line] : [];
    });
  return {
    cloud,
    studio,
    model,
    table,
    events,
    lines,
    metric: (name) => sum(logLines().filter(isMetricLine), name),
    queue: (text) => studio.queueJob({ text, target: "user" }),
    window: async () => windowResult(await cloud.invoke(idOf("Dispatcher"), { pool }, now)),
    drain: async () => {
      const drained = await drain(stack, systemClock, AbortSignal.timeout(60_000));
      if (!drained) throw new Error("the queue could not be drained");
    },
    ended: (workspaceId) =>
      eventually(`the end of the run for ${workspaceId}`, () =>
        lines("run_ended").findLast((line) => line.workspaceId === workspaceId),
      ),
    summary: (workspaceId) => studio.snapshot().find((one) => one.workspaceId === workspaceId)!,
    detail: async (workspaceId) => {
      const response = await fetch(`${studio.url}/api/workspaces/${workspaceId}`);
      return (await response.json()) as WorkspaceDetail;
    },
    requests: (workspaceId) =>
      studio.requests().flatMap((one) => (one.workspaceId === workspaceId ? [one.path] : [])),
    runs: async () => {
      const where = { text: "#pool = :pool AND begins_with(#id, :run)", values: { pool, run: "run#" } };
      return (await table.query({ where })).map((row) => runSchema.parse(row));
    },
    putSecret: (part, value) => cloud.putSecret(secretIds[part], value),
    secrets: () => ({
      runnerKey: cloud.getSecret(secretIds.Keys),
      modelKey: cloud.getSecret(secretIds.ModelKey),
    }),
    close: async () => {
      await stack.stop(0);
      rmSync(stateDir, { recursive: true, force: true });
    },
  };
}

const now = { type: "RequestResponse" } as const;

function stackOptions({ serve = false, concurrency = 4 }: ScenarioOptions, stateDir: string): LocalOptions {
  return { once: !serve, port: 0, concurrency, stateDir, studio: undefined, model: undefined };
}

function readTemplate(): Template {
  return templateSchema.parse(JSON.parse(readFileSync(inject("templateFile"), "utf8")));
}

/** The logical id of the template's only resource of the kind that `part` names: a table, a function, a secret or a queue. */
export function idOf(part: string): string {
  const kinds = [
    "AWS::DynamoDB::Table",
    "AWS::Lambda::Function",
    "AWS::SecretsManager::Secret",
    "AWS::SQS::Queue",
  ];
  const ids = Object.entries(readTemplate().Resources).flatMap(([id, { Type }]) =>
    kinds.includes(Type) && id.includes(part) ? [id] : [],
  );
  if (ids.length !== 1) throw new Error(`${ids.length} resources have "${part}" in their ids`);
  return ids[0]!;
}

/** The one template, with what these settings say over it. */
function reuse(settings: StackSettings, options: ScenarioOptions): BuiltStack {
  const { studio, inference, pools } = settings;
  const variables = {
    RUNNER_API_BASE: studio?.baseUrl,
    RUNNER_PICKUP: pools?.[0]?.pickup,
    RUNNER_CONCURRENCY: String(pools?.[0]?.concurrency),
    OPENAI_BASE_URL: inference?.baseUrl,
    OPENAI_MODEL: inference?.model,
    OPENAI_SUMMARY_MODEL: inference?.summaryModel,
    ...options.variables,
  };
  return { templateFile: templateFor(options), variables: z.record(z.string(), z.string()).parse(variables) };
}

function templateFor({ processorTimeoutSeconds }: ScenarioOptions): string {
  const built = inject("templateFile");
  if (processorTimeoutSeconds === undefined) return built;
  const template = readTemplate();
  template.Resources[idOf("ProcessorRunner")]!.Properties["Timeout"] = processorTimeoutSeconds;
  // Beside the first one, where the bundles are.
  const file = join(dirname(built), `Timeout${processorTimeoutSeconds}.template.json`);
  writeFileSync(file, JSON.stringify(template));
  return file;
}

function windowResult({ functionError, payload = "" }: InvokeResult): WindowResult {
  const answer: unknown = JSON.parse(payload);
  if (functionError !== undefined) return { error: answer as WindowResult["error"] & {} };
  return { summary: answer as WindowSummary };
}

/** Of embedded metrics, one line each. */
function sum(lines: readonly string[], name: MetricName): number {
  const values = lines.map((line) => (JSON.parse(line) as Record<string, unknown>)[name]);
  return values.reduce<number>((total, value) => total + (typeof value === "number" ? value : 0), 0);
}
