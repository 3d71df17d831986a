import { describe, expect, it, onTestFinished } from "vitest";
import { createSecretsClient, createSecretStore } from "../../../lib/adapters/secrets-manager.ts";
import { anyone } from "../../support/aws.ts";
import { script, startHttpServer, type Reply } from "../../support/http-server.ts";

async function scene(...replies: readonly Reply[]) {
  const server = await startHttpServer(script(...replies));
  onTestFinished(() => server.close());
  const store = createSecretStore(createSecretsClient(anyone(server.baseUrl)));
  const asked = () => ({
    action: server.requests[0]?.headers["x-amz-target"],
    body: server.requests[0]?.json(),
  });
  return { store, asked };
}

const refusal = (type: string, message: string): Reply => ({
  status: 400,
  headers: { "content-type": "application/x-amz-json-1.1" },
  body: JSON.stringify({ __type: type, message, Message: message }),
});

const noValue = refusal(
  "ResourceNotFoundException",
  "Secrets Manager can't find the specified secret value for staging label: AWSPREVIOUS",
);

describe("reading", () => {
  it("gives the value of a stage", async () => {
    const { store, asked } = await scene({ body: { SecretString: "a.1" } });
    expect(await store.readStage("keys", "AWSPREVIOUS")).toBe("a.1");
    expect(asked().body).toEqual({ SecretId: "keys", VersionStage: "AWSPREVIOUS" });
  });

  it("gives the value of a version", async () => {
    const { store, asked } = await scene({ body: { SecretString: "a.1" } });
    expect(await store.readVersion("keys", "v1")).toBe("a.1");
    expect(asked().body).toEqual({ SecretId: "keys", VersionId: "v1" });
  });

  it("gives nothing where no version has the stage, or a value", async () => {
    const { store } = await scene(noValue, noValue);
    expect(await store.readStage("keys", "AWSPREVIOUS")).toBeUndefined();
    expect(await store.readVersion("keys", "v1")).toBeUndefined();
  });

  it("tells a secret that is not there from one without such a version", async () => {
    const { store } = await scene(
      refusal("ResourceNotFoundException", "Secrets Manager can't find the specified secret."),
    );
    await expect(store.readStage("keys", "AWSPREVIOUS")).rejects.toMatchObject({ code: "secret_missing" });
  });

  it("gives the version that carries each stage", async () => {
    const VersionIdsToStages = { v1: ["AWSPREVIOUS"], v2: ["AWSCURRENT", "AWSPENDING"] };
    const { store } = await scene({ body: { VersionIdsToStages } });
    expect(await store.stages("keys")).toEqual({
      AWSPREVIOUS: "v1",
      AWSCURRENT: "v2",
      AWSPENDING: "v2",
    });
  });
});

describe("writing", () => {
  const versionId = "v".repeat(32);

  it("stores a pending version under its own id", async () => {
    const { store, asked } = await scene({ body: {} });
    expect(await store.putStaged("keys", { versionId, text: "a.1", stage: "AWSPENDING" })).toBe("stored");
    expect(asked()).toEqual({
      action: "secretsmanager.PutSecretValue",
      body: {
        SecretId: "keys",
        SecretString: "a.1",
        ClientRequestToken: versionId,
        VersionStages: ["AWSPENDING"],
      },
    });
  });

  it("says when that version has another value", async () => {
    const { store } = await scene(refusal("ResourceExistsException", "already in use"));
    expect(await store.putStaged("keys", { versionId, text: "a.1", stage: "AWSPENDING" })).toBe("taken");
  });

  it("moves a stage, or takes it off", async () => {
    const { store, asked } = await scene({ body: {} });
    await store.moveStage("keys", { stage: "AWSCURRENT", to: "v2", from: "v1" });
    expect(asked()).toEqual({
      action: "secretsmanager.UpdateSecretVersionStage",
      body: {
        SecretId: "keys",
        VersionStage: "AWSCURRENT",
        MoveToVersionId: "v2",
        RemoveFromVersionId: "v1",
      },
    });
  });

  it.each([
    ["putStaged", "written", "PutSecretValue"],
    ["moveStage", "rotated", "UpdateSecretVersionStage"],
    ["stages", "described", "DescribeSecret"],
  ] as const)("%s names the right that is missing", async (method, done, right) => {
    const { store } = await scene(refusal("AccessDeniedException", "no"));
    const calls = {
      putStaged: () => store.putStaged("keys", { versionId, text: "Zq7.secret", stage: "AWSPENDING" }),
      moveStage: () => store.moveStage("keys", { stage: "AWSCURRENT", to: "v2" }),
      stages: () => store.stages("keys"),
    };
    await expect(calls[method]()).rejects.toMatchObject({
      code: "secrets_unavailable",
      message: `the secret "keys" may not be ${done}; the role needs secretsmanager:${right} on it (and kms:Decrypt, if it has a key of its own)`,
    });
  });
});

it("repeats a write whose answer was lost as the same version, so that the older value stays the previous one", async () => {
  const tokens: unknown[] = [];
  const server = await startHttpServer((request) => {
    tokens.push(Object(request.json()).ClientRequestToken);
    return tokens.length === 1 ? { raw: (response) => response.destroy() } : { body: {} };
  });
  onTestFinished(() => server.close());
  await createSecretStore(createSecretsClient(anyone(server.baseUrl))).put("keys", "b.2");
  expect(tokens).toEqual([expect.stringMatching(/^[0-9a-f-]{36}$/), tokens[0]]);
});
