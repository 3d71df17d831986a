import type { Attributes } from "./intrinsics.ts";

export interface Naming {
  readonly logicalId: string;
  /** The name in the template, if any. */
  readonly givenName: string | undefined;
  readonly stack: string;
  readonly region: string;
  readonly accountId: string;
  /** The address of this cloud, which queue URLs contain. Default: AWS's. */
  readonly endpointUrl?: string | undefined;
}

export interface Identity extends Attributes {
  readonly name: string;
  readonly arn: string;
}

interface Kind {
  readonly nameProperty: string;
  readonly service: string;
  /** Returns the last part of the ARN. */
  readonly resource: (name: string, naming: Naming) => string;
  readonly ref: (name: string, arn: string, naming: Naming) => string;
  /** Attributes whose value is the name. `Arn` always exists. */
  readonly nameAttributes?: readonly string[];
  /** Attributes whose value is the ARN. */
  readonly arnAttributes?: readonly string[];
  /** The ARN contains no region. */
  readonly global?: true;
}

const byName = (name: string): string => name;
const byArn = (_name: string, arn: string): string => arn;

const table: Kind = {
  nameProperty: "TableName",
  service: "dynamodb",
  resource: (name) => `table/${name}`,
  ref: byName,
};

const alarm: Kind = {
  nameProperty: "AlarmName",
  service: "cloudwatch",
  resource: (name) => `alarm:${name}`,
  ref: byName,
};

const kinds: Readonly<Record<string, Kind>> = {
  "AWS::Lambda::Function": {
    nameProperty: "FunctionName",
    service: "lambda",
    resource: (name) => `function:${name}`,
    ref: byName,
  },
  "AWS::DynamoDB::Table": table,
  "AWS::DynamoDB::GlobalTable": table,
  "AWS::SecretsManager::Secret": {
    nameProperty: "Name",
    service: "secretsmanager",
    resource: (name) => `secret:${name}-abcdef`, // Secrets Manager appends six characters
    ref: byArn,
  },
  "AWS::SQS::Queue": {
    nameProperty: "QueueName",
    service: "sqs",
    resource: byName,
    ref: (name, _arn, { region, accountId, endpointUrl = `https://sqs.${region}.amazonaws.com` }) =>
      `${endpointUrl}/${accountId}/${name}`,
    nameAttributes: ["QueueName"],
  },
  "AWS::Scheduler::Schedule": {
    nameProperty: "Name",
    service: "scheduler",
    resource: (name) => `schedule/default/${name}`,
    ref: byName,
  },
  "AWS::CloudWatch::Alarm": alarm,
  "AWS::CloudWatch::CompositeAlarm": alarm,
  "AWS::CloudWatch::Dashboard": {
    nameProperty: "DashboardName",
    service: "cloudwatch",
    resource: (name) => `dashboard/${name}`,
    ref: byName,
    global: true,
  },
  "AWS::SNS::Topic": {
    nameProperty: "TopicName",
    service: "sns",
    resource: byName,
    ref: byArn,
    nameAttributes: ["TopicName"],
    arnAttributes: ["TopicArn"],
  },
  "AWS::IAM::Role": {
    nameProperty: "RoleName",
    service: "iam",
    resource: (name) => `role/${name}`,
    ref: byName,
  },
  "AWS::Logs::LogGroup": {
    nameProperty: "LogGroupName",
    service: "logs",
    resource: (name) => `log-group:${name}:*`,
    ref: byName,
  },
};

/** The property with the name of resources of this type; undefined for types that do not run here. */
export const namePropertyOf = (type: string): string | undefined => kinds[type]?.nameProperty;

/**
 * The name and ARN of a resource. Generated names are the same at every start, so that kept tables are found
 * again. Undefined for types that do not run here.
 */
export function identityOf(type: string, naming: Naming): Identity | undefined {
  const kind = kinds[type];
  if (kind === undefined) return undefined;
  const { stack, logicalId, region, accountId } = naming;
  // CloudFormation generates "<logical id>-<random>" for a secret, and CDK splits ARNs at that hyphen.
  const generated =
    type === "AWS::SecretsManager::Secret" ? `${logicalId}-local` : `${stack}-${logicalId}`.slice(-64);
  const name = naming.givenName ?? generated;
  const place = kind.global === true ? "" : region;
  const arn = `arn:aws:${kind.service}:${place}:${accountId}:${kind.resource(name, naming)}`;
  const named = (kind.nameAttributes ?? []).map((attribute) => [attribute, name]);
  const located = (kind.arnAttributes ?? []).map((attribute) => [attribute, arn]);
  return {
    name,
    arn,
    ref: kind.ref(name, arn, naming),
    attributes: { Arn: arn, ...Object.fromEntries([...named, ...located]) },
  };
}
