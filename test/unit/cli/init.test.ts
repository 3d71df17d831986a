import { beforeEach, describe, expect, it } from "vitest";
import { parseSettings } from "../../../infra/settings.ts";
import type { Prompts } from "../../../cli/prompts.ts";
import { cli, expectRun, setUpCli } from "./set-up.ts";

/** The text of cdk.json. */
let file: string;
let writes: number;
/** Answers to the questions that contain the key; the others get their default. */
let answers: Readonly<Record<string, string | boolean>>;
let asked: number;

const fresh =
  '{\n  "app": "x",\n  "context": {\n    "studio-runner": {\n      "pools": [{ "name": "default", "kind": "user" }]\n    },\n    "flag":  true\n  }\n}\n';
interface WrittenSettings {
  pools: { kind: string; dailyCapUsd?: number }[];
  monitoring: object;
  inference: object;
}
const settings = (): WrittenSettings =>
  (JSON.parse(file) as { context: { "studio-runner": WrittenSettings } }).context["studio-runner"];

setUpCli();
beforeEach(() => {
  [file, writes, answers, asked] = [fresh, 0, {}, 0];
  Object.assign(cli.edges, {
    project: {
      root: "/nowhere",
      version: async () => "0.1.0",
      settings: async () => parseSettings(settings()),
      cdkJson: async () => file,
      readFile: async (name: string) => (name === "cdk.json" ? file : undefined),
      writeFile: async () => undefined,
      writeCdkJson: async (text: string) => {
        writes++;
        file = text;
      },
      missingPackages: async () => [],
    },
  });
});

function atTerminal(): void {
  const answer = (message: string): string | boolean | undefined => {
    asked++;
    return answers[Object.keys(answers).find((part) => message.includes(part)) ?? ""];
  };
  const prompts: Omit<Prompts, "hidden"> = {
    text: async ({ message, default: byDefault = "", problem }) => {
      const text = String(answer(message) ?? byDefault);
      const wrong = problem?.(text);
      if (wrong !== undefined) throw new Error(`${message}: ${wrong}`);
      return text;
    },
    choose: async ({ message, choices, default: byDefault }) => {
      const given = answer(message);
      return choices.find(({ value }) => value === given)?.value ?? byDefault;
    },
    confirm: async (message, byDefault) => (answer(message) === false ? false : byDefault),
  };
  Object.assign(cli.edges, { input: { isTerminal: true, readAll: async () => "" }, prompts });
}

describe("init without a terminal", () => {
  it("writes the options' settings, and keeps the rest of the file", async () => {
    const pool = "--stack Runner2 --cap 20 --concurrency 5 --polling fast";
    const others = "--email ops@example.com --monitoring lean --model gpt-6-sol";
    await expectRun(`init --yes ${pool} ${others}`, 0, "Written to cdk.json, context.studio-runner:");
    expect(settings()).toEqual({
      stackName: "Runner2",
      pools: [{ name: "default", kind: "user", polling: "fast", concurrency: 5, dailyCapUsd: 20 }],
      inference: { model: "gpt-6-sol" },
      monitoring: { level: "lean", email: "ops@example.com" },
    });
    expect(file).toContain('    },\n    "flag":  true\n  }\n}\n');
  });

  it("keeps settings that no option covers", async () => {
    file = file.replace('"pools": [{', '"logLevel": "debug", "pools": [{ "runLimitMinutes": 30,');
    await expectRun("init --yes", 0);
    const kept = { logLevel: "debug", pools: [{ name: "default", runLimitMinutes: 30 }] };
    expect(settings()).toMatchObject(kept);
  });

  it("writes nothing when run a second time", async () => {
    await expectRun("init --yes", 0);
    const answer = await expectRun("init --yes --json", 0);
    expect(answer.json()).toMatchObject({ written: false, changed: [] });
    expect(writes).toBe(1);
  });

  it("sets up Amazon Bedrock with Bedrock's name of the model, and names no model key as a next step", async () => {
    file = file.replace('"pools":', '"inference": { "baseUrl": "https://models.example.com/v1" }, "pools":');
    const { out } = await expectRun("init --yes --provider mantle --force", 0);
    const wanted = { provider: "bedrock", endpoint: "mantle", model: "openai.gpt-6-luna" };
    expect(settings().inference).toMatchObject(wanted);
    expect(file).not.toContain("baseUrl");
    expect(out).not.toContain("secrets set model-key");
    expect(out).toContain("secrets set runner-keys");
  });

  it("keeps existing Bedrock settings, and removes them with --provider openai", async () => {
    await expectRun("init --yes --provider runtime --model global.openai.gpt-6-sol --force", 0);
    file = file.replace('"endpoint": "runtime"', '"endpoint": "runtime", "region": "eu-west-1"');
    await expectRun("init --yes --concurrency 3 --force", 0);
    const bedrock = { provider: "bedrock", endpoint: "runtime", region: "eu-west-1" };
    expect(settings().inference).toMatchObject({ ...bedrock, model: "global.openai.gpt-6-sol" });
    await expectRun("init --yes --provider openai --force", 0);
    expect(settings().inference).toMatchObject({ model: "gpt-6-luna" });
    expect(file).not.toMatch(/bedrock|runtime|eu-west-1/);
  });

  it("shows a change of an existing setting, and writes it only with --force", async () => {
    await expectRun("init --yes --kind global", 1, "  pools[0].kind: user → global");
    expect(writes).toBe(0);
    await expectRun("init --yes --kind global --force", 0);
    expect(settings().pools[0]?.kind).toBe("global");
  });

  it("accepts a list of pools, and options for one of them", async () => {
    await expectRun("init --yes --pools default:user,europe-2:global --pool europe-2 --cap 3", 0);
    expect(settings().pools).toEqual([
      { name: "default", kind: "user", polling: "balanced", concurrency: 10 },
      { name: "europe-2", kind: "global", polling: "balanced", concurrency: 10, dailyCapUsd: 3 },
    ]);
  });

  it("drops an email address from earlier settings with --monitoring off, which has no alarms", async () => {
    await expectRun("init --yes --email ops@example.com", 0);
    await expectRun("init --yes --monitoring off --force", 0);
    expect(settings().monitoring).toEqual({ level: "off" });
  });

  it("removes a cap and an email address with none", async () => {
    await expectRun("init --yes --cap 3 --email ops@example.com", 0);
    await expectRun("init --yes --cap none --email none --force", 0);
    expect(settings().pools[0]?.dailyCapUsd).toBeUndefined();
    expect(settings().monitoring).toEqual({ level: "full" });
  });

  it.each([
    ["init", 2, "Standard input is not a terminal, so nothing can be asked."],
    ["init --yes --pools a:b:c", 2, "--pools: Give names and kinds like default:user,europe-2:global."],
    ["init --yes --pools a,a", 2, 'pools[0].name is "a" too'],
    ["init --yes --concurrency 0", 2, "--concurrency: Give a whole number from 1 to 1000."],
    ["init --yes --cap much", 2, "--cap: "],
    ["init --yes --email nobody", 2, "--email: "],
    ["init --yes --stack 1", 2, "--stack: Give a CloudFormation stack name"],
    ["init --yes --pool none", 3, "There is no pool none in the settings."],
    ["init --yes --model gpt-7 --cap 1", 2, 'the price of the model "gpt-7" is unknown'],
    ["init --yes --local", 2, "init is not for the local stack"],
  ])("rejects %j with exit code %i", async (argv, code, message) => {
    await expectRun(argv, code, message);
    expect(writes).toBe(0);
  });

  it("rejects invalid existing settings, and starts over with --force", async () => {
    file = file.replace('"user"', '"nobody"');
    await expectRun("init --yes", 2, "Correct it, or let init start over with --force");
    await expectRun("init --yes --force", 0);
    expect(settings().pools[0]?.kind).toBe("user");
  });
});

describe("init at a terminal", () => {
  beforeEach(atTerminal);

  it("asks 11 questions and accepts the default of each", async () => {
    await expectRun("init", 0);
    const pool = { name: "default", kind: "user", polling: "balanced", concurrency: 10 };
    expect(settings().pools).toEqual([pool]);
    expect(asked).toBe(11);
  });

  it("shows what would change, and writes nothing when the user declines", async () => {
    answers = { "whose jobs": "global", "Write them": false };
    await expectRun("init", 1, "  pools[0].kind: user → global");
    expect(writes).toBe(0);
  });

  it("rejects an answer that the settings would reject", async () => {
    answers = { "at once": "0" };
    expect((await cli.run("init")).err).toContain("Give a whole number from 1 to 1000.");
  });
});
