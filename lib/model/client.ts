import { OpenAI, type ClientOptions } from "openai";
import { Response } from "undici";
import { readText, userAgent, type Http } from "../adapters/http.ts";
import { redactor, type Redact } from "../core/secret.ts";
import type { Secret } from "../core/secret.ts";
import { identityRefused, isPermanentRefusal } from "./provider-errors.ts";

/** A stored key of the model's provider. */
export interface KeySource {
  get(): Promise<Secret>;
  /** Bypasses the cache; called once after the provider refused the cached key. */
  refresh(): Promise<Secret>;
}

/** Short-lived tokens of the provider in place of a stored key (docs/decisions/0019). */
export interface Identity {
  readonly identityProviderId: string;
  readonly serviceAccountId: string;
  /** A fresh token that proves our AWS identity (lib/adapters/sts.ts). */
  readonly subjectToken: () => Promise<string>;
  /** Default: OpenAI's. */
  readonly tokenUrl?: string | undefined;
}

/** Amazon Bedrock, with signed requests (bedrock.ts). */
export interface Signing {
  readonly provider: NonNullable<ClientOptions["provider"]>;
  /** The endpoint's name in messages. */
  readonly place: string;
}

export type Credential =
  | { readonly apiKey: KeySource }
  | { readonly identity: Identity }
  | { readonly signing: Signing };

export interface ModelClientOptions {
  readonly http: Pick<Http, "fetch" | "silentFor">;
  readonly credential: Credential;
  /** With or without a trailing slash. Default: OpenAI's. */
  readonly baseUrl?: string | undefined;
}

/** The provider's client, created once per process, so that its tokens are reused. */
export interface ModelClient {
  readonly openai: OpenAI;
  /** For `fetchOptions` of a request: ends an exchange after this long without data. */
  silentFor(silenceMs: number): NonNullable<ClientOptions["fetchOptions"]>;
  /** Removes the credentials that were sent last from a text. */
  readonly redact: Redact;
  /** The name of the Bedrock endpoint; absent for other providers. */
  readonly place: string | undefined;
  /** Absent if the client renews its tokens itself, or signs requests. */
  readonly key: KeySource | undefined;
}

const openAiUrl = "https://api.openai.com/v1";
/** The client's timeout for an answer's head: longer than the silence limit, which applies to the body too. */
const timeout = 3_600_000;
/** The longest refusal or token answer that is read, in bytes. */
const longestWordsBytes = 64 * 1024;
/** Keeps the previous keys for redaction: messages about them can still arrive. */
const rememberedKeys = 4;

export function createModelClient({ http, credential, baseUrl }: ModelClientOptions): ModelClient {
  const sent: string[] = [];
  const remember = (authorization: string | null): void => {
    const key = authorization?.replace(/^Bearer /, "") ?? "";
    if (key !== "" && !sent.includes(key))
      sent.splice(0, sent.length, key, ...sent.slice(0, rememberedKeys - 1));
  };
  const openai = new OpenAI({
    ...authentication(credential, baseUrl),
    maxRetries: 0,
    timeout,
    logLevel: "off",
    // Do not read these from the environment.
    adminAPIKey: null,
    organization: null,
    project: null,
    webhookSecret: null,
    defaultHeaders: { "user-agent": userAgent },
    fetch: async (url, init) => {
      remember(new Headers(init?.headers).get("authorization"));
      return await boundedFetch(http, credential, {
        url: url instanceof Request ? url.url : url.toString(),
        init,
      });
    },
  });
  return {
    openai,
    silentFor: (silenceMs) => ({ dispatcher: http.silentFor(silenceMs) }),
    redact: (text) => sent.reduce((rest, key) => redactor(key)(rest), text),
    place: "signing" in credential ? credential.signing.place : undefined,
    key: "apiKey" in credential ? credential.apiKey : undefined,
  };
}

type Authentication = Pick<ClientOptions, "apiKey" | "workloadIdentity" | "provider" | "baseURL">;

/** A `provider` brings its own address. */
function authentication(credential: Credential, baseURL = openAiUrl): Authentication {
  if ("signing" in credential) return { provider: credential.signing.provider };
  if ("apiKey" in credential)
    return { baseURL, apiKey: async () => (await credential.apiKey.get()).reveal() };
  const { identityProviderId, serviceAccountId, subjectToken } = credential.identity;
  const provider = { tokenType: "jwt", getToken: subjectToken } as const;
  // Tokens are renewed at half of their lifetime, so that a round that starts with one is answered before it expires.
  return {
    baseURL,
    apiKey: null,
    workloadIdentity: { identityProviderId, serviceAccountId, provider, refreshBufferSeconds: 86_400 },
  };
}

interface Sent {
  readonly url: string;
  readonly init: RequestInit | undefined;
}

/** The client's fixed address. https://developers.openai.com/api/reference/workload-identity-federation */
const openAiTokenUrl = "https://auth.openai.com/oauth/token";

/** Status codes of token exchanges whose error code the client reads; it takes others for the model's. */
const clientReads: readonly number[] = [400, 401, 403];
/** The highest status that a `Response` accepts. */
const highestStatus = 599;

/** The client reads refusals and tokens as a whole, so they are limited here. responses-api.ts limits other answers. */
async function boundedFetch(
  { fetch }: Pick<Http, "fetch">,
  credential: Credential,
  { url, init }: Sent,
): Promise<globalThis.Response> {
  const isForToken = url === openAiTokenUrl;
  const tokenUrl = "identity" in credential ? credential.identity.tokenUrl : undefined;
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- Node's undici and ours have types of their own
  const theirs = init as Parameters<typeof fetch>[1];
  const address = isForToken ? (tokenUrl ?? url) : url;
  const answer = await fetch(address, { ...theirs, redirect: "manual" });
  if (answer.ok && !isForToken) return answer;
  const { status, headers, body } = answer;
  // If the body cannot be read, the status is enough.
  const { text } = await readText(body, longestWordsBytes).catch(() => ({ text: "" }));
  if (isForToken && isPermanentRefusal(status) && !clientReads.includes(status))
    throw identityRefused(status);
  return new Response(text === "" ? null : text, { status: Math.min(status, highestStatus), headers });
}
