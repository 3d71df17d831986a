import type { Clock } from "../core/clock.ts";
import { hasCode } from "../core/errors.ts";
import { parseRunnerSecret, tryParseRunnerSecret } from "./runner-secret.ts";
import type { RunnerKey } from "../core/secret.ts";
import { createSecretCache } from "./secrets.ts";
import type { StagedSecrets, SecretSource } from "../adapters/secrets-manager.ts";

/** The runner keys of a pool. `get` and `refresh` as a SecretCache's (lib/keys/secrets.ts). */
export interface RunnerKeys {
  /** The keys for new leases. */
  get(signal?: AbortSignal): Promise<readonly RunnerKey[]>;
  refresh(signal?: AbortSignal): Promise<readonly RunnerKey[]>;
  /**
   * Keys that are no longer used for new leases, newest first: the secret's list of retired keys, then those of AWSPREVIOUS. A run
   * that was leased with one of them finishes with it.
   */
  retired(signal?: AbortSignal): Promise<readonly RunnerKey[]>;
}

export interface RunnerKeysOptions {
  readonly source: SecretSource & StagedSecrets;
  readonly clock: Clock;
  readonly secretId: string;
  /** 0: each `get` reads (docs/decisions/0010). Default 5 minutes. */
  readonly maxAgeMs?: number;
}

export function createRunnerKeys({ source, clock, secretId, maxAgeMs }: RunnerKeysOptions): RunnerKeys {
  const current = createSecretCache({ source, clock, secretId, maxAgeMs, parse: parseRunnerSecret });
  return {
    get: async (signal) => (await current.get(signal)).keys,
    refresh: async (signal) => (await current.refresh(signal)).keys,
    retired: async (signal) => {
      const [{ retired }, before] = await Promise.all([
        current.get(signal),
        readPrevious(source, secretId, signal),
      ]);
      const previous = tryParseRunnerSecret(before, secretId);
      return [...retired, ...previous.keys, ...previous.retired];
    },
  };
}

/** The previous value. A value that is not text was not written by this project and is ignored. */
async function readPrevious(
  source: StagedSecrets,
  secretId: string,
  signal?: AbortSignal,
): Promise<string | undefined> {
  try {
    return await source.readStage(secretId, "AWSPREVIOUS", signal);
  } catch (error) {
    if (hasCode(error, "secret_malformed")) return undefined;
    throw error;
  }
}
