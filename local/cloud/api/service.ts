import { randomUUID } from "node:crypto";
import { request, type Agent, type IncomingHttpHeaders } from "node:http";
import { text as textOf } from "node:stream/consumers";
import { ServiceError } from "../errors.ts";
import { parseQuery, queryAnswer } from "./query.ts";
import type { Actions, RestAnswer, Route } from "./protocols.ts";

export interface Exchange {
  readonly method: string;
  /** Without the query. */
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | undefined;
}

/** One AWS service. All share an address. */
export interface Service {
  /** Undefined: the request is for another service. @throws ServiceError */
  answer(exchange: Exchange): Promise<Answer> | undefined;
}

const formType = "application/x-www-form-urlencoded";

/** Whether the request uses the query protocol, and so needs an answer in it. */
export const isQuery = ({ headers }: Pick<Exchange, "headers">): boolean =>
  headers["content-type"]?.startsWith(formType) === true;

export interface Bound<D> {
  readonly actions: Actions<D>;
  readonly ports: D;
}

/** @throws ServiceError `UnknownOperationException` */
async function run<D>({ actions, ports }: Bound<D>, name: string, body: unknown): Promise<object> {
  const action = Object.hasOwn(actions, name) ? actions[name] : undefined;
  if (action === undefined)
    throw new ServiceError("UnknownOperationException", `${name} does not run locally.`);
  return action(body, ports);
}

/** A service with a JSON protocol. The header X-Amz-Target names the service and the action. */
export function jsonService<D>(
  { prefix, version }: { readonly prefix: string; readonly version: "1.0" | "1.1" },
  bound: Bound<D>,
): Service {
  return {
    answer(exchange) {
      const [service, action = ""] = String(exchange.headers["x-amz-target"] ?? "").split(".");
      if (exchange.method !== "POST" || service !== prefix) return undefined;
      const headers = {
        "content-type": `application/x-amz-json-${version}`,
        "x-amzn-requestid": randomUUID(),
      };
      return (async () => {
        const answer = await run(bound, action, parseJson(exchange.body));
        return { status: 200, headers, body: JSON.stringify(answer) };
      })();
    },
  };
}

/** A service with the query protocol, identified by the form's field Version. */
export function queryService<D>(version: string, bound: Bound<D>): Service {
  return {
    answer(exchange) {
      if (exchange.method !== "POST" || !isQuery(exchange)) return undefined;
      const { action, fields } = parseQuery(exchange.body);
      if (fields["Version"] !== version) return undefined;
      return (async () => {
        const answer = await run(bound, action, fields);
        const body = queryAnswer(action, answer, randomUUID());
        return { status: 200, headers: { "content-type": "text/xml" }, body };
      })();
    },
  };
}

/** A service with REST routes. */
export function restService<D>(routes: readonly Route<D>[], ports: D): Service {
  return {
    answer({ method, path, headers, body }) {
      for (const route of routes) {
        const found = route.method === method ? route.path.exec(path) : null;
        if (found === null) continue;
        const names = found.slice(1).map((name) => decodeURIComponent(name));
        const json = (): unknown => parseJson(body);
        return (async () => restAnswer(await route.answer({ names, headers, body, json }, ports)))();
      }
      return undefined;
    },
  };
}

function restAnswer({ status = 200, headers = {}, body }: RestAnswer): Answer {
  const text = typeof body === "object" ? JSON.stringify(body) : body;
  const common = { "content-type": "application/json", "x-amzn-requestid": randomUUID() };
  return { status, headers: { ...common, ...headers }, body: text };
}

const passed = ["content-type", "x-amz-target", "x-amz-date", "authorization"];
const returned = ["content-type", "x-amzn-requestid", "x-amz-crc32"];

/** A service in another process, reached through `agent`. @param check throws a ServiceError for what that process would accept */
export function proxyService(prefix: string, agent: Agent, check?: (body: string) => void): Service {
  return {
    answer({ headers, body }) {
      if (!String(headers["x-amz-target"] ?? "").startsWith(`${prefix}.`)) return undefined;
      return (async () => {
        check?.(body);
        return ask(agent, { headers: pick(headers, passed), body });
      })();
    },
  };
}

function ask(agent: Agent, { headers, body }: Pick<Exchange, "headers" | "body">): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const outgoing = request({ agent, method: "POST", headers }, (incoming) => {
      const { statusCode: status = 500 } = incoming;
      textOf(incoming).then(
        (read) => resolve({ status, headers: pick(incoming.headers, returned), body: read }),
        reject,
      );
    });
    outgoing.once("error", reject).end(body);
  });
}

const pick = (headers: IncomingHttpHeaders, names: readonly string[]): Readonly<Record<string, string>> =>
  Object.fromEntries(
    names.flatMap((name) => {
      const value = headers[name];
      return typeof value === "string" ? [[name, value] as const] : [];
    }),
  );

function parseJson(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch (error) {
    throw new ServiceError("SerializationException", error instanceof Error ? error.message : String(error));
  }
}
