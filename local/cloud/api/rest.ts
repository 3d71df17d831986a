import type { IncomingHttpHeaders } from "node:http";

export interface RestRequest {
  /** The decoded values of the path's groups. */
  readonly names: readonly string[];
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
  /** @throws ServiceError `SerializationException` */
  readonly json: () => unknown;
}

export interface RestAnswer {
  /** Default: 200. */
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** JSON text, or an object to serialize. */
  readonly body: string | object | undefined;
}

/** One route of a service with the REST-JSON protocol. */
export interface Route<D> {
  readonly method: "GET" | "POST" | "PUT";
  readonly path: RegExp;
  readonly answer: (request: RestRequest, ports: D) => RestAnswer | Promise<RestAnswer>;
}
