import { expect, test } from "vitest";
import { busiestSeconds } from "../../chaos/pace.ts";

test("the busiest second of each service is found per process, wherever it starts", () => {
  const at = (caller: string, ...times: readonly number[]) => times.map((time) => ({ caller, at: time }));
  const Studio = [...at("a", 0, 900, 1_000, 1_500, 1_800, 1_899), ...at("b", 0, 100, 200), ...at("a", 2_900)];
  expect(busiestSeconds({ Studio, model: [] })).toEqual([
    { service: "Studio", caller: "a", calls: 5 },
    { service: "model", caller: "", calls: 0 },
  ]);
});
