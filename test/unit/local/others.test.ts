import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { RunnerError } from "../../../lib/core/errors.ts";
import { nameHolder, refuseHeldFolder } from "../../../local/others.ts";

const folder = mkdtempSync(join(tmpdir(), "npm-start-others-"));
afterAll(() => rmSync(folder, { recursive: true }));

const nowMs = 1_800_000_000_000;
const running = { pid: 7, endpointUrl: "http://127.0.0.1:5001", studioUrl: "http://127.0.0.1:4400" };

describe("the folder of another npm start", () => {
  const refused = (file: object, ports: { readonly isAlive: boolean; readonly answers: boolean }) => {
    writeFileSync(join(folder, "stack.json"), JSON.stringify(file));
    return refuseHeldFolder(folder, {
      pid: 8,
      nowMs,
      isAlive: () => ports.isAlive,
      answers: async () => ports.answers,
    });
  };
  const advice = "Stop it, or start this one with --state-dir FOLDER and --port NUMBER";

  it.each([
    ["that serves", running, `process 7, at http://127.0.0.1:4400. ${advice}`],
    ["that is starting", { pid: 7, startedAtMs: nowMs - 5_000 }, `process 7, still starting. ${advice}`],
  ])("%s is refused, with its process, its page and the flags", async (_, file, words) => {
    await expect(refused(file, { isAlive: true, answers: true })).rejects.toThrow(
      `another npm start uses the folder ${folder}: ${words}`,
    );
  });

  it.each([
    ["whose process has ended", running, { isAlive: false, answers: true }],
    ["whose process id another program has now", running, { isAlive: true, answers: false }],
    [
      "that crashed long ago while it was starting",
      { pid: 7, startedAtMs: nowMs - 3_600_000 },
      { isAlive: true, answers: true },
    ],
    ["with an unreadable file", {}, { isAlive: true, answers: true }],
  ])("%s is free", async (_, file, ports) => {
    await expect(refused(file, ports)).resolves.toBeUndefined();
  });
});

describe("a port that is in use", () => {
  const taken = new RunnerError("config_invalid", "port 4400 is in use", {
    cause: Object.assign(new Error("listen"), { code: "EADDRINUSE" }),
  });
  const info = { model: { kind: "canned", name: "offline-canned" }, leaseMs: 60_000 };

  it.each([
    ["another npm start", info, "by another npm start, at http://127.0.0.1:4400"],
    ["another program", { hello: "world" }, "by another program"],
  ])("by %s is named with it and the flag", async (_, answer, who) => {
    expect(await nameHolder(taken, 4400, async () => answer)).toMatchObject({
      code: "config_invalid",
      message: `port 4400 is already in use ${who}. Choose another one with --port, such as --port 4401`,
    });
  });

  it("does not change other errors", async () => {
    const other = new RunnerError("config_invalid", "something else");
    expect(await nameHolder(other, 4400, async () => info)).toBe(other);
  });
});
