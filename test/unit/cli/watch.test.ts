import { beforeEach, expect, it } from "vitest";
import { CliError } from "../../../cli/errors.ts";
import { addCycle, cli, expectRun, pool, setUpCli } from "./set-up.ts";

setUpCli();

beforeEach(() => addCycle("empty", cli.nowMs, cli.nowMs));

/** What happens during each wait; Ctrl-C after the last one. */
function during(...events: readonly (() => unknown)[]): void {
  const left = [...events];
  cli.onSleep = async () => {
    const event = left.shift();
    if (event) await event();
    else cli.interrupt.abort();
  };
}

const fails = () =>
  void (cli.aws.broken.stacks = Object.assign(new Error("connect ECONNREFUSED"), { code: "ECONNREFUSED" }));
const works = () => void (cli.aws.broken = {});
const deadLetter = () => void (cli.aws.deadLetters = 1);
const nothing = () => undefined;

it("status --watch redraws in place, and ends with the exit code of its last look", async () => {
  during(nothing, deadLetter);
  const { out } = await expectRun("status --watch 5", 1);
  expect(out.split("\u001B[J")).toHaveLength(4);
  expect(out.endsWith("\u001B[J\u001B[?25h")).toBe(true);
  expect(cli.nowMs).toBe(Date.parse("2026-11-20T03:00:15Z"));
});

it("status --watch prints into a pipe when something has changed", async () => {
  cli.columns = undefined;
  during(nothing, deadLetter, nothing);
  const { out } = await expectRun("status --watch", 1);
  const lines = out
    .split("\n")
    .filter((line) => line.startsWith("time\t") || line.includes("\tDead letters\t"));
  expect(lines).toEqual([
    "time\t2026-11-20T03:00:00.000Z",
    `${pool}\tDead letters\t0`,
    "time\t2026-11-20T03:00:04.000Z",
    `${pool}\tDead letters\t1`,
  ]);
});

it("status --watch --json prints one document per line", async () => {
  during(nothing, nothing);
  const { out } = await expectRun("status --watch --json", 0);
  expect(
    out
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line).atMs - Date.parse("2026-11-20T03:00:00Z")),
  ).toEqual([0, 2_000, 4_000]);
});

it("status --watch does not end with a failed look: the failure is told once and then counted", async () => {
  cli.columns = undefined;
  during(fails, nothing, nothing, works, nothing);
  const { err } = await expectRun("status --watch 60", 0);
  expect(err.split("\n")).toEqual([
    "Could not read the status: Nothing answers at the address.",
    "Could read the status again, after failing 3 times since 03:01 UTC",
    "",
  ]);
});

it("status --watch shows the count of failed looks on the screen, and exits with 5 if the last look failed", async () => {
  during(fails, nothing, nothing);
  const { out } = await expectRun("status --watch 60", 5);
  expect(out).toContain(
    "Could not read the status, 3 times since 03:01 UTC: Nothing answers at the address.",
  );
});

it("status --watch goes on while the local stack is restarted", async () => {
  cli.columns = undefined;
  const stops = () =>
    void (cli.aws.broken.stacks = new CliError("not_running", "No local stack runs in /tmp/here."));
  during(stops, nothing, works, nothing);
  const { err } = await expectRun("status --watch 60", 0);
  expect(err.split("\n")).toEqual([
    "Could not read the status: No local stack runs in /tmp/here.",
    "Could read the status again, after failing 2 times since 03:01 UTC",
    "",
  ]);
});

it("status --watch ends at once if its first look fails", async () => {
  fails();
  await expectRun("status --watch", 5, "Error: Nothing answers");
});

it.each(["0", "x", "3601"])("status --watch rejects %s", async (seconds) => {
  await expectRun(`status --watch ${seconds}`, 2, "--watch: Give a whole number from 1 to 3600.");
});

it("logs --follow connects again after a failure, because a restart changes the local stack's address", async () => {
  let connections = 0;
  cli.aws.region = async () => {
    connections += 1;
    return "eu-central-1";
  };
  during(() => void (cli.aws.broken.logs = new Error("slow down")), works);
  await expectRun("logs --follow", 130);
  expect(connections).toBe(2);
});

it("logs --follow tells a repeated failure once, and goes on", async () => {
  const broken = () =>
    void (cli.aws.broken.logs = Object.assign(new Error("slow down"), { name: "ThrottlingException" }));
  during(broken, nothing, nothing, works);
  cli.columns = undefined;
  const { err } = await expectRun("logs --follow", 130);
  expect(err.split("\n").slice(0, 2)).toEqual([
    "Could not read the logs: slow down",
    "Could read the logs again, after failing 3 times since 03:00 UTC",
  ]);
});

it("drain tells a repeated failure once, and goes on waiting", async () => {
  const { table } = cli.runStore;
  let looks = 0;
  const query: typeof table.query = (...given) => {
    looks += 1;
    return looks > 2 ? table.query(...given) : Promise.reject(new Error("slow down"));
  };
  cli.runStore = { ...cli.runStore, table: { ...table, query } };
  const { err } = await expectRun("drain", 0, "is drained");
  expect(err.split("\n").slice(0, 2)).toEqual([
    "Could not read the run store: slow down",
    "Could read the run store again, after failing 2 times since 03:00 UTC",
  ]);
});
