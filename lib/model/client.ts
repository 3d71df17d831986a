import { OpenAI, type ClientOptions } from "openai";
import { Response } from "undici";
import { readText, userAgent, type Http } from "../adapters/http.ts";
import { redactor, type Redact } from "../core/redact.ts";
import type { Secret } from "../core/secret.ts";
import { identityRefused, saysNoForGood } from "./provider-trouble.ts";

/** A stored key of the model's provider. */
export interface KeySource {
  get(): Promise<Secret>;
  /** Past the cache: called once after the provider refused the cached key. */
  refresh(): Promise<Secret>;
}

/** Short-lived tokens of the provider in the place of a stored key (docs/decisions/0019). */
export interface Identity {
  readonly identityProviderId: string;
  readonly serviceAccountId: string;
  /** A fresh token that proves who we are (lib/adapters/sts.ts). */
  readonly subjectToken: () => Promise<string>;
  /** Default OpenAI's own. */
  readonly tokenUrl?: string | undefined;
}

/** Amazon Bedrock, which is asked by requests that the provider signs (bedrock.ts). */
export interface Signing {
  readonly provider: NonNullable<ClientOptions["provider"]>;
  /** For people. */
  readonly place: string;
}

export type Credential =
  | { readonly apiKey: KeySource }
  | { readonly identity: Identity }
  | { readonly signing: Signing };

export interface ModelClientOptions {
  readonly http: Pick<Http, "fetch" | "silentFor">;
  readonly credential: Credential;
  /** With or without a trailing slash. Default OpenAI's. */
  readonly baseUrl?: string | undefined;
}

/** The provider's own client, made once for all jobs of a process: tokens live as long as it does. */
export interface ModelClient {
  readonly openai: OpenAI;
  /** For `fetchOptions` of a request: ends an exchange that is silent for so long. */
  silentFor(silenceMs: number): NonNullable<ClientOptions["fetchOptions"]>;
  /** Takes the credentials that were sent last out of a text. */
  readonly redact: Redact;
  /** Where Amazon Bedrock is asked; absent: another provider is. */
  readonly place: string | undefined;
  /** Absent where the client renews its tokens by itself, or signs. */
  readonly key: KeySource | undefined;
}

const openAiUrl = "https://api.openai.com/v1";
/** The client's time-out for the head of an answer: never before the silence limit, which counts for the body too. */
const timeout = 3_600_000;
/** Of a refusal, and of a token's answer. */
const longestWordsBytes = 64 * 1024;
/** A key is renewed now and then: what is said of the one before it may still come. */
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
    // Not from the environment.
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

/** A provider has its own address. */
function authentication(credential: Credential, baseURL = openAiUrl): Authentication {
  if ("signing" in credential) return { provider: credential.signing.provider };
  if ("apiKey" in credential)
    return { baseURL, apiKey: async () => (await credential.apiKey.get()).reveal() };
  const { identityProviderId, serviceAccountId, subjectToken } = credential.identity;
  const provider = { tokenType: "jwt", getToken: subjectToken } as const;
  // Renewed at half of a token's life at the latest, so that a round that begins with it is answered before its end.
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

/** The client's own, which it does not let us set. https://developers.openai.com/api/reference/workload-identity-federation */
const openAiTokenUrl = "https://auth.openai.com/oauth/token";

/** The refusals of an exchange whose code the client reads; others it takes for the model's. */
const clientReads: readonly number[] = [400, 401, 403];
/** A `Response` takes none beyond it. */
const highestStatus = 599;

/** The client reads refusals and tokens whole: they are cut off here. Other answers are read by responses-api.ts. */
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
  // A body that cannot be read leaves the status, which says what matters.
  const { text } = await readText(body, longestWordsBytes).catch(() => ({ text: "" }));
  if (isForToken && saysNoForGood(status) && !clientReads.includes(status)) throw identityRefused(status);
  return new Response(text === "" ? null : text, { status: Math.min(status, highestStatus), headers });
}
