import { Duration, RemovalPolicy } from "aws-cdk-lib";
import { Policy, PolicyStatement, Role, ServicePrincipal } from "aws-cdk-lib/aws-iam";
import {
  ApplicationLogLevel,
  Architecture,
  CfnFunction,
  EventInvokeConfig,
  LoggingFormat,
  Runtime,
  SystemLogLevel,
  Tracing,
} from "aws-cdk-lib/aws-lambda";
import { NodejsFunction } from "aws-cdk-lib/aws-lambda-nodejs";
import { LogGroup } from "aws-cdk-lib/aws-logs";
import { Construct } from "constructs";
import { acknowledge } from "./acknowledge.ts";
import { bundling, entryOf, lockFile, projectRoot, type FunctionName } from "./bundle.ts";
import type { Settings } from "./settings.ts";

export interface RunnerFunctionProps {
  readonly name: FunctionName;
  readonly description: string;
  readonly memoryMb: number;
  readonly timeoutSeconds: number;
  readonly environment: Readonly<Record<string, string>>;
  /** Text that is written into the bundle: the environment has no room for it. */
  readonly instructions?: string | undefined;
  /** All that the function may do, besides writing its own log. */
  readonly statements: readonly PolicyStatement[];
  /** What is kept of each invocation: its log, and its trace where that is on; and which of AWS's addresses it asks. */
  readonly settings: Pick<Settings, "logRetentionDays" | "logLevel" | "monitoring" | "endpoints">;
}

export interface EventRules {
  /** Lambda drops an event that has waited for longer. */
  readonly maxEventAgeMs: number;
  /** Attempts of Lambda's after one that failed. */
  readonly retries: 0 | 1 | 2;
  /** Gets the record of an event that was dropped, or failed for good. The role must be allowed to write there. */
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
 * Keeps the process small, for next to no CPU (docs/decisions/0020): young objects get 2 MB, where memory is scarce old ones
 * are collected before they fill it, and all threads allocate from one arena of glibc's.
 */
export const memoryVariables = (memoryMb: number): Record<string, string> => ({
  NODE_OPTIONS: `--max-semi-space-size=2${memoryMb < 256 ? " --max-old-space-size=48" : ""}`,
  MALLOC_ARENA_MAX: "1",
});

/** The AWS SDK's own variables. https://docs.aws.amazon.com/sdkref/latest/guide/feature-endpoints.html */
const endpointVariables = ({ endpoints }: Pick<Settings, "endpoints">): Record<string, string> => ({
  ...(endpoints.fips ? { AWS_USE_FIPS_ENDPOINT: "true" } : {}),
  ...(endpoints.dualStack ? { AWS_USE_DUALSTACK_ENDPOINT: "true" } : {}),
});

/**
 * What all functions share: runtime, bundle, a role and a log group of their own. No fixed names and no reserved
 * concurrency (new accounts have too little of it to reserve). Lambda's recursion guard stays on: a run calls few attempts
 * (docs/decisions/0008).
 */
export class RunnerFunction extends Construct {
  readonly function: NodejsFunction;
  readonly role: Role;
  readonly logGroup: LogGroup;

  constructor(scope: Construct, id: string, props: RunnerFunctionProps) {
    super(scope, id);
    // Kept for as long as the settings say, and not beyond the stack: nobody finds a group without a name again.
    this.logGroup = new LogGroup(this, "Log", {
      retention: props.settings.logRetentionDays,
      removalPolicy: RemovalPolicy.DESTROY,
    });
    this.role = this.#createRole(props.statements);
    this.function = new NodejsFunction(this, "Function", {
      entry: entryOf(props.name),
      handler: "handler",
      projectRoot,
      depsLockFilePath: lockFile,
      bundling: bundling(props.instructions),
      awsSdkConnectionReuse: false, // an SDK v2 variable; v3 reuses connections without it
      description: props.description,
      runtime: Runtime.NODEJS_24_X,
      architecture: Architecture.ARM_64,
      memorySize: props.memoryMb,
      timeout: Duration.seconds(props.timeoutSeconds),
      environment: {
        ...props.environment,
        ...endpointVariables(props.settings),
        ...memoryVariables(props.memoryMb),
      },
      role: this.role,
      logGroup: this.logGroup,
      loggingFormat: LoggingFormat.JSON,
      applicationLogLevelV2: applicationLogLevels[props.settings.logLevel],
      systemLogLevelV2: SystemLogLevel.INFO, // with the REPORT line: duration and memory used
    });
    if (props.settings.monitoring.tracing === "xray") this.#trace();
  }

  /**
   * X-Ray, active: Lambda samples invocations and sends their traces as this role. In a policy of its own, because CDK's
   * `tracing` would put the wildcard beside the role's other statements, and its acknowledgement would cover them all.
   */
  #trace(): void {
    const policy = new Policy(this, "Tracing", {
      roles: [this.role],
      statements: [
        new PolicyStatement({
          actions: ["xray:PutTraceSegments", "xray:PutTelemetryRecords"],
          resources: ["*"],
        }),
      ],
    });
    acknowledge(policy, "AwsSolutions-IAM5[Resource::*]");
    const { defaultChild } = this.function.node;
    if (!(defaultChild instanceof CfnFunction)) throw new TypeError("a function without a resource");
    defaultChild.tracingConfig = { mode: Tracing.ACTIVE };
    // Lambda refuses the mode to a role that may not send yet.
    this.function.node.addDependency(policy);
  }

  /** How Lambda treats this function's asynchronous events. Once only. */
  takeEvents({ maxEventAgeMs, retries, onFailureArn }: EventRules): EventInvokeConfig {
    return new EventInvokeConfig(this.function, "EventInvokeConfig", {
      function: this.function,
      maxEventAge: Duration.millis(maxEventAgeMs),
      retryAttempts: retries,
      // CDK's own destinations would also grant what nobody needs: every version and alias, a queue's attributes.
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
