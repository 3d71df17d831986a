import { RunnerError, type ErrorCode } from "../core/errors.ts";
import { keepHead, printable } from "../core/text.ts";
import { isPassing, isRefusal, isThrottle, networkFault } from "./aws.ts";

/** https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_Operations.html */
export type Action = "GetSecretValue" | "DescribeSecret" | "PutSecretValue" | "UpdateSecretVersionStage";

/** The failed operation, for the error message. */
const done: Readonly<Record<Action, string>> = {
  GetSecretValue: "read",
  DescribeSecret: "described",
  PutSecretValue: "written",
  UpdateSecretVersionStage: "rotated",
};

interface ServiceFailure {
  readonly code: ErrorCode;
  readonly retryable: boolean;
  readonly sentence: (secretId: string, action: Action) => string;
}

interface Row extends ServiceFailure {
  readonly name: RegExp;
}

/** Shown to operators. */
export const putCommand = (id: string): string =>
  `aws secretsmanager put-secret-value --secret-id ${id} --secret-string file:///dev/stdin`;

/** The meaning of the service's errors; the first match counts. */
const rows: readonly Row[] = [
  {
    name: /^ResourceNotFoundException$/,
    code: "secret_missing",
    retryable: false,
    sentence: (id) =>
      `the secret "${id}" has no value, or does not exist in this account and region; set it: ${putCommand(id)}`,
  },
  {
    name: /^InvalidRequestException$/,
    code: "secret_missing",
    retryable: false,
    sentence: (id) =>
      `the state of the secret "${id}" does not allow this; if it is marked for deletion, keep it: aws secretsmanager restore-secret --secret-id ${id}`,
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
    name: /^(?:CredentialsProviderError|UnrecognizedClientException|InvalidClientTokenId|ExpiredToken(?:Exception)?)$/,
    code: "secrets_unavailable",
    retryable: false,
    sentence: (id, action) =>
      `the secret "${id}" was not ${done[action]}: the AWS credentials are missing, expired or wrong`,
  },
  {
    name: /^(?:InvalidSignatureException|RequestExpired)$/,
    code: "secrets_unavailable",
    retryable: false,
    sentence: (id, action) =>
      `the secret "${id}" was not ${done[action]}: AWS refused the signature; check the clock, and whether the secret access key belongs to the access key ID`,
  },
];

const longestQuote = 500;

/** The RunnerError for an error of the SDK; bugs pass through unchanged. */
export function failureOf(thrown: unknown, secretId: string, action: Action): unknown {
  if (!(thrown instanceof Error)) return thrown;
  const row = rows.find(({ name }) => name.test(thrown.name));
  const failure = row ?? otherFailure(thrown);
  if (failure === undefined) return thrown;
  // Other answers are not quoted: a refused parameter could be the secret's value.
  const quoted = row ? ` (AWS: ${keepHead(printable(thrown.message), longestQuote)})` : "";
  return new RunnerError(failure.code, `${failure.sentence(secretId, action)}${quoted}`, {
    retryable: failure.retryable,
    cause: thrown,
  });
}

/** Any other answer of the service, or a fault of the network; `undefined` for anything else, which is a bug. */
function otherFailure(error: Error): ServiceFailure | undefined {
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
