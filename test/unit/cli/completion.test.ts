import { execFileSync, spawnSync } from "node:child_process";
import { describe, expect, it } from "vitest";
import { expectRun, setUpCli } from "./set-up.ts";

setUpCli();

type Shell = "bash" | "zsh" | "fish";

/** A script for each shell that prints what it offers after these words, the last of which is being typed. */
const askers: Readonly<Record<Shell, (script: string, typed: readonly string[]) => string>> = {
  bash: (script, typed) => `${script}
COMP_WORDS=(studio-runner ${typed.map(quoted).join(" ")}); COMP_CWORD=${typed.length}
_studio_runner; echo "\${COMPREPLY[@]}"`,
  // Only zsh's line editor calls the functions of its completion, so they are replaced here.
  zsh: (script, typed) => `compdef() { }; compadd() { shift; print -r -- "$@" }; _files() { print folders }
${script}
words=(studio-runner ${typed.map(quoted).join(" ")}); CURRENT=${typed.length + 1}; _studio_runner`,
  fish: (script, typed) => `${script}
complete -C ${quoted(["studio-runner", ...typed].join(" "))} | string split -f1 \\t; true`,
};
const quoted = (word: string): string => `'${word}'`;

const isInstalled = (shell: Shell): boolean => spawnSync(shell, ["-c", ":"]).error === undefined;

/** The offered words that begin as the last one does: zsh selects them itself. */
async function complete(shell: Shell, typed: readonly string[]): Promise<readonly string[]> {
  const { out: script } = await expectRun(`completion ${shell}`, 0);
  const offered = execFileSync(shell, ["-c", askers[shell](script, typed)], { stdio: "pipe" }).toString();
  const last = typed.at(-1) ?? "";
  return offered.split(/\s+/).filter((word) => word !== "" && word.startsWith(last));
}

const lines: readonly (readonly [typed: readonly string[], offered: readonly string[]])[] = [
  [["st"], ["status"]],
  [["--pool", "europe", "st"], ["status"]],
  [["--ve"], ["--version"]],
  [["help", "cl"], ["clear-backoff"]],
  [["help", "secrets", ""], ["set"]],
  [["secrets", ""], ["set"]],
  [
    ["secrets", "set", ""],
    ["account-key", "model-key", "runner-keys"],
  ],
  [["secrets", "set", "--n"], ["--no-try"]],
  [["secrets", "set", "model-key", "r"], []],
  [["jobs", "--li"], ["--limit"]],
  [["explain", "set"], []],
  [["init", "--polling", "e"], ["economy"]],
  [
    ["--pool", "europe", "jobs", "--limit", "5", "--state", "l"],
    ["leased", "lost"],
  ],
  [
    ["completion", ""],
    ["bash", "fish", "zsh"],
  ],
  [["jobs", "--limit", ""], []],
];

describe.each(["bash", "zsh", "fish"] as const)("completion in %s", (shell) => {
  it.skipIf(!isInstalled(shell)).each(lines)(
    `after %j offers %j (skipped where ${shell} is not installed)`,
    async (typed, offered) => {
      expect((await complete(shell, typed)).toSorted()).toEqual(offered);
    },
  );
});

it("completion names the shells that it has a script for", async () => {
  await expectRun("completion tcsh", 2, "SHELL: Give one of: bash, zsh, fish.");
});
