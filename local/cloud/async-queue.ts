import { withTimeLimit } from "../../lib/core/clock.ts";
import { hasCode } from "../../lib/core/errors.ts";
import type { FailureCondition } from "./events.ts";
import type { Gate, Leave } from "./gate.ts";
import type { FunctionRuntime } from "./lambda.ts";
import type { LambdaFailure } from "./messages.ts";
import type { CloudPorts } from "./ports.ts";
import type { AsyncInvoke } from "./resources.ts";

/** An asynchronous invocation that was accepted with 202. */
export interface AsyncEvent {
  readonly requestId: string;
  /** JSON text. */
  readonly payload: string;
  readonly trace: string;
  readonly receivedMs: number;
}

/** An event that will not be tried again. */
export interface FailedEvent {
  readonly event: AsyncEvent;
  readonly condition: FailureCondition;
  readonly invocations: number;
  /** Undefined if the event was never tried. */
  readonly error: LambdaFailure | undefined;
}

/** Lambda waits one minute before the second try, then two. Waiting events are dropped when the cloud stops. */
type QueuePorts = Pick<CloudPorts, "clock" | "emit" | "faults" | "retryDelaysMs" | "closing">;

interface Consumer {
  readonly runtime: FunctionRuntime;
  readonly gate: Gate;
  readonly onFailed: (failed: FailedEvent) => void;
}

/** The asynchronous events of one function: limits their age and retries them. */
export class AsyncQueue {
  readonly #ports: QueuePorts;
  readonly #consumer: Consumer;
  readonly #label: string;
  readonly #config: AsyncInvoke;
  #waiting = 0;

  constructor(ports: QueuePorts, consumer: Consumer) {
    this.#ports = ports;
    this.#consumer = consumer;
    this.#label = consumer.runtime.resource.label;
    this.#config = consumer.runtime.resource.asyncInvoke;
  }

  /** The number of events that wait for concurrency, for a retry, or because of a fault. */
  waiting(): number {
    return this.#waiting;
  }

  /** Resolves when the event has been handled or given up. */
  async submit(event: AsyncEvent): Promise<void> {
    const { clock, emit, faults, closing } = this.#ports;
    const of = { function: this.#label, requestId: event.requestId };
    const { copies, delayMs } = faults.takeDelivery();
    emit({ kind: "queued", ...of });
    if (copies === 0) emit({ kind: "event-dropped", ...of, reason: "fault" });
    try {
      if (delayMs > 0) await this.#wait(clock.sleep(delayMs, closing));
      await Promise.all(Array.from({ length: copies }, () => this.#deliver(event)));
    } catch (reason) {
      if (!closing.aborted) throw reason;
      emit({ kind: "event-dropped", ...of, reason: "stop" });
    }
  }

  async #deliver(event: AsyncEvent): Promise<void> {
    const { clock, emit, closing, retryDelaysMs } = this.#ports;
    const { runtime } = this.#consumer;
    const { requestId, payload, trace } = event;
    let error: LambdaFailure | undefined;
    for (let attempt = 1; ; attempt++) {
      const leave = await this.#enter(event);
      if (leave === undefined) {
        return this.#giveUp({ event, condition: "EventAgeExceeded", invocations: attempt - 1, error });
      }
      const outcome = await runtime.invoke({ requestId, payload, trace, attempt }).finally(leave);
      if (outcome.ok) return;
      error = outcome.error;
      closing.throwIfAborted();
      if (attempt > this.#config.maxRetries) {
        return this.#giveUp({ event, condition: "RetriesExhausted", invocations: attempt, error });
      }
      const delayMs = retryDelaysMs[attempt - 1] ?? retryDelaysMs.at(-1) ?? 0;
      emit({ kind: "retry", function: this.#label, requestId, attempt: attempt + 1, delayMs });
      await this.#wait(clock.sleep(delayMs, closing));
    }
  }

  /** Waits for concurrency. Undefined if the event is too old or becomes too old. */
  async #enter({ requestId, receivedMs }: AsyncEvent): Promise<Leave | undefined> {
    const { clock, emit, closing } = this.#ports;
    const { gate } = this.#consumer;
    const limitMs = receivedMs + this.#config.maxAgeMs - clock.now();
    if (limitMs <= 0) return undefined;
    const free = gate.tryEnter();
    if (free !== undefined) return free;
    emit({ kind: "throttled", function: this.#label, requestId });
    const limit = { clock, limitMs, signal: closing, what: "the wait for a place" };
    try {
      return await this.#wait(withTimeLimit(limit, (signal) => gate.enter(signal)));
    } catch (reason) {
      if (hasCode(reason, "time_limit")) return undefined;
      throw reason;
    }
  }

  #giveUp(failed: FailedEvent): void {
    const { clock, emit } = this.#ports;
    const { requestId, receivedMs } = failed.event;
    if (failed.condition === "EventAgeExceeded") {
      emit({ kind: "event-aged-out", function: this.#label, requestId, ageMs: clock.now() - receivedMs });
    }
    this.#consumer.onFailed(failed);
  }

  #wait<T>(work: Promise<T>): Promise<T> {
    this.#waiting += 1;
    return work.finally(() => (this.#waiting -= 1));
  }
}
