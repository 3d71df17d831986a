import type { IncomingHttpHeaders } from "node:http";
import * as z from "zod";
import { ServiceError } from "../errors.ts";

/** One action of a service: takes the request's fields and returns the response's fields. */
export type Action<D> = (body: unknown, ports: D) => object | Promise<object>;

export type Actions<D> = Readonly<Record<string, Action<D>>>;

export interface ActionRow<T, D> {
  readonly request: z.ZodType<T>;
  readonly answer: (request: T, ports: D) => object | Promise<object>;
}

/** Binds a request schema to its handler. @param refusal the service's error type for an invalid request */
export const actionOf =
  <D>(refusal: string) =>
  <T>({ request, answer }: ActionRow<T, D>): Action<D> =>
  (body, ports) => {
    const parsed = request.safeParse(body);
    if (!parsed.success) throw new ServiceError(refusal, z.prettifyError(parsed.error));
    return answer(parsed.data, ports);
  };

/** Epoch seconds, the format of times in the JSON protocols. */
export const seconds = (ms: number): number => ms / 1_000;

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
