import { hasCode, RunnerError, toRunnerError } from "../errors.ts";
import type { Ledger } from "../ledger/ledger.ts";
import type { Fence, Run, RunProgress } from "../ledger/run.ts";
import type { Log } from "../log.ts";
import type { LegMetrics } from "./leg-metrics.ts";
import type { RoundEnd, RoundStart } from "./work-context.ts";

export interface ProgressDeps {
  readonly ledger: Ledger;
  readonly log: Log;
  readonly modelName: string;
  readonly counted: LegMetrics;
  readonly cancelResponse: (responseId: string) => Promise<void>;
}

/** What a leg's work has come to: noted in the ledger as it goes, so that the next leg can take it up. */
export class Progress {
  readonly #deps: ProgressDeps;
  readonly #fence: Fence;
  #known: RunProgress;
  /** A response that is generating, or was when the last leg ended. */
  #pendingResponseId: string | undefined;
  /** What the ledger could not be told yet: it goes along with the next note. */
  #untold: RunProgress = {};

  constructor(deps: ProgressDeps, fence: Fence, run: Run) {
    const { rounds, usage, delivering, model } = run;
    this.#deps = deps;
    this.#fence = fence;
    this.#known = { rounds, usage, delivering, ...(model === undefined ? {} : { model }) };
    this.#pendingResponseId = run.lastResponseId ?? run.summaryResponseId;
  }

  /** What a handover and the close write. */
  get known(): RunProgress {
    return this.#known;
  }

  /** Written with the first round's note. */
  onJobRead(createdAtMs: number): void {
    this.#known = { ...this.#known, createdAtMs };
    this.#deps.counted.jobRead(createdAtMs);
  }

  async onRoundStarted({ number, responseId, previousResponseId, usage }: RoundStart): Promise<void> {
    this.#pendingResponseId = responseId;
    const { createdAtMs } = this.#known;
    const job = createdAtMs === undefined ? {} : { createdAtMs };
    const noted = { rounds: number, usage, model: this.#deps.modelName, ...job };
    await this.note(
      responseId === undefined
        ? noted
        : { ...noted, lastResponseId: responseId, previousResponseId: previousResponseId ?? null },
    );
  }

  onRoundEnded({ number, responseId, calls, usage }: RoundEnd): void {
    this.#pendingResponseId = undefined;
    this.#known = { ...this.#known, rounds: number, usage, model: this.#deps.modelName };
    const { inputTokens, outputTokens } = usage;
    this.#deps.log.info("round_ended", { round: number, responseId, calls, inputTokens, outputTokens });
  }

  /**
   * An unreachable ledger is told with the next note, at a handover or at the close; only a leg that is killed before
   * costs the next one some knowledge. It does not cost the job. @throws RunnerError `superseded`
   */
  async note(progress: RunProgress): Promise<void> {
    this.#known = { ...this.#known, ...progress };
    this.#pendingResponseId = progress.summaryResponseId ?? this.#pendingResponseId;
    const news = this.newsWith(progress);
    this.#untold = news;
    try {
      const ours = await this.#deps.ledger.note(this.#fence, news);
      this.#untold = {};
      if (!ours) throw new RunnerError("superseded", "a newer leg, or a close, owns the run");
    } catch (error) {
      if (!hasCode(error, "ledger_unavailable")) throw error;
      this.#deps.log.warn("progress_not_noted", { reason: error.code, error });
    }
  }

  /** For another write to tell the ledger: with what it could not be told yet. */
  newsWith(progress: RunProgress): RunProgress {
    return { ...this.#untold, ...progress };
  }

  /** The ledger has been told all news. */
  noted(news: RunProgress): void {
    this.#known = { ...this.#known, ...news };
    this.#untold = {};
  }

  async cancelPending(): Promise<void> {
    if (this.#pendingResponseId === undefined) return;
    await this.#deps.cancelResponse(this.#pendingResponseId).catch((thrown: unknown) => {
      const error = toRunnerError(thrown);
      this.#deps.log.warn("cancel_failed", { reason: error.code, error });
    });
  }
}
