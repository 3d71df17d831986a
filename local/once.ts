import type { Clock } from "../lib/core/clock.ts";
import * as z from "zod";
import { RunnerError } from "../lib/core/errors.ts";
import type { LocalStack } from "./stack.ts";

/** Pause between two cycles. */
const pauseMs = 500;

/**
 * Runs dispatch cycles until the queue is empty and all work has ended. `false`: interrupted, or the
 * dispatcher could not ask for work and has logged why.
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
    // A free slot is filled at once. After an empty answer, waits for the runs to end before asking again.
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

/** Whether the dispatcher's answer says that it found no job. */
function foundNothing(payload = ""): boolean {
  return summarySchema.parse(JSON.parse(payload)).reason === "empty";
}
