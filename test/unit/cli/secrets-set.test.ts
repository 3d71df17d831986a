import { describe, expect, it } from "vitest";
import { giveInput } from "../../support/cli-keys.ts";
import { cli, expectRun, now, pool, runId, secrets, settle, setUpCli, web } from "./set-up.ts";

setUpCli({ rotation: {} });

const modelKey = "sk-model-key-of-the-test";

/** Runs the command with the text on standard input. */
const set = (name: string, text: string, code: number, ...texts: readonly string[]) => {
  giveInput(cli, text);
  return expectRun(`secrets set ${name}`, code, ...texts);
};

describe("secrets set", () => {
  it("tries a model key, stores it and prints the version, but not the key", async () => {
    const stored = "Tried and stored: model-key, version version-1.";
    const { out, err } = await set("model-key", `${modelKey}\n`, 0, stored);
    expect(secrets.value("model-key")).toBe(modelKey);
    expect(web.requests).toEqual(["GET /v1/models/gpt-6-luna"]);
    expect(out + err).not.toContain(modelKey);
  });

  it("prompts for the key at a terminal, with hidden input", async () => {
    giveInput(cli, undefined, modelKey);
    await expectRun("secrets set model-key", 0);
    expect(secrets.value("model-key")).toBe(modelKey);
  });

  it("rejects a value given as an argument, explains why, and does not print it", async () => {
    const { out, err } = await set(`model-key ${modelKey}`, "", 2, "A key is never given as an argument");
    expect(out + err).not.toContain(modelKey);
    expect(secrets.value("model-key")).toBeUndefined();
  });

  it.each([modelKey, `model-key --value=${modelKey}`])(
    "does not print a value that is given as the name or as an option: %s",
    async (words) => {
      const { out, err } = await set(words, "", 2);
      expect(out + err).not.toContain(modelKey);
    },
  );

  it.each([
    ["model-key", "", "Standard input has no value for the model key."],
    ["model-key", '"sk-quoted-key-123456"', 'The secret "model-key" is wrapped in quotes'],
    ["runner-keys", "no-dot-at-all", 'The secret "runner-keys" is not of the form credentialId.secret'],
    ["account-key", "{}", 'The secret "account-key"'],
  ])("rejects a malformed %s %j and stores nothing", async (name, text, message) => {
    await set(name, text, 2, message);
    expect(web.requests).toEqual([]);
    expect(secrets.value("model-key")).toBeUndefined();
  });

  it("does not store a model key that the provider refuses", async () => {
    web.refusedModelKeys.add(modelKey);
    const answer = await set("model-key --json", modelKey, 1);
    const message = "The model's provider at https://api.openai.com/v1 refuses this key.";
    expect(answer.error()).toEqual({ code: "refused", message, remedy: "Nothing was stored." });
    expect(secrets.value("model-key")).toBeUndefined();
  });

  it("stores a key without access to the model, and warns that jobs will fail", async () => {
    web.models.clear();
    const warning = 'it has no access to the model "gpt-6-luna" (inference.model): jobs will fail.';
    await set("model-key", modelKey, 1, warning);
    expect(secrets.value("model-key")).toBe(modelKey);
  });

  it("stores a key that could not be tried only with --no-try", async () => {
    web.silent.add("api.openai.com");
    await set("model-key", modelKey, 5, "at https://api.openai.com/v1 cannot be reached.", "--no-try");
    expect(secrets.value("model-key")).toBeUndefined();
    await set("model-key --no-try", modelKey, 0, "Stored without being tried");
    expect(secrets.value("model-key")).toBe(modelKey);
  });

  it.each([
    { workloadIdentity: { identityProviderId: "p", serviceAccountId: "s" } },
    { provider: "bedrock", model: "openai.gpt-6-luna" },
  ])("stores no model key with %j, and explains why", async (inference) => {
    settle({ inference });
    await set("model-key", modelKey, 1, "This stack stores no model key");
    expect(secrets.value("model-key")).toBeUndefined();
  });

  it("stores the account key with the refresh token that Firebase renewed", async () => {
    web.renewed = "newer";
    await set("account-key", '{"refreshToken":"older","apiKey":"web"}', 0);
    expect(secrets.value(`${pool}-account`)).toBe('{"refreshToken":"newer","apiKey":"web"}');
  });

  it("does not store an account key that cannot sign in", async () => {
    const text = '{"refreshToken":"revoked","apiKey":"web"}';
    await set("account-key", text, 1, "Firebase answered 400 INVALID_REFRESH_TOKEN");
    expect(secrets.value(`${pool}-account`)).toBeUndefined();
  });

  it("tries and stores the first runner keys", async () => {
    const version = "00000000-0000-4000-8000-000000000001";
    await set("runner-keys", "one.secret-of-one", 0, `Tried and stored: runner-keys, version ${version}.`);
    expect(secrets.value(`${pool}-keys`)).toBe('{"keys":["one.secret-of-one"],"retired":[],"instances":[]}');
  });

  it("retires replaced runner keys and keeps the one a running job was leased with", async () => {
    await set("runner-keys", "key-1.secret-of-one", 0);
    await cli.addRun({ runId, pool, leasedAtMs: now - 30_000 });
    Object.assign(cli.edges, { newId: () => "a".repeat(36) });
    await set("runner-keys", "two.secret-of-two", 0);
    Object.assign(cli.edges, { newId: () => "b".repeat(36) });
    await set("runner-keys", '["three.secret-of-three"]', 0);
    const value = JSON.parse(secrets.value(`${pool}-keys`) ?? "");
    expect(value.keys).toEqual(["three.secret-of-three"]);
    expect(value.retired).toEqual(["two.secret-of-two", "key-1.secret-of-one"]);
    const [newest, before] = ["b".repeat(36), "a".repeat(36)];
    const stages = { STUDIO_RUNNER_CLI: newest, AWSCURRENT: newest, AWSPREVIOUS: before };
    expect(secrets.stages(`${pool}-keys`)).toEqual(stages);
  });

  it("stores no runner keys when Studio refuses one, and names the refused key by its id", async () => {
    web.refusedKeys.add("two");
    const text = '["one.secret-of-one","two.secret-of-two"]';
    const { out, err } = await set(
      "runner-keys",
      text,
      1,
      "Studio at https://cloud.xenonflare.com refuses the runner key two.",
    );
    expect(out + err).not.toContain("secret-of");
    expect(secrets.value(`${pool}-keys`)).toBeUndefined();
  });
});
