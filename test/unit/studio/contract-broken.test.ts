import { describe, expect, it } from "vitest";
import { startHttpServer } from "../../support/http-server.ts";
import { calls, context, createScene, rejectionOf, type RouteName } from "./helpers.ts";

interface Breach {
  readonly case: string;
  readonly name: RouteName;
  readonly body: unknown;
  readonly what: string;
}

const breaches: readonly Breach[] = [
  { case: "an empty lease answer", name: "lease", body: "", what: "an empty body" },
  { case: "text", name: "lease", body: "OK", what: "a body that is not JSON" },
  {
    case: "an HTML page",
    name: "lease",
    body: "<html><head><title>Sign in</title></head></html>",
    what: 'an HTML page titled "Sign in" in the place of JSON',
  },
  {
    case: "an HTML page for a completion",
    name: "complete",
    body: "<html></html>",
    what: "an HTML page in the place of JSON",
  },
  {
    case: "a lease without its word",
    name: "lease",
    body: {},
    what: "a body of the wrong shape: leased: Invalid discriminator value",
  },
  {
    case: "a lease without a workspace",
    name: "lease",
    body: { leased: true, leaseExpiresAt: 1_700_000_600_000, workspace: {} },
    what: "a body of the wrong shape: workspaceId: Invalid input: expected string, received undefined",
  },
  {
    case: "no object",
    name: "context",
    body: [],
    what: "a body of the wrong shape: the whole: Invalid input: expected object, received array",
  },
  {
    case: "a context with a wrong message",
    name: "context",
    body: { ...context, recentMessages: [{ id: 1, role: "user", text: "x", createdAtMs: 1 }] },
    what: "a body of the wrong shape: recentMessages.0.id: Invalid input: expected string, received number",
  },
];

describe("a broken contract", () => {
  it.each(breaches)("is $case", async ({ name, body, what }) => {
    const { server, studio } = await createScene(() => ({ status: 200, body }));
    const error = await rejectionOf(calls[name](studio));
    expect(error).toMatchObject({ code: "studio_contract", status: 200, retryable: false });
    expect(String(error)).toContain(` answered 200 with ${what}`);
    expect(server.requests).toHaveLength(name === "context" ? 2 : 1);
  });

  it.each([301, 302, 307, 308])("is a %i, which is not followed", async (status) => {
    const elsewhere = await startHttpServer(() => ({ body: { leased: false } }));
    const headers = { location: `${elsewhere.baseUrl}/login?token=abc` };
    const { studio } = await createScene(() => ({ status, headers }));
    const error = await rejectionOf(calls.lease(studio));
    await elsewhere.close();
    expect(error).toMatchObject({ code: "studio_contract", status, retryable: false });
    expect(String(error)).toContain(`a redirect to ${elsewhere.baseUrl}, which is not followed`);
    expect(elsewhere.requests).toHaveLength(0);
  });
});

describe("an answer that is small, but would fill the memory", () => {
  it("is not parsed", async () => {
    const body = JSON.stringify({ ...context, pad: [] }).replace(
      '"pad":[]',
      `"pad":[${"{},".repeat(1_100_000)}{}]`,
    );
    const { studio } = await createScene(() => ({ body }));
    await expect(calls.context(studio)).rejects.toMatchObject({ code: "answer_too_long", retryable: false });
  });
});

describe("an answer of more than 8 MiB", () => {
  it("is too long, and is not read to its end", async () => {
    let sent = 0;
    const { studio } = await createScene(() => ({
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
    }));
    await expect(calls.context(studio)).rejects.toMatchObject({
      code: "answer_too_long",
      retryable: false,
      message: expect.stringContaining(
        "/getWorkspaceRunnerContext answered 200 with more than 8 MiB or a million fields",
      ) as unknown,
    });
    expect(sent).toBeLessThan(30);
  });
});
