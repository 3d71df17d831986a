import * as z from "zod";
import { RunnerError, type ErrorCode } from "../lib/core/errors.ts";
import { asSentence, printable } from "../lib/core/text.ts";

/** The meaning of each exit code, printed by `--help` and in docs/cli.md. */
export const exits = {
  ok: { code: 0, meaning: "done, and nothing is wrong" },
  finding: {
    code: 1,
    meaning: "done, but something needs attention; or refused, for the given reason",
  },
  usage: { code: 2, meaning: "the command line or the project's settings are wrong" },
  missing: { code: 3, meaning: "the stack, the pool or the job does not exist" },
  access: { code: 4, meaning: "no credentials, or without permission for this" },
  failed: { code: 5, meaning: "it could not be done or checked: AWS, the network, or a bug" },
  interrupted: { code: 130, meaning: "stopped by Ctrl-C" },
} as const satisfies Readonly<Record<string, { readonly code: number; readonly meaning: string }>>;

export type ExitName = keyof typeof exits;

/**
 * The error codes of commands with their exit codes. The names must not change, because scripts read them
 * from `--json`.
 */
const errorExits = {
  usage: "usage",
  config_invalid: "usage",
  pool_needed: "usage",
  ambiguous: "usage",
  not_deployed: "missing",
  deploy_failed: "missing",
  not_running: "missing",
  not_found: "missing",
  version_skew: "missing",
  no_credentials: "access",
  signature_refused: "access",
  access_denied: "access",
  refused: "finding",
  timed_out: "finding",
  aws_failed: "failed",
  check_failed: "failed",
  internal: "failed",
  interrupted: "interrupted",
} as const satisfies Readonly<Record<string, ExitName>>;

export type CliErrorCode = keyof typeof errorExits;

/**
 * Ends a command. The message says what is wrong in one sentence, the remedy what to do. Never put a secret's
 * value into either.
 */
export class CliError extends Error {
  override readonly name = "CliError";
  readonly code: CliErrorCode;
  readonly remedy: string | undefined;

  constructor(
    code: CliErrorCode,
    message: string,
    options: { readonly remedy?: string; readonly cause?: unknown } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.remedy = options.remedy;
  }

  get exit(): ExitName {
    return errorExits[this.code];
  }
}

interface Known {
  readonly code: CliErrorCode;
  /** Names of SDK errors, and Node's error codes. */
  readonly names: readonly string[];
  readonly remedy: string;
}

const known: readonly Known[] = [
  {
    code: "no_credentials",
    names: [
      "CredentialsProviderError",
      "TokenProviderError",
      "ExpiredToken",
      "ExpiredTokenException",
      "UnrecognizedClientException",
      "InvalidClientTokenId",
    ],
    remedy: "Sign in to AWS (aws sso login, or set AWS_PROFILE), or name a profile with --profile.",
  },
  {
    code: "signature_refused",
    names: [
      "InvalidSignatureException",
      "SignatureDoesNotMatch",
      "RequestExpired",
      "RequestTimeTooSkewed",
      "RequestInTheFuture",
    ],
    remedy:
      "Check this machine's clock: AWS refuses requests that are more than five minutes off. If it is right, the secret access key does not belong to the access key ID.",
  },
  {
    code: "access_denied",
    names: ["AccessDenied", "AccessDeniedException", "UnauthorizedOperation", "AuthorizationErrorException"],
    remedy: "Use credentials that have permission for this; --profile names others.",
  },
  {
    code: "not_found",
    names: ["ResourceNotFoundException", "QueueDoesNotExist"],
    remedy: "Deploy again: a resource of the stack no longer exists.",
  },
];

/** Errors of lib whose own message says more than their cause. */
const ofRunner: Readonly<Partial<Record<ErrorCode, CliErrorCode>>> = {
  secret_missing: "not_found",
  secret_malformed: "refused",
  key_refused: "refused",
  sign_in_refused: "refused",
  sign_in_unavailable: "check_failed",
  studio_unavailable: "check_failed",
  studio_contract: "check_failed",
  studio_rejected: "check_failed",
  answer_too_long: "check_failed",
  time_limit: "check_failed",
};

/** Converts any thrown value to the error that the command ends with. */
export function toCliError(thrown: unknown): CliError {
  if (thrown instanceof CliError) return thrown;
  if (!(thrown instanceof Error)) return new CliError("internal", printable(String(thrown)));
  const own = thrown instanceof RunnerError ? ofRunner[thrown.code] : undefined;
  const message = printable(thrown.message);
  if (own) return new CliError(own, asSentence(message), { cause: thrown });
  const causes = chainOf(thrown);
  const row = known.find(({ names }) =>
    causes.some((cause) => namesOf(cause).some((n) => names.includes(n))),
  );
  if (row) return new CliError(row.code, asSentence(message), { remedy: row.remedy, cause: thrown });
  const silent = causes.find((cause) => namesOf(cause).some((name) => unanswered.includes(name)));
  if (silent) return nothingAnswers(silent, thrown);
  if (thrown instanceof RunnerError && thrown.code === "config_invalid")
    return new CliError("config_invalid", `cdk.json, context: ${thrown.message}`, { cause: thrown });
  const code = isDefect(thrown) ? "internal" : "aws_failed";
  return new CliError(code, message || thrown.name, { cause: thrown });
}

/** Node's error codes for a refused connection and an unknown host name. */
const unanswered: readonly string[] = ["ECONNREFUSED", "ENOTFOUND"];

function nothingAnswers(silent: Error, cause: Error): CliError {
  const { address, port, hostname } = z
    .object({
      address: z.string().optional(),
      port: z.number().optional(),
      hostname: z.string().optional(),
    })
    .catch({})
    .parse(silent);
  const host = address ?? hostname;
  const where = host === undefined ? "the address" : `${host}${port === undefined ? "" : `:${port}`}`;
  const remedy = /^(127\.|::1$|localhost$)/.test(host ?? "")
    ? "Is npm start still running? Without --local, check AWS_ENDPOINT_URL."
    : "Check the network, --region, and AWS_ENDPOINT_URL if it is set.";
  return new CliError("aws_failed", `Nothing answers at ${where}.`, { remedy, cause });
}

/**
 * The error and its causes, including those of an AggregateError, such as several attempts to connect to one
 * address.
 */
function chainOf(error: Error): readonly Error[] {
  const tries: readonly unknown[] = error instanceof AggregateError ? error.errors : [];
  const causes = [error.cause, ...tries].filter((one) => one instanceof Error);
  return [error, ...causes.flatMap(chainOf)];
}

function namesOf(error: Error): readonly string[] {
  const code: unknown = Reflect.get(error, "code");
  return typeof code === "string" ? [error.name, code] : [error.name];
}

/** Errors of the language are bugs of this project. Errors of the SDKs have names and codes of their own. */
function isDefect(error: Error): boolean {
  if (error instanceof RunnerError) return error.code === "internal";
  return error instanceof TypeError || error instanceof RangeError || error instanceof ReferenceError;
}
