import { Stack, Token } from "aws-cdk-lib";
import { Policy, PolicyStatement, type IRole } from "aws-cdk-lib/aws-iam";
import type { Construct } from "constructs";
import { acknowledgeRegions } from "./acknowledge.ts";
import { bedrockOf, type Settings } from "./settings.ts";

/**
 * Lets a processor request, read and cancel responses of the settings' models on Amazon Bedrock, and of no
 * others. It is a policy of its own, so that acknowledging its wildcards does not cover the role's other
 * statements.
 * https://docs.aws.amazon.com/bedrock/latest/userguide/inference.html
 */
export function allowBedrock(scope: Construct, role: IRole, settings: Settings): Policy {
  const { endpoint } = bedrockOf(settings) ?? {};
  const stack = Stack.of(scope);
  const given = givenBy(stack, settings);
  const statements = endpoint === "runtime" ? runtimeStatements(given) : mantleStatements(given);
  const policy = new Policy(scope, "Bedrock", { roles: [role], statements: [...statements] });
  if (endpoint === "runtime")
    for (const resource of [
      `${shown(given.account, "AWS::AccountId")}:${project}`,
      ...given.models.map((model) => `:${behind(model)}`),
    ])
      acknowledgeRegions(policy, `arn:${shown(stack.partition, "AWS::Partition")}:bedrock:*:${resource}`);
  return policy;
}

/** Allows what `doctor` does: one request to each of the settings' models. None if they are not on Bedrock. */
export function askBedrockStatements(stack: Stack, settings: Settings): readonly PolicyStatement[] {
  const { endpoint } = bedrockOf(settings) ?? {};
  if (endpoint === undefined) return [];
  const given = givenBy(stack, settings);
  return endpoint === "runtime" ? invokeStatements(given, ["bedrock:InvokeModel"]) : [createStatement(given)];
}

function givenBy(stack: Stack, settings: Settings): Given {
  const { model, summaryModel } = settings.inference;
  return {
    models: [...new Set([model, summaryModel])],
    arn: (service, place, resource) => `arn:${stack.partition}:${service}:${place}:${resource}`,
    region: bedrockOf(settings)?.region ?? stack.region,
    account: stack.account,
  };
}

/** A value that is unknown before the deploy, in cdk-nag's notation. */
const shown = (value: string, reference: string): string =>
  Token.isUnresolved(value) ? `<${reference}>` : value;

interface Given {
  readonly models: readonly string[];
  readonly arn: (service: string, place: string, resource: string) => string;
  readonly region: string;
  readonly account: string;
}

/**
 * The account's default project: the only one for the runtime endpoint, and the mantle endpoint's when a
 * request names none.
 */
const project = "project/default";

const mantleProject = ({ arn, region, account }: Given): readonly string[] => [
  arn("bedrock-mantle", region, `${account}:${project}`),
];

/** mantle authorizes by project and has the requested model in a condition key. */
const createStatement = (given: Given): PolicyStatement =>
  new PolicyStatement({
    actions: ["bedrock-mantle:CreateInference"],
    resources: [...mantleProject(given)],
    conditions: { StringEquals: { "bedrock-mantle:Model": given.models } },
  });

const mantleStatements = (given: Given): readonly PolicyStatement[] => [
  createStatement(given),
  new PolicyStatement({
    actions: ["bedrock-mantle:GetInference", "bedrock-mantle:CancelInference"],
    resources: [...mantleProject(given)],
  }),
];

const runtimeProjects = ({ arn, account }: Given): readonly string[] => [
  arn("bedrock", "*", `${account}:${project}`),
];

/**
 * runtime authorizes a request against three resources: its inference profile, the model in any region that
 * the profile may choose, and the project in that region, where the response is stored.
 */
function invokeStatements(given: Given, actions: readonly string[]): readonly PolicyStatement[] {
  const { models, arn, region, account } = given;
  const profile = (model: string): string => arn("bedrock", region, `${account}:inference-profile/${model}`);
  return [
    new PolicyStatement({ actions: [...actions], resources: models.map(profile) }),
    ...models.map(
      (model) =>
        new PolicyStatement({
          actions: [...actions],
          resources: [arn("bedrock", "*", `:${behind(model)}`)],
          conditions: { StringEquals: { "bedrock:InferenceProfileArn": profile(model) } },
        }),
    ),
    new PolicyStatement({
      actions: ["bedrock:InvokeModel"],
      resources: [...runtimeProjects(given)],
      conditions: { StringEquals: { "bedrock:ModelArn": models.map(profile) } },
    }),
  ];
}

const runtimeStatements = (given: Given): readonly PolicyStatement[] => [
  ...invokeStatements(given, ["bedrock:InvokeModel", "bedrock:InvokeModelWithResponseStream"]),
  new PolicyStatement({
    actions: ["bedrock:GetInvoke", "bedrock:CancelInvoke"],
    resources: [...runtimeProjects(given)],
  }),
];

/** `us.openai.gpt-6-luna` is a profile of the model openai.gpt-6-luna. */
const behind = (profile: string): string => `foundation-model/${profile.slice(profile.indexOf(".") + 1)}`;
