import type { Clock } from "../lib/core/clock.ts";
import type { Table } from "../lib/adapters/dynamodb.ts";
import { commandLine } from "../infra/command-line.ts";
import { createBackoffRow, type BackoffRow } from "../lib/runs/backoff.ts";
import { createControlRow, type ControlRow } from "../lib/runs/control.ts";
import { createDispatchLock, type DispatchLock } from "../lib/runs/dispatch-lock.ts";
import { createRunStore, type RunStore } from "../lib/runs/run-store.ts";
import { createSpendRow, type SpendRow } from "../lib/runs/spend.ts";
import { createWorkspaceRows, type WorkspaceRows } from "../lib/runs/workspaces.ts";
import type { SecretStore, SecretSource } from "../lib/adapters/secrets-manager.ts";
import { toAwsAccount, type AwsAccount } from "./aws/config.ts";
import { CliError } from "./errors.ts";
import { readLocalStack } from "./local-stack.ts";
import type { Aws } from "./ports.ts";
import type { Programs } from "./programs.ts";
import type { Project } from "./project.ts";
import type { Prompts } from "./prompts.ts";
import { readStack, type Stack, type StackPool } from "./stack.ts";
import type { Terminal } from "./terminal.ts";

/** The options that every command has. */
export interface GlobalOptions {
  readonly pool?: string;
  readonly region?: string;
  readonly profile?: string;
  readonly stack?: string;
  readonly json: boolean;
  readonly local: boolean;
  readonly stateDir?: string;
}

/** Standard input. */
export interface Input {
  /** Whether a person types. Otherwise the input comes from another program. */
  readonly isTerminal: boolean;
  /** Reads everything up to the end. */
  readAll(): Promise<string>;
}

export interface RunStorePorts {
  readonly table: Table;
  readonly runs: RunStore;
  readonly control: ControlRow;
  readonly backoff: BackoffRow;
  readonly lock: DispatchLock;
  readonly spend: SpendRow;
  readonly workspaces: WorkspaceRows;
  /** Sentences about rows of the run store that could not be read so far. */
  readonly unreadable: ReadonlySet<string>;
}

export type Secrets = SecretSource & SecretStore;

/** What main.ts provides to every command. */
interface World {
  readonly clock: Clock;
  /** Aborts on Ctrl-C. */
  readonly signal: AbortSignal;
  readonly terminal: Terminal;
  readonly input: Input;
  readonly prompts: Prompts;
  readonly programs: Programs;
  readonly project: Project;
  readonly fetch: typeof fetch;
  /** 0 (included) to 1 (excluded). */
  readonly random: () => number;
  /** Returns a unique name of 36 characters. */
  readonly newId: () => string;
  /** The version of the running Node: `24.21.0`. */
  readonly nodeVersion: string;
  /** How the command line was started: `npm run runner --`. */
  readonly commandName: string;
}

/**
 * A deployed stack to read and operate: for commands, and for the pages of `npm start`. AWS clients are created
 * on first use, once.
 */
export interface StackContext extends Pick<World, "clock" | "signal"> {
  readonly options: GlobalOptions;
  /** @throws CliError `usage` without a region */
  aws(): Promise<Aws>;
  secrets(): Promise<Secrets>;
  /** @throws CliError `not_deployed` */
  stack(): Promise<Stack>;
  /**
   * The pools that the command is about: the one that `--pool` names, or all.
   * @throws CliError `not_found`
   */
  pools(): Promise<readonly StackPool[]>;
  /** The only pool, or the one that `--pool` names. @throws CliError `pool_needed`, `not_found` */
  pool(): Promise<StackPool>;
  runStore(): Promise<RunStorePorts>;
  /** The identity to record with an operator's change: an ARN, or this machine's user for the local stack. */
  caller(): Promise<string>;
  /** A command to copy into a shell, for the stack and pool that this command is about, or about this pool of it. */
  readonly commandLine: (words: string, pool?: StackPool) => string;
}

/** Everything that a command works with. */
export interface Context extends World, StackContext {
  /** A new context with nothing cached, for use after a deploy. */
  fresh(): Context;
}

/** Creates AWS clients: those of cli/aws/, or replacements in tests. */
export interface Connect {
  readonly aws: (account: AwsAccount) => Aws;
  readonly table: (name: string, account: AwsAccount) => Table;
  readonly secrets: (account: AwsAccount) => Secrets;
}

interface StackEdges extends Pick<World, "clock" | "signal" | "commandName"> {
  readonly userName: () => string;
  readonly connect: Connect;
}

export interface ContextEdges extends World, StackEdges {
  readonly isAlive: (pid: number) => boolean;
  readonly defaultStateDir: string;
}

/** Which stack, and where. */
export interface Target {
  /** Reads the settings when called, because signing in needs none. @throws CliError `config_invalid` */
  readonly stackName: () => Promise<string>;
  readonly account: AwsAccount;
}

export function createContext(options: GlobalOptions, edges: ContextEdges): Context {
  const target = once(() => findTarget(options, edges));
  const fresh = (): Context => createContext(options, edges);
  return { ...edges, ...createStackContext(options, target, edges), fresh };
}

export function createStackContext(
  options: GlobalOptions,
  target: () => Promise<Target>,
  edges: StackEdges,
): StackContext {
  const { clock, signal } = edges;
  const about = { ...options, name: edges.commandName };
  const say = (words: string, pool?: StackPool): string =>
    commandLine(words, pool === undefined || pool.isOnly ? about : { ...about, pool: pool.name });
  const account = async (): Promise<AwsAccount> => (await target()).account;
  const aws = once(async () => {
    const connected = edges.connect.aws(await account());
    // Without a region every call would fail, each with the SDK's own words.
    await connected.region();
    return connected;
  });
  const stack = once(async () => {
    const stackName = await (await target()).stackName();
    const { stacks, region } = await aws();
    const deployed = await stacks.outputs(stackName);
    if (deployed) return readStack({ name: stackName, deployed, commandLine: say });
    const remedy = `Deploy it with ${say("deploy")}, or name another with --stack and --region.`;
    throw new CliError(
      "not_deployed",
      `There is no stack ${stackName} in this account in ${await region()}.`,
      {
        remedy,
      },
    );
  });
  const pools = async (): Promise<readonly StackPool[]> => choosePools(await stack(), options.pool);
  return {
    clock,
    signal,
    options,
    aws,
    secrets: once(async () => edges.connect.secrets(await account())),
    stack,
    pools,
    pool: async () => onlyPool(await pools()),
    runStore: once(async () =>
      createRunStorePorts(
        edges.connect.table((await stack()).output("RunStoreTable"), await account()),
        clock,
      ),
    ),
    commandLine: say,
    caller: async () => (options.local ? edges.userName() : (await (await aws()).identity.caller()).arn),
  };
}

async function findTarget(options: GlobalOptions, edges: ContextEdges): Promise<Target> {
  const { region, profile, stack, local, stateDir = edges.defaultStateDir } = options;
  if (local) {
    const file = await readLocalStack(stateDir, edges.isAlive);
    const { region: own, endpointUrl: endpoint, credentials } = file;
    const at = { region: own, profile: undefined, local: { endpoint, credentials } };
    return { stackName: async () => stack ?? file.stackName, account: toAwsAccount(at) };
  }
  const stackName = async (): Promise<string> => stack ?? (await edges.project.settings()).stackName;
  return { stackName, account: toAwsAccount({ region, profile, local: undefined }) };
}

function createRunStorePorts(table: Table, clock: Clock): RunStorePorts {
  const unreadable = new Set<string>();
  return {
    table,
    runs: createRunStore(table, ({ message }) => void unreadable.add(message)),
    unreadable,
    workspaces: createWorkspaceRows(table),
    control: createControlRow(table),
    backoff: createBackoffRow(table, clock),
    lock: createDispatchLock(table),
    spend: createSpendRow(table),
  };
}

export function choosePools({ pools }: Stack, name: string | undefined): readonly StackPool[] {
  const chosen = pools.filter((pool) => name === undefined || pool.name === name);
  if (chosen.length > 0) return chosen;
  const names = pools.map((pool) => pool.name).join(", ");
  throw new CliError("not_found", `There is no pool ${name}.`, { remedy: `The stack has: ${names}.` });
}

export function onlyPool(pools: readonly StackPool[]): StackPool {
  const [pool] = pools;
  if (pool && pools.length === 1) return pool;
  const names = pools.map(({ name }) => name).join(", ");
  throw new CliError("pool_needed", `The stack has ${pools.length} pools: ${names}.`, {
    remedy: "Name one with --pool.",
  });
}

/** Calls `make` on the first call; later calls return the same promise. */
export function once<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | undefined;
  return () => (made ??= make());
}
