import type { AlarmDefinition, Dashboard, Topic } from "./monitoring/alarm-definitions.ts";

/** The template's resources that run here, with all references resolved. */
export interface FunctionResource {
  readonly logicalId: string;
  readonly name: string;
  readonly arn: string;
  /** Readable name: "processor". */
  readonly label: string;
  /** The title of the function's processes: "studio-runner processor". */
  readonly title: string;
  readonly handler: string;
  readonly codeFolder: string;
  readonly timeoutMs: number;
  readonly memoryMb: number;
  readonly variables: Readonly<Record<string, string>>;
  readonly log: {
    readonly format: "JSON" | "Text";
    readonly level: string | undefined;
    readonly group: string;
  };
  readonly reservedConcurrency: number | undefined;
  readonly mayRecurse: boolean;
  readonly asyncInvoke: AsyncInvoke;
}

export interface AsyncInvoke {
  readonly maxRetries: number;
  readonly maxAgeMs: number;
  readonly onFailureArn: string | undefined;
}

export interface KeyElement {
  readonly AttributeName: string;
  readonly KeyType: "HASH" | "RANGE";
}

export interface TableIndex {
  readonly IndexName: string;
  readonly KeySchema: readonly KeyElement[];
  readonly Projection: {
    readonly ProjectionType?: "ALL" | "KEYS_ONLY" | "INCLUDE" | undefined;
    readonly NonKeyAttributes?: readonly string[] | undefined;
  };
}

export interface TableResource {
  readonly logicalId: string;
  readonly name: string;
  readonly attributes: readonly { readonly AttributeName: string; readonly AttributeType: "S" | "N" | "B" }[];
  readonly keys: readonly KeyElement[];
  readonly globalIndexes: readonly TableIndex[];
  readonly localIndexes: readonly TableIndex[];
  readonly ttlAttribute: string | undefined;
}

export interface SecretResource {
  readonly logicalId: string;
  readonly name: string;
  readonly arn: string;
  /** The literal or generated value that CloudFormation would create; undefined until a value is put. */
  readonly initialValue: string | undefined;
}

export interface ScheduleResource {
  readonly logicalId: string;
  readonly name: string;
  readonly arn: string;
  readonly expression: string;
  /** Undefined for `cron(…)` and `at(…)`, which fire only on request here. */
  readonly intervalMs: number | undefined;
  readonly enabled: boolean;
  readonly flexibleTimeWindow: Readonly<Record<string, unknown>>;
  readonly retryPolicy: Readonly<Record<string, unknown>> | undefined;
  readonly targetArn: string;
  readonly input: string | undefined;
}

export interface QueueResource {
  readonly logicalId: string;
  readonly name: string;
  readonly arn: string;
  readonly url: string;
  /** How long a received message is hidden. */
  readonly visibilityMs: number;
}

/** The rotation of a secret. Locally it runs only on request. */
export interface RotationResource {
  readonly secretId: string;
  readonly functionArn: string | undefined;
  readonly rules: RotationRules | undefined;
}

export interface RotationRules {
  readonly AutomaticallyAfterDays?: number | undefined;
  readonly ScheduleExpression?: string | undefined;
}

export interface Output {
  readonly key: string;
  readonly value: string;
  readonly description: string | undefined;
}

export interface Stack {
  readonly name: string;
  readonly functions: readonly FunctionResource[];
  readonly tables: readonly TableResource[];
  readonly secrets: readonly SecretResource[];
  readonly schedules: readonly ScheduleResource[];
  readonly queues: readonly QueueResource[];
  readonly rotations: readonly RotationResource[];
  /** Names of log groups. */
  readonly logGroups: readonly string[];
  readonly alarms: readonly AlarmDefinition[];
  readonly topics: readonly Topic[];
  readonly dashboards: readonly Dashboard[];
  readonly outputs: readonly Output[];
}

/** "StudioRunnerUserProcessor60228016" → "user-processor". */
export function labelOf(logicalId: string): string {
  const words = logicalId
    .replace(/[0-9A-F]{8}$/, "")
    .replaceAll(/([a-z0-9])([A-Z])/g, "$1 $2")
    .toLowerCase()
    .split(/[^a-z0-9]+/)
    .filter((word) => word !== "" && !["studio", "runner", "stack", "function"].includes(word));
  return words.length === 0 ? logicalId : words.join("-");
}
