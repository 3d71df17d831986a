import { hasCode, RunnerError } from "../core/errors.ts";
import type { FailureReport, Run } from "../runs/run.ts";
import {
  deliver,
  digestForReport,
  isStillLeased,
  isConfirmedLoss,
  reportFailure,
  type Delivery,
} from "./delivery.ts";
import { unconfirmed, type Outcome } from "./outcome.ts";
import type { LeaseHeartbeat } from "./lease-heartbeat.ts";
import { retryThroughOutage } from "./outage-retry.ts";
import type { Retrying } from "./ports.ts";
import type { Progress } from "./progress.ts";
import type { StudioJob } from "./studio-job.ts";
import type { Product } from "./work-context.ts";

interface Sides {
  /** As the attempt began it. */
  readonly run: Run;
  readonly job: StudioJob;
  readonly heartbeat: LeaseHeartbeat;
  readonly progress: Progress;
}

/**
 * Posts an attempt's result to Studio. Before each post, the lease is proved at Studio and the run store records
 * what is about to be sent, so that a later attempt knows that it may have arrived.
 */
export class Posting {
  readonly #ports: Retrying;
  readonly #sides: Sides;

  constructor(ports: Retrying, sides: Sides) {
    this.#ports = ports;
    this.#sides = sides;
  }

  /**
   * If Studio refuses the payload, the model repairs it, with Studio's message as input; once per run.
   * @throws as `deliver` (delivery.ts); what the repair throws
   */
  async deliver(product: Product, signal: AbortSignal): Promise<Outcome> {
    try {
      return await this.#complete(product, signal);
    } catch (error) {
      if (!hasCode(error, "studio_rejected") || !product.repair) throw error;
      this.#ports.log.warn("payload_refused", { reason: error.code, explanation: error.message });
      await this.#sides.progress.save({ delivering: false, repaired: true }, signal);
      return this.#complete(await product.repair(error.message), signal);
    }
  }

  async #complete(product: Product, signal: AbortSignal): Promise<Outcome> {
    const { run, heartbeat, progress } = this.#sides;
    await heartbeat.confirm(signal);
    await progress.save({ ...progress.known, delivering: true }, signal);
    const answer = await deliver(this.#delivery(run.delivering), product.payload, signal);
    return answer === "accepted"
      ? { state: "completed", reason: "ok", product }
      : { ...unconfirmed, product };
  }

  /** @throws as `deliver` (delivery.ts) */
  async report(reporting: FailureReport, signal: AbortSignal): Promise<Outcome> {
    const { run, job, heartbeat, progress } = this.#sides;
    if (progress.known.delivering && (await this.#hasArrived(signal))) return unconfirmed;
    await heartbeat.confirm(signal);
    const { known } = progress;
    if (!run.reporting) {
      const jobDigest = known.jobDigest ?? (await digestForReport(job, signal));
      await progress.save({ ...known, reporting, jobDigest }, signal);
    }
    const mayHavePosted = run.reporting !== undefined;
    const answer = await reportFailure(this.#delivery(mayHavePosted), reporting.explanation, signal);
    return { state: "failed", ...reporting, unconfirmed: answer === "accepted" ? undefined : true };
  }

  /** The deliverables got no answer, and the job's lease is gone or belongs to another job. */
  async #hasArrived(signal: AbortSignal): Promise<boolean> {
    try {
      return !(await retryThroughOutage(this.#ports, signal, () =>
        isStillLeased(this.#delivery(true), signal),
      ));
    } catch (error) {
      if (error instanceof RunnerError && isConfirmedLoss(error)) return true;
      throw error;
    }
  }

  #delivery(mayHavePosted: boolean): Delivery {
    const { job, heartbeat, progress } = this.#sides;
    const { jobDigest } = progress.known;
    const prove: Delivery["prove"] = (signal, sinceMs) => heartbeat.confirm(signal, sinceMs);
    const { clock, random, log } = this.#ports;
    return { clock, random, log, job, prove, jobDigest, mayHavePosted };
  }
}
