import { expect, it } from "vitest";
import { cli, setUpCli } from "./set-up.ts";

setUpCli({});

const poolsWith = (reservedConcurrency: number) => ({
  pools: [{ name: "a", kind: "user", concurrency: 50, processor: { reservedConcurrency } }],
});

/** "outcome: finding" of the check of the account's concurrency, where this much is not reserved by any function. */
async function concurrency(reservedConcurrency: number, unreserved: number): Promise<string> {
  cli.projectSettings = poolsWith(reservedConcurrency);
  cli.aws.unreservedConcurrency = unreserved;
  const { out } = await cli.run("doctor", "--json");
  const { checks } = JSON.parse(out) as { checks: { id: string; outcome: string; finding: string }[] };
  return checks
    .filter(({ id }) => id === "concurrency")
    .map(({ outcome, finding }) => `${outcome}: ${finding}`)
    .join();
}

it("doctor compares what the pools need without a reservation with what their reservations leave", async () => {
  expect(await concurrency(60, 161)).toBe(
    "ok: the account can run 101 invocations at once; the pools need 2, including dispatchers and recovery",
  );
});

it("doctor counts the deployed reservations as free, because the next deploy replaces them", async () => {
  cli.aws.settings = poolsWith(850);
  expect(await concurrency(900, 150)).toBe(
    "ok: the account can run 100 invocations at once; the pools need 2, including dispatchers and recovery",
  );
});

it("doctor fails when reservations, with those of other functions, leave less unreserved than Lambda asks for", async () => {
  const finding =
    "fail: the pools reserve 100 of the 150 invocations at once that other functions leave, of which Lambda keeps 100 unreserved";
  expect(await concurrency(100, 150)).toBe(finding);
  cli.aws.deployed = false;
  expect(await concurrency(100, 150)).toBe(finding);
});

it("doctor only warns of too many reservations when it cannot read the deployed ones", async () => {
  cli.aws.arn = "arn:aws:iam::123456789012:user/op";
  cli.aws.services = { stacks: { outputs: async () => ({ status: "UPDATE_COMPLETE", outputs: {} }) } };
  expect(await concurrency(100, 150)).toMatch(/^warn: the pools reserve 100 of the 150 invocations/);
});
