import { expect, it } from "vitest";
import { readStack } from "../../../local/cloud/template.ts";
import { eventInvokeConfig, startForTest, writeTemplate, type Fixture } from "./fixture.ts";

const account = { region: "eu-central-1", accountId: "111122223333" };
const read = (fixture: Fixture) => readStack(writeTemplate(fixture), account);
const variables = (values: Readonly<Record<string, unknown>>) => ({
  functions: { Worker: { properties: { Environment: { Variables: values } } } },
});

it("readStack resolves the references that CDK writes", () => {
  const secret = { Type: "AWS::SecretsManager::Secret" };
  const arn = { Ref: "Key961B73FD" };
  const name = { "Fn::Select": [6, { "Fn::Split": [":", arn] }] };
  const part = (index: number) => ({ "Fn::Select": [index, { "Fn::Split": ["-", name] }] });
  const stack = read({
    ...variables({
      ARN: arn,
      NAME: { "Fn::Join": ["-", [part(0), part(1)]] },
      SUB: { "Fn::Sub": "https://${AWS::URLSuffix}/${Worker}/${Worker.Arn}/${!kept}" },
      SUB_WITH: { "Fn::Sub": ["${Own}-${Stage}", { Own: { Ref: "AWS::Region" } }] },
      NUMBER: 5,
    }),
    resources: { Key961B73FD: secret },
    parameters: { Stage: { Type: "String", Default: "test" } },
  });

  expect(stack.functions[0]?.variables).toEqual({
    ARN: "arn:aws:secretsmanager:eu-central-1:111122223333:secret:Key961B73FD-local-abcdef",
    NAME: "Key961B73FD-local",
    SUB: "https://amazonaws.com/TestStack-Worker/arn:aws:lambda:eu-central-1:111122223333:function:TestStack-Worker/${kept}",
    SUB_WITH: "eu-central-1-test",
    NUMBER: "5",
  });
});

it("readStack applies Lambda's defaults to what the template omits", () => {
  const stack = read({
    functions: { UserProcessor60228016: { properties: { Timeout: undefined, MemorySize: undefined } } },
  });

  expect(stack.functions).toMatchObject([
    {
      name: "TestStack-UserProcessor60228016",
      label: "user-processor",
      timeoutMs: 3_000,
      memoryMb: 128,
      variables: {},
      log: { format: "Text", group: "/aws/lambda/TestStack-UserProcessor60228016" },
      reservedConcurrency: undefined,
      mayRecurse: false,
      asyncInvoke: { maxRetries: 2, maxAgeMs: 21_600_000, onFailureArn: undefined },
    },
  ]);
});

it("readStack ignores resources that do not run locally", () => {
  const stack = read({
    functions: { Python: { properties: { Runtime: "python3.13" } } },
    resources: { Bucket: { Type: "AWS::S3::Bucket", Properties: { Name: { "Fn::ImportValue": "x" } } } },
  });

  const { name: _, ...kinds } = stack;
  expect(Object.values(kinds).flat()).toEqual([]);
});

const environment = (value: unknown) => variables({ A: value });
const asyncConfig = (properties: object): Fixture => ({
  functions: { Worker: {} },
  resources: { Config: eventInvokeConfig("Worker", properties) },
});
const destination = (kind: "OnSuccess" | "OnFailure", Destination: string) =>
  asyncConfig({ DestinationConfig: { [kind]: { Destination } } });
const bucket = { ...environment({ Ref: "Bucket" }), resources: { Bucket: { Type: "AWS::S3::Bucket" } } };
const attribute = environment({ "Fn::GetAtt": ["Worker", "Colour"] });
const parameter = { ...environment({ Ref: "Stage" }), parameters: { Stage: { Type: "String" } } };
const missing = { functions: { Worker: { properties: { Code: { S3Key: "gone.zip" } } } } };
const target = { ScheduleExpression: "rate(1 minute)", Target: { Arn: "arn:x" } };
const schedule = { resources: { Tick: { Type: "AWS::Scheduler::Schedule", Properties: target } } };
const topic = "arn:aws:sns:eu-central-1:1:x";
const noCounterpart = "has no local counterpart";

it.each<[string, Fixture]>([
  [`Worker, Environment: Bucket (AWS::S3::Bucket) ${noCounterpart} to refer to`, bucket],
  [`attribute Colour of Worker (AWS::Lambda::Function) ${noCounterpart}`, attribute],
  [`"Stage" (a parameter without a default, or unknown) ${noCounterpart}`, parameter],
  ["Fn::ImportValue is not understood locally", environment({ "Fn::ImportValue": "x" })],
  ["the dynamic reference {{resolve:x}} cannot be resolved locally", environment("{{resolve:x}}")],
  ["asset.gone is missing: synthesize again", missing],
  ["Config, Qualifier: ✖ versions and aliases do not run locally", asyncConfig({ Qualifier: "live" })],
  ["on-success destinations do not run locally", destination("OnSuccess", "x")],
  [`Worker: its failure destination ${topic} does not run locally`, destination("OnFailure", topic)],
  ["Tick, Target: arn:x is not a function that runs locally", schedule],
])("readStack rejects what does not run locally: %s", (message, fixture) => {
  expect(() => read(fixture)).toThrow(message);
});

it("readStack rejects a template file that cannot be read", () => {
  expect(() => readStack("/nowhere/Stack.template.json", account)).toThrow(
    /^\/nowhere\/Stack\.template\.json is not a CloudFormation template: .*ENOENT/,
  );
});

it("the local cloud rejects a secret pattern that matches no secret", async () => {
  await expect(startForTest({}, { secrets: { "*Modle*": "sk-1" } })).rejects.toThrow(
    'no secret of the template matches "*Modle*"',
  );
});
