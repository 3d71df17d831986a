import { formatPath, valueAt, type Problem } from "./problems.ts";

type Path = readonly (string | number)[];

/** A relation between settings. `given` reads what the user wrote, which may still be wrong in itself. */
interface Row {
  readonly path: Path;
  readonly broken: (given: (...path: Path) => unknown) => boolean;
  readonly sentence: string;
}

/** Reports settings for a company's account that contradict others. */
export function brokenCompanyRelations(input: unknown): readonly Problem[] {
  const given = (...path: Path): unknown => valueAt(input, path);
  const pools = given("pools");
  const count = Array.isArray(pools) ? pools.length : 0;
  return [...rows, ...Array.from({ length: count }, (_, index) => poolRows(["pools", index])).flat()]
    .filter(({ path, broken }) => given(...path) !== undefined && broken(given))
    .map(({ path, sentence }) => ({ path: formatPath(path), sentence }));
}

/** The KMS key of a secret that is not there. */
function keyWithoutSecret(place: Path, secret: string): Row {
  return {
    path: [...place, `${secret.replace(/Arn$/, "")}KmsKeyArn`],
    broken: (given) => given(...place, secret) === undefined,
    sentence: `is the KMS key of a secret that you bring, but ${secret} is missing. Name the secret, or give the key of the stack's own secrets: encryption.secretsKeyArn.`,
  };
}

const isOff = (given: (...path: Path) => unknown): boolean => given("monitoring", "level") === "off";

const rows: readonly Row[] = [
  keyWithoutSecret(["inference"], "keySecretArn"),
  {
    path: ["encryption", "topicKeyArn"],
    broken: isOff,
    sentence:
      'is the KMS key of the alarms\' topic, but monitoring.level is "off", which has none. Leave it out, or choose another level.',
  },
];

const poolRows = (pool: Path): readonly Row[] => [
  keyWithoutSecret(pool, "keySecretArn"),
  keyWithoutSecret([...pool, "rotation"], "accountKeySecretArn"),
];
