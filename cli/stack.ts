import * as z from "zod";
import { parseSettings, type PoolSettings, type Settings } from "../infra/settings.ts";
import { poolId } from "../infra/pool-id.ts";
import { CliError } from "./errors.ts";
import type { DeployedOutputs } from "./ports.ts";

/** The deployed stack, from its outputs (infra/outputs.ts). */
export interface Stack {
  readonly name: string;
  readonly status: string;
  readonly version: string;
  readonly settings: Settings;
  readonly outputs: Readonly<Record<string, string>>;
  readonly pools: readonly StackPool[];
  /** @throws CliError `version_skew` if the deployed version does not have this output, `not_deployed` or `deploy_failed` if the stack is not complete */
  output(id: string): string;
}

export const roles = ["dispatcher", "processor", "recovery", "rotator"] as const;
export type Role = (typeof roles)[number];

export interface StackPool {
  readonly name: string;
  /** The stack has no other pool, so no command needs `--pool`. */
  readonly isOnly: boolean;
  readonly settings: PoolSettings;
  /** Log groups by function. A pool without rotation has none for the rotator. */
  readonly logGroups: Readonly<Partial<Record<Role, string>>>;
  /** Physical names by alarm id; empty if monitoring is off. */
  readonly alarms: Readonly<Record<string, string>>;
  /** One of the pool's outputs: `Keys` + `Secret` is `PoolDefaultKeysSecret`. */
  output(suffix: string): string;
  /** An output that not every stack has. */
  optional(suffix: string): string | undefined;
}

interface Reading {
  readonly name: string;
  readonly deployed: DeployedOutputs;
  /** Makes a command to copy into a shell. */
  readonly commandLine: (words: string) => string;
}

export function readStack({ name, deployed, commandLine }: Reading): Stack {
  const { status, outputs } = deployed;
  const output = (id: string): string => {
    const value = outputs[id];
    if (value !== undefined) return value;
    throw unfinished(name, status, commandLine) ?? otherVersion(name, id, commandLine("deploy"));
  };
  const settings = parseDeployed(output("Settings"), commandLine("deploy"));
  const pools = settings.pools.map((pool, _, { length }) => ({
    ...readPool(pool, outputs, output),
    isOnly: length === 1,
  }));
  return { name, status, version: output("Version"), settings, outputs, pools, output };
}

/** CloudFormation's states of a stack that has never been deployed completely, or is being deleted. */
function unfinished(name: string, status: string, commandLine: Reading["commandLine"]): CliError | undefined {
  if (/^(?:CREATE|REVIEW|DELETE)_IN_PROGRESS$/.test(status)) {
    const doing = status === "DELETE_IN_PROGRESS" ? "being destroyed" : "being deployed for the first time";
    const remedy = "Wait until CloudFormation has finished, then try again.";
    return new CliError("not_deployed", `The stack ${name} is still ${doing} (${status}).`, { remedy });
  }
  if (!/^(?:CREATE|ROLLBACK|DELETE)_/.test(status) || status === "CREATE_COMPLETE") return undefined;
  const [failed, again] = status.startsWith("DELETE_")
    ? ["Destroying", `destroy it again: ${commandLine("destroy")}`]
    : ["The first deploy of", `deploy again: ${commandLine("deploy")}`];
  const remedy = `The stack's events in the console of CloudFormation say why. Then ${again}`;
  return new CliError("deploy_failed", `${failed} the stack ${name} failed (${status}).`, { remedy });
}

const otherVersion = (name: string, id: string, deploy: string): CliError =>
  new CliError("version_skew", `The stack ${name} has no output ${id}: another version deployed it.`, {
    remedy: `Deploy this version: ${deploy}`,
  });

function readPool(
  settings: PoolSettings,
  outputs: DeployedOutputs["outputs"],
  output: (id: string) => string,
): Omit<StackPool, "isOnly"> {
  const id = poolId(settings.name);
  const optional = (suffix: string): string | undefined => outputs[`${id}${suffix}`];
  const groups = [
    ["dispatcher", optional("DispatcherLog")],
    ["processor", optional("ProcessorLog")],
    ["recovery", optional("RecoveryLog")],
    ["rotator", optional("RotatorLog")],
  ].filter((entry) => entry[1] !== undefined);
  return {
    name: settings.name,
    settings,
    logGroups: Object.fromEntries(groups),
    alarms: parseNames(optional("Alarms") ?? "{}"),
    output: (suffix) => output(`${id}${suffix}`),
    optional,
  };
}

const namesSchema = z.record(z.string(), z.string());
const parseNames = (text: string): Readonly<Record<string, string>> => namesSchema.parse(JSON.parse(text));

/** @throws CliError `version_skew` */
function parseDeployed(text: string, deploy: string): Settings {
  try {
    return parseSettings(JSON.parse(text));
  } catch (error) {
    throw new CliError("version_skew", "The deployed settings are not those of this version.", {
      remedy: `Check out the version that is deployed, or deploy this one: ${deploy}`,
      cause: error,
    });
  }
}
