import { beforeEach, describe, expect, it } from "vitest";
import { shortName } from "../../../cli/cancel-run.ts";
import { addSampleRuns } from "./sample-runs.ts";
import { cli, expectRun, now, pool, runIds, setUpCli } from "./set-up.ts";

const [first, , third] = runIds;

setUpCli();
beforeEach(addSampleRuns);

const running = () => cli.runStore.runs.read(pool, third);

describe("cancel", () => {
  it.each([
    ["the run", third],
    ["its workspace", "ws-new"],
  ])("marks a run that is at work, by the id of %s, and says what happens next", async (_, id) => {
    const next = `Run ${third} is cancelled. Its attempt stops at its next heartbeat, within 2 min, and fails the job.\n`;
    expect((await expectRun(["cancel", id, "--why", "the wrong file"], 0)).out).toBe(next);
    expect((await running())?.cancelled).toEqual({ by: "ann", why: "the wrong file", atMs: now });
  });

  it("says the same for scripts", async () => {
    const { json } = await cli.run("cancel", third, "--json");
    const told = { by: "ann", why: null, atMs: now, changed: true, seenWithinMs: 120_000 };
    expect(json()).toEqual({ pool, runId: third, workspaceId: "ws-new", state: "running", ...told });
  });

  it("keeps who cancelled the run first, and why", async () => {
    await cli.run("cancel", third, "--why", "the wrong file");
    cli.nowMs = now + 60_000;
    cli.aws.arn = "arn:aws:iam::123456789012:user/bob";
    await expectRun(`cancel ${third}`, 0, "was cancelled already by ann, 60 s ago: the wrong file.");
    expect((await running())?.cancelled).toMatchObject({ by: "ann", atMs: now });
  });

  it("says of a run whose attempt has not started that the model is not asked", async () => {
    const runId = "01JCZ9V5W3X8K2M4N6P8Q0R2S7";
    const times = { leasedAtMs: now, leaseExpiresAtMs: now + 600_000 };
    await cli.runStore.runs.create({ pool, runId, workspaceId: "ws-next", keyId: "k", ...times });
    await expectRun(`cancel ${runId}`, 0, "Its attempt has not started yet");
  });

  it.each([
    ["has ended", async () => first, `Run ${first} has ended: completed.`],
    [
      "is delivering its result",
      async () => {
        await cli.runStore.runs.saveProgress(fence(), { delivering: true });
        return third;
      },
      `The result of run ${third} is being delivered: it is too late to cancel it.`,
    ],
    [
      "has failed",
      async () => {
        await cli.runStore.runs.saveProgress(fence(), {
          reporting: { reason: "model_empty", explanation: "x" },
        });
        return third;
      },
      `Run ${third} has failed (model_empty), and Studio is being told so.`,
    ],
  ])("refuses a run that %s", async (_, prepare, message) => {
    const answer = await expectRun(`cancel ${await prepare()} --json`, 1);
    expect(answer.error()).toMatchObject({ code: "refused", message });
  });

  it("exits with 3 when no run is known, and with 2 for a reason of two lines", async () => {
    await expectRun("cancel ws-none", 3);
    await expectRun(["cancel", third, "--why", "two\nlines"], 2);
    expect((await running())?.cancelled).toBeUndefined();
  });
});

const fence = () => ({ pool, runId: third, attempt: 1, invocationId: third });

it.each([
  ["arn:aws:iam::123456789012:user/team/ann", "ann"],
  ["arn:aws:sts::123456789012:assumed-role/Admin/ann@example.com", "ann@example.com"],
  ["arn:aws:iam::123456789012:root", "root"],
  ["ann", "ann"],
  ["", "an operator"],
])("Studio's user reads the caller %j as %s", (caller, expected) => {
  expect(shortName(caller)).toBe(expected);
});
