import { join } from "node:path";
import { CloudError } from "./errors.ts";
import { createFaults } from "./faults.ts";
import { closeContext, openContext, type CloudContext } from "./context.ts";
import { FunctionRuntime } from "./lambda.ts";
import { LambdaService } from "./lambda-service.ts";
import type { CloudOptions, FunctionInfo, LocalCloud } from "./local-cloud.ts";
import { createLogStore, type LogStore } from "./logs/log-store.ts";
import { queryLogs } from "./logs/log-queries.ts";
import { metricQuerySchema } from "./monitoring/metric-query.ts";
import { createMonitor } from "./monitoring/monitor.ts";
import { createMessageQueue } from "./queues.ts";
import { createRotations } from "./rotation.ts";
import { createScheduler } from "./scheduler.ts";
import { createSecretStore, withValues } from "./secrets.ts";
import type { CloudPorts } from "./ports.ts";
import { createServices } from "./services.ts";
import { after, createActivity, type Activity } from "./timers.ts";
import { variablesOf } from "./variables.ts";

/**
 * Runs a synthesized stack on this machine (DESIGN.md, section 7).
 * @throws TemplateError, CloudError
 */
export async function startCloud(options: CloudOptions): Promise<LocalCloud> {
  const context = await openContext(options);
  try {
    return build(context, options);
  } catch (error) {
    await closeContext(context);
    throw error;
  }
}

function build(context: CloudContext, options: CloudOptions): LocalCloud {
  const activity = createActivity();
  const closing = new AbortController();
  const faults = createFaults();
  const runtimes = createRuntimes({ ...context, faults }, options);
  const common = { ...context, faults, activity, closing: closing.signal };
  const ports = createPorts(common, runtimes, options);
  const { lambda, scheduler, monitor, logs, queues, secrets } = ports;
  context.observe((event) => logs.observe(event));
  context.observe((event) => monitor.observe(event));
  const { signed, open } = createServices(ports);
  context.endpoints.serve(signed, open);
  const timing = { intervalMs: options.scheduleIntervalMs, firstTickMs: options.firstTickMs ?? 0 };
  if (options.schedules !== "off") scheduler.start(timing, closing.signal);
  monitor.start(closing.signal);
  const { stack, account, endpoints, credentials, env, clock } = context;
  let stopped: Promise<void> | undefined;
  return {
    stackName: stack.name,
    region: account.region,
    endpointUrl: endpoints.url,
    credentials,
    env: { ...env, AWS_REGION: account.region },
    faults: { ...faults, freeze: (pid, ms) => runtimes.some((runtime) => runtime.freeze(pid, ms)) },
    invoke: (functionName, payload, { type }) =>
      lambda.invoke({ functionName, payload: JSON.stringify(payload) ?? "", type }),
    tick: (scheduleId) => scheduler.tick(scheduleId),
    functions: () => functionsOf(lambda),
    tableName: (logicalId) => byLogicalId(stack.tables, logicalId).name,
    queue: (logicalId) => byArn(queues, byLogicalId(stack.queues, logicalId).arn),
    putSecret: (id, value) => void secrets.put(id, { value }),
    clearSecret: (id) => secrets.find(id).versions.clear(),
    getSecret: (id) => secrets.get(id).version.value,
    alarms: () => monitor.alarms.states(),
    evaluateAlarms: (atMs = clock.now()) => monitor.evaluate(atMs),
    notifications: () => monitor.alarms.notifications(),
    dashboards: () => stack.dashboards,
    metrics: () => monitor.metrics(),
    metricData: (queries, range) =>
      monitor.metricData(
        queries.map((query) => metricQuerySchema.parse(query)),
        range,
      ),
    logQuery: (query) => queryLogs(logs, query),
    outputs: () => Object.fromEntries(stack.outputs.map(({ key, value }) => [key, value])),
    idle: () => activity.idle(),
    stop: ({ graceMs }) => (stopped ??= stopAll({ context, closing, activity, runtimes, logs }, graceMs)),
  };
}

type Common = CloudContext & Pick<CloudPorts, "faults" | "activity" | "closing">;

/** Creates the services' state, without endpoints. */
function createPorts(
  common: Common,
  runtimes: readonly FunctionRuntime[],
  options: CloudOptions,
): CloudPorts {
  const { clock, stack, account } = common;
  const { dataDir } = options;
  const queues = stack.queues.map((queue) => createMessageQueue({ clock, ...queue }));
  const secrets = createSecretStore(withValues(stack.secrets, options.secrets), clock);
  const ports = { ...common, queues, secrets, retryDelaysMs: options.retryDelaysMs ?? [1000, 2000] };
  const lambda = new LambdaService(ports, runtimes, options.accountConcurrency ?? 100);
  return {
    ...ports,
    lambda,
    rotations: createRotations({ ...ports, lambda }, stack.rotations),
    scheduler: createScheduler({ ...ports, lambda }, stack.schedules),
    monitor: createMonitor(ports, account.region),
    logs: createLogStore(stack, { file: dataDir && join(dataDir, "logs.sqlite") }),
  };
}

function createRuntimes(
  ports: CloudContext & Pick<CloudPorts, "faults">,
  options: CloudOptions,
): readonly FunctionRuntime[] {
  const { account, env, stack } = ports;
  const { variables: overrides = {}, variablesOf: ofEnvironment = () => ({}) } = options;
  return stack.functions.map(
    (fn) =>
      new FunctionRuntime(fn, ports, {
        variables: variablesOf(fn, { region: account.region, endpoints: env, overrides }),
        variablesOf: ofEnvironment,
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
  readonly context: CloudContext;
  readonly closing: AbortController;
  readonly activity: Activity;
  readonly runtimes: readonly FunctionRuntime[];
  readonly logs: LogStore;
}

/** How long processes have to finish after SIGTERM. */
const windDownMs = 1_000;

/**
 * Sends SIGTERM at once to the functions that schedules start, because they take new work. The others have
 * `graceMs` to finish, and then get SIGTERM too. The endpoints stay open in the meantime, so that functions
 * can still save their work.
 */
async function stopAll(
  { context, closing, activity, runtimes, logs }: Running,
  graceMs: number,
): Promise<void> {
  closing.abort(new CloudError("the local cloud is stopping"));
  const idleWithin = async (limitMs: number): Promise<void> => {
    const over = new AbortController();
    await Promise.race([activity.idle(), after(context.clock, limitMs, over.signal)]);
    over.abort();
  };
  const starters = new Set(context.stack.schedules.map(({ targetArn }) => targetArn));
  for (const runtime of runtimes) if (starters.has(runtime.resource.arn)) runtime.terminate();
  await idleWithin(graceMs);
  for (const runtime of runtimes) runtime.terminate();
  await idleWithin(Math.min(graceMs, windDownMs));
  await Promise.all(runtimes.map((runtime) => runtime.kill()));
  await activity.idle();
  await closeContext(context);
  logs.close();
}

/** @throws CloudError that names the available ids */
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
function byArn<T extends { readonly arn: string }>(resources: readonly T[], arn: string): T {
  const found = resources.find((resource) => resource.arn === arn);
  if (found === undefined) throw new CloudError(`no resource ${arn}`);
  return found;
}
