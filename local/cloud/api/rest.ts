import type { IncomingHttpHeaders } from "node:http";

export interface RestRequest {
  /** What the path's groups matched, decoded. */
  readonly names: readonly string[];
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
  /** @throws ServiceError `SerializationException` */
  readonly json: () => unknown;
}

export interface RestAnswer {
  /** Default 200. */
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** JSON text, or what becomes it. */
  readonly body: string | object | undefined;
}

/** One route of a REST-JSON service. */
export interface Route<D> {
  readonly method: "GET" | "POST" | "PUT";
  readonly path: RegExp;
  readonly answer: (request: RestRequest, deps: D) => RestAnswer | Promise<RestAnswer>;
}
