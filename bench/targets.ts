import * as z from "zod";
import { pollingModes } from "../lib/core/options.ts";
import { table } from "./tables.ts";

const modes = z.enum(pollingModes);

/** The parts of docs/performance.json that the targets and the documents need. */
export const performanceSchema = z.object({
  date: z.string(),
  machine: z.string(),
  cold: z.array(
    z.object({
      name: z.enum(["dispatch", "process"]),
      ratio: z.number(),
    }),
  ),
  polling: z.array(
    z.object({ mode: modes, studioLatencyMs: z.number(), p50: z.number(), p95: z.number(), p99: z.number() }),
  ),
  drain: z.object({
    jobs: z.number(),
    concurrency: z.number(),
    modelLatencyMs: z.number(),
    seconds: z.number(),
    ratio: z.number(),
    timesFaster: z.number(),
  }),
  refill: z.array(z.object({ mode: modes, p50Ms: z.number(), seconds: z.number() })),
  rounds: z.array(
    z.object({
      jobs: z.number(),
      concurrency: z.number(),
      roundMs: z.number(),
      seconds: z.number(),
      ratioToIdeal: z.number(),
      betweenP50Ms: z.number(),
      betweenP95Ms: z.number(),
    }),
  ),
  overhead: z.object({
    cpuMs: z.number(),
    plainCpuMs: z.number(),
    ratioToPlain: z.number(),
    peakMemoryMb: z.number(),
    studioRequests: z.number(),
    runStoreRequests: z.number(),
  }),
  dispatch: z.array(
    z.object({ studioLatencyMs: z.number(), perSecond: z.number(), cpuMsPerLease: z.number() }),
  ),
  cost: z.object({
    pricesAsOf: z.string(),
    dispatcherMemoryMb: z.number(),
    processorMemoryMb: z.number(),
    idle: z
      .array(
        z.object({
          mode: modes,
          computeAndRequests: z.number(),
          withFreeTier: z.number(),
          logLines: z.number(),
          secretCalls: z.number(),
        }),
      )
      .readonly(),
    monitoring: z.array(z.object({ level: z.string(), wholeIdleBill: z.number() })).readonly(),
    jobs: z.array(z.object({ inferenceSeconds: z.number(), total: z.number() })).readonly(),
  }),
});
export type Performance = Readonly<z.output<typeof performanceSchema>>;

export interface Target {
  readonly what: string;
  /** The maximum, or the minimum if `least` is set. */
  readonly limit: number;
  readonly least?: true;
  readonly unit: string;
  readonly value: number;
  /** Shown if the target is missed. */
  readonly why?: string;
}

export const isMet = ({ value, limit, least }: Target): boolean => (least ? value >= limit : value <= limit);

/** The targets compared with the measurements. */
export function targetsOf(measured: Performance): readonly Target[] {
  return [
    ...speed(measured),
    ...work(measured),
    ...betweenRounds(measured),
    ...busyProcesses(measured),
    ...money(measured),
  ];
}

function speed({ cold, polling }: Performance): readonly Target[] {
  const p50 = { fast: 0.7, balanced: 1.5 };
  return [
    ...cold.map(({ name, ratio }) => ({
      what: `cold, ${name}: against a plain bundle`,
      limit: 0.75,
      unit: "",
      value: ratio,
      why: "What is left is Node's own start, compiling the same packages, and the first connections.",
    })),
    ...polling.flatMap(({ mode, studioLatencyMs, ...row }) =>
      mode === "economy" || studioLatencyMs !== 50
        ? []
        : [
            { what: `polling, ${mode}: p50 at 50 ms`, limit: p50[mode], unit: " s", value: row.p50 },
            { what: `polling, ${mode}: p99 at 50 ms`, limit: 3, unit: " s", value: row.p99 },
          ],
    ),
  ];
}

function work({ drain, refill }: Performance): readonly Target[] {
  return [
    {
      what: "drain: against the ideal",
      limit: 1.3,
      unit: "",
      value: drain.ratio,
      why: "50 processors, the dispatcher, Studio, the model, DynamoDB (dynalite) and Lambda share this machine's cores. In Lambda each processor has a share of a core to itself.",
    },
    ...refill.map(({ mode, p50Ms }) => ({
      what: `refill, ${mode}: a place is empty, p50 at 50 ms`,
      limit: 150,
      unit: " ms",
      value: p50Ms,
    })),
    ...refill.flatMap(({ mode, seconds }) =>
      mode === "economy"
        ? [{ what: "refill, economy: 60 jobs of 2 s, four at a time", limit: 40, unit: " s", value: seconds }]
        : [],
    ),
  ];
}

function betweenRounds({ rounds }: Performance): readonly Target[] {
  return rounds.flatMap(({ roundMs, jobs, concurrency, ...row }): readonly Target[] => {
    if (roundMs === 5_000)
      return [{ what: "rounds, 5 s: against the ideal", limit: 1.03, unit: "", value: row.ratioToIdeal }];
    if (roundMs !== 500) return [];
    return [
      {
        what: `rounds, 0.5 s: ${jobs} jobs of three, ${concurrency} at a time`,
        limit: 16.5,
        unit: " s",
        value: row.seconds,
        why: "The runner's processes, its dispatcher, DynamoDB (dynalite), Studio and the model share this machine's two cores: the public worker's loop, which has no run store, also takes longer than the ideal here.",
      },
      { what: "rounds, 0.5 s: between two rounds, p50", limit: 60, unit: " ms", value: row.betweenP50Ms },
      { what: "rounds, 0.5 s: between two rounds, p95", limit: 150, unit: " ms", value: row.betweenP95Ms },
    ];
  });
}

function busyProcesses({ overhead, dispatch }: Performance): readonly Target[] {
  return [
    {
      what: "overhead: CPU against a plain worker",
      limit: 1.5,
      unit: "",
      value: overhead.ratioToPlain,
      why: "Ours also proves its lease and its place in the run store before each post, and bounds what every server answers.",
    },
    {
      what: "overhead: requests to Studio",
      limit: 4,
      unit: "",
      value: overhead.studioRequests + 1,
    },
    { what: "overhead: peak memory", limit: 180, unit: " MB", value: overhead.peakMemoryMb },
    ...dispatch.flatMap(({ studioLatencyMs, perSecond }) =>
      studioLatencyMs === 50
        ? [
            {
              what: "dispatch: leases and invokes a second at 50 ms",
              limit: 150,
              least: true as const,
              unit: "",
              value: perSecond,
              why: "A lease is a call to Studio, several requests to DynamoDB and one to Lambda. What they take of the dispatcher's CPU, the AWS SDK's share included, is below.",
            },
          ]
        : [],
    ),
  ];
}

function money({ cost }: Performance): readonly Target[] {
  const limits = { economy: 0.15, balanced: undefined, fast: 5 };
  const perThousand: Readonly<Record<number, number>> = { 60: 0.25, 300: 1.1 };
  return [
    ...cost.idle.flatMap(({ mode, computeAndRequests: value }) => {
      const limit = limits[mode];
      return limit === undefined
        ? []
        : [{ what: `cost, ${mode}: compute and requests, a month idle`, limit, unit: " $", value }];
    }),
    ...cost.monitoring.flatMap(({ level, wholeIdleBill: value }) =>
      level === "lean"
        ? [{ what: "cost, lean: whole idle bill, a month", limit: 2.5, unit: " $", value }]
        : [],
    ),
    ...cost.jobs.flatMap(({ inferenceSeconds, total: value }) => {
      const limit = perThousand[inferenceSeconds];
      return limit === undefined
        ? []
        : [{ what: `cost, 1,000 jobs of ${inferenceSeconds} s: beyond idle`, limit, unit: " $", value }];
    }),
  ];
}

/** In Markdown; a missed target has its reason. */
export function renderTargets(targets: readonly Target[]): string {
  const rows = targets.map((target) => [
    target.what,
    `${target.least ? "at least" : "at most"} ${target.limit}${target.unit}`,
    `${target.value}${target.unit}`,
    isMet(target) ? "met" : "**missed**",
  ]);
  const missed = targets.filter((target) => !isMet(target));
  const whys = missed.map(({ what, why = "No reason is known." }) => `- **${what}.** ${why}`);
  return [
    table(["target", "asked", "measured", ""], rows),
    ...(whys.length > 0 ? [whys.join("\n")] : []),
  ].join("\n\n");
}
