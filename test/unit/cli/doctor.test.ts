import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { connectKeys, patientClock, type FakeSecrets, type FakeWeb } from "../../support/cli-keys.ts";
import { fakeCli, type FakeCli } from "../../support/cli.ts";
import { startLocalTable, type LocalTable } from "../../support/run-store.ts";

const now = Date.parse("2026-11-20T03:00:00Z");

let local: LocalTable;
let cli: FakeCli;
let secrets: FakeSecrets;
let web: FakeWeb;
beforeAll(async () => void (local = await startLocalTable()));
afterAll(() => local.close());

let counter = 0;
let pool = "";
beforeEach(async () => {
  pool = `doc${counter++}`;
  cli = fakeCli(local.table, now);
  Object.assign(cli.edges, { clock: patientClock(cli) });
  cli.projectSettings = cli.aws.settings = { pools: [{ name: pool, kind: "user", rotation: {} }] };
  ({ secrets, web } = connectKeys(cli));
  secrets.set(`${pool}-keys`, '["one.secret-of-one","two.secret-of-two"]');
  secrets.set(`${pool}-account`, '{"refreshToken":"refresh-token-value","apiKey":"web"}');
  secrets.set("model-key", "sk-model-key-of-the-test");
  cli.aws.alarms = [{ name: `${pool}-NoGoodPoll`, state: "OK", reason: undefined, sinceMs: undefined }];
  await cycle("empty");
});

async function cycle(reason: string, goodPollAtMs = now - 20_000): Promise<void> {
  const { lock } = cli.runStore;
  await lock.acquire({ pool, owner: "w", nowMs: now - 60_000, untilMs: now });
  const lastCycle = { reason, atMs: now - 20_000, polls: 3, leased: 0, inFlight: 0 };
  await lock.release({ pool, owner: "w" }, { lastCycle, goodPollAtMs });
}

interface Row {
  id: string;
  verdict: string;
  finding: string;
  remedy: string | null;
  pool: string | null;
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
  it("finds every check ok, and ends with 0", async () => {
    const { code, rows } = await diagnose();
    expect(rows.filter(({ verdict }) => verdict !== "ok")).toEqual([]);
    expect(code).toBe(0);
    expect(rows.map(({ id }) => id)).toEqual([
      "node",
      "packages",
      "settings",
      "prices",
      "model",
      "credentials",
      "bootstrap",
      "concurrency",
      "deployed",
      "version",
      "drift",
      "schedule",
      "paused",
      "polls",
      "dead-letters",
      "alarms",
      "runner-keys",
      "runner-keys-accepted",
      "rotation",
      "model-key",
      "model-key-accepted",
      "account-key",
      "account-key-accepted",
      "model-request",
    ]);
  });

  it("asks Studio without taking a job, and the provider for one answer", async () => {
    await diagnose();
    expect(web.requests.toSorted()).toEqual([
      "GET /v1/models/gpt-6-luna",
      "POST /heartbeatWorkspaceJob",
      "POST /heartbeatWorkspaceJob",
      "POST /v1/responses",
      "POST /v1/token",
    ]);
  });

  it("is a list that fits the terminal", async () => {
    cli.columns = 80;
    const { out } = await cli.run("doctor");
    expect(out).toContain("✓ Node                   24.21.0\n");
    expect(out).toContain("✓ Runner keys            2 keys: one, two\n");
    expect(out).toContain("\n24 ok, 0 warnings, 0 failed, 0 skipped\n");
    expect(Math.max(...out.split("\n").map((line) => line.length))).toBeLessThanOrEqual(80);
  });
});

describe("doctor before the first deploy", () => {
  beforeEach(() => void (cli.aws.deployed = false));

  it("warns that nothing is deployed, skips what needs it, and ends with 0", async () => {
    const { code, row, rows } = await diagnose();
    expect(code).toBe(0);
    expect(row("deployed")).toMatchObject({ verdict: "warn", remedy: "npm run runner -- deploy" });
    expect(row("runner-keys")).toMatchObject({
      verdict: "skipped",
      finding: "no stack of this version is deployed",
    });
    expect(rows.filter(({ verdict }) => verdict === "ok").map(({ id }) => id)).toEqual([
      "node",
      "packages",
      "settings",
      "prices",
      "model",
      "credentials",
      "bootstrap",
      "concurrency",
    ]);
  });

  it("says once what is wrong with the settings, and looks at the credentials all the same", async () => {
    cli.projectSettings = { pools: [{ name: "default", kind: "user", concurrencyy: 3 }] };
    const { code, row, rows } = await diagnose();
    expect(code).toBe(1);
    expect(row("settings")).toMatchObject({ verdict: "fail" });
    expect(row("credentials")).toMatchObject({ verdict: "ok" });
    expect(row("deployed")).toMatchObject({ verdict: "skipped", finding: "the settings cannot be read" });
    expect(row("schedule")).toMatchObject({ verdict: "skipped", finding: "the settings cannot be read" });
    expect(rows.filter(({ finding }) => finding.includes("concurrencyy")).map(({ id }) => id)).toEqual([
      "settings",
    ]);
  });

  it("fails without credentials, and skips what needs them", async () => {
    cli.aws.broken.identity = Object.assign(new Error("Could not load credentials"), {
      name: "CredentialsProviderError",
    });
    const { code, row } = await diagnose();
    expect(code).toBe(1);
    expect(row("credentials")).toMatchObject({ verdict: "fail", finding: "Could not load credentials" });
    expect(row("credentials").remedy).toContain("Sign in to AWS");
    expect(row("bootstrap")).toMatchObject({
      verdict: "skipped",
      finding: "the AWS credentials do not work",
    });
    expect(row("schedule")).toMatchObject({ verdict: "skipped", finding: "the AWS credentials do not work" });
  });

  it("fails where the account is not bootstrapped, with the command", async () => {
    Object.assign(cli.aws.services, { stacks: { outputs: () => Promise.resolve(undefined) } });
    const { row } = await diagnose("--region", "eu-central-1");
    expect(row("bootstrap")).toMatchObject({
      verdict: "fail",
      remedy: "npx cdk bootstrap aws://123456789012/eu-central-1",
    });
  });

  it("tells every problem of the settings", async () => {
    cli.projectSettings = { pools: [{ name: "a", kind: "nobody" }], logLevel: "loud" };
    const { code, row } = await diagnose();
    expect(code).toBe(1);
    expect(row("settings").finding).toContain("pools[0].kind");
    expect(row("settings").finding).toContain("logLevel");
    expect(row("prices").verdict).toBe("skipped");
  });
});

describe("doctor finds", () => {
  const cases: readonly (readonly [string, () => unknown, string, string, string])[] = [
    [
      "an old Node",
      () => Object.assign(cli.edges, { nodeVersion: "20.19.0" }),
      "node",
      "fail",
      "20.19.0 is too old",
    ],
    [
      "a Node that the functions do not run on",
      () => Object.assign(cli.edges, { nodeVersion: "22.20.0" }),
      "node",
      "warn",
      "22.20.0, while the functions run on 24",
    ],
    [
      "a model that is shut down soon, by the list",
      () => setModel("gpt-5-mini"),
      "model",
      "warn",
      "gpt-5-mini will be shut down on 2026-12-11, in 20 d",
    ],
    [
      "a model that is shut down soon, by its provider",
      () => web.models.set("gpt-6-luna", "2027-01-05"),
      "model",
      "warn",
      "gpt-6-luna will be shut down on 2027-01-05, in 45 d",
    ],
    [
      "a model that is gone",
      () => setModel("gpt-5-codex"),
      "model",
      "fail",
      "gpt-5-codex was shut down on 2026-07-23",
    ],
    [
      "a model that the key does not see",
      () => web.models.clear(),
      "model",
      "fail",
      "the key has no access to the model gpt-6-luna",
    ],
    [
      "a model without a price",
      () => setModel("gpt-7"),
      "prices",
      "warn",
      "none is known for gpt-7: costs are not estimated, and no daily cap can be set",
    ],
    [
      "too little concurrency",
      () => (cli.aws.unreservedConcurrency = 10),
      "concurrency",
      "warn",
      "the account can run 10 invocations at once; the pools need 12, including dispatchers and recovery",
    ],
    [
      "a newer checkout",
      () => (cli.projectVersion = "0.2.0"),
      "version",
      "warn",
      "0.1.0 is deployed, this checkout is 0.2.0",
    ],
    [
      "settings that are not deployed",
      () => (cli.projectSettings = { pools: [{ name: pool, kind: "user", rotation: {}, concurrency: 3 }] }),
      "drift",
      "warn",
      "cdk.json has changes that are not deployed yet",
    ],
    [
      "a schedule that is off",
      () => (cli.aws.scheduleOn = false),
      "schedule",
      "fail",
      "off: no dispatch cycle starts",
    ],
    [
      "a pause",
      () => cli.run("pause", "--why", "night"),
      "paused",
      "warn",
      "paused by arn:aws:iam::123456789012:user/ann: night",
    ],
    ["a silent dispatcher", () => cycle("empty", now - 600_000), "polls", "fail", "10 min ago"],
    [
      "a cycle that failed",
      () => cycle("key_refused"),
      "polls",
      "fail",
      "the last cycle failed: key_refused, 20 s ago",
    ],
    [
      "dead letters",
      () => (cli.aws.deadLetters = 2),
      "dead-letters",
      "fail",
      "2 events that recovery could not handle",
    ],
    [
      "an alarm",
      () => (cli.aws.alarms = [{ name: `${pool}-DeadLetters`, state: "ALARM", reason: "", sinceMs: now }]),
      "alarms",
      "fail",
      "in ALARM: DeadLetters",
    ],
    [
      "a key that Studio refuses",
      () => web.refusedKeys.add("two"),
      "runner-keys-accepted",
      "fail",
      "Studio refuses two",
    ],
    [
      "a Studio out of reach",
      () => web.silent.add("cloud.xenonflare.com"),
      "runner-keys-accepted",
      "fail",
      "could not be checked: Studio did not answer",
    ],
    [
      "a malformed runner key",
      () => secrets.set(`${pool}-keys`, "one"),
      "runner-keys",
      "fail",
      'The secret "runner-keys" is not of the form credentialId.secret',
    ],
    [
      "a rotation that was broken off",
      () =>
        secrets.port.putStaged(`${pool}-keys`, {
          versionId: "v",
          text: "three.secret-of-three",
          stage: "AWSPENDING",
        }),
      "rotation",
      "warn",
      "new keys are pending",
    ],
    [
      "a model key that is refused",
      () => web.refusedModelKeys.add("sk-model-key-of-the-test"),
      "model-key-accepted",
      "fail",
      "the provider refuses it",
    ],
    [
      "an account key that the sign-in refuses",
      () => secrets.set(`${pool}-account`, '{"refreshToken":"revoked","apiKey":"web"}'),
      "account-key-accepted",
      "fail",
      "the sign-in refuses it",
    ],
    [
      "a sign-in that does not answer",
      () => web.silent.add("securetoken.googleapis.com"),
      "account-key-accepted",
      "fail",
      "could not be checked",
    ],
    [
      "a malformed account key",
      () => secrets.set(`${pool}-account`, "[]"),
      "account-key",
      "fail",
      'The secret "account-key"',
    ],
  ];

  it.each(cases)("%s", async (_what, arrange, id, verdict, finding) => {
    await arrange();
    const { code, row } = await diagnose();
    expect(row(id).finding).toContain(finding);
    expect(row(id).verdict).toBe(verdict);
    // What is wrong has a remedy, unless nobody could look.
    expect(verdict === "fail" && !finding.startsWith("could not") && row(id).remedy === null).toBe(false);
    expect(code).toBe(verdict === "fail" ? 1 : 0);
  });

  it("the account key accepted, and mints nothing", async () => {
    const { row } = await diagnose();
    expect(row("account-key-accepted")).toMatchObject({ verdict: "ok", finding: "accepted" });
    expect([...web.instances]).toEqual([]);
    secrets.set(`${pool}-account`, '{"refreshToken":"revoked","apiKey":"web"}');
    expect((await diagnose()).row("account-key-accepted").remedy).toContain(
      "npm run runner -- secrets set account-key",
    );
  });

  function setModel(model: string): void {
    cli.projectSettings = cli.aws.settings = {
      inference: { model },
      pools: [{ name: pool, kind: "user", rotation: {} }],
    };
    web.models.set(model, null);
  }

  it("a secret without a value, and the command for it", async () => {
    cli.aws.settings = { pools: [{ name: `${pool}-new`, kind: "user" }] };
    const { code, row } = await diagnose();
    expect(code).toBe(1);
    expect(row("runner-keys")).toMatchObject({
      verdict: "fail",
      finding: "no value is stored yet",
      remedy: "npm run runner -- secrets set runner-keys",
    });
    expect(row("runner-keys-accepted").verdict).toBe("skipped");
    expect(row("account-key")).toMatchObject({ verdict: "skipped", finding: "the pool has no rotator" });
  });

  it("that AWS does not let it look, and looks at the rest", async () => {
    const denied = Object.assign(new Error("not authorized"), { name: "AccessDeniedException" });
    cli.aws.broken.functions = denied;
    cli.aws.broken.alarms = denied;
    const { code, row } = await diagnose();
    expect(row("concurrency")).toMatchObject({
      verdict: "warn",
      finding: "could not be checked: not authorized",
    });
    expect(row("alarms")).toMatchObject({ verdict: "warn", finding: "could not be read" });
    expect(code).toBe(0);
  });

  it("no model key to look for where workload identity stands in its place", async () => {
    const inference = { workloadIdentity: { identityProviderId: "p", serviceAccountId: "s" } };
    cli.projectSettings = cli.aws.settings = { inference, pools: [{ name: pool, kind: "user" }] };
    const { row } = await diagnose();
    expect(row("model-key").verdict).toBe("skipped");
    expect(row("model-key-accepted").verdict).toBe("skipped");
    expect(row("model").verdict).toBe("ok");
  });
});

describe("doctor of a stack that asks Amazon Bedrock", () => {
  const place = "Amazon Bedrock's mantle endpoint in us-west-2";
  const asked: unknown[] = [];
  const answer = (failure?: {
    readonly status: number;
    readonly code?: string;
    readonly message: string;
  }) => {
    const inference = { provider: "bedrock", region: "us-west-2", model: "openai.gpt-6-luna" };
    cli.projectSettings = cli.aws.settings = { inference, pools: [{ name: pool, kind: "user" }] };
    const ask = (question: unknown) => {
      asked.splice(0, 1, question);
      return Promise.resolve(failure && { ...failure, isJson: true, place });
    };
    Object.assign(cli.aws.services, { bedrock: { ask } });
  };

  it("looks for no model key, and asks each model for one word", async () => {
    answer();
    const { code, row } = await diagnose();
    expect(code).toBe(0);
    expect(row("model-key")).toMatchObject({
      verdict: "skipped",
      finding:
        "none is stored: the processor's role signs its requests to Amazon Bedrock (inference.provider)",
    });
    expect(row("model-key-accepted").verdict).toBe("skipped");
    expect(row("model").finding).toBe(
      "openai.gpt-6-luna: its model card in Amazon Bedrock's user guide has the shutdown date",
    );
    expect(row("model-access")).toMatchObject({
      verdict: "ok",
      finding:
        "openai.gpt-6-luna answers at the mantle endpoint in us-west-2 (asked for 16 tokens, which cost almost nothing)",
    });
    expect(asked).toMatchObject([
      {
        endpoint: "mantle",
        region: "us-west-2",
        body: { model: "openai.gpt-6-luna", max_output_tokens: 16, parallel_tool_calls: true },
      },
    ]);
  });

  it("names a region in which the model is not offered", async () => {
    answer({ status: 404, code: "model_not_found", message: "The model does not exist" });
    const { code, row } = await diagnose();
    expect(code).toBe(1);
    expect(row("model-access")).toMatchObject({
      verdict: "fail",
      finding: `openai.gpt-6-luna: ${place} does not offer the model`,
      remedy:
        "Set inference.region to a region that its model card names, or choose a model that is offered here (inference.model).",
    });
  });

  it("names missing access to the model", async () => {
    answer({ status: 403, message: "You don't have access to the model with the specified model ID." });
    const { code, row } = await diagnose();
    expect(code).toBe(1);
    expect(row("model-access")).toMatchObject({
      verdict: "fail",
      finding: `openai.gpt-6-luna: this AWS account has no access to the model at ${place}`,
      remedy: "Enable the model under Model access in the console of Amazon Bedrock, or choose another one.",
    });
  });

  it("names an IAM permission that is missing, which is of who asks here", async () => {
    const message =
      "User: arn:aws:sts::123456789012:assumed-role/x/y is not authorized to perform: bedrock-mantle:CreateInference on resource: z";
    answer({ status: 403, code: "access_denied", message });
    const { row } = await diagnose();
    expect(row("model-access")).toMatchObject({
      verdict: "warn",
      finding: `openai.gpt-6-luna: your own identity may not perform bedrock-mantle:CreateInference at ${place}; whether the processor's role may is not known`,
    });
    expect(row("model-access").remedy).toContain("Use credentials with this permission (--profile)");
  });

  it("says that it could not look where Bedrock has other troubles", async () => {
    answer({ status: 503, message: "busy" });
    const { row } = await diagnose();
    expect(row("model-access").finding).toContain("could not be checked");
  });
});

describe("doctor refuses", () => {
  it("a pool that is not there", async () => {
    const { code, err } = await cli.run("doctor", "--pool", "none");
    expect(code).toBe(3);
    expect(err).toContain("There is no pool none.");
  });

  it("a local stack that does not run", async () => {
    const { code, err } = await cli.run("doctor", "--local");
    expect(code).toBe(3);
    expect(err).toContain("No local stack runs in /nowhere/.local.");
  });
});
