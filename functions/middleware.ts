import type { Logger } from "@aws-lambda-powertools/logger";
import { injectLambdaContext } from "@aws-lambda-powertools/logger/middleware";
import { parser } from "@aws-lambda-powertools/parser/middleware";
import middy, { type MiddlewareObj } from "@middy/core";
import type { Context } from "aws-lambda";
import * as z from "zod";
import { RunnerError } from "../lib/core/errors.ts";
import { problemOf } from "../lib/core/json.ts";

export interface Wrapping<Event> {
  /** Of all lines of the function. */
  readonly logger: Logger;
  readonly schema: z.ZodType<Event>;
  readonly handler: (event: Event, context: Context) => Promise<unknown>;
}

/**
 * What every handler is wrapped in: lines that carry the invocation's request id, an event that has been checked, and an
 * alarm for a defect. Everything that is thrown reaches Lambda.
 */
export function wrap<Event>({ logger, schema, handler }: Wrapping<Event>) {
  // Middy would answer 5 ms before the timeout, while a continuation is still being handed on.
  return middy({ timeoutEarlyInMillis: 0 })
    .use(injectLambdaContext(logger, { resetKeys: true }))
    .use(parser({ schema, errorHandler: refuse(schema) }))
    .use(rethrowDefects())
    .handler(handler);
}

/** The parser's own error does not say what is wrong with the event. @throws RunnerError `event_invalid` that does */
const refuse =
  (schema: z.ZodType) =>
  (_: Error, event: unknown): never => {
    const problems = schema.safeParse(event).error?.issues.map((issue) => problemOf(issue, "event")) ?? [];
    throw new RunnerError("event_invalid", `the event is wrong: ${problems.join("; ")}`);
  };

/** An attempt reports its job to Studio before it returns a defect of ours. Thrown here, the defect fires the function's error alarm. */
const rethrowDefects = (): MiddlewareObj => ({
  after: ({ response }) => {
    if (response?.defect !== undefined) throw response.defect;
  },
});

/** The schedule names the pool. A dispatcher of another pool refuses the event. */
export const dispatchEventSchema = (servedPool: string) =>
  z.looseObject({
    pool: z.literal(servedPool, {
      error: ({ input }) =>
        `names ${typeof input === "string" ? `the pool "${input}"` : "no pool"}; this one serves "${servedPool}"`,
    }),
  });
