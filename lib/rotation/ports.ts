import type { SecretStore } from "../adapters/secrets-manager.ts";
import type { Clock } from "../core/clock.ts";
import type { Log } from "../core/log.ts";
import type { Secret } from "../core/secret.ts";
import type { RotationRow } from "../runs/rotation.ts";
import type { RunStore } from "../runs/run-store.ts";
import type { Studio, StudioAdmin } from "../studio/studio.ts";

/** Everything outside that a rotation uses. A function asks only for the ports that it needs. */
export interface RotationPorts {
  readonly clock: Clock;
  /** 0 (included) to 1 (excluded). */
  readonly random: () => number;
  readonly log: Log;
  readonly store: SecretStore;
  readonly runStore: Pick<RunStore, "openRuns">;
  /** The runner instances that are known. */
  readonly rotation: RotationRow;
  readonly studio: Studio & StudioAdmin;
  /** Returns a fresh account token (sign-in.ts). */
  readonly signIn: () => Promise<Secret>;
  /** Returns a unique name of 32 to 64 characters for a version. */
  readonly newId: () => string;
}
