import { expect, it } from "vitest";
import { cli, setUpCli } from "./set-up.ts";

setUpCli({});

/** "outcome: finding" of the check of the account's concurrency. */
async function concurrency(reservedConcurrency: number): Promise<string> {
  const processor = { reservedConcurrency };
  cli.projectSettings = { pools: [{ name: "a", kind: "user", concurrency: 50, processor }] };
  cli.aws.unreservedConcurrency = 100;
  const { out } = await cli.run("doctor", "--json");
  const { checks } = JSON.parse(out) as { checks: { id: string; outcome: string; finding: string }[] };
  return checks
    .filter(({ id }) => id === "concurrency")
    .map(({ outcome, finding }) => `${outcome}: ${finding}`)
    .join();
}

it("doctor does not count reserved invocations against the account's other ones", async () => {
  expect(await concurrency(900)).toBe(
    "ok: the account can run 100 invocations at once; the pools need 2, including dispatchers and recovery",
  );
});

it("doctor fails when the pools reserve more than Lambda lets an account reserve", async () => {
  expect(await concurrency(901)).toBe(
    "fail: the pools reserve 901 of the account's 1000 invocations at once, of which Lambda keeps 100 for other functions",
  );
});
