import { inspect } from "node:util";
import { describe, expect, it } from "vitest";
import { toRunnerError } from "../../../lib/core/errors.ts";
import { Secret } from "../../../lib/core/secret.ts";
import type { Reply } from "../../support/http-server.ts";
import { accountToken, answerTo, calls, createFixture, jobCall, rejectionOf, runnerKey } from "./helpers.ts";

/** Every way in which a call can fail. Studio echoes the credential wherever it can. */
type Failure = readonly [string, (key: string) => Reply];
const failures: readonly Failure[] = [
  ...[400, 401, 403, 404, 409, 429, 500].map((status): Failure => [
    `a ${status} that echoes`,
    (key) => ({
      status,
      headers: { "x-request-id": key },
      body: { error: `bad key ${key}`, detail: { authorization: `Bearer ${key}` } },
    }),
  ]),
  ["an echoing HTML page", (key) => ({ body: `<html><title>${key}</title>${key}</html>` })],
  ["echoing text", (key) => ({ body: key.repeat(3) })],
  ["echoing JSON of a wrong shape", (key) => ({ body: { leased: key, recentText: key } })],
  ["an echoing redirect", (key) => ({ status: 302, headers: { location: `https://${key}.example/${key}` } })],
  ["a cut connection", () => ({ raw: (response) => response.destroy() })],
  [
    "an answer that is not HTTP",
    (key) => ({ raw: (answer) => answer.socket?.end(`HTTP/9.9 ${key}\r\n\r\n`) }),
  ],
];

/** Everything of an error that a log could show. */
function everythingOf(error: unknown): string {
  const runnerError = toRunnerError(error);
  const properties = JSON.stringify(runnerError, Object.getOwnPropertyNames(runnerError));
  return [inspect(error, { depth: 10 }), JSON.stringify(error), properties, runnerError.stack].join("\n");
}

describe("an error", () => {
  it.each(failures)("shows no credential after %s on a job route", async (_, reply) => {
    for (const name of ["lease", "context", "complete"] as const) {
      const shown = everythingOf(await rejectionOf(answerTo(name, reply(runnerKey)).then(orAccepted)));
      expect(shown).toContain("POST /");
      expect(shown).not.toContain("s3cr3t-of-the-runner");
    }
  });

  it.each(failures)("shows no credential after %s on a management route", async (_, reply) => {
    const shown = everythingOf(await rejectionOf(answerTo("createRunnerInstance", reply(accountToken))));
    expect(shown).toContain("POST /createRunnerInstance");
    expect(shown).not.toContain("account-claims");
    expect(shown).not.toContain("account-signature");
  });

  it.each([
    ["a line break", "cred-7.s3cr3t-of\nthe-runner"],
    ["a letter beyond ASCII", "cred-7.s3cr3t-ofé-the-runner"],
    ["no characters", ""],
  ])("shows no credential when the key contains %s, and nothing is sent", async (_, key) => {
    const { server, studio } = await createFixture(() => ({}));
    const call = { ...jobCall(), key: { id: "cred-7", value: new Secret(key) } };
    const error = await rejectionOf(studio.lease(call));
    expect(error).toMatchObject({ code: "key_refused", retryable: false });
    expect(everythingOf(error)).not.toContain("s3cr3t");
    expect(server.requests).toHaveLength(0);
  });
});

describe("an error thrown by fetch", () => {
  it("shows no credential that its cause contains", async () => {
    const cause = Object.assign(new Error("reset"), { code: "ECONNRESET", request: `Bearer ${runnerKey}` });
    const wrapFetch = () => () => Promise.reject(new TypeError("fetch failed", { cause }));
    const { studio } = await createFixture(() => ({}), { wrapFetch });
    const error = await rejectionOf(calls.lease(studio));
    expect(error).toMatchObject({ code: "studio_unavailable" });
    expect(error).not.toHaveProperty("cause.cause");
    expect(everythingOf(error)).toContain("ECONNRESET, the connection was cut");
    expect(everythingOf(error)).not.toContain("s3cr3t-of-the-runner");
  });

  it("shows no credential that its message contains", async () => {
    const bug = new TypeError(`cannot send ${runnerKey}`);
    const wrapFetch = () => () => Promise.reject(bug);
    const { studio } = await createFixture(() => ({}), { wrapFetch });
    const error = await rejectionOf(calls.lease(studio));
    expect(error).toMatchObject({ code: "internal", retryable: false });
    expect(everythingOf(error)).toContain(
      "POST /leaseWorkspaceJob failed with an error that cannot be shown",
    );
    expect(everythingOf(error)).not.toContain("s3cr3t-of-the-runner");
  });
});

/** A completion accepts any JSON and so may succeed, which counts as an error without a credential. */
function orAccepted(value: unknown): never {
  throw new Error(`POST / was accepted: ${String(value)}`);
}
