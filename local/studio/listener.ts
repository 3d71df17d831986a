import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import * as z from "zod";
import { RunnerError } from "../../lib/core/errors.ts";
import { parseJson } from "../../lib/core/json.ts";
import { listen, splitCaller } from "../http.ts";
import { controlRoutes } from "./control.ts";
import { streamChanges } from "./events.ts";
import { withFault } from "./faults.ts";
import { type Answer, errorAnswer, json, readBody, Refusal, send, splitTarget } from "./http.ts";
import { bearer } from "./keys.ts";
import {
  answerFromTable,
  answerPage,
  isNavigation,
  notFoundPage,
  refuseForeignHost,
  refuseOtherSites,
  requireMethod,
} from "./page-server.ts";
import type { StudioPorts } from "./ports.ts";
import { type RunnerRoute, runnerRoutes } from "./runner-api.ts";
import { answerSignIn, signInPath } from "./sign-in.ts";

interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly caller?: string;
}

export function createListener(ports: StudioPorts, hasControl: boolean): Server {
  const server = createServer((request, response) => {
    const exchange = { request, response };
    // Node's default would be the machine's time, but Studio's clock may differ from it in tests.
    response.setHeader("date", new Date(ports.clock.now()).toUTCString());
    handle(ports, hasControl, exchange).catch(async (error: unknown) =>
      send(response, await answerError(request, error)),
    );
  });
  // Longer than the runner's polling pauses, so that a kept connection is not closed while a request arrives.
  server.keepAliveTimeout = 60_000;
  return server;
}

function answerError(request: IncomingMessage, error: unknown): Answer | Promise<Answer> {
  const isLost = error instanceof Refusal && error.status === 404;
  return isLost && isNavigation(request) ? notFoundPage() : errorAnswer(error);
}

async function handle(ports: StudioPorts, hasControl: boolean, exchange: Exchange): Promise<void> {
  const { request, response } = exchange;
  refuseForeignHost(request);
  const target = splitTarget(request);
  const { query } = target;
  const { path, ...named } = splitCaller(target.path);
  const route = runnerRoutes.find((each) => each.path === path);
  if (route !== undefined) return handleRunner(ports, route, { ...exchange, ...named });
  if (path === signInPath) {
    const signIn = { method: request.method ?? "", query, text: await readBody(request) };
    return send(response, answerSignIn(ports, signIn));
  }
  refuseOtherSites(request);
  if (path === "/api/events") {
    requireMethod(request, ["GET"]);
    return send(response, streamChanges(ports));
  }
  const call = { request, text: await readBody(request) };
  const isControl = hasControl && path.startsWith("/_local/");
  const answer = isControl ? answerFromTable(controlRoutes, ports, call) : answerPage(ports, call);
  send(response, await answer);
}

const ofWorkspaceSchema = z.object({ workspaceId: z.string() });

/** The workspace that a request or an answer is about, for the journal. */
const workspaceOf = (value: unknown): { readonly workspaceId?: string } =>
  ofWorkspaceSchema.safeParse(value).data ?? {};

function credentialOf({ headers }: IncomingMessage): { readonly credentialId?: string } {
  const [credentialId = "", secret] = (bearer(headers.authorization) ?? "").split(".");
  return secret === undefined ? {} : { credentialId };
}

async function handleRunner(ports: StudioPorts, route: RunnerRoute, exchange: Exchange): Promise<void> {
  const { request, response, caller } = exchange;
  const note = ports.journal.open(route.path);
  note({ ...credentialOf(request), ...(caller === undefined ? {} : { caller }) });
  const effect = (text: string) => (): Answer => {
    requireMethod(request, ["POST"]);
    note({ doneAt: ports.observer.now() });
    const { authorization } = request.headers;
    const { status, value, held } = route.run(ports, { authorization, text });
    note(workspaceOf(value));
    if (held) note({ jobId: held.jobId, lease: held.lease, leaseMs: held.leaseMs });
    return json(status, value);
  };
  const attempt = async () => {
    const text = await readBody(request);
    const about = workspaceOf(parseJson(text));
    note(about);
    const fault = ports.faults.draw(route.path, about.workspaceId);
    const context = { fault, clock: ports.clock, signal: ports.signal };
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
export async function listenOn(server: Server, wanted: number): Promise<number> {
  try {
    return await listen(server, wanted);
  } catch (cause) {
    const code = listenErrorSchema.safeParse(cause).data?.code ?? "";
    const problem = listenProblems[code] ?? `cannot be used: ${String(cause)}`;
    throw new RunnerError("config_invalid", `port ${wanted} ${problem}`, { cause });
  }
}
