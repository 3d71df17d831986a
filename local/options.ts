import { resolve } from "node:path";
import { parseArgs } from "node:util";
import { defaultModels } from "../infra/dated-table.ts";
import { capLimitsUsd } from "../infra/pool-schema.ts";
import { isFeedUrl } from "../infra/settings-schema.ts";
import { RunnerError } from "../lib/core/errors.ts";
import { parseModelKey, parseRunnerKeys } from "../lib/keys/secrets.ts";

/**
 * The options of `npm start`: its flags, and the environment variables that users of the public runner know.
 */
export interface LocalOptions {
  /** Serve until the queue is empty and all work has ended, then report and exit. */
  readonly once: boolean;
  readonly port: number;
  readonly concurrency: number;
  /** The folder for the local Studio's file and the built stack. Absent: the project's default. */
  readonly stateDir: string | undefined;
  /** Cap on estimated spending per UTC day. Absent: no cap. */
  readonly dailyCapUsd?: number | undefined;
  /** Where check-update looks for releases. Absent: it is off. */
  readonly feedUrl?: string | undefined;
  /** Another Studio to use instead of the local one. */
  readonly studio: { readonly baseUrl: string; readonly runnerKeys: string } | undefined;
  /** A real model to use instead of the offline one. */
  readonly model: RealModel | undefined;
}

export interface RealModel {
  readonly apiKey: string;
  readonly baseUrl: string | undefined;
  readonly name: string;
  readonly summaryName: string;
  /** Whether the provider stores responses. */
  readonly store: boolean;
}

export const usage = `Runs studio-runner on this machine: the functions as they would be deployed, each in a process of its own.

  npm start                        serve, and show the local Studio's page
  npm start -- --once              serve until the queue is empty, print a table, exit 0 if every job completed

Flags
  --once               see above
  --port NUMBER        port of the page (default 4400)
  --concurrency N      jobs at once (default 4)
  --state-dir FOLDER   where workspaces, runs and log lines are kept (default .local in the project)
  --daily-cap USD      stop leasing at this much of estimated spending a day: also for trying the alarms on it
  --feed URL           where check-update looks for releases
  --help               this text

Environment (or a .env file)
  OPENAI_API_KEY       let a real model answer; without it the answers are canned
  OPENAI_BASE_URL      another server that speaks the Responses API
  OPENAI_STORE=false   for servers that keep no responses: the whole conversation is sent in each round
  OPENAI_MODEL         model name (default ${defaultModels.openai}); OPENAI_SUMMARY_MODEL for summaries
  RUNNER_TOKEN         serve a real Studio with this runner key (credentialId.secret)
  RUNNER_API_BASE      that Studio's address (default https://cloud.xenonflare.com)
`;

type Environment = Readonly<Record<string, string | undefined>>;

const defaultStudio = "https://cloud.xenonflare.com";

/** @throws RunnerError `config_invalid` or `secret_malformed` that names the flag or variable */
export function parseOptions(args: readonly string[], env: Environment): LocalOptions | "help" {
  const flags = parseFlags(args);
  if (flags.help) return "help";
  return {
    once: flags.once ?? false,
    port: wholeNumber("--port", flags.port ?? "4400", 65_535),
    concurrency: wholeNumber("--concurrency", flags.concurrency ?? "4", 1_000),
    stateDir: folder("--state-dir", flags["state-dir"]),
    dailyCapUsd: usd("--daily-cap", flags["daily-cap"]),
    feedUrl: feed("--feed", flags.feed),
    studio: studioOf(env),
    model: modelOf(env),
  };
}

function parseFlags(args: readonly string[]) {
  try {
    const options = {
      once: { type: "boolean" },
      port: { type: "string" },
      concurrency: { type: "string" },
      "state-dir": { type: "string" },
      "daily-cap": { type: "string" },
      feed: { type: "string" },
      help: { type: "boolean", short: "h" },
    } as const;
    return parseArgs({ args: [...args], options, strict: true }).values;
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    throw new RunnerError("config_invalid", `${message}\nRun "npm start -- --help" to see what there is.`, {
      cause: error,
    });
  }
}

function wholeNumber(name: string, text: string, max: number): number {
  const value = Number(text);
  if (/^\d+$/.test(text) && value >= 1 && value <= max) return value;
  throw new RunnerError("config_invalid", `${name} takes a whole number from 1 to ${max}, not "${text}"`);
}

function usd(name: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const { min, max } = capLimitsUsd;
  const value = Number(text);
  if (/^\d+(?:\.\d+)?$/.test(text) && value >= min && value <= max) return value;
  throw new RunnerError("config_invalid", `${name} takes US dollars from ${min} to ${max}, not "${text}"`);
}

function feed(name: string, text: string | undefined): string | undefined {
  if (text === undefined || isFeedUrl(text)) return text;
  const wanted = "an https:// address (http:// only for this machine)";
  throw new RunnerError("config_invalid", `${name} takes ${wanted}, not "${text}"`);
}

function folder(name: string, text: string | undefined): string | undefined {
  if (text === undefined) return undefined;
  if (text.trim() !== "") return resolve(text);
  throw new RunnerError("config_invalid", `${name} takes a folder, not an empty text`);
}

function studioOf(env: Environment): LocalOptions["studio"] {
  const token = given(env, "RUNNER_TOKEN");
  const base = given(env, "RUNNER_API_BASE");
  if (token === undefined) {
    if (base === undefined) return undefined;
    throw new RunnerError(
      "config_invalid",
      "RUNNER_API_BASE is set but RUNNER_TOKEN is not: set the Studio's runner key too",
    );
  }
  parseRunnerKeys(token, "RUNNER_TOKEN");
  return { baseUrl: address("RUNNER_API_BASE", base ?? defaultStudio), runnerKeys: token };
}

function modelOf(env: Environment): RealModel | undefined {
  const store = flag(env, "OPENAI_STORE", true);
  const baseUrl = given(env, "OPENAI_BASE_URL");
  const apiKey = given(env, "OPENAI_API_KEY");
  if (apiKey === undefined) {
    if (baseUrl === undefined) return undefined;
    throw new RunnerError(
      "config_invalid",
      "OPENAI_BASE_URL is set but OPENAI_API_KEY is not: set that server's key too (any text where it needs none)",
    );
  }
  parseModelKey(apiKey, "OPENAI_API_KEY");
  const name = given(env, "OPENAI_MODEL") ?? defaultModels.openai;
  return {
    apiKey,
    baseUrl: baseUrl === undefined ? undefined : address("OPENAI_BASE_URL", baseUrl),
    name,
    summaryName: given(env, "OPENAI_SUMMARY_MODEL") ?? name,
    store,
  };
}

function address(name: string, text: string): string {
  if (/^https?:\/\//i.test(text) && URL.canParse(text)) return text.replace(/\/+$/, "");
  throw new RunnerError(
    "config_invalid",
    `${name} is not an address: "${text}". Give one like https://studio.example.com`,
  );
}

function flag(env: Environment, name: string, absent: boolean): boolean {
  const text = given(env, name);
  if (text === undefined) return absent;
  if (text === "true" || text === "false") return text === "true";
  throw new RunnerError("config_invalid", `${name} takes true or false, not "${text}"`);
}

/** A blank variable counts as unset, as in a .env file copied from an example. */
function given(env: Environment, name: string): string | undefined {
  const value = env[name]?.trim();
  return value === "" ? undefined : value;
}
