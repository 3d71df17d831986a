import { Policy, PolicyStatement } from "aws-cdk-lib/aws-iam";
import type { IFunction } from "aws-cdk-lib/aws-lambda";
import { Construct } from "constructs";
import { toEnvironment } from "../lib/core/config.ts";
import { timing } from "../lib/core/timing.ts";
import { acknowledge } from "./acknowledge.ts";
import { allowBedrock } from "./bedrock.ts";
import { instructionsFile } from "./bundle.ts";
import { commonVariables } from "./common-variables.ts";
import type { KeySecret } from "./key-secret.ts";
import type { RunStoreTable } from "./run-store-table.ts";
import { RunnerFunction } from "./runner-function.ts";
import { ownInstructions } from "./own-instructions.ts";
import { bedrockOf, priceListFor, type PoolSettings, type Settings } from "./settings.ts";

export interface ProcessorProps {
  readonly settings: Settings;
  readonly pool: PoolSettings;
  readonly runStore: RunStoreTable;
  readonly runnerKeys: KeySecret;
  /** Absent: the processor uses its AWS identity or signs its requests. */
  readonly modelKey: KeySecret | undefined;
}

/** The processor of one pool. Call `settleBy` with its recovery before it can receive events. */
export class Processor extends Construct {
  readonly runner: RunnerFunction;

  constructor(scope: Construct, id: string, props: ProcessorProps) {
    super(scope, id);
    const { settings, pool, runStore, runnerKeys, modelKey } = props;
    const instructions = ownInstructions(settings.inference);
    this.runner = new RunnerFunction(this, "Runner", {
      name: "process",
      description: `studio-runner, pool ${pool.name}: works on one run`,
      ...pool.processor,
      environment: environment(props, instructions),
      instructions,
      statements: [
        ...runStore.rowStatements(pool.name, "GetItem", "UpdateItem"),
        ...runnerKeys.readStatements(),
        ...(modelKey ? modelKey.readStatements() : []),
      ],
      settings,
    });
    const identity = settings.inference.workloadIdentity;
    if (identity) this.#identify(identity.audience);
    if (bedrockOf(settings))
      this.runner.function.node.addDependency(allowBedrock(this, this.runner.role, settings));
  }

  /**
   * Lets the processor ask AWS for a short-lived identity token for the model's provider only. It is a policy
   * of its own, because the action supports no resource, and acknowledging that would cover the role's other
   * statements.
   */
  #identify(audience: string): void {
    const ask = new PolicyStatement({
      actions: ["sts:GetWebIdentityToken"],
      resources: ["*"],
      conditions: {
        "ForAllValues:StringEquals": { "sts:IdentityTokenAudience": audience },
        NumericLessThanEquals: { "sts:DurationSeconds": String(timing.subjectTokenSeconds) },
      },
    });
    const policy = new Policy(this, "Identity", { roles: [this.runner.role], statements: [ask] });
    acknowledge(policy, "AwsSolutions-IAM5[Resource::*]");
    this.runner.function.node.addDependency(policy);
  }

  /**
   * Lets an attempt invoke the next one, and lets Lambda invoke recovery for a failed attempt; both happen
   * with the processor's role. The policy is not part of the role: the function depends on everything in its
   * role, so a statement that names the function, or recovery, would create a cycle.
   */
  settleBy(recovery: IFunction): void {
    const { role, function: processor } = this.runner;
    const invoke = new PolicyStatement({
      actions: ["lambda:InvokeFunction"],
      resources: [processor.functionArn, recovery.functionArn],
    });
    const policy = new Policy(this, "Onward", { roles: [role], statements: [invoke] });
    const events = this.runner.takeEvents({
      maxEventAgeMs: timing.maxEventAgeMs,
      // The run store decides whether a run restarts.
      retries: 0,
      onFailureArn: recovery.functionArn,
    });
    // Lambda refuses a destination that the role may not invoke yet.
    events.node.addDependency(policy);
  }
}

function environment(props: ProcessorProps, instructions: string | undefined) {
  const { settings, modelKey } = props;
  const { inference } = settings;
  const identity = inference.workloadIdentity;
  const bedrock = bedrockOf(settings);
  return toEnvironment({
    ...commonVariables(props),
    BEDROCK_ENDPOINT: bedrock?.endpoint,
    BEDROCK_REGION: bedrock?.region,
    OPENAI_KEY_SECRET: modelKey?.arn,
    OPENAI_IDENTITY_PROVIDER: identity?.identityProviderId,
    OPENAI_SERVICE_ACCOUNT: identity?.serviceAccountId,
    OPENAI_IDENTITY_AUDIENCE: identity?.audience,
    OPENAI_TOKEN_URL: identity?.tokenUrl,
    OPENAI_MODEL: inference.model,
    OPENAI_SUMMARY_MODEL: inference.summaryModel,
    OPENAI_BASE_URL: inference.baseUrl,
    // The runtime endpoint does not support background mode. Trying it would cost each function a request.
    OPENAI_MODE: bedrock?.endpoint === "runtime" ? "streaming" : inference.mode,
    OPENAI_SERVICE_TIER: inference.serviceTier,
    OPENAI_REASONING_EFFORT: inference.reasoningEffort,
    OPENAI_MAX_OUTPUT_TOKENS: inference.maxOutputTokens,
    // Not every compatible server accepts this parameter.
    OPENAI_PROMPT_CACHE_KEY:
      bedrock === undefined && inference.baseUrl === undefined
        ? `studio-runner-${props.pool.name}`
        : undefined,
    OPENAI_HOSTED_TOOLS: inference.hostedTools,
    OPENAI_STORE: inference.store,
    RUNNER_INSTRUCTIONS_FILE: instructions === undefined ? undefined : instructionsFile,
    RUNNER_PRICES: priceListFor(settings),
    RUNNER_PREVIEW_CHARACTERS: settings.monitoring.previewCharacters || undefined,
  });
}
