import { expect, test } from "vitest";
import { systemClock } from "../../../lib/core/clock.ts";
import { createLogCache } from "../../../local/dashboard/log-cache.ts";
import { fakeSource } from "../../support/dashboard-source.ts";

const range = { startMs: 0, endMs: 900_000 };
const query = { logGroups: ["g"], text: "fields a" };

/** A query takes `tookMs`, and its answer is the number of queries so far. */
function cached(tookMs: number) {
  let nowMs = 0;
  let count = 0;
  const source = fakeSource({
    queryLogs() {
      nowMs += tookMs;
      count += 1;
      return { columns: ["a"], rows: [[String(count)]] };
    },
  });
  const { queryLogs } = createLogCache({ ...systemClock, now: () => nowMs })(source);
  const ask = (more: object = {}, over = range) => queryLogs({ ...query, ...more }, over).rows[0]?.[0];
  return { ask, wait: (ms: number) => (nowMs += ms) };
}

test("the answer of a slow query is reused for fifty times as long as the query took", () => {
  const { ask, wait } = cached(200);
  expect(ask()).toBe("1");
  wait(9_999);
  expect(ask()).toBe("1");
  wait(1);
  expect(ask()).toBe("2");
});

test("a fast query runs each time", () => {
  const { ask } = cached(0);
  expect([ask(), ask()]).toEqual(["1", "2"]);
});

test("each query and time range has its own cached answer", () => {
  const { ask } = cached(200);
  const answers = [ask(), ask({ text: "fields b" }), ask({}, { startMs: 0, endMs: 60_000 }), ask()];
  expect(answers).toEqual(["1", "2", "3", "1"]);
});
