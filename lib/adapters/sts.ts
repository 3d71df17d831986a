import { GetWebIdentityTokenCommand, STSClient } from "@aws-sdk/client-sts";
import { RunnerError } from "../core/errors.ts";
import { connections } from "./aws.ts";

export interface SubjectTokenOptions {
  /** The token's audience. */
  readonly audience: string;
  readonly validSeconds: number;
}

const clientDefaults = {
  maxAttempts: 3,
  requestHandler: connections({ connectMs: 2_000, silenceMs: 5_000 }),
};

/** The meaning of STS's errors. Others are temporary. */
const remedies: Readonly<Record<string, string>> = {
  OutboundWebIdentityFederationDisabledException:
    "outbound identity federation is off in this AWS account; switch it on: aws iam enable-outbound-web-identity-federation",
  OutboundWebIdentityFederationDisabled:
    "outbound identity federation is off in this AWS account; switch it on: aws iam enable-outbound-web-identity-federation",
  AccessDenied:
    "the processor's role may not call sts:GetWebIdentityToken for this audience; deploy again, and look for a policy of the organization that denies it",
};

/**
 * The function's own identity as a signed token of AWS, for one audience.
 * @throws RunnerError (from the result) `model_key_refused` with its remedy; `model_unavailable` (retryable)
 */
export function createSubjectTokens({ audience, validSeconds }: SubjectTokenOptions): () => Promise<string> {
  const client = new STSClient(clientDefaults);
  return async () => {
    const command = new GetWebIdentityTokenCommand({
      Audience: [audience],
      DurationSeconds: validSeconds,
      SigningAlgorithm: "RS256",
    });
    try {
      const { WebIdentityToken: token } = await client.send(command);
      if (token !== undefined) return token;
    } catch (error) {
      throw failureOf(error);
    }
    throw unavailable("AWS gave no identity token");
  };
}

function failureOf(error: unknown): unknown {
  if (!(error instanceof Error) || error instanceof TypeError) return error;
  const remedy = remedies[error.name];
  if (remedy !== undefined) return new RunnerError("model_key_refused", remedy, { cause: error });
  return unavailable(`AWS gave no identity token: ${error.name}`, error);
}

const unavailable = (message: string, cause?: Error): RunnerError =>
  new RunnerError("model_unavailable", message, {
    retryable: true,
    cause,
  });
