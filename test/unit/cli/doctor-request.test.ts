import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { connectKeys, patientClock, type FakeWeb } from "../../support/cli-keys.ts";
import { fakeCli, type FakeCli } from "../../support/cli.ts";
import { startLocalTable, type LocalTable } from "../../support/run-store.ts";

const now = Date.parse("2026-11-20T03:00:00Z");

let local: LocalTable;
let cli: FakeCli;
let web: FakeWeb;
beforeAll(async () => void (local = await startLocalTable()));
afterAll(() => local.close());

beforeEach(() => {
  cli = fakeCli(local.table, now);
  Object.assign(cli.edges, { clock: patientClock(cli) });
  const connected = connectKeys(cli);
  web = connected.web;
  connected.secrets.set("model-key", "sk-model-key-of-the-test");
  settle({});
});

const settle = (inference: object): void => {
  cli.projectSettings = cli.aws.settings = { inference, pools: [{ name: "asks", kind: "user" }] };
};

interface Row {
  readonly id: string;
  readonly verdict: string;
  readonly finding: string;
  readonly remedy: string | null;
}

async function look(id = "model-request"): Promise<Row | undefined> {
  const { out } = await cli.run("doctor", "--json");
  const { checks } = JSON.parse(out) as { checks: Row[] };
  return checks.find((row) => row.id === id);
}

describe("doctor's request to the model", () => {
  const inference = {
    reasoningEffort: "low",
    serviceTier: "flex",
    hostedTools: ["web_search"],
    instructions: "Be brief.",
  } as const;
  it("has the shape of a job's round, but for its length", async () => {
    settle(inference);
    expect(await look()).toMatchObject({
      verdict: "ok",
      finding:
        "gpt-6-luna answers a job's request with effort low, tier flex, web_search (asked for 16 tokens, which cost almost nothing)",
    });
    expect(web.asked).toMatchObject([
      {
        model: "gpt-6-luna",
        reasoning: { effort: "low" },
        service_tier: "flex",
        max_output_tokens: 16,
        store: true,
        stream: false,
        parallel_tool_calls: true,
      },
    ]);
    const [{ tools, instructions }] = web.asked as [{ tools: { type: string }[]; instructions: string }];
    expect(tools.at(-1)).toEqual({ type: "web_search" });
    expect(tools.filter(({ type }) => type === "function").length).toBeGreaterThan(5);
    expect(instructions.endsWith("Be brief.")).toBe(true);
  });

  it("names the setting that the model does not take, and is not to be taken for a fault of the key", async () => {
    settle(inference);
    const error = {
      message: "Unsupported value: 'low'",
      param: "reasoning.effort",
      code: "unsupported_value",
    };
    web.refusal = { status: 400, error };
    expect(await look()).toMatchObject({
      verdict: "fail",
      finding:
        "gpt-6-luna: the model's provider rejected the request: Unsupported value: 'low' (HTTP 400, code unsupported_value, setting inference.reasoningEffort)",
      remedy:
        "Change the setting that the finding names, or choose another model (inference.model), in cdk.json; then deploy.",
    });
    expect((await look("model-key-accepted"))?.verdict).toBe("ok");
  });

  it("is not made, and the settings are at fault, where the owner's instructions cannot be read", async () => {
    settle({ instructionsFile: "nowhere/style.md" });
    expect(await look("settings")).toMatchObject({
      verdict: "fail",
      finding: expect.stringContaining("inference.instructionsFile: nowhere/style.md cannot be read (ENOENT"),
    });
    expect((await look())?.verdict).toBe("fail");
    expect(web.asked).toEqual([]);
  });

  it("warns where the tier has no room just now", async () => {
    settle(inference);
    web.refusal = { status: 429, error: { message: "Resource unavailable", code: "resource_unavailable" } };
    expect(await look()).toMatchObject({
      verdict: "warn",
      finding:
        "the model's provider has no room in the service tier that was asked for: Resource unavailable (HTTP 429, code resource_unavailable)",
    });
  });

  it("is not sent where the key is refused or missing: another check says so", async () => {
    web.refusedModelKeys.add("sk-model-key-of-the-test");
    expect((await look())?.verdict).toBe("skipped");
    expect(web.asked).toEqual([]);
  });

  it("that the provider cannot answer now says nothing of the settings", async () => {
    web.refusal = { status: 503, error: { message: "overloaded" } };
    expect((await look())?.finding).toBe(
      "could not be checked: the model's provider is not available: overloaded (HTTP 503)",
    );
  });
});
