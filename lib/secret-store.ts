/**
 * The labels of a secret's versions that we use. A label is on one version at a time.
 * - STUDIO_RUNNER_CLI: the newest version that the command line wrote. AWSPENDING is Secrets Manager's own: one that a broken
 *   command left behind would pass for its rotation.
 */
export type Stage = "AWSCURRENT" | "AWSPENDING" | "AWSPREVIOUS" | "STUDIO_RUNNER_CLI";

/** The version id that carries each label. */
export type Stages = Readonly<Partial<Record<Stage, string>>>;

/** A secret's older or newer value beside the present one. */
export interface StagedSecrets {
  /**
   * The value of the version with this label; `undefined` where there is none.
   * @throws RunnerError `secret_missing` (no such secret), `secret_malformed` (binary), `secrets_unavailable`; `signal.reason`
   */
  readStage(secretId: string, stage: Stage, signal?: AbortSignal): Promise<string | undefined>;
}

/** A secret with its versions, as a rotation moves them. Throws as `readStage` does. */
export interface SecretStore extends StagedSecrets {
  stages(secretId: string): Promise<Stages>;
  /** The value of one version; `undefined` where it has none (yet). */
  readVersion(secretId: string, versionId: string): Promise<string | undefined>;
  /**
   * Stores a value under `versionId` (32 to 64 characters) and labels it; a secret's first value becomes AWSCURRENT too. Safe
   * to repeat with the same value; `taken`: that version has another one.
   */
  putStaged(
    secretId: string,
    version: {
      readonly versionId: string;
      readonly text: string;
      readonly stage: "AWSPENDING" | "STUDIO_RUNNER_CLI";
    },
  ): Promise<"stored" | "taken">;
  /** Stores a value as AWSCURRENT. */
  put(secretId: string, text: string): Promise<void>;
  /**
   * Moves a label, or takes it off `from` where `to` is absent. What loses AWSCURRENT gets AWSPREVIOUS. Refused, as
   * `secrets_unavailable`, where the label is on another version than `from`: also when a lost answer made it come twice.
   */
  moveStage(
    secretId: string,
    move: { readonly stage: Stage; readonly to?: string | undefined; readonly from?: string | undefined },
  ): Promise<void>;
}
