import { randomUUID } from "node:crypto";
import { ulid } from "ulid";
import { systemClock } from "../lib/clock.ts";
import {
  parseDispatcherConfig,
  parseProcessorConfig,
  parseSettlerConfig,
  type DispatcherConfig,
  type ProcessorConfig,
  type SettlerConfig,
} from "../lib/config.ts";
import type { WindowDeps, WindowSettings } from "../lib/dispatch/window.ts";
import { pickups } from "../lib/dispatch/pickup.ts";
import { createTable } from "../lib/dynamodb.ts";
import { createEmfMetrics } from "../lib/emf.ts";
import { createHttp } from "../lib/http.ts";
import { createOpenAiModel } from "../lib/inference/openai.ts";
import type { LegDeps } from "../lib/job/leg.ts";
import { paced, type PacedProvider } from "../lib/job/paced-model.ts";
import type { RecoverDeps } from "../lib/job/recover.ts";
import { createWork } from "../lib/job/work.ts";
import { createJsonLog } from "../lib/json-log.ts";
import { createLambdaInvoker } from "../lib/lambda.ts";
import { createBackoffRow } from "../lib/ledger/backoff.ts";
import { createControlRow } from "../lib/ledger/control.ts";
import { createDispatchLock } from "../lib/ledger/dispatch-lock.ts";
import { createLedger } from "../lib/ledger/ledger.ts";
import { createSecretsManager } from "../lib/secrets-manager.ts";
import { createSecretCache, parseModelKey, parseRunnerKeys } from "../lib/secrets.ts";
import { createStudio } from "../lib/studio/client.ts";
import { timing } from "../lib/timing.ts";

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
      backoff: createBackoffRow(table),
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
      maxEventAgeMs: config.RUNNER_MAX_EVENT_AGE_MS,
    },
    stop: stopping.signal,
  };
});

export const processor = /* @__PURE__ */ once((): LegDeps => {
  const config = parseProcessorConfig(process.env);
  const shared = common("processor", config);
  const table = createTable(config.RUNNER_LEDGER_TABLE);
  const model = paced(providerModel(config, shared), {
    clock,
    backoff: createBackoffRow(table),
    pool: config.RUNNER_POOL,
    log: shared.log,
  });
  return {
    ...shared,
    ledger: createLedger(table),
    // The next leg is another invocation of this very function.
    invoker: createLambdaInvoker(process.env["AWS_LAMBDA_FUNCTION_NAME"] ?? ""),
    newId: () => randomUUID(),
    modelName: config.OPENAI_MODEL,
    work: createWork({
      model,
      modelName: config.OPENAI_MODEL,
      summaryModelName: config.OPENAI_SUMMARY_MODEL,
      store: config.OPENAI_STORE,
    }),
    cancelResponse: (responseId) => model.cancel(responseId, AbortSignal.timeout(timing.cancelLimitMs)),
  };
});

export const settler = /* @__PURE__ */ once((): RecoverDeps => {
  const config = parseSettlerConfig(process.env);
  return {
    ...common("settler", config),
    ledger: createLedger(createTable(config.RUNNER_LEDGER_TABLE)),
    invoker: createLambdaInvoker(config.RUNNER_PROCESSOR_FUNCTION),
  };
});

type Common = ReturnType<typeof common>;

function providerModel(config: ProcessorConfig, { secrets, http, log }: Common): PacedProvider {
  const secretId = config.OPENAI_KEY_SECRET;
  const apiKey = createSecretCache({ source: secrets, clock, secretId, parse: parseModelKey });
  const baseUrl = config.OPENAI_BASE_URL;
  return (onRateLimited) =>
    createOpenAiModel({
      apiKey,
      fetch: http.fetch,
      clock,
      random,
      mode: config.OPENAI_MODE,
      onRateLimited,
      onEvent: (note) =>
        log.warn("call_retried", {
          what: "model",
          ...(note.kind === "retry" ? { reason: note.code, waitMs: note.waitMs } : { reason: note.kind }),
        }),
      ...(baseUrl === undefined ? {} : { baseUrl }),
    });
}

function common(serviceName: string, config: DispatcherConfig | ProcessorConfig | SettlerConfig) {
  const http = createHttp();
  const secrets = createSecretsManager();
  return {
    clock,
    random,
    http,
    secrets,
    runLimitMs: config.RUNNER_RUN_LIMIT_MS,
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
