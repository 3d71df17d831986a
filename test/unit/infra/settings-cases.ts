import { parseSettings } from "../../../infra/settings.ts";
import { hasCode } from "../../../lib/core/errors.ts";

/** The lines of the error, without its head. */
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

/** What is refused, and the sentence that says what to do. */
export const refused: readonly (readonly [what: string, input: unknown, line: string])[] = [
  ["missing settings", undefined, "(settings): missing. Give an object."],
  ["a text in place of the settings", "hello", '(settings): given "hello". Give an object.'],
  [
    "an unknown setting",
    { zebra: 1 },
    "zebra: unknown setting (given 1). Allowed here: stackName, studio, inference, spend, pools, runStoreTableArn, endpoints, logRetentionDays, logLevel, removalPolicy, monitoring, updates, tags.",
  ],
  [
    "an old name",
    { ledgerTableArn: "arn:aws:dynamodb:eu-central-1:123456789012:table/runs" },
    'ledgerTableArn: is now called "runStoreTableArn". Rename it.',
  ],
  ["an old name in a pool", pool({ pickup: "fast" }), 'pools[0].pickup: is now called "polling". Rename it.'],
  [
    "a slip in a setting's name",
    pool({ concurency: 3 }),
    'pools[0].concurency: unknown setting (given 3). Did you mean "concurrency"?',
  ],
  [
    "a slip two levels down",
    pool({ processor: { memoryMB: 512 } }),
    'pools[0].processor.memoryMB: unknown setting (given 512). Did you mean "memoryMb"?',
  ],
  [
    "a value under an unknown name, without showing its text",
    { inference: { apiKey: "hunter2" } },
    "inference.apiKey: unknown setting (given a text of length 7). Allowed here: provider, endpoint, region, model, summaryModel, baseUrl, mode, reasoningEffort, serviceTier, hostedTools, instructions, instructionsFile, maxOutputTokens, store, keySecretArn, workloadIdentity.",
  ],
  [
    "a service tier that nobody has",
    { inference: { serviceTier: "cheap" } },
    'inference.serviceTier: given "cheap". Give one of: auto, default, flex, priority.',
  ],
  [
    "a hosted tool that is not known",
    { inference: { hostedTools: ["code_interpreter"] } },
    'inference.hostedTools[0]: given "code_interpreter". Give one of: web_search.',
  ],
  [
    "instructions in two places",
    { inference: { instructions: "Be brief.", instructionsFile: "style.md" } },
    "inference.instructionsFile: inference.instructions and inference.instructionsFile both give instructions. Leave one of them out.",
  ],
  [
    "instructions without a text",
    { inference: { instructions: "  " } },
    'inference.instructions: given "  ". Give a text of 1 to 20000 characters.',
  ],
  ["a blank", { inference: { model: "  " } }, 'inference.model: given "  ". Give a model\'s name.'],
  ["an empty text", { inference: { model: "" } }, 'inference.model: given "". Give a model\'s name.'],
  [
    "a missing name",
    { pools: [{ kind: "user" }] },
    "pools[0].name: missing. Give a name of 1 to 20 lower-case letters, digits and hyphens, like europe-2.",
  ],
  [
    "a name that is not kebab case",
    pool({ name: "My_Pool" }),
    'pools[0].name: given "My_Pool". Give a name of 1 to 20 lower-case letters, digits and hyphens, like europe-2.',
  ],
  [
    "a name of 21 characters",
    pool({ name: "abcdefghijklmnopqrstu" }),
    'pools[0].name: given "abcdefghijklmnopqrstu". Give a name of 1 to 20 lower-case letters, digits and hyphens, like europe-2.',
  ],
  ["an unknown kind", pool({ kind: "all" }), 'pools[0].kind: given "all". Give one of: user, global.'],
  [
    "an unknown polling",
    pool({ polling: "slow" }),
    'pools[0].polling: given "slow". Give one of: economy, balanced, fast.',
  ],
  [
    "no concurrency",
    pool({ concurrency: 0 }),
    "pools[0].concurrency: given 0. Give a whole number from 1 to 1000 (runs at once).",
  ],
  [
    "a number as text",
    pool({ concurrency: "10" }),
    'pools[0].concurrency: given "10". Give a whole number from 1 to 1000 (runs at once).',
  ],
  [
    "half a lease",
    pool({ leasesPerKey: 1.5 }),
    "pools[0].leasesPerKey: given 1.5. Give a whole number from 1 to 1000 (leases per runner key).",
  ],
  [
    "a run without time",
    pool({ runLimitMinutes: 0 }),
    "pools[0].runLimitMinutes: given 0. Give a whole number from 1 to 720 (minutes).",
  ],
  [
    "more time than the attempts of a run have",
    pool({ runLimitMinutes: 191 }),
    "pools[0].runLimitMinutes: runLimitMinutes is 191, but timing.maxContinuations allows a run 13 attempts, each of which works for 880 s: processor.timeoutSeconds (900) less timing.attemptReserveMs. Give 190 or less.",
  ],
  [
    "an unknown way to ask a round",
    { inference: { mode: "batch" } },
    'inference.mode: given "batch". Give one of: auto, background, streaming.',
  ],
  [
    "too little memory",
    pool({ dispatcher: { memoryMb: 64 } }),
    "pools[0].dispatcher.memoryMb: given 64. Give a whole number from 128 to 10240 (MB).",
  ],
  [
    "a time-out that Lambda does not allow",
    pool({ processor: { timeoutSeconds: 901 } }),
    "pools[0].processor.timeoutSeconds: given 901. Give a whole number from 1 to 900 (seconds; Lambda allows no more).",
  ],
  ["no pool", { pools: [] }, "pools: given a list. Give at least one pool."],
  ["a pool that is no object", { pools: [4] }, "pools[0]: given 4. Give an object."],
  [
    "a text for a choice of address",
    { endpoints: { fips: "yes" } },
    'endpoints.fips: given "yes". Give true or false.',
  ],
  [
    "a retention that CloudWatch does not know",
    { logRetentionDays: 8 },
    "logRetentionDays: given 8. Give one of: 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653 (days).",
  ],
  [
    "logs kept for ever",
    { logRetentionDays: 9999 },
    "logRetentionDays: given 9999. Give one of: 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653 (days).",
  ],
  [
    "an unknown log level",
    { logLevel: "verbose" },
    'logLevel: given "verbose". Give one of: trace, debug, info, warn, error, fatal.',
  ],
  [
    "an unknown removal policy",
    { removalPolicy: "snapshot" },
    'removalPolicy: given "snapshot". Give one of: destroy, retain.',
  ],
  [
    "a store that is no boolean",
    { inference: { store: "no" } },
    'inference.store: given "no". Give true or false.',
  ],
  [
    "a stack name with a space",
    { stackName: "my stack" },
    'stackName: given "my stack". Give a CloudFormation stack name: letters, digits and hyphens, a letter first.',
  ],
  [
    "an unknown level of monitoring",
    { monitoring: { level: "some" } },
    'monitoring.level: given "some". Give one of: full, lean, off.',
  ],
  [
    "an address that is no e-mail address",
    { monitoring: { email: "night" } },
    'monitoring.email: given "night". Give an e-mail address.',
  ],
  [
    "a failure rate of nothing",
    { monitoring: { failurePercent: 0 } },
    "monitoring.failurePercent: given 0. Give a whole number from 1 to 100 (percent of the runs that ended).",
  ],
  [
    "a preview of more than 200 characters",
    { monitoring: { previewCharacters: 201 } },
    "monitoring.previewCharacters: given 201. Give a whole number from 0 to 200 (characters of a job's newest message in the log).",
  ],
  [
    "an unknown way of tracing",
    { monitoring: { tracing: "on" } },
    'monitoring.tracing: given "on". Give one of: off, xray.',
  ],
  [
    "a slip in a name of monitoring",
    { monitoring: { mail: "a@b.example" } },
    'monitoring.mail: unknown setting (given a text of length 11). Did you mean "email"?',
  ],
  [
    "a release feed without TLS",
    { updates: { feedUrl: "http://example.com/feed" } },
    'updates.feedUrl: given "http://example.com/feed". Give an https:// address (http:// only for this machine).',
  ],
  [
    "updates without a feed",
    { updates: {} },
    "updates.feedUrl: missing. Give an https:// address (http:// only for this machine).",
  ],
  [
    "eleven pools",
    { pools: Array.from({ length: 11 }, (_, index) => ({ name: `p${index}x`, kind: "user" })) },
    "pools: given a list. Give at most 10 pools; a stack holds no more. Put the others into a second stack.",
  ],
  [
    "a tag without a text",
    { tags: { team: "" } },
    'tags.team: given "". Give a text of 1 to 256 characters.',
  ],
  [
    "a tag name that AWS reserves",
    { tags: { "aws:team": "a" } },
    "tags: given an object. Give tag names of 1 to 128 characters that do not begin with aws:.",
  ],
  [
    "half a secret ARN",
    pool({ keySecretArn: "arn:aws:secretsmanager:eu-west-1:123456789012:secret:keys" }),
    'pools[0].keySecretArn: given "arn:aws:secretsmanager:eu-west-1:123456789012:secret:keys". Give the secret\'s complete ARN with its last six characters: arn:aws:secretsmanager:<region>:<account>:secret:<name>-AbCdEf.',
  ],
  [
    "a table's name in place of its ARN",
    { runStoreTableArn: "run store" },
    'runStoreTableArn: given "run store". Give the table\'s complete ARN: arn:aws:dynamodb:<region>:<account>:table/<name>.',
  ],
];
