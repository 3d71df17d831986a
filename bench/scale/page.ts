import type { Load } from "./simulation.ts";
import type { Outcome } from "./simulate.ts";

const atOnce = { jobs: 1_000, jobSeconds: 60, polling: "fast", concurrency: 1_000 } as const;

/** The loads in docs/scaling.md. */
export const loads: readonly Load[] = [
  { ...atOnce, dispatcherMemoryMb: 150 },
  { ...atOnce, dispatcherMemoryMb: 512 },
  { ...atOnce, dispatcherMemoryMb: 1_769 },
  { ...atOnce, dispatcherMemoryMb: 1_769, studioPerSecond: 50 },
  { jobs: 1_000, jobSeconds: 60, polling: "economy", concurrency: 100, dispatcherMemoryMb: 150 },
  { jobs: 5_000, jobSeconds: 10, polling: "fast", concurrency: 500, dispatcherMemoryMb: 512 },
  { jobs: 5_000, jobSeconds: 10, polling: "fast", concurrency: 500, dispatcherMemoryMb: 1_769 },
];

export const head = [
  "jobs",
  "each takes",
  "at once",
  "polling",
  "dispatcher",
  "Studio",
  "all places taken after",
  "drained in",
  "ideal",
  "Studio, requests/s",
  "DynamoDB, writes/s",
  "reads/s",
  "environments",
  "AWS, USD",
] as const;

export const rowOf = (load: Load, outcome: Outcome): readonly (string | number)[] => [
  load.jobs,
  `${load.jobSeconds} s`,
  load.concurrency,
  load.polling,
  `${load.dispatcherMemoryMb} MB`,
  load.studioPerSecond === undefined ? "takes all" : `takes ${load.studioPerSecond}/s`,
  `${outcome.fullSeconds.toFixed(1)} s`,
  `${outcome.drainSeconds.toFixed(0)} s`,
  `${outcome.idealSeconds.toFixed(0)} s`,
  outcome.studioPeakPerSecond,
  outcome.writePeakPerSecond,
  outcome.readPeakPerSecond,
  outcome.environments,
  outcome.usd.toFixed(2),
];

const [from, to] = ["<!-- npm run scale -->", "<!-- end -->"];

/** Returns the page with another table. */
export function between(page: string, text: string): string {
  const [start, end] = [page.indexOf(from), page.indexOf(to)];
  if (start < 0 || end < start)
    throw new Error(`docs/scaling.md has no place for the table: ${from} … ${to}`);
  return `${page.slice(0, start + from.length)}\n\n${text}\n\n${page.slice(end)}`;
}
