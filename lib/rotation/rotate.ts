import { hasCode } from "../errors.ts";
import type { RunnerKey } from "../secret.ts";
import { dropPending, promote, rollBack, stageKey, type NewKeys, type StageKeyDeps } from "./stages.ts";
import { refusedKeys, type KeyAnswer, type TryKeyDeps } from "./try-key.ts";
import { watchRefusals, type WatchTime } from "./watch.ts";

export interface RotateDeps extends StageKeyDeps, TryKeyDeps {
  /** Told of each step when it is done. */
  readonly onStep?: (step: "staged" | "tried" | "promoted" | "watched") => void;
  /** Whether a dispatch window of the pool was refused since the promotion, beside our own trying. */
  readonly sawRefusal?: () => Promise<boolean>;
  readonly signal?: AbortSignal;
}

/**
 * - promoted: the new keys lease, and were refused by nobody.
 * - refused: Studio does not know them; nothing has changed.
 * - rolled_back: refused after all; the keys before them lease again.
 * - superseded: refused, but somebody has put another value in their place meanwhile: that one was left.
 */
export type RotateOutcome = "promoted" | "refused" | "rolled_back" | "superseded";

export interface Rotated {
  readonly outcome: RotateOutcome;
  readonly versionId: string;
  readonly previousVersionId: string | undefined;
  /** Credential ids that Studio refused before the promotion. */
  readonly refused: readonly string[];
}

/**
 * A rotation by command: stored as pending, tried, promoted, watched, and rolled back when they are refused after all.
 * @throws RunnerError `secrets_unavailable`, `ledger_unavailable`, `studio_unavailable`; before the promotion nothing has
 *   changed then, after it the new keys lease
 */
export async function rotateKeys(
  deps: RotateDeps,
  given: NewKeys & { readonly watch: WatchTime },
): Promise<Rotated> {
  const { store, onStep } = deps;
  const { secretId, versionId, keys } = given;
  const version = { secretId, versionId };
  await stageKey(deps, given);
  onStep?.("staged");
  const refused = await refusedKeys(deps, keys, deps.signal);
  if (refused.length > 0) {
    await dropPending(store, version);
    return { outcome: "refused", versionId, previousVersionId: undefined, refused };
  }
  onStep?.("tried");
  const { previousVersionId } = await promote(store, version);
  await dropPending(store, version);
  onStep?.("promoted");
  const answer = await watchRefusals({ ...deps, look: () => look(deps, keys) }, given.watch);
  const end = { versionId, previousVersionId, refused: [] };
  if (answer === "accepted") {
    onStep?.("watched");
    return { outcome: "promoted", ...end };
  }
  const isBack = await rollBack(store, { ...version, previousVersionId });
  return { outcome: isBack ? "rolled_back" : "superseded", ...end };
}

/** A Studio that is out of reach for a moment is no reason to go back to another key. */
async function look(deps: RotateDeps, keys: readonly RunnerKey[]): Promise<KeyAnswer | "unknown"> {
  if (await deps.sawRefusal?.()) return "refused";
  try {
    return (await refusedKeys(deps, keys, deps.signal)).length > 0 ? "refused" : "accepted";
  } catch (error) {
    if (hasCode(error, "studio_unavailable", "studio_contract")) return "unknown";
    throw error;
  }
}
