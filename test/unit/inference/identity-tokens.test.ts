import { inspect } from "node:util";
import { describe, expect, it, onTestFinished } from "vitest";
import { RunnerError } from "../../../lib/errors.ts";
import { createIdentityTokens } from "../../../lib/inference/identity-tokens.ts";
import { createFakeClock } from "../../support/fake-clock.ts";
import { script, startHttpServer, type Reply } from "../../support/http-server.ts";

const token = (value: string, expires_in = 3_600): Reply => ({
  body: { access_token: value, issued_token_type: "x", token_type: "Bearer", expires_in },
});

async function scene(...replies: readonly Reply[]) {
  const server = await startHttpServer(script(...replies));
  onTestFinished(() => server.close());
  const clock = createFakeClock(1_000);
  const tokens = createIdentityTokens({
    fetch,
    clock,
    identityProviderId: "idp_1",
    serviceAccountId: "svc_1",
    tokenUrl: `${server.baseUrl}/oauth/token`,
    subjectToken: async () => "aws-Zq7",
  });
  return { tokens, clock, server };
}

describe("the identity's token", () => {
  it("is exchanged as the provider documents it", async () => {
    const { tokens, server } = await scene(token("one"));
    expect((await tokens.get()).reveal()).toBe("one");
    expect(server.requests[0]?.path).toBe("/oauth/token");
    expect(server.requests[0]?.json()).toEqual({
      grant_type: "urn:ietf:params:oauth:grant-type:token-exchange",
      subject_token_type: "urn:ietf:params:oauth:token-type:jwt",
      subject_token: "aws-Zq7",
      identity_provider_id: "idp_1",
      service_account_id: "svc_1",
    });
  });

  it("is used for half of its life", async () => {
    const { tokens, clock } = await scene(token("one"), token("two"));
    await tokens.get();
    await clock.advance(1_799_999);
    expect((await tokens.get()).reveal()).toBe("one");
    await clock.advance(1);
    expect((await tokens.get()).reveal()).toBe("two");
  });

  it("is not looked for in an answer of more than 64 kB", async () => {
    const body = { pad: "x".repeat(70_000), access_token: "one" };
    const { tokens } = await scene({ body });
    await expect(tokens.get()).rejects.toMatchObject({ code: "model_contract" });
  });

  it.each([1e300, -1, "soon", null])(
    "is taken to live for an hour when its life is said to be %s",
    async (life) => {
      const { tokens, clock } = await scene(
        { body: { access_token: "one", expires_in: life } },
        token("two"),
      );
      await tokens.get();
      await clock.advance(1_799_999);
      expect((await tokens.get()).reveal()).toBe("one");
      await clock.advance(1);
      expect((await tokens.get()).reveal()).toBe("two");
    },
  );

  it("is exchanged once for all who wait for it", async () => {
    const { tokens, server } = await scene(token("one"));
    await Promise.all([tokens.get(), tokens.get(), tokens.refresh()]);
    expect(server.requests).toHaveLength(1);
  });

  it("is exchanged anew after a refusal", async () => {
    const { tokens } = await scene(token("one"), token("two"));
    await tokens.get();
    expect((await tokens.refresh()).reveal()).toBe("two");
    expect((await tokens.get()).reveal()).toBe("two");
  });

  it("is not waited for beyond the caller's signal", async () => {
    const { tokens } = await scene({ raw: () => undefined });
    const leg = new AbortController();
    const waiting = tokens.get(leg.signal);
    leg.abort(new Error("leg over"));
    await expect(waiting).rejects.toThrow("leg over");
  });
});

describe("trouble", () => {
  it.each([
    [{ status: 401, body: { error: "invalid_grant" } }, "model_key_refused", false],
    [{ status: 403, body: { error: { code: "mapping_not_found" } } }, "model_key_refused", false],
    [{ status: 429 }, "model_unavailable", true],
    [{ status: 503 }, "model_unavailable", true],
    [{ raw: (response) => response.destroy() }, "model_unavailable", true],
    [{ body: "<html>" }, "model_contract", false],
    [{ body: { access_token: "with a space" } }, "model_contract", false],
  ] as const satisfies readonly (readonly [Reply, string, boolean])[])(
    "%j is told as %s",
    async (reply, code, retryable) => {
      const { tokens } = await scene(reply);
      const error: unknown = await tokens.get().catch((thrown: unknown) => thrown);
      expect(error).toBeInstanceOf(RunnerError);
      expect(error).toMatchObject({ code, retryable });
      expect(inspect(error, { depth: 10 })).not.toContain("Zq7");
    },
  );

  it("says what to look at when the identity is not known there", async () => {
    const { tokens } = await scene({ status: 401, body: { error: "invalid_grant" } });
    await expect(tokens.get()).rejects.toMatchObject({
      message:
        "the model's provider refused our identity (HTTP 401, code invalid_grant); check identityProviderId, serviceAccountId and audience in the settings, and their mapping there",
    });
  });
});
