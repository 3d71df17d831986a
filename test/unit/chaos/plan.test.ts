import { expect, test } from "vitest";
import { jobKinds } from "../../chaos/jobs.ts";
import { allKinds } from "../../chaos/kinds.ts";
import { planCases } from "../../chaos/plan.ts";
import { seeded } from "../../chaos/random.ts";

const plan = (jobs: number, ...only: readonly (typeof allKinds)[number][]) =>
  planCases({ jobs, kinds: jobKinds, only: new Set(only) }, seeded(3, "jobs"));

test("each second message follows a first job of its own that does not kill its process", () => {
  const cases = plan(200, ...allKinds);
  const seconds = cases.filter(({ follows }) => follows !== undefined);
  const leaders = seconds.map(({ follows }) => cases.find(({ tag }) => tag === follows));
  expect([cases.length, seconds.length]).toEqual([200, 30]);
  expect(new Set(leaders).size).toBe(30);
  expect(leaders.filter((one) => one === undefined || one.kind.isPoison)).toEqual([]);
  expect(new Set(cases.map(({ tag }) => tag)).size).toBe(200);
});

test("the same seed plans the same jobs", () => {
  expect(plan(60, ...allKinds)).toEqual(plan(60, ...allKinds));
});

test("each fault of single jobs is planned for at least two jobs, and only when its kind is selected", () => {
  const all = plan(40, ...allKinds);
  expect(all.filter(({ again }) => again !== undefined).length).toBeGreaterThanOrEqual(2);
  expect(all.filter(({ leaseMs }) => leaseMs === 50).length).toBe(2);
  expect(all.filter(({ oddHeartbeats }) => oddHeartbeats !== undefined).length).toBe(2);
  const none = plan(40, "calls");
  expect(none.filter((one) => one.again ?? one.leaseMs ?? one.oddHeartbeats ?? one.follows)).toEqual([]);
  expect(none.filter(({ kind }) => kind.isPoison)).toEqual([]);
});
