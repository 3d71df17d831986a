import { isDeepStrictEqual } from "node:util";
import { defaultModels } from "../../infra/dated-table.ts";
import { parseSettings, settingsKey, storesModelKey, type Settings } from "../../infra/settings.ts";
import { attempt, problemOf } from "../attempt.ts";
import { defineCommand, type Command, type Outcome } from "../command.ts";
import type { Context } from "../context.ts";
import { CliError } from "../errors.ts";
import { answersOf, merge, writtenSchema, type Written } from "../init/answers.ts";
import { flagRows, flagsSchema, withFlags, type Flags } from "../init/flags.ts";
import { createApp } from "../init/new-app.ts";
import { askAll, askLanguage } from "../init/questions.ts";
import { replaceValue } from "../json-text.ts";
import { keyNames } from "../key-names.ts";
import { refuseLocal } from "../not-local.ts";
import { cdkSchema } from "../project.ts";
import { leavesOf } from "./config.ts";

export const init: Command = defineCommand({
  name: "init",
  summary: "Asks for the settings and writes them into cdk.json; in an empty folder, makes a CDK app",
  details:
    `Only context.${settingsKey} is written; the rest of the file, and settings that are not asked for, stay as they are. ` +
    "Settings that would change are shown first. Without a terminal: --yes and options.",
  options: flagRows,
  examples: [
    { line: "init", shows: "asks for each setting; the defaults are the present values" },
    {
      line: `init --yes --model ${defaultModels.openai} --cap 20 --email ops@example.com`,
      shows: "for a script",
    },
    { line: "init --yes --pools default:user,europe:global --force", shows: "two pools" },
  ],
  input: flagsSchema,
  run: async (context, flags) => {
    refuseLocal(context, "init");
    const { project, terminal } = context;
    const isNew = (await project.readFile("cdk.json")) === undefined;
    if (isNew) return newApp(context, flags);
    const text = await project.cdkJson();
    const written = await readWritten(context, text, flags);
    const wanted = await findWanted(context, written, flags);
    // Reports every inconsistency with its place.
    const settings = parseSettings(wanted);
    const changes = changesOf(written, wanted);
    const isSame = isDeepStrictEqual(written, wanted);
    if (changes.length > 0) await agree(context, changes, flags);
    if (!isSame) await project.writeCdkJson(replaceValue(text, ["context", settingsKey], wanted));
    const next = nextSteps(settings, context.commandLine);
    const data = { written: !isSame, settings: wanted, changed: changes, next };
    terminal.settled();
    return { data, text: () => render({ isSame, wanted, next }) };
  },
});

/** Makes a CDK app of the user's own, which depends on the npm package. */
async function newApp(context: Context, flags: Flags): Promise<Outcome> {
  const { project, terminal, prompts, commandLine } = context;
  const wanted = await findWanted(context, {}, flags);
  const settings = parseSettings(wanted);
  const language = flags.language ?? (flags.yes ? "javascript" : await askLanguage(prompts));
  const files = await createApp(project, { language, settings: wanted, force: flags.force });
  const next = ["npm install", ...nextSteps(settings, commandLine)];
  terminal.settled();
  const steps = next.map((line) => `  ${line}`).join("\n");
  return {
    data: { written: true, settings: wanted, files, changed: [], next },
    text: () => `Written: ${files.join(", ")}\n\nNext:\n${steps}`,
  };
}

async function readWritten({ project }: Context, text: string, { force }: Flags): Promise<Written> {
  const problem = problemOf(await attempt(() => project.settings()));
  if (problem && !force) {
    const remedy = "Correct it, or let init start over with --force";
    throw new CliError("config_invalid", problem.message, { remedy });
  }
  const raw = problem ? {} : (cdkSchema.safeParse(JSON.parse(text)).data?.context[settingsKey] ?? {});
  return writtenSchema.parse(raw);
}

async function findWanted(context: Context, written: Written, flags: Flags): Promise<object> {
  const { input, prompts, options } = context;
  const present = withFlags(answersOf(parseSettings(written)), flags, options);
  if (flags.yes) return merge(written, present);
  if (!input.isTerminal) {
    throw new CliError("usage", "Standard input is not a terminal, so nothing can be asked.", {
      remedy: `Give --yes, and an option for each setting that should not have its default: ${context.commandLine("init --help")}`,
    });
  }
  return merge(written, await askAll(prompts, present));
}

interface Change {
  readonly path: string;
  readonly from: string | number | boolean;
  /** Null: the value is removed. */
  readonly to: string | number | boolean | null;
}

/** Existing values that would change. New values overwrite nothing and are not listed. */
function changesOf(written: object, wanted: object): readonly Change[] {
  const after = leavesOf(wanted);
  return [...leavesOf(written)].flatMap(([path, from]) => {
    const to = after.get(path) ?? null;
    return to === from ? [] : [{ path, from, to }];
  });
}

async function agree(
  { terminal, input, prompts }: Context,
  changes: readonly Change[],
  { yes, force }: Flags,
): Promise<void> {
  if (force) return;
  const lines = changes.map(({ path, from, to }) => `  ${path}: ${from} → ${to ?? "(taken out)"}`);
  if (yes || !input.isTerminal) {
    throw new CliError("refused", `cdk.json already has other settings:\n${lines.join("\n")}`, {
      remedy: "Nothing was written. To overwrite them: --force",
    });
  }
  terminal.err(`These settings of cdk.json change:\n${lines.join("\n")}`);
  if (await prompts.confirm("Write them?", true)) return;
  throw new CliError("refused", "Nothing was written.");
}

function nextSteps(settings: Settings, commandLine: Context["commandLine"]): readonly string[] {
  const { pools } = settings;
  const ofPool = (name: string): string => (pools.length === 1 ? "" : ` --pool ${name}`);
  const [runnerKeys, modelKey] = keyNames;
  return [
    commandLine("doctor"),
    commandLine("deploy"),
    ...pools
      .filter(({ keySecretArn }) => keySecretArn === undefined)
      .map(({ name }) => commandLine(`secrets set ${runnerKeys}${ofPool(name)}`)),
    ...(storesModelKey(settings) ? [commandLine(`secrets set ${modelKey}`)] : []),
    commandLine("doctor"),
  ];
}

interface View {
  readonly isSame: boolean;
  readonly wanted: object;
  readonly next: readonly string[];
}

function render({ isSame, wanted, next }: View): string {
  const head = isSame
    ? "cdk.json already has these settings:"
    : `Written to cdk.json, context.${settingsKey}:`;
  const steps = next.map((line) => `  ${line}`);
  return `${head}\n${JSON.stringify(wanted, undefined, 2)}\n\nNext:\n${steps.join("\n")}`;
}
