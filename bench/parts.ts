import { cold } from "./cold.ts";
import { cost } from "./cost.ts";
import { dispatch } from "./dispatch.ts";
import { drain } from "./drain.ts";
import type { Built } from "./fixture.ts";
import { memory } from "./memory.ts";
import { overhead } from "./overhead.ts";
import { polling } from "./polling.ts";
import { refill } from "./refill.ts";
import { roundsOf } from "./rounds.ts";
import {
  renderCold,
  renderCost,
  renderDispatch,
  renderDrain,
  renderMemory,
  renderOverhead,
  renderPolling,
  renderRefill,
  renderRounds,
} from "./render.ts";

export interface Size {
  readonly isShort: boolean;
}

export interface PartResult {
  /** The output for `--json`. */
  readonly data: unknown;
  readonly markdown: string;
}

export interface Part {
  readonly name: string;
  readonly title: string;
  readonly what: string;
  readonly run: (built: Built, size: Size) => Promise<PartResult>;
}

const part = <T>(
  words: Omit<Part, "run">,
  measure: (built: Built, size: Size) => Promise<T>,
  render: (result: T) => string,
): Omit<Part, "run"> & Pick<Part, "run"> => ({
  ...words,
  run: async (built, size) => {
    const data = await measure(built, size);
    return { data, markdown: render(data) };
  },
});

/** Every part, in the order in which the parts run. */
export const parts: readonly Part[] = [
  part(
    {
      name: "cold",
      title: "Cold start",
      what: "A fresh process until its handler is loaded, with full CPU as Lambda gives it then; and its first real call (secret, run store, Studio and, for the processor, the model included), with the share of a CPU that the function's memory gives it. Against a plain bundle of the same packages (AWS SDK, undici, openai, zod, middy, Powertools), imported as their READMEs show it. Medians; ours and the plain one by turns.",
    },
    cold,
    renderCold,
  ),
  part(
    {
      name: "polling",
      title: "Polling",
      what: "From a message queued at Studio to the first attempt begun, within the dispatch cycle, functions warm. `economy` opens one cycle a minute: the wait for it is added as arithmetic.",
    },
    polling,
    renderPolling,
  ),
  part(
    {
      name: "drain",
      title: "Drain",
      what: "A full queue, a model of fixed latency, warm functions; ideal is jobs / concurrency × latency and one polling. One at a time is a plain worker as the public runner is one, measured over a few jobs and multiplied.",
    },
    drain,
    renderDrain,
  ),
  part(
    {
      name: "refill",
      title: "Refill",
      what: "A queue that is longer than the pool is wide, within one dispatch cycle, functions warm: how long a place stays empty between a job's completion at Studio and the lease that fills it. Ideal is jobs / concurrency × latency of the model.",
    },
    refill,
    renderRefill,
  ),
  part(
    {
      name: "rounds",
      title: "Rounds",
      what: "A queue of jobs of three rounds each, functions warm, drained by the runner and by as many processes of the public worker's loop (lease, context, rounds, heartbeat, completion; one job at a time each). Ideal is jobs / concurrency × rounds × latency of the model. Between rounds is from a round's end at the model to the next request there, or to the completion at Studio.",
    },
    roundsOf,
    renderRounds,
  ),
  part(
    {
      name: "overhead",
      title: "Overhead",
      what: "One job after the other in a warm process, a model that answers at once, against a plain bundle that makes the same calls with the same packages, as their READMEs show them. Both are given leased jobs; what a lease costs the dispatcher is below.",
    },
    overhead,
    renderOverhead,
  ),
  part(
    {
      name: "memory",
      title: "Memory",
      what: "One warm processor for each size, held to the share of a CPU that Lambda gives it, and a model that answers at once: what the runner adds to a job. Costs are Lambda's compute for 1,000 jobs whose model takes 10, 60 and 300 s; a processor waits for it nearly all the time, and waiting costs what memory costs.",
    },
    memory,
    renderMemory,
  ),
  part(
    {
      name: "dispatch",
      title: "Dispatch",
      what: "One warm dispatcher and a long queue: leases taken, recorded and invoked.",
    },
    dispatch,
    renderDispatch,
  ),
  part(
    {
      name: "cost",
      title: "Cost",
      what: "From one idle cycle of each mode and one job, counted request by request, and the resources of the synthesized template. Jobs cost the same with each polling mode: what a mode costs more is its idle bill.",
    },
    cost,
    renderCost,
  ),
];
