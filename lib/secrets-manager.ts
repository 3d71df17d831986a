import {
  GetSecretValueCommand,
  SecretsManagerClient,
  type SecretsManagerClientConfig,
} from "@aws-sdk/client-secrets-manager";
import { RunnerError, type ErrorCode } from "./errors.ts";
import type { SecretSource } from "./secrets.ts";

/** The SDK's own settings; region, endpoint and credentials otherwise come from the standard AWS variables. */
export type SecretsManagerOptions = Pick<
  SecretsManagerClientConfig,
  "region" | "endpoint" | "credentials" | "maxAttempts"
>;

/** AWS Secrets Manager as a SecretSource. The SDK repeats throttled and broken calls (3 tries). */
export function createSecretsManager(options: SecretsManagerOptions = {}): SecretSource {
  const client = new SecretsManagerClient({
    maxAttempts: 3,
    requestHandler: { connectionTimeout: 2_000, requestTimeout: 4_000, throwOnRequestTimeout: true },
    ...options,
  });
  return { read: (secretId, signal) => read(client, secretId, signal) };
}

async function read(client: SecretsManagerClient, secretId: string, signal?: AbortSignal): Promise<string> {
  signal?.throwIfAborted();
  const command = new GetSecretValueCommand({ SecretId: secretId });
  try {
    const { SecretString: text } = await client.send(command, signal ? { abortSignal: signal } : {});
    if (text !== undefined) return text;
  } catch (error) {
    signal?.throwIfAborted();
    throw troubleOf(error, secretId);
  }
  throw new RunnerError(
    "secret_malformed",
    `the secret "${secretId}" is binary; store it as text: ${putCommand(secretId)}`,
  );
}

interface Trouble {
  readonly code: ErrorCode;
  readonly retryable: boolean;
  readonly sentence: (secretId: string) => string;
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
    message: /secret value/i,
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
    sentence: (id) =>
      `the secret "${id}" may not be read; the role needs secretsmanager:GetSecretValue on it (and kms:Decrypt, if it has a key of its own)`,
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
    sentence: (id) => `the secret "${id}" was not read: the AWS credentials are missing, expired or wrong`,
  },
  {
    name: /^(?:Throttling|TooManyRequests|RequestLimitExceeded|LimitExceeded)/,
    code: "secrets_unavailable",
    retryable: true,
    sentence: (id) => `the secret "${id}" was not read: Secrets Manager is throttling`,
  },
];

function troubleOf(thrown: unknown, secretId: string): unknown {
  if (!(thrown instanceof Error)) return thrown;
  const { name, message } = thrown;
  const trouble =
    rows.find((row) => row.name.test(name) && (row.message?.test(message) ?? true)) ?? otherTrouble(thrown);
  if (trouble === undefined) return thrown;
  return new RunnerError(trouble.code, trouble.sentence(secretId), {
    retryable: trouble.retryable,
    cause: thrown,
  });
}

/** Any other answer of the service, or a fault of the network; `undefined` for anything else, which is a bug. */
function otherTrouble(error: Error): Trouble | undefined {
  const status = statusOf(error);
  if (status !== undefined) {
    const sentence = (id: string): string =>
      `the secret "${id}" was not read: Secrets Manager answered ${error.name}`;
    return { code: "secrets_unavailable", retryable: status === 429 || status >= 500, sentence };
  }
  const fault = faultOf(error);
  if (fault === undefined) return undefined;
  const sentence = (id: string): string =>
    `the secret "${id}" was not read: Secrets Manager is out of reach (${fault})`;
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
