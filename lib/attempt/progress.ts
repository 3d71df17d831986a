import type { RoundEnd, RoundStart, ToolCalled } from "../agent/tool-loop.ts";
import { toRunnerError } from "../core/errors.ts";
import type { RunStore } from "../runs/run-store.ts";
import type { Fence, Held, Run, RunProgress } from "../runs/run.ts";
import type { AttemptMetrics } from "./attempt-metrics.ts";
import { cancelled, superseded } from "./outcome.ts";
import { retryThroughOutage } from "./outage-retry.ts";
import type { Retrying } from "./ports.ts";
import type { JobFacts } from "./work-context.ts";

export interface ProgressPorts extends Retrying {
  readonly runStore: RunStore;
  readonly modelName: string;
  readonly attemptMetrics: AttemptMetrics;
  readonly cancelResponse: (responseId: string) => Promise<void>;
}

/** Tool calls of one round that are logged by name. */
const mostNamed = 32;

/** An attempt's progress, written to the run store as it goes, so that the next attempt can resume from it. */
export class Progress {
  readonly #ports: ProgressPorts;
  readonly #fence: Fence;
  #known: RunProgress;
  /** Of the newest round. */
  #toolCalls = { round: 0, count: 0 };
  /** The response that is being generated, or was when the last attempt ended. */
  #pendingResponseId: string | undefined;

  constructor(ports: ProgressPorts, fence: Fence, run: Run) {
    const { rounds, responseIds, usage, delivering, model, jobDigest } = run;
    this.#ports = ports;
    this.#fence = fence;
    this.#known = { rounds, responseIds, usage, delivering, model, jobDigest };
    this.#pendingResponseId = responseIds.at(-1) ?? run.summaryResponseId;
  }

  /** What a continuation and the final write record. */
  get known(): RunProgress {
    return this.#known;
  }

  /** Written with the next `save`. */
  onJobRead(facts: JobFacts): void {
    this.#known = { ...this.#known, ...facts };
    if (facts.createdAtMs !== undefined) this.#ports.attemptMetrics.jobRead(facts.createdAtMs);
  }

  async onRoundStarted({ number, responseId, usage }: RoundStart, signal: AbortSignal): Promise<void> {
    this.#pendingResponseId = responseId;
    const { responseIds: earlier = [] } = this.#known;
    // A retried round replaces the response that failed.
    const responseIds = responseId === undefined ? [] : [...earlier.slice(0, number - 1), responseId];
    await this.save(
      { ...this.#known, rounds: number, usage, model: this.#ports.modelName, responseIds },
      signal,
    );
    this.#ports.log.info("round_started", { round: number, responseId });
  }

  /** The lines of one round are bounded, because the model may call its tools any number of times. */
  onToolCall({ number, tool }: ToolCalled): void {
    if (this.#toolCalls.round !== number) this.#toolCalls = { round: number, count: 0 };
    if (++this.#toolCalls.count <= mostNamed) this.#ports.log.info("tool_called", { round: number, tool });
  }

  onRoundEnded({ number, responseId, calls, tools, usage, isUnusable }: RoundEnd): void {
    this.#pendingResponseId = undefined;
    this.#known = { ...this.#known, rounds: number, usage, model: this.#ports.modelName };
    const { inputTokens, outputTokens } = usage;
    const named = tools.slice(0, mostNamed);
    const fields = { round: number, responseId, calls, tools: named, inputTokens, outputTokens };
    this.#ports.log.info("round_ended", isUnusable ? { ...fields, unusable: true } : fields);
  }

  /**
   * Resolves once the run store accepted it, so that the next attempt knows everything that this one did.
   * @throws RunnerError `superseded`, `cancelled`; the signal's reason
   */
  async save(progress: RunProgress, signal: AbortSignal): Promise<void> {
    this.#known = { ...this.#known, ...progress };
    this.#pendingResponseId = progress.summaryResponseId ?? this.#pendingResponseId;
    const held = await retryThroughOutage(this.#ports, signal, () =>
      this.#ports.runStore.saveProgress(this.#fence, progress),
    );
    // A failure that is being reported ends the run already.
    requireHeld(held, progress.reporting !== undefined);
  }

  /** Call before each request to the model. @throws as `save` */
  async requireOwnership(signal: AbortSignal): Promise<void> {
    const { runStore } = this.#ports;
    requireHeld(await retryThroughOutage(this.#ports, signal, () => runStore.owns(this.#fence)));
  }

  async cancelPending(): Promise<void> {
    if (this.#pendingResponseId === undefined) return;
    await this.#ports.cancelResponse(this.#pendingResponseId).catch((thrown: unknown) => {
      const error = toRunnerError(thrown);
      this.#ports.log.warn("cancel_failed", { reason: error.code, error });
    });
  }
}

function requireHeld(held: Held | undefined, isEnding = false): void {
  if (!held) throw superseded();
  if (held.cancelled && !isEnding) throw cancelled(held.cancelled);
}
