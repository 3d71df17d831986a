import * as z from "zod";
import type { Settings } from "../../infra/settings.ts";
import { ownStackName, runCdk } from "../cdk.ts";
import { defineCommand, type Command } from "../command.ts";
import type { Context } from "../context.ts";
import { CliError } from "../errors.ts";
import { count } from "../format.ts";
import { refuseLocal } from "../not-local.ts";
import { countInFlight } from "../pool-status.ts";
import type { Stack } from "../stack.ts";

export const destroy: Command = defineCommand({
  name: "destroy",
  summary: "Deletes the stack with cdk destroy, and lists what is kept",
  details:
    "Asks for the stack's name first. Refuses while jobs are in flight (exit code 1): drain the pools first, or use --force. " +
    "Keeps the run store if removalPolicy is retain; secrets that the stack created are deleted with it.",
  options: [
    { flags: "--confirm <name>", meaning: "the stack's name, instead of asking" },
    {
      flags: "--force",
      meaning: "even with jobs in flight: they return to Studio's queue when their leases expire",
    },
  ],
  examples: [
    { line: "destroy", shows: "asks for the stack's name" },
    { line: "destroy --confirm StudioRunner", shows: "for a script" },
  ],
  input: z.object({ confirm: z.string().optional(), force: z.boolean().default(false) }),
  run: async (context, { confirm, force }) => {
    refuseLocal(context, "destroy");
    const stackName = await ownStackName(context);
    const stack = await readWhole(context);
    if (stack !== undefined && !force) await refuseBusy(context, stack);
    const stays = stack === undefined ? [] : whatStays(stack);
    if (confirm === undefined) context.terminal.err(stays.join("\n"));
    await checkName(context, stackName, confirm);
    await runCdk(context, ["destroy", stackName, "--force"]);
    const data = { stack: stackName, destroyed: true, stays };
    return { data, text: () => [`${stackName} is deleted.`, ...stays].join("\n") };
  },
});

/** The stack; `undefined`: it was never deployed completely, or destroying it failed, so it has no outputs. */
async function readWhole(context: Context): Promise<Stack | undefined> {
  try {
    return await context.stack();
  } catch (error) {
    if (error instanceof CliError && error.code === "deploy_failed") return undefined;
    throw error;
  }
}

/** @throws CliError `refused` if jobs are in flight */
async function refuseBusy(context: Context, { pools }: Stack): Promise<void> {
  const each = await Promise.all(pools.map(({ name }) => countInFlight(context, name)));
  const inFlight = each.reduce((sum, one) => sum + one, 0);
  if (inFlight === 0) return;
  throw new CliError("refused", `${count(inFlight, "run")} in flight.`, {
    remedy: `Drain the pools first: ${context.commandLine("drain")}. With --force, the jobs return to Studio's queue.`,
  });
}

/** @throws CliError `usage` if another name is given */
async function checkName(
  { input, prompts }: Context,
  stackName: string,
  confirm: string | undefined,
): Promise<void> {
  if (confirm === undefined && !input.isTerminal) {
    throw new CliError("usage", "Standard input is not a terminal, so nothing can be asked.", {
      remedy: "Give --confirm STACK",
    });
  }
  const given = confirm ?? (await prompts.text({ message: `To delete ${stackName}, type its name` }));
  if (given === stackName) return;
  throw new CliError("usage", `The stack is named ${stackName}. Nothing was deleted.`);
}

/** A line for each resource that outlives the stack, with how to delete it. */
function whatStays(stack: Stack): readonly string[] {
  const table = stack.output("RunStoreTable");
  const rows: readonly { readonly holds: (settings: Settings) => boolean; readonly line: string }[] = [
    {
      holds: ({ runStoreTableArn }) => runStoreTableArn !== undefined,
      line: `The run store ${table} is kept, because the stack did not create it.`,
    },
    {
      holds: ({ runStoreTableArn, removalPolicy }) =>
        runStoreTableArn === undefined && removalPolicy === "retain",
      line:
        `The run store ${table} is kept (removalPolicy retain). To delete it too:\n` +
        `  aws dynamodb update-table --table-name ${table} --no-deletion-protection-enabled\n` +
        `  aws dynamodb delete-table --table-name ${table}`,
    },
    {
      holds: ({ pools, inference }) =>
        inference.keySecretArn !== undefined || pools.some(({ keySecretArn }) => keySecretArn !== undefined),
      line: "Secrets that the stack did not create are kept; its own secrets are deleted.",
    },
    {
      holds: () => true,
      line: "The runner instances at Studio are kept. Revoke them on Studio's page.",
    },
  ];
  return rows.filter(({ holds }) => holds(stack.settings)).map(({ line }) => line);
}
