import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { fakeCli, type FakeCli } from "../../support/cli.ts";
import { startLocalTable, type LocalTable } from "../../support/run-store.ts";

const now = Date.parse("2026-11-20T03:00:00Z");
const alive = "01JCZ9V5W3X8K2M4N6P8Q0R2S4";
const dead = "01JCZ9V5W3X8K2M4N6P8Q0R2S5";
const ended = "01JCZ9V5W3X8K2M4N6P8Q0R2S6";
const lost = "01JCZ9V5W3X8K2M4N6P8Q0R2S7";

let local: LocalTable;
let cli: FakeCli;
beforeAll(async () => void (local = await startLocalTable()));
afterAll(() => local.close());

let counter = 0;
let pool = "";
let queue: { id: string; body: string; receipt: string; sentAtMs: number }[];
let sent: { name: string; event: unknown }[];
let givenBack: string[];

beforeEach(async () => {
  pool = `red${counter++}`;
  cli = fakeCli(local.table, now);
  cli.aws.settings = { pools: [{ name: pool, kind: "user" }] };
  [queue, sent, givenBack] = [[], [], []];
  Object.assign(cli.aws.services, {
    queues: {
      depth: async () => queue.length,
      borrow: async () => [...queue],
      giveBack: async (_url: string, receipt: string) => void givenBack.push(receipt),
      remove: async (_url: string, receipt: string) =>
        void (queue = queue.filter((message) => message.receipt !== receipt)),
    },
    functions: {
      send: async (name: string, event: unknown) => void sent.push({ name, event }),
    },
  });
  await cli.addRun({ runId: alive, pool, workspaceId: "ws-alive", leasedAtMs: now - 60_000 });
  await cli.addRun({ runId: dead, pool, workspaceId: "ws-dead", leasedAtMs: now - 900_000 });
  const completed = { state: "completed", reason: "ok", atMs: now - 5_000 } as const;
  await cli.addRun({
    runId: ended,
    pool,
    workspaceId: "ws-ended",
    leasedAtMs: now - 60_000,
    ending: completed,
  });
});

/** As Lambda writes it: recovery's own event inside. */
function deadLetter(runId: string, attempt = 1): unknown {
  const requestPayload = {
    requestContext: { requestId: `request-${runId}`, condition: "RetriesExhausted" },
    requestPayload: { pool, runId, attempt },
    responsePayload: { errorType: "Sandbox.Timedout", errorMessage: "Task timed out" },
  };
  const body = JSON.stringify({
    requestContext: { requestId: "r", condition: "RetriesExhausted" },
    requestPayload,
  });
  queue.push({ id: `m-${runId}`, body, receipt: `r-${runId}`, sentAtMs: now - 120_000 });
  return requestPayload;
}

describe("redrive", () => {
  it("says that there is nothing to do", async () => {
    const { code, out } = await cli.run("redrive", "--pool", pool);
    expect(out).toContain("No dead letters.");
    expect(code).toBe(0);
  });

  it("sends the event of a run whose lease is alive to recovery again, and deletes the letter", async () => {
    const event = deadLetter(alive);
    const { code, out } = await cli.run("redrive", "--yes");
    expect(code).toBe(0);
    expect(out).toMatch(/2 min ago\s+ws-alive\s+sent to recovery\s+its lease is live/);
    expect(sent).toEqual([{ name: `${pool}-recovery-function`, event }]);
    expect(queue).toEqual([]);
    expect(givenBack).toEqual([]);
  });

  it.each([
    [dead, 1, "its lease has expired: the job is back in Studio's queue, and there is nothing to recover"],
    [ended, 1, "its run has ended: completed (ok)"],
    ["01JCZ9V5W3X8K2M4N6P8Q0R2S8", 1, "its run is no longer in the run store"],
  ])("deletes the letter of run %s attempt %i and says: %s", async (runId, attempt, why) => {
    deadLetter(runId, attempt);
    const answer = await cli.run("redrive", "--yes", "--json");
    expect(answer.code).toBe(0);
    expect(answer.json()).toMatchObject({ deadLetters: [{ runId, action: "delete", why, done: true }] });
    expect(sent).toEqual([]);
    expect(queue).toEqual([]);
  });

  it("deletes the letter of an attempt after which another went on", async () => {
    const run = await cli.runStore.runs.read(pool, alive);
    if (run)
      await cli.runStore.runs.restart(run, { atMs: now, failure: "killed", leaseExpiresAtMs: now + 60_000 });
    deadLetter(alive);
    expect((await cli.run("redrive", "--yes")).out).toContain("attempt 2 continued its run");
  });

  it("keeps what is no record of a failed attempt, and gives it back", async () => {
    queue.push({ id: "m-odd", body: "not json", receipt: "r-odd", sentAtMs: now });
    const { code, out } = await cli.run("redrive", "--yes");
    expect(code).toBe(1);
    expect(out).toContain("it is not a record of a failed attempt; --show prints it, --drop removes it");
    expect(queue).toHaveLength(1);
    expect(givenBack).toEqual(["r-odd"]);
  });

  it("shows with --show what nobody can read, bounded and without its secrets, and does nothing else", async () => {
    const key = `abcdef.${"s3cret".repeat(6)}`;
    const body = `{"odd":"\u001b[31mred","key":"${key}","model":"sk-0123456789abcdef"} ${"x".repeat(3_000)}`;
    queue.push({ id: "m-odd", body, receipt: "r-odd", sentAtMs: now });
    deadLetter(dead);
    const { code, out } = await cli.run("redrive", "--show");
    expect(code).toBe(1);
    expect(out).toContain('m-odd:\n{"odd":"red","key":"(a runner key, not shown)"');
    expect(out).toContain('"model":"(an OpenAI key, not shown)"');
    expect(out).toMatch(/x… \([\d]+ more characters\)/);
    expect(out).toContain("would be deleted");
    expect(queue).toHaveLength(2);
    expect(givenBack).toEqual(["r-odd", `r-${dead}`]);
  });

  it("removes with --drop --yes what nobody can read, and recovers the rest", async () => {
    queue.push({ id: "m-odd", body: "not json", receipt: "r-odd", sentAtMs: now });
    deadLetter(dead);
    const { code, out } = await cli.run("redrive", "--drop", "--yes");
    expect(code).toBe(0);
    expect(out).toMatch(/m-odd\s+dropped\s+it is not a record of a failed attempt/);
    expect(queue).toEqual([]);
  });

  it("asks before it drops, and a no leaves everything", async () => {
    queue.push({ id: "m-odd", body: "not json", receipt: "r-odd", sentAtMs: now });
    const asked: unknown[] = [];
    const confirm = async (...question: unknown[]): Promise<boolean> => asked.push(question) === 0;
    const never = (): Promise<never> => Promise.reject(new Error("not asked"));
    Object.assign(cli.edges, {
      input: { isTerminal: true, readAll: never },
      prompts: { text: never, hidden: never, choose: never, confirm },
    });
    const { code, out } = await cli.run("redrive", "--drop");
    expect(code).toBe(1);
    expect(out).toContain("would be dropped");
    expect(asked).toEqual([["Permanently delete 1 unreadable dead letter?", false]]);
    expect(givenBack).toEqual(["r-odd"]);
  });

  it.each([["--yes"], ["--drop"]])("takes --show alone, not with %s", async (flag) => {
    expect((await cli.run("redrive", "--show", flag)).err).toContain(
      "--show changes nothing: give it without",
    );
  });

  it("does nothing with --dry-run", async () => {
    deadLetter(alive);
    deadLetter(dead);
    const { code, out } = await cli.run("redrive", "--dry-run");
    expect(code).toBe(1);
    expect(out).toContain("would be sent to recovery");
    expect(out).toContain("would be deleted");
    expect(sent).toEqual([]);
    expect(givenBack).toEqual([`r-${alive}`, `r-${dead}`]);
  });

  it("needs --yes where nobody can be asked, and gives everything back", async () => {
    deadLetter(alive);
    const { code, err } = await cli.run("redrive");
    expect(code).toBe(2);
    expect(err).toContain("Give --yes to recover them");
    expect(givenBack).toEqual([`r-${alive}`]);
  });

  it("lists lost runs, and open ones whose lease is over", async () => {
    const ending = { state: "lost", reason: "silent", atMs: now - 5_000 } as const;
    await cli.addRun({ runId: lost, pool, workspaceId: "ws-lost", leasedAtMs: now - 90_000, ending });
    const { code, out } = await cli.run("redrive");
    expect(code).toBe(0);
    expect(out).toContain("lost (silent): Studio leases the job again; nothing to do");
    expect(out).toMatch(/ws-dead\s+its lease has expired: the next cycle closes it as lost/);
  });
});
