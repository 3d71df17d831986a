import { randomUUID } from "node:crypto";
import { resolve } from "node:path";
import { systemClock } from "../../lib/core/clock.ts";
import { createTable } from "../../lib/adapters/dynamodb.ts";
import { createSecretsClient, createSecretStore } from "../../lib/adapters/secrets-manager.ts";
import { createAws } from "../../cli/aws/aws.ts";
import { commands } from "../../cli/commands.ts";
import { createContext } from "../../cli/context.ts";
import { openProject } from "../../cli/project.ts";
import { runCli } from "../../cli/run.ts";
import { createTerminal } from "../../cli/terminal.ts";
import { writeStackFile } from "../../local/stack-file.ts";
import type { Ended } from "./command.ts";
import type { Scenario } from "./stack.ts";

export interface HereOptions {
  /** The folder with the running stack's stack.json. */
  readonly stateDir: string;
  /** The folder with a cdk.json and a package.json; `init` writes there. */
  readonly projectRoot: string;
}

/** `input`: all of standard input. */
export type HereCli = (argv: readonly string[], input?: string) => Promise<Ended>;

const unexpected = (): Promise<never> => Promise.reject(new Error("nobody sits at this terminal"));

/**
 * The command line as cli/main.ts runs it, with all its connections, but in this process, because starting a
 * process takes a second.
 */
export function createHereCli({ stateDir, projectRoot }: HereOptions): HereCli {
  return async (argv, input = "") => {
    let [stdout, stderr] = ["", ""];
    const { signal } = new AbortController();
    const terminal = createTerminal({
      stdout: { write: (text) => void (stdout += text) },
      stderr: { write: (text) => void (stderr += text) },
      env: {},
    });
    const code = await runCli(argv, {
      commands,
      terminal,
      signal,
      createContext: (options) =>
        createContext(options, {
          clock: systemClock,
          signal,
          terminal,
          input: { isTerminal: false, readAll: () => Promise.resolve(input) },
          prompts: { text: unexpected, hidden: unexpected, choose: unexpected, confirm: unexpected },
          programs: { run: unexpected },
          project: openProject(projectRoot),
          fetch,
          random: Math.random,
          newId: randomUUID,
          nodeVersion: process.versions.node,
          userName: () => "ada",
          isAlive: () => true,
          defaultStateDir: stateDir,
          connect: {
            aws: createAws,
            table: createTable,
            secrets: (account) => createSecretStore(createSecretsClient(account)),
          },
        }),
    });
    return { code, stdout, stderr };
  };
}

/** The command line for a scenario's stack, with this project's settings. */
export async function operatorOf({ cloud, stateDir }: Scenario): Promise<HereCli> {
  const { stackName, region, endpointUrl, credentials } = cloud;
  await writeStackFile(stateDir, { stackName, region, endpointUrl, credentials, pid: process.pid });
  return createHereCli({ stateDir, projectRoot: resolve(import.meta.dirname, "../..") });
}
