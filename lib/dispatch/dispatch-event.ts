import * as z from "zod";
import { RunnerError } from "../errors.ts";

const dispatchEventSchema = z.object({ pool: z.string() });

/** The schedule names the pool; a dispatcher that serves another one must not run. @throws RunnerError `event_invalid` */
export function parseDispatchEvent(event: unknown, servedPool: string): void {
  const result = dispatchEventSchema.safeParse(event);
  const given = result.success ? result.data.pool : undefined;
  if (given === servedPool) return;
  const what = given === undefined ? "no pool" : `the pool "${given}"`;
  throw new RunnerError(
    "event_invalid",
    `the dispatcher's event names ${what}; this one serves "${servedPool}"`,
  );
}
