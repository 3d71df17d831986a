import * as z from "zod";
import { printable } from "../../lib/core/text.ts";
import { defineCommand, type Command } from "../command.ts";
import type { Context } from "../context.ts";
import { formatAge } from "../format.ts";
import { sentence } from "../values.ts";

export interface Switched {
  readonly pool: string;
  readonly paused: boolean;
  readonly by: string;
  readonly why: string | null;
  readonly atMs: number | null;
  /** False: the state was already set, and who set it and why are unchanged. */
  readonly changed: boolean;
}

/**
 * Pauses or resumes a pool, and records who did it and why. Keeps the operator's other settings. Does nothing
 * if the state is already set and no reason is given.
 */
export async function switchPool(
  context: Context,
  { paused, why }: { readonly paused: boolean; readonly why: string | undefined },
): Promise<Switched> {
  const { name: pool } = await context.pool();
  const { control } = await context.runStore();
  const before = why === undefined ? await control.read(pool) : undefined;
  if (before?.by !== undefined && before.paused === paused) {
    const { by, why: earlier = null, atMs = null } = before;
    return { pool, paused, by, why: earlier, atMs, changed: false };
  }
  const by = await context.caller();
  const atMs = context.clock.now();
  const change = { paused, by, why: why ?? null, atMs };
  await control.write(pool, change);
  return { pool, ...change, changed: true };
}

/**
 * "Pool a is already paused, by ann, 2 min ago: maintenance. That is kept; use --why to change the reason."
 */
export function alreadyText({ pool, paused, by, why, atMs }: Switched, nowMs: number): string {
  const since = atMs === null ? "" : `, ${formatAge(nowMs - atMs)}`;
  const state = paused ? "is already paused" : "is already leasing, resumed";
  const what = `${state}${paused ? "," : ""} by ${by}${since}${why === null ? "" : `: ${why}`}`;
  return printable(`Pool ${pool} ${what}. That is kept; use --why to change the reason.`);
}

const options = [
  { flags: "--why <text>", meaning: "the reason, shown by status; without it, an earlier one is kept" },
];
const input = z.object({ why: sentence().optional() });

export const pause: Command = defineCommand({
  name: "pause",
  summary: "Stops leasing; running jobs continue",
  details: "Takes effect without a deploy, at the next dispatch cycle: within a minute.",
  options,
  examples: [{ line: 'pause --why "Studio maintenance"', shows: "status shows who paused and why" }],
  input,
  run: async (context, { why }) => {
    const data = await switchPool(context, { paused: true, why });
    return {
      data,
      text: () =>
        data.changed
          ? `Pool ${data.pool} is paused: leasing stops within a minute, and running jobs continue.`
          : alreadyText(data, context.clock.now()),
    };
  },
});

export const resume: Command = defineCommand({
  name: "resume",
  summary: "Leases jobs again after pause or drain",
  options,
  examples: [{ line: "resume", shows: "the next dispatch cycle leases again" }],
  input,
  run: async (context, { why }) => {
    const data = await switchPool(context, { paused: false, why });
    const done = `Pool ${data.pool} leases again within a minute.`;
    return { data, text: () => (data.changed ? done : alreadyText(data, context.clock.now())) };
  },
});
