import { inspect } from "node:util";
import { expect, onTestFinished, test } from "vitest";
import { createHttp } from "../../../lib/adapters/http.ts";
import { RunnerError } from "../../../lib/core/errors.ts";
import { createModelClient } from "../../../lib/model/client.ts";
import { createOpenAiModel } from "../../../lib/model/openai.ts";
import type { ModelTurn } from "../../../lib/model/model.ts";
import { hangUp, noAnswer, script, startHttpServer, type Reply } from "../../support/http-server.ts";
import { apiError, completed, message, stream } from "../../support/model-replies.ts";
import { never, quickClock, request, thrownBy } from "./support.ts";

const token = (value: string): Reply => ({
  body: { access_token: value, issued_token_type: "x", token_type: "Bearer", expires_in: 3_600 },
});
const fine = stream(completed(message("Hi")));
const refused = apiError(401, { message: "Expired" });

/** A model client whose provider answers token exchanges and rounds like this. */
async function fixture(tokens: readonly Reply[], answers = [fine, fine]) {
  const tokenServer = await startHttpServer(script(...tokens));
  const api = await startHttpServer(script(...answers));
  const http = createHttp();
  onTestFinished(async () => {
    await http.close();
    await api.close();
    await tokenServer.close();
  });
  const identity = {
    identityProviderId: "idp_1",
    serviceAccountId: "svc_1",
    subjectToken: async () => "aws-Zq7",
    tokenUrl: `${tokenServer.baseUrl}/oauth/token`,
  };
  const client = createModelClient({ http, credential: { identity }, baseUrl: `${api.baseUrl}/v1` });
  const ask = (signal = never): Promise<ModelTurn> =>
    createOpenAiModel({ client, clock: quickClock([]), random: () => 0 }).generate(request, { signal });
  return {
    ask,
    tokens: tokenServer.requests,
    sent: () => api.requests.map(({ headers }) => headers.authorization),
  };
}

test("an identity is exchanged for a token in the documented form", async () => {
  const { ask, tokens, sent } = await fixture([token("one")]);
  expect((await ask()).text).toBe("Hi");
  expect(tokens[0]?.path).toBe("/oauth/token");
  expect(tokens[0]?.json()).toEqual({
    grant_type: "urn:ietf:params:oauth:grant-type:token-exchange",
    subject_token_type: "urn:ietf:params:oauth:token-type:jwt",
    subject_token: "aws-Zq7",
    identity_provider_id: "idp_1",
    service_account_id: "svc_1",
  });
  expect(sent()).toEqual(["Bearer one"]);
});

test("concurrent requests share one token exchange", async () => {
  const { ask, tokens } = await fixture([token("one")]);
  await Promise.all([ask(), ask()]);
  expect(tokens).toHaveLength(1);
});

test("a token that the provider refuses is replaced with a new exchange", async () => {
  const { ask, sent } = await fixture([token("one"), token("two")], [refused, fine]);
  expect((await ask()).text).toBe("Hi");
  expect(sent()).toEqual(["Bearer one", "Bearer two"]);
});

test("waiting for an exchange ends when the caller aborts", async () => {
  const { ask } = await fixture([noAnswer]);
  const attempt = new AbortController();
  const waiting = ask(attempt.signal);
  attempt.abort(new Error("attempt over"));
  await expect(waiting).rejects.toThrow("attempt over");
});

test.each([
  [{ status: 401, body: { error: "invalid_grant" } }, "model_key_refused"],
  [{ status: 403, body: { error: { code: "mapping_not_found" } } }, "model_key_refused"],
  [{ status: 302, headers: { location: "/sign-in" } }, "model_key_refused"],
  [{ status: 429 }, "model_unavailable"],
  [{ status: 503 }, "model_unavailable"],
  [hangUp, "model_unavailable"],
  [{ body: "<html>" }, "model_contract"],
  [{ body: { access_token: "with a\nline" } }, "model_contract"],
  [{ body: { pad: "x".repeat(70_000), access_token: "one" } }, "model_contract"],
] as const satisfies readonly (readonly [Reply, string])[])(
  "an exchange answered with %j fails with %s, and the error does not contain the token",
  async (reply, code) => {
    const { ask } = await fixture([reply, reply, reply, reply, reply]);
    const error = await thrownBy(ask());
    expect(error).toBeInstanceOf(RunnerError);
    expect(error).toMatchObject({ code, retryable: code === "model_unavailable" });
    expect(inspect(error, { depth: 10 })).not.toContain("Zq7");
  },
);

test("an identity that the provider refuses is reported with the settings to check", async () => {
  const { ask } = await fixture([{ status: 401, body: { error: "invalid_grant" } }]);
  await expect(ask()).rejects.toMatchObject({
    message:
      "the model's provider refused our identity (HTTP 401, code invalid_grant); check identityProviderId, serviceAccountId and audience in the settings, and their mapping there",
  });
});
