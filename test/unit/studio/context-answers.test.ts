import { describe, expect, it } from "vitest";
import { script } from "../../support/http-server.ts";
import { context, createFixture, jobCall, rejectionOf } from "./helpers.ts";

const misshapen = { ...context, recentText: 7 };

describe("a context call that is answered 200 with a wrong body", () => {
  it.each([
    ["a proxy's page", "<!doctype html><html><head><title>Welcome</title></head></html>", "an HTML page"],
    ["cut JSON", JSON.stringify(context).slice(0, 100), "a body that is not JSON"],
    ["an empty body", "", "an empty body"],
    ["a text", "OK", "a body that is not JSON"],
  ])("fails with a retryable error when the body is %s", async (_, body, words) => {
    const { server, studio } = await createFixture(script({ body }));
    const error = await rejectionOf(studio.context(jobCall()));
    expect(error).toMatchObject({ code: "studio_unavailable", retryable: true, status: 200 });
    expect(String(error)).toContain(words);
    expect(server.requests).toHaveLength(1);
  });

  it("is repeated once when the body breaks the schema, and returns the second answer", async () => {
    const { server, studio } = await createFixture(script({ body: misshapen }, { body: context }));
    expect(await studio.context(jobCall())).toMatchObject({ recentText: "Hello" });
    expect(server.requests).toHaveLength(2);
  });

  it("fails with studio_contract when the second body breaks the schema too", async () => {
    const { server, studio } = await createFixture(script({ body: misshapen }, { body: misshapen }));
    const error = await rejectionOf(studio.context(jobCall()));
    expect(error).toMatchObject({ code: "studio_contract", retryable: false });
    expect(String(error)).toContain("recentText: Invalid input: expected string, received number");
    expect(server.requests).toHaveLength(2);
  });

  it("fails with a retryable error when the repeated call meets an outage", async () => {
    const { studio } = await createFixture(
      script({ body: misshapen }, { status: 503 }, { body: misshapen }, { body: context }),
    );
    expect(await rejectionOf(studio.context(jobCall()))).toMatchObject({ retryable: true });
    expect(await studio.context(jobCall())).toMatchObject({ recentText: "Hello" });
  });

  it("is not repeated once the caller has aborted", async () => {
    const leaving = new AbortController();
    const { server, studio } = await createFixture(() => {
      leaving.abort("gone");
      return { body: misshapen };
    });
    expect(await rejectionOf(studio.context(jobCall(leaving.signal)))).toBe("gone");
    expect(server.requests).toHaveLength(1);
  });
});
