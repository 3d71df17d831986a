import type * as z from "zod";
import { noRetry, type RetryPolicy } from "../core/retry.ts";
import {
  acceptedAnswerSchema,
  contextSchema,
  createInstanceAnswerSchema,
  heartbeatAnswerSchema,
  leaseAnswerSchema,
} from "./schemas.ts";

/** Kinds of routes, which differ in what a refusal means: before a lease, under a lease, for the account's owner. */
export type RouteKind = "lease" | "job" | "management";

/**
 * What a 2xx must contain.
 * - json: a complete body that matches the schema.
 * - any but a page: anything but an HTML page, which comes from a proxy and does not show whether the request arrived.
 * - any: anything; the status is enough.
 */
export type RouteBody = "json" | "any but a page" | "any";

export interface Route<T> {
  readonly path: `/${string}`;
  readonly kind: RouteKind;
  readonly answer: z.ZodType<T>;
  readonly body: RouteBody;
  /** Whether a 2xx with a page, cut JSON or no body counts as an outage and is retried. Otherwise it is final. */
  readonly passesWhenUnreadable?: true;
  /** Time limit of one try, including the answer's body. */
  readonly limitMs: number;
  /** Only routes that are safe to repeat are retried. */
  readonly retry: RetryPolicy;
}

/** Safe to repeat. The attempt retries it for as long as it holds the lease (lib/attempt/outage-retry.ts). */
const repeatedByJob: RetryPolicy = noRetry;

/** As patient as Studio's public runner. */
const patient: RetryPolicy = { attempts: 4, baseMs: 500, maxMs: 30_000, maxRetryAfterMs: 60_000 };

/** Every route of the Studio API that we use. All are POST. */
export const routes = {
  lease: {
    path: "/leaseWorkspaceJob",
    kind: "lease",
    answer: leaseAnswerSchema,
    body: "json",
    limitMs: 10_000,
    retry: noRetry, // an unanswered call may have leased a job
  },
  context: {
    path: "/getWorkspaceRunnerContext",
    kind: "job",
    answer: contextSchema,
    body: "json",
    passesWhenUnreadable: true,
    limitMs: 30_000,
    retry: repeatedByJob,
  },
  heartbeat: {
    path: "/heartbeatWorkspaceJob",
    kind: "job",
    answer: heartbeatAnswerSchema,
    body: "any",
    limitMs: 15_000,
    retry: noRetry, // the heartbeat owns the rhythm
  },
  updateSummary: {
    path: "/updateWorkspaceRunnerSummary",
    kind: "job",
    answer: acceptedAnswerSchema,
    body: "any but a page",
    limitMs: 30_000,
    retry: patient,
  },
  complete: {
    path: "/completeWorkspaceJob",
    kind: "job",
    answer: acceptedAnswerSchema,
    body: "any but a page",
    limitMs: 60_000,
    retry: repeatedByJob,
  },
  fail: {
    path: "/failWorkspaceJob",
    kind: "job",
    answer: acceptedAnswerSchema,
    body: "any but a page",
    limitMs: 15_000,
    retry: repeatedByJob,
  },
  createRunnerInstance: {
    path: "/createRunnerInstance",
    kind: "management",
    answer: createInstanceAnswerSchema,
    body: "json",
    limitMs: 30_000,
    retry: noRetry, // each call makes another instance
  },
  revokeRunnerInstance: {
    path: "/revokeRunnerInstance",
    kind: "management",
    answer: acceptedAnswerSchema,
    body: "any but a page",
    limitMs: 30_000,
    retry: patient,
  },
  renameRunnerInstance: {
    path: "/updateRunnerInstance",
    kind: "management",
    answer: acceptedAnswerSchema,
    body: "any but a page",
    limitMs: 30_000,
    retry: patient,
  },
} as const satisfies Readonly<Record<string, Route<unknown>>>;
