import { parseSettings } from "../../../infra/settings.ts";
import { hasCode } from "../../../lib/core/errors.ts";

/** The problems that the error lists, without its first line. */
export function problems(input: unknown): readonly string[] {
  try {
    parseSettings(input);
  } catch (error) {
    if (!hasCode(error, "config_invalid")) throw error;
    return error.message
      .split("\n")
      .slice(1)
      .map((text) => text.replace(/^ {2}- /, ""));
  }
  return [];
}

export const pool = (fields: Readonly<Record<string, unknown>>) => ({
  pools: [{ name: "default", kind: "user", ...fields }],
});

/** Settings with the value at the path, such as `inference.mode` or `pools[0].kind`. */
function settingsWith(path: string, value: unknown): unknown {
  const [name = "", ...others] = path.replace("pools[0].", "").split(".").toReversed();
  const settings = others.reduce<Record<string, unknown>>((inner, outer) => ({ [outer]: inner }), {
    [name]: value,
  });
  return path.startsWith("pools[0].") ? pool(settings) : settings;
}

const aName = "Give a name of 1 to 20 lower-case letters, digits and hyphens, like europe-2.";
const anAddress = "Give an https:// address (http:// only for this machine).";
const keyArn = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:keys";
const days =
  "1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653";

/** Values that are rejected, as "path: given value. Sentence". */
const wrongValues: readonly (readonly [path: string, value: unknown, sentence: string])[] = [
  ["inference.serviceTier", "cheap", "Give one of: auto, default, flex, priority."],
  ["inference.instructions", "  ", "Give a text of 1 to 20000 characters."],
  ["inference.model", "  ", "Give a model's name."],
  ["inference.model", "", "Give a model's name."],
  ["inference.mode", "batch", "Give one of: auto, background, streaming."],
  ["inference.store", "no", "Give true or false."],
  ["pools[0].name", "My_Pool", aName],
  ["pools[0].name", "abcdefghijklmnopqrstu", aName],
  ["pools[0].kind", "all", "Give one of: user, global."],
  ["pools[0].polling", "slow", "Give one of: economy, balanced, fast."],
  ["pools[0].concurrency", 0, "Give a whole number from 1 to 1000 (runs at once)."],
  ["pools[0].concurrency", "10", "Give a whole number from 1 to 1000 (runs at once)."],
  ["pools[0].leasesPerKey", 1.5, "Give a whole number from 1 to 1000 (leases per runner key)."],
  ["pools[0].runLimitMinutes", 0, "Give a whole number from 1 to 720 (minutes)."],
  ["pools[0].dispatcher.memoryMb", 64, "Give a whole number from 128 to 10240 (MB)."],
  [
    "pools[0].processor.timeoutSeconds",
    901,
    "Give a whole number from 1 to 900 (seconds; Lambda allows no more).",
  ],
  [
    "pools[0].keySecretArn",
    keyArn,
    "Give the secret's complete ARN with its last six characters: arn:aws:secretsmanager:<region>:<account>:secret:<name>-AbCdEf.",
  ],
  ["endpoints.fips", "yes", "Give true or false."],
  ["logRetentionDays", 8, `Give one of: ${days} (days).`],
  ["logLevel", "verbose", "Give one of: trace, debug, info, warn, error, fatal."],
  ["removalPolicy", "snapshot", "Give one of: destroy, retain."],
  ["stackName", "my stack", "Give a CloudFormation stack name: letters, digits and hyphens, a letter first."],
  [
    "runStoreTableArn",
    "run store",
    "Give the table's complete ARN: arn:aws:dynamodb:<region>:<account>:table/<name>.",
  ],
  ["monitoring.level", "some", "Give one of: full, lean, off."],
  ["monitoring.email", "night", "Give an e-mail address."],
  ["monitoring.failurePercent", 0, "Give a whole number from 1 to 100 (percent of the runs that ended)."],
  [
    "monitoring.previewCharacters",
    201,
    "Give a whole number from 0 to 200 (characters of a job's newest message in the log).",
  ],
  ["monitoring.tracing", "on", "Give one of: off, xray."],
  ["updates.feedUrl", "http://example.com/feed", anAddress],
  ["inference.provider", "azure", "Give one of: openai, bedrock."],
  ["spend.tiers.flex", -1, "Give a number from 0 to 100 (a multiple of the prices)."],
  ["spend.webSearchUsd", "1", "Give a number from 0 to 10 (US dollars per search)."],
  ["spend.pricesAsOf", "yesterday", "Give a day, like 2026-10-04."],
  ["pools[0].dailyCapUsd", 0, "Give a number from 0.01 to 1000000 (US dollars per day)."],
  ["pools[0].dailyCapUsd", 1_000_001, "Give a number from 0.01 to 1000000 (US dollars per day)."],
  ["pools[0].dailyCapUsd", "5", "Give a number from 0.01 to 1000000 (US dollars per day)."],
  ["tags.team", "", "Give a text of 1 to 256 characters."],
];

/** Settings that are rejected, and the sentence that says what to do. */
export const refused: readonly (readonly [line: string, input: unknown])[] = [
  ...wrongValues.map(
    ([path, value, sentence]) =>
      [`${path}: given ${JSON.stringify(value)}. ${sentence}`, settingsWith(path, value)] as const,
  ),
  ["(settings): missing. Give an object.", undefined],
  ['(settings): given "hello". Give an object.', "hello"],
  ["pools: given a list. Give at least one pool.", { pools: [] }],
  ["pools[0]: given 4. Give an object.", { pools: [4] }],
  [`pools[0].name: missing. ${aName}`, { pools: [{ kind: "user" }] }],
  [`updates.feedUrl: missing. ${anAddress}`, { updates: {} }],
  [
    'inference.hostedTools[0]: given "code_interpreter". Give one of: web_search.',
    { inference: { hostedTools: ["code_interpreter"] } },
  ],
  [
    "tags: given an object. Give tag names of 1 to 128 characters that do not begin with aws:.",
    { tags: { "aws:team": "a" } },
  ],
  [
    "pools: given a list. Give at most 10 pools; a stack holds no more. Put the others into a second stack.",
    { pools: Array.from({ length: 11 }, (_, index) => ({ name: `p${index}x`, kind: "user" })) },
  ],
  [
    "zebra: unknown setting (given 1). Allowed here: stackName, studio, inference, spend, pools, runStoreTableArn, encryption, network, iam, namePrefix, endpoints, logRetentionDays, logClass, logLevel, removalPolicy, monitoring, updates, tags.",
    { zebra: 1 },
  ],
  [
    'ledgerTableArn: is now called "runStoreTableArn". Rename it.',
    { ledgerTableArn: "arn:aws:dynamodb:eu-central-1:123456789012:table/runs" },
  ],
  ['pools[0].pickup: is now called "polling". Rename it.', pool({ pickup: "fast" })],
  [
    'pools[0].processor.memoryMB: unknown setting (given 512). Did you mean "memoryMb"?',
    pool({ processor: { memoryMB: 512 } }),
  ],
  [
    "inference.apiKey: unknown setting (given a text of length 7). Allowed here: provider, endpoint, region, model, summaryModel, baseUrl, mode, reasoningEffort, serviceTier, hostedTools, instructions, instructionsFile, maxOutputTokens, store, keySecretArn, keySecretKmsKeyArn, workloadIdentity.",
    { inference: { apiKey: "hunter2" } },
  ],
  [
    "inference.instructionsFile: inference.instructions and inference.instructionsFile both give instructions. Leave one of them out.",
    { inference: { instructions: "Be brief.", instructionsFile: "style.md" } },
  ],
  [
    "pools[0].runLimitMinutes: runLimitMinutes is 191, but timing.maxContinuations allows a run 13 attempts, each of which works for 880 s: processor.timeoutSeconds (900) less timing.attemptReserveMs. Give 190 or less.",
    pool({ runLimitMinutes: 191 }),
  ],
];
