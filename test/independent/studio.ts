import { startHttpServer, type RecordedRequest, type Reply } from "../support/http-server.ts";
import { problemsOf } from "../../local/studio/caps.ts";

export type Accepted = "usual" | "ok only" | "an empty body" | "204" | "null fields";

/** How this Studio differs from the usual one. */
export interface StudioTraits {
  /** Default 10 minutes. */
  readonly leaseMs?: number;
  /** Studio's clock minus ours. */
  readonly aheadMs?: number;
  /** Default: each answer has one, by Studio's clock. */
  readonly date?: "absent";
  /**
   * What an accepted heartbeat, completion, failure or summary is answered with, assigned to the workspaces in turn. Default:
   * the lease's new end after a heartbeat, `{ ok: true }` after the others.
   */
  readonly accepted?: readonly Accepted[];
  /** The context has fields that the API page does not document. */
  readonly unknownFields?: boolean;
}

export interface Workspace {
  readonly id: string;
  readonly text: string;
  state: "queued" | "leased" | "completed" | "failed";
  leaseExpiresAt: number;
  /** Paths of the requests for this workspace, starting with its lease. */
  readonly calls: string[];
  /** The body of the completion. */
  result: Body | undefined;
}

export interface IndependentStudio {
  readonly baseUrl: string;
  readonly workspaces: readonly Workspace[];
  readonly requests: readonly RecordedRequest[];
  /** Every request that the API page does not allow. */
  readonly complaints: readonly string[];
  close(): Promise<void>;
}

export type Body = Readonly<Record<string, unknown>>;

interface Studio {
  readonly traits: StudioTraits;
  readonly workspaces: readonly Workspace[];
  /** By Studio's clock. */
  now(): number;
}

/** Handles a request for a leased workspace. Returns the body of a 200, or a problem as text. */
type Route = (studio: Studio, workspace: Workspace, body: Body) => Body | string;

const leasePath = "/leaseWorkspaceJob";

/**
 * A Studio written from the Studio API's documentation alone, without looking at local/studio, so that two readings of one
 * page are checked against each other. They share only the list of caps. It has one runner key, and one queued
 * workspace per text.
 */
export async function startIndependentStudio(
  key: string,
  texts: readonly string[],
  traits: StudioTraits = {},
): Promise<IndependentStudio> {
  const workspaces = texts.map((text, at): Workspace => ({
    id: `ws-${at + 1}`,
    text,
    state: "queued",
    leaseExpiresAt: 0,
    calls: [],
    result: undefined,
  }));
  const studio: Studio = { traits, workspaces, now: () => Date.now() + (traits.aheadMs ?? 0) };
  const complaints: string[] = [];
  const server = await startHttpServer((request) => {
    const { status, body } = answer(studio, key, request);
    if (status >= 400) complaints.push(`${request.path} ${status} ${JSON.stringify(body)}`);
    return dated(studio, status, body);
  });
  return { baseUrl: server.baseUrl, workspaces, requests: server.requests, complaints, close: server.close };
}

interface Answer {
  readonly status: number;
  readonly body: Body | undefined;
}

const refusal = (status: number, error: string): Answer => ({ status, body: { error } });

function answer(studio: Studio, key: string, request: RecordedRequest): Answer {
  const { method, path, headers } = request;
  const route = routes[path];
  if (method !== "POST" || (!route && path !== leasePath)) return refusal(404, `no route ${method} ${path}`);
  if (headers.authorization !== `Bearer ${key}`) return refusal(401, "unknown key");
  if (!headers["content-type"]?.startsWith("application/json")) return refusal(415, "not JSON");
  const body = request.json() as Body;
  if (!route) return request.body === "{}" ? lease(studio) : refusal(400, "the body is not {}");

  const workspace = studio.workspaces.find(({ id }) => id === body["workspaceId"]);
  if (!workspace) return refusal(404, "no such workspace");
  workspace.calls.push(path);
  if (workspace.state !== "leased" || workspace.leaseExpiresAt < studio.now())
    return refusal(409, "no lease");
  const outcome = route(studio, workspace, body);
  if (typeof outcome === "string") return refusal(400, outcome);
  if (path === contextPath) return { status: 200, body: outcome };
  const { accepted = ["usual"] } = studio.traits;
  return answerIn(accepted[studio.workspaces.indexOf(workspace) % accepted.length] ?? "usual", outcome);
}

function lease(studio: Studio): Answer {
  const workspace = studio.workspaces.find(
    ({ state, leaseExpiresAt }) =>
      state === "queued" || (state === "leased" && leaseExpiresAt < studio.now()),
  );
  if (!workspace) return { status: 200, body: { leased: false } };
  workspace.state = "leased";
  workspace.calls.push(leasePath);
  const leaseExpiresAt = extend(studio, workspace);
  const { id: workspaceId, text } = workspace;
  return { status: 200, body: { leased: true, workspaceId, leaseExpiresAt, workspace: { idea: text } } };
}

function extend({ now, traits: { leaseMs = 600_000 } }: Studio, workspace: Workspace): number {
  workspace.leaseExpiresAt = now() + leaseMs;
  return workspace.leaseExpiresAt;
}

function answerIn(form: Accepted, outcome: Body): Answer {
  const nulls = Object.fromEntries(Object.keys(outcome).map((name) => [name, null]));
  const forms: Readonly<Record<Accepted, Answer>> = {
    usual: { status: 200, body: outcome },
    "ok only": { status: 200, body: { ok: true } },
    "an empty body": { status: 200, body: undefined },
    "204": { status: 204, body: undefined },
    "null fields": { status: 200, body: { ...nulls, requestId: null } },
  };
  return forms[form];
}

const contextPath = "/getWorkspaceRunnerContext";

const routes: Readonly<Record<string, Route>> = {
  [contextPath]: ({ traits }, { id, text }, body) => {
    const message = { id: `${id}-m1`, role: "user", text, createdAtMs: 1_795_176_000_000 };
    const context = {
      workspaceId: id,
      title: null,
      legacyIdea: null,
      messageCount: 1,
      recentMessages: [message],
      priorMessages: [],
      recentText: text,
      priorTextVerbatim: "",
      recentTokenEstimate: 20,
      priorTokenEstimate: 0,
      priorNeedsSummarization: false,
      storedPriorSummary: null,
      storedSummaryCoversPrior: false,
    };
    const strange = {
      recentMessages: [{ ...message, subtitle: null, pinned: null }],
      plan: null,
      x: { y: [] },
    };
    return onlyFields(body, ["workspaceId"]) ?? { ...context, ...(traits.unknownFields ? strange : {}) };
  },
  "/heartbeatWorkspaceJob": (studio, workspace, body) =>
    onlyFields(body, ["workspaceId"]) ?? { ok: true, leaseExpiresAt: extend(studio, workspace) },
  "/updateWorkspaceRunnerSummary": (_, __, body) => {
    const { summaryText } = body;
    if (typeof summaryText === "string" && summaryText.length > 39_800)
      return "summaryText has more than 39,800 characters";
    return (
      onlyFields(body, ["workspaceId", "summaryText", "fromMessageId", "throughMessageId"]) ?? { ok: true }
    );
  },
  "/completeWorkspaceJob": (_, workspace, body) => {
    const problems = problemsOf(body);
    if (problems.length > 0) return problems.join("; ");
    workspace.state = "completed";
    workspace.result = body;
    return { ok: true };
  },
  "/failWorkspaceJob": (_, workspace, body) => {
    const { error } = body;
    if (typeof error !== "string" || error.length > 500)
      return "error is not a text of at most 500 characters";
    workspace.state = "failed";
    workspace.result = body;
    return onlyFields(body, ["workspaceId", "error"]) ?? { ok: true };
  },
};

function onlyFields(body: Body, names: readonly string[]): string | undefined {
  const wrong = [
    ...Object.keys(body).filter((name) => !names.includes(name)),
    ...names.filter((name) => typeof body[name] !== "string"),
  ];
  return wrong.length === 0 ? undefined : `unknown or missing: ${wrong.join(", ")}`;
}

function dated({ traits, now }: Studio, status: number, body: Body | undefined): Reply {
  return {
    raw: (response) => {
      response.sendDate = false;
      const date = traits.date === "absent" ? {} : { date: new Date(now()).toUTCString() };
      const type = body === undefined ? {} : { "content-type": "application/json; charset=utf-8" };
      response.writeHead(status, { ...date, ...type }).end(body === undefined ? "" : JSON.stringify(body));
    },
  };
}
