import * as z from "zod";

/** What the dispatcher sends to the processor: one event per attempt. It names the run and holds nothing secret. */
export const attemptEventSchema = z.strictObject({
  pool: z.string().min(1),
  runId: z.string().min(1),
  attempt: z.number().int().positive(),
});

export type AttemptEvent = Readonly<z.output<typeof attemptEventSchema>>;

/** Starts an attempt: one asynchronous invocation of the processor. @throws RunnerError `invoke_failed` */
export interface Invoker {
  invoke(event: AttemptEvent): Promise<void>;
}
