import * as z from "zod";
import { unlessAborted, withTimeLimit, type Clock } from "../clock.ts";
import { RunnerError } from "../errors.ts";
import { readText, userAgent, type Fetch } from "../http.ts";
import { Secret } from "../secret.ts";
import type { ExchangeDeps } from "./exchange.ts";

export interface IdentityTokenDeps {
  readonly fetch: Fetch;
  readonly clock: Clock;
  readonly identityProviderId: string;
  readonly serviceAccountId: string;
  /** A fresh token that proves who we are (lib/adapters/sts.ts). */
  readonly subjectToken: () => Promise<string>;
  /** Default OpenAI's own. */
  readonly tokenUrl?: string | undefined;
}

/** Of the token that AWS gives: long enough for one exchange; the role's policy allows no longer (infra/processor.ts). */
export const subjectTokenSeconds = 300;

/** https://developers.openai.com/api/reference/workload-identity-federation */
const openAiTokenUrl = "https://auth.openai.com/oauth/token";
const grantType = "urn:ietf:params:oauth:grant-type:token-exchange";
const subjectTokenType = "urn:ietf:params:oauth:token-type:jwt";
const limitMs = 15_000;
const longestBytes = 64 * 1024;

const answerSchema = z.looseObject({
  access_token: z
    .string()
    .max(16_384)
    .regex(/^[\x21-\x7e]+$/),
  /** Seconds: an hour where that is missing or absurd. */
  expires_in: z.number().positive().max(86_400).catch(3_600),
});

interface Token {
  readonly value: Secret;
  /** Half of its life: a round that begins with it is answered before its end. */
  readonly freshUntilMs: number;
}

/**
 * Short-lived tokens of the model's provider in the place of a stored key: AWS says who we are, the provider exchanges
 * that for a token. We do it ourselves, because the SDK's own exchange lives as long as one client of it, has its address
 * built in, and tells of its trouble in errors that hold headers. Concurrent callers share one exchange.
 * @throws RunnerError `model_key_refused` (the provider does not know this identity), `model_unavailable` (retryable),
 *   `model_contract`; `signal.reason`
 */
export function createIdentityTokens(deps: IdentityTokenDeps): ExchangeDeps["apiKey"] {
  let token: Token | undefined;
  let exchanging: Promise<Token> | undefined;
  const renew = async (signal?: AbortSignal): Promise<Secret> => {
    exchanging ??= exchange(deps).finally(() => (exchanging = undefined));
    const renewing = exchanging.then((fresh) => (token = fresh).value);
    return await (signal === undefined ? renewing : unlessAborted(signal, renewing));
  };
  return {
    get: async (signal) =>
      token !== undefined && deps.clock.now() < token.freshUntilMs ? token.value : renew(signal),
    refresh: renew,
  };
}

async function exchange(deps: IdentityTokenDeps): Promise<Token> {
  const askedAtMs = deps.clock.now();
  const { status, body } = await post(deps, await deps.subjectToken());
  if (status < 200 || status >= 300) throw refusal(status, body);
  const answer = answerSchema.safeParse(body);
  if (!answer.success)
    throw new RunnerError("model_contract", "the exchange of our identity was answered without a token");
  const { access_token, expires_in } = answer.data;
  return { value: new Secret(access_token), freshUntilMs: askedAtMs + expires_in * 500 };
}

/** Errors are told without their cause: the request's body holds a token. */
async function post(
  { fetch, clock, tokenUrl = openAiTokenUrl, ...identity }: IdentityTokenDeps,
  subjectToken: string,
): Promise<{ readonly status: number; readonly body: unknown }> {
  const body = JSON.stringify({
    grant_type: grantType,
    subject_token_type: subjectTokenType,
    subject_token: subjectToken,
    identity_provider_id: identity.identityProviderId,
    service_account_id: identity.serviceAccountId,
  });
  const headers = { "content-type": "application/json", "user-agent": userAgent };
  try {
    return await withTimeLimit({ clock, limitMs, what: "the exchange of our identity" }, async (signal) => {
      const answer = await fetch(tokenUrl, { method: "POST", headers, body, redirect: "manual", signal });
      const { text } = await readText(answer.body, longestBytes);
      return { status: answer.status, body: jsonIn(text) };
    });
  } catch {
    throw unavailable(`${new URL(tokenUrl).origin} did not answer`);
  }
}

const refusalSchema = z.looseObject({
  error: z.union([z.string(), z.looseObject({ code: z.string() }).transform(({ code }) => code)]),
});

function refusal(status: number, body: unknown): RunnerError {
  const code = /^\w{3,60}$/.exec(refusalSchema.safeParse(body).data?.error ?? "")?.[0];
  const said = `HTTP ${status}${code === undefined ? "" : `, code ${code}`}`;
  if (status === 408 || status === 429 || status >= 500) return unavailable(said);
  const remedy =
    "check identityProviderId, serviceAccountId and audience in the settings, and their mapping there";
  return new RunnerError(
    "model_key_refused",
    `the model's provider refused our identity (${said}); ${remedy}`,
    {
      status,
    },
  );
}

const unavailable = (why: string): RunnerError =>
  new RunnerError("model_unavailable", `our identity could not be exchanged for a token: ${why}`, {
    retryable: true,
  });

function jsonIn(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
