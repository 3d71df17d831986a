import { Logger } from "@aws-lambda-powertools/logger";
import type { Context } from "aws-lambda";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import * as z from "zod";
import { dispatchEventSchema, wrap } from "../../../functions/middleware.ts";
import { attemptEventSchema } from "../../../lib/core/invoker.ts";
import { failedInvocationSchema } from "../../../lib/attempt/failed-invocation.ts";
import { createJsonLog } from "../../../lib/core/log.ts";
import { rotationEventSchema } from "../../../lib/rotation/rotation-event.ts";
import { partOf } from "../../support/part-of.ts";

/** As much of Lambda's context as a handler and its middleware read. */
const contextOf = (awsRequestId: string, remainingMs = 60_000): Context =>
  partOf({ awsRequestId, getRemainingTimeInMillis: () => remainingMs });

const nothing = async (): Promise<unknown> => undefined;

/** A handler that does nothing but what every handler is wrapped in; gives the event as it was read. */
const reading = <Event>(schema: z.ZodType<Event>) => {
  const logger = new Logger({ serviceName: "test" });
  const handler = wrap({ logger, schema, handler: async (event) => event });
  return async (event: unknown): Promise<unknown> =>
    Reflect.apply(handler, undefined, [event, contextOf("r")]);
};

describe("the lines of an invocation", () => {
  const lines: Record<string, unknown>[] = [];

  beforeEach(() => {
    lines.length = 0;
    // Powertools writes to a console of its own in Lambda, and to the global one where this is set.
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

  it("all carry its request id, and nothing of the invocation before it", async () => {
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

  it("carry nothing of one that failed", async () => {
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

  it("throws a defect that its result tells of, so that the function's alarm fires", async () => {
    const defect = new TypeError("x is not a function");
    const handler = wrap({ logger, schema: z.unknown(), handler: async () => ({ state: "failed", defect }) });
    await expect(handler({}, contextOf("r"))).rejects.toBe(defect);
  });

  it("gives back a result that tells of none", async () => {
    const handler = wrap({ logger, schema: z.unknown(), handler: async () => ({ state: "completed" }) });
    expect(await handler({}, contextOf("r"))).toEqual({ state: "completed" });
  });

  it("is not answered for when its time is nearly over", async () => {
    const work = async (): Promise<string> =>
      new Promise((resolve) => {
        setTimeout(() => resolve("handed on"), 50);
      });
    const handler = wrap({ logger, schema: z.unknown(), handler: work });
    expect(await handler({}, contextOf("r", 10))).toBe("handed on");
  });
});

describe("an event", () => {
  it("of an attempt is taken as it is, and refused with every wrong field named", async () => {
    const read = reading(attemptEventSchema);
    expect(await read({ pool: "p", runId: "r", attempt: 1 })).toEqual({ pool: "p", runId: "r", attempt: 1 });
    await expect(read({ pool: "", attempt: 0 })).rejects.toThrow(/pool: .*runId: .*attempt: /);
    await expect(read(null)).rejects.toThrow(/event: /);
    await expect(read({ pool: "p", runId: "r", attempt: 1, key: "x" })).rejects.toThrow(/key/);
  });

  it("of the schedule must name the pool that is served", async () => {
    const read = reading(dispatchEventSchema("p"));
    expect(await read({ pool: "p" })).toEqual({ pool: "p" });
    await expect(read({ pool: "q" })).rejects.toThrow('names the pool "q"; this one serves "p"');
    await expect(read({})).rejects.toThrow("names no pool");
    await expect(read(undefined)).rejects.toThrow("the event is wrong: ");
  });

  it("of a failed attempt is refused with every wrong field named", async () => {
    await expect(reading(failedInvocationSchema)({ requestPayload: { pool: "p" } })).rejects.toThrow(
      /requestContext: .*requestPayload\.runId: /,
    );
  });

  const step = { Step: "createSecret", SecretId: "arn:keys", ClientRequestToken: "v1" };

  it("of the rotator is Secrets Manager's, or our schedule's", async () => {
    const read = reading(rotationEventSchema("arn:keys"));
    expect(await read({ ...step, RotationToken: "x" })).toEqual({ step: "createSecret", versionId: "v1" });
    expect(await read({ revokeUnused: true })).toEqual({ step: "revokeUnused" });
  });

  it.each([
    [{ ...step, Step: "create_secret" }, "Step: "],
    [{ ...step, SecretId: "arn:other" }, 'names "arn:other"; this one rotates "arn:keys"'],
    [{ Step: "createSecret" }, "ClientRequestToken: "],
    [null, "expected object"],
  ])("of the rotator is refused: %j", async (wrong, words) => {
    await expect(reading(rotationEventSchema("arn:keys"))(wrong)).rejects.toMatchObject({
      code: "event_invalid",
      message: expect.stringContaining(words),
    });
  });
});
