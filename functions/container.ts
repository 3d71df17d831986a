import type { Logger } from "@aws-lambda-powertools/logger";
import { randomBytes, randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { ulid } from "ulid";
import { systemClock } from "../lib/core/clock.ts";
import {
  parseDispatcherConfig,
  parseProcessorConfig,
  parseRotatorConfig,
  parseRecoveryConfig,
  type DispatcherConfig,
  type ProcessorConfig,
  type RecoveryConfig,
} from "../lib/core/config.ts";
import type { CyclePorts, CycleSettings } from "../lib/dispatch/cycle.ts";
import { pollingTimes } from "../lib/dispatch/polling.ts";
import { createTable } from "../lib/adapters/dynamodb.ts";
import { createEmfMetrics } from "../lib/core/emf.ts";
import { RunnerError } from "../lib/core/errors.ts";
import { createHttp } from "../lib/adapters/http.ts";
import type { AttemptPorts } from "../lib/attempt/attempt.ts";
import { paced } from "../lib/attempt/paced-model.ts";
import type { RecoveryPorts } from "../lib/attempt/recover.ts";
import { inTier } from "../lib/attempt/tiered-model.ts";
import { createWork } from "../lib/attempt/work.ts";
import { createJsonLog, type Log } from "../lib/core/log.ts";
import type { Model } from "../lib/model/model.ts";
import { createLambdaInvoker } from "../lib/adapters/lambda.ts";
import { createBackoffRow } from "../lib/runs/backoff.ts";
import { createControlRow } from "../lib/runs/control.ts";
import { createDispatchLock } from "../lib/runs/dispatch-lock.ts";
import { createRunStore } from "../lib/runs/run-store.ts";
import { createRunStoreTable } from "../lib/runs/table.ts";
import { createRotationRow } from "../lib/runs/rotation.ts";
import { createSpendRow } from "../lib/runs/spend.ts";
import { createWorkspaceRows } from "../lib/runs/workspaces.ts";
import { signIn } from "../lib/rotation/sign-in.ts";
import type { RotatorPorts, RotatorSettings } from "../lib/rotation/scheduled-rotation.ts";
import { createRunnerKeys } from "../lib/keys/runner-keys.ts";
import {
  createSecretsClient,
  createSecretSource,
  createSecretStore,
} from "../lib/adapters/secrets-manager.ts";
import { createStudio } from "../lib/studio/client.ts";
import { timing } from "../lib/core/timing.ts";
import { createModelProvider } from "./model-provider.ts";

/**
 * The one composition root: reads the environment and builds the ports. Each function calls its own once, while it is
 * loaded: nothing here may use the network.
 */

const clock = systemClock;
const random = Math.random;
/** From node:crypto, which is loaded anyway: the ULID's own source is the global `crypto`, which is not. */
const randomShare = (): number => randomBytes(1).readUInt8() / 256;

export interface Dispatcher {
  readonly ports: CyclePorts;
  readonly settings: CycleSettings;
  /** Aborts when the process is asked to end: no new leases. */
  readonly stop: AbortSignal;
}

export function dispatcher(logger: Logger): Dispatcher {
  const config = parseDispatcherConfig(process.env);
  const shared = common(logger, config);
  const { table } = shared;
  const stopping = new AbortController();
  process.once("SIGTERM", () => stopping.abort());
  return {
    ports: {
      ...shared,
      // Each cycle reads its keys again, so that a new value is used by the next one (docs/decisions/0010).
      keys: createRunnerKeys({
        source: shared.secrets,
        clock,
        secretId: config.RUNNER_KEY_SECRET,
        maxAgeMs: 0,
      }),
      control: createControlRow(table),
      lock: createDispatchLock(table),
      invoker: createLambdaInvoker(config.RUNNER_PROCESSOR_FUNCTION),
      newId: () => ulid(undefined, randomShare),
    },
    settings: {
      pool: config.RUNNER_POOL,
      polling: pollingTimes[config.RUNNER_POLLING],
      concurrency: config.RUNNER_CONCURRENCY,
      leasesPerKey: config.RUNNER_LEASES_PER_KEY,
      dailyCapUsd: config.RUNNER_DAILY_CAP_USD,
      maxEventAgeMs: config.RUNNER_MAX_EVENT_AGE_MS,
    },
    stop: stopping.signal,
  };
}

export function processor(logger: Logger): AttemptPorts {
  const config = parseProcessorConfig(process.env);
  const shared = common(logger, config);
  const { log, metrics } = shared;
  const { RUNNER_POOL: pool, OPENAI_SERVICE_TIER: serviceTier } = config;
  const provider = createModelProvider(config, shared);
  const modelFor = (attemptLog: Log): Model => {
    const ports = { clock, random, backoff: shared.backoff, pool, log: attemptLog, metrics };
    return inTier(paced(provider(attemptLog), ports), { ...ports, serviceTier });
  };
  const stopping = new AbortController();
  process.once("SIGTERM", () => stopping.abort(new RunnerError("shutdown", "the process is asked to end")));
  return {
    ...shared,
    // The next attempt is another invocation of this very function.
    invoker: createLambdaInvoker(process.env["AWS_LAMBDA_FUNCTION_NAME"] ?? ""),
    newId: () => randomUUID(),
    modelName: config.OPENAI_MODEL,
    work: createWork({
      modelFor,
      modelName: config.OPENAI_MODEL,
      summaryModelName: config.OPENAI_SUMMARY_MODEL,
      roundOptions: {
        reasoningEffort: config.OPENAI_REASONING_EFFORT,
        maxOutputTokens: config.OPENAI_MAX_OUTPUT_TOKENS,
        promptCacheKey: config.OPENAI_PROMPT_CACHE_KEY,
        hostedTools: config.OPENAI_HOSTED_TOOLS,
      },
      instructions: ownInstructions(config),
      store: config.OPENAI_STORE,
      previewCharacters: config.RUNNER_PREVIEW_CHARACTERS,
    }),
    stop: stopping.signal,
    cancelResponse: (responseId) =>
      modelFor(log).cancel(responseId, AbortSignal.timeout(timing.cancelLimitMs)),
  };
}

export function recovery(logger: Logger): RecoveryPorts {
  const config = parseRecoveryConfig(process.env);
  return {
    ...common(logger, config),
    invoker: createLambdaInvoker(config.RUNNER_PROCESSOR_FUNCTION),
  };
}

const ownInstructions = ({ RUNNER_INSTRUCTIONS_FILE: file }: ProcessorConfig): string | undefined =>
  file === undefined ? undefined : readFileSync(resolve(process.env["LAMBDA_TASK_ROOT"] ?? "", file), "utf8");

export interface Rotator {
  readonly ports: RotatorPorts;
  readonly settings: RotatorSettings;
}

export function rotator(logger: Logger): Rotator {
  const config = parseRotatorConfig(process.env);
  const table = createTable(config.RUNNER_RUN_STORE_TABLE);
  const { fetch } = createHttp();
  const store = createSecretStore(createSecretsClient());
  const account = { secretId: config.RUNNER_ACCOUNT_SECRET, baseUrl: config.RUNNER_SIGN_IN_URL };
  return {
    ports: {
      clock,
      random,
      log: createJsonLog(logger),
      store,
      runStore: createRunStore(table),
      rotation: createRotationRow(table),
      studio: createStudio({ baseUrl: config.RUNNER_API_BASE, fetch, clock, random }),
      signIn: () => signIn({ secrets: store, fetch, clock, random, ...account }),
    },
    settings: {
      pool: config.RUNNER_POOL,
      kind: config.RUNNER_KIND,
      secretId: config.RUNNER_KEY_SECRET,
      revokeAfterMs: config.RUNNER_REVOKE_AFTER_MS,
    },
  };
}

function common(logger: Logger, config: DispatcherConfig | ProcessorConfig | RecoveryConfig) {
  const http = createHttp();
  const secrets = createSecretSource(createSecretsClient());
  const metrics = createEmfMetrics({ clock, writeLine: (line) => void process.stdout.write(`${line}\n`) });
  const { RUNNER_RUN_STORE_TABLE: tableName, RUNNER_POOL: pool } = config;
  const table = createRunStoreTable({ tableName, pool, metrics });
  const log = createJsonLog(logger);
  return {
    clock,
    random,
    http,
    secrets,
    table,
    workspaces: createWorkspaceRows(table),
    runStore: createRunStore(table, (error) =>
      log.error("row_unreadable", { pool, reason: error.code, error }),
    ),
    backoff: createBackoffRow(table, clock),
    spend: createSpendRow(table),
    runLimitMs: config.RUNNER_RUN_LIMIT_MS,
    log,
    metrics,
    studio: createStudio({ baseUrl: config.RUNNER_API_BASE, fetch: http.fetch, clock, random }),
    keys: createRunnerKeys({ source: secrets, clock, secretId: config.RUNNER_KEY_SECRET }),
  };
}
