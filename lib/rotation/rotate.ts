import { hasCode, RunnerError } from "../core/errors.ts";
import { readPresent, replaceKeys, type NewKeys, type StageKeyDeps } from "./stages.ts";
import { refusedKeys, type TryKeyDeps } from "./try-key.ts";
import { watchRefusals, type WatchTime } from "./watch.ts";

export interface RotateDeps extends StageKeyDeps, TryKeyDeps {
  /** A new unique name of 32 to 64 characters, for a version. */
  readonly newId: () => string;
  /** Told of each step when it is done. */
  readonly onStep?: (step: "tried" | "promoted" | "watched") => void;
  /** Whether a dispatch cycle of the pool was refused since the promotion, beside our own trying. */
  readonly sawRefusal?: () => Promise<boolean>;
  readonly signal?: AbortSignal;
}

/**
 * - promoted: the new keys lease, and were refused by nobody.
 * - refused: Studio does not know them; nothing has changed.
 * - overtaken: somebody has stored another value since `present` was read; nothing has changed.
 * - rolled_back: refused after all; the keys before them lease again.
 * - superseded: refused, but somebody has put another value in their place meanwhile: that one was left.
 */
export type RotateOutcome = "promoted" | "refused" | "overtaken" | "rolled_back" | "superseded";

export interface Rotated {
  readonly outcome: RotateOutcome;
  /** Of the new keys, where they were stored. */
  readonly versionId?: string;
  /** Credential ids that Studio refused when they were tried; none where a dispatch cycle was refused. */
  readonly refused: readonly string[];
  /** How long after the promotion refusals were looked for, up to the last answer. */
  readonly watchedMs: number;
}

/**
 * A rotation by command: tried, stored and promoted, watched, and rolled back when they are refused after all.
 * @throws RunnerError as `stageKey`, and `studio_unavailable`, `studio_contract`; before the promotion nothing has changed
 *   then, after it the new keys lease
 */
export async function rotateKeys(
  deps: RotateDeps,
  given: NewKeys & { readonly watch: WatchTime },
): Promise<Rotated> {
  const { onStep } = deps;
  let refused = await refusedKeys(deps, given.keys, deps.signal);
  if (refused.length > 0) return { outcome: "refused", refused, watchedMs: 0 };
  onStep?.("tried");
  const versionId = deps.newId();
  if (!(await replaceKeys(deps, { ...given, versionId })))
    return { outcome: "overtaken", versionId, refused, watchedMs: 0 };
  onStep?.("promoted");

  /** A Studio that is out of reach for a moment is no reason to go back to another key. */
  const look = async (): Promise<"accepted" | "refused" | "unknown"> => {
    if (await deps.sawRefusal?.()) return "refused";
    try {
      refused = await refusedKeys(deps, given.keys, deps.signal);
      return refused.length > 0 ? "refused" : "accepted";
    } catch (error) {
      if (hasCode(error, "studio_unavailable", "studio_contract")) return "unknown";
      throw error;
    }
  };
  const { answer, watchedMs } = await watchRefusals({ ...deps, look }, given.watch);
  const end = { versionId, refused, watchedMs };
  if (answer === "accepted") {
    onStep?.("watched");
    return { outcome: "promoted", ...end };
  }
  const isBack = await goBack(deps, given, versionId);
  return { outcome: isBack ? "rolled_back" : "superseded", ...end };
}

/**
 * The keys before in a new version: an older one that became present again would pass for one that nobody has replaced, and
 * would not hold the keys of runs that were leased meanwhile. `false`: somebody has stored a third value.
 */
async function goBack(deps: RotateDeps, given: NewKeys, promoted: string): Promise<boolean> {
  const present = await readPresent(deps.store, given.secretId);
  if (present.versionId !== promoted) return false;
  const { keys, instances } = given.present.current;
  if (keys.length === 0)
    throw new RunnerError("secret_missing", `the secret "${given.secretId}" had no keys before these`);
  return replaceKeys(deps, { ...given, keys, instances, present, versionId: deps.newId() });
}
