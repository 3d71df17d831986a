import { describe, expect, it } from "vitest";
import { problems } from "./settings-cases.ts";
import { synthesizeUnbundled } from "./synthesized.ts";

const permissionsBoundaryArn = "arn:aws:iam::123456789012:policy/boundaries/workloads";
const longest = "a-pool-named-so-long"; // 20 characters
const stack = synthesizeUnbundled(
  {
    iam: { permissionsBoundaryArn, rolePath: "/runners/nightly/" },
    namePrefix: "acme-prod-west", // 14 characters
    pools: [{ name: longest, kind: "user", rotation: {} }],
  },
  { hasValidation: true },
);

it("every role has the permissions boundary and the path of the settings", () => {
  const roles = stack.resources("AWS::IAM::Role").map(({ Properties }) => Properties);
  expect(roles).toHaveLength(6);
  for (const role of roles)
    expect(role).toMatchObject({ PermissionsBoundary: permissionsBoundaryArn, Path: "/runners/nightly/" });
});

it("roles have neither boundary nor path by default", () => {
  for (const { Properties } of synthesizeUnbundled({}).resources("AWS::IAM::Role")) {
    expect(Properties).not.toHaveProperty("PermissionsBoundary");
    expect(Properties).not.toHaveProperty("Path");
  }
});

describe("with a name prefix", () => {
  const property = /^(?:Alarm|Dashboard|Function|LogGroup|Queue|Role|Table|Topic)?Name$/;
  /** The end of a name is a piece of the stack's id, which is not known yet. */
  const namesOf = (type: string): readonly string[] =>
    stack.resources(type).map(({ Properties }) => {
      const [, name] = Object.entries(Properties).find(([key]) => property.test(key)) ?? [];
      return String(name).replace("[object Object]", "51af3dc0");
    });

  it("the end of a name is the first group of the stack's UUID, which differs each time the stack is created", () => {
    const uuid = '{"Fn::Select":[2,{"Fn::Split":["/",{"Ref":"AWS::StackId"}]}]}';
    expect(stack.text).toContain(
      `["acme-prod-west-run-store-",{"Fn::Select":[0,{"Fn::Split":["-",${uuid}]}]}]`,
    );
  });

  it.each([
    [
      "AWS::IAM::Role",
      [
        "acme-prod-west-a-pool-named-so-long-dispatcher-51af3dc0",
        "acme-prod-west-a-pool-named-so-long-dispatcher-schedule-51af3dc0",
        "acme-prod-west-a-pool-named-so-long-processor-51af3dc0",
        "acme-prod-west-a-pool-named-so-long-recovery-51af3dc0",
        "acme-prod-west-a-pool-named-so-long-rotator-51af3dc0",
        "acme-prod-west-a-pool-named-so-long-rotator-schedule-51af3dc0",
      ],
    ],
    ["AWS::DynamoDB::Table", ["acme-prod-west-run-store-51af3dc0"]],
    ["AWS::SNS::Topic", ["acme-prod-west-alarms-51af3dc0"]],
    ["AWS::SQS::Queue", ["acme-prod-west-a-pool-named-so-long-recovery-dead-letters-51af3dc0"]],
    [
      "AWS::SecretsManager::Secret",
      [
        "acme-prod-west-a-pool-named-so-long-keys-51af3dc0",
        "acme-prod-west-a-pool-named-so-long-rotator-account-51af3dc0",
        "acme-prod-west-model-key-51af3dc0",
      ],
    ],
  ])("%s is named after it, the pool and the part", (type, names) => {
    expect(namesOf(type).toSorted()).toEqual(names);
    expect(Math.max(...names.map(({ length }) => length))).toBeLessThanOrEqual(
      type === "AWS::IAM::Role" ? 64 : 80,
    );
  });
});

it.each([
  [
    { namePrefix: "Acme_" },
    'namePrefix: given "Acme_". Give 1 to 14 lower-case letters, digits and hyphens, a letter first, like acme-prod.',
  ],
  [
    { iam: { rolePath: "runners" } },
    'iam.rolePath: given "runners". Give a path that begins and ends with a slash, like /runners/.',
  ],
  [
    { iam: { permissionsBoundaryArn: "workloads" } },
    'iam.permissionsBoundaryArn: given "workloads". Give the policy\'s complete ARN: arn:aws:iam::<account>:policy/<name>.',
  ],
])("the settings refuse %j", (settings, problem) => {
  expect(problems(settings)).toEqual([problem]);
});
