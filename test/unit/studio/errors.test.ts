import { describe, expect, it } from "vitest";
import { RunnerError } from "../../../lib/core/errors.ts";
import { script } from "../../support/http-server.ts";
import { calls, createScene, rejectionOf, type RouteName } from "./helpers.ts";

const jobRoutes: readonly RouteName[] = ["context", "heartbeat", "updateSummary", "complete", "fail"];
const adminRoutes: readonly RouteName[] = [
  "createRunnerInstance",
  "revokeRunnerInstance",
  "renameRunnerInstance",
];

describe("a refusal's meaning", () => {
  const table: readonly (readonly [readonly RouteName[], number, string])[] = [
    ...[403, 404, 409, 410, 412].map((status) => [jobRoutes, status, "lease_lost"] as const),
    [jobRoutes, 401, "key_refused"],
    [jobRoutes, 400, "studio_rejected"],
    [jobRoutes, 413, "studio_rejected"],
    [["lease"], 401, "key_refused"],
    [["lease"], 403, "key_refused"],
    ...[400, 404, 409, 410, 412].map((status) => [["lease"] as const, status, "studio_rejected"] as const),
    [adminRoutes, 401, "key_refused"],
    [adminRoutes, 403, "key_refused"],
    [adminRoutes, 404, "studio_rejected"],
  ];
  const rows = table.flatMap(([names, status, code]) => names.map((name) => ({ name, status, code })));

  it.each(rows)("$status on $name is $code, and final", async ({ name, status, code }) => {
    const { server, studio } = await createScene(() => ({ status, body: { error: "no" } }));
    await expect(calls[name](studio)).rejects.toMatchObject({ code, status, retryable: false });
    expect(server.requests).toHaveLength(1);
  });

  it.each([401, 403, 404, 410])(
    "a gateway's page with %i on a job's route says nothing about the lease or the key",
    async (status) => {
      const page = "<html><head><title>Access denied</title></head></html>";
      const { studio } = await createScene(() => ({ status, body: page }));
      for (const name of jobRoutes) {
        await expect(calls[name](studio)).rejects.toMatchObject({
          code: "studio_unavailable",
          retryable: true,
          status,
          message: expect.stringContaining(`answered ${status} with an HTML page titled "Access denied"`),
        });
      }
    },
  );

  it.each([408, 429, 500, 502, 503, 504, 599])("%i means try again", async (status) => {
    const { studio } = await createScene(() => ({ status }));
    for (const name of ["lease", "heartbeat", "createRunnerInstance"] as const) {
      await expect(calls[name](studio)).rejects.toMatchObject({
        code: "studio_unavailable",
        status,
        retryable: true,
      });
    }
  });

  it("speaks of the account token on the management routes", async () => {
    const { studio } = await createScene(script({ status: 403, body: { error: "forbidden" } }));
    await expect(calls.createRunnerInstance(studio)).rejects.toThrow(
      "Studio refused the account token (expired, or its account may not do this): sign in again: POST /createRunnerInstance answered 403: forbidden",
    );
  });

  it.each([
    ["5", 5_000],
    ["0", 0],
    ["Tue, 14 Nov 2023 22:13:50 GMT", 30_000],
    ["soon", undefined],
  ])("carries Retry-After %s", async (header, retryAfterMs) => {
    const { studio } = await createScene(script({ status: 429, headers: { "retry-after": header } }));
    await expect(calls.heartbeat(studio)).rejects.toMatchObject({ retryAfterMs });
  });
});

const message = async (body: unknown, headers: Readonly<Record<string, string>> = {}): Promise<string> => {
  const { studio } = await createScene(script({ status: 400, headers, body }));
  const error = await rejectionOf(calls.complete(studio));
  return error instanceof RunnerError ? error.message : "";
};

describe("the words of a refusal", () => {
  it("are the API's error and detail", async () => {
    expect(await message({ error: "invalid_payload", detail: { field: "files", max: 24 } })).toBe(
      'Studio rejected the request: POST /completeWorkspaceJob answered 400: invalid_payload: {"field":"files","max":24}',
    );
  });

  it("have the request's id, where there is one", async () => {
    expect(await message({ error: "bad" }, { "x-request-id": "req-5" })).toContain(
      "400 (request req-5): bad",
    );
    expect(await message({ error: "bad" }, { "x-cloud-trace-context": "t/1" })).toContain(
      "400 (request t/1): bad",
    );
  });

  it("are folded to one line and cut", async () => {
    const text = await message({ error: `a \n\t b${"c".repeat(5_000)}` });
    expect(text).toBe(
      `Studio rejected the request: POST /completeWorkspaceJob answered 400: a b${"c".repeat(297)}`,
    );
  });

  it.each([
    [
      "an HTML page's title",
      "<!DOCTYPE html><title>413 Too\nLarge</title>",
      ': an HTML page titled "413 Too Large"',
    ],
    ["nothing for plain text", "some proxy", ""],
    ["nothing for an empty body", "", ""],
    ["nothing for JSON of another shape", "[1]", ""],
    ["nothing for fields that are null", { error: null }, ""],
  ])("are %s", async (_, body, words) => {
    expect(await message(body)).toBe(
      `Studio rejected the request: POST /completeWorkspaceJob answered 400${words}`,
    );
  });
});
