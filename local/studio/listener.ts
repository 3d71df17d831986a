import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import * as z from "zod";
import type { Clock } from "../../lib/core/clock.ts";
import { RunnerError } from "../../lib/core/errors.ts";
import { splitCaller } from "../caller.ts";
import { type ControlDeps, controlRoutes } from "./control.ts";
import { type Changes, streamChanges } from "./events.ts";
import { type FaultBox, withFault } from "./faults.ts";
import { type Answer, errorAnswer, json, parseObject, readBody, send, splitTarget } from "./http.ts";
import type { Journal } from "./journal.ts";
import { bearer } from "./keys.ts";
import {
  answerFromTable,
  answerPage,
  type PageDeps,
  refuseForeignHost,
  refuseOtherSites,
  requireMethod,
} from "./page-server.ts";
import { type RunnerApiDeps, type RunnerRoute, runnerRoutes } from "./runner-api.ts";
import { type AccountCredentials, answerSignIn, signInPath } from "./sign-in.ts";

export interface ListenerDeps {
  readonly api: RunnerApiDeps;
  /** The account's credentials for signing in. */
  readonly credentials: AccountCredentials;
  readonly page: PageDeps;
  /** Absent: `/_local/…` does not exist. */
  readonly control: ControlDeps | undefined;
  readonly faults: FaultBox;
  readonly journal: Journal;
  readonly changes: Changes;
  readonly clock: Clock;
  /** The journal's clock. */
  readonly observer: Clock;
  /** Aborts when the server closes. */
  readonly signal: AbortSignal;
}

interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly caller?: string;
}

export function createListener(deps: ListenerDeps): Server {
  const server = createServer((request, response) => {
    const exchange = { request, response };
    // Node's default would be the machine's time, but Studio's clock may differ from it in tests.
    response.setHeader("date", new Date(deps.clock.now()).toUTCString());
    handle(deps, exchange).catch((error: unknown) => send(response, errorAnswer(error)));
  });
  // Longer than the runner's polling pauses, so that a kept connection is not closed while a request arrives.
  server.keepAliveTimeout = 60_000;
  return server;
}

async function handle(deps: ListenerDeps, exchange: Exchange): Promise<void> {
  const { request, response } = exchange;
  refuseForeignHost(request);
  const target = splitTarget(request);
  const { query } = target;
  const { path, ...named } = splitCaller(target.path);
  const route = runnerRoutes.find((each) => each.path === path);
  if (route !== undefined) return handleRunner(deps, route, { ...exchange, ...named });
  if (path === signInPath) {
    const { credentials, api } = deps;
    const signIn = { method: request.method ?? "", query, text: await readBody(request) };
    return send(response, answerSignIn({ credentials, accountToken: api.accountToken }, signIn));
  }
  refuseOtherSites(request);
  if (path === "/api/events") {
    requireMethod(request, ["GET"]);
    return streamChanges(deps, response);
  }
  const call = { request, text: await readBody(request) };
  const isControl = deps.control !== undefined && path.startsWith("/_local/");
  const answer = isControl ? answerFromTable(controlRoutes, deps.control, call) : answerPage(deps.page, call);
  send(response, await answer);
}

const ofWorkspaceSchema = z.object({ workspaceId: z.string() });

/** The workspace that a request or an answer is about, for the journal. */
function workspaceOf(read: () => unknown): { readonly workspaceId?: string } {
  try {
    return ofWorkspaceSchema.safeParse(read()).data ?? {};
  } catch {
    return {}; // not JSON; the route tells the client
  }
}

function credentialOf({ headers }: IncomingMessage): { readonly credentialId?: string } {
  const [credentialId = "", secret] = (bearer(headers.authorization) ?? "").split(".");
  return secret === undefined ? {} : { credentialId };
}

async function handleRunner(deps: ListenerDeps, route: RunnerRoute, exchange: Exchange): Promise<void> {
  const { request, response, caller } = exchange;
  const note = deps.journal.open(route.path);
  note({ ...credentialOf(request), ...(caller === undefined ? {} : { caller }) });
  const effect = (text: string) => (): Answer => {
    requireMethod(request, ["POST"]);
    note({ doneAt: deps.observer.now() });
    const { authorization } = request.headers;
    const { status, value, held } = route.run(deps.api, { authorization, text });
    note(workspaceOf(() => value));
    if (held) note({ jobId: held.jobId, lease: held.lease, leaseMs: held.leaseMs });
    return json(status, value);
  };
  const attempt = async () => {
    const text = await readBody(request);
    const about = workspaceOf(() => parseObject(text));
    note(about);
    const fault = deps.faults.draw(route.path, about.workspaceId);
    const context = { fault, clock: deps.clock, signal: deps.signal };
    return withFault(context, () => answerOrError(effect(text)));
  };
  const outcome = await attempt().catch(errorAnswer);
  if (outcome === "never") return;
  if (outcome === "reset") return void request.socket.resetAndDestroy();
  if (response.destroyed) return; // the caller has disconnected
  note({ status: outcome.status });
  send(response, outcome);
}

function answerOrError(work: () => Answer): Answer {
  try {
    return work();
  } catch (error) {
    return errorAnswer(error);
  }
}

const listenErrorSchema = z.object({ code: z.string() });

const listenProblems: Readonly<Record<string, string>> = {
  EADDRINUSE: "is already in use. Choose another one with --port",
  EACCES: "may not be used by this user. Choose another one with --port",
};

/**
 * Listens on 127.0.0.1 only and returns the port.
 * @throws RunnerError `config_invalid` if the port is not available
 */
export function listen(server: Server, wanted: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once("error", (cause) => {
      const code = listenErrorSchema.safeParse(cause).data?.code ?? "";
      const problem = listenProblems[code] ?? `cannot be used: ${cause.message}`;
      reject(new RunnerError("config_invalid", `port ${wanted} ${problem}`, { cause }));
    });
    server.listen(wanted, "127.0.0.1", () => {
      const address = server.address();
      resolve(address === null || typeof address === "string" ? wanted : address.port);
    });
  });
}

/** Closes every connection at once, including those that wait for an answer. */
export function stop(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}
