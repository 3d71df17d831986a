import * as z from "zod";
import { hasCode } from "../core/errors.ts";
import type { RunnerKey } from "../core/secret.ts";
import { parseRunnerKeys } from "./secrets.ts";

const instanceSchema = z.object({
  instanceId: z.string().min(1),
  credentialId: z.string().min(1),
  createdAtMs: z.number(),
  /** Of the key. Absent: the pool's own. */
  kind: z.enum(["user", "global"]).optional(),
});

/** The instance at Studio that a runner key belongs to: what is revoked. Nothing secret in it. */
export type RunnerInstance = Readonly<z.output<typeof instanceSchema>>;

/** All that a pool's secret may hold. */
export interface RunnerSecret {
  /** These lease. */
  readonly keys: readonly RunnerKey[];
  /** These lease no more: runs that they leased finish with them. */
  readonly retired: readonly RetiredKey[];
  /** Known for keys that the runner minted, or that somebody wrote down with their instance. */
  readonly instances: readonly RunnerInstance[];
  /** The version that was present when this value was made, and that it may replace; absent: none was, or nobody knows. */
  readonly replaces?: string | undefined;
}

export interface RetiredKey extends RunnerKey {
  /** Since when no open run holds it, as far as we saw. Absent: it leased when this value was made, or a run holds it. */
  readonly unusedSinceMs?: number | undefined;
}

/** What only the object form has. A slip in it costs a convenience, and must not stop the keys. */
const moreSchema = z.looseObject({
  retired: z.array(z.string()).catch([]),
  instances: z.array(instanceSchema).catch([]),
  /** Of retired keys, by credential id. */
  unusedSinceMs: z.record(z.string(), z.number()).catch({}),
  replaces: z.string().optional().catch(undefined),
});

/**
 * A pool's secret in any of its forms: a key, a list of keys, or `{ keys, retired?, instances? }`.
 * @param where the secret's name, for the error's sentence
 * @throws RunnerError `secret_malformed` as `parseRunnerKeys` does
 */
export function parseRunnerSecret(text: string, where: string): RunnerSecret {
  const keys = parseRunnerKeys(text, where);
  if (!text.trim().startsWith("{")) return { keys, retired: [], instances: [] };
  const { retired, instances, unusedSinceMs, replaces } = moreSchema.parse(JSON.parse(text));
  return {
    keys,
    retired: retired
      .flatMap((key) => parseLeniently(key, where))
      .map((key) => ({ ...key, unusedSinceMs: unusedSinceMs[key.id] })),
    instances,
    replaces,
  };
}

export interface Replaceable {
  /** As many new ones are made, of the pool's own kind. */
  readonly replaced: readonly RunnerKey[];
  /** Of another kind, with their instances: a rotation makes none of these, and leaves them where they are. */
  readonly kept: Keyed;
}

/** What of a pool's keys a rotation replaces. */
export function splitByKind({ keys, instances }: Keyed, kind: RunnerInstance["kind"]): Replaceable {
  const others = instances.filter((one) => one.kind !== undefined && one.kind !== kind);
  const isOther = ({ id }: RunnerKey): boolean => others.some(({ credentialId }) => credentialId === id);
  return {
    replaced: keys.filter((key) => !isOther(key)),
    kept: { keys: keys.filter(isOther), instances: others },
  };
}

type Keyed = Pick<RunnerSecret, "keys" | "instances">;

/** As `parseRunnerSecret`, but nothing of a value that is malformed. */
export function tryParseRunnerSecret(text: string | undefined, where: string): RunnerSecret {
  const nothing: RunnerSecret = { keys: [], retired: [], instances: [] };
  if (text === undefined) return nothing;
  try {
    return parseRunnerSecret(text, where);
  } catch (error) {
    if (hasCode(error, "secret_malformed")) return nothing;
    throw error;
  }
}

function parseLeniently(key: string, where: string): readonly RunnerKey[] {
  return tryParseRunnerSecret(JSON.stringify([key]), where).keys;
}

const reveal = ({ value }: RunnerKey): string => value.reveal();

/** The object form as text. It holds the keys themselves: for the secret only. */
export function renderRunnerSecret({ keys, retired, instances, replaces }: RunnerSecret): string {
  const unused = retired.filter(({ unusedSinceMs }) => unusedSinceMs !== undefined);
  const unusedSinceMs = Object.fromEntries(unused.map((key) => [key.id, key.unusedSinceMs]));
  return JSON.stringify({
    keys: keys.map(reveal),
    retired: retired.map(reveal),
    instances,
    ...(unused.length > 0 ? { unusedSinceMs } : {}),
    replaces,
  });
}
