import { createWriteStream } from "node:fs";
import { monitorEventLoopDelay } from "node:perf_hooks";
import type * as z from "zod";
import { systemClock } from "../../lib/core/clock.ts";
import { createTable } from "../../lib/adapters/dynamodb.ts";
import { attemptEventSchema } from "../../lib/adapters/lambda.ts";
import { runSchema } from "../../lib/runs/run.ts";
import { retry } from "../../lib/core/retry.ts";
import { parseRunnerKeys } from "../../lib/keys/secrets.ts";
import { accountOf } from "../support/aws.ts";
import { idOf, withTimeouts } from "../support/template.ts";
import { startCloud } from "../../local/cloud/cloud.ts";
import { startModel } from "../../local/model/server.ts";
import { startStudio } from "../../local/studio/server.ts";
import { watchAsked } from "./jobs.ts";
import type { ChaosOptions } from "./options.ts";
import { startProxy } from "./proxy.ts";
import { seeded } from "./random.ts";
import { watchRows } from "./row-history.ts";
import { serviceFaults } from "./service-faults.ts";
import { studioClock } from "./skew.ts";
import { watchCloud } from "./watch.ts";

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

export type RunRow = Readonly<z.output<typeof runSchema>>;

export type Stage = Awaited<ReturnType<typeof openStage>>;

/**
 * The local stack with its servers in this process and the functions in processes of their own. All faults
 * are off.
 */
export async function openStage(templateFile: string, options: ChaosOptions) {
  const { seed, concurrency, leaseMs } = options;
  const clock = studioClock(options);
  const rowHistory = watchRows();
  const lag = monitorEventLoopDelay();
  lag.enable();
  const asked = watchAsked();
  const watch = watchCloud();
  const events =
    options.events === undefined ? undefined : createWriteStream(options.events, { mode: 0o600 });
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
  const open = (service: keyof typeof serviceFaults) =>
    startProxy(serviceFaults[service], seeded(seed, service));
  const proxies = {
    dynamodb: await open("dynamodb"),
    lambda: await open("lambda"),
    secretsManager: await open("secretsManager"),
  };
  const firstKeys = [studio.createKey("user").runnerToken, studio.createKey("user").runnerToken];
  const cloud = await startCloud({
    templateFile: withTimeouts(templateFile, {
      ProcessorRunner: options.attemptSeconds,
      Dispatcher: dispatcherSeconds,
    }),
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
  const table = createTable(cloud.tableName(idOf(templateFile, "RunStoreTable")), accountOf(cloud));
  const keysId = idOf(templateFile, "KeysSecret");
  return {
    cloud,
    studio,
    clock,
    model,
    asked,
    watch,
    proxies,
    /** Every state of every run's row. */
    rowHistory,
    processorLabel: cloud.functions().find(({ label }) => label.includes("processor"))!.label,
    runnerKeys: () => parseRunnerKeys(cloud.getSecret(keysId), "keys").map(({ value }) => value.reveal()),
    putRunnerKeys: (keys: readonly string[]) => cloud.putSecret(keysId, JSON.stringify(keys)),
    /** The run store's runs, and the ids of rows that are none, read without the proxy. */
    rows: async () => {
      const where = { text: "#pool = :pool AND begins_with(#id, :run)", values: { pool, run: "run#" } };
      const items = await patiently(() => table.query({ where }));
      const parsed = items.map((item) => runSchema.safeParse(item));
      return {
        runs: parsed.flatMap(({ data }) => data ?? []),
        unreadable: items.flatMap(({ id }, at) => (parsed[at]?.success ? [] : [String(id)])),
      };
    },
    /** How long the pool still has to wait, as `runner status` would show it. */
    heldBackMs: async () => {
      const row = await patiently(() => table.get(backoffKey));
      return (
        Math.max(...["modelUntilMs", "studioUntilMs"].map((name) => Number(row?.[name] ?? 0))) - Date.now()
      );
    },
    /** Clears the back-off as an operator would. */
    clearBackoff: async () => {
      await patiently(() => table.update(backoffKey, { set: { modelUntilMs: 0, studioUntilMs: 0 } }));
    },
    /** The longest time that this process was held up, and with it Studio, the model and the proxies. */
    lagMs: () => Math.round(lag.max / 1e6),
    close: async () => {
      lag.disable();
      await cloud.stop({ graceMs: 0 });
      const records = {
        studio: studio.requests(),
        lease: studio.leases(),
        row: rowHistory.writes(),
        model: model.requests(),
      };
      for (const [kind, entries] of Object.entries(records))
        for (const entry of entries) events?.write(`${JSON.stringify({ kind, ...entry })}\n`);
      await Promise.all(Object.values(proxies).map((proxy) => proxy.close()));
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
