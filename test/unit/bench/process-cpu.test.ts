import { expect, it } from "vitest";
import { cpuBetween, readProcessCpu } from "../../../bench/process-cpu.ts";

it("names what processes took in between, by title, most first, and leaves out what took next to nothing", () => {
  const before = new Map([
    [1, { title: "studio", cpuMs: 100 }],
    [2, { title: "processor", cpuMs: 500 }],
    [3, { title: "processor", cpuMs: 900 }],
    [4, { title: "idle", cpuMs: 10 }],
  ]);
  const after = new Map([
    [1, { title: "studio", cpuMs: 300 }],
    // 2 has ended.
    [3, { title: "processor", cpuMs: 1_500 }],
    [4, { title: "idle", cpuMs: 50 }],
    [5, { title: "processor", cpuMs: 100 }],
  ]);
  expect(cpuBetween(before, after)).toEqual([
    { title: "processor", cpuMs: 700 },
    { title: "studio", cpuMs: 200 },
  ]);
});

it.runIf(process.platform === "linux")("counts this process, and none but it and those below it", () => {
  const cpu = readProcessCpu();
  expect(cpu.get(process.pid)?.title).toBe("bench itself");
  expect(cpu.get(process.pid)?.cpuMs).toBeGreaterThan(0);
  expect(cpu.has(process.ppid)).toBe(false);
});
