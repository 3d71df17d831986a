import { Duration, RemovalPolicy } from "aws-cdk-lib";
import { Effect, Policy, PolicyStatement, Role, ServicePrincipal } from "aws-cdk-lib/aws-iam";
import {
  ApplicationLogLevel,
  Architecture,
  CfnFunction,
  EventInvokeConfig,
  Function,
  LoggingFormat,
  Runtime,
  SystemLogLevel,
  Tracing,
} from "aws-cdk-lib/aws-lambda";
import { LogGroup, LogGroupClass } from "aws-cdk-lib/aws-logs";
import { Construct } from "constructs";
import { acknowledge } from "./acknowledge.ts";
import { functionCode, type FunctionName } from "./bundle.ts";
import { importKey, keyArnFor } from "./encryption.ts";
import type { Settings } from "./settings.ts";

export interface RunnerFunctionProps {
  readonly name: FunctionName;
  readonly description: string;
  readonly memoryMb: number;
  readonly timeoutSeconds: number;
  /** Absent: the function shares the account's concurrency. */
  readonly reservedConcurrency?: number | undefined;
  readonly environment: Readonly<Record<string, string>>;
  /** Text for the function, in a file beside its bundle. */
  readonly instructions?: string | undefined;
  /** Everything that the function may do, besides writing its log. */
  readonly statements: readonly PolicyStatement[];
  /** The settings for logging, tracing and AWS endpoints. */
  readonly settings: Pick<
    Settings,
    "logRetentionDays" | "logClass" | "logLevel" | "monitoring" | "endpoints" | "encryption" | "network"
  >;
}

export interface EventRules {
  /** Lambda drops an event that has waited longer than this. */
  readonly maxEventAgeMs: number;
  /** How often Lambda retries after a failed attempt. */
  readonly retries: 0 | 1 | 2;
  /**
   * The destination for the record of an event that was dropped or failed finally. The role must be allowed
   * to write to it.
   */
  readonly onFailureArn?: string;
}

const applicationLogLevels = {
  trace: ApplicationLogLevel.TRACE,
  debug: ApplicationLogLevel.DEBUG,
  info: ApplicationLogLevel.INFO,
  warn: ApplicationLogLevel.WARN,
  error: ApplicationLogLevel.ERROR,
  fatal: ApplicationLogLevel.FATAL,
} as const;

/**
 * Keeps the process small at little CPU cost (docs/decisions/0020): 2 MB for young objects, early collection
 * of old objects where memory is scarce, and one glibc arena for all threads.
 */
export const memoryVariables = (memoryMb: number): Record<string, string> => ({
  NODE_OPTIONS: `--max-semi-space-size=2${memoryMb < 256 ? " --max-old-space-size=48" : ""}`,
  MALLOC_ARENA_MAX: "1",
});

/**
 * Environment variables of the AWS SDK.
 * https://docs.aws.amazon.com/sdkref/latest/guide/feature-endpoints.html
 */
const endpointVariables = ({ endpoints }: Pick<Settings, "endpoints">): Record<string, string> => ({
  ...(endpoints.fips ? { AWS_USE_FIPS_ENDPOINT: "true" } : {}),
  ...(endpoints.dualStack ? { AWS_USE_DUALSTACK_ENDPOINT: "true" } : {}),
});

/**
 * What all functions share: runtime, bundle, a role and a log group. No fixed names, and by default no
 * reserved concurrency, because new accounts have too little of it. Lambda's recursion detection stays on; a run has
 * few enough attempts (docs/decisions/0008).
 */
export class RunnerFunction extends Construct {
  readonly function: Function;
  readonly role: Role;
  readonly logGroup: LogGroup;

  constructor(scope: Construct, id: string, props: RunnerFunctionProps) {
    super(scope, id);
    // Deleted with the stack, because nobody would find a log group with a generated name afterwards.
    const encryptionKey = importKey(this, keyArnFor(props.settings, "logs"));
    this.logGroup = new LogGroup(this, "Log", {
      ...(encryptionKey ? { encryptionKey } : {}),
      retention: props.settings.logRetentionDays,
      ...(props.settings.logClass === "standard" ? {} : { logGroupClass: LogGroupClass.INFREQUENT_ACCESS }),
      removalPolicy: RemovalPolicy.DESTROY,
    });
    this.role = this.#createRole(props.statements);
    this.function = new Function(this, "Function", {
      code: functionCode(props.name, props.instructions),
      handler: "index.handler",
      description: props.description,
      runtime: Runtime.NODEJS_24_X,
      architecture: Architecture.ARM_64,
      memorySize: props.memoryMb,
      timeout: Duration.seconds(props.timeoutSeconds),
      ...(props.reservedConcurrency === undefined
        ? {}
        : { reservedConcurrentExecutions: props.reservedConcurrency }),
      environment: {
        ...props.environment,
        ...endpointVariables(props.settings),
        ...memoryVariables(props.memoryMb),
      },
      role: this.role,
      logGroup: this.logGroup,
      loggingFormat: LoggingFormat.JSON,
      applicationLogLevelV2: applicationLogLevels[props.settings.logLevel],
      systemLogLevelV2: SystemLogLevel.INFO, // includes the REPORT line: duration and memory used
    });
    if (props.settings.monitoring.tracing === "xray") this.#trace();
    if (props.settings.network) this.#connect(props.settings.network);
  }

  /** Turns on X-Ray: Lambda samples invocations and sends their traces with this role. */
  #trace(): void {
    const send = new PolicyStatement({
      actions: ["xray:PutTraceSegments", "xray:PutTelemetryRecords"],
      resources: ["*"],
    });
    this.#addBefore("Tracing", send);
    this.#resource().tracingConfig = { mode: Tracing.ACTIVE };
  }

  /**
   * Connects the function to a VPC. Lambda makes the network interfaces with this role; code in the function,
   * whose calls carry its ARN, may not.
   */
  #connect({ subnetIds, securityGroupIds }: NonNullable<Settings["network"]>): void {
    const interfaces = {
      actions: [
        "AssignPrivateIpAddresses",
        "CreateNetworkInterface",
        "DeleteNetworkInterface",
        "DescribeNetworkInterfaces",
        "DescribeSubnets",
        "UnassignPrivateIpAddresses",
      ].map((action) => `ec2:${action}`),
      resources: ["*"],
    };
    this.#addBefore(
      "Network",
      new PolicyStatement(interfaces),
      new PolicyStatement({
        ...interfaces,
        effect: Effect.DENY,
        conditions: { Null: { "lambda:SourceFunctionArn": "false" } },
      }),
    );
    this.#resource().vpcConfig = { subnetIds: [...subnetIds], securityGroupIds: [...securityGroupIds] };
  }

  /**
   * Adds a policy with a wildcard, which Lambda requires before it creates the function. It is a policy of
   * its own, so that acknowledging the wildcard does not cover the role's other statements.
   */
  #addBefore(id: string, ...statements: readonly PolicyStatement[]): void {
    const policy = new Policy(this, id, { roles: [this.role], statements: [...statements] });
    acknowledge(policy, "AwsSolutions-IAM5[Resource::*]");
    this.function.node.addDependency(policy);
  }

  #resource(): CfnFunction {
    const { defaultChild } = this.function.node;
    if (!(defaultChild instanceof CfnFunction)) throw new TypeError("a function without a resource");
    return defaultChild;
  }

  /** Configures how Lambda handles this function's asynchronous events. Call it once. */
  takeEvents({ maxEventAgeMs, retries, onFailureArn }: EventRules): EventInvokeConfig {
    return new EventInvokeConfig(this.function, "EventInvokeConfig", {
      function: this.function,
      maxEventAge: Duration.millis(maxEventAgeMs),
      retryAttempts: retries,
      // CDK's own destination constructs would also grant access to every version and alias, and to a queue's
      // attributes.
      ...(onFailureArn === undefined ? {} : { onFailure: { bind: () => ({ destination: onFailureArn }) } }),
    });
  }

  #createRole(statements: readonly PolicyStatement[]): Role {
    const role = new Role(this, "Role", { assumedBy: new ServicePrincipal("lambda.amazonaws.com") });
    const writeLog = new PolicyStatement({
      actions: ["logs:CreateLogStream", "logs:PutLogEvents"],
      resources: [this.logGroup.logGroupArn],
    });
    for (const statement of [writeLog, ...statements]) role.addToPolicy(statement);
    return role;
  }
}
