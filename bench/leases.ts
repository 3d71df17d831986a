import { ulid } from "ulid";
import type { LegEvent } from "../lib/job/leg-event.ts";
import { createLedger } from "../lib/ledger/ledger.ts";
import { pool, textAt, type Aws, type Others } from "./ground.ts";

export const question = "Say in one sentence what a queue is.";

/** Queues and leases a job and opens its run, as the dispatcher does: the event of its first leg. */
export async function leaseOne({ studio, runnerKey, queue }: Others, { table }: Aws): Promise<LegEvent> {
  await queue(question);
  const answer = await fetch(`${studio.url}/leaseWorkspaceJob`, {
    method: "POST",
    headers: { authorization: `Bearer ${runnerKey}` },
    body: "{}",
  });
  const leasedAtMs = Date.now();
  const run = {
    pool,
    runId: ulid(),
    workspaceId: textAt(await answer.json(), "workspaceId"),
    keyId: runnerKey.split(".")[0] ?? "",
    leasedAtMs,
    leaseExpiresAtMs: leasedAtMs + 600_000,
  };
  await createLedger(table).open(run);
  return { pool, runId: run.runId, leg: 1 };
}
