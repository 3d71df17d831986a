import {
  DescribeSecretCommand,
  GetSecretValueCommand,
  PutSecretValueCommand,
  ResourceExistsException,
  SecretsManagerClient,
  UpdateSecretVersionStageCommand,
  type GetSecretValueCommandInput,
  type SecretsManagerClientConfig,
} from "@aws-sdk/client-secrets-manager";
import { hasCode, RunnerError, type ErrorCode } from "./errors.ts";
import type { SecretStore, StagedSecrets, Stages } from "./secret-store.ts";
import type { SecretSource } from "./secrets.ts";

/** The SDK's own settings; region, endpoint and credentials otherwise come from the standard AWS variables. */
export type SecretsManagerOptions = Pick<
  SecretsManagerClientConfig,
  "region" | "endpoint" | "credentials" | "maxAttempts"
>;

/** AWS Secrets Manager as a source of values. The SDK repeats throttled and broken calls (3 tries). */
export function createSecretsManager(options: SecretsManagerOptions = {}): SecretSource & StagedSecrets {
  return reading(createClient(options));
}

/** The same with all that a rotation does. */
export function createSecretStore(options: SecretsManagerOptions = {}): SecretSource & SecretStore {
  const client = createClient(options);
  return {
    ...reading(client),
    readVersion: (SecretId, VersionId) => ifThere(read(client, { SecretId, VersionId })),
    stages: (secretId) => describe(client, secretId),
    putPending: async (SecretId, { versionId, text }) => {
      const version = { ClientRequestToken: versionId, VersionStages: ["AWSPENDING"] };
      const command = new PutSecretValueCommand({ SecretId, SecretString: text, ...version });
      const send = () => client.send(command).then(() => "stored" as const, whereTaken);
      return await guarded({ secretId: SecretId, act: acts.write }, send);
    },
    put: async (SecretId, text) => {
      const command = new PutSecretValueCommand({ SecretId, SecretString: text });
      await guarded({ secretId: SecretId, act: acts.write }, () => client.send(command));
    },
    moveStage: async (SecretId, { stage, to, from }) => {
      const move = { VersionStage: stage, MoveToVersionId: to, RemoveFromVersionId: from };
      const command = new UpdateSecretVersionStageCommand({ SecretId, ...move });
      await guarded({ secretId: SecretId, act: acts.move }, () => client.send(command));
    },
  };
}

const createClient = (options: SecretsManagerOptions): SecretsManagerClient =>
  new SecretsManagerClient({
    maxAttempts: 3,
    requestHandler: { connectionTimeout: 2_000, requestTimeout: 4_000, throwOnRequestTimeout: true },
    ...options,
  });

function reading(client: SecretsManagerClient): SecretSource & StagedSecrets {
  return {
    read: (SecretId, signal) => read(client, { SecretId }, signal),
    readStage: (SecretId, VersionStage, signal) => ifThere(read(client, { SecretId, VersionStage }, signal)),
  };
}

async function read(
  client: SecretsManagerClient,
  which: GetSecretValueCommandInput & { readonly SecretId: string },
  signal?: AbortSignal,
): Promise<string> {
  signal?.throwIfAborted();
  const call: Call = { secretId: which.SecretId, act: acts.read, signal };
  const { SecretString: text } = await guarded(call, () =>
    client.send(new GetSecretValueCommand(which), signal ? { abortSignal: signal } : {}),
  );
  if (text !== undefined) return text;
  throw new RunnerError(
    "secret_malformed",
    `the secret "${which.SecretId}" is binary; store it as text: ${putCommand(which.SecretId)}`,
  );
}

async function describe(client: SecretsManagerClient, secretId: string): Promise<Stages> {
  const command = new DescribeSecretCommand({ SecretId: secretId });
  const { VersionIdsToStages = {} } = await guarded({ secretId, act: acts.describe }, () =>
    client.send(command),
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

function whereTaken(error: unknown): "taken" {
  if (error instanceof ResourceExistsException) return "taken";
  throw error;
}

/** What was done to a secret, for the error's sentence. */
interface Act {
  readonly done: string;
  readonly right: string;
}

const acts = {
  read: { done: "read", right: "GetSecretValue" },
  describe: { done: "described", right: "DescribeSecret" },
  write: { done: "written", right: "PutSecretValue" },
  move: { done: "rotated", right: "UpdateSecretVersionStage" },
} as const satisfies Readonly<Record<string, Act>>;

interface Call {
  readonly secretId: string;
  readonly act: Act;
  readonly signal?: AbortSignal | undefined;
}

async function guarded<T>(call: Call, send: () => Promise<T>): Promise<T> {
  try {
    return await send();
  } catch (error) {
    call.signal?.throwIfAborted();
    throw troubleOf(error, call);
  }
}

interface Trouble {
  readonly code: ErrorCode;
  readonly retryable: boolean;
  readonly sentence: (secretId: string, act: Act) => string;
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
    sentence: (id, { done, right }) =>
      `the secret "${id}" may not be ${done}; the role needs secretsmanager:${right} on it (and kms:Decrypt, if it has a key of its own)`,
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
    sentence: (id, { done }) =>
      `the secret "${id}" was not ${done}: the AWS credentials are missing, expired or wrong`,
  },
  {
    name: /^(?:Throttling|TooManyRequests|RequestLimitExceeded|LimitExceeded)/,
    code: "secrets_unavailable",
    retryable: true,
    sentence: (id, { done }) => `the secret "${id}" was not ${done}: Secrets Manager is throttling`,
  },
];

function troubleOf(thrown: unknown, { secretId, act }: Call): unknown {
  if (!(thrown instanceof Error)) return thrown;
  const { name, message } = thrown;
  const trouble =
    rows.find((row) => row.name.test(name) && (row.message?.test(message) ?? true)) ?? otherTrouble(thrown);
  if (trouble === undefined) return thrown;
  return new RunnerError(trouble.code, trouble.sentence(secretId, act), {
    retryable: trouble.retryable,
    cause: thrown,
  });
}

/** Any other answer of the service, or a fault of the network; `undefined` for anything else, which is a bug. */
function otherTrouble(error: Error): Trouble | undefined {
  const status = statusOf(error);
  if (status !== undefined) {
    const sentence = (id: string, { done }: Act): string =>
      `the secret "${id}" was not ${done}: Secrets Manager answered ${error.name}`;
    return { code: "secrets_unavailable", retryable: status === 429 || status >= 500, sentence };
  }
  const fault = faultOf(error);
  if (fault === undefined) return undefined;
  const sentence = (id: string, { done }: Act): string =>
    `the secret "${id}" was not ${done}: Secrets Manager is out of reach (${fault})`;
  return { code: "secrets_unavailable", retryable: true, sentence };
}

/** The service's errors carry their HTTP status in `$metadata`; so do answers that are no JSON. */
function statusOf(error: Error): number | undefined {
  const metadata = "$metadata" in error ? error.$metadata : undefined;
  if (typeof metadata !== "object" || metadata === null || !("httpStatusCode" in metadata)) return undefined;
  return typeof metadata.httpStatusCode === "number" ? metadata.httpStatusCode : undefined;
}

/** Node's word for a broken connection, or the SDK's for a silent one. */
function faultOf(error: Error): string | undefined {
  const code = "code" in error ? error.code : undefined;
  const network = /^E(?:CONN|HOST|NET|AI_|PIPE|TIMEDOUT|NOTFOUND|PROTO)|CERT|^ERR_(?:TLS|SSL)/;
  if (typeof code === "string" && network.test(code)) return code;
  return error.name === "TimeoutError" ? "time-out" : undefined;
}
