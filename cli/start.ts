import { randomUUID } from "node:crypto";
import { text } from "node:stream/consumers";
import { userInfo } from "node:os";
import { join } from "node:path";
import { startedAs } from "../infra/command-line.ts";
import { systemClock } from "../lib/core/clock.ts";
import { createTable } from "../lib/adapters/dynamodb.ts";
import { createSecretsClient, createSecretStore } from "../lib/adapters/secrets-manager.ts";
import { createAws } from "./aws/aws.ts";
import { commands } from "./commands.ts";
import { createContext } from "./context.ts";
import { createPrograms, isAlive } from "./programs.ts";
import { openProject } from "./project.ts";
import { createPrompts } from "./prompts.ts";
import { runCli } from "./run.ts";
import { createTerminal } from "./terminal.ts";

/**
 * Runs the command line of this process: passes arguments, environment, signals and terminal on. `projectRoot` is the
 * folder of the CDK app that the commands are about.
 */
export async function startCli(projectRoot: string): Promise<void> {
  const interrupted = new AbortController();
  process.on("SIGINT", () => {
    if (interrupted.signal.aborted) process.exit(130);
    interrupted.abort();
  });

  /** A reader that closes the pipe early (`| head`) is not an error. */
  process.stdout.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code !== "EPIPE") throw error;
    process.exit(process.exitCode);
  });

  const terminal = createTerminal({ stdout: process.stdout, stderr: process.stderr, env: process.env });
  const { signal } = interrupted;
  const project = openProject(projectRoot);
  const commandName = startedAs(process.env, process.argv[1]);
  const node = process.versions.node;

  process.exitCode = await runCli(process.argv.slice(2), {
    commands,
    terminal,
    signal,
    commandName,
    versions: async () => ({ version: await project.version(), node }),
    createContext: (options) =>
      createContext(options, {
        clock: systemClock,
        signal,
        terminal,
        input: { isTerminal: process.stdin.isTTY, readAll: () => text(process.stdin) },
        prompts: createPrompts({ output: process.stderr, signal }),
        programs: createPrograms(process.env),
        project,
        fetch,
        random: Math.random,
        newId: randomUUID,
        nodeVersion: node,
        commandName,
        userName: () => userInfo().username,
        isAlive,
        defaultStateDir: join(projectRoot, ".local"),
        connect: {
          aws: createAws,
          table: createTable,
          secrets: (account) => createSecretStore(createSecretsClient(account)),
        },
      }),
  });
}
