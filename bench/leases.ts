import { ulid } from "ulid";
import type { AttemptEvent } from "../lib/adapters/lambda.ts";
import { createRunStore } from "../lib/runs/run-store.ts";
import { pool, textAt, type Aws, type Others } from "./fixture.ts";

async function leaseJob({ studio, runnerKey, queue }: Others): Promise<string> {
  await queue();
  const answer = await fetch(`${studio.url}/leaseWorkspaceJob`, {
    method: "POST",
    headers: { authorization: `Bearer ${runnerKey}` },
    body: "{}",
  });
  return textAt(await answer.json(), "workspaceId");
}

/** Leases a job and creates its run as the dispatcher does. Returns the event of its first attempt. */
export async function leaseOne(others: Others, { table }: Aws): Promise<AttemptEvent> {
  const workspaceId = await leaseJob(others);
  const leasedAtMs = Date.now();
  const run = {
    pool,
    runId: ulid(),
    workspaceId,
    keyId: others.runnerKey.split(".")[0] ?? "",
    leasedAtMs,
    leaseExpiresAtMs: leasedAtMs + 600_000,
  };
  await createRunStore(table).create(run);
  return { pool, runId: run.runId, attempt: 1 };
}
