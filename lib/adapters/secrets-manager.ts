import {
  DescribeSecretCommand,
  GetSecretValueCommand,
  PutSecretValueCommand,
  ResourceExistsException,
  SecretsManagerClient,
  UpdateSecretVersionStageCommand,
  type GetSecretValueCommandInput,
  type PutSecretValueCommandInput,
  type SecretsManagerClientConfig,
} from "@aws-sdk/client-secrets-manager";
import { hasCode, RunnerError } from "../core/errors.ts";
import { checkedAnswers, connections } from "./aws.ts";
import { failureOf, putCommand, type Action } from "./secrets-errors.ts";

/**
 * The labels of a secret's versions that we use. A label is on one version at a time.
 * - STUDIO_RUNNER_CLI: the newest version that the command line wrote. It does not use AWSPENDING, because Secrets Manager would take
 *   a version that a failed command left behind for one of its own rotations.
 */
export type Stage = "AWSCURRENT" | "AWSPENDING" | "AWSPREVIOUS" | "STUDIO_RUNNER_CLI";

/** The version id that carries each label. */
export type Stages = Readonly<Partial<Record<Stage, string>>>;

/** A source of secrets: Secrets Manager, or a substitute in tests. */
export interface SecretSource {
  /**
   * The current value of one secret.
   * @throws RunnerError `secret_missing`, `secret_malformed` (binary) or `secrets_unavailable`; `signal.reason` when aborted
   */
  read(secretId: string, signal?: AbortSignal): Promise<string>;
}

/** Reads a secret's older or newer values beside the current one. */
export interface StagedSecrets {
  /**
   * The value of the version with this label; `undefined` if there is none, or no such secret.
   * @throws RunnerError `secret_missing` (marked for deletion), `secret_malformed` (binary), `secrets_unavailable`; `signal.reason`
   */
  readStage(secretId: string, stage: Stage, signal?: AbortSignal): Promise<string | undefined>;
}

/** A secret's versions and labels, for rotation. Throws as `readStage` does. */
export interface SecretStore extends StagedSecrets {
  stages(secretId: string): Promise<Stages>;
  /** The value of one version; `undefined` if it has none (yet). */
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
   * Moves a label, or removes it from `from` if `to` is absent. The version that loses AWSCURRENT gets AWSPREVIOUS. Throws
   * `secrets_unavailable` if the label is not on `from`, also when the call is repeated after a lost answer.
   */
  moveStage(
    secretId: string,
    move: { readonly stage: Stage; readonly to?: string | undefined; readonly from?: string | undefined },
  ): Promise<void>;
}

/** The SDK retries throttled and broken calls. */
const clientDefaults: SecretsManagerClientConfig = {
  maxAttempts: 3,
  retryMode: "standard",
  requestHandler: connections({ connectMs: 2_000, silenceMs: 4_000 }),
};

/** Region, endpoint and credentials come from the standard AWS variables, unless `config` says otherwise. */
export function createSecretsClient(config: SecretsManagerClientConfig = {}): SecretsManagerClient {
  const client = new SecretsManagerClient({ ...clientDefaults, ...config });
  client.middlewareStack.use(checkedAnswers());
  return client;
}

/** AWS Secrets Manager as a source of values. */
export function createSecretSource(client: SecretsManagerClient): SecretSource & StagedSecrets {
  return {
    read: (SecretId, signal) => read(client, { SecretId }, signal),
    readStage: (SecretId, VersionStage, signal) => ifThere(read(client, { SecretId, VersionStage }, signal)),
  };
}

/** AWS Secrets Manager with everything that a rotation needs. */
export function createSecretStore(client: SecretsManagerClient): SecretSource & SecretStore {
  const write = (SecretId: string, version: Omit<PutSecretValueCommandInput, "SecretId">) =>
    send({ secretId: SecretId, action: "PutSecretValue" }, () =>
      client.send(new PutSecretValueCommand({ SecretId, ...version })),
    );
  return {
    ...createSecretSource(client),
    readVersion: (SecretId, VersionId) => ifThere(read(client, { SecretId, VersionId })),
    stages: (SecretId) => describe(client, SecretId),
    putStaged: async (secretId, { versionId, text, stage }) => {
      const version = { SecretString: text, ClientRequestToken: versionId, VersionStages: [stage] };
      try {
        await write(secretId, version);
        return "stored";
      } catch (error) {
        if (isTaken(error)) return "taken";
        throw error;
      }
    },
    put: async (secretId, text) => {
      // The SDK uses one token for all retries. Otherwise a second version with the same value would replace the previous
      // value.
      await write(secretId, { SecretString: text });
    },
    moveStage: async (SecretId, { stage, to, from }) => {
      const move = { VersionStage: stage, MoveToVersionId: to, RemoveFromVersionId: from };
      await send({ secretId: SecretId, action: "UpdateSecretVersionStage" }, () =>
        client.send(new UpdateSecretVersionStageCommand({ SecretId, ...move })),
      );
    },
  };
}

interface Asked {
  readonly secretId: string;
  readonly action: Action;
  readonly signal?: AbortSignal | undefined;
}

async function send<T>({ secretId, action, signal }: Asked, call: () => Promise<T>): Promise<T> {
  signal?.throwIfAborted();
  try {
    return await call();
  } catch (error) {
    signal?.throwIfAborted();
    throw failureOf(error, secretId, action);
  }
}

async function read(
  client: SecretsManagerClient,
  which: GetSecretValueCommandInput & { readonly SecretId: string },
  signal?: AbortSignal,
): Promise<string> {
  const { SecretId: secretId } = which;
  const { SecretString: text } = await send({ secretId, action: "GetSecretValue", signal }, () =>
    client.send(new GetSecretValueCommand(which), signal ? { abortSignal: signal } : {}),
  );
  if (text !== undefined) return text;
  throw new RunnerError(
    "secret_malformed",
    `the secret "${secretId}" is binary; store it as text: ${putCommand(secretId)}`,
  );
}

async function describe(client: SecretsManagerClient, SecretId: string): Promise<Stages> {
  const { VersionIdsToStages = {} } = await send({ secretId: SecretId, action: "DescribeSecret" }, () =>
    client.send(new DescribeSecretCommand({ SecretId })),
  );
  const holders = Object.entries(VersionIdsToStages).flatMap(([versionId, stages]) =>
    stages.map((stage) => [stage, versionId] as const),
  );
  return Object.fromEntries(holders);
}

/** Secrets Manager has one error for a secret that does not exist and for a version that does not. */
async function ifThere(value: Promise<string>): Promise<string | undefined> {
  try {
    return await value;
  } catch (error) {
    if (hasCode(error, "secret_missing") && isNotFound(error.cause)) return undefined;
    throw error;
  }
}

const isNotFound = (cause: unknown): boolean =>
  cause instanceof Error && cause.name === "ResourceNotFoundException";

/** The version exists with another value. */
const isTaken = (error: unknown): boolean =>
  error instanceof RunnerError && error.cause instanceof ResourceExistsException;
