import { cli, now, pool, runIds } from "./set-up.ts";

const [first, second, third] = runIds;
const leasedAtMs = now - 600_000;
const refused = { reason: "model_refused", explanation: "The model declined." };

/** A completed run, a failed run of ws-mid, and a run at work, oldest first. */
export async function addSampleRuns(): Promise<void> {
  const noTokens = { cachedInputTokens: 0, cacheWriteTokens: 0, reasoningTokens: 0, webSearches: 0 };
  const usage = { ...noTokens, inputTokens: 1_200, outputTokens: 340 };
  await cli.addRun({
    pool,
    runId: first,
    workspaceId: "ws-old",
    leasedAtMs: now - 7_200_000,
    progress: { rounds: 4, model: "gpt-6-luna", usage, title: "Sales by region" },
    ending: { state: "completed", reason: "ok", costUsd: 0.0123, atMs: now - 7_160_000 },
  });
  const ending = { state: "failed", ...refused, atMs: now - 595_000 } as const;
  await cli.addRun({
    pool,
    runId: second,
    workspaceId: "ws-mid",
    leasedAtMs,
    progress: { rounds: 1 },
    ending,
  });
  await cli.addRun({ pool, runId: third, workspaceId: "ws-new", leasedAtMs: now - 5_000 });
}

/** A log line of the failed run. */
export const logLine = (afterMs: number, message: string, fields: object = {}) => {
  const timestamp = new Date(leasedAtMs + afterMs).toISOString();
  const ids = { pool, workspaceId: "ws-mid", runId: second };
  const text = JSON.stringify({ level: "INFO", message, timestamp, ...ids, ...fields });
  return { id: `${afterMs}-${message}`, atMs: leasedAtMs + afterMs, text };
};

/** What the functions logged of the failed run. */
export function logSampleRun(): void {
  const metrics = '{"_aws":{"Timestamp":1},"pool":"p","Heartbeats":1}';
  const ended = { state: "failed", ...refused, elapsedMs: 5_000 };
  cli.aws.logs = {
    [`${pool}-dispatcher`]: [logLine(1, "job_leased")],
    [`${pool}-processor`]: [
      logLine(400, "attempt_started", { attempt: 1 }),
      { id: "metrics", atMs: leasedAtMs + 2_000, text: metrics },
      logLine(3_000, "round_ended", { attempt: 1, round: 1, calls: 2 }),
      logLine(5_000, "run_ended", { attempt: 1, level: "WARN", ...ended }),
    ],
  };
}
