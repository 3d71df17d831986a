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
const aTag = "Give a text of 1 to 256 letters, digits, spaces and _ . : / = + - @.";
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
  ["tags.team", "", aTag],
  ["tags.team", "y;|", aTag],
];

const price = { inputPerMillionUsd: 3, cachedInputPerMillionUsd: 0.3, outputPerMillionUsd: 15 };
const pricedAt = (fields: object) => ({ spend: { prices: { m: { ...price, ...fields } } } });
const usdPerMillion = "Give a number from 0 to 10000 (US dollars per million tokens).";
const workloadIdentity = { identityProviderId: "idp_1", serviceAccountId: "svc_1" };
const kmsKeyArn = "arn:aws:kms:eu-west-1:123456789012:key/1234abcd-12ab-34cd-56ef-000000000001";
const modelKeyArn = `${keyArn}-AbCdEf`;
const bedrock = (fields: object) => ({
  inference: { provider: "bedrock", model: "openai.gpt-6-luna", ...fields },
});
const runtime = { endpoint: "runtime", model: "us.openai.gpt-6-luna" };
const tagNames =
  "Give tags names of 1 to 128 letters, digits, spaces and _ . : / = + - @ that do not begin with aws:.";
const sixtyTags = Object.fromEntries(Array.from({ length: 60 }, (_, index) => [`tag-${index}`, "x"]));
const elevenPools = Array.from({ length: 11 }, (_, index) => ({ name: `p${index}x`, kind: "user" }));

/** Settings that are rejected, and a part of the sentence that says what is wrong and what to do. */
export const refused: readonly (readonly [words: string, input: unknown])[] = [
  ...wrongValues.map(
    ([path, value, sentence]) =>
      [`${path}: given ${JSON.stringify(value)}. ${sentence}`, settingsWith(path, value)] as const,
  ),
  ["(settings): missing. Give an object.", undefined],
  ['(settings): given "hello". Give an object.', "hello"],
  ["pools: given a list. Give at least one pool.", { pools: [] }],
  ["pools: given a list. Give at most 10 pools; a stack holds no more.", { pools: elevenPools }],
  ["pools[0]: given 4. Give an object.", { pools: [4] }],
  [`pools[0].name: missing. ${aName}`, { pools: [{ kind: "user" }] }],
  [`updates.feedUrl: missing. ${anAddress}`, { updates: {} }],
  [
    'inference.hostedTools[0]: given "shell". Give one of: web_search.',
    { inference: { hostedTools: ["shell"] } },
  ],
  [`tags.aws:team: given "a". ${tagNames}`, { tags: { "aws:team": "a" } }],
  [`tags.a{b}: given "x". ${tagNames}`, { tags: { "a{b}": "x", "cost-center": "4711" } }],
  ["tags: given an object. Give at most 50 tags; a resource holds no more.", { tags: sixtyTags }],
  ["zebra: unknown setting (given 1). Allowed here: stackName, studio, inference, spend,", { zebra: 1 }],
  ['ledgerTableArn: is now called "runStoreTableArn". Rename it.', { ledgerTableArn: "arn" }],
  ['pools[0].pickup: is now called "polling". Rename it.', pool({ pickup: "fast" })],
  [
    'pools[0].processor.memoryMB: unknown setting (given 512). Did you mean "memoryMb"?',
    pool({ processor: { memoryMB: 512 } }),
  ],
  ["inference.apiKey: unknown setting (given a text of length 7).", { inference: { apiKey: "hunter2" } }],
  [
    "inference.instructionsFile: gives instructions, and so does inference.instructions.",
    { inference: { instructions: "Be brief.", instructionsFile: "style.md" } },
  ],
  ["pools[0].runLimitMinutes: is 191, but timing.maxContinuations allows", pool({ runLimitMinutes: 191 })],
  [
    "inference.workloadIdentity: replaces a stored key, but inference.keySecretArn names one",
    { inference: { workloadIdentity, keySecretArn: modelKeyArn } },
  ],
  [
    "inference.keySecretKmsKeyArn: is the KMS key of a model key's secret, but inference.workloadIdentity replaces that key. Leave one of them out.",
    { inference: { workloadIdentity, keySecretKmsKeyArn: kmsKeyArn } },
  ],
  [`spend.prices.m.inputPerMillionUsd: given -1. ${usdPerMillion}`, pricedAt({ inputPerMillionUsd: -1 })],
  [
    `spend.prices.m.cachedInputPerMillionUsd: missing. ${usdPerMillion}`,
    pricedAt({ cachedInputPerMillionUsd: undefined }),
  ],
  ['unknown setting (given 1). Did you mean "inputPerMillionUsd"?', pricedAt({ inputPerMilionUsd: 1 })],
  [
    "spend.tiers.scale: unknown setting (given 1). Allowed here: flex, priority.",
    { spend: { tiers: { scale: 1 } } },
  ],
  ["spend.prices: given a list. Give an object of model names and prices.", { spend: { prices: [] } }],
  [
    "inference.endpoint: chooses between the endpoints of Amazon Bedrock.",
    { inference: { endpoint: "runtime" } },
  ],
  ["inference.region: is the region of Amazon Bedrock.", { inference: { region: "us-east-1" } }],
  [
    "inference.baseUrl: is the address of another Responses server",
    bedrock({ baseUrl: "https://m.example.com" }),
  ],
  ["is the secret of a model key, but Bedrock needs none", bedrock({ keySecretArn: modelKeyArn })],
  ["takes the place of a model key, but Bedrock needs none", bedrock({ workloadIdentity })],
  ['inference.endpoint: given "batch". Give one of: mantle, runtime.', bedrock({ endpoint: "batch" })],
  [
    'inference.region: given "Frankfurt". Give an AWS region, like us-east-1.',
    bedrock({ region: "Frankfurt" }),
  ],
  ["Give a name like openai.gpt-6-luna, without a geography prefix.", { inference: { provider: "bedrock" } }],
  ['inference.summaryModel: "us.openai.x" is not the name', bedrock({ summaryModel: "us.openai.x" })],
  ["Choose both models from one of the two groups.", bedrock({ summaryModel: "openai.gpt-oss-20b" })],
  ["Give an inference profile like us.openai.gpt-6-luna", bedrock({ endpoint: "runtime" })],
  [
    'inference.mode: is "background", but Bedrock\'s runtime endpoint does not support background mode',
    bedrock({ ...runtime, mode: "background" }),
  ],
  [
    "endpoints.fips: is true, but Bedrock's mantle endpoint has no such address.",
    { ...bedrock({}), endpoints: { fips: true } },
  ],
];

/** Settings that are accepted. */
export const accepted: readonly object[] = [
  { inference: { mode: "background", store: true } },
  { inference: { mode: "streaming", store: false } },
  { inference: { mode: "auto", store: false } },
  { studio: { baseUrl: "http://127.0.0.1:8080" } },
  { tags: { "Kostenstelle/Größe": "Zürich +41 @ 9:00 = früh" } },
  { ...bedrock(runtime), endpoints: { fips: true } },
];
