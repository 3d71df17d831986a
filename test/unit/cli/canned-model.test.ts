import { describe, expect, it } from "vitest";
import { addCycle, cli, now, pool, runId, setUpCli, settle } from "./set-up.ts";

setUpCli();

const model = "offline-canned";
const price = { inputPerMillionUsd: 2, cachedInputPerMillionUsd: 0.2, outputPerMillionUsd: 10 };
const noTokens = { cachedInputTokens: 0, cacheWriteTokens: 0, reasoningTokens: 0, webSearches: 0 };

describe("money from the offline model's prices", () => {
  it.each([
    ["jobs", "$0.0123 (invented)"],
    [`explain ws-canned`, "offline-canned, 1200 tokens in, 340 out, $0.0123 (invented)"],
    ["status", "Spent         $0.0123 (invented) on 2026-11-20 (UTC), estimated; no daily cap"],
    ["cost", "model tokens            $12.30 (invented)"],
  ])("is marked as invented by %s", async (command, words) => {
    settle({ inference: { model }, spend: { prices: { [model]: price } } });
    await addCycle("empty", now - 20_000, now - 20_000);
    await cli.runStore.spend.add(pool, "2026-11-20", { costUsd: 0.0123, runs: 1, completed: 1, failed: 0 });
    await cli.addRun({
      pool,
      runId,
      workspaceId: "ws-canned",
      leasedAtMs: now - 60_000,
      progress: { rounds: 3, model, usage: { ...noTokens, inputTokens: 1_200, outputTokens: 340 } },
      ending: { state: "completed", reason: "ok", costUsd: 0.0123, atMs: now - 50_000 },
    });
    expect((await cli.run(...command.split(" "))).out).toContain(words);
  });
});
