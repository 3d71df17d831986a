import { commandName } from "../../infra/command-line.ts";
import { parseSettings } from "../../infra/settings.ts";
import { poolId } from "../../infra/pool-id.ts";
import type { Table } from "../../lib/adapters/dynamodb.ts";
import { createBackoffRow } from "../../lib/runs/backoff.ts";
import { createControlRow } from "../../lib/runs/control.ts";
import { createDispatchLock } from "../../lib/runs/dispatch-lock.ts";
import { createRunStore } from "../../lib/runs/run-store.ts";
import { createSpendRow } from "../../lib/runs/spend.ts";
import { createWorkspaceRows } from "../../lib/runs/workspaces.ts";
import type { FinishedRun, RunProgress } from "../../lib/runs/run.ts";
import { commands } from "../../cli/commands.ts";
import { createContext, type ContextEdges, type RunStorePorts, type Secrets } from "../../cli/context.ts";
import type { Aws, AlarmState, LogQuery, LogRecord } from "../../cli/ports.ts";
import { runCli } from "../../cli/run.ts";
import { createTerminal } from "../../cli/terminal.ts";
import { createFakeClock } from "./fake-clock.ts";

export interface CliAnswer {
  readonly code: number;
  readonly out: string;
  readonly err: string;
  /** The JSON document on standard output. */
  readonly json: () => unknown;
  /** The JSON error on standard error, with `--json`. */
  readonly error: () => { code: string; message: string; remedy?: string };
}

/** The answers of the AWS stand-in. Tests change them in place. */
const freshAws = () => ({
  deployed: true,
  /** CloudFormation's, and whether the stack has its outputs. */
  status: "UPDATE_COMPLETE",
  withOutputs: true,
  region: async () => "eu-central-1",
  settings: {} as unknown,
  version: "0.1.0",
  alarms: [] as AlarmState[],
  /** By log group. */
  logs: {} as Record<string, LogRecord[]>,
  logQueries: [] as LogQuery[],
  deadLetters: 0,
  scheduleOn: true,
  unreservedConcurrency: 1_000,
  arn: "arn:aws:iam::123456789012:user/ann",
  /** Replace the stand-in's own services. */
  services: {} as Partial<Aws>,
  /** Errors that every call of these services throws. */
  broken: {} as Partial<Record<keyof Aws, Error>>,
});
type FakeAws = ReturnType<typeof freshAws>;

export type FakeCli = ReturnType<typeof fakeCli>;

export interface FakeRun {
  readonly runId: string;
  readonly workspaceId?: string;
  readonly pool?: string;
  readonly leasedAtMs: number;
  readonly progress?: RunProgress;
  /** Absent: the run is still running. */
  readonly ending?: Omit<FinishedRun, "progress">;
}

/**
 * The command line with a real run store and a stand-in for AWS. Time advances only during a command's waits.
 */
export function fakeCli(table: Table, nowMs: number) {
  const runStore: RunStorePorts = {
    table,
    runs: createRunStore(table),
    control: createControlRow(table),
    backoff: createBackoffRow(table, createFakeClock(nowMs)),
    lock: createDispatchLock(table),
    spend: createSpendRow(table),
    workspaces: createWorkspaceRows(table),
    unreadable: new Set(),
  };
  const cli = {
    aws: freshAws(),
    runStore,
    nowMs,
    /** The project's settings, as in cdk.json. */
    projectSettings: {} as unknown,
    projectVersion: "0.1.0",
    commandName,
    /** So wide that no line is wrapped; undefined: standard output is a pipe. */
    columns: 10_000 as number | undefined,
    colour: false,
    env: {} as Record<string, string>,
    fetch: unexpected as typeof fetch,
    /** Called for every wait of a command, after the clock has advanced. */
    onSleep: (): Promise<void> => Promise.resolve(),
    /** Aborts like Ctrl-C. */
    interrupt: new AbortController(),
    /** Replace the stand-in's own prompts, programs, secrets and so on. */
    edges: {} as Partial<ContextEdges>,
    secrets: undefined as Secrets | undefined,
    run: (...argv: string[]): Promise<CliAnswer> => run(cli, argv),
    /** Adds a run as the functions would have left it. */
    addRun: (wanted: FakeRun): Promise<void> => addRun(cli, wanted),
  };
  return cli;
}

async function run(cli: FakeCli, argv: readonly string[]): Promise<CliAnswer> {
  let [out, err] = ["", ""];
  const terminal = createTerminal({
    stdout: { write: (text) => void (out += text) },
    stderr: { write: (text) => void (err += text) },
    env: {
      ...cli.env,
      ...(cli.columns === undefined ? {} : { COLUMNS: String(cli.columns) }),
      ...(cli.colour ? { FORCE_COLOR: "1" } : {}),
    },
  });
  const { signal } = cli.interrupt;
  const clock = {
    now: () => cli.nowMs,
    sleep: async (ms: number, given?: AbortSignal) => {
      // Lets other work progress during the wait. A cancelled time limit never expires.
      for (let turn = 0; turn < 20; turn++) {
        given?.throwIfAborted();
        await new Promise(setImmediate);
      }
      cli.nowMs += ms;
      await cli.onSleep();
      given?.throwIfAborted();
    },
  };
  const code = await runCli(argv, {
    commands,
    terminal,
    signal,
    commandName: cli.commandName,
    versions: async () => ({ version: cli.projectVersion, node: "24.21.0" }),
    createContext: (options) =>
      createContext(options, {
        clock,
        signal,
        terminal,
        input: { isTerminal: false, readAll: () => Promise.resolve("") },
        prompts: { text: unexpected, hidden: unexpected, choose: unexpected, confirm: unexpected },
        programs: { run: unexpected },
        random: () => 0.5,
        newId: () => "00000000-0000-4000-8000-000000000001",
        nodeVersion: "24.21.0",
        commandName: cli.commandName,
        project: {
          root: "/nowhere",
          version: () => Promise.resolve(cli.projectVersion),
          settings: async () => parseSettings(cli.projectSettings),
          cdkJson: unexpected,
          writeCdkJson: unexpected,
          readFile: () => Promise.resolve("{}"),
          writeFile: () => Promise.resolve(),
          missingPackages: () => Promise.resolve([]),
        },
        fetch: (...request) => cli.fetch(...request),
        userName: () => "ann",
        isAlive: () => false,
        defaultStateDir: "/nowhere/.local",
        connect: {
          aws: () => createFakeAws(cli.aws),
          table: () => cli.runStore.table,
          secrets: () => cli.secrets ?? unexpectedly(),
        },
        ...cli.edges,
      }),
  });
  return { code, out, err, json: () => JSON.parse(out), error: () => JSON.parse(err).error };
}

const unexpectedly = (): never => {
  throw new Error("no test has a stand-in for this");
};
const unexpected = (): Promise<never> => Promise.reject(new Error("no test has a stand-in for this"));

function createFakeAws(fake: FakeAws): Aws {
  const guarded =
    <A extends readonly unknown[], T>(service: keyof Aws, work: (...given: A) => T) =>
    async (...given: A): Promise<T> => {
      if (fake.broken[service]) throw fake.broken[service];
      return work(...given);
    };
  const outputs = (): Record<string, string> => outputsOf(fake);
  return {
    region: () => fake.region(),
    stacks: {
      outputs: guarded("stacks", (name: string) => {
        if (name === "CDKToolkit") return { status: "UPDATE_COMPLETE", outputs: { BootstrapVersion: "28" } };
        const { deployed, status, withOutputs } = fake;
        return deployed ? { status, outputs: withOutputs ? outputs() : {} } : undefined;
      }),
    },
    alarms: {
      states: guarded("alarms", (names: readonly string[]) =>
        fake.alarms.filter(({ name }) => names.includes(name)),
      ),
    },
    logs: {
      records: guarded("logs", (query: LogQuery) => {
        fake.logQueries.push(query);
        const { group, startMs, endMs = Infinity } = query;
        return (fake.logs[group] ?? []).filter(({ atMs }) => atMs >= startMs && atMs <= endMs);
      }),
    },
    queues: {
      depth: guarded("queues", () => fake.deadLetters),
      borrow: unexpected,
      giveBack: unexpected,
      remove: unexpected,
    },
    schedules: {
      read: guarded("schedules", () => ({ enabled: fake.scheduleOn, expression: "rate(1 minute)" })),
    },
    functions: {
      unreservedConcurrency: guarded("functions", () => fake.unreservedConcurrency),
      send: unexpected,
    },
    bedrock: { ask: guarded("bedrock", () => undefined) },
    network: { read: unexpected },
    identity: { caller: guarded("identity", () => ({ arn: fake.arn, account: "123456789012" })) },
    ...fake.services,
  };
}

/** In the format of infra/outputs.ts. */
function outputsOf(fake: FakeAws): Record<string, string> {
  const settings = parseSettings(fake.settings);
  const perPool = settings.pools.map(({ name, rotation }) => {
    const id = poolId(name);
    return {
      [`${id}Schedule`]: `${name}-schedule`,
      [`${id}DeadLetters`]: `https://sqs/${name}`,
      [`${id}Recovery`]: `${name}-recovery-function`,
      [`${id}KeysSecret`]: `${name}-keys`,
      ...(rotation ? { [`${id}Rotator`]: `${name}-rotator`, [`${id}AccountSecret`]: `${name}-account` } : {}),
      [`${id}DispatcherLog`]: `${name}-dispatcher`,
      [`${id}ProcessorLog`]: `${name}-processor`,
      [`${id}RecoveryLog`]: `${name}-recovery`,
      [`${id}Alarms`]: JSON.stringify({
        NoGoodPoll: `${name}-NoGoodPoll`,
        DeadLetters: `${name}-DeadLetters`,
        Spending100: `${name}-Spending100`,
      }),
    };
  });
  return Object.assign(
    {
      Version: fake.version,
      Settings: JSON.stringify(settings),
      RunStoreTable: "runs",
      ModelKeySecret: "model-key",
    },
    ...perPool,
  );
}

async function addRun(cli: FakeCli, wanted: FakeRun): Promise<void> {
  const { runs } = cli.runStore;
  const { runId, workspaceId = "ws-1", pool = "default", leasedAtMs, progress, ending } = wanted;
  const leaseExpiresAtMs = leasedAtMs + 600_000;
  await runs.create({ pool, runId, workspaceId, keyId: "key-1", leasedAtMs, leaseExpiresAtMs });
  const fence = { pool, runId, attempt: 1, invocationId: runId };
  await runs.start(fence, { atMs: leasedAtMs + 400, requestId: `request-${runId}` });
  if (progress) await runs.saveProgress(fence, progress);
  if (ending) await runs.finish(fence, ending);
}
