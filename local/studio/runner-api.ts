import * as z from "zod";
import { problemsOf } from "./caps.ts";
import { check, parseObject, Refusal } from "./http.ts";
import type { HeldLease } from "./jobs.ts";
import { checkAccountToken, type Credential } from "./keys.ts";
import type { StudioPorts } from "./ports.ts";
import type { StoredDeliverables } from "./store.ts";

type RunnerPorts = Pick<StudioPorts, "jobs" | "keys" | "accountToken" | "isAdmin">;

export interface RunnerRequest {
  readonly authorization: string | undefined;
  /** The body. */
  readonly text: string;
}

export interface RouteResult {
  readonly status: number;
  readonly value: Readonly<Record<string, unknown>>;
  /** The lease under which the call took effect, for the journal. */
  readonly held?: HeldLease;
}

/**
 * A route of the Studio API. All are POST with JSON. Checks permission before the body, so that an
 * unauthorized caller learns nothing about it.
 */
export interface RunnerRoute {
  readonly path: string;
  /** @throws Refusal 400, 401, 403, 404, 409, 410 */
  run(ports: RunnerPorts, request: RunnerRequest): RouteResult;
}

interface Definition<Body, Caller> {
  readonly body: z.ZodType<Body>;
  readonly handle: (ports: RunnerPorts, body: Body, caller: Caller) => RouteResult;
}

const ok = (value: Readonly<Record<string, unknown>> = { ok: true }): RouteResult => ({ status: 200, value });
const under = (held: HeldLease, value?: Readonly<Record<string, unknown>>): RouteResult => ({
  ...ok(value),
  held,
});

/** A route for a runner key. */
function keyRoute<Body>(path: string, definition: Definition<Body, Credential>): RunnerRoute {
  return {
    path,
    run(ports, request) {
      const credential = ports.keys.authenticate(request.authorization);
      return definition.handle(ports, check(definition.body, parseObject(request.text)), credential);
    },
  };
}

/** A route for the account's token. */
function accountRoute<Body>(path: string, definition: Definition<Body, undefined>): RunnerRoute {
  return {
    path,
    run(ports, request) {
      checkAccountToken(request.authorization, ports.accountToken);
      return definition.handle(ports, check(definition.body, parseObject(request.text)), undefined);
    },
  };
}

const text = z.string().min(1);
const name = z.string().trim().min(1).max(80);
const ofWorkspace = { workspaceId: text };
const anyArray = z.array(z.unknown()).default([]);

/** Counts UTF-16 units; zod's own `max` counts code points. */
const capped = (most: number) =>
  text.refine(({ length }) => length <= most, { error: `more than ${most} characters` });

/** The parts of a payload that are kept. caps.ts validates it. */
const resultSchema = z.object({
  assistantMessage: z.string().default(""),
  files: anyArray,
  charts: anyArray,
  datasets: anyArray,
  svgs: anyArray,
  lists: anyArray,
  checklists: anyArray,
});

export const newInstanceSchema = z.object({ kind: z.enum(["user", "global"]), name: name.optional() });
export const instanceSchema = z.object({ instanceId: text });

export const runnerRoutes: readonly RunnerRoute[] = [
  keyRoute("/leaseWorkspaceJob", {
    body: z.object({}),
    handle: (ports, _body, credential) => {
      const lease = ports.jobs.lease(credential);
      if (lease === undefined) return ok({ leased: false });
      const { workspaceId, title, target, createdAtMs, updatedAtMs } = lease.workspace;
      const workspace = { workspaceId, title, target, createdAtMs, updatedAtMs };
      return under(lease, { leased: true, workspaceId, leaseExpiresAt: lease.leaseExpiresAtMs, workspace });
    },
  }),
  keyRoute("/getWorkspaceRunnerContext", {
    body: z.object(ofWorkspace),
    handle: (ports, body, caller) => {
      const { context, held } = ports.jobs.context({ ...body, ...caller });
      return under(held, context);
    },
  }),
  keyRoute("/heartbeatWorkspaceJob", {
    body: z.object(ofWorkspace),
    handle: (ports, body, caller) => {
      const kept = ports.jobs.heartbeat({ ...body, ...caller });
      return under(kept, { ok: true, leaseExpiresAt: kept.leaseExpiresAtMs });
    },
  }),
  keyRoute("/updateWorkspaceRunnerSummary", {
    body: z.object({
      ...ofWorkspace,
      summaryText: capped(39_800),
      fromMessageId: text,
      throughMessageId: text,
    }),
    handle: (ports, { workspaceId, ...summary }, { credentialId }) => {
      ports.jobs.saveSummary({ workspaceId, credentialId }, summary);
      return ok();
    },
  }),
  keyRoute("/completeWorkspaceJob", {
    body: z.looseObject(ofWorkspace),
    handle: (ports, body, { credentialId }) =>
      under(ports.jobs.complete({ workspaceId: body.workspaceId, credentialId }, () => readPayload(body))),
  }),
  keyRoute("/failWorkspaceJob", {
    body: z.object({ ...ofWorkspace, error: capped(500) }),
    handle: (ports, { workspaceId, error }, { credentialId }) =>
      under(ports.jobs.fail({ workspaceId, credentialId }, error)),
  }),
  accountRoute("/createRunnerInstance", {
    body: newInstanceSchema,
    handle: (ports, body) => {
      if (body.kind === "global" && !ports.isAdmin)
        throw new Refusal(403, "only an admin can create a global runner key");
      return { status: 201, value: { ...ports.keys.create(body.kind, body.name) } };
    },
  }),
  accountRoute("/revokeRunnerInstance", {
    body: instanceSchema,
    handle: (ports, { instanceId }) => {
      ports.keys.revoke(instanceId);
      return ok();
    },
  }),
  accountRoute("/updateRunnerInstance", {
    body: z.object({ ...instanceSchema.shape, name }),
    handle: (ports, body) => {
      ports.keys.rename(body.instanceId, body.name);
      return ok({ ok: true, name: body.name });
    },
  }),
];

/** @throws Refusal 400 with every problem as its detail */
function readPayload(body: unknown): { readonly text: string; readonly deliverables: StoredDeliverables } {
  const problems = problemsOf(body);
  if (problems.length > 0)
    throw new Refusal(400, `the payload is refused: ${problems[0]}`, { detail: problems });
  const { assistantMessage, ...deliverables } = check(resultSchema, body);
  return { text: assistantMessage, deliverables };
}
