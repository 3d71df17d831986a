import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { describe, expect, it } from "vitest";
import { measuredDocuments, withMeasurements } from "../../../bench/documents.ts";
import { isMet, performanceSchema, renderTargets, targetsOf } from "../../../bench/targets.ts";

const read = (file: string): string => readFileSync(resolve(import.meta.dirname, "../../..", file), "utf8");
const measured = performanceSchema.parse(JSON.parse(read("docs/performance.json")));

describe("a target", () => {
  it("is met at its limit, and missed beyond it", () => {
    const most = { what: "a", limit: 3, unit: " s" };
    expect([3, 3.1].map((value) => isMet({ ...most, value }))).toEqual([true, false]);
    expect([3, 2.9].map((value) => isMet({ ...most, least: true, value }))).toEqual([true, false]);
  });

  it("is shown with its reason when it is missed", () => {
    const text = renderTargets([{ what: "drain", limit: 1.25, unit: "", value: 1.5, why: "Few cores." }]);
    expect(text).toContain("**missed**");
    expect(text).toContain("- **drain.** Few cores.");
  });
});

describe("the latest measurement", () => {
  it("has targets for every part except memory", () => {
    const parts = targetsOf(measured).map(({ what }) => what.replace(/[:,].*/, ""));
    expect([...new Set(parts)].join(" ")).toBe("cold polling drain refill rounds overhead dispatch cost");
  });

  it("has a reason for every missed target", () => {
    const missed = targetsOf(measured).filter((target) => !isMet(target));
    expect(missed.filter(({ why }) => why === undefined)).toEqual([]);
  });

  it("is shown in docs/performance.md and the other documents", () => {
    expect(read("docs/performance.md")).toContain(renderTargets(targetsOf(measured)));
    for (const file of measuredDocuments)
      expect(withMeasurements(file, read(file), measured)).toBe(read(file));
  });

  it("uses the memory sizes of the deployed functions", () => {
    expect(measured.cost).toMatchObject({ dispatcherMemoryMb: 150, processorMemoryMb: 256 });
  });
});
