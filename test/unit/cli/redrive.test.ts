import { beforeEach, describe, expect, it } from "vitest";
import { cli, expectRun, now, pool, runIds, setUpCli } from "./set-up.ts";

const [alive, dead, ended] = runIds;
const lost = "01JCZ9V5W3X8K2M4N6P8Q0R2S7";

let queue: { id: string; body: string; receipt: string; sentAtMs: number }[];
let sent: { name: string; event: unknown }[];
let givenBack: string[];

setUpCli();
beforeEach(async () => {
  [queue, sent, givenBack] = [[], [], []];
  const queues = {
    depth: async () => queue.length,
    borrow: async () => [...queue],
    giveBack: async (_url: string, receipt: string) => void givenBack.push(receipt),
    remove: async (_url: string, receipt: string) =>
      void (queue = queue.filter((message) => message.receipt !== receipt)),
  };
  const send = async (name: string, event: unknown) => void sent.push({ name, event });
  Object.assign(cli.aws.services, { queues, functions: { send } });
  await cli.addRun({ runId: alive, pool, workspaceId: "ws-alive", leasedAtMs: now - 60_000 });
  await cli.addRun({ runId: dead, pool, workspaceId: "ws-dead", leasedAtMs: now - 900_000 });
  const ending = { state: "completed", reason: "ok", atMs: now - 5_000 } as const;
  await cli.addRun({ runId: ended, pool, workspaceId: "ws-ended", leasedAtMs: now - 60_000, ending });
});

const addOddLetter = (body = "not json"): unknown =>
  queue.push({ id: "m-odd", body, receipt: "r-odd", sentAtMs: now });

/** Adds a dead letter as Lambda writes it, with recovery's event inside; returns that event. */
function deadLetter(runId: string): unknown {
  const requestPayload = {
    requestContext: { requestId: `request-${runId}`, condition: "RetriesExhausted" },
    requestPayload: { pool, runId, attempt: 1 },
    responsePayload: { errorType: "Sandbox.Timedout", errorMessage: "Task timed out" },
  };
  const requestContext = { requestId: "r", condition: "RetriesExhausted" };
  const body = JSON.stringify({ requestContext, requestPayload });
  queue.push({ id: `m-${runId}`, body, receipt: `r-${runId}`, sentAtMs: now - 120_000 });
  return requestPayload;
}

describe("redrive", () => {
  it("reports when there are no dead letters", async () => {
    await expectRun(`redrive --pool ${pool}`, 0, "No dead letters.");
  });

  it("sends the event of a run with a live lease to recovery again, and deletes the dead letter", async () => {
    const event = deadLetter(alive);
    await expectRun("redrive --yes", 0, /2 min ago\s+ws-alive\s+sent to recovery\s+its lease is live/);
    expect(sent).toEqual([{ name: `${pool}-recovery-function`, event }]);
    expect(queue).toEqual([]);
    expect(givenBack).toEqual([]);
  });

  it.each([
    [dead, "its lease has expired: the job is back in Studio's queue, and there is nothing to recover"],
    [ended, "its run has ended: completed (ok)"],
    ["01JCZ9V5W3X8K2M4N6P8Q0R2S8", "its run is no longer in the run store"],
  ])("deletes the dead letter of run %s, because %s", async (runId, why) => {
    deadLetter(runId);
    const answer = await expectRun("redrive --yes --json", 0);
    expect(answer.json()).toMatchObject({ deadLetters: [{ runId, action: "delete", why, done: true }] });
    expect(sent).toEqual([]);
    expect(queue).toEqual([]);
  });

  it("deletes the dead letter of an attempt that a later attempt has continued", async () => {
    const run = await cli.runStore.runs.read(pool, alive);
    await cli.runStore.runs.restart(run!, { atMs: now, failure: "killed", leaseExpiresAtMs: now + 60_000 });
    deadLetter(alive);
    await expectRun("redrive --yes", 0, "attempt 2 continued its run");
  });

  it("returns an unreadable dead letter to the queue", async () => {
    addOddLetter();
    await expectRun("redrive --yes", 1, "--show prints it, --drop removes it");
    expect(queue).toHaveLength(1);
    expect(givenBack).toEqual(["r-odd"]);
  });

  it("prints an unreadable dead letter with --show, shortened and without its secrets, and changes nothing", async () => {
    const key = `abcdef.${"s3cret".repeat(6)}`;
    const body = `{"odd":"\u001b[31mred","key":"${key}","model":"sk-0123456789abcdef"} ${"x".repeat(3_000)}`;
    addOddLetter(body);
    deadLetter(dead);
    await expectRun(
      "redrive --show",
      1,
      'm-odd:\n{"odd":"red","key":"(a runner key, not shown)"',
      '"model":"(an OpenAI key, not shown)"',
      /x… \(\d+ more characters\)/,
      "would be deleted",
    );
    expect(queue).toHaveLength(2);
    expect(givenBack).toEqual(["r-odd", `r-${dead}`]);
  });

  it("deletes unreadable dead letters with --drop --yes, along with those of expired leases", async () => {
    addOddLetter();
    deadLetter(dead);
    await expectRun("redrive --drop --yes", 0, /m-odd\s+dropped\s+it is not a record of a failed attempt/);
    expect(queue).toEqual([]);
  });

  it("asks before it drops dead letters, and keeps them when the user declines", async () => {
    addOddLetter();
    const asked: unknown[] = [];
    const confirm = async (...question: unknown[]): Promise<boolean> => asked.push(question) === 0;
    Object.assign(cli.edges, { input: { isTerminal: true }, prompts: { confirm } });
    await expectRun("redrive --drop", 1, "would be dropped");
    expect(asked).toEqual([["Permanently delete 1 unreadable dead letter?", false]]);
    expect(givenBack).toEqual(["r-odd"]);
  });

  it.each(["--yes", "--drop"])("rejects --show together with %s", async (flag) => {
    await expectRun(`redrive --show ${flag}`, 2, "--show changes nothing: give it without");
  });

  it("shows what it would do with --dry-run, and returns every dead letter to the queue", async () => {
    deadLetter(alive);
    deadLetter(dead);
    await expectRun("redrive --dry-run", 1, "would be sent to recovery", "would be deleted");
    expect(sent).toEqual([]);
    expect(givenBack).toEqual([`r-${alive}`, `r-${dead}`]);
  });

  it("requires --yes without a terminal, and returns the dead letters to the queue", async () => {
    deadLetter(alive);
    await expectRun("redrive", 2, "Give --yes to recover them");
    expect(givenBack).toEqual([`r-${alive}`]);
  });

  it("lists lost runs, and unfinished runs whose lease has expired", async () => {
    const ending = { state: "lost", reason: "silent", atMs: now - 5_000 } as const;
    await cli.addRun({ runId: lost, pool, workspaceId: "ws-lost", leasedAtMs: now - 90_000, ending });
    await expectRun("redrive", 0, "lost (silent): Studio leases", /ws-dead\s+its lease has expired/);
  });
});
