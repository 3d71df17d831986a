import { onTestFinished } from "vitest";
import type { Clock } from "../../../lib/core/clock.ts";
import { createHttp, type Fetch } from "../../../lib/adapters/http.ts";
import { Secret } from "../../../lib/core/secret.ts";
import { createStudio } from "../../../lib/studio/client.ts";
import type { AdminCall, CompletePayload, JobCall, Studio, StudioAdmin } from "../../../lib/studio/studio.ts";
import { startHttpServer, type Answerer, type HttpServer, type Reply } from "../../support/http-server.ts";

export const runnerKey = "cred-7.s3cr3t-of-the-runner";
export const accountToken = "eyJhbGciOi.account-claims.account-signature";

const limitsMs: readonly number[] = [10_000, 15_000, 30_000, 60_000];

interface TestClock extends Clock {
  /** The waits between tries, in order. Each is over at once. */
  readonly waits: readonly number[];
  /** The time limits that were set, in order. */
  readonly limits: readonly number[];
  /** Ends the running time limits. */
  fireLimits(): void;
}

/**
 * A clock fixed at 2023-11-14T22:13:20Z. Waits between tries are recorded and end at once; time limits end
 * with `fireLimits`.
 */
export function createTestClock(nowMs = 1_700_000_000_000): TestClock {
  const waits: number[] = [];
  const limits: number[] = [];
  const running: (() => void)[] = [];
  return {
    waits,
    limits,
    now: () => nowMs,
    sleep: (ms, signal) => {
      if (!limitsMs.includes(ms)) {
        waits.push(ms);
        return Promise.resolve();
      }
      limits.push(ms);
      return new Promise((resolve, reject) => {
        running.push(resolve);
        signal?.addEventListener("abort", () => reject(signal.reason), { once: true });
      });
    },
    fireLimits: () => {
      for (const end of running) end();
    },
  };
}

interface Fixture {
  readonly server: HttpServer;
  readonly studio: Studio & StudioAdmin;
  readonly clock: TestClock;
}

interface FixtureOptions {
  readonly clock?: TestClock;
  readonly wrapFetch?: (fetch: Fetch) => Fetch;
  readonly path?: string;
}

/** Our client and a real server with these answers; both close when the test ends. */
export async function createFixture(answer: Answerer, options: FixtureOptions = {}): Promise<Fixture> {
  const { clock = createTestClock(), wrapFetch = (fetch) => fetch, path = "" } = options;
  // Node would add its own Date header, which the fixed clock would read as skew.
  const server = await startHttpServer(async (request) => {
    const reply = await answer(request);
    return "raw" in reply ? reply : { ...reply, headers: { date: "", ...reply.headers } };
  });
  const http = createHttp();
  onTestFinished(async () => {
    await http.close();
    await server.close();
  });
  const studio = createStudio({
    baseUrl: `${server.baseUrl}${path}`,
    fetch: wrapFetch(http.fetch),
    clock,
    random: () => 1,
  });
  return { server, studio, clock };
}

export function jobCall(signal: AbortSignal = new AbortController().signal): JobCall {
  return { key: { id: "cred-7", value: new Secret(runnerKey) }, workspaceId: "ws-1", signal };
}

export function adminCall(): AdminCall {
  return { accountToken: new Secret(accountToken), signal: new AbortController().signal };
}

export const payload: CompletePayload = {
  assistantMessage: "Done.",
  files: [{ name: "plan.md", content: "# Plan" }],
  charts: [],
  datasets: [],
  svgs: [],
  lists: [],
  checklists: [],
};

export const context = {
  workspaceId: "ws-1",
  title: null,
  legacyIdea: null,
  messageCount: 1,
  recentMessages: [{ id: "m1", role: "user", text: "Hello", createdAtMs: 1 }],
  priorMessages: [],
  recentText: "Hello",
  priorTextVerbatim: "",
  recentTokenEstimate: 2,
  priorTokenEstimate: 0,
  priorNeedsSummarization: false,
  storedPriorSummary: null,
  storedSummaryCoversPrior: false,
};

type Client = Studio & StudioAdmin;

/** Every route as one call. */
export const calls = {
  lease: (studio: Client) => studio.lease(jobCall()),
  context: (studio: Client) => studio.context(jobCall()),
  heartbeat: (studio: Client) => studio.heartbeat(jobCall()),
  updateSummary: (studio: Client) =>
    studio.updateSummary(jobCall(), { summaryText: "Before", fromMessageId: "m1", throughMessageId: "m2" }),
  complete: (studio: Client) => studio.complete(jobCall(), payload),
  fail: (studio: Client) => studio.fail(jobCall(), "No luck"),
  createRunnerInstance: (studio: Client) =>
    studio.createRunnerInstance(adminCall(), { kind: "user", name: "laptop" }),
  revokeRunnerInstance: (studio: Client) => studio.revokeRunnerInstance(adminCall(), "inst-1"),
  renameRunnerInstance: (studio: Client) => studio.renameRunnerInstance(adminCall(), "inst-1", "desk"),
} as const;

export type RouteName = keyof typeof calls;

/** The result of one call of the route that gets this reply. */
export async function answerTo(name: RouteName, reply: Reply): Promise<unknown> {
  const { studio } = await createFixture(() => reply);
  return await calls[name](studio);
}

/** The error that a promise rejects with. */
export async function rejectionOf(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    (value) => {
      throw new Error(`expected a rejection, got ${JSON.stringify(value)}`);
    },
    (error: unknown) => error,
  );
}
