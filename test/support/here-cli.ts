import { randomUUID } from "node:crypto";
import { resolve } from "node:path";
import { commandName } from "../../infra/command-line.ts";
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
import { shortPauses, type Scenario } from "./stack.ts";

/** `input`: all of standard input. */
export type HereCli = (argv: readonly string[], input?: string) => Promise<Ended>;

const root = resolve(import.meta.dirname, "../..");
const unexpected = (): Promise<never> => Promise.reject(new Error("nobody sits at this terminal"));

/**
 * The command line for a scenario's stack, as cli/main.ts runs it, with all its connections, but in this process,
 * because starting a process takes a second. `projectRoot` has the cdk.json and the package.json; `init` writes there.
 */
export async function operatorOf(
  { cloud, studio, model, stateDir }: Scenario,
  projectRoot = root,
): Promise<HereCli> {
  const { stackName, region, endpointUrl, credentials } = cloud;
  const urls = { studioUrl: studio.url, modelUrl: model.url };
  await writeStackFile(stateDir, { stackName, region, endpointUrl, credentials, pid: process.pid, ...urls });
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
      commandName,
      versions: async () => ({ version: "0.0.0", node: process.versions.node }),
      createContext: (options) =>
        createContext(options, {
          clock: shortPauses,
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
          commandName,
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
