import { afterAll, beforeAll, expect, test } from "vitest";
import { eventually } from "../support/eventually.ts";
import { startCloud, type Cloud } from "./cloud.ts";
import type { Ended } from "./project.ts";

let cloud: Cloud;
beforeAll(async () => {
  cloud = await startCloud();
});
afterAll(() => cloud.close());

const succeeded = ({ code, output }: Ended): void => expect(code, output).toBe(0);

test("cdk bootstrap prepares the account", async () => {
  succeeded(await cloud.project.cdk(["bootstrap"]));
});

test("deploy makes the stack", async () => {
  const price = { inputPerMillionUsd: 2, cachedInputPerMillionUsd: 0.2, outputPerMillionUsd: 10 };
  cloud.project.configure({
    studio: { baseUrl: cloud.studio.url, signInUrl: cloud.studio.url },
    inference: { model: "offline-canned", baseUrl: cloud.model.url },
    spend: { prices: { "offline-canned": price } },
    pools: [{ name: "default", kind: "user", polling: "economy" }],
  });
  const deployed = await cloud.project.runner(["deploy", "--yes"]);
  succeeded(deployed);
  console.log(deployed.output);
  console.log(await cloud.outputs());
});

test("secrets", async () => {
  succeeded(
    await cloud.project.runner(["secrets", "set", "runner-keys"], cloud.studio.createKey("user").runnerToken),
  );
  succeeded(await cloud.project.runner(["secrets", "set", "model-key"], cloud.modelKey));
  const doc = await cloud.project.runner(["doctor"]);
  console.log(doc.output);
});

test("one job", async () => {
  const id = cloud.studio.queueJob({ text: "Plan a launch" });
  await eventually(
    "the job is completed",
    async () => cloud.studio.jobs().every((job) => job.state === "completed") || undefined,
    60_000,
  ).catch((e) => console.log(e));
  console.log(cloud.studio.jobs());
  for (const c of [["status"], ["jobs"], ["logs"], ["explain", id]])
    console.log((await cloud.project.runner(c)).output);
});
