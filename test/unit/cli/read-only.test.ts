import { beforeEach, expect, it } from "vitest";
import { cli, now, pool, runId, setUpCli } from "./set-up.ts";

setUpCli();

/** Leaves what `grantRead` allows (infra/grants.ts): the stand-in for AWS has nothing for the rest. */
beforeEach(async () => {
  await cli.addRun({ runId, pool, leasedAtMs: now - 60_000 });
  const denied = Object.assign(new Error("not allowed"), { name: "AccessDeniedException" });
  const deny = () => Promise.reject(denied);
  Object.assign(cli.aws.broken, { functions: denied, bedrock: denied });
  cli.secrets = undefined;
  cli.runStore = { ...cli.runStore, table: { ...cli.runStore.table, put: deny, update: deny } };
});

it.each(["status", "jobs", `explain ${runId}`, "logs", "config --differences", "cost"])(
  "%s needs no more than grantRead allows",
  async (line) => {
    expect(await cli.run(...line.split(" "), "--json")).toMatchObject({ err: "" });
  },
);

it.each(["pause", "doctor", "secrets set model-key"])("%s needs more than grantRead allows", async (line) => {
  const { code } = await cli.run(...line.split(" "), "--json");
  expect(code).toBeGreaterThan(0);
});
