import { afterEach, describe, expect, test, vi } from "vitest";
import type { SettingsInput } from "../../infra/settings.ts";
import type { BedrockOptions } from "../../local/model/bedrock.ts";
import { heldMs } from "../support/hold.ts";
import { buildWith } from "../support/build-with.ts";
import { operatorOf } from "../support/here-cli.ts";
import { startScenario, type Scenario } from "../support/stack.ts";

type Endpoint = BedrockOptions["endpoint"];
type Finish = (close: () => Promise<void>) => void;

interface Options {
  readonly served?: Partial<BedrockOptions>;
  readonly turnMs?: number;
  readonly onTestFinished: Finish;
}

const region = "us-east-1"; // the local cloud's region
const models = { mantle: "openai.gpt-6-luna", runtime: "us.openai.gpt-6-luna" } as const;

/**
 * Starts the real functions, which sign with their own credentials, and an offline model that verifies the
 * signatures.
 */
async function start(
  endpoint: Endpoint,
  { served = {}, turnMs = 20, onTestFinished }: Options,
): Promise<Scenario> {
  const model = models[endpoint];
  const inference: SettingsInput["inference"] = { provider: "bedrock", endpoint, model };
  const variables: Record<string, string> = {};
  return startScenario(
    {
      bedrock: { endpoint, region, models: [model], ...served },
      variables,
      turnMs,
      build: (settings, outdir) => {
        const url = settings.inference?.baseUrl?.replace("/v1", "/openai/v1") ?? "";
        variables["AWS_BEDROCK_BASE_URL"] = url;
        vi.stubEnv("AWS_BEDROCK_BASE_URL", url); // for doctor, which runs in this process
        return buildWith({ inference })(settings, outdir);
      },
    },
    onTestFinished,
  );
}

afterEach(() => void vi.unstubAllEnvs());

async function runJob(scenario: Scenario) {
  const workspaceId = scenario.queue("Plan a launch. [[rounds:1]]");
  await scenario.drain();
  return scenario.summary(workspaceId);
}

async function modelAccess(scenario: Scenario) {
  const cli = await operatorOf(scenario);
  const { stdout } = await cli(["doctor", "--local", "--json"]);
  const { checks } = JSON.parse(stdout) as { checks: { id: string; outcome: string; finding: string }[] };
  const found = checks.find(({ id }) => id === "model-access");
  if (!found) throw new Error("model-access was not checked");
  return found;
}

const asked = (scenario: Scenario) =>
  scenario.model
    .requests()
    .map(({ method, path, status }) => `${method} ${path.replace(/resp_\w+/, ":id")} ${status}`);

describe("a job is completed", () => {
  test("in background mode at mantle, with signed requests and no model key", async ({ onTestFinished }) => {
    const scenario = await start("mantle", { onTestFinished });
    scenario.model.faults.add({
      route: "POST /v1/responses",
      times: 1,
      fault: { kind: "reset", when: "mid-stream", events: 3 },
    });
    expect(await runJob(scenario)).toMatchObject({ state: "completed", failure: null });
    // After the cut, the response is retrieved with a signed request.
    expect(asked(scenario)).toContain("GET /v1/responses/:id 200");
    expect(asked(scenario).every((line) => line.endsWith(" 200"))).toBe(true);
    expect(Object.keys(scenario.cloud.outputs()).filter((name) => name.startsWith("ModelKey"))).toEqual([]);
    expect(await modelAccess(scenario)).toMatchObject({ outcome: "ok" });
  });

  test("with streams at runtime, which is never asked for background mode", async ({ onTestFinished }) => {
    const scenario = await start("runtime", { onTestFinished });
    expect(await runJob(scenario)).toMatchObject({ state: "completed", failure: null });
    expect(new Set(asked(scenario))).toEqual(new Set(["POST /v1/responses 200"]));
    expect(await modelAccess(scenario)).toMatchObject({ outcome: "ok" });
  });
});

describe("a job whose processor is killed in its second round", () => {
  async function killInSecondRound(scenario: Scenario): Promise<void> {
    const workspaceId = scenario.queue("Plan a launch. [[rounds:1]]");
    let killed = false;
    scenario.hold(() => !killed && scenario.asked().length === 2);
    await scenario.cycle();
    await scenario.run(workspaceId, ({ rounds }) => rounds === 2);
    await scenario.kill(workspaceId);
    killed = true;
    expect(await scenario.ended(workspaceId)).toMatchObject({ state: "completed", reason: "ok" });
  }

  test("continues at mantle with the response in progress, and pays for no round twice", async ({
    onTestFinished,
  }) => {
    const scenario = await start("mantle", { turnMs: heldMs, onTestFinished });
    await killInSecondRound(scenario);
    expect(scenario.asked()).toHaveLength(2);
    expect(asked(scenario).every((line) => line.endsWith(" 200"))).toBe(true);
    expect(scenario.lines("job_started_over")).toEqual([]);
  });

  test("continues at runtime after the last stored round, and requests the interrupted one again", async ({
    onTestFinished,
  }) => {
    const scenario = await start("runtime", { turnMs: heldMs, onTestFinished });
    await killInSecondRound(scenario);
    expect(scenario.asked()).toHaveLength(3);
    expect(scenario.lines("job_started_over")).toEqual([]);
  });
});

describe("a job fails after one request, and doctor reports the same, if", () => {
  const elsewhere = "Amazon Bedrock's mantle endpoint in us-east-1";

  test.each([
    [
      "the signature is for another region",
      { region: "us-west-2" },
      `${elsewhere} does not accept how requests are signed`,
    ],
    ["the model is not offered in the region", { models: [] }, `${elsewhere} does not offer the model`],
    [
      "the account has no access to the model",
      { granted: [] },
      `This AWS account has no access to the model at ${elsewhere}`,
      `this AWS account has no access to the model at ${elsewhere}`,
    ],
  ])("%s", async (_, served, words, found = words) => {
    const closing: (() => Promise<void>)[] = [];
    const scenario = await start("mantle", { served, onTestFinished: (close) => void closing.push(close) });
    try {
      const { state, failure } = await runJob(scenario);
      expect(state).toBe("failed");
      expect(failure).toContain(words);
      expect(scenario.asked()).toHaveLength(1);
      const { outcome, finding } = await modelAccess(scenario);
      expect(outcome).toBe("fail");
      expect(finding).toContain(found);
    } finally {
      for (const close of closing) await close();
    }
  });

  test("the role's policy does not allow it; doctor reports on the user's own credentials", async ({
    onTestFinished,
  }) => {
    const served = { denied: ["bedrock:InvokeModel"] };
    const scenario = await start("runtime", { served, onTestFinished });
    const { state, failure } = await runJob(scenario);
    expect(state).toBe("failed");
    expect(failure).toContain(
      "The processor's role may not perform bedrock:InvokeModel at Amazon Bedrock's runtime endpoint in us-east-1",
    );
    expect(failure).not.toMatch(/arn:|000000000000/);
    expect(await modelAccess(scenario)).toMatchObject({
      outcome: "warn",
      finding: expect.stringContaining("your own identity may not perform bedrock:InvokeModel"),
    });
  });
});
