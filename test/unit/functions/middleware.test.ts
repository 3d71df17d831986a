import { Logger } from "@aws-lambda-powertools/logger";
import type { Context } from "aws-lambda";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import * as z from "zod";
import { dispatchEventSchema, wrap } from "../../../functions/middleware.ts";
import { attemptEventSchema } from "../../../lib/adapters/lambda.ts";
import { failedInvocationSchema } from "../../../lib/attempt/failed-invocation.ts";
import { createJsonLog } from "../../../lib/core/log.ts";
import { rotationEventSchema } from "../../../lib/rotation/rotation-event.ts";
import { partOf } from "../../support/part-of.ts";

/** As much of Lambda's context as a handler and its middleware read. */
const contextOf = (awsRequestId: string, remainingMs = 60_000): Context =>
  partOf({ awsRequestId, getRemainingTimeInMillis: () => remainingMs });

const nothing = async (): Promise<unknown> => undefined;

/** A handler with only the common middleware; returns the event as it was parsed. */
const reading = <Event>(schema: z.ZodType<Event>) => {
  const logger = new Logger({ serviceName: "test" });
  const handler = wrap({ logger, schema, handler: async (event) => event });
  return async (event: unknown): Promise<unknown> =>
    Reflect.apply(handler, undefined, [event, contextOf("r")]);
};

describe("the log lines of an invocation", () => {
  const lines: Record<string, unknown>[] = [];

  beforeEach(() => {
    lines.length = 0;
    // In Lambda, Powertools writes to a console of its own; with this variable it writes to the global one.
    vi.stubEnv("POWERTOOLS_DEV", "true");
    vi.spyOn(console, "info").mockImplementation((line: string) => void lines.push(JSON.parse(line)));
  });
  afterEach(() => {
    vi.unstubAllEnvs();
    vi.restoreAllMocks();
  });

  const logging = (work: (pool: string) => Promise<unknown>) => {
    const logger = new Logger({ serviceName: "test" });
    const log = createJsonLog(logger);
    return wrap({
      logger,
      schema: z.object({ pool: z.string() }),
      handler: async ({ pool }) => {
        log.with({ pool }).info("job_leased");
        await work(pool);
        log.info("cycle_ended");
      },
    });
  };

  it("have its request id and no fields of the previous invocation", async () => {
    const handler = logging(nothing);
    await handler({ pool: "a" }, contextOf("one"));
    await handler({ pool: "b" }, contextOf("two"));
    expect(lines.map(({ message, pool, function_request_id: id }) => [message, pool, id])).toEqual([
      ["job_leased", "a", "one"],
      ["cycle_ended", undefined, "one"],
      ["job_leased", "b", "two"],
      ["cycle_ended", undefined, "two"],
    ]);
  });

  it("have their own request id after an invocation that failed", async () => {
    const handler = logging(async (pool) => {
      if (pool === "a") throw new Error("failed");
    });
    await expect(handler({ pool: "a" }, contextOf("one"))).rejects.toThrow("failed");
    await handler({ pool: "b" }, contextOf("two"));
    expect(lines.map(({ function_request_id: id }) => id)).toEqual(["one", "two", "two"]);
  });
});

describe("a handler", () => {
  const logger = new Logger({ serviceName: "test" });

  it("throws the defect in its result, so that the function's alarm fires", async () => {
    const defect = new TypeError("x is not a function");
    const handler = wrap({ logger, schema: z.unknown(), handler: async () => ({ state: "failed", defect }) });
    await expect(handler({}, contextOf("r"))).rejects.toBe(defect);
  });

  it("returns a result that has no defect", async () => {
    const handler = wrap({ logger, schema: z.unknown(), handler: async () => ({ state: "completed" }) });
    expect(await handler({}, contextOf("r"))).toEqual({ state: "completed" });
  });

  it("is awaited even when its time is nearly over", async () => {
    const work = async (): Promise<string> =>
      new Promise((resolve) => {
        setTimeout(() => resolve("handed on"), 50);
      });
    const handler = wrap({ logger, schema: z.unknown(), handler: work });
    expect(await handler({}, contextOf("r", 10))).toBe("handed on");
  });
});

describe("an event", () => {
  it("for an attempt is passed on unchanged, or refused with every wrong field named", async () => {
    const read = reading(attemptEventSchema);
    expect(await read({ pool: "p", runId: "r", attempt: 1 })).toEqual({ pool: "p", runId: "r", attempt: 1 });
    await expect(read({ pool: "", attempt: 0 })).rejects.toThrow(/pool: .*runId: .*attempt: /);
    await expect(read(null)).rejects.toThrow(/event: /);
    await expect(read({ pool: "p", runId: "r", attempt: 1, key: "x" })).rejects.toThrow(/key/);
  });

  it("from the schedule must name the pool that the function serves", async () => {
    const read = reading(dispatchEventSchema("p"));
    expect(await read({ pool: "p" })).toEqual({ pool: "p" });
    await expect(read({ pool: "q" })).rejects.toThrow('names the pool "q"; this one serves "p"');
    await expect(read({})).rejects.toThrow("names no pool");
    await expect(read(undefined)).rejects.toThrow("the event is wrong: ");
  });

  it("about a failed attempt is refused with every wrong field named", async () => {
    await expect(reading(failedInvocationSchema)({ requestPayload: { pool: "p" } })).rejects.toThrow(
      /requestContext: .*requestPayload\.runId: /,
    );
  });

  const step = { Step: "createSecret", SecretId: "arn:keys", ClientRequestToken: "v1" };

  it("for the rotator is accepted from Secrets Manager and from our schedule", async () => {
    const read = reading(rotationEventSchema("arn:keys"));
    expect(await read({ ...step, RotationToken: "x" })).toEqual({ step: "createSecret", versionId: "v1" });
    expect(await read({ revokeUnused: true })).toEqual({ step: "revokeUnused" });
  });

  it.each([
    [{ ...step, Step: "create_secret" }, "Step: "],
    [{ ...step, SecretId: "arn:other" }, 'names "arn:other"; this one rotates "arn:keys"'],
    [{ Step: "createSecret" }, "ClientRequestToken: "],
    [null, "expected object"],
  ])("for the rotator is refused when it is %j", async (wrong, words) => {
    await expect(reading(rotationEventSchema("arn:keys"))(wrong)).rejects.toMatchObject({
      code: "event_invalid",
      message: expect.stringContaining(words),
    });
  });
});
