import type {
  DescribeSecretCommandInput,
  DescribeSecretCommandOutput,
  GetSecretValueCommandInput,
  GetSecretValueCommandOutput,
  PutSecretValueCommandInput,
  PutSecretValueCommandOutput,
  UpdateSecretVersionStageCommandInput,
  UpdateSecretVersionStageCommandOutput,
} from "@aws-sdk/client-secrets-manager";
import {
  AwsError,
  createAwsJson,
  isPassing,
  isThrottle,
  networkFault,
  type AwsAccess,
  type AwsJsonCall,
} from "../aws-json.ts";
import { systemClock, type Clock } from "../clock.ts";
import { hasCode, RunnerError, type ErrorCode } from "../errors.ts";
import { createHttp } from "../http.ts";
import { retry, type RetryPolicy } from "../retry.ts";
import type { SecretStore, StagedSecrets, Stages } from "../secret-store.ts";
import type { SecretSource } from "../secrets.ts";

export interface SecretsManagerOptions {
  readonly call: AwsJsonCall;
  readonly clock?: Clock;
  /** 0 (included) to 1 (excluded). */
  readonly random?: () => number;
  /** Tries of one call, the first included. */
  readonly attempts?: number;
}

export interface SecretStoreOptions extends SecretsManagerOptions {
  /** A new unique name of 32 to 64 characters, for a version. */
  readonly newId: () => string;
}

/** Secrets Manager over connections of its own. */
export function createSecretsManagerCall(access: AwsAccess, clock: Clock = systemClock): AwsJsonCall {
  const { fetch } = createHttp({ connectTimeoutMs: 2_000, silenceMs: 4_000 });
  const service = { name: "secretsmanager", target: "secretsmanager", version: "1.1" } as const;
  return createAwsJson({ clock, fetch, access }, service);
}

/** AWS Secrets Manager as a source of values. Throttled and broken calls are repeated. */
export function createSecretsManager(options: SecretsManagerOptions): SecretSource & StagedSecrets {
  return reading(createSend(options));
}

/** The same with all that a rotation does. */
export function createSecretStore(options: SecretStoreOptions): SecretSource & SecretStore {
  const send = createSend(options);
  return {
    ...reading(send),
    readVersion: (SecretId, VersionId) => ifThere(read(send, { SecretId, VersionId })),
    stages: (SecretId) => describe(send, SecretId),
    putStaged: async (SecretId, { versionId, text, stage }) => {
      const version = { ClientRequestToken: versionId, VersionStages: [stage] };
      try {
        await send("PutSecretValue", { SecretId, SecretString: text, ...version });
        return "stored";
      } catch (error) {
        if (isTaken(error)) return "taken";
        throw error;
      }
    },
    put: async (SecretId, text) => {
      // One for all repetitions: a second version with the same value would take the older value's place as the previous one.
      await send("PutSecretValue", { SecretId, SecretString: text, ClientRequestToken: options.newId() });
    },
    moveStage: async (SecretId, { stage, to, from }) => {
      const move = { VersionStage: stage, MoveToVersionId: to, RemoveFromVersionId: from };
      await send("UpdateSecretVersionStage", { SecretId, ...move });
    },
  };
}

/** https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_Operations.html */
interface Actions {
  readonly GetSecretValue: {
    readonly input: GetSecretValueCommandInput;
    readonly output: GetSecretValueCommandOutput;
  };
  readonly DescribeSecret: {
    readonly input: DescribeSecretCommandInput;
    readonly output: DescribeSecretCommandOutput;
  };
  readonly PutSecretValue: {
    readonly input: PutSecretValueCommandInput;
    readonly output: PutSecretValueCommandOutput;
  };
  readonly UpdateSecretVersionStage: {
    readonly input: UpdateSecretVersionStageCommandInput;
    readonly output: UpdateSecretVersionStageCommandOutput;
  };
}

type Send = <A extends keyof Actions>(
  action: A,
  input: Actions[A]["input"] & { readonly SecretId: string },
  signal?: AbortSignal,
) => Promise<Actions[A]["output"]>;

function createSend({
  call,
  clock = systemClock,
  random = Math.random,
  attempts = 3,
}: SecretsManagerOptions): Send {
  const policy: RetryPolicy = { attempts, baseMs: 100, maxMs: 1_000, maxRetryAfterMs: 0 };
  return (action, input, signal = new AbortController().signal) =>
    retry({ deps: { clock, random }, policy, signal }, async () => {
      signal.throwIfAborted();
      try {
        // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the service's own contract
        return (await call(action, input, signal)) as Actions[typeof action]["output"];
      } catch (error) {
        signal.throwIfAborted();
        throw troubleOf(error, input.SecretId, action);
      }
    });
}

function reading(send: Send): SecretSource & StagedSecrets {
  return {
    read: (SecretId, signal) => read(send, { SecretId }, signal),
    readStage: (SecretId, VersionStage, signal) => ifThere(read(send, { SecretId, VersionStage }, signal)),
  };
}

async function read(
  send: Send,
  which: GetSecretValueCommandInput & { readonly SecretId: string },
  signal?: AbortSignal,
): Promise<string> {
  const { SecretString: text } = await send("GetSecretValue", which, signal);
  if (text !== undefined) return text;
  throw new RunnerError(
    "secret_malformed",
    `the secret "${which.SecretId}" is binary; store it as text: ${putCommand(which.SecretId)}`,
  );
}

async function describe(send: Send, SecretId: string): Promise<Stages> {
  const { VersionIdsToStages = {} } = await send("DescribeSecret", { SecretId });
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
  error instanceof RunnerError &&
  error.cause instanceof Error &&
  error.cause.name === "ResourceExistsException";

type Action = keyof Actions;

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
  if (error instanceof AwsError) return `answered ${error.name}`;
  const fault = networkFault(error);
  return fault === undefined ? undefined : `is out of reach (${fault})`;
}
