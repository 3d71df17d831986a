import type { LegEvent } from "../attempt/leg-event.ts";

/** Starts a leg: one asynchronous invocation of the processor. @throws RunnerError `invoke_failed` */
export interface Invoker {
  invoke(event: LegEvent): Promise<void>;
}
