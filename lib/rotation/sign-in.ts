import * as z from "zod";
import { withTimeLimit, type Clock } from "../core/clock.ts";
import { RunnerError } from "../core/errors.ts";
import { readText, userAgent, type Fetch } from "../adapters/http.ts";
import { retry, type RetryPolicy } from "../core/retry.ts";
import { Secret } from "../core/secret.ts";
import type { SecretStore, SecretSource } from "../adapters/secrets-manager.ts";
import { parseJson } from "../core/json.ts";

export interface SignInOptions {
  readonly secrets: SecretSource & Pick<SecretStore, "put">;
  readonly fetch: Fetch;
  readonly clock: Clock;
  /** 0 (included) to 1 (excluded). */
  readonly random: () => number;
  /** The secret `{ "refreshToken": "…", "apiKey": "…" }`. */
  readonly secretId: string;
  /** The address of Firebase, or of a replacement in tests; without a trailing slash. */
  readonly baseUrl: string;
}

/** `apiKey` is the Firebase web API key of Studio. It names the project and is not a secret by itself. */
const accountSchema = z.looseObject({ refreshToken: z.string().min(1), apiKey: z.string().min(1) });
type Account = z.output<typeof accountSchema>;

/** https://firebase.google.com/docs/reference/rest/auth#section-refresh-token */
const answerSchema = z.looseObject({ id_token: z.string().min(1), refresh_token: z.string().min(1) });
const refusalSchema = z.looseObject({ error: z.looseObject({ message: z.string() }) });

const limitMs = 15_000;
const longestBytes = 64 * 1024;
const policy: RetryPolicy = { attempts: 3, baseMs: 500, maxMs: 4_000, maxRetryAfterMs: 10_000 };

/**
 * Exchanges the account's Firebase refresh token for a short-lived account token. Keeps neither; if Firebase
 * renews the refresh token, stores the new one in the secret.
 * @throws RunnerError `sign_in_refused` (a person has to sign in again), `sign_in_unavailable` (retryable),
 * and what reading and writing the secret throw
 */
export async function signIn(options: SignInOptions): Promise<Secret> {
  const account = parseAccount(await options.secrets.read(options.secretId), options.secretId);
  const answer = await retry({ clock: options.clock, random: options.random, policy }, () =>
    exchange(options, account),
  );
  if (answer.refresh_token !== account.refreshToken)
    await options.secrets.put(
      options.secretId,
      JSON.stringify({ ...account, refreshToken: answer.refresh_token }),
    );
  return new Secret(answer.id_token);
}

/** @throws RunnerError `secret_malformed`, without any part of the value */
export function parseAccount(text: string, where: string): Account {
  const result = accountSchema.safeParse(parseJson(text));
  if (result.success) return result.data;
  const shape = '{ "refreshToken": "…", "apiKey": "…" }';
  throw new RunnerError("secret_malformed", `the secret "${where}" is not of the form ${shape}`);
}

async function exchange(options: SignInOptions, account: Account): Promise<z.output<typeof answerSchema>> {
  const { status, body } = await post(options, account);
  if (status < 200 || status >= 300) throw refusal(options, status, body);
  const answer = answerSchema.safeParse(body);
  if (answer.success) return answer.data;
  throw new RunnerError(
    "sign_in_refused",
    `what answered at ${originOf(options)} is not Firebase's token service`,
  );
}

/** Errors have no cause, because the request's address and body contain the secret. */
async function post(
  options: SignInOptions,
  { apiKey, refreshToken }: Account,
): Promise<{ readonly status: number; readonly body: unknown }> {
  const url = `${options.baseUrl}/v1/token?key=${encodeURIComponent(apiKey)}`;
  const body = new URLSearchParams({ grant_type: "refresh_token", refresh_token: refreshToken }).toString();
  const headers = { "content-type": "application/x-www-form-urlencoded", "user-agent": userAgent };
  try {
    return await withTimeLimit({ clock: options.clock, limitMs, what: "signing in" }, async (signal) => {
      const answer = await options.fetch(url, { method: "POST", headers, body, redirect: "manual", signal });
      return { status: answer.status, body: parseJson((await readText(answer.body, longestBytes)).text) };
    });
  } catch {
    throw unavailable(`${originOf(options)} did not answer`);
  }
}

function refusal({ secretId }: SignInOptions, status: number, body: unknown): RunnerError {
  const { data } = refusalSchema.safeParse(body);
  // Firebase's error codes, like TOKEN_EXPIRED. The rest of its message is not logged.
  const code = /^[A-Z_]{3,60}/.exec(data?.error.message ?? "")?.[0];
  const said = `Firebase answered ${status}${code === undefined ? "" : ` ${code}`}`;
  if (status === 408 || status === 429 || status >= 500) return unavailable(said);
  const sentence =
    `the account key in the secret "${secretId}" is refused: ${said}; ` +
    "sign in to Studio again and store the new refresh token";
  return new RunnerError("sign_in_refused", sentence, { status });
}

const unavailable = (why: string): RunnerError =>
  new RunnerError("sign_in_unavailable", `signing in to Studio failed: ${why}`, {
    retryable: true,
  });

const originOf = ({ baseUrl }: SignInOptions): string => new URL(baseUrl).origin;
