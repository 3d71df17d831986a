import { randomUUID } from "node:crypto";
import { ulid } from "ulid";
import { systemClock } from "../lib/clock.ts";
import {
  parseDispatcherConfig,
  parseProcessorConfig,
  type DispatcherConfig,
  type ProcessorConfig,
} from "../lib/config.ts";
import type { WindowDeps, WindowSettings } from "../lib/dispatch/window.ts";
import { pickups } from "../lib/dispatch/pickup.ts";
import { createTable } from "../lib/dynamodb.ts";
import { createEmfMetrics } from "../lib/emf.ts";
import { createHttp } from "../lib/http.ts";
import { createOpenAiModel } from "../lib/inference/openai.ts";
import type { LegDeps } from "../lib/job/leg.ts";
import { createWork } from "../lib/job/work.ts";
import { createJsonLog } from "../lib/json-log.ts";
import { createLambdaInvoker } from "../lib/lambda.ts";
import { createControlRow } from "../lib/ledger/control.ts";
import { createDispatchLock } from "../lib/ledger/dispatch-lock.ts";
import { createLedger } from "../lib/ledger/ledger.ts";
import { createSecretsManager } from "../lib/secrets-manager.ts";
import { createSecretCache, parseModelKey, parseRunnerKeys } from "../lib/secrets.ts";
import { createStudio } from "../lib/studio/client.ts";

/** The one composition root: reads the environment and builds the ports, once per execution environment. */

const clock = systemClock;
const random = Math.random;

export interface Dispatcher {
  readonly deps: WindowDeps;
  readonly settings: WindowSettings;
  /** Aborts when the process is asked to end: no new leases. */
  readonly stop: AbortSignal;
}

// Marked pure so that each bundle holds only the composition it uses.
export const dispatcher = /* @__PURE__ */ once((): Dispatcher => {
  const config = parseDispatcherConfig(process.env);
  const table = createTable(config.RUNNER_LEDGER_TABLE);
  const stopping = new AbortController();
  process.once("SIGTERM", () => stopping.abort());
  return {
    deps: {
      ...common("dispatcher", config),
      control: createControlRow(table),
      lock: createDispatchLock(table),
      ledger: createLedger(table),
      invoker: createLambdaInvoker(config.RUNNER_PROCESSOR_FUNCTION),
      newId: () => ulid(),
    },
    settings: {
      pool: config.RUNNER_POOL,
      pickup: pickups[config.RUNNER_PICKUP],
      concurrency: config.RUNNER_CONCURRENCY,
      leasesPerKey: config.RUNNER_LEASES_PER_KEY,
    },
    stop: stopping.signal,
  };
});

export const processor = /* @__PURE__ */ once((): LegDeps => {
  const config = parseProcessorConfig(process.env);
  const shared = common("processor", config);
  const apiKey = createSecretCache({
    source: shared.secrets,
    clock,
    secretId: config.OPENAI_KEY_SECRET,
    parse: parseModelKey,
  });
  const baseUrl = config.OPENAI_BASE_URL;
  const model = createOpenAiModel({
    apiKey,
    fetch: shared.http.fetch,
    clock,
    random,
    onEvent: (note) =>
      shared.log.warn("call_retried", {
        what: "model",
        ...(note.kind === "retry" ? { reason: note.code, waitMs: note.waitMs } : { reason: note.kind }),
      }),
    ...(baseUrl === undefined ? {} : { baseUrl }),
  });
  return {
    ...shared,
    ledger: createLedger(createTable(config.RUNNER_LEDGER_TABLE)),
    newId: () => randomUUID(),
    modelName: config.OPENAI_MODEL,
    work: createWork({
      model,
      modelName: config.OPENAI_MODEL,
      summaryModelName: config.OPENAI_SUMMARY_MODEL,
      store: config.OPENAI_STORE,
    }),
  };
});

function common(serviceName: string, config: DispatcherConfig | ProcessorConfig) {
  const http = createHttp();
  const secrets = createSecretsManager();
  return {
    clock,
    random,
    http,
    secrets,
    log: createJsonLog(serviceName),
    metrics: createEmfMetrics(),
    studio: createStudio({ baseUrl: config.RUNNER_API_BASE, fetch: http.fetch, clock, random }),
    keys: createSecretCache({
      source: secrets,
      clock,
      secretId: config.RUNNER_KEY_SECRET,
      parse: parseRunnerKeys,
    }),
  };
}

function once<T>(build: () => T): () => T {
  let built: { readonly value: T } | undefined;
  return () => (built ??= { value: build() }).value;
}
