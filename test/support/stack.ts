import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as z from "zod";
import { systemClock, type Clock } from "../../lib/core/clock.ts";
import type { CycleSummary } from "../../lib/dispatch/cycle.ts";
import { createTable, type Table } from "../../lib/adapters/dynamodb.ts";
import { accountOf } from "./aws.ts";
import { parseSettings, priceListFor } from "../../infra/settings.ts";
import { runSchema, type Run } from "../../lib/runs/run.ts";
import type { LogEvent } from "../../lib/core/log.ts";
import type { MetricName } from "../../lib/core/metrics.ts";
import type { CloudEvent } from "../../local/cloud/events.ts";
import type { InvokeResult } from "../../local/cloud/lambda-service.ts";
import type { LocalCloud } from "../../local/cloud/local-cloud.ts";
import type { RequestRecord } from "../../local/model/exchange.ts";
import type { OfflineModel } from "../../local/model/server.ts";
import { isMetricLine, parseLogLine, type LogLine } from "../../cli/parse-log-line.ts";
import { drain } from "../../local/once.ts";
import type { LocalOptions } from "../../local/options.ts";
import type { StackSettings } from "../../local/local-settings.ts";
import { startStack, type BuiltStack, type StackTuning } from "../../local/stack.ts";
import type { WorkspaceDetail, WorkspaceSummary } from "../../local/studio/page-api.ts";
import type { LocalStudio } from "../../local/studio/server.ts";
import { eventually } from "./eventually.ts";
import { createHold } from "./hold.ts";
import { idOf, templateFor, type Timeouts } from "./scenario-template.ts";
import { send } from "./send.ts";
import { killWorker } from "./working-on.ts";

export interface ScenarioOptions extends Timeouts {
  /** A folder that an earlier stack has used. Default: a new one, removed at the end. */
  readonly stateDir?: string;
  /** Default: 4. */
  readonly concurrency?: number;
  /** Default: five minutes, in which no lease expires and no heartbeat is due. */
  readonly leaseMs?: number;
  /**
   * Latency of one turn of the model. With `heldMs` of hold.ts, until the test lets it continue. Default: 20
   * ms.
   */
  readonly turnMs?: number;
  /**
   * Whether the dispatcher runs on its schedule, with polling "fast". Otherwise it runs only in `cycle` and
   * `drain`.
   */
  readonly serve?: boolean;
  /** Override the functions' variables. */
  readonly variables?: Readonly<Record<string, string>>;
  /** See local/stack.ts. */
  readonly bedrock?: NonNullable<StackTuning["bedrock"]>;
  /** Builds a template for this test, if the shared one does not fit. */
  readonly build?: (settings: StackSettings, outdir: string) => Promise<string>;
}

export interface CycleResult {
  /** The dispatcher's answer; absent if it ended with a function error. */
  readonly summary?: CycleSummary;
  /** The function error, which Lambda counts and its alarm sees. */
  readonly error?: { readonly errorType: string; readonly errorMessage: string };
}

/** The local stack, with controls for tests. */
export interface Scenario {
  readonly cloud: LocalCloud;
  readonly studio: LocalStudio;
  readonly model: OfflineModel;
  readonly table: Table;
  /** Everything that happened in the cloud, including log lines. */
  readonly events: readonly CloudEvent[];
  /** The functions' log lines with that name. */
  lines(event: LogEvent): readonly LogLine[];
  /** The sum of a metric's values over its dimensions. */
  metric(name: MetricName): number;
  /** Queues a job for a new workspace and returns the workspace's id. */
  queue(text: string): string;
  /** Posts the next message in a workspace, which is another job. */
  post(workspaceId: string, text: string): Promise<void>;
  /** Runs one invocation of the dispatcher. */
  cycle(): Promise<CycleResult>;
  /**
   * `kill -9` of the process that works for the workspace, as soon as its present attempt has started.
   * Returns when the process was seen to have ended.
   */
  kill(workspaceId: string): Promise<number>;
  /** The same with SIGTERM. */
  terminate(workspaceId: string): Promise<number>;
  /** `kill -9` of the dispatcher during a cycle. */
  killDispatcher(): void;
  /** See hold.ts. */
  hold(isHeld: () => boolean): void;
  /** Runs cycles until the queue is empty and all work has ended. */
  drain(): Promise<void>;
  /** Resolves with the log line for the end of the workspace's newest run. */
  ended(workspaceId: string): Promise<LogLine>;
  summary(workspaceId: string): WorkspaceSummary;
  /** The workspace as the page shows it. */
  detail(workspaceId: string): Promise<WorkspaceDetail>;
  /** Paths of the requests about a workspace, in order. */
  requests(workspaceId: string): readonly string[];
  /** The same, only those that end a job. */
  posts(workspaceId: string): readonly string[];
  /**
   * Requests to the model for a round or a summary, including refused ones, in order. All others are free.
   */
  asked(): readonly RequestRecord[];
  /** The status of a response at the model; "missing": it is not stored. */
  responseStatus(responseId: string): Promise<string>;
  deleteResponse(responseId: string): Promise<void>;
  /** The run store's runs, oldest first. */
  runs(): Promise<readonly Run[]>;
  /** Resolves with the workspace's newest run once `holds` is true for it. */
  run(workspaceId: string, holds: (run: Run) => boolean): Promise<Run>;
  /** Puts a value into the template's secret whose logical id contains `part`. */
  putSecret(part: "Keys" | "ModelKey", value: string): void;
  /** Values that must not appear anywhere: the present keys, and the account's tokens. */
  secrets(): Readonly<Record<"runnerKey" | "modelKey" | "refreshToken", string>>;
  /** Every secret that the stack's start has created. */
  readonly madeSecrets: readonly string[];
  /** The folder of Studio's file, and of the template if the test has built one. */
  readonly stateDir: string;
  close(): Promise<void>;
}

const pool = "local";

/** Shortens the pauses between two cycles of a drain, and between two looks of a command. */
export const shortPauses: Clock = {
  ...systemClock,
  sleep: (ms, signal) => systemClock.sleep(ms / 10, signal),
};

/**
 * Starts a stack with the bundles of `build-once.ts`. `onTestFinished`: the test's own, so that the stack is
 * closed at its end.
 */
export async function startScenario(
  options: ScenarioOptions = {},
  onTestFinished?: (close: () => Promise<void>) => void,
): Promise<Scenario> {
  const { stateDir = mkdtempSync(join(tmpdir(), "studio-runner-state-")) } = options;
  const events: CloudEvent[] = [];
  const madeSecrets: string[] = [];
  const { modelClock, hold } = createHold();
  const stack = await startStack(stackOptions(options, stateDir), {
    clock: systemClock,
    random: Math.random,
    newSecret: () => {
      const secret = crypto.randomUUID().replaceAll("-", "");
      madeSecrets.push(secret);
      return secret;
    },
    stateDir,
    onEvent: (event) => void events.push(event),
    tuning: {
      kinds: ["user"],
      leaseMs: options.leaseMs ?? 300_000,
      modelLatencyMs: options.turnMs ?? 20,
      modelClock,
      ...(options.bedrock === undefined ? {} : { bedrock: options.bedrock }),
      build: async (settings, outdir) =>
        options.build
          ? { templateFile: await options.build(settings, outdir), variables: options.variables ?? {} }
          : reuse(settings, options),
    },
  });
  const close = async (): Promise<void> => {
    await stack.stop(0);
    if (options.stateDir === undefined) rmSync(stateDir, { recursive: true, force: true });
  };
  onTestFinished?.(close);
  const { cloud, studio, model } = stack;
  if (!studio || !model) throw new Error("a scenario has its own Studio and model");
  const secretIds = { Keys: idOf("KeysSecret"), ModelKey: idOf("ModelKeySecret") };
  const table = createTable(cloud.tableName(idOf("RunStoreTable")), accountOf(cloud));
  const logLines = (): readonly string[] => events.flatMap((one) => (one.kind === "log" ? [one.line] : []));
  const lines = (event: LogEvent): readonly LogLine[] =>
    logLines().flatMap((text) => {
      const line = isMetricLine(text) ? undefined : parseLogLine(text);
      return line?.message === event ? [line] : [];
    });
  const runs = async (): Promise<readonly Run[]> => {
    const where = { text: "#pool = :pool AND begins_with(#id, :run)", values: { pool, run: "run#" } };
    return (await table.query({ where })).map((row) => runSchema.parse(row));
  };
  const requests = (workspaceId: string): readonly string[] =>
    studio.requests().flatMap((one) => (one.workspaceId === workspaceId ? [one.path] : []));
  const modelKey = (): string => cloud.getSecret(secretIds.ModelKey);
  return {
    cloud,
    studio,
    model,
    table,
    events,
    lines,
    metric: (name) => sum(logLines().filter(isMetricLine), name),
    queue: (text) => studio.queueJob({ text, target: "user" }),
    post: async (workspaceId, text) => {
      const answer = await send("POST", `${studio.url}/api/workspaces/${workspaceId}/messages`, {
        body: { text },
      });
      if (answer.status !== 201) throw new Error(`the message was answered with ${answer.status}`);
    },
    kill: (workspaceId) => killWorker(events, workspaceId),
    terminate: (workspaceId) => killWorker(events, workspaceId, "SIGTERM"),
    killDispatcher: () => {
      const [dispatcher] = cloud.functions().filter(({ logicalId }) => logicalId === idOf("Dispatcher"));
      const running = dispatcher?.environments.find(({ state }) => state === "running");
      if (!running) throw new Error("no cycle is open");
      process.kill(running.pid, "SIGKILL");
    },
    cycle: async () => cycleResult(await cloud.invoke(idOf("Dispatcher"), { pool }, now)),
    hold,
    drain: async () => {
      const limit = AbortSignal.timeout(400_000);
      // A failed cycle is followed by another, as on a schedule.
      while (!(await drain(stack, shortPauses, limit))) {
        if (!limit.aborted) continue;
        const last = JSON.stringify(lines("cycle_ended").at(-1));
        throw new Error(`the queue could not be drained; the last cycle: ${last}`);
      }
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
    requests,
    posts: (workspaceId) =>
      requests(workspaceId).filter((path) => /^\/(complete|fail)WorkspaceJob$/.test(path)),
    asked: () => model.requests().filter(({ method, path }) => method === "POST" && path === "/v1/responses"),
    responseStatus: async (responseId) => {
      const answer = await send("GET", `${model.url}/responses/${responseId}`, { key: modelKey() });
      return answer.status === 404 ? "missing" : ((await answer.json()) as { status: string }).status;
    },
    deleteResponse: async (responseId) => {
      const answer = await send("DELETE", `${model.url}/responses/${responseId}`, { key: modelKey() });
      if (!answer.ok) throw new Error(`the deletion was answered with ${answer.status}`);
    },
    runs,
    run: (workspaceId, holds) =>
      eventually(`the awaited state of the run for ${workspaceId}`, async () => {
        const newest = (await runs()).findLast((one) => one.workspaceId === workspaceId);
        return newest && holds(newest) ? newest : undefined;
      }),
    putSecret: (part, value) => cloud.putSecret(secretIds[part], value),
    secrets: () => ({
      runnerKey: cloud.getSecret(secretIds.Keys),
      modelKey: modelKey(),
      refreshToken: studio.credentials.refreshToken,
    }),
    madeSecrets,
    stateDir,
    close,
  };
}

const now = { type: "RequestResponse" } as const;

function stackOptions({ serve = false, concurrency = 4 }: ScenarioOptions, stateDir: string): LocalOptions {
  return { once: !serve, port: 0, concurrency, stateDir, studio: undefined, model: undefined };
}

/** The shared template, with what these settings override. */
function reuse(settings: StackSettings, options: ScenarioOptions): BuiltStack {
  const { studio, inference, pools } = settings;
  const variables = {
    RUNNER_API_BASE: studio?.baseUrl,
    RUNNER_POLLING: pools?.[0]?.polling,
    RUNNER_CONCURRENCY: String(pools?.[0]?.concurrency),
    OPENAI_BASE_URL: inference?.baseUrl,
    OPENAI_MODEL: inference?.model,
    OPENAI_SUMMARY_MODEL: inference?.summaryModel,
    OPENAI_STORE: String(inference?.store ?? true),
    RUNNER_PRICES: JSON.stringify(priceListFor(parseSettings(settings))),
    ...options.variables,
  };
  return { templateFile: templateFor(options), variables: z.record(z.string(), z.string()).parse(variables) };
}

function cycleResult({ functionError, payload = "" }: InvokeResult): CycleResult {
  const answer: unknown = JSON.parse(payload);
  if (functionError !== undefined) return { error: answer as CycleResult["error"] & {} };
  return { summary: answer as CycleSummary };
}

/** Sums a metric over lines of embedded metrics. */
function sum(lines: readonly string[], name: MetricName): number {
  const values = lines.map((line) => (JSON.parse(line) as Record<string, unknown>)[name]);
  return values.reduce<number>((total, value) => total + (typeof value === "number" ? value : 0), 0);
}
