import type { RoundEnd, RoundStart, ToolCalled } from "../agent/tool-loop.ts";
import type { Run, RunProgress } from "../runs/run.ts";
import type { CompletePayload } from "../studio/studio.ts";
import type { Retrying } from "./ports.ts";
import type { StudioJob } from "./studio-job.ts";

/** The result of the model's work. */
export interface Product {
  readonly payload: CompletePayload;
  /** Number of deliverables by kind. */
  readonly deliverables: Readonly<Record<string, number>>;
  /** Asks the model to repair what Studio refused, given Studio's message. Absent if the run has used its repair. */
  readonly repair?: (refusal: string) => Promise<Product>;
}

/** What is known of a job once its context was read. */
export interface JobFacts {
  readonly jobDigest: string;
  /** The time of its newest message (epoch ms, our clock), if known. */
  readonly createdAtMs: number | undefined;
  /** The workspace's title, if it has one. */
  readonly title: string | undefined;
}

/** What an attempt passes to its work (work.ts), with callbacks for progress. */
export interface WorkContext extends Retrying {
  readonly job: StudioJob;
  /** The run as it was when the attempt started, with the progress of earlier attempts. */
  readonly run: Run;
  readonly signal: AbortSignal;
  /** Writes progress; resolves once the run store accepted it. @throws RunnerError `superseded`; the signal's reason */
  readonly saveProgress: (progress: RunProgress) => Promise<void>;
  /** Call before each billed request to the model. @throws RunnerError `attempt_deadline`, and as `save` */
  readonly mayAsk: () => Promise<void>;
  /** Called when the job's context was read. */
  readonly onJobRead: (job: JobFacts) => void;
  /** Called with the usage of the whole run as soon as a round's response id is known; from then on the round can be retrieved. @throws RunnerError `superseded` */
  readonly onRoundStarted: (start: RoundStart) => Promise<void>;
  readonly onToolCall: (called: ToolCalled) => void;
  readonly onRoundEnded: (end: RoundEnd) => void;
}
