import type { AlarmState } from "./monitoring/alarm-state.ts";

/** In Secrets Manager's order. */
export const rotationSteps = ["createSecret", "setSecret", "testSecret", "finishSecret"] as const;
export type RotationStep = (typeof rotationSteps)[number];

/**
 * What happens in the local cloud, as it happens. `function` is the readable name ("processor"), `requestId` the
 * invocation's. An invocation ends in exactly one of `end` (its handler answered), `error` (its handler threw, or its
 * module did not load), `timeout`, `killed` (memory, fault or stop) and `crash` (its process ended by itself).
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
      /** One step of a secret's rotation, or all of them. */
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

/** Why an asynchronous event went to its on-failure destination. */
export type FailureCondition = "RetriesExhausted" | "EventAgeExceeded";

export type Emit = (event: CloudEventBody) => void;

/** How an invocation came to its end. */
export type EndEvent = CloudEvent & { readonly kind: "end" | FailureKind };

export const isEnd = (event: CloudEvent): event is EndEvent => endKinds.includes(event.kind);

const endKinds: readonly string[] = [
  "end",
  "error",
  "timeout",
  "killed",
  "crash",
] satisfies EndEvent["kind"][];
