import type { IncomingMessage } from "node:http";
import * as z from "zod";
import { foreignHost, isOwnHost } from "../http.ts";
import { readAsset } from "./assets.ts";
import {
  type Answer,
  type StreamAnswer,
  check,
  json,
  matchPath,
  parseObject,
  Refusal,
  splitTarget,
} from "./http.ts";
import type { StudioPorts } from "./ports.ts";

type PagePorts = Pick<StudioPorts, "jobs" | "workspaces" | "info" | "onChange" | "runnerPages">;

export interface RouteCall {
  readonly params: Readonly<Record<string, string>>;
  readonly query: URLSearchParams;
  /** Empty for GET. */
  readonly body: Readonly<Record<string, unknown>>;
}

type Reply = Answer | StreamAnswer;

/** One row of a route table; `:name` in a path is a parameter. */
export interface TableRoute<P> {
  readonly method: "GET" | "POST" | "PATCH" | "DELETE";
  readonly path: string;
  readonly handle: (ports: P, call: RouteCall) => Reply | Promise<Reply>;
}

const maxQueryCharacters = 200;

const messageText = z.string().trim().min(1, "write something first").max(100_000);

export const newWorkspaceSchema = z.object({
  text: messageText,
  title: z.string().trim().max(200).optional(),
  target: z.enum(["user", "global"]).optional(),
});
const titleSchema = z.object({ title: z.string().trim().max(200) });
const newMessageSchema = z.object({ text: messageText });
const tickSchema = z.object({ checked: z.boolean() });

const pageRoutes: readonly TableRoute<PagePorts>[] = [
  { method: "GET", path: "/", handle: () => readAsset("index.html") },
  { method: "GET", path: "/api/info", handle: (ports) => json(200, ports.info) },
  {
    method: "GET",
    path: "/api/workspaces",
    handle: (ports, { query }) => {
      ports.jobs.releaseExpired();
      const words = (query.get("q") ?? "").slice(0, maxQueryCharacters).trim();
      return json(200, words === "" ? ports.workspaces.list() : ports.workspaces.search(words));
    },
  },
  {
    method: "POST",
    path: "/api/workspaces",
    handle: (ports, { body }) => {
      const workspaceId = ports.jobs.queue(check(newWorkspaceSchema, body));
      return json(201, ports.workspaces.detail(workspaceId));
    },
  },
  {
    method: "GET",
    path: "/api/workspaces/:id",
    handle: (ports, { params }) => {
      ports.jobs.releaseExpired();
      return json(200, ports.workspaces.detail(param(params, "id")));
    },
  },
  {
    method: "PATCH",
    path: "/api/workspaces/:id",
    handle: (ports, { params, body }) => {
      const id = param(params, "id");
      ports.workspaces.rename(id, check(titleSchema, body).title);
      ports.onChange(id);
      return json(200, ports.workspaces.detail(id));
    },
  },
  {
    method: "DELETE",
    path: "/api/workspaces/:id",
    handle: (ports, { params }) => {
      ports.jobs.remove(param(params, "id"));
      return json(200, { ok: true });
    },
  },
  {
    method: "POST",
    path: "/api/workspaces/:id/retry",
    handle: (ports, { params }) => {
      const id = param(params, "id");
      ports.jobs.retry(id);
      return json(201, ports.workspaces.detail(id));
    },
  },
  {
    method: "POST",
    path: "/api/workspaces/:id/messages",
    handle: (ports, { params, body }) => {
      const id = param(params, "id");
      ports.jobs.post(id, check(newMessageSchema, body).text);
      return json(201, ports.workspaces.detail(id));
    },
  },
  {
    method: "PATCH",
    path: "/api/workspaces/:id/checklists/:checklistId/items/:itemId",
    handle: (ports, { params, body }) => {
      const workspaceId = param(params, "id");
      const { checked } = check(tickSchema, body);
      const item = { checklistId: param(params, "checklistId"), itemId: param(params, "itemId") };
      ports.workspaces.tick({ workspaceId, ...item, checked });
      ports.onChange(workspaceId);
      return json(200, ports.workspaces.detail(workspaceId));
    },
  },
  {
    method: "GET",
    path: "/api/workspaces/:id/files",
    handle: (ports, { params, query }) => {
      const name = query.get("name") ?? "";
      return download(name, ports.workspaces.file(param(params, "id"), name));
    },
  },
];

const param = (params: RouteCall["params"], name: string): string => params[name] ?? "";

function download(name: string, body: string): Answer {
  const baseName = encodeURIComponent(name.slice(name.lastIndexOf("/") + 1));
  const kind = name.endsWith(".md") ? "markdown" : "plain";
  return {
    status: 200,
    headers: {
      "content-type": `text/${kind}; charset=utf-8`,
      "content-disposition": `attachment; filename*=UTF-8''${baseName}`,
      "cache-control": "no-store",
    },
    body,
  };
}

/** The answer to a browser that opens an address where nothing is: a page, with a way back. */
export async function notFoundPage(): Promise<Answer> {
  return { ...(await readAsset("not-found.html")), status: 404 };
}

/** Whether a person's browser opens the address, rather than a script that requests it. */
export const isNavigation = ({ method, headers }: IncomingMessage): boolean =>
  (method === "GET" || method === "HEAD") && /\btext\/html\b/.test(headers.accept ?? "");

export interface TableRequest {
  readonly request: IncomingMessage;
  readonly text: string;
}

/** @throws Refusal 404, 405, 400, or what the route throws */
export async function answerPage(ports: PagePorts, call: TableRequest): Promise<Reply> {
  const { path } = splitTarget(call.request);
  const isAsset = path.startsWith("/page/");
  if (!isAsset) return answerFromTable([...pageRoutes, ...ports.runnerPages], ports, call);
  requireMethod(call.request, ["GET"]);
  return readAsset(path.slice("/page/".length));
}

/** @throws Refusal 404, 405, 400, or what the route throws */
export async function answerFromTable<P>(
  table: readonly TableRoute<P>[],
  ports: P,
  { request, text }: TableRequest,
): Promise<Reply> {
  const { path, query } = splitTarget(request);
  const matches = table.flatMap((route) => {
    const params = matchPath(route.path, path);
    return params === undefined ? [] : [{ route, params }];
  });
  if (matches.length === 0) throw new Refusal(404, "there is nothing at this address");
  const method = requireMethod(
    request,
    matches.map(({ route }) => route.method),
  );
  const match = matches.find(({ route }) => route.method === method);
  if (match === undefined) throw new Refusal(404, "there is nothing at this address");
  const body = method === "GET" ? {} : parseObject(text);
  return match.route.handle(ports, { params: match.params, query, body });
}

/** The method; HEAD counts as GET. @throws Refusal 405 */
export function requireMethod(request: IncomingMessage, allowed: readonly string[]): string {
  const method = request.method === "HEAD" ? "GET" : (request.method ?? "");
  if (allowed.includes(method)) return method;
  const allow = allowed.join(", ");
  throw new Refusal(405, `this address takes ${allow} only`, { headers: { allow } });
}

/** @throws Refusal 403 */
export function refuseForeignHost(request: IncomingMessage): void {
  if (!isOwnHost(request)) throw new Refusal(403, foreignHost);
}

/**
 * Prevents other sites from writing here through the visitor's browser, because a job may cost money. The
 * Origin must be this server's, the browser must not say that another site sends the request (other sites may
 * link here), and writes must be JSON (which a foreign page cannot send without permission).
 * @throws Refusal 403, 415
 */
export function refuseOtherSites(request: IncomingMessage): void {
  refuseForeignHost(request);
  const { host = "", origin, "sec-fetch-site": site = "none", "sec-fetch-mode": mode } = request.headers;
  const isOwn = origin === undefined || origin === `http://${host}`;
  const isLink = request.method === "GET" && mode === "navigate";
  const isInvited = site === "same-origin" || site === "none" || isLink;
  if (!isOwn || !isInvited) throw new Refusal(403, "the local Studio answers its own page only");
  const writes = ["POST", "PATCH", "PUT"].includes(request.method ?? "");
  const isJson = /^application\/json\b/i.test(request.headers["content-type"] ?? "");
  if (writes && !isJson) throw new Refusal(415, "the body must be sent as application/json");
}
