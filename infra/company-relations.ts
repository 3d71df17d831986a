import {
  concurrency,
  defaultConcurrency,
  defaultFailurePercent,
  thresholdsSchema,
} from "./company-schema.ts";
import { formatPath, valueAt, type Problem } from "./problems.ts";

type Path = readonly (string | number)[];

/** A relation between settings. `given` reads what the user wrote, which may still be wrong in itself. */
interface Row {
  readonly path: Path;
  readonly broken: (given: Given) => boolean;
  readonly sentence: string | ((given: Given) => string);
}

type Given = (...path: Path) => unknown;

/** Reports settings for a company's account that contradict others. */
export function brokenCompanyRelations(input: unknown): readonly Problem[] {
  const given: Given = (...path) => valueAt(input, path);
  const pools = given("pools");
  const count = Array.isArray(pools) ? pools.length : 0;
  return [...rows, ...Array.from({ length: count }, (_, index) => poolRows(["pools", index])).flat()]
    .filter(({ path, broken }) => given(...path) !== undefined && broken(given))
    .map(({ path, sentence }) => ({
      path: formatPath(path),
      sentence: typeof sentence === "string" ? sentence : sentence(given),
    }));
}

/** The KMS key of a secret that is not there. */
function keyWithoutSecret(place: Path, secret: string): Row {
  return {
    path: [...place, `${secret.replace(/Arn$/, "")}KmsKeyArn`],
    // With Bedrock and with workload identity there is no such secret, as other relations say.
    broken: (given) =>
      given(...place, secret) === undefined &&
      given(...place, "provider") !== "bedrock" &&
      given(...place, "workloadIdentity") === undefined,
    sentence: `is the KMS key of a secret that you bring, but ${secret} is missing. Name the secret, or give the key of the stack's own secrets: encryption.secretsKeyArn.`,
  };
}

const level = (given: Given): unknown => given("monitoring", "level");
const isOff = (given: Given): boolean => level(given) === "off";

/** Thresholds of alarms, with their defaults, which parsed settings have at every level. */
const standards = new Map(Object.entries(thresholdsSchema.parse({})));
const thresholds: readonly (readonly [path: Path, standard: unknown])[] = [
  [["monitoring", "failurePercent"], defaultFailurePercent],
  ...Object.keys(thresholdsSchema.shape).map(
    (name) => [["monitoring", "thresholds", name], standards.get(name)] as const,
  ),
];
const thresholdRows = thresholds.map(([path, standard]): Row => ({
  path,
  broken: (given) =>
    (isOff(given) || (level(given) === "lean" && path.at(-1) !== "noGoodPollCycles")) &&
    given(...path) !== standard,
  sentence:
    'is for an alarm that this monitoring.level does not have. Leave it out, or set monitoring.level to "full".',
}));

/** A setting of the alarms, at a level that has none. */
const withoutAlarms = (path: Path, what: string): Row => ({
  path,
  broken: isOff,
  sentence: `is ${what}, but monitoring.level is "off", which has none. Leave it out, or choose another level.`,
});

const rows: readonly Row[] = [
  {
    path: ["logClass"],
    broken: (given) => given("logClass") === "infrequent-access" && !isOff(given),
    sentence: (given) =>
      `is "infrequent-access", in which CloudWatch extracts no metrics from log lines, but monitoring.level "${level(given) === "lean" ? "lean" : "full"}" needs them. Give "standard", or set monitoring.level to "off".`,
  },
  ...thresholdRows,
  keyWithoutSecret(["inference"], "keySecretArn"),
  {
    path: ["inference", "keySecretKmsKeyArn"],
    broken: (given) =>
      given("inference", "workloadIdentity") !== undefined && given("inference", "provider") !== "bedrock",
    sentence:
      "is the KMS key of a model key's secret, but inference.workloadIdentity replaces that key. Leave one of them out.",
  },
  withoutAlarms(["encryption", "topicKeyArn"], "the KMS key of the alarms' topic"),
  {
    path: ["encryption", "topicKeyArn"],
    broken: (given) => given("monitoring", "topicArn") !== undefined,
    sentence:
      "is the KMS key of the topic that the stack creates, but monitoring.topicArn brings one. Leave one of them out.",
  },
  withoutAlarms(["monitoring", "topicArn"], "the topic of the alarms"),
  withoutAlarms(["monitoring", "email"], "the address of the alarms"),
  {
    path: ["monitoring", "email"],
    broken: (given) => given("monitoring", "topicArn") !== undefined,
    sentence:
      "subscribes to the topic that the stack creates, but monitoring.topicArn brings one. Leave it out, and subscribe the address to that topic.",
  },
];

/** Absent or wrong: the default. */
const concurrencyOf = (pool: Path, given: Given): number =>
  concurrency()
    .catch(defaultConcurrency)
    .parse(given(...pool, "concurrency"));

const poolRows = (pool: Path): readonly Row[] => [
  {
    path: [...pool, "processor", "reservedConcurrency"],
    broken: (given) => {
      const reserved = Number(given(...pool, "processor", "reservedConcurrency"));
      return reserved >= 1 && reserved < concurrencyOf(pool, given);
    },
    sentence: (given) =>
      `is ${String(given(...pool, "processor", "reservedConcurrency"))}, but concurrency is ${concurrencyOf(pool, given)}: leased jobs would wait for a free function. Give ${concurrencyOf(pool, given)} or more, or lower concurrency.`,
  },
  keyWithoutSecret(pool, "keySecretArn"),
  keyWithoutSecret([...pool, "rotation"], "accountKeySecretArn"),
];
