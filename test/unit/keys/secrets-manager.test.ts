import { describe, expect, it, onTestFinished } from "vitest";
import type { ErrorCode } from "../../../lib/core/errors.ts";
import {
  createSecretsClient,
  createSecretSource,
  type SecretSource,
} from "../../../lib/adapters/secrets-manager.ts";
import { anyone } from "../../support/aws.ts";
import {
  script,
  startHttpServer,
  type Answerer,
  type HttpServer,
  type Reply,
} from "../../support/http-server.ts";

interface Scene {
  readonly source: SecretSource;
  readonly server: HttpServer;
}

/** An error as the service words it (AWS JSON 1.1). */
const refusal = (type: string, message: string, status = 400): Reply => ({
  status,
  headers: { "content-type": "application/x-amz-json-1.1" },
  body: JSON.stringify({ __type: type, message, Message: message }),
});

const put = "aws secretsmanager put-secret-value --secret-id studio/keys --secret-string file:///dev/stdin";

interface ServiceFailure {
  readonly what: string;
  readonly reply: Reply;
  readonly code: ErrorCode;
  readonly retryable: boolean;
  readonly message: string;
}

const troubles: readonly ServiceFailure[] = [
  {
    what: "a secret that does not exist",
    reply: refusal("ResourceNotFoundException", "Secrets Manager can't find the specified secret."),
    code: "secret_missing",
    retryable: false,
    message: `there is no secret "studio/keys" in this account and region; check the name, or create it and set it: ${put}`,
  },
  {
    what: "a secret without a value",
    reply: refusal(
      "ResourceNotFoundException",
      "Secrets Manager can't find the specified secret value for staging label: AWSCURRENT",
    ),
    code: "secret_missing",
    retryable: false,
    message: `the secret "studio/keys" exists but has no value yet; set it: ${put}`,
  },
  {
    what: "a secret marked for deletion",
    reply: refusal(
      "InvalidRequestException",
      "You can't perform this operation on the secret because it was marked for deletion.",
    ),
    code: "secret_missing",
    retryable: false,
    message:
      'the secret "studio/keys" is marked for deletion; keep it: aws secretsmanager restore-secret --secret-id studio/keys',
  },
  {
    what: "a role without the right",
    reply: refusal("AccessDeniedException", "User is not authorized"),
    code: "secrets_unavailable",
    retryable: false,
    message:
      'the secret "studio/keys" may not be read; the role needs secretsmanager:GetSecretValue on it (and kms:Decrypt, if it has a key of its own)',
  },
  {
    what: "a KMS key in the way",
    reply: refusal("DecryptionFailure", "cannot decrypt"),
    code: "secrets_unavailable",
    retryable: false,
    message: 'the secret "studio/keys" cannot be decrypted; check its KMS key',
  },
  {
    what: "wrong credentials",
    reply: refusal("UnrecognizedClientException", "The security token included in the request is invalid."),
    code: "secrets_unavailable",
    retryable: false,
    message: 'the secret "studio/keys" was not read: the AWS credentials are missing, expired or wrong',
  },
  {
    what: "another refusal",
    reply: refusal("InvalidParameterException", "no"),
    code: "secrets_unavailable",
    retryable: false,
    message: 'the secret "studio/keys" was not read: Secrets Manager answered InvalidParameterException',
  },
  {
    what: "throttling",
    reply: refusal("ThrottlingException", "Rate exceeded"),
    code: "secrets_unavailable",
    retryable: true,
    message: 'the secret "studio/keys" was not read: Secrets Manager is throttling',
  },
  {
    what: "a fault of the service",
    reply: refusal("InternalServiceError", "oops", 500),
    code: "secrets_unavailable",
    retryable: true,
    message: 'the secret "studio/keys" was not read: Secrets Manager answered InternalServiceError',
  },
  {
    what: "a page in the place of an answer",
    reply: { status: 503, body: "<html>busy</html>" },
    code: "secrets_unavailable",
    retryable: true,
    message: 'the secret "studio/keys" was not read: Secrets Manager answered ',
  },
  {
    what: "a cut connection",
    reply: { raw: (response) => response.destroy() },
    code: "secrets_unavailable",
    retryable: true,
    message: 'the secret "studio/keys" was not read: Secrets Manager is out of reach (ECONNRESET)',
  },
];

async function createScene(answer: Answerer, maxAttempts = 1): Promise<Scene> {
  const server = await startHttpServer(answer);
  onTestFinished(() => server.close());
  const client = createSecretsClient({ ...anyone(server.baseUrl), maxAttempts });
  return { source: createSecretSource(client), server };
}

describe("a value", () => {
  it("reads a secret's text by its name", async () => {
    const { source, server } = await createScene(script({ body: { Name: "x", SecretString: "cred-1.abc" } }));
    expect(await source.read("studio/keys")).toBe("cred-1.abc");
    expect(server.requests[0]?.headers["x-amz-target"]).toBe("secretsmanager.GetSecretValue");
    expect(server.requests[0]?.json()).toEqual({ SecretId: "studio/keys" });
  });

  it("refuses a binary secret", async () => {
    const { source } = await createScene(script({ body: { Name: "x", SecretBinary: "AAEC" } }));
    await expect(source.read("studio/keys")).rejects.toMatchObject({
      code: "secret_malformed",
      message: `the secret "studio/keys" is binary; store it as text: ${put}`,
    });
  });
});

describe("trouble", () => {
  it.each(troubles)("tells $what", async ({ reply, code, retryable, message }) => {
    const { source, server } = await createScene(() => reply);
    const said = { message: expect.stringContaining(message) };
    await expect(source.read("studio/keys")).rejects.toMatchObject({ code, retryable, ...said });
    expect(server.requests).toHaveLength(1);
  });

  it("tells that nothing listens", async () => {
    const { source, server } = await createScene(() => ({}));
    await server.close();
    await expect(source.read("studio/keys")).rejects.toMatchObject({
      code: "secrets_unavailable",
      retryable: true,
      message: 'the secret "studio/keys" was not read: Secrets Manager is out of reach (ECONNREFUSED)',
    });
  });

  it("repeats a fault of the service", async () => {
    const { source, server } = await createScene(
      script(refusal("InternalServiceError", "oops", 500), { body: { SecretString: "cred-1.abc" } }),
      2,
    );
    expect(await source.read("studio/keys")).toBe("cred-1.abc");
    expect(server.requests).toHaveLength(2);
  });

  it("rejects with the reason of an abort", async () => {
    const { source, server } = await createScene(() => ({ raw: () => undefined }));
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
});

it("lets a bug out as it is", async () => {
  const bug = new TypeError("x is not a function");
  const client = createSecretsClient({
    region: "eu-central-1",
    credentials: () => Promise.reject(bug),
  });
  await expect(createSecretSource(client).read("studio/keys")).rejects.toBe(bug);
});
