import { beforeEach, describe, expect, it } from "vitest";
import { cli, expectRun, settle, setUpCli } from "./set-up.ts";

setUpCli();

describe("check-update", () => {
  const feedUrl = "https://example.com/releases/latest";
  beforeEach(() => {
    settle({ updates: { feedUrl } });
    cli.aws.version = "0.2.0";
  });
  const feed = (body: unknown, init?: ResponseInit) => {
    cli.fetch = () => Promise.resolve(new Response(JSON.stringify(body), init));
  };

  it.each<readonly [what: string, body: object, state: string, exit: number]>([
    ["a newer version of the feed", { version: "0.3.0", url: feedUrl }, "update_available", 1],
    ["a newer GitHub release", { tag_name: "v1.0.0", html_url: feedUrl }, "update_available", 1],
    ["the same version", { version: "0.2.0" }, "up_to_date", 0],
    ["an older version", { version: "0.1.9" }, "up_to_date", 0],
  ])("compares the deployed version with %s", async (_, body, state, exit) => {
    feed(body);
    const { json } = await expectRun("check-update --json", exit);
    expect(json()).toMatchObject({ state, deployed: "0.2.0" });
  });

  it("prints the available version and its address", async () => {
    feed({ tag_name: "v0.3.0", html_url: "https://github.com/r" });
    const available = "Version 0.3.0 is available (deployed: 0.2.0). https://github.com/r\n";
    await expectRun("check-update", 1, available);
  });

  it("is disabled when no feed is set", async () => {
    settle({});
    const { json } = await expectRun("check-update --json", 0);
    expect(json()).toEqual({ state: "disabled", deployed: "0.2.0" });
  });

  const broken = () => Promise.reject(new TypeError("fetch failed"));
  const silent = () => new Promise<never>(() => undefined);
  const odd = "The release feed holds neither { version, url } nor a GitHub release.";
  it.each<readonly [what: string, prepare: () => void, message: string]>([
    ["an HTTP error", () => feed({}, { status: 503 }), "The release feed answered with HTTP 503."],
    ["another shape", () => feed({ name: "x" }), odd],
    ["a malformed version", () => feed({ version: "newest" }), odd],
    ["no network", () => void (cli.fetch = broken), "The release feed could not be read: fetch failed."],
    ["no answer in time", () => void (cli.fetch = silent), "the release feed took longer than 5000 ms."],
  ])("exits with 5 on %s", async (_, prepare, message) => {
    prepare();
    const answer = await expectRun("check-update --json", 5);
    expect(answer.error()).toMatchObject({ code: "check_failed", message: expect.stringContaining(message) });
  });
});
