import * as z from "zod";
import { defineCommand, type Command } from "../command.ts";
import type { Context } from "../context.ts";
import { sentence } from "../values.ts";

interface Switched {
  readonly pool: string;
  readonly paused: boolean;
  readonly by: string;
  readonly why: string | null;
  readonly atMs: number;
}

/** Writes who paused or resumed, and why; what else an operator has set stays. */
export async function switchPool(
  context: Context,
  { paused, why }: { readonly paused: boolean; readonly why: string | undefined },
): Promise<Switched> {
  const { name: pool } = await context.pool();
  const { control } = await context.ledger();
  const by = await context.caller();
  const atMs = context.clock.now();
  const change = { paused, by, why: why ?? null, atMs };
  await control.write(pool, change);
  return { pool, ...change };
}

const options = [{ flags: "--why <text>", meaning: "the reason, kept and shown by status" }];
const input = z.object({ why: sentence().optional() });

export const pause: Command = defineCommand({
  name: "pause",
  summary: "Lease no more jobs; running ones go on",
  details: "Works without a deploy, at the next dispatch window: within a minute.",
  options,
  examples: [{ line: 'pause --why "Studio maintenance"', shows: "who paused and why stays until resume" }],
  input,
  run: async (context, { why }) => {
    const data = await switchPool(context, { paused: true, why });
    return {
      data,
      text: () => `Pool ${data.pool} is paused: no new leases within a minute, running jobs go on.`,
    };
  },
});

export const resume: Command = defineCommand({
  name: "resume",
  summary: "Lease jobs again after pause or drain",
  options,
  examples: [{ line: "resume", shows: "the next dispatch window leases again" }],
  input,
  run: async (context, { why }) => {
    const data = await switchPool(context, { paused: false, why });
    return { data, text: () => `Pool ${data.pool} leases again, within a minute.` };
  },
});
