import * as z from "zod";
import { defineCommand, type Command, type CommandWords } from "../command.ts";
import { completionScript, shells } from "../completion.ts";
import { globalOptions } from "../global-options.ts";
import { choice } from "../values.ts";

/** @param others the commands that are completed beside this one */
export function createCompletion(others: readonly CommandWords[]): Command {
  const words = {
    name: "completion",
    summary: "Prints a script with which a shell completes commands, options and choices",
    details:
      'For the name studio-runner: the bin of a global installation, or a function, in bash and zsh: studio-runner() { npx studio-runner "$@"; } ' +
      "The script's first line says where it goes.",
    arguments: [{ name: "shell", meaning: shells.join(", "), choices: shells }],
    examples: [{ line: "completion bash", shows: "the script for bash" }],
  };
  return defineCommand({
    ...words,
    input: z.object({ shell: choice(shells) }),
    run: async (_, { shell }) => {
      const script = completionScript(shell, { commands: [...others, words], options: globalOptions });
      return { data: { shell, script }, text: () => script };
    },
  });
}
