/**
 * Rotation on demand: the `rotate` command, in one process, stores keys that exist already, watches whether Studio accepts them, and
 * rolls back if it does not. It revokes nothing. Secrets Manager's rotation is in scheduled-rotation.ts.
 */

import { hasCode, RunnerError } from "../core/errors.ts";
import type { RotationPorts } from "./ports.ts";
import { readPresent, replaceKeys, type NewKeys, type StagePorts } from "./stages.ts";
import { refusedKeys, type TryKeyPorts } from "./try-key.ts";
import { watchRefusals, type WatchTime } from "./watch.ts";

export interface RotateContext extends StagePorts, TryKeyPorts, Pick<RotationPorts, "newId"> {
  /** Called after each step. */
  readonly onStep?: (step: "tried" | "promoted" | "watched") => void;
  /** Whether Studio refused a dispatch cycle of the pool since the promotion. */
  readonly sawRefusal?: () => Promise<boolean>;
  readonly signal?: AbortSignal;
}

/**
 * - promoted: new jobs are leased with the new keys, and Studio refused none of them.
 * - refused: Studio does not accept the new keys; nothing has changed.
 * - overtaken: another value was stored after `present` was read; nothing has changed.
 * - rolled_back: Studio refused a new key after the promotion; the previous keys are in use again.
 * - superseded: Studio refused a new key after the promotion, but another value has been stored since, and
 *   was left.
 */
export type RotateOutcome = "promoted" | "refused" | "overtaken" | "rolled_back" | "superseded";

export interface Rotated {
  readonly outcome: RotateOutcome;
  /** The version with the new keys, if they were stored. */
  readonly versionId?: string;
  /**
   * Credential ids that Studio refused when the keys were tried. Empty if only a dispatch cycle was refused.
   */
  readonly refused: readonly string[];
  /** Time from the promotion to the last check that Studio answered. */
  readonly watchedMs: number;
}

/**
 * Tries the new keys, stores and promotes them, watches for refusals, and rolls back if there is one.
 * @throws RunnerError as `stageKey`, and `studio_unavailable`, `studio_contract`. If it throws before the
 * promotion, nothing has changed; after it, the new keys are in use.
 */
export async function rotateKeys(
  ports: RotateContext,
  given: NewKeys & { readonly watch: WatchTime },
): Promise<Rotated> {
  const { onStep } = ports;
  let refused = await refusedKeys(ports, given.keys, ports.signal);
  if (refused.length > 0) return { outcome: "refused", refused, watchedMs: 0 };
  onStep?.("tried");
  const versionId = ports.newId();
  if (!(await replaceKeys(ports, { ...given, versionId })))
    return { outcome: "overtaken", versionId, refused, watchedMs: 0 };
  onStep?.("promoted");

  /** If Studio is briefly out of reach, the new keys stay. */
  const check = async (): Promise<"accepted" | "refused" | "unknown"> => {
    if (await ports.sawRefusal?.()) return "refused";
    try {
      refused = await refusedKeys(ports, given.keys, ports.signal);
      return refused.length > 0 ? "refused" : "accepted";
    } catch (error) {
      if (hasCode(error, "studio_unavailable", "studio_contract")) return "unknown";
      throw error;
    }
  };
  const { answer, watchedMs } = await watchRefusals(
    { clock: ports.clock, signal: ports.signal, check },
    given.watch,
  );
  const end = { versionId, refused, watchedMs };
  if (answer === "accepted") {
    onStep?.("watched");
    return { outcome: "promoted", ...end };
  }
  const isBack = await rollBack(ports, given, versionId);
  return { outcome: isBack ? "rolled_back" : "superseded", ...end };
}

/**
 * Restores the previous keys as a new version. If an old version became current again, it would look as if it
 * had never been replaced, and it would lack the keys of runs that were leased in the meantime. `false`:
 * another value has been stored since.
 */
async function rollBack(ports: RotateContext, given: NewKeys, promoted: string): Promise<boolean> {
  const present = await readPresent(ports.store, given.secretId);
  if (present.versionId !== promoted) return false;
  const { keys, instances } = given.present.current;
  if (keys.length === 0)
    throw new RunnerError(
      "secret_missing",
      `the secret "${given.secretId}" had no keys before this rotation`,
    );
  return replaceKeys(ports, { ...given, keys, instances, present, versionId: ports.newId() });
}
