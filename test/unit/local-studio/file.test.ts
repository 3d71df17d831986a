import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { fullPayload, startFixture } from "./fixture.ts";

let folder: string;
let file: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "local-studio-"));
  file = join(folder, "deep", "studio.sqlite");
});
afterEach(() => rmSync(folder, { recursive: true }));

describe("the database file", () => {
  it("keeps threads, leases and keys across a restart", async () => {
    const first = await startFixture({ file });
    const done = first.studio.queueJob({ text: "done", title: "T" });
    await first.lease();
    await first.complete(done, fullPayload);
    const held = await first.leaseNew("held");
    const revoked = first.studio.createKey("user");
    first.studio.revokeKey(revoked.instanceId);
    const before = first.studio.snapshot();
    const detail = (await first.send(`/api/workspaces/${done}`)).json;
    await first.close();

    const second = await startFixture({ file });
    expect(second.studio.snapshot()).toEqual(before);
    expect((await second.send(`/api/workspaces/${done}`)).json).toEqual(detail);
    const heartbeat = await second.post("/heartbeatWorkspaceJob", { workspaceId: held }, first.userKey);
    expect(heartbeat.status).toBe(200);
    expect(await second.lease(revoked.runnerToken)).toEqual({ error: "the runner key is revoked" });
    await second.close();
  });

  it("does not contain the secret of a key", async () => {
    const fixture = await startFixture({ file });
    await fixture.lease();
    const [id = "", secret = ""] = fixture.userKey.split(".");
    await fixture.close();
    expect(readdirSync(join(folder, "deep"))).toEqual(["studio.sqlite"]);
    const bytes = readFileSync(file, "latin1");
    expect(bytes).toContain(id);
    expect(bytes).not.toContain(secret);
  });

  it("is readable by its owner only, even when others could read it before", async () => {
    const modes = () =>
      readdirSync(join(folder, "deep")).map((name) => statSync(join(folder, "deep", name)).mode & 0o777);
    const first = await startFixture({ file });
    first.studio.queueJob({ text: "one" });
    expect(modes()).toEqual([0o600, 0o600]);
    await first.close();
    chmodSync(file, 0o644);
    const second = await startFixture({ file });
    second.studio.queueJob({ text: "two" });
    expect(modes()).toEqual([0o600, 0o600]);
    await second.close();
  });
});

describe("startStudio fails", () => {
  it.each([
    ["text", "this is not a database"],
    ["a long text", "no database ".repeat(1_000)],
    ["half a header", "SQLite format 3\0"],
  ])("with %s in the file, which is left unchanged", async (_what, content) => {
    file = join(folder, "studio.sqlite");
    writeFileSync(file, content);
    await expect(startFixture({ file })).rejects.toMatchObject({
      code: "config_invalid",
      message: `${file} is not a SQLite file, or is damaged. Move it away or delete it, and start again: a new one is created`,
    });
    expect(readFileSync(file, "utf8")).toBe(content);
    expect(readdirSync(folder)).toEqual(["studio.sqlite"]);
  });

  it("with the database of another program", async () => {
    file = join(folder, "other.sqlite");
    const other = new DatabaseSync(file);
    other.exec("CREATE TABLE recipes (name TEXT); INSERT INTO recipes VALUES ('soup')");
    other.close();
    await expect(startFixture({ file })).rejects.toThrow(
      `${file} contains something other than a local Studio of version 1. Move it away or name another file`,
    );
    const again = new DatabaseSync(file);
    expect(again.prepare("SELECT name FROM recipes").get()).toEqual({ name: "soup" });
    again.close();
  });
});
