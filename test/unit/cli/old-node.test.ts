import { spawnSync } from "node:child_process";
import { resolve } from "node:path";
import { expect, it } from "vitest";

const program = resolve(import.meta.dirname, "../../../bin/studio-runner.js");

/** Starts the program of the package, in a Node that says it is of another version. */
function startIn(version: string, ...argv: readonly string[]) {
  const pretend = `Object.defineProperty(process, "versions", { value: { ...process.versions, node: "${version}" } })`;
  const node = ["--import", `data:text/javascript,${encodeURIComponent(pretend)}`];
  return spawnSync(process.execPath, [...node, program, ...argv], { encoding: "utf8" });
}

it.each(["9.11.2", "22.18.0"])("studio-runner says in Node %s that it is too old", (version) => {
  const { status, stderr } = startIn(version, "status");
  expect(stderr).toBe(
    `Error: studio-runner needs Node 22.19 or newer, and this is ${version}.\nInstall Node 24, which the functions run on too.\n`,
  );
  expect(status).toBe(2);
});
