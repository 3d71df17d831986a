import { inspect } from "node:util";
import { describe, expect, it, onTestFinished } from "vitest";
import { RunnerError } from "../../../lib/core/errors.ts";
import { signIn } from "../../../lib/rotation/sign-in.ts";
import { createFakeClock } from "../../support/fake-clock.ts";
import { script, startHttpServer, type Reply } from "../../support/http-server.ts";

const account = '{"refreshToken":"refresh-Zq7","apiKey":"api-Zq7","note":"ops"}';
const signedIn = (refreshToken: string): Reply => ({
  body: { id_token: "id-1", refresh_token: refreshToken, expires_in: "3600", token_type: "Bearer" },
});

const threeTimes = (reply: Reply): readonly Reply[] => [reply, reply, reply];

async function fixture(secret: string, ...replies: readonly Reply[]) {
  const server = await startHttpServer(script(...replies));
  onTestFinished(() => server.close());
  const stored: string[] = [];
  const clock = { ...createFakeClock(), sleep: async () => undefined };
  // The time limit of a call never expires here.
  const patient = {
    ...clock,
    sleep: (ms: number) => (ms === 15_000 ? new Promise<void>(() => undefined) : clock.sleep()),
  };
  const attempt = signIn({
    secrets: { read: async () => secret, put: async (_id, text) => void stored.push(text) },
    fetch,
    clock: patient,
    random: () => 0,
    secretId: "account",
    baseUrl: server.baseUrl,
  });
  return { attempt, stored, server };
}

describe("signing in", () => {
  it("exchanges the refresh token in the form that Firebase expects", async () => {
    const { attempt, stored, server } = await fixture(account, signedIn("refresh-Zq7"));
    expect((await attempt).reveal()).toBe("id-1");
    expect(server.requests[0]).toMatchObject({
      method: "POST",
      path: "/v1/token?key=api-Zq7",
      body: "grant_type=refresh_token&refresh_token=refresh-Zq7",
    });
    expect(server.requests[0]?.headers["content-type"]).toBe("application/x-www-form-urlencoded");
    expect(stored).toEqual([]);
  });

  it("stores a renewed refresh token, and leaves the rest of the secret unchanged", async () => {
    const { attempt, stored } = await fixture(account, signedIn("refresh-2"));
    await attempt;
    expect(stored).toEqual(['{"refreshToken":"refresh-2","apiKey":"api-Zq7","note":"ops"}']);
  });

  it("retries when Firebase is not available", async () => {
    const { attempt, server } = await fixture(account, { status: 503 }, signedIn("refresh-Zq7"));
    expect((await attempt).reveal()).toBe("id-1");
    expect(server.requests).toHaveLength(2);
  });

  it("explains what to do when the token is refused, with Firebase's code", async () => {
    const body = { error: { code: 400, message: "TOKEN_EXPIRED", status: "INVALID_ARGUMENT" } };
    const { attempt } = await fixture(account, { status: 400, body });
    await expect(attempt).rejects.toMatchObject({
      code: "sign_in_refused",
      message:
        'the account key in the secret "account" is refused: Firebase answered 400 TOKEN_EXPIRED; sign in to Studio again and store the new refresh token',
    });
  });

  it.each([
    ["stays down", threeTimes({ status: 500 }), "sign_in_unavailable"],
    ["answers something else", [{ body: { hello: "world" } }], "sign_in_refused"],
    ["cuts the connection", threeTimes({ raw: (response) => response.destroy() }), "sign_in_unavailable"],
    ["echoes a token", [{ status: 400, body: { error: { message: "no refresh-Zq7" } } }], "sign_in_refused"],
  ] as const)("reveals no secret when Firebase %s", async (_, replies, code) => {
    const { attempt } = await fixture(account, ...replies);
    const error: unknown = await attempt.catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(RunnerError);
    expect(error).toMatchObject({ code });
    expect(inspect(error, { depth: 10 })).not.toContain("Zq7");
  });

  it.each(["", "refresh-Zq7", '{"refreshToken":"refresh-Zq7"}', '{"refreshToken":"","apiKey":"api-Zq7"}'])(
    "refuses the malformed secret %j without repeating any of it",
    async (secret) => {
      const { attempt } = await fixture(secret);
      await expect(attempt).rejects.toMatchObject({
        code: "secret_malformed",
        message: 'the secret "account" is not of the form { "refreshToken": "…", "apiKey": "…" }',
      });
    },
  );
});
