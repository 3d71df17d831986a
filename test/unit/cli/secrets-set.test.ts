import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { connectKeys, giveInput, type FakeSecrets, type FakeWeb } from "../../support/cli-keys.ts";
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
beforeEach(() => {
  pool = `set${counter++}`;
  cli = fakeCli(local.table, now);
  cli.aws.settings = { pools: [{ name: pool, kind: "user", rotation: {} }] };
  ({ secrets, web } = connectKeys(cli));
});

const modelKey = "sk-model-key-of-the-test";

describe("secrets set", () => {
  it("tries a model key, stores it and gives the version, without showing the key", async () => {
    giveInput(cli, `${modelKey}\n`);
    const { code, out, err } = await cli.run("secrets", "set", "model-key");
    expect(out).toBe("Tried and stored: model-key, version version-1.\n");
    expect(code).toBe(0);
    expect(secrets.value("model-key")).toBe(modelKey);
    expect(web.requests).toEqual(["GET /v1/models/gpt-6-luna"]);
    expect(out + err).not.toContain(modelKey);
  });

  it("asks for it at a terminal without showing it", async () => {
    giveInput(cli, undefined, modelKey);
    expect((await cli.run("secrets", "set", "model-key")).code).toBe(0);
    expect(secrets.value("model-key")).toBe(modelKey);
  });

  it("refuses a value as an argument, says why, and does not repeat it", async () => {
    giveInput(cli, "");
    const { code, out, err } = await cli.run("secrets", "set", "model-key", modelKey);
    expect(code).toBe(2);
    expect(err).toContain("A key is never given as an argument");
    expect(out + err).not.toContain(modelKey);
    expect(secrets.value("model-key")).toBeUndefined();
  });

  it.each([
    ["as the name", ["secrets", "set", modelKey]],
    ["as an option", ["secrets", "set", "model-key", `--value=${modelKey}`]],
  ])("does not repeat a value that is given %s", async (_where, argv) => {
    giveInput(cli, "");
    const { code, out, err } = await cli.run(...argv);
    expect(code).toBe(2);
    expect(out + err).not.toContain(modelKey);
  });

  it.each([
    ["model-key", "", "Standard input has no value for the model key."],
    ["model-key", '"sk-quoted-key-123456"', 'The secret "model-key" is wrapped in quotes'],
    ["runner-keys", "no-dot-at-all", 'The secret "runner-keys" is not of the form credentialId.secret'],
    ["account-key", "{}", 'The secret "account-key"'],
  ])("refuses a malformed %s %j and stores nothing", async (name, text, message) => {
    giveInput(cli, text);
    const { code, err } = await cli.run("secrets", "set", name);
    expect(code).toBe(2);
    expect(err).toContain(message);
    expect(web.requests).toEqual([]);
    expect(secrets.value("model-key")).toBeUndefined();
  });

  it("does not store a key that its provider refuses", async () => {
    web.refusedModelKeys.add(modelKey);
    giveInput(cli, modelKey);
    const answer = await cli.run("secrets", "set", "model-key", "--json");
    expect(answer.code).toBe(1);
    expect(answer.error()).toEqual({
      code: "refused",
      message: "The model's provider refuses this key.",
      remedy: "Nothing was stored.",
    });
    expect(secrets.value("model-key")).toBeUndefined();
  });

  it("stores a key that sees no such model, and says so", async () => {
    web.models.clear();
    giveInput(cli, modelKey);
    const { code, out } = await cli.run("secrets", "set", "model-key");
    expect(code).toBe(1);
    expect(out).toContain('it has no access to the model "gpt-6-luna" (inference.model): jobs will fail.');
    expect(secrets.value("model-key")).toBe(modelKey);
  });

  it("does not store what nobody could try, but does with --no-try", async () => {
    web.silent.add("api.openai.com");
    giveInput(cli, modelKey);
    const { code, err } = await cli.run("secrets", "set", "model-key");
    expect(code).toBe(5);
    expect(err).toContain("cannot be reached at api.openai.com");
    expect(err).toContain("--no-try");
    expect(secrets.value("model-key")).toBeUndefined();
    const second = await cli.run("secrets", "set", "model-key", "--no-try");
    expect(second.code).toBe(0);
    expect(second.out).toContain("Stored without being tried");
    expect(secrets.value("model-key")).toBe(modelKey);
  });

  it("says that a stack with workload identity has no model key", async () => {
    const workloadIdentity = { identityProviderId: "p", serviceAccountId: "s" };
    cli.aws.settings = { pools: [{ name: pool, kind: "user" }], inference: { workloadIdentity } };
    giveInput(cli, modelKey);
    const { code, err } = await cli.run("secrets", "set", "model-key");
    expect(code).toBe(1);
    expect(err).toContain("This stack stores no model key");
  });

  it("stores the account key as Firebase has renewed it", async () => {
    web.renewed = "newer";
    giveInput(cli, '{"refreshToken":"older","apiKey":"web"}');
    expect((await cli.run("secrets", "set", "account-key")).code).toBe(0);
    expect(JSON.parse(secrets.value(`${pool}-account`) ?? "")).toEqual({
      refreshToken: "newer",
      apiKey: "web",
    });
  });

  it("refuses an account key that cannot sign in", async () => {
    giveInput(cli, '{"refreshToken":"revoked","apiKey":"web"}');
    const { code, err } = await cli.run("secrets", "set", "account-key");
    expect(code).toBe(1);
    expect(err).toContain("Firebase answered 400 INVALID_REFRESH_TOKEN");
    expect(secrets.value(`${pool}-account`)).toBeUndefined();
  });
});

it("stores no model key where Amazon Bedrock is asked, and says why", async () => {
  cli.aws.settings = {
    inference: { provider: "bedrock", model: "openai.gpt-6-luna" },
    pools: [{ name: pool, kind: "user" }],
  };
  giveInput(cli, "sk-another");
  const { code, err } = await cli.run("secrets", "set", "model-key");
  expect(code).toBe(1);
  expect(err).toContain(
    "This stack stores no model key: the processor's role signs its requests to Amazon Bedrock (inference.provider).",
  );
});

describe("secrets set runner-keys", () => {
  const set = async (text: string) => {
    giveInput(cli, text);
    return cli.run("secrets", "set", "runner-keys");
  };

  it("stores the first keys", async () => {
    expect((await set("one.secret-of-one")).out).toBe(
      "Tried and stored: runner-keys, version 00000000-0000-4000-8000-000000000001.\n",
    );
    expect(secrets.value(`${pool}-keys`)).toBe('{"keys":["one.secret-of-one"],"retired":[],"instances":[]}');
  });

  it("keeps the keys that running jobs were leased with, however often it is set", async () => {
    await set("key-1.secret-of-one");
    await cli.addRun({ runId: "01JCZ9V5W3X8K2M4N6P8Q0R2S4", pool, leasedAtMs: now - 30_000 });
    Object.assign(cli.edges, { newId: () => "a".repeat(36) });
    await set("two.secret-of-two");
    Object.assign(cli.edges, { newId: () => "b".repeat(36) });
    await set('["three.secret-of-three"]');
    const value = JSON.parse(secrets.value(`${pool}-keys`) ?? "");
    expect(value.keys).toEqual(["three.secret-of-three"]);
    expect(value.retired).toEqual(["two.secret-of-two", "key-1.secret-of-one"]);
    expect(secrets.stages(`${pool}-keys`)).toEqual({
      STUDIO_RUNNER_CLI: "b".repeat(36),
      AWSCURRENT: "b".repeat(36),
      AWSPREVIOUS: "a".repeat(36),
    });
  });

  it("names the keys that Studio refuses by their id, and stores none", async () => {
    web.refusedKeys.add("two");
    const { code, out, err } = await set('["one.secret-of-one","two.secret-of-two"]');
    expect(code).toBe(1);
    expect(err).toContain("Studio refuses the runner key two.");
    expect(out + err).not.toContain("secret-of");
    expect(secrets.value(`${pool}-keys`)).toBeUndefined();
  });
});
