import type { Clock } from "../lib/clock.ts";
import * as z from "zod";
import { RunnerError } from "../lib/errors.ts";
import type { LocalStack } from "./stack.ts";

/** Between two windows while a lease that nobody keeps has still to run out. */
const pauseMs = 500;

/**
 * Dispatch windows one after the other until the queue is empty and everything has ended. `false`: the dispatcher could
 * not ask for work (it has said why), or it was interrupted.
 */
export async function drain(stack: LocalStack, clock: Clock, interrupted: AbortSignal): Promise<boolean> {
  const { cloud, studio } = stack;
  const dispatcher = cloud.functions().find(({ label }) => label.includes("dispatch"));
  if (!dispatcher) throw new RunnerError("config_invalid", "the template has no dispatcher");
  while (!interrupted.aborted) {
    const window = await cloud.invoke(dispatcher.logicalId, { pool: "local" }, { type: "RequestResponse" });
    if (window.functionError !== undefined) return false;
    await cloud.idle();
    const open = studio?.snapshot().some(({ state }) => state === "queued" || state === "leased");
    if (open === false || (open === undefined && foundNothing(window.payload))) return true;
    await clock.sleep(pauseMs, interrupted).catch(() => undefined);
  }
  return false;
}

const summarySchema = z.object({ reason: z.string() });

/** The dispatcher's answer, from the handler that this stack runs. */
function foundNothing(payload = ""): boolean {
  return summarySchema.parse(JSON.parse(payload)).reason === "empty";
}
