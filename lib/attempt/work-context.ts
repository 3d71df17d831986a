import type { Usage } from "../model/model.ts";
import type { Run, RunProgress } from "../runs/run.ts";
import type { CompletePayload } from "../studio/studio.ts";
import type { PersistDeps } from "./persist.ts";
import type { StudioJob } from "./studio-job.ts";

/** What the model's work comes to. */
export interface Product {
  readonly payload: CompletePayload;
  /** How many of each kind. */
  readonly deliverables: Readonly<Record<string, number>>;
  /** Asks the model to mend what Studio refused, in Studio's words. Absent once the run has had that. */
  readonly repair?: (refusal: string) => Promise<Product>;
}

export interface RoundStart {
  /** 1 for the run's first round, whatever the attempt. */
  readonly number: number;
  /** Absent where the provider does not keep responses: then there is nothing to resume from. */
  readonly responseId: string | undefined;
  /** Of the whole run up to now. */
  readonly usage: Usage;
}

export interface RoundEnd {
  readonly number: number;
  readonly responseId: string;
  readonly calls: number;
  readonly usage: Usage;
}

/** What an attempt gives its work (work.ts), and wants to be told. */
export interface WorkContext extends PersistDeps {
  readonly job: StudioJob;
  /** As the attempt began it: what earlier attempts have noted. */
  readonly run: Run;
  readonly signal: AbortSignal;
  /** Resolves once the run store has taken it. @throws RunnerError `superseded`; the signal's reason */
  readonly note: (progress: RunProgress) => Promise<void>;
  /** Before each request to the model that costs something. @throws RunnerError `attempt_deadline`, and as `note` */
  readonly mayAsk: () => Promise<void>;
  /** The job's context is there, and may say when its newest message was written (by our clock). */
  readonly onJobRead: (jobDigest: string, createdAtMs: number | undefined) => void;
  /** Before anything is waited for: from here on the round can be resumed. @throws RunnerError `superseded` */
  readonly onRoundStarted: (start: RoundStart) => Promise<void>;
  readonly onRoundEnded: (end: RoundEnd) => void;
}
