/** Every kind of fault with its description. `--only` selects single ones. */
export const faultKinds = {
  calls: "calls to Studio, the model and AWS are refused, cut, answered with 5xx or 429, or slow",
  events: "asynchronous events come twice, late or never",
  kills: "processes are killed with -9 or run out of memory; one kind of job kills its worker each time",
  "stolen-lease": "leases go to another holder, go back into the queue, or expire at once",
  outage: "Studio is down for longer than an attempt, the run store is throttled",
  key: "runner keys are rotated, and revoked while a run holds their lease",
  "second-message":
    "another message waits in the workspace while its first job is queued or runs; for most of them the answer to the " +
    "first job's end is lost",
  "doubled-lease": "Studio leases a job once more that is leased already: to the same key, or to another one",
  "lost-answer": "calls of every job route take effect, and their answer is lost: reset, a 502 page, silence",
  "odd-body":
    "answers with 200 hold text, a page, nothing, cut JSON, null, ISO times; for some jobs every heartbeat's",
  "retry-after":
    "429 and 503 ask for no wait, a negative one, 25 days, the year 9999, words; also for seconds on end",
  "cut-off": "one process, or all, cannot reach the run store for seconds",
  frozen: "processes stand still for 1 to 12 s: at any moment, and right before a post",
  "absurd-number": "times in nanoseconds, in seconds, negative, 1e300; token counts of no sense",
  skew: "Studio's clock is 120 s or 1 s off, wanders, and jumps once",
  "short-lease": "leases of 5 s, and of 50 ms, which are over before their row is written",
} as const;

export type FaultKind = keyof typeof faultKinds;

export const allKinds = Object.keys(faultKinds) as FaultKind[];

export const isFaultKind = (name: string): name is FaultKind => Object.hasOwn(faultKinds, name);
