import * as z from "zod";
import { cancelledText, cancelRun, seenWithinMs, shortName } from "../cancel-run.ts";
import { defineCommand, type Command } from "../command.ts";
import { findRunsOf, jobMeaning } from "../job-ids.ts";
import { id, sentence } from "../values.ts";

export const cancel: Command = defineCommand({
  name: "cancel",
  summary: "Cancels a running job: the model stops, and the job fails with who cancelled it and why",
  details:
    "Of a workspace, the newest run is cancelled. The attempt sees it at its next heartbeat, at most 2 minutes later, stops the " +
    "model and tells Studio's user. Exits with 1 if the run has ended, or if its result is being delivered.",
  arguments: [{ name: "job", meaning: jobMeaning }],
  options: [{ flags: "--why <text>", meaning: "the reason, which the job's user reads" }],
  examples: [{ line: 'cancel ws_7f3a --why "the wrong file"', shows: "stops the workspace's run" }],
  input: z.object({ job: id(), why: sentence().optional() }),
  run: async (context, { job, why }) => {
    const { runs } = await findRunsOf(context, job);
    const newest = runs.at(-1) ?? runs[0];
    const by = shortName(await context.caller());
    const { clock } = context;
    const ports = { runs: (await context.runStore()).runs, clock };
    const done = await cancelRun(ports, newest, { by, why });
    const { run, cancelled, changed } = done;
    const { pool, runId, workspaceId, state } = run;
    const data = {
      pool,
      runId,
      workspaceId,
      state,
      by: cancelled.by,
      why: cancelled.why ?? null,
      atMs: cancelled.atMs,
      changed,
      seenWithinMs: seenWithinMs(run) ?? null,
    };
    return { data, text: () => cancelledText(done, clock.now()) };
  },
});
