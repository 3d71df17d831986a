import { execFileSync } from "node:child_process";
import { expect, it } from "vitest";
import { expectRun, setUpCli } from "./set-up.ts";

setUpCli();

/** What bash offers after these words; the last one is being typed. */
async function complete(...typed: readonly string[]): Promise<readonly string[]> {
  const { out: script } = await expectRun("completion bash", 0);
  const words = `COMP_WORDS=(studio-runner ${typed.map((word) => `'${word}'`).join(" ")}); COMP_CWORD=${typed.length}`;
  const offered = execFileSync("bash", [
    "-c",
    `${script}\n${words}\n_studio_runner; echo "\${COMPREPLY[@]}"`,
  ]);
  return offered.toString().trim().split(" ");
}

it.each([
  [["st"], ["status"]],
  [["help", "cl"], ["clear-backoff"]],
  [["help", "secrets", ""], ["set"]],
  [["help", "jobs", ""], [""]],
  [["secrets", ""], ["set"]],
  [["secrets", "set", "m"], ["model-key"]],
  [["jobs", "--li"], ["--limit"]],
  [["jobs", "--state", "c"], ["completed"]],
  [
    ["--pool", "europe", "jobs", "--limit", "5", "--state", "l"],
    ["leased", "lost"],
  ],
  [
    ["completion", ""],
    ["bash", "zsh", "fish"],
  ],
  [["jobs", "--limit", ""], [""]],
])("bash completes %j with %j", async (typed, offered) => {
  expect((await complete(...typed)).slice(0, offered.length)).toEqual(offered);
});

it.each([
  ["zsh", "compdef _studio_runner studio-runner", '"jobs --state") choices="leased running'],
  [
    "fish",
    "complete -c studio-runner -n __fish_use_subcommand -a status -d",
    "-l state -x -a 'leased running",
  ],
])("completion %s prints a script with commands and choices", async (shell, ...texts) => {
  const { out } = await expectRun(`completion ${shell}`, 0);
  for (const text of texts) expect(out).toContain(text);
});

it("completion names the shells that it has a script for", async () => {
  await expectRun("completion tcsh", 2, "SHELL: Give one of: bash, zsh, fish.");
});
