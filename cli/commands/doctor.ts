import * as z from "zod";
import { attempt, problemOf } from "../attempt.ts";
import { defineCommand, type Command } from "../command.ts";
import type { Context } from "../context.ts";
import { runChecks } from "../doctor/check.ts";
import { checks } from "../doctor/checks.ts";
import { createFacts } from "../doctor/facts.ts";
import { countVerdicts, renderChecks } from "../doctor/render.ts";

export const doctor: Command = defineCommand({
  name: "doctor",
  summary: "Checks everything, before and after a deploy, and says how to fix what it finds",
  details:
    "Checks this machine, the settings, AWS, the stack, each secret and whether Studio and the model's provider accept it, " +
    "polls, dead letters and alarms. Sends the model one request with at most 16 tokens. Leases no job and changes nothing. Exits with 1 if a check fails; warnings do not count.",
  examples: [
    { line: "doctor", shows: "before and after the first deploy, and when something is wrong" },
    { line: "doctor --local", shows: "checks the stack of npm start" },
    { line: "doctor --json", shows: "for a script: checks[].id, outcome, finding, remedy" },
  ],
  input: z.object({}),
  run: async (context) => {
    await refuseWrongNames(context);
    const results = await runChecks(createFacts(context), checks);
    const counts = countVerdicts(results);
    const rows = results.map(({ pool, remedy, ...row }) => ({
      ...row,
      pool: pool ?? null,
      remedy: remedy ?? null,
    }));
    const data = { atMs: context.clock.now(), counts, checks: rows };
    return {
      data,
      text: (screen) => renderChecks(results, screen),
      exit: counts.fail > 0 ? "finding" : "ok",
    };
  },
});

/**
 * An unknown pool, or a local stack that is not running, is an error and not a finding, because nothing can
 * be checked.
 */
async function refuseWrongNames(context: Context): Promise<void> {
  const pools = (): ReturnType<Context["pools"]> => context.pools();
  const code = problemOf(await attempt(pools))?.code;
  if (code === "not_found" || code === "not_running") await pools();
}
