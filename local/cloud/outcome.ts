import type { Clock } from "../../lib/core/clock.ts";
import type { FailureKind } from "./events.ts";
import type { ChildMessage, LambdaFailure } from "./messages.ts";
import { memoryOf } from "./process-io.ts";
import type { FunctionResource } from "./resources.ts";
import { after } from "./timers.ts";

const memoryPollMs = 100;
const maxResponseBytes = 6_291_556;

/** How an invocation ended, as its execution environment sees it. */
export type RawOutcome =
  | ChildMessage
  | { readonly kind: "exit"; readonly how: string }
  | { readonly kind: "timeout" | "memory" };

export interface Failure {
  readonly ok: false;
  readonly kind: FailureKind;
  readonly error: LambdaFailure;
}

export interface Success {
  readonly ok: true;
  /** JSON text. */
  readonly payload: string;
}

export type Outcome = Failure | Success;

export interface Circumstances {
  readonly fn: FunctionResource;
  readonly requestId: string;
  /** Whether this process killed the environment, for a fault or at the stop. */
  readonly killed: boolean;
}

export function outcomeOf(rawOutcome: RawOutcome, circumstances: Circumstances): Outcome {
  if (rawOutcome.kind !== "response") return failureOf(rawOutcome, circumstances);
  if (Buffer.byteLength(rawOutcome.payload) <= maxResponseBytes)
    return { ok: true, payload: rawOutcome.payload };
  const errorMessage = `Response payload size exceeded maximum allowed payload size (${maxResponseBytes} bytes).`;
  return { ok: false, kind: "error", error: { errorType: "Function.ResponseSizeTooLarge", errorMessage } };
}

/** Converts an outcome to Lambda's error type and message. */
export function failureOf(rawOutcome: RawOutcome, { fn, requestId, killed }: Circumstances): Failure {
  const fail = (kind: FailureKind, errorType: string, problem: string): Failure => ({
    ok: false,
    kind,
    error: { errorType, errorMessage: `RequestId: ${requestId} Error: ${problem}` },
  });
  switch (rawOutcome.kind) {
    case "failed":
    case "init-failed":
      return { ok: false, kind: "error", error: rawOutcome.error };
    case "timeout":
      return fail(
        "timeout",
        "Sandbox.Timedout",
        `Task timed out after ${(fn.timeoutMs / 1000).toFixed(2)} seconds`,
      );
    case "memory":
      return fail("killed", "Runtime.OutOfMemory", "Runtime exited with error: signal: killed");
    case "exit":
      if (rawOutcome.how === "exit status 0") {
        return fail("crash", "Runtime.ExitError", "Runtime exited without providing a reason");
      }
      return fail(
        killed ? "killed" : "crash",
        "Runtime.ExitError",
        `Runtime exited with error: ${rawOutcome.how}`,
      );
    default:
      return fail("crash", "Runtime.Unknown", `the runtime said "${rawOutcome.kind}" out of turn`);
  }
}

/** Resolves when the process's resident memory exceeds the limit. Never resolves if there is no /proc. */
export async function overMemory(watch: {
  readonly clock: Clock;
  readonly pid: number;
  readonly limitMb: number;
  readonly signal: AbortSignal;
}): Promise<{ readonly kind: "memory" }> {
  const { clock, pid, limitMb, signal } = watch;
  do await after(clock, memoryPollMs, signal);
  while ((memoryOf(pid)?.residentMb ?? 0) <= limitMb);
  return { kind: "memory" };
}
