import * as z from "zod";
import { hasCode } from "../core/errors.ts";
import type { RunnerKey } from "../core/secret.ts";
import { parseRunnerKeys } from "./secrets.ts";

const instanceSchema = z.object({
  instanceId: z.string().min(1),
  credentialId: z.string().min(1),
  createdAtMs: z.number(),
  /** The key's kind. Absent: the pool's kind. */
  kind: z.enum(["user", "global"]).optional(),
});

/** The runner instance at Studio that a key belongs to, and that is revoked with it. Holds no secret. */
export type RunnerInstance = Readonly<z.output<typeof instanceSchema>>;

/** Everything that a pool's secret can hold. */
export interface RunnerSecret {
  /** Keys for new leases. */
  readonly keys: readonly RunnerKey[];
  /** Retired keys: runs that they leased finish with them. */
  readonly retired: readonly RetiredKey[];
  /** Instances of keys that the runner created, or that were stored with their instance. */
  readonly instances: readonly RunnerInstance[];
  /** The version that was current when this value was made, and that it may replace; absent: none, or unknown. */
  readonly replaces?: string | undefined;
}

export interface RetiredKey extends RunnerKey {
  /** Since when no unfinished run uses it, as far as we saw. Absent: it was in use when this value was made, or a run uses it. */
  readonly unusedSinceMs?: number | undefined;
}

/** Fields of the object form only. A mistake in them must not make the keys unusable. */
const moreSchema = z.looseObject({
  retired: z.array(z.string()).catch([]),
  instances: z.array(instanceSchema).catch([]),
  /** Times for retired keys, by credential id. */
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
  /** Keys of the pool's kind, which a rotation replaces one by one. */
  readonly replaced: readonly RunnerKey[];
  /** Keys of another kind, with their instances; a rotation keeps them unchanged. */
  readonly kept: Keyed;
}

/** Divides a pool's keys into those that a rotation replaces and keeps. */
export function splitByKind({ keys, instances }: Keyed, kind: RunnerInstance["kind"]): Replaceable {
  const others = instances.filter((one) => one.kind !== undefined && one.kind !== kind);
  const isOther = ({ id }: RunnerKey): boolean => others.some(({ credentialId }) => credentialId === id);
  return {
    replaced: keys.filter((key) => !isOther(key)),
    kept: { keys: keys.filter(isOther), instances: others },
  };
}

type Keyed = Pick<RunnerSecret, "keys" | "instances">;

/** Like `parseRunnerSecret`, but returns nothing for a malformed value. */
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

/** The object form as text. It contains the keys: store it in the secret only. */
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
