import { expect, it } from "vitest";
import { cpuBetween, readProcessCpu } from "../../../bench/process-cpu.ts";

it("names what processes took in between, most first, and leaves out what took next to nothing", () => {
  const before = new Map([
    ["studio", 100],
    ["model", 500],
    ["idle", 10],
  ]);
  const after = new Map([
    ["studio", 300],
    ["model", 1_500],
    ["idle", 50],
    ["processor", 700],
  ]);
  expect(cpuBetween(before, after)).toEqual([
    { title: "model", cpuMs: 1_000 },
    { title: "processor", cpuMs: 700 },
    { title: "studio", cpuMs: 200 },
  ]);
});

it.runIf(process.platform === "linux")("counts this process's own CPU", () => {
  const { user, system } = process.cpuUsage();
  const countedMs = readProcessCpu().get("lambda") ?? 0;
  expect(countedMs).toBeGreaterThan(0);
  expect(countedMs).toBeLessThan((user + system) / 1000 + 1_000);
});
