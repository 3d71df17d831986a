import { Token } from "aws-cdk-lib";
import { formatPath, valueAt, type Problem } from "./problems.ts";

type Path = readonly (string | number)[];

/** Where something is: `arn:<partition>:<service>:<region>:…`. Roles and policies have no region. */
interface Place {
  readonly path: Path;
  readonly partition: string;
  readonly region: string;
}

const fixedPaths: readonly Path[] = [
  ["runStoreTableArn"],
  ["inference", "keySecretArn"],
  ["inference", "keySecretKmsKeyArn"],
  ...["keyArn", "tableKeyArn", "secretsKeyArn", "logsKeyArn", "topicKeyArn", "queueKeyArn"].map(
    (name) => ["encryption", name] as const,
  ),
  ["monitoring", "topicArn"],
  ["iam", "permissionsBoundaryArn"],
];

const poolPaths = (pool: Path): readonly Path[] => [
  [...pool, "keySecretArn"],
  [...pool, "keySecretKmsKeyArn"],
  [...pool, "rotation", "accountKeySecretArn"],
  [...pool, "rotation", "accountKeySecretKmsKeyArn"],
];

/**
 * Reports what is not in the stack's region and partition, as far as they are known: from the stack itself,
 * or from the first ARN in the settings.
 */
export function brokenPlaces(input: unknown, stackRegion?: string): readonly Problem[] {
  const pools = valueAt(input, ["pools"]);
  const count = Array.isArray(pools) ? pools.length : 0;
  const paths = [
    ...fixedPaths,
    ...Array.from({ length: count }, (_, index) => poolPaths(["pools", index])).flat(),
  ];
  const places = paths.flatMap((path) => placeOf(path, valueAt(input, path)) ?? []);
  const [first] = places.filter(({ region }) => region !== "");
  const region = stackRegion ?? first?.region;
  if (region === undefined) return [];
  const source =
    stackRegion === undefined && first !== undefined
      ? `${formatPath(first.path)} is in ${region}`
      : `the stack is in ${region}`;
  return [
    ...places.flatMap((place) => wrongPlace(place, region, source)),
    ...wrongServices(input, region, source),
  ];
}

function placeOf(path: Path, value: unknown): Place | undefined {
  if (typeof value !== "string" || Token.isUnresolved(value)) return undefined;
  const [, partition, region] = /^arn:(aws[\w-]*):\w+:([\w-]*):/.exec(value) ?? [];
  return partition === undefined || region === undefined ? undefined : { path, partition, region };
}

/** https://docs.aws.amazon.com/IAM/latest/UserGuide/reference-arns.html */
const partitionOf = (region: string): string => {
  const [start] = /^(?:cn|us-gov)(?=-)/.exec(region) ?? [];
  return start === undefined ? "aws" : `aws-${start}`;
};

function wrongPlace(
  { path, partition, region: own }: Place,
  region: string,
  source: string,
): readonly Problem[] {
  if (own !== "" && partition !== partitionOf(own)) {
    const sentence = `names partition ${partition} with region ${own}, which is in ${partitionOf(own)}. Correct the ARN.`;
    return [{ path: formatPath(path), sentence }];
  }
  const sentence =
    own !== "" && own !== region
      ? `is in ${own}, but ${source}. A stack can use only what is in its own region.`
      : `is of the partition ${partition}, but ${source}, in ${partitionOf(region)}. A stack can use only what is in its own partition.`;
  const isWrong = (own !== "" && own !== region) || partition !== partitionOf(region);
  return isWrong ? [{ path: formatPath(path), sentence }] : [];
}

/** Services that AWS does not have there. */
function wrongServices(input: unknown, region: string, source: string): readonly Problem[] {
  const inChina = partitionOf(region) === "aws-cn";
  const bedrockRegion = valueAt(input, ["inference", "region"]);
  return [
    ...(inChina && valueAt(input, ["endpoints", "fips"]) === true
      ? [
          {
            path: "endpoints.fips",
            sentence: `is true, but ${source}, and AWS has no FIPS endpoints in China. Give false.`,
          },
        ]
      : []),
    ...(inChina && valueAt(input, ["inference", "provider"]) === "bedrock"
      ? [
          {
            path: "inference.provider",
            sentence: `is "bedrock", but ${source}, and AWS has no Bedrock in China. Give "openai", with the inference.baseUrl of a server there.`,
          },
        ]
      : []),
    ...(typeof bedrockRegion === "string" && partitionOf(bedrockRegion) !== partitionOf(region)
      ? [
          {
            path: "inference.region",
            sentence: `is ${bedrockRegion}, but ${source}, in another partition: the processor's role is not valid there. Give a region of ${partitionOf(region)}.`,
          },
        ]
      : []),
  ];
}
