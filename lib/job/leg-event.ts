import * as z from "zod";
import { RunnerError } from "../errors.ts";

/** What the dispatcher sends to the processor: one event per leg. It names the run and holds nothing secret. */
export const legEventSchema = z.strictObject({
  pool: z.string().min(1),
  runId: z.string().min(1),
  leg: z.number().int().positive(),
});

export type LegEvent = Readonly<z.output<typeof legEventSchema>>;

/** @throws RunnerError `event_invalid` naming every wrong field */
export function parseLegEvent(event: unknown): LegEvent {
  const result = legEventSchema.safeParse(event);
  if (result.success) return result.data;
  const problems = result.error.issues.map((issue) => `${issue.path.join(".") || "event"}: ${issue.message}`);
  throw new RunnerError("event_invalid", `the processor's event is wrong: ${problems.join("; ")}`);
}
