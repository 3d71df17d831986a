import { describe, expect, it } from "vitest";
import { idleMonth, lambdaFreeTier, stretchMs, thousandJobs, totalOf } from "../../../bench/bills.ts";

const cycle = {
  durationMs: 100,
  cpuMs: 10,
  requests: { UpdateItem: 2, GetItem: 2, Query: 1, GetSecretValue: 1, "/leaseWorkspaceJob": 1 },
  logBytes: 1_000,
};

describe("an idle month", () => {
  it("costs the compute and requests of 43,200 cycles, with the schedule free", () => {
    const { computeAndRequests } = idleMonth(cycle, 200, 128);
    // 0.125 GB × 0.2 s
    expect(computeAndRequests["Lambda compute"]).toBeCloseTo(43_200 * 0.025 * 0.0000133334, 6);
    expect(computeAndRequests["Lambda requests"]).toBeCloseTo(0.00864, 6);
    expect(computeAndRequests["Scheduler invocations"]).toBe(0);
    // 2.5 reads and 2 writes
    expect(computeAndRequests["DynamoDB requests"]).toBeCloseTo(43_200 * 1.5625e-6, 6);
  });

  it("lists log lines and calls to Secrets Manager separately", () => {
    const { logLines, secretCalls } = idleMonth(cycle, 200, 128);
    expect(logLines).toEqual({ "log lines": expect.closeTo(0.0216, 6) });
    expect(secretCalls).toEqual({ "Secrets Manager calls": expect.closeTo(0.216, 6) });
  });

  it("is reduced by Lambda's free tier up to its limit", () => {
    const small = { "Lambda compute": 0.01, "Lambda requests": 0.008, "DynamoDB requests": 9 };
    expect(lambdaFreeTier(small)).toBeCloseTo(0.018, 6);
    expect(lambdaFreeTier({ "Lambda compute": 8 })).toBeCloseTo(5.33, 2);
  });
});

it("CPU work takes longer when the memory size gets less than one vCPU", () => {
  expect(stretchMs(10, 1_769)).toBe(0);
  expect(stretchMs(10, 3_000)).toBe(0);
  expect(stretchMs(10, 128)).toBeCloseTo(128.2, 1);
});

it("1,000 jobs cost compute from lease to the end of the attempt, and a write of an open run counts twice", () => {
  const lease = { durationMs: 100, cpuMs: 0, requests: { PutItem: 1, GetItem: 9 }, logBytes: 500 };
  const attempt = { durationMs: 1_000, cpuMs: 0, requests: { UpdateItem: 4, GetItem: 1 }, logBytes: 1_500 };
  const bill = thousandJobs({
    lease,
    attempt,
    dispatcherMemoryMb: 128,
    processorMemoryMb: 512,
    inferenceSeconds: 60,
    heartbeats: 1,
  });
  expect(bill["Lambda compute"]).toBeCloseTo(1_000 * (0.5 * 61 + 0.125 * 0.1) * 0.0000133334, 6);
  expect(bill["DynamoDB requests"]).toBeCloseTo(0.000125 + 12 * 0.000625, 6);
  expect(bill["log lines"]).toBeCloseTo(0.001, 6);
  expect(totalOf(bill, { more: 1 })).toBeCloseTo(1.41566, 4);
});
