import type { AlarmState } from "./monitoring/alarm-state.ts";

/** In the order of Secrets Manager. */
export const rotationSteps = ["createSecret", "setSecret", "testSecret", "finishSecret"] as const;
export type RotationStep = (typeof rotationSteps)[number];

/**
 * An event in the local cloud. `function` is the readable name ("processor"), `requestId` the invocation's.
 * An invocation ends with exactly one of `end` (the handler answered), `error` (the handler threw, or the
 * module did not load), `timeout`, `killed` (memory, fault or stop) and `crash` (the process ended itself).
 */
export type CloudEvent = CloudEventBody & { readonly atMs: number };

interface OfInvocation {
  readonly function: string;
  readonly requestId: string;
}

interface Failed extends OfInvocation {
  readonly pid: number;
  readonly durationMs: number;
  readonly maxMemoryMb: number | undefined;
  readonly errorType: string;
  readonly errorMessage: string;
}

export type FailureKind = "error" | "timeout" | "killed" | "crash";

export type CloudEventBody =
  | (OfInvocation & { readonly kind: "queued" })
  | (OfInvocation & { readonly kind: "throttled" })
  | { readonly kind: "cold-start"; readonly function: string; readonly pid: number; readonly initMs: number }
  | (OfInvocation & {
      readonly kind: "invoke";
      readonly pid: number;
      readonly environment: string;
      readonly attempt: number;
    })
  | (OfInvocation & {
      readonly kind: "end";
      readonly pid: number;
      readonly durationMs: number;
      readonly maxMemoryMb: number | undefined;
    })
  | (Failed & { readonly kind: FailureKind })
  | (OfInvocation & { readonly kind: "retry"; readonly attempt: number; readonly delayMs: number })
  | (OfInvocation & { readonly kind: "event-aged-out"; readonly ageMs: number })
  | (OfInvocation & { readonly kind: "event-dropped"; readonly reason: "fault" | "stop" })
  | (OfInvocation & { readonly kind: "recursion-stopped"; readonly hops: number })
  | (OfInvocation & {
      readonly kind: "destination";
      readonly to: string;
      readonly condition: FailureCondition;
    })
  | (OfInvocation & { readonly kind: "destination-failed"; readonly to: string; readonly reason: string })
  | { readonly kind: "reaped"; readonly function: string; readonly pid: number }
  | {
      readonly kind: "schedule";
      readonly schedule: string;
      readonly function: string;
      readonly requestId: string;
    }
  | { readonly kind: "schedule-not-timed"; readonly schedule: string; readonly expression: string }
  | { readonly kind: "database-ended"; readonly how: string }
  | {
      readonly kind: "alarm";
      /** The logical id. */
      readonly alarm: string;
      readonly name: string;
      readonly state: AlarmState;
      readonly before: AlarmState;
      readonly reason: string;
    }
  | {
      /** A step of a secret's rotation, or the whole rotation, has ended. */
      readonly kind: "rotation";
      readonly secret: string;
      readonly versionId: string;
      readonly step: RotationStep | "all";
      readonly outcome: "done" | "failed";
      readonly reason: string | undefined;
    }
  | {
      readonly kind: "log";
      readonly function: string;
      readonly requestId: string | undefined;
      readonly stream: "stdout" | "stderr";
      readonly line: string;
    };

/** Why an asynchronous event was sent to its on-failure destination. */
export type FailureCondition = "RetriesExhausted" | "EventAgeExceeded";

export type Emit = (event: CloudEventBody) => void;

/** The event that ends an invocation. */
export type EndEvent = CloudEvent & { readonly kind: "end" | FailureKind };

export const isEnd = (event: CloudEvent): event is EndEvent => endKinds.includes(event.kind);

const endKinds: readonly string[] = [
  "end",
  "error",
  "timeout",
  "killed",
  "crash",
] satisfies EndEvent["kind"][];
