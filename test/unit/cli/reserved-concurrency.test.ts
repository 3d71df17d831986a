import { it } from "vitest";
import { cli, expectRun, pool, setUpCli } from "./set-up.ts";

setUpCli({ processor: { reservedConcurrency: 25 } });

it("set-concurrency refuses more than the processor's reserved concurrency", async () => {
  await expectRun(
    "set-concurrency 26",
    1,
    "Lambda gives this pool's processor 25 invocations at once",
    "Set at most 25",
  );
});

it("set-concurrency up to the reserved concurrency does not depend on the account's other invocations", async () => {
  cli.aws.unreservedConcurrency = 1;
  await expectRun("set-concurrency 25", 0, `Pool ${pool} runs up to 25 jobs at once`);
});
