import { createWriteStream, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { monitorEventLoopDelay } from "node:perf_hooks";
import * as z from "zod";
import { systemClock } from "../../lib/core/clock.ts";
import { createTable } from "../../lib/adapters/dynamodb.ts";
import { attemptEventSchema } from "../../lib/adapters/lambda.ts";
import { runSchema } from "../../lib/runs/run.ts";
import { retry } from "../../lib/core/retry.ts";
import { parseRunnerKeys } from "../../lib/keys/secrets.ts";
import { accountOf } from "../support/aws.ts";
import { startCloud } from "../../local/cloud/cloud.ts";
import type { LocalCloud } from "../../local/cloud/local-cloud.ts";
import { startModel, type OfflineModel } from "../../local/model/server.ts";
import { startStudio, type LocalStudio } from "../../local/studio/server.ts";
import { watchAsked, type Asked } from "./jobs.ts";
import type { ChaosOptions } from "./options.ts";
import { startProxy, type FaultyProxy } from "./proxy.ts";
import { seeded } from "./random.ts";
import { watchRows, type RowHistory } from "./row-history.ts";
import { serviceFaults } from "./service-faults.ts";
import { studioClock, type SkewedClock } from "./skew.ts";
import { watchCloud, type Watch } from "./watch.ts";

/** Parts of the template's logical ids. */
const parts = {
  table: "RunStoreTable",
  processor: "ProcessorRunner",
  dispatcher: "Dispatcher",
  keys: "KeysSecret",
};
const pool = "local";
const backoffKey = { pool, id: "backoff" };
const modelName = "offline-canned";

/** A dispatcher's lock lasts as long as its timeout, so a killed one blocks the pool for this long. */
const dispatcherSeconds = 5;
const tickMs = 1_000;
/** Short, so that the reaper finds a lost event while its lease is live. */
const maxEventAgeMs = 2_000;
/**
 * An attempt that starts later than this after its event was queued may be considered lost
 * (lib/dispatch/reaper.ts).
 */
export const startLimitMs = maxEventAgeMs * 1.2;

/** A run's row. A later version of the runner records whether its report was answered. */
const rowSchema = runSchema.extend({ unconfirmed: z.boolean().optional() });
export type RunRow = Readonly<z.output<typeof rowSchema>>;

export interface Rows {
  readonly runs: readonly RunRow[];
  /** Ids of rows that are not runs. */
  readonly unreadable: readonly string[];
}

/**
 * The local stack with its servers in this process and the functions in processes of their own. All faults
 * are off.
 */
export interface Stage {
  readonly cloud: LocalCloud;
  readonly studio: LocalStudio;
  readonly clock: SkewedClock;
  readonly model: OfflineModel;
  readonly asked: Asked;
  readonly watch: Watch;
  readonly proxies: Readonly<Record<keyof typeof serviceFaults, FaultyProxy>>;
  /** Every state of every run's row. */
  readonly rowHistory: RowHistory;
  readonly labels: { readonly processor: string };
  runnerKeys(): readonly string[];
  putRunnerKeys(keys: readonly string[]): void;
  /** The run store's runs, read without the proxy. */
  rows(): Promise<Rows>;
  /** How long the pool still has to wait, as `runner status` would show it. */
  heldBackMs(): Promise<number>;
  /** Clears the back-off as an operator would. */
  clearBackoff(): Promise<void>;
  /** The longest time that this process was held up, and with it Studio, the model and the proxies. */
  lagMs(): number;
  close(): Promise<void>;
}

export async function openStage(templateFile: string, options: ChaosOptions): Promise<Stage> {
  const { seed, concurrency, leaseMs } = options;
  const clock = studioClock(options);
  const rowHistory = watchRows();
  const lag = monitorEventLoopDelay();
  lag.enable();
  const asked = watchAsked();
  const watch = watchCloud();
  const events =
    options.eventsFile === undefined ? undefined : createWriteStream(options.eventsFile, { mode: 0o600 });
  const modelKey = "chaos-model-key";
  const model = await startModel({
    clock: systemClock,
    random: seeded(seed, "model"),
    keys: [modelKey],
    latencyMs: 150,
    script: asked.script,
  });
  const studio = await startStudio({
    file: ":memory:",
    port: 0,
    clock,
    observer: systemClock,
    random: seeded(seed, "studio"),
    leaseMs,
    dailyLimits: { user: 1_000_000 },
    accountToken: "chaos-account",
    info: { kind: "canned", name: modelName },
  });
  const proxies = {
    dynamodb: await startProxy(serviceFaults.dynamodb, seeded(seed, "dynamodb")),
    lambda: await startProxy(serviceFaults.lambda, seeded(seed, "lambda")),
    secretsManager: await startProxy(serviceFaults.secretsManager, seeded(seed, "secrets")),
  };
  const firstKeys = [studio.createKey("user").runnerToken, studio.createKey("user").runnerToken];
  const cloud = await startCloud({
    templateFile: withTimeouts(templateFile, options),
    clock: systemClock,
    secrets: { "*ModelKey*": modelKey, "*Keys*": JSON.stringify(firstKeys) },
    variables: {
      RUNNER_POLLING: "economy",
      RUNNER_CONCURRENCY: String(concurrency),
      RUNNER_MAX_EVENT_AGE_MS: String(maxEventAgeMs),
      OPENAI_MODEL: modelName,
      OPENAI_SUMMARY_MODEL: modelName,
      AWS_ENDPOINT_URL_DYNAMODB: proxies.dynamodb.url,
      AWS_ENDPOINT_URL_LAMBDA: proxies.lambda.url,
      AWS_ENDPOINT_URL_SECRETS_MANAGER: proxies.secretsManager.url,
    },
    // Gives every process its own name in the records of all servers.
    variablesOf: (environment) => ({
      RUNNER_API_BASE: `${studio.url}/~${environment}`,
      OPENAI_BASE_URL: model.url.replace(/\/v1$/, `/~${environment}/v1`),
      AWS_SESSION_TOKEN: environment,
    }),
    scheduleIntervalMs: tickMs,
    accountConcurrency: concurrency + 40,
    onEvent: (event) => {
      watch.observe(event);
      events?.write(`${JSON.stringify(event)}\n`);
    },
  });
  proxies.dynamodb.pointTo(cloud.env["AWS_ENDPOINT_URL_DYNAMODB"]!);
  proxies.lambda.pointTo(cloud.env["AWS_ENDPOINT_URL_LAMBDA"]!);
  proxies.secretsManager.pointTo(cloud.env["AWS_ENDPOINT_URL_SECRETS_MANAGER"]!);
  proxies.lambda.onTaken(({ body, answer }) => {
    watch.called(String(answer.headers["x-amzn-requestid"]), attemptEventSchema.parse(JSON.parse(body)));
  });
  proxies.dynamodb.onTaken(rowHistory.observe);
  const template = readTemplate(templateFile);
  const table = createTable(cloud.tableName(idOf(template, parts.table)), accountOf(cloud));
  return {
    cloud,
    studio,
    clock,
    model,
    asked,
    watch,
    proxies,
    rowHistory,
    labels: { processor: cloud.functions().find(({ label }) => label.includes("processor"))!.label },
    runnerKeys: () =>
      parseRunnerKeys(cloud.getSecret(idOf(template, parts.keys)), "keys").map(({ value }) => value.reveal()),
    putRunnerKeys: (keys) => cloud.putSecret(idOf(template, parts.keys), JSON.stringify(keys)),
    rows: async () => {
      const where = { text: "#pool = :pool AND begins_with(#id, :run)", values: { pool, run: "run#" } };
      const items = await patiently(() => table.query({ where }));
      const parsed = items.map((item) => rowSchema.safeParse(item));
      return {
        runs: parsed.flatMap(({ data }) => data ?? []),
        unreadable: items.flatMap(({ id }, at) => (parsed[at]?.success ? [] : [String(id)])),
      };
    },
    heldBackMs: async () => {
      const row = await patiently(() => table.get(backoffKey));
      return (
        Math.max(...["modelUntilMs", "studioUntilMs"].map((name) => Number(row?.[name] ?? 0))) - Date.now()
      );
    },
    clearBackoff: async () => {
      await patiently(() => table.update(backoffKey, { set: { modelUntilMs: 0, studioUntilMs: 0 } }));
    },
    lagMs: () => Math.round(lag.max / 1e6),
    close: async () => {
      lag.disable();
      await cloud.stop({ graceMs: 0 });
      for (const entry of studio.requests())
        events?.write(`${JSON.stringify({ kind: "studio", atMs: entry.at, ...entry })}\n`);
      for (const entry of studio.leases())
        events?.write(`${JSON.stringify({ kind: "lease", atMs: entry.fromMs, ...entry })}\n`);
      for (const entry of rowHistory.writes())
        events?.write(`${JSON.stringify({ kind: "row", ...entry })}\n`);
      await Promise.all(Object.values(proxies).map((proxy) => proxy.close()));
      for (const { at, ...entry } of model.requests()) {
        events?.write(`${JSON.stringify({ kind: "model", atMs: at, ...entry })}\n`);
      }
      await studio.close();
      await model.close();
      events?.end();
    },
  };
}

/**
 * Retries, because on a busy machine the suite's reads of the run store can take longer than the runner's
 * time limit.
 */
const patiently = <T>(work: () => Promise<T>): Promise<T> =>
  retry(
    {
      clock: systemClock,
      random: Math.random,
      policy: { attempts: 10, baseMs: 500, maxMs: 2_000, maxRetryAfterMs: 0 },
    },
    work,
  );

const templateSchema = z.looseObject({
  Resources: z.record(
    z.string(),
    z.looseObject({ Type: z.string(), Properties: z.record(z.string(), z.unknown()).default({}) }),
  ),
});
type Template = z.output<typeof templateSchema>;

const readTemplate = (file: string): Template => templateSchema.parse(JSON.parse(readFileSync(file, "utf8")));

const kinds = ["AWS::DynamoDB::Table", "AWS::Lambda::Function", "AWS::SecretsManager::Secret"];

function idOf({ Resources }: Template, part: string): string {
  const ids = Object.entries(Resources).flatMap(([id, { Type }]) =>
    kinds.includes(Type) && id.includes(part) ? [id] : [],
  );
  if (ids.length !== 1) throw new Error(`${ids.length} resources have "${part}" in their ids`);
  return ids[0]!;
}

/** Written next to the original, where the bundles are. */
function withTimeouts(templateFile: string, { attemptSeconds }: ChaosOptions): string {
  const template = readTemplate(templateFile);
  template.Resources[idOf(template, parts.processor)]!.Properties["Timeout"] = attemptSeconds;
  template.Resources[idOf(template, parts.dispatcher)]!.Properties["Timeout"] = dispatcherSeconds;
  const file = join(dirname(templateFile), `Chaos${attemptSeconds}.template.json`);
  writeFileSync(file, JSON.stringify(template));
  return file;
}
