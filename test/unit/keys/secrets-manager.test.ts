import { describe, expect, it, onTestFinished } from "vitest";
import {
  createSecretsClient,
  createSecretSource,
  createSecretStore,
} from "../../../lib/adapters/secrets-manager.ts";
import { anyone } from "../../support/aws.ts";
import { script, startHttpServer, type Answerer, type Reply } from "../../support/http-server.ts";

async function fixture(answer: Answerer) {
  const server = await startHttpServer(answer);
  onTestFinished(() => server.close());
  const client = createSecretsClient({ ...anyone(server.baseUrl), maxAttempts: 1 });
  const asked = () => ({
    action: server.requests[0]?.headers["x-amz-target"],
    body: server.requests[0]?.json(),
  });
  return { source: createSecretSource(client), store: createSecretStore(client), server, asked };
}

/** An error in the service's format (AWS JSON 1.1). */
const refusal = (type: string, message: string): Reply => ({
  status: type === "InternalServiceError" ? 500 : 400,
  headers: { "content-type": "application/x-amz-json-1.1" },
  body: JSON.stringify({ __type: type, message, Message: message }),
});
const missing = (what: string): Reply =>
  refusal("ResourceNotFoundException", `Secrets Manager can't find the specified ${what}`);

const set = "aws secretsmanager put-secret-value --secret-id studio/keys --secret-string file:///dev/stdin";

describe("the source of a secret", () => {
  it("reads the secret's text by its name", async () => {
    const { source, asked } = await fixture(script({ body: { Name: "x", SecretString: "cred-1.abc" } }));
    expect(await source.read("studio/keys")).toBe("cred-1.abc");
    expect(asked()).toEqual({ action: "secretsmanager.GetSecretValue", body: { SecretId: "studio/keys" } });
  });

  it.each<readonly [string, Reply, string, string]>([
    [
      "the secret does not exist",
      missing("secret."),
      "secret_missing",
      `the secret "studio/keys" has no value, or does not exist in this account and region; set it: ${set} (AWS: Secrets Manager can't find the specified secret.)`,
    ],
    [
      "the secret has no value",
      missing("secret value for staging label: AWSCURRENT"),
      "secret_missing",
      `the secret "studio/keys" has no value, or does not exist in this account and region; set it: ${set} (AWS: Secrets Manager can't find the specified secret value for staging label: AWSCURRENT)`,
    ],
    [
      "the secret is marked for deletion",
      refusal("InvalidRequestException", "You can't do this: the secret was marked for deletion."),
      "secret_missing",
      `the state of the secret "studio/keys" does not allow this; if it is marked for deletion, keep it: aws secretsmanager restore-secret --secret-id studio/keys (AWS: You can't do this: the secret was marked for deletion.)`,
    ],
    [
      "the secret is binary",
      { body: { Name: "x", SecretBinary: "AAEC" } },
      "secret_malformed",
      `the secret "studio/keys" is binary; store it as text: ${set}`,
    ],
    [
      "the role lacks the permission",
      refusal("AccessDeniedException", "User is not authorized"),
      "secrets_unavailable",
      'the secret "studio/keys" may not be read; the role needs secretsmanager:GetSecretValue on it (and kms:Decrypt, if it has a key of its own) (AWS: User is not authorized)',
    ],
    [
      "the KMS key prevents decryption",
      refusal("DecryptionFailure", "cannot decrypt"),
      "secrets_unavailable",
      'the secret "studio/keys" cannot be decrypted; check its KMS key (AWS: cannot decrypt)',
    ],
    [
      "the credentials are wrong",
      refusal("UnrecognizedClientException", "The security token included in the request is invalid."),
      "secrets_unavailable",
      'the secret "studio/keys" was not read: the AWS credentials are missing, expired or wrong (AWS: The security token included in the request is invalid.)',
    ],
    [
      "the signature is refused",
      refusal(
        "InvalidSignatureException",
        "Signature expired: 20261130T100000Z is now earlier than 20261130T101500Z",
      ),
      "secrets_unavailable",
      'the secret "studio/keys" was not read: AWS refused the signature; check the clock, and whether the secret access key belongs to the access key ID (AWS: Signature expired: 20261130T100000Z is now earlier than 20261130T101500Z)',
    ],
    [
      "the service refuses for another reason",
      refusal("InvalidParameterException", "no"),
      "secrets_unavailable",
      'the secret "studio/keys" was not read: Secrets Manager answered InvalidParameterException',
    ],
  ])("reports that %s", async (_, reply, code, message) => {
    const { source } = await fixture(() => reply);
    await expect(source.read("studio/keys")).rejects.toMatchObject({ code, retryable: false, message });
  });

  it.each<readonly [string, Reply, string]>([
    ["throttles", refusal("ThrottlingException", "Rate exceeded"), "is throttling"],
    ["fails", refusal("InternalServiceError", "oops"), "answered InternalServiceError"],
    ["cuts the connection", { raw: (response) => response.destroy() }, "is out of reach (ECONNRESET)"],
  ])("reports a retryable failure when the service %s", async (_, reply, words) => {
    const { source } = await fixture(() => reply);
    await expect(source.read("studio/keys")).rejects.toMatchObject({
      code: "secrets_unavailable",
      retryable: true,
      message: `the secret "studio/keys" was not read: Secrets Manager ${words}`,
    });
  });

  it("rejects with the reason of an abort, even of one before the call", async () => {
    const { source, server } = await fixture(() => ({ raw: () => undefined }));
    const caller = new AbortController();
    const value = source.read("studio/keys", caller.signal);
    const reason = new Error("attempt over");
    await Promise.all([
      expect(value).rejects.toBe(reason),
      server.received(1).then(() => caller.abort(reason)),
    ]);
    await expect(source.read("studio/keys", AbortSignal.abort(reason))).rejects.toBe(reason);
    expect(server.requests).toHaveLength(1);
  });

  it("throws the error of a bug unchanged", async () => {
    const bug = new TypeError("x is not a function");
    const client = createSecretsClient({ region: "eu-central-1", credentials: () => Promise.reject(bug) });
    await expect(createSecretSource(client).read("studio/keys")).rejects.toBe(bug);
  });
});

describe("the store, when reading,", () => {
  it("returns the value of a stage", async () => {
    const { store, asked } = await fixture(script({ body: { SecretString: "a.1" } }));
    expect(await store.readStage("keys", "AWSPREVIOUS")).toBe("a.1");
    expect(asked().body).toEqual({ SecretId: "keys", VersionStage: "AWSPREVIOUS" });
  });

  it("returns the value of a version", async () => {
    const { store, asked } = await fixture(script({ body: { SecretString: "a.1" } }));
    expect(await store.readVersion("keys", "v1")).toBe("a.1");
    expect(asked().body).toEqual({ SecretId: "keys", VersionId: "v1" });
  });

  it("returns undefined when no version has the stage or a value", async () => {
    const { store } = await fixture(() => missing("secret value for staging label: AWSPREVIOUS"));
    expect(await store.readStage("keys", "AWSPREVIOUS")).toBeUndefined();
    expect(await store.readVersion("keys", "v1")).toBeUndefined();
  });

  it("throws when the secret is marked for deletion", async () => {
    const { store } = await fixture(() => refusal("InvalidRequestException", "marked for deletion"));
    await expect(store.readStage("keys", "AWSPREVIOUS")).rejects.toMatchObject({ code: "secret_missing" });
  });

  it("returns the version of each stage", async () => {
    const VersionIdsToStages = { v1: ["AWSPREVIOUS"], v2: ["AWSCURRENT", "AWSPENDING"] };
    const { store } = await fixture(script({ body: { VersionIdsToStages } }));
    const stages = { AWSPREVIOUS: "v1", AWSCURRENT: "v2", AWSPENDING: "v2" };
    expect(await store.stages("keys")).toEqual(stages);
  });
});

describe("the store", () => {
  const versionId = "v".repeat(32);
  const pending = { versionId, text: "Zq7.secret", stage: "AWSPENDING" } as const;

  it("stores a pending version under its own id", async () => {
    const { store, asked } = await fixture(script({ body: {} }));
    expect(await store.putStaged("keys", pending)).toBe("stored");
    expect(asked()).toEqual({
      action: "secretsmanager.PutSecretValue",
      body: {
        SecretId: "keys",
        SecretString: "Zq7.secret",
        ClientRequestToken: versionId,
        VersionStages: ["AWSPENDING"],
      },
    });
  });

  it("reports when that version already has another value", async () => {
    const { store } = await fixture(script(refusal("ResourceExistsException", "already in use")));
    expect(await store.putStaged("keys", pending)).toBe("taken");
  });

  it("moves a stage from one version to another", async () => {
    const { store, asked } = await fixture(script({ body: {} }));
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
  ] as const)("names the permission that %s lacks", async (method, done, right) => {
    const { store } = await fixture(script(refusal("AccessDeniedException", "no")));
    const calls = {
      putStaged: () => store.putStaged("keys", pending),
      moveStage: () => store.moveStage("keys", { stage: "AWSCURRENT", to: "v2" }),
      stages: () => store.stages("keys"),
    };
    await expect(calls[method]()).rejects.toMatchObject({
      code: "secrets_unavailable",
      message: `the secret "keys" may not be ${done}; the role needs secretsmanager:${right} on it (and kms:Decrypt, if it has a key of its own) (AWS: no)`,
    });
  });

  it("reuses the token when it repeats a write whose answer was lost, so no version is added", async () => {
    const tokens: unknown[] = [];
    const server = await startHttpServer((request) => {
      tokens.push(Object(request.json()).ClientRequestToken);
      return tokens.length === 1 ? { raw: (response) => response.destroy() } : { body: {} };
    });
    onTestFinished(() => server.close());
    await createSecretStore(createSecretsClient(anyone(server.baseUrl))).put("keys", "b.2");
    expect(tokens).toEqual([expect.stringMatching(/^[0-9a-f-]{36}$/), tokens[0]]);
  });
});
