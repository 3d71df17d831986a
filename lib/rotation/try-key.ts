import { hasCode, RunnerError } from "../core/errors.ts";
import { retry, type RetryPolicy } from "../core/retry.ts";
import type { RunnerKey } from "../core/secret.ts";
import type { RotationPorts } from "./ports.ts";

export interface TryKeyPorts extends Pick<RotationPorts, "clock" | "random"> {
  readonly studio: Pick<RotationPorts["studio"], "heartbeat">;
}

export type KeyAnswer = "accepted" | "refused";

/** No workspace has this id, so a heartbeat for it affects no job. */
const nobodysWorkspace = "studio-runner-key-check";
const policy: RetryPolicy = { attempts: 3, baseMs: 500, maxMs: 4_000, maxRetryAfterMs: 10_000 };

/**
 * Whether Studio accepts a runner key, found out without taking a job. It refuses a key
 * with 401. An answer that there is no such job means that the key is accepted.
 * @throws RunnerError `studio_unavailable` or `studio_contract` if Studio gave no usable answer
 */
export async function tryKey(
  { studio, clock, random }: TryKeyPorts,
  key: RunnerKey,
  signal?: AbortSignal,
): Promise<KeyAnswer> {
  const until = signal ?? new AbortController().signal;
  const call = { key, workspaceId: nobodysWorkspace, signal: until };
  try {
    const { isPage } = await retry({ clock, random, policy, signal: until }, () => studio.heartbeat(call));
    if (!isPage) return "accepted";
  } catch (error) {
    if (hasCode(error, "key_refused")) return "refused";
    if (hasCode(error, "lease_lost", "studio_rejected")) return "accepted";
    throw error;
  }
  throw new RunnerError("studio_contract", "a web page answered instead of Studio");
}

/**
 * A phrase that names the keys that Studio refused. `old`: ids of keys that the rotation does not replace.
 */
export function nameRefused(refused: readonly string[], old: readonly string[]): string {
  const isOld = (id: string): boolean => old.includes(id);
  const newIds = refused.filter((id) => !isOld(id));
  const oldIds = refused.filter(isOld);
  return [
    ...(newIds.length > 0 ? [`the new runner key ${newIds.join(", ")}`] : []),
    ...(oldIds.length > 0 ? [`the old runner key ${oldIds.join(", ")}, which the rotation keeps`] : []),
  ].join(" and ");
}

/** The ids of the keys that Studio refuses. @throws as `tryKey` */
export async function refusedKeys(
  ports: TryKeyPorts,
  keys: readonly RunnerKey[],
  signal?: AbortSignal,
): Promise<readonly string[]> {
  const answers = await Promise.all(keys.map((key) => tryKey(ports, key, signal)));
  return keys.flatMap(({ id }, at) => (answers[at] === "refused" ? [id] : []));
}
