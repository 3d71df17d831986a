import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { removeStackFile, writeStackFile } from "../../../local/stack-file.ts";

const folder = mkdtempSync(join(tmpdir(), "stack-file-"));
afterAll(() => rmSync(folder, { recursive: true }));

const file = {
  stackName: "Local",
  region: "us-east-1",
  endpointUrl: "http://127.0.0.1:1",
  credentials: { accessKeyId: "LOCAL1", secretAccessKey: "s" },
  pid: 11,
};

describe("the stack file", () => {
  it("replaces the file of an earlier run", async () => {
    await writeStackFile(folder, { ...file, pid: 10 });
    await writeStackFile(folder, { ...file, studioUrl: "http://127.0.0.1:2" });

    expect(readdirSync(folder)).toEqual(["stack.json"]);
    expect(JSON.parse(readFileSync(join(folder, "stack.json"), "utf8"))).toEqual({
      ...file,
      studioUrl: "http://127.0.0.1:2",
    });
  });

  it("is readable by its owner only, even when it replaces a file that others could read", async () => {
    writeFileSync(join(folder, "stack.json"), "{}", { mode: 0o644 });
    writeFileSync(join(folder, "stack.json.11"), "{}", { mode: 0o644 });
    await writeStackFile(folder, file);
    expect(statSync(join(folder, "stack.json")).mode & 0o777).toBe(0o600);
    expect(readdirSync(folder)).toEqual(["stack.json"]);
  });

  it("is removed only by the process that wrote it", async () => {
    await removeStackFile(folder, 10);
    expect(existsSync(join(folder, "stack.json"))).toBe(true);
    await removeStackFile(folder, 11);
    expect(existsSync(join(folder, "stack.json"))).toBe(false);
    await removeStackFile(folder, 11);
  });
});
