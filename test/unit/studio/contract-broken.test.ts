import { describe, expect, it } from "vitest";
import { startHttpServer } from "../../support/http-server.ts";
import { answerTo, calls, context, createFixture, rejectionOf, type RouteName } from "./helpers.ts";

const signIn = "<html><head><title>Sign in</title></head></html>";
const shape = "a body of the wrong shape:";
const expected = "Invalid input: expected";

describe("studio_contract", () => {
  it.each<readonly [string, RouteName, unknown, string]>([
    ["an empty lease answer", "lease", "", "an empty body"],
    ["text", "lease", "OK", "a body that is not JSON"],
    ["an HTML page", "lease", signIn, 'an HTML page titled "Sign in" in the place of JSON'],
    ["an HTML page for a completion", "complete", "<html></html>", "an HTML page in the place of JSON"],
    ["a lease answer without `leased`", "lease", {}, `${shape} leased: Invalid discriminator value`],
    [
      "a lease without a workspace",
      "lease",
      { leased: true, leaseExpiresAt: 1_700_000_600_000, workspace: {} },
      `${shape} workspaceId: ${expected} string, received undefined`,
    ],
    ["a context that is no object", "context", [], `${shape} the whole: ${expected} object, received array`],
    [
      "a context with a wrong message",
      "context",
      { ...context, recentMessages: [{ id: 1, role: "user", text: "x", createdAtMs: 1 }] },
      `${shape} recentMessages.0.id: ${expected} string, received number`,
    ],
  ])("is reported for %s", async (_, name, body, what) => {
    const { server, studio } = await createFixture(() => ({ status: 200, body }));
    const error = await rejectionOf(calls[name](studio));
    expect(error).toMatchObject({ code: "studio_contract", status: 200, retryable: false });
    expect(String(error)).toContain(` answered 200 with ${what}`);
    expect(server.requests).toHaveLength(name === "context" ? 2 : 1);
  });

  it.each([301, 302, 307, 308])("is reported for a %i, which is not followed", async (status) => {
    const elsewhere = await startHttpServer(() => ({ body: { leased: false } }));
    const headers = { location: `${elsewhere.baseUrl}/login?token=abc` };
    const { studio } = await createFixture(() => ({ status, headers }));
    const error = await rejectionOf(calls.lease(studio));
    await elsewhere.close();
    expect(error).toMatchObject({ code: "studio_contract", status, retryable: false });
    expect(String(error)).toContain(`a redirect to ${elsewhere.baseUrl}, which is not followed`);
    expect(elsewhere.requests).toHaveLength(0);
  });
});

it("a small answer that would expand to fill the memory is not parsed", async () => {
  const pad = Array.from({ length: 1_100_000 }, () => ({}));
  const answer = answerTo("context", { body: { ...context, pad } });
  await expect(answer).rejects.toMatchObject({ code: "answer_too_long", retryable: false });
});

describe("an answer of more than 8 MiB", () => {
  it("fails with answer_too_long and is not read to its end", async () => {
    let sent = 0;
    const answer = answerTo("context", {
      raw: (response) => {
        const chunk = Buffer.alloc(1024 * 1024, 0x20);
        const more = (): void => {
          while (sent < 64 && !response.destroyed) {
            sent += 1;
            if (!response.write(chunk)) return void response.once("drain", more);
          }
        };
        more();
      },
    });
    await expect(answer).rejects.toMatchObject({ code: "answer_too_long", retryable: false });
    await expect(answer).rejects.toThrow("answered 200 with more than 8 MiB or a million fields");
    expect(sent).toBeLessThan(30);
  });
});
