import { chmodSync, chownSync, mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { parseSettings } from "../../../infra/settings.ts";
import { makeFolder } from "../../../local/folder.ts";
import { workspaceLabel } from "../../../local/narrate.ts";
import { parseOptions } from "../../../local/options.ts";
import { settingsOf } from "../../../local/local-settings.ts";

const folder = mkdtempSync(join(tmpdir(), "npm-start-"));
afterAll(() => rmSync(folder, { recursive: true }));

const model = { name: "offline-canned", summaryName: "offline-canned", store: true };
const addresses = { studio: "http://127.0.0.1:4400", model: "http://127.0.0.1:4500" };

describe("the flags of npm start", () => {
  it.each([
    [[], undefined, undefined],
    [
      ["--daily-cap", "2.50", "--feed", "http://127.0.0.1:9000/latest.json"],
      2.5,
      { feedUrl: "http://127.0.0.1:9000/latest.json" },
    ],
  ])("%j set the daily cap %j and the release feed %j", (flags, dailyCapUsd, updates) => {
    const options = parseOptions(flags, {});
    if (options === "help") throw new Error("no help was asked for");
    const settings = parseSettings(settingsOf(options, { model, addresses }));
    expect(settings.pools[0]?.dailyCapUsd).toBe(dailyCapUsd);
    expect(settings.updates).toEqual(updates);
  });

  it.each([
    ["--daily-cap", "0", '--daily-cap takes US dollars from 0.01 to 1000000, not "0"'],
    ["--daily-cap", "much", '--daily-cap takes US dollars from 0.01 to 1000000, not "much"'],
    [
      "--feed",
      "releases",
      '--feed takes an https:// address (http:// only for this machine), not "releases"',
    ],
    ["--feed", "http://example.com/x", "--feed takes an https:// address"],
  ])("%s %s are rejected", (flag, value, message) => {
    expect(() => parseOptions([flag, value], {})).toThrow(message);
  });
});

describe("the state folder", () => {
  const modeOf = (name: string): number => statSync(join(folder, name)).mode & 0o777;

  it("is created with its parent folders, readable by its owner only", () => {
    makeFolder(join(folder, "own/deep/state"));
    expect(makeFolder(join(folder, "own/deep/state"))).toBeUndefined();
    expect(modeOf("own/deep/state")).toBe(0o700);
  });

  it("is restricted to its owner, with a notice, when an earlier version left it open to others", () => {
    const path = join(folder, "left");
    makeFolder(path);
    chmodSync(path, 0o755);
    for (const name of ["stack.json", "studio.sqlite", "studio.sqlite-wal", "cdk.out"])
      writeFileSync(join(path, name), "");
    expect(makeFolder(path)).toBe(
      `The folder ${path} was open to other users of this machine. It is now restricted to you.`,
    );
    expect(modeOf("left")).toBe(0o700);
    expect(makeFolder(path)).toBeUndefined();
  });

  it("is rejected unchanged when it is open to others and contains other files", () => {
    const path = join(folder, "shared");
    makeFolder(path);
    chmodSync(path, 0o755);
    writeFileSync(join(path, "stack.json"), "");
    writeFileSync(join(path, "holiday.jpg"), "");
    expect(() => makeFolder(path)).toThrow(
      `the folder ${path} is open to other users of this machine, and contains files that are not the runner's. ` +
        `Close it with chmod 700 ${path}, or name another with --state-dir`,
    );
    expect(modeOf("shared")).toBe(0o755);
  });

  const isRoot = process.getuid?.() === 0;
  it.skipIf(!isRoot)("is rejected when it belongs to another user (only root can test this)", () => {
    const path = join(folder, "foreign");
    makeFolder(path);
    chownSync(path, 65_534, 65_534);
    expect(() => makeFolder(path)).toThrow(
      `the folder ${path} belongs to another user. Name another with --state-dir`,
    );
  });
});

describe("a workspace in the output of npm start", () => {
  it.each([
    ["Quarterly numbers", "Quarterly numbers"],
    ["A title that goes on for much longer than a line has", "A title that goes on for m…"],
    [undefined, "workspace 0f8fad5b…"],
    ["  \n ", "workspace 0f8fad5b…"],
    ["two\nlines", "two lines"],
  ])("with the name %j is shown as %s", (title, label) => {
    expect(workspaceLabel("0f8fad5b-d9cb-469f-a165-70867728950e", title)).toBe(label);
  });
});
