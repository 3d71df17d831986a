import { readFileSync } from "node:fs";
import { basename, dirname } from "node:path";
import * as z from "zod";
import { TemplateError } from "./errors.ts";
import { identityOf, namePropertyOf, type Identity } from "./identity.ts";
import { resolve, resolveText, type Scope } from "./intrinsics.ts";
import type { FunctionResource, Output, Stack } from "./resources.ts";
import {
  alarmOf,
  compositeAlarmOf,
  dashboardOf,
  subscriptionOf,
  topicOf,
  withSubscriptions,
} from "./template-monitoring.ts";
import {
  eventInvokeConfigOf,
  functionOf,
  logGroupOf,
  queueOf,
  rotationOf,
  scheduleOf,
  secretOf,
  tableOf,
  type EventInvokeConfig,
  type Source,
} from "./template-resources.ts";

const templateSchema = z.object({
  Parameters: z.record(z.string(), z.object({ Default: z.unknown().optional() })).default({}),
  Resources: z.record(
    z.string(),
    z.object({ Type: z.string(), Properties: z.record(z.string(), z.unknown()).default({}) }),
  ),
  Outputs: z
    .record(z.string(), z.object({ Value: z.unknown(), Description: z.string().optional() }))
    .default({}),
});

type Template = z.output<typeof templateSchema>;

export interface Account {
  readonly region: string;
  readonly accountId: string;
  readonly endpointUrl?: string | undefined;
}

/**
 * Reads a synthesized template (`cdk.out/<stack>.template.json`), whose assets are in the same folder.
 * @throws TemplateError that names the file, or the resource and its property
 */
export function readStack(templateFile: string, account: Account): Stack {
  const template = parse(templateFile);
  const name = basename(templateFile).replace(/(\.template)?\.json$/, "");
  const parameters = parametersOf(template, { ...account, stack: name });
  const identities = identitiesOf(template, { ...account, stack: name, parameters });
  const types = typesOf(template);
  const scope: Scope = { parameters, resources: identities, types };
  const all = <T>(kind: string, build: (source: Source) => T): T[] =>
    Object.entries(template.Resources).flatMap(([logicalId, { Type, Properties }]) => {
      const identity = identities.get(logicalId);
      if (Type !== kind) return [];
      const property = (path: string): unknown =>
        resolve(valueAt(Properties, path), { scope, where: `${logicalId}, ${path}` });
      return [build({ logicalId, folder: dirname(templateFile), identity, property })];
    });
  const functions = all("AWS::Lambda::Function", functionOf).filter((fn) => fn !== undefined);
  const stack = {
    name,
    functions: withAsyncInvoke(
      withUniqueLabels(functions),
      all("AWS::Lambda::EventInvokeConfig", eventInvokeConfigOf),
    ),
    tables: [...all("AWS::DynamoDB::Table", tableOf), ...all("AWS::DynamoDB::GlobalTable", tableOf)],
    secrets: all("AWS::SecretsManager::Secret", secretOf),
    schedules: all("AWS::Scheduler::Schedule", scheduleOf),
    queues: all("AWS::SQS::Queue", queueOf),
    rotations: all("AWS::SecretsManager::RotationSchedule", rotationOf),
    logGroups: all("AWS::Logs::LogGroup", logGroupOf),
    alarms: [
      ...all("AWS::CloudWatch::Alarm", alarmOf),
      ...all("AWS::CloudWatch::CompositeAlarm", compositeAlarmOf),
    ],
    topics: withSubscriptions(all("AWS::SNS::Topic", topicOf), all("AWS::SNS::Subscription", subscriptionOf)),
    dashboards: all("AWS::CloudWatch::Dashboard", dashboardOf),
    outputs: outputsOf(template, scope),
  };
  checkTargets(stack);
  return stack;
}

const outputsOf = (template: Template, scope: Scope): readonly Output[] =>
  Object.entries(template.Outputs).map(([key, { Value, Description }]) => ({
    key,
    value: resolveText(Value, { scope, where: `output ${key}` }),
    description: Description,
  }));

/** @throws TemplateError if a schedule's target or a failure destination is not in the template */
function checkTargets({ functions, schedules, queues }: Stack): void {
  const functionArns = functions.map(({ arn }) => arn);
  const destinations = [...functionArns, ...queues.map(({ arn }) => arn)];
  for (const { logicalId, targetArn } of schedules) {
    if (!functionArns.includes(targetArn)) {
      throw new TemplateError(`${logicalId}, Target: ${targetArn} is not a function that runs locally`);
    }
  }
  for (const { logicalId, asyncInvoke } of functions) {
    const { onFailureArn } = asyncInvoke;
    if (onFailureArn !== undefined && !destinations.includes(onFailureArn)) {
      throw new TemplateError(`${logicalId}: its failure destination ${onFailureArn} does not run locally`);
    }
  }
}

function valueAt(properties: unknown, path: string): unknown {
  return path
    .split(".")
    .reduce<unknown>(
      (value, key) => (typeof value === "object" && value !== null ? Reflect.get(value, key) : undefined),
      properties,
    );
}

function parse(templateFile: string): Template {
  try {
    return templateSchema.parse(JSON.parse(readFileSync(templateFile, "utf8")));
  } catch (error) {
    const reason = error instanceof z.ZodError ? z.prettifyError(error) : String(error);
    throw new TemplateError(`${templateFile} is not a CloudFormation template: ${reason}`, { cause: error });
  }
}

interface Names extends Account {
  readonly stack: string;
}

function parametersOf(template: Template, { region, accountId, stack }: Names): Map<string, unknown> {
  const parameters = new Map<string, unknown>([
    ["AWS::Region", region],
    ["AWS::AccountId", accountId],
    ["AWS::Partition", "aws"],
    ["AWS::URLSuffix", "amazonaws.com"],
    ["AWS::StackName", stack],
    ["AWS::StackId", `arn:aws:cloudformation:${region}:${accountId}:stack/${stack}/local`],
  ]);
  for (const [name, { Default }] of Object.entries(template.Parameters)) {
    if (Default !== undefined) parameters.set(name, Default);
  }
  return parameters;
}

const typesOf = (template: Template): Map<string, string> =>
  new Map(Object.entries(template.Resources).map(([logicalId, { Type }]) => [logicalId, Type]));

function identitiesOf(
  template: Template,
  { parameters, ...names }: Names & { readonly parameters: ReadonlyMap<string, unknown> },
): Map<string, Identity> {
  const scope: Scope = { parameters, resources: new Map(), types: typesOf(template) };
  const identities = new Map<string, Identity>();
  for (const [logicalId, { Type, Properties }] of Object.entries(template.Resources)) {
    const key = namePropertyOf(Type);
    if (key === undefined) continue;
    const place = { scope, where: `${logicalId}, ${key}` };
    const givenName = Properties[key] === undefined ? undefined : resolveText(Properties[key], place);
    const identity = identityOf(Type, { ...names, logicalId, givenName });
    if (identity !== undefined) identities.set(logicalId, identity);
  }
  return identities;
}

/** Functions with the same label keep their logical ids, so that a process list can tell them apart. */
function withUniqueLabels(functions: readonly FunctionResource[]): FunctionResource[] {
  return functions.map((fn) => {
    const shared = functions.some((other) => other !== fn && other.label === fn.label);
    return shared ? { ...fn, label: fn.logicalId, title: `studio-runner ${fn.logicalId}` } : fn;
  });
}

function withAsyncInvoke(
  functions: readonly FunctionResource[],
  configs: readonly EventInvokeConfig[],
): FunctionResource[] {
  return functions.map((fn) => {
    const config = configs.find(({ functionName }) => functionName === fn.name || functionName === fn.arn);
    return config === undefined ? fn : { ...fn, asyncInvoke: config.asyncInvoke };
  });
}
