import { expect, test } from "vitest";
import { startScenario } from "../support/stack.ts";

/** Cuts after every event of a round, from its first to beyond its last. */
const cutAfter = Array.from({ length: 14 }, (_, index) => index + 1);
const cutsOfEach = 4;

test("every job completes when its streams are cut after any kind of event, and no round is requested twice", async ({
  onTestFinished,
}) => {
  const scenario = await startScenario({ concurrency: 8, turnMs: 200 }, onTestFinished);
  const jobs = Array.from({ length: 24 }, (_, index) => scenario.queue(`Plan launch ${index}. [[rounds:2]]`));
  for (const route of ["POST /v1/responses", "GET /v1/responses/:id"])
    for (const events of cutAfter)
      scenario.model.faults.add({
        name: `cut after ${events}`,
        route,
        times: cutsOfEach,
        probability: 0.5,
        fault: { kind: "reset", when: "mid-stream", events },
      });

  await scenario.drain();

  expect(jobs.map((id) => scenario.summary(id))).toMatchObject(
    jobs.map(() => ({ state: "completed", leases: 1 })),
  );
  const created = scenario.model.faults.log().filter(({ route }) => route.startsWith("POST"));
  expect(new Set(created.map(({ name }) => name)).size).toBe(cutAfter.length);
  // Two rounds with tools, and the message.
  expect(scenario.asked()).toHaveLength(jobs.length * 3);
});
