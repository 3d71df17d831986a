import { epochMs, nearTime, pastTime } from "../core/bounded.ts";
import type { Clock } from "../core/clock.ts";
import { hasCode, RunnerError } from "../core/errors.ts";
import type { Fetch } from "../adapters/http.ts";
import { redactor, type Redact, Secret } from "../core/secret.ts";
import { retry } from "../core/retry.ts";
import { timing } from "../core/timing.ts";
import { contractBroken, refusal, tooLong, unreadable, type Answer, type Attempt } from "./errors.ts";
import { post, type Wire } from "./exchange.ts";
import { routes, type Route, type RouteBody } from "./routes.ts";
import type { AdminCall, JobCall, Studio, StudioAdmin } from "./studio.ts";
import { cut, pageWords } from "./words.ts";
import { fitsMemory, parseJson, partsIn, problemOf } from "../core/json.ts";

export interface StudioOptions {
  /** Studio's address, with or without a trailing slash. */
  readonly baseUrl: string;
  readonly fetch: Fetch;
  readonly clock: Clock;
  /** 0 (included) to 1 (excluded): jitter of retries. */
  readonly random: () => number;
}

/** The API's cap for `/failWorkspaceJob`. */
const longestReason = 500;

const secondLookMs = 1_000;

/** The most problems in one error message. */
const shownProblems = 5;

interface Request {
  readonly credential: Secret;
  readonly body: unknown;
  readonly signal: AbortSignal;
}

type Send = <T>(route: Route<T>, request: Request) => Promise<Reply<T>>;

interface Reply<T> {
  readonly value: T;
  readonly skewMs: number;
  readonly isPage: boolean;
}

/**
 * Studio's API over HTTP. routes.ts says which calls are retried and how long one try may take.
 * @throws RunnerError `config_invalid` when `baseUrl` is not an http(s) address; the methods throw what studio.ts says
 */
export function createStudio({ baseUrl, fetch, clock, random }: StudioOptions): Studio & StudioAdmin {
  const wire: Wire = { baseUrl: parseBaseUrl(baseUrl), fetch, clock };
  const send: Send = (route, request) =>
    retry({ clock, random, policy: route.retry, signal: request.signal }, () =>
      sendOnce(wire, route, request),
    );
  return { ...jobRoutes(send, clock), ...managementRoutes(send) };
}

function jobRoutes(send: Send, clock: Clock): Studio {
  const sendJob = <T>(route: Route<T>, call: JobCall, more: object = {}): Promise<Reply<T>> =>
    send(route, {
      credential: call.key.value,
      body: { workspaceId: call.workspaceId, ...more },
      signal: call.signal,
    });
  return {
    lease: async ({ key, signal }) => {
      const { value, skewMs } = await send(routes.lease, { credential: key.value, body: {}, signal });
      if (!value.leased) return undefined;
      const givenMs = leaseEnd(value.leaseExpiresAt, skewMs, clock.now());
      const leaseExpiresAtMs = givenMs ?? clock.now() + timing.assumedLeaseMs;
      return { workspaceId: value.workspaceId, leaseExpiresAtMs, skewMs };
    },
    context: async (call) => {
      const { value, skewMs } = await twice({ clock, signal: call.signal }, () =>
        sendJob(routes.context, call),
      );
      const recentMessages = value.recentMessages.map((message) => ({
        ...message,
        createdAtMs: pastTime(message.createdAtMs, clock.now() + skewMs),
      }));
      return { ...value, recentMessages, skewMs };
    },
    heartbeat: async (call) => {
      const { value, skewMs, isPage } = await sendJob(routes.heartbeat, call);
      const givenMs = leaseEnd(value.leaseExpiresAt, skewMs, clock.now());
      // A lease that was just extended cannot be over.
      const leaseExpiresAtMs = givenMs !== undefined && givenMs > clock.now() ? givenMs : undefined;
      return isPage ? { leaseExpiresAtMs, isPage } : { leaseExpiresAtMs };
    },
    updateSummary: async (call, { summaryText, fromMessageId, throughMessageId }) => {
      await sendJob(routes.updateSummary, call, { summaryText, fromMessageId, throughMessageId });
    },
    complete: async (call, payload) => {
      const { assistantMessage, files, charts, datasets, svgs, lists, checklists } = payload;
      const body = { assistantMessage, files, charts, datasets, svgs, lists, checklists };
      await sendJob(routes.complete, call, body);
    },
    fail: async (call, reason) => {
      await sendJob(routes.fail, call, { error: cut(reason, longestReason) });
    },
  };
}

/** A complete answer that breaks the contract counts only if the next one does too. */
async function twice<T>(
  { clock, signal }: { readonly clock: Clock; readonly signal: AbortSignal },
  ask: () => Promise<T>,
): Promise<T> {
  try {
    return await ask();
  } catch (error) {
    if (!hasCode(error, "studio_contract")) throw error;
  }
  await clock.sleep(secondLookMs, signal);
  return await ask();
}

/** In our clock's time; `undefined` if Studio's value is unusable. */
function leaseEnd(value: unknown, skewMs: number, nowMs: number): number | undefined {
  const givenMs = epochMs(value);
  return nearTime(givenMs === undefined ? undefined : givenMs - skewMs, nowMs);
}

function managementRoutes(send: Send): StudioAdmin {
  const sendAdmin = <T>(route: Route<T>, call: AdminCall, body: object): Promise<Reply<T>> =>
    send(route, { credential: call.accountToken, body, signal: call.signal });
  return {
    createRunnerInstance: async (call, { kind, name }) => {
      const body = { kind, name };
      const { value } = await sendAdmin(routes.createRunnerInstance, call, body);
      const key = { id: value.credentialId, value: new Secret(value.runnerToken) };
      return { instanceId: value.instanceId, key, kind: value.kind, name: value.name ?? "" };
    },
    revokeRunnerInstance: async (call, instanceId) => {
      await sendAdmin(routes.revokeRunnerInstance, call, { instanceId });
    },
    renameRunnerInstance: async (call, instanceId, name) => {
      await sendAdmin(routes.renameRunnerInstance, call, { instanceId, name });
    },
  };
}

async function sendOnce<T>(wire: Wire, route: Route<T>, request: Request): Promise<Reply<T>> {
  const credential = request.credential.reveal();
  const { origin } = new URL(wire.baseUrl);
  const attempt: Attempt = {
    path: route.path,
    kind: route.kind,
    origin,
    redact: redactor(credential),
  };
  const { body, signal } = request;
  const answer = await post(wire, {
    attempt,
    credential,
    body,
    limitMs: route.limitMs,
    signal,
    wants: route.body,
  });
  if (answer.status < 200 || answer.status >= 300) throw refusal(answer, attempt);
  const isPage = pageWords(answer.text, attempt.redact) !== "";
  return { value: read(route, answer, attempt), skewMs: answer.skewMs, isPage };
}

function read<T>(route: Route<T>, answer: Answer, attempt: Attempt): T {
  const { text } = answer;
  if (route.body === "json" && (answer.truncated || !fitsMemory(text.length, partsIn(text))))
    throw tooLong(answer, attempt);
  const json = parseJson(text);
  const problem = bodyProblem(route.body, answer, { json, redact: attempt.redact });
  if (problem !== undefined) {
    throw (route.passesWhenUnreadable ? unreadable : contractBroken)(answer, attempt, problem);
  }
  const result = route.answer.safeParse(json);
  if (result.success) return result.data;
  const problems = result.error.issues.slice(0, shownProblems).map((issue) => problemOf(issue, "the whole"));
  throw contractBroken(answer, attempt, `a body of the wrong shape: ${problems.join("; ")}`);
}

/** Why a 2xx is not a valid answer to this route; `undefined` if it is. */
function bodyProblem(
  wants: RouteBody,
  { text }: Answer,
  { json, redact }: { readonly json: unknown; readonly redact: Redact },
): string | undefined {
  if (wants === "any") return undefined;
  const page = json === undefined ? pageWords(text, redact) : "";
  if (page !== "") return `${page} in the place of JSON`;
  if (wants === "any but a page") return undefined;
  if (text.trim() === "") return "an empty body";
  return json === undefined ? "a body that is not JSON" : undefined;
}

function parseBaseUrl(text: string): string {
  const url = URL.parse(text);
  if (url === null || !/^https?:$/.test(url.protocol)) {
    throw new RunnerError(
      "config_invalid",
      "Studio's address (RUNNER_API_BASE) is not an http or https address",
    );
  }
  if (url.username !== "" || url.password !== "" || url.search !== "" || url.hash !== "") {
    throw new RunnerError(
      "config_invalid",
      "Studio's address (RUNNER_API_BASE) may hold no user name, password, query or fragment",
    );
  }
  return `${url.origin}${url.pathname.replace(/\/+$/, "")}`;
}
