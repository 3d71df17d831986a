import { describe, expect, it } from "vitest";
import { RunnerError } from "../../../lib/core/errors.ts";
import type { Reply } from "../../support/http-server.ts";
import { answerTo, calls, createFixture, rejectionOf, type RouteName } from "./helpers.ts";

const jobRoutes: readonly RouteName[] = ["context", "heartbeat", "updateSummary", "complete", "fail"];
const adminRoutes = ["createRunnerInstance", "revokeRunnerInstance", "renameRunnerInstance"] as const;

describe("an error answer", () => {
  const table: readonly (readonly [readonly RouteName[], readonly number[], string])[] = [
    [jobRoutes, [403, 404, 409, 410, 412], "lease_lost"],
    [jobRoutes, [401], "key_refused"],
    [jobRoutes, [400, 413], "studio_rejected"],
    [["lease"], [401, 403], "key_refused"],
    [["lease"], [400, 404, 409, 410, 412], "studio_rejected"],
    [adminRoutes, [401, 403], "key_refused"],
    [adminRoutes, [404], "studio_rejected"],
  ];
  const rows = table.flatMap(([names, statuses, code]) =>
    names.flatMap((name) => statuses.map((status) => ({ name, status, code }))),
  );

  it.each(rows)("with $status on $name fails with $code at once", async ({ name, status, code }) => {
    const { server, studio } = await createFixture(() => ({ status, body: { error: "no" } }));
    await expect(calls[name](studio)).rejects.toMatchObject({ code, status, retryable: false });
    expect(server.requests).toHaveLength(1);
  });

  it.each([401, 403, 404, 410])(
    "with %i and a gateway's page on a job route is retryable, not a lost lease or a refused key",
    async (status) => {
      const page = "<html><head><title>Access denied</title></head></html>";
      const { studio } = await createFixture(() => ({ status, body: page }));
      const message = expect.stringContaining(`answered ${status} with an HTML page titled "Access denied"`);
      const outage = { code: "studio_unavailable", retryable: true, status, message };
      for (const name of jobRoutes) await expect(calls[name](studio)).rejects.toMatchObject(outage);
    },
  );

  it.each([408, 429, 500, 502, 503, 504, 599])("with %i is retryable", async (status) => {
    const { studio } = await createFixture(() => ({ status }));
    const outage = { code: "studio_unavailable", status, retryable: true };
    for (const name of ["lease", "heartbeat", "createRunnerInstance"] as const)
      await expect(calls[name](studio)).rejects.toMatchObject(outage);
  });

  it("with 403 on a management route names the account token", async () => {
    const reply = { status: 403, body: { error: "forbidden" } };
    await expect(answerTo("createRunnerInstance", reply)).rejects.toThrow(
      "Studio refused the account token (expired, or its account may not do this): sign in again: POST /createRunnerInstance answered 403: forbidden",
    );
  });

  it("carries the wait that Retry-After asks for", async () => {
    const reply = { status: 429, headers: { "retry-after": "5" } };
    await expect(answerTo("heartbeat", reply)).rejects.toMatchObject({ retryAfterMs: 5_000 });
  });
});

const message = async (reply: Reply): Promise<string> => {
  const error = await rejectionOf(answerTo("complete", { status: 400, ...reply }));
  return error instanceof RunnerError ? error.message : "";
};
const rejected = "Studio rejected the request: POST /completeWorkspaceJob answered 400";

describe("the message of an error answer", () => {
  it("contains the API's error and detail", async () => {
    const body = { error: "invalid_payload", detail: { field: "files", max: 24 } };
    expect(await message({ body })).toBe(`${rejected}: invalid_payload: {"field":"files","max":24}`);
  });

  it.each([
    ["x-request-id", "req-5"],
    ["x-cloud-trace-context", "t/1"],
  ])("contains the request id from the header %s", async (header, id) => {
    const text = await message({ headers: { [header]: id }, body: { error: "bad" } });
    expect(text).toBe(`${rejected} (request ${id}): bad`);
  });

  it("is folded to one line and cut to 300 characters", async () => {
    const text = await message({ body: { error: `a \n\t b${"c".repeat(5_000)}` } });
    expect(text).toBe(`${rejected}: a b${"c".repeat(297)}`);
  });
});
