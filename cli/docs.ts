import { writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { commandName } from "../infra/command-line.ts";
import { markdownTable } from "../infra/markdown-table.ts";
import type { Command } from "./command.ts";
import { commands } from "./commands.ts";
import { exits } from "./errors.ts";
import { asSentence } from "../lib/core/text.ts";
import { globalOptions } from "./global-options.ts";

/** The page docs/cli.md. */
export function renderCliDocs(rows: readonly Command[]): string {
  const list = rows.map(({ name, summary }) => [`[\`${name}\`](#${name.replaceAll(" ", "-")})`, summary]);
  const options = globalOptions.map(({ flags, meaning }) => [`\`${flags}\``, meaning]);
  const exitRows = Object.values(exits).map(({ code, meaning }) => [String(code), meaning]);
  const blocks = [
    "# The command line",
    "Written by `npm run cli-docs` from `cli/commands.ts`.",
    `\`${commandName} COMMAND\` operates the deployed stack, or with \`--local\` the one that \`npm start\` runs.\n` +
      "`--help` after any command says the same as this page.",
    table(["command", "what it does"], list),
    "## Options of every command",
    table(["option", "meaning"], options),
    "npm writes two lines of its own on standard output first: a script calls `npm run --silent runner -- COMMAND --json`.\n\n" +
      'With `--json` an error is one line on standard error: `{"error": {"code", "message", "remedy"}}`. Times are epoch milliseconds,\n' +
      "names include their unit. Progress of long work goes to standard error. Colour goes to terminals only; `NO_COLOR` turns it off.\n" +
      "In a pipe or a file there is one line per fact, without headings: cells separated by tabs, ids whole, times as ISO 8601.\n" +
      "A control character in a text from outside (a model, Studio, a log line) is shown as JSON writes it: `\\u001b`.",
    "## Exit codes",
    table(["code", "meaning"], exitRows),
    ...rows.flatMap(renderCommand),
  ];
  return `${blocks.join("\n\n")}\n`;
}

const table = (head: readonly string[], rows: readonly (readonly string[])[]): string =>
  markdownTable([head, ...rows]).join("\n");

function renderCommand(command: Command): readonly string[] {
  const { name, summary, details, arguments: given = [], options = [], examples } = command;
  const words = given.map((row) => (row.optional ? `[${row.name.toUpperCase()}]` : row.name.toUpperCase()));
  const rows = [
    ...given.map((row) => [`\`${row.name.toUpperCase()}\``, row.meaning]),
    ...options.map(({ flags, meaning }) => [`\`${flags}\``, meaning]),
  ];
  const shown = examples.map(({ line, shows }) => `# ${shows}\n${commandName} ${line}`);
  return [
    `## ${name}`,
    `${asSentence(summary)}${details === undefined ? "" : ` ${details}`}`,
    ...(rows.length === 0 ? [] : [table([`\`${[name, ...words].join(" ")}\``, "meaning"], rows)]),
    `\`\`\`sh\n${shown.join("\n")}\n\`\`\``,
  ];
}

if (import.meta.main) {
  writeFileSync(fileURLToPath(new URL("../docs/cli.md", import.meta.url)), renderCliDocs(commands));
}
