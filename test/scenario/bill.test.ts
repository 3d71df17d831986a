import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { buildWith } from "../support/build-with.ts";
import { startScenario, type Scenario } from "../support/stack.ts";

/** A response as the offline model stores it: the request's settings and the usage. */
interface Stored {
  readonly service_tier: string;
  readonly reasoning: { readonly effort: string };
  readonly max_output_tokens: number;
  readonly prompt_cache_key: string;
  readonly instructions: string;
  readonly tools: readonly { readonly type: string }[];
  readonly usage: {
    readonly input_tokens: number;
    readonly input_tokens_details: { readonly cached_tokens: number };
    readonly output_tokens: number;
  };
}

async function responsesOf(scenario: Scenario, ids: readonly string[]): Promise<readonly Stored[]> {
  const headers = { authorization: `Bearer ${scenario.secrets().modelKey}` };
  return Promise.all(
    ids.map(async (id) => {
      const answer = await fetch(`${scenario.model.url}/responses/${id}`, { headers });
      return (await answer.json()) as Stored;
    }),
  );
}

const own = "Sign as the reports team. Grüße!";
const folder = mkdtempSync(join(tmpdir(), "studio-runner-bill-"));
const instructions = join(folder, "instructions.md");
beforeAll(() => writeFileSync(instructions, own));
afterAll(() => rmSync(folder, { recursive: true }));

/** Price multipliers of the tiers. The base is in US dollars per million tokens. */
const tiers = { default: 1, flex: 0.5, priority: 2 } as const;

test.for(["flex", "priority", "default"] as const)(
  "a job in the tier %s uses the tier of the settings, and costs as much as its responses by hand calculation",
  { timeout: 300_000 },
  async (serviceTier, { onTestFinished }) => {
    const build = buildWith({
      spend: {
        prices: {
          "offline-canned": {
            inputPerMillionUsd: 2,
            cachedInputPerMillionUsd: 0.2,
            outputPerMillionUsd: 10,
          },
        },
      },
    });
    const adapted: typeof build = (settings, outdir) =>
      build(
        {
          ...settings,
          inference: {
            ...settings.inference,
            serviceTier,
            reasoningEffort: "low",
            maxOutputTokens: 9_000,
            hostedTools: ["web_search"],
          },
        },
        outdir,
      );
    const variables = {
      OPENAI_PROMPT_CACHE_KEY: "studio-runner-local",
      RUNNER_INSTRUCTIONS_FILE: instructions,
    };
    const scenario = await startScenario({ build: adapted, variables }, onTestFinished);
    const workspaceId = scenario.queue("Plan the launch of a new product. [[rounds:3]]");
    await scenario.drain();
    expect(await scenario.ended(workspaceId)).toMatchObject({ state: "completed" });

    const run = await scenario.run(workspaceId, ({ state }) => state === "completed");
    const responses = await responsesOf(scenario, run.responseIds);
    expect(responses.length).toBeGreaterThanOrEqual(3);
    for (const response of responses) {
      expect(response).toMatchObject({
        service_tier: serviceTier,
        reasoning: { effort: "low" },
        max_output_tokens: 9_000,
        prompt_cache_key: "studio-runner-local",
      });
      expect(response.tools.at(-1)).toEqual({ type: "web_search" });
      expect(response.instructions.endsWith(own)).toBe(true);
    }
    const bill = responses.reduce((sum, { usage }) => {
      const cached = usage.input_tokens_details.cached_tokens;
      const usd = (usage.input_tokens - cached) * 2 + cached * 0.2 + usage.output_tokens * 10;
      return sum + (usd * tiers[serviceTier]) / 1_000_000;
    }, 0);
    expect(responses.some(({ usage }) => usage.input_tokens_details.cached_tokens > 0)).toBe(true);
    expect(run.costUsd).toBeCloseTo(bill, 9);
    expect(scenario.metric("CostUsd")).toBeCloseTo(bill, 9);
  },
);
