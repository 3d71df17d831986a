import type { Clock } from "../lib/core/clock.ts";
import * as z from "zod";
import { RunnerError } from "../lib/core/errors.ts";
import type { LocalStack } from "./stack.ts";

/** Between two cycles. */
const pauseMs = 500;

/**
 * Dispatch cycles one after the other until the queue is empty and everything has ended. `false`: the dispatcher could
 * not ask for work (it has said why), or it was interrupted.
 */
export async function drain(stack: LocalStack, clock: Clock, interrupted: AbortSignal): Promise<boolean> {
  const { cloud, studio } = stack;
  const dispatcher = cloud.functions().find(({ label }) => label.includes("dispatch"));
  if (!dispatcher) throw new RunnerError("config_invalid", "the template has no dispatcher");
  let emptyBefore = false;
  while (!interrupted.aborted) {
    const cycle = await cloud.invoke(dispatcher.logicalId, { pool: "local" }, { type: "RequestResponse" });
    const isBroken = cycle.functionError !== undefined;
    const isEmpty = !isBroken && foundNothing(cycle.payload);
    // A place is filled as soon as it is free; an empty queue is not asked again before the runs have ended.
    if (isBroken || isEmpty) await cloud.idle();
    if (isBroken) return false;
    const open = studio?.snapshot().some(({ state }) => state === "queued" || state === "leased");
    if (isEmpty && (open === false || (open === undefined && emptyBefore))) return true;
    emptyBefore = isEmpty;
    await clock.sleep(pauseMs, interrupted).catch(() => undefined);
  }
  return false;
}

const summarySchema = z.object({ reason: z.string() });

/** The dispatcher's answer, from the handler that this stack runs. */
function foundNothing(payload = ""): boolean {
  return summarySchema.parse(JSON.parse(payload)).reason === "empty";
}
