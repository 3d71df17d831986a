import * as z from "zod";

/** What the dispatcher sends to the processor: one event per leg. It names the run and holds nothing secret. */
export const legEventSchema = z.strictObject({
  pool: z.string().min(1),
  runId: z.string().min(1),
  leg: z.number().int().positive(),
});

export type LegEvent = Readonly<z.output<typeof legEventSchema>>;

/** Starts a leg: one asynchronous invocation of the processor. @throws RunnerError `invoke_failed` */
export interface Invoker {
  invoke(event: LegEvent): Promise<void>;
}
