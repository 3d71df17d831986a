import * as z from "zod";
import { defineCommand, type Command } from "../command.ts";
import type { Context } from "../context.ts";
import { count, formatDuration } from "../format.ts";
import { createRepeatedRead } from "../repeated-read.ts";
import { countInFlight } from "../pool-status.ts";
import { duration, sentence } from "../values.ts";
import { alreadyText, switchPool } from "./pause.ts";

const lookEveryMs = 2_000;
/** The index of open runs lags behind slightly, and a cycle may start at the moment of the pause. */
const quietLooksNeeded = 2;

export const drain: Command = defineCommand({
  name: "drain",
  summary: "Pauses a pool and waits until no job is in flight",
  details:
    "The pool stays paused, even after Ctrl-C or the timeout (exit code 1), until resume. " +
    "Also waits for a dispatch cycle that was running at the pause.",
  options: [
    {
      flags: "--timeout <time>",
      meaning: "how long to wait; default: the pool's run limit and 5 minutes",
    },
    { flags: "--why <text>", meaning: "the reason, shown by status" },
  ],
  examples: [{ line: 'drain --why "new model key" --timeout 30m', shows: "returns when no job is running" }],
  input: z.object({ timeout: duration().optional(), why: sentence().optional() }),
  run: async (context, { timeout, why }) => {
    const pool = await context.pool();
    const { clock } = context;
    const limitMs = timeout ?? pool.settings.runLimitMinutes * 60_000 + 300_000;
    const startedAtMs = clock.now();
    const paused = await switchPool(context, {
      paused: true,
      why: why ?? (await reasonOf(context, pool.name)),
    });
    const inFlight = await waitUntilEmpty(context, pool.name, startedAtMs + limitMs);
    const data = { ...paused, drained: inFlight === 0, inFlight, waitedMs: clock.now() - startedAtMs };
    const kept = paused.changed ? "" : `\n${alreadyText(paused, clock.now())}`;
    const text = (): string =>
      data.drained
        ? `Pool ${pool.name} is drained after ${formatDuration(data.waitedMs)}: no job is running, and the pool stays paused.${kept}`
        : `${count(inFlight, "run")} still in flight after ${formatDuration(data.waitedMs)}. The pool stays paused.${kept}`;
    return { data, text, exit: data.drained ? "ok" : "finding" };
  },
});

/** The reason of an existing pause, which drain keeps. */
async function reasonOf(context: Context, pool: string): Promise<string | undefined> {
  const { control } = await context.runStore();
  return (await control.read(pool)).paused ? undefined : "drain";
}

/** Returns the number of runs in flight: 0, or what is left at `untilMs`. */
async function waitUntilEmpty(context: Context, pool: string, untilMs: number): Promise<number> {
  const { clock, terminal, signal } = context;
  const { lock } = await context.runStore();
  const startedAtMs = clock.now();
  // The cycle that may have started before the pause was written. Every later one sees the pause.
  const { owner: suspect } = await lock.read(pool);
  let quietLooks = 0;
  const look = createRepeatedRead(context, "read the run store");
  for (;;) {
    const found = await look(() => Promise.all([countInFlight(context, pool), lock.read(pool)]));
    const nowMs = clock.now();
    if ("error" in found) {
      if (nowMs >= untilMs) throw found.error;
      quietLooks = 0;
      await clock.sleep(Math.min(lookEveryMs, untilMs - nowMs), signal);
      continue;
    }
    const [inFlight, state] = found.value;
    const isOpen = suspect !== undefined && state.owner === suspect && (state.lockedUntilMs ?? 0) > nowMs;
    quietLooks = inFlight === 0 && !isOpen ? quietLooks + 1 : 0;
    if (quietLooks === quietLooksNeeded || nowMs >= untilMs) return inFlight;
    const what =
      inFlight === 0 && isOpen ? "a dispatch cycle is still running" : `${count(inFlight, "run")} in flight`;
    terminal.progress(`Draining pool ${pool}: ${what} (${formatDuration(nowMs - startedAtMs)})`, what);
    await clock.sleep(Math.min(lookEveryMs, untilMs - nowMs), signal);
  }
}
