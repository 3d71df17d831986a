import { join, resolve } from "node:path";
import type { Clock } from "../../lib/clock.ts";
import { startDatabase, type Database } from "./database.ts";
import { openEndpoints, type Endpoints } from "./endpoints.ts";
import { CloudError } from "./errors.ts";
import type { Emit } from "./events.ts";
import { createFaults, type FaultPlan } from "./faults.ts";
import { FunctionRuntime } from "./lambda.ts";
import { LambdaService } from "./lambda-service.ts";
import type { CloudOptions, FunctionInfo, LocalCloud } from "./local-cloud.ts";
import { createMessageQueue } from "./queues.ts";
import type { Stack } from "./resources.ts";
import { createScheduler } from "./scheduler.ts";
import { createSecretsApi } from "./secrets-api.ts";
import { createSecretStore, withValues } from "./secrets.ts";
import { readStack } from "./template.ts";
import { after, createActivity, type Activity } from "./timers.ts";
import { variablesOf } from "./variables.ts";
import { startWarden, type Warden } from "./warden.ts";

const accountId = "000000000000";

/** What lives outside this process's memory, and has to be given back. */
interface Ground {
  readonly clock: Clock;
  readonly emit: Emit;
  readonly region: string;
  readonly warden: Warden;
  readonly endpoints: Endpoints;
  readonly database: Database | undefined;
  /** The AWS endpoint variables. */
  readonly env: Readonly<Record<string, string>>;
}

/**
 * Runs a synthesized stack on this machine (DESIGN.md, section 7).
 * @throws TemplateError, CloudError
 */
export async function startCloud(options: CloudOptions): Promise<LocalCloud> {
  const { clock, region = "us-east-1" } = options;
  const account = { region, accountId };
  const stack = readStack(resolve(options.templateFile), account);
  const secrets = createSecretStore(withValues(stack.secrets, options.secrets), clock);
  const ground = await openGround(stack, options);
  const { emit } = ground;
  const faults = createFaults();
  const activity = createActivity();
  const closing = new AbortController();
  const runtimes = createRuntimes(stack, { options, ground, faults });
  const queues = new Map(stack.queues.map(({ arn }) => [arn, createMessageQueue()]));
  const lambda = new LambdaService({
    clock,
    emit,
    faults,
    activity,
    runtimes,
    queues,
    accountConcurrency: options.accountConcurrency ?? 100,
    retryDelaysMs: options.retryDelaysMs ?? [1000, 2000],
    closing: closing.signal,
  });
  ground.endpoints.serve({ lambda, secrets: createSecretsApi(secrets) });
  const scheduler = createScheduler({ clock, emit, lambda, schedules: stack.schedules, account });
  const timing = { intervalMs: options.scheduleIntervalMs, firstTickMs: options.firstTickMs ?? 0 };
  if (options.schedules !== "off") scheduler.start(timing, closing.signal);
  let stopped: Promise<void> | undefined;
  return {
    env: { ...ground.env, AWS_REGION: region, AWS_ACCESS_KEY_ID: "local", AWS_SECRET_ACCESS_KEY: "local" },
    faults,
    invoke: (functionName, payload, { type }) =>
      lambda.invoke({ functionName, payload: JSON.stringify(payload) ?? "", type }),
    tick: (scheduleId) => scheduler.tick(scheduleId),
    functions: () => functionsOf(lambda),
    tableName: (logicalId) => byLogicalId(stack.tables, logicalId).name,
    queue: (logicalId) => queueOf(queues, byLogicalId(stack.queues, logicalId).arn),
    putSecret: (id, value) => void secrets.put(id, { value }),
    getSecret: (id) => secrets.get(id).version.value,
    idle: () => activity.idle(),
    stop: ({ graceMs }) => (stopped ??= stopAll({ ground, closing, activity, runtimes }, graceMs)),
  };
}

/** @throws CloudError, with nothing left open */
async function openGround(stack: Stack, options: CloudOptions): Promise<Ground> {
  const { clock, region = "us-east-1", dataDir, onEvent } = options;
  const emit: Emit = (event) => onEvent?.({ ...event, atMs: clock.now() });
  const warden = startWarden();
  const endpoints = await openEndpoints();
  const own = { clock, emit, region, warden, endpoints };
  const services = {
    AWS_ENDPOINT_URL_LAMBDA: endpoints.url,
    AWS_ENDPOINT_URL_SECRETS_MANAGER: endpoints.url,
  };
  if (stack.tables.length === 0) return { ...own, database: undefined, env: services };
  try {
    const database = await startDatabase({
      clock,
      warden,
      region,
      accountId,
      folder: dataDir === undefined ? undefined : join(dataDir, "dynamodb"),
      tables: stack.tables,
      onEnded: (how) => emit({ kind: "database-ended", how }),
    });
    return { ...own, database, env: { ...services, AWS_ENDPOINT_URL_DYNAMODB: database.url } };
  } catch (error) {
    await Promise.all([endpoints.close(), warden.close()]);
    throw error;
  }
}

interface RuntimesParts {
  readonly options: CloudOptions;
  readonly ground: Ground;
  readonly faults: FaultPlan;
}

function createRuntimes(
  stack: Stack,
  { options, ground, faults }: RuntimesParts,
): readonly FunctionRuntime[] {
  const { clock, emit, warden, region, env } = ground;
  const overrides = options.variables ?? {};
  return stack.functions.map(
    (fn) =>
      new FunctionRuntime(fn, {
        clock,
        emit,
        warden,
        faults,
        variables: variablesOf(fn, { region, endpoints: env, overrides }),
        reapAfterMs: options.reapAfterMs ?? 300_000,
      }),
  );
}

function functionsOf(lambda: LambdaService): readonly FunctionInfo[] {
  return lambda.functions.map(({ runtime, queue }) => {
    const { logicalId, name, label, title } = runtime.resource;
    const environments = runtime.environments();
    const inFlight = environments.filter(({ state }) => state !== "frozen").length;
    return { logicalId, name, label, title, inFlight, queued: queue.waiting(), environments };
  });
}

interface Running {
  readonly ground: Ground;
  readonly closing: AbortController;
  readonly activity: Activity;
  readonly runtimes: readonly FunctionRuntime[];
}

async function stopAll({ ground, closing, activity, runtimes }: Running, graceMs: number): Promise<void> {
  closing.abort(new CloudError("the local cloud is stopping"));
  for (const runtime of runtimes) runtime.terminate();
  const over = new AbortController();
  // The endpoints stay open meanwhile: what runs may still save its work.
  await Promise.race([activity.idle(), after(ground.clock, graceMs, over.signal)]);
  over.abort();
  await Promise.all(runtimes.map((runtime) => runtime.kill()));
  await activity.idle();
  await Promise.all([ground.endpoints.close(), ground.database?.close()]);
  await ground.warden.close();
}

/** @throws CloudError naming what there is */
function byLogicalId<T extends { readonly logicalId: string }>(
  resources: readonly T[],
  logicalId: string,
): T {
  const found = resources.find((resource) => resource.logicalId === logicalId);
  if (found !== undefined) return found;
  const known = resources.map((resource) => resource.logicalId).join(", ");
  throw new CloudError(`the template has no ${logicalId} here; it has: ${known}`);
}

/** @throws CloudError */
function queueOf<T>(queues: ReadonlyMap<string, T>, arn: string): T {
  const queue = queues.get(arn);
  if (queue === undefined) throw new CloudError(`no queue ${arn}`);
  return queue;
}
