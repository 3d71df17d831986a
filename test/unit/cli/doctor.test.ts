import { beforeEach, describe, expect, it } from "vitest";
import { patientClock } from "../../support/cli-keys.ts";
import { addCycle, cli, expectRun, now, pool, secrets, settle, setUpCli, web } from "./set-up.ts";

const modelKey = "sk-model-key-of-the-test";
const revokedAccount = '{"refreshToken":"revoked","apiKey":"web"}';

setUpCli({ rotation: {} });
beforeEach(async () => {
  Object.assign(cli.edges, { clock: patientClock(cli) });
  secrets.set(`${pool}-keys`, '["one.secret-of-one","two.secret-of-two"]');
  secrets.set(`${pool}-account`, '{"refreshToken":"refresh-token-value","apiKey":"web"}');
  secrets.set("model-key", modelKey);
  cli.aws.alarms = [{ name: `${pool}-NoGoodPoll`, state: "OK", reason: undefined, sinceMs: undefined }];
  await addCycle("empty", now - 20_000, now - 20_000);
});

interface Row {
  id: string;
  outcome: string;
  finding: string;
  remedy: string | null;
}

async function diagnose(...argv: string[]): Promise<{ code: number; row: (id: string) => Row; rows: Row[] }> {
  const { code, out, err } = await cli.run("doctor", "--json", ...argv);
  const { checks: rows } = JSON.parse(out) as { checks: Row[] };
  for (const secret of ["secret-of", "refresh-token-value", "sk-model-key"])
    expect(out + err).not.toContain(secret);
  const row = (id: string): Row => {
    const found = rows.find((one) => one.id === id);
    if (!found) throw new Error(`no check ${id}`);
    return found;
  };
  return { code, row, rows };
}

describe("doctor of a healthy stack", () => {
  it("reports every check as ok and exits with 0", async () => {
    const { code, rows } = await diagnose();
    expect(rows.filter(({ outcome }) => outcome !== "ok")).toEqual([]);
    expect(code).toBe(0);
    expect(rows.map(({ id }) => id).join(" ")).toBe(
      "node packages settings prices model credentials bootstrap concurrency deployed version drift schedule paused polls dead-letters alarms runner-keys runner-keys-accepted rotation model-key model-key-accepted account-key account-key-accepted model-request",
    );
  });

  it("checks keys without leasing a job or creating a key, and sends the model one request", async () => {
    await diagnose();
    expect(web.requests.toSorted()).toEqual([
      "GET /v1/models/gpt-6-luna",
      "POST /heartbeatWorkspaceJob",
      "POST /heartbeatWorkspaceJob",
      "POST /v1/responses",
      "POST /v1/token",
    ]);
  });

  it.each([60, 80])("prints lines that fit %i columns", async (columns) => {
    cli.columns = columns;
    const { out } = await cli.run("doctor");
    expect(out).toContain("✓ Runner keys            2 keys: one, two\n");
    expect(out).toContain("\n24 ok, 0 warnings, 0 failed, 0 skipped\n");
    expect(Math.max(...out.split("\n").map((line) => line.length))).toBeLessThanOrEqual(columns);
  });
});

describe("doctor before the first deploy", () => {
  beforeEach(() => void (cli.aws.deployed = false));

  it("warns that nothing is deployed, skips the checks that need a stack, and exits with 0", async () => {
    const { code, row, rows } = await diagnose();
    expect(code).toBe(0);
    expect(row("deployed")).toMatchObject({
      outcome: "warn",
      remedy: expect.stringContaining("runner -- deploy"),
    });
    expect(row("runner-keys").finding).toBe("no stack of this version is deployed");
    const ok = rows.filter(({ outcome }) => outcome === "ok").map(({ id }) => id);
    expect(ok.join(" ")).toBe("node packages settings prices model credentials bootstrap concurrency");
  });

  it("reports invalid settings in one check, and still checks the credentials", async () => {
    cli.projectSettings = { pools: [{ name: "a", kind: "nobody" }], logLevel: "loud" };
    const { code, row, rows } = await diagnose();
    expect(code).toBe(1);
    expect(row("settings").finding).toContain("pools[0].kind");
    expect(rows.filter(({ finding }) => finding.includes("logLevel"))).toEqual([row("settings")]);
    expect(row("credentials").outcome).toBe("ok");
    for (const id of ["prices", "deployed", "schedule"])
      expect(row(id)).toMatchObject({ outcome: "skipped", finding: "the settings cannot be read" });
  });

  it("fails without AWS credentials, and skips the checks that need them", async () => {
    const error = new Error("Could not load credentials.");
    cli.aws.broken.identity = Object.assign(error, { name: "CredentialsProviderError" });
    const { row } = await diagnose();
    const remedy: unknown = expect.stringContaining("Sign in to AWS");
    expect(row("credentials")).toMatchObject({ outcome: "fail", finding: error.message, remedy });
    for (const id of ["bootstrap", "schedule"])
      expect(row(id)).toMatchObject({ outcome: "skipped", finding: "the AWS credentials do not work" });
  });

  it("fails when the account is not bootstrapped, and names the command that does it", async () => {
    Object.assign(cli.aws.services, { stacks: { outputs: () => Promise.resolve(undefined) } });
    const { row } = await diagnose();
    const remedy = "npx cdk bootstrap aws://123456789012/eu-central-1";
    expect(row("bootstrap")).toMatchObject({ outcome: "fail", remedy });
  });
});

const node = (nodeVersion: string): unknown => Object.assign(cli.edges, { nodeVersion });
const model = (name: string): void => {
  settle({ inference: { model: name } });
  web.models.set(name, null);
};
const settingsNotDeployed = (): void => {
  cli.projectSettings = { pools: [{ name: pool, kind: "user", rotation: {}, concurrency: 3 }] };
};
const alarm = (): void => {
  cli.aws.alarms = [{ name: `${pool}-DeadLetters`, state: "ALARM", reason: "", sinceMs: now }];
};
const keys = (text: string): void => secrets.set(`${pool}-keys`, text);
const account = (text: string): void => secrets.set(`${pool}-account`, text);
const pending = { versionId: "v", text: "three.secret-of-three", stage: "AWSPENDING" } as const;
const inference = { reasoningEffort: "low", serviceTier: "flex", hostedTools: ["web_search"] };
const refuse = (status: number, error: object): void => {
  settle({ inference });
  web.refusal = { status, error };
};
const noCapacity = { message: "Resource unavailable", code: "resource_unavailable" };
const settled = (given: object) => () => settle({ inference: given });
const identity = { workloadIdentity: { identityProviderId: "p", serviceAccountId: "s" } };
const keyless = { pools: [{ name: "new", kind: "user" }] };
const denied = Object.assign(new Error("not authorized"), { name: "AccessDeniedException" });

/** "check outcome: a part of the finding", and what leads to it. */
const findings: readonly (readonly [expected: string, arrange: () => unknown])[] = [
  ["node fail: 20.19.0 is too old", () => node("20.19.0")],
  ["node warn: 22.20.0, while the functions run on 24", () => node("22.20.0")],
  ["model warn: gpt-5-mini will be shut down on 2026-12-11, in 20 d", () => model("gpt-5-mini")],
  ["model warn: will be shut down on 2027-01-05, in 45 d", () => web.models.set("gpt-6-luna", "2027-01-05")],
  ["model fail: gpt-5-codex was shut down on 2026-07-23", () => model("gpt-5-codex")],
  ["model fail: the key has no access to the model gpt-6-luna", () => web.models.clear()],
  ["prices warn: none is known for gpt-7: costs are not estimated", () => model("gpt-7")],
  ["concurrency warn: the account can run 10 invocations", () => (cli.aws.unreservedConcurrency = 10)],
  ["version warn: 0.1.0 is deployed, this checkout is 0.2.0", () => (cli.projectVersion = "0.2.0")],
  ["drift warn: cdk.json has changes that are not deployed yet", settingsNotDeployed],
  ["schedule fail: off: no dispatch cycle starts", () => (cli.aws.scheduleOn = false)],
  ["paused warn: user/ann: night", () => cli.run("pause", "--why", "night")],
  ["polls fail: 10 min ago", () => addCycle("empty", now, now - 600_000)],
  [
    "polls fail: the last cycle failed: Studio knows none of its runner keys (key_refused), 20 s ago",
    () => addCycle("key_refused", now - 20_000),
  ],
  ["dead-letters fail: 2 events that recovery could not handle", () => (cli.aws.deadLetters = 2)],
  ["alarms fail: in ALARM: DeadLetters", alarm],
  ["runner-keys-accepted fail: Studio refuses two", () => web.refusedKeys.add("two")],
  ["runner-keys-accepted fail: could not be checked", () => web.silent.add("cloud.xenonflare.com")],
  ['runner-keys fail: "runner-keys" is not of the form credentialId.secret', () => keys("one")],
  ["rotation warn: new keys are pending", () => secrets.port.putStaged(`${pool}-keys`, pending)],
  ["model-key-accepted fail: the provider refuses it", () => web.refusedModelKeys.add(modelKey)],
  ["account-key-accepted fail: the sign-in refuses it", () => account(revokedAccount)],
  ["account-key-accepted fail: could not be checked", () => web.silent.add("securetoken.googleapis.com")],
  ['account-key fail: The secret "account-key"', () => account("[]")],
  ["account-key skipped: the pool has no rotator", () => settle({})],
  ["runner-keys-accepted skipped: ", () => settle(keyless)],
  ["model-key skipped: ", settled(identity)],
  ["model-key-accepted skipped: ", settled(identity)],
  ["model ok: ", settled(identity)],
  ["concurrency warn: could not be checked: Not authorized.", () => (cli.aws.broken.functions = denied)],
  ["alarms warn: could not be read", () => (cli.aws.broken.alarms = denied)],
  ["model-request warn: has no capacity in the requested service tier", () => refuse(429, noCapacity)],
  [
    "model-request fail: could not be checked: the model's provider is not available: overloaded (HTTP 503)",
    () => refuse(503, { message: "overloaded" }),
  ],
];

describe("doctor reports", () => {
  it.each(findings)("%s", async (expected, arrange) => {
    await arrange();
    const [, id = "", outcome, finding] = /^(\S+) (\w+): (.*)$/.exec(expected) ?? [];
    const { code, row, rows } = await diagnose();
    expect(row(id)).toMatchObject({ outcome, finding: expect.stringContaining(finding ?? "") });
    // Every failed check has a remedy, unless it could not be run.
    const needsRemedy = outcome === "fail" && !finding?.startsWith("could not");
    expect(needsRemedy && row(id).remedy === null).toBe(false);
    expect(code).toBe(rows.some((one) => one.outcome === "fail") ? 1 : 0);
  });

  it("prices that are older than 180 days, and the built-in table of prices and dates once when it is as old", async () => {
    const later = { ...patientClock(cli), now: () => Date.parse("2027-05-02") };
    Object.assign(cli.edges, { clock: later });
    const found = async (): Promise<readonly string[]> =>
      (await diagnose()).rows
        .filter(({ id }) => id === "prices")
        .map(({ outcome, finding }) => `${outcome}: ${finding}`);
    expect(await found()).toEqual(["warn: known for gpt-6-luna, as of 2026-10-04, which is 210 d ago"]);
    settle({ spend: { pricesAsOf: "2027-05-01" } });
    expect(await found()).toEqual([
      "ok: known for gpt-6-luna, as of 2027-05-01",
      "warn: AWS's prices and the models' shutdown dates are those of 2026-10-04, 210 d ago",
    ]);
  });

  it("a secret without a value, with the command that sets it", async () => {
    settle(keyless);
    const remedy = "npm run runner -- secrets set runner-keys";
    const finding = "no value is stored yet";
    expect((await diagnose()).row("runner-keys")).toMatchObject({ outcome: "fail", finding, remedy });
  });
});

describe("doctor's request to the model", () => {
  const diagnosed = async (id = "model-request"): Promise<Row> => (await diagnose()).row(id);

  it("equals the request of a job's round, except for the token limit", async () => {
    settle({ inference: { ...inference, instructions: "Be brief." } });
    expect((await diagnosed()).finding).toBe(
      "gpt-6-luna answers a job's request with effort low, tier flex, web_search (asked for 16 tokens, which cost almost nothing)",
    );
    const settings = { model: "gpt-6-luna", reasoning: { effort: "low" }, service_tier: "flex" };
    const rest = { max_output_tokens: 16, store: true, stream: false, parallel_tool_calls: true };
    expect(web.asked).toMatchObject([{ ...settings, ...rest }]);
    const [{ tools, instructions }] = web.asked as [{ tools: { type: string }[]; instructions: string }];
    expect(tools.at(-1)).toEqual({ type: "web_search" });
    expect(tools.filter(({ type }) => type === "function").length).toBeGreaterThan(5);
    expect(instructions.endsWith("Be brief.")).toBe(true);
  });

  it("leads to a finding about the setting that the model rejects, and not about the key", async () => {
    const message = "Unsupported value: 'low'";
    refuse(400, { message, param: "reasoning.effort", code: "unsupported_value" });
    expect(await diagnosed()).toMatchObject({
      outcome: "fail",
      finding: `gpt-6-luna: the model's provider rejected the request: ${message} (HTTP 400, code unsupported_value, setting inference.reasoningEffort)`,
      remedy: expect.stringContaining("Change the setting that the finding names"),
    });
    expect((await diagnosed("model-key-accepted")).outcome).toBe("ok");
  });

  it("is not sent when the file with the owner's instructions cannot be read", async () => {
    settle({ inference: { instructionsFile: "nowhere/style.md" } });
    const { row } = await diagnose();
    expect(row("settings").finding).toContain("nowhere/style.md cannot be read (ENOENT");
    expect(row("model-request").outcome).toBe("fail");
    expect(web.asked).toEqual([]);
  });

  it("is not sent when the provider refuses the model key", async () => {
    web.refusedModelKeys.add(modelKey);
    expect((await diagnosed()).outcome).toBe("skipped");
    expect(web.asked).toEqual([]);
  });
});

describe("doctor of a stack that uses Amazon Bedrock", () => {
  const place = "Amazon Bedrock's mantle endpoint in us-west-2";
  let asked: unknown;
  const answer = (failure?: object): void => {
    settle({ inference: { provider: "bedrock", region: "us-west-2", model: "openai.gpt-6-luna" } });
    const ask = async (question: unknown) => {
      asked = question;
      return failure && { ...failure, isJson: true, place };
    };
    Object.assign(cli.aws.services, { bedrock: { ask } });
  };

  it("checks no model key, and sends the model a request of 16 tokens", async () => {
    answer();
    const { code, row } = await diagnose();
    expect(code).toBe(0);
    expect(row("model-key").finding).toContain("none is stored: the processor's role signs its requests");
    expect(row("model-key-accepted").outcome).toBe("skipped");
    expect(row("model").finding).toContain("its model card in Amazon Bedrock's user guide");
    expect(row("model-access").finding).toContain("answers at the mantle endpoint in us-west-2");
    const body = { model: "openai.gpt-6-luna", max_output_tokens: 16, parallel_tool_calls: true };
    expect(asked).toMatchObject({ endpoint: "mantle", region: "us-west-2", body });
  });

  const notAuthorized =
    "User: arn:aws:sts::123456789012:assumed-role/x/y is not authorized to perform: bedrock-mantle:CreateInference on resource: z";
  it.each([
    [
      "a region in which the model is not offered",
      { status: 404, code: "model_not_found", message: "The model does not exist" },
      "fail",
      `${place} does not offer the model`,
      "Set inference.region to a region that its model card names",
    ],
    [
      "missing access to the model",
      { status: 403, message: "You don't have access to the model with the specified model ID." },
      "fail",
      `this AWS account has no access to the model at ${place}`,
      "Enable the model under Model access in the console of Amazon Bedrock",
    ],
    [
      "an IAM permission that the user's own identity lacks",
      { status: 403, code: "access_denied", message: notAuthorized },
      "warn",
      `your own identity may not perform bedrock-mantle:CreateInference at ${place}; whether the processor's role may is not known`,
      "Use credentials with this permission (--profile)",
    ],
  ])("reports %s", async (_, failure, outcome, finding, remedy) => {
    answer(failure);
    const { code, row } = await diagnose();
    expect(code).toBe(outcome === "fail" ? 1 : 0);
    expect(row("model-access")).toMatchObject({
      outcome,
      finding: `openai.gpt-6-luna: ${finding}`,
      remedy: expect.stringContaining(remedy),
    });
  });

  it('reports other errors of Bedrock as "could not be checked"', async () => {
    answer({ status: 503, message: "busy" });
    expect((await diagnose()).row("model-access").finding).toContain("could not be checked");
  });
});

it("doctor rejects an unknown pool", async () => {
  await expectRun("doctor --pool none", 3, "There is no pool none.");
});
