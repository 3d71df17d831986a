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
import { hasCode, RunnerError, type ErrorCode } from "../core/errors.ts";
import { checkedAnswers, connections, isPassing, isRefusal, isThrottle, networkFault } from "./aws.ts";

/**
 * The labels of a secret's versions that we use. A label is on one version at a time.
 * - STUDIO_RUNNER_CLI: the newest version that the command line wrote. AWSPENDING is Secrets Manager's own: one that a broken
 *   command left behind would pass for its rotation.
 */
export type Stage = "AWSCURRENT" | "AWSPENDING" | "AWSPREVIOUS" | "STUDIO_RUNNER_CLI";

/** The version id that carries each label. */
export type Stages = Readonly<Partial<Record<Stage, string>>>;

/** Where secrets are read from: Secrets Manager, or whatever stands in for it. */
export interface SecretSource {
  /**
   * The present value of one secret.
   * @throws RunnerError `secret_missing`, `secret_malformed` (binary) or `secrets_unavailable`; `signal.reason` when aborted
   */
  read(secretId: string, signal?: AbortSignal): Promise<string>;
}

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

/** The SDK repeats throttled and broken calls itself. */
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

/** The same with all that a rotation does. */
export function createSecretStore(client: SecretsManagerClient): SecretSource & SecretStore {
  const write = (SecretId: string, version: Omit<PutSecretValueCommandInput, "SecretId">) =>
    told({ secretId: SecretId, action: "PutSecretValue" }, () =>
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
      // The SDK gives all repetitions one token: a second version with the same value would take the older value's place
      // as the previous one.
      await write(secretId, { SecretString: text });
    },
    moveStage: async (SecretId, { stage, to, from }) => {
      const move = { VersionStage: stage, MoveToVersionId: to, RemoveFromVersionId: from };
      await told({ secretId: SecretId, action: "UpdateSecretVersionStage" }, () =>
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

async function told<T>({ secretId, action, signal }: Asked, call: () => Promise<T>): Promise<T> {
  signal?.throwIfAborted();
  try {
    return await call();
  } catch (error) {
    signal?.throwIfAborted();
    throw troubleOf(error, secretId, action);
  }
}

async function read(
  client: SecretsManagerClient,
  which: GetSecretValueCommandInput & { readonly SecretId: string },
  signal?: AbortSignal,
): Promise<string> {
  const { SecretId: secretId } = which;
  const { SecretString: text } = await told({ secretId, action: "GetSecretValue", signal }, () =>
    client.send(new GetSecretValueCommand(which), signal ? { abortSignal: signal } : {}),
  );
  if (text !== undefined) return text;
  throw new RunnerError(
    "secret_malformed",
    `the secret "${secretId}" is binary; store it as text: ${putCommand(secretId)}`,
  );
}

async function describe(client: SecretsManagerClient, SecretId: string): Promise<Stages> {
  const { VersionIdsToStages = {} } = await told({ secretId: SecretId, action: "DescribeSecret" }, () =>
    client.send(new DescribeSecretCommand({ SecretId })),
  );
  const holders = Object.entries(VersionIdsToStages).flatMap(([versionId, stages]) =>
    stages.map((stage) => [stage, versionId] as const),
  );
  return Object.fromEntries(holders);
}

/** A secret without such a version is nothing wrong; one that does not exist is. */
async function ifThere(value: Promise<string>): Promise<string | undefined> {
  try {
    return await value;
  } catch (error) {
    if (hasCode(error, "secret_missing") && isWithoutValue(error.cause)) return undefined;
    throw error;
  }
}

/** "Secrets Manager can't find the specified secret value for staging label: …" */
const isWithoutValue = (cause: unknown): boolean =>
  cause instanceof Error && withoutValue.test(cause.message);
const withoutValue = /secret value/i;

/** That version has another value. */
const isTaken = (error: unknown): boolean =>
  error instanceof RunnerError && error.cause instanceof ResourceExistsException;

/** https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_Operations.html */
type Action = "GetSecretValue" | "DescribeSecret" | "PutSecretValue" | "UpdateSecretVersionStage";

/** What was not done to a secret, for the error's sentence. */
const done: Readonly<Record<Action, string>> = {
  GetSecretValue: "read",
  DescribeSecret: "described",
  PutSecretValue: "written",
  UpdateSecretVersionStage: "rotated",
};

interface Trouble {
  readonly code: ErrorCode;
  readonly retryable: boolean;
  readonly sentence: (secretId: string, action: Action) => string;
}

interface Row extends Trouble {
  readonly name: RegExp;
  /** Further told apart by the service's words. */
  readonly message?: RegExp;
}

const putCommand = (id: string): string =>
  `aws secretsmanager put-secret-value --secret-id ${id} --secret-string file:///dev/stdin`;

/** What the service's errors mean; the first row that fits counts. */
const rows: readonly Row[] = [
  {
    name: /^ResourceNotFoundException$/,
    message: withoutValue,
    code: "secret_missing",
    retryable: false,
    sentence: (id) => `the secret "${id}" exists but has no value yet; set it: ${putCommand(id)}`,
  },
  {
    name: /^ResourceNotFoundException$/,
    code: "secret_missing",
    retryable: false,
    sentence: (id) =>
      `there is no secret "${id}" in this account and region; check the name, or create it and set it: ${putCommand(id)}`,
  },
  {
    name: /^InvalidRequestException$/,
    message: /delet/i,
    code: "secret_missing",
    retryable: false,
    sentence: (id) =>
      `the secret "${id}" is marked for deletion; keep it: aws secretsmanager restore-secret --secret-id ${id}`,
  },
  {
    name: /^AccessDenied(?:Exception)?$/,
    code: "secrets_unavailable",
    retryable: false,
    sentence: (id, action) =>
      `the secret "${id}" may not be ${done[action]}; the role needs secretsmanager:${action} on it (and kms:Decrypt, if it has a key of its own)`,
  },
  {
    name: /^DecryptionFailure$/,
    code: "secrets_unavailable",
    retryable: false,
    sentence: (id) => `the secret "${id}" cannot be decrypted; check its KMS key`,
  },
  {
    name: /^(?:CredentialsProviderError|UnrecognizedClientException|InvalidClientTokenId|ExpiredToken(?:Exception)?|InvalidSignatureException)$/,
    code: "secrets_unavailable",
    retryable: false,
    sentence: (id, action) =>
      `the secret "${id}" was not ${done[action]}: the AWS credentials are missing, expired or wrong`,
  },
];

function troubleOf(thrown: unknown, secretId: string, action: Action): unknown {
  if (!(thrown instanceof Error)) return thrown;
  const { name, message } = thrown;
  const trouble =
    rows.find((row) => row.name.test(name) && (row.message?.test(message) ?? true)) ?? otherTrouble(thrown);
  if (trouble === undefined) return thrown;
  return new RunnerError(trouble.code, trouble.sentence(secretId, action), {
    retryable: trouble.retryable,
    cause: thrown,
  });
}

/** Any other answer of the service, or a fault of the network; `undefined` for anything else, which is a bug. */
function otherTrouble(error: Error): Trouble | undefined {
  const why = whyNot(error);
  if (why === undefined) return undefined;
  return {
    code: "secrets_unavailable",
    retryable: isPassing(error),
    sentence: (id, action) => `the secret "${id}" was not ${done[action]}: Secrets Manager ${why}`,
  };
}

function whyNot(error: Error): string | undefined {
  if (isThrottle(error)) return "is throttling";
  const fault = networkFault(error);
  if (fault !== undefined) return `is out of reach (${fault})`;
  return isRefusal(error) ? `answered ${error.name}` : undefined;
}
