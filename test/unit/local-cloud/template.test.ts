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

it("readStack prefers the template's names to generated ones", () => {
  const name = { "Fn::Join": ["-", ["own", { Ref: "AWS::Region" }]] };
  const stack = read({ functions: { Worker: { properties: { FunctionName: name } } } });

  expect(stack.functions[0]?.name).toBe("own-eu-central-1");
});

it("readStack labels functions by their logical ids when their short names are equal", () => {
  const stack = read({ functions: { ProcessorA1B2C3D4: {}, ProcessorB1B2C3D4: {} } });

  expect(stack.functions.map(({ label }) => label)).toEqual(["ProcessorA1B2C3D4", "ProcessorB1B2C3D4"]);
});

it("readStack ignores resources that do not run locally", () => {
  const stack = read({
    functions: { Python: { properties: { Runtime: "python3.13" } } },
    resources: { Bucket: { Type: "AWS::S3::Bucket", Properties: { Name: { "Fn::ImportValue": "x" } } } },
  });

  const { name: _, ...kinds } = stack;
  expect(Object.values(kinds).flat()).toEqual([]);
});

const asyncConfig = (properties: Readonly<Record<string, unknown>>): Fixture => ({
  functions: { Worker: {} },
  resources: { Config: eventInvokeConfig("Worker", properties) },
});
const foreignArn = "arn:aws:sns:eu-central-1:1:x";
const tick = {
  Type: "AWS::Scheduler::Schedule",
  Properties: { ScheduleExpression: "rate(1 minute)", Target: { Arn: "arn:x" } },
};

it.each<[string, Fixture, string]>([
  [
    "a reference to a resource that does not run here",
    { ...variables({ A: { Ref: "Bucket" } }), resources: { Bucket: { Type: "AWS::S3::Bucket" } } },
    "Worker, Environment: Bucket (AWS::S3::Bucket) has no local counterpart to refer to",
  ],
  [
    "an attribute that does not exist",
    variables({ A: { "Fn::GetAtt": ["Worker", "Colour"] } }),
    "Worker, Environment: attribute Colour of Worker (AWS::Lambda::Function) has no local counterpart",
  ],
  [
    "a parameter without a default",
    { ...variables({ A: { Ref: "Stage" } }), parameters: { Stage: { Type: "String" } } },
    'Worker, Environment: "Stage" (a parameter without a default, or unknown) has no local counterpart',
  ],
  [
    "an unknown intrinsic function",
    variables({ A: { "Fn::ImportValue": "x" } }),
    "Worker, Environment: Fn::ImportValue is not understood locally",
  ],
  [
    "a dynamic reference",
    variables({ A: "{{resolve:secretsmanager:x}}" }),
    "Worker, Environment: the dynamic reference {{resolve:secretsmanager:x}} cannot be resolved locally",
  ],
  [
    "a missing asset",
    { functions: { Worker: { properties: { Code: { S3Key: "gone.zip" } } } } },
    "asset.gone is missing: synthesize again",
  ],
  [
    "an alias as the target of async settings",
    asyncConfig({ Qualifier: "live" }),
    "Config, Qualifier: ✖ versions and aliases do not run locally",
  ],
  [
    "an on-success destination",
    asyncConfig({ DestinationConfig: { OnSuccess: { Destination: "x" } } }),
    "on-success destinations do not run locally",
  ],
  [
    "a failure destination outside the template",
    asyncConfig({ DestinationConfig: { OnFailure: { Destination: foreignArn } } }),
    "Worker: its failure destination arn:aws:sns:eu-central-1:1:x does not run locally",
  ],
  [
    "a schedule with a target outside the template",
    { resources: { Tick: tick } },
    "Tick, Target: arn:x is not a function that runs locally",
  ],
])("readStack rejects %s, naming its place in the template", (_, fixture, message) => {
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
