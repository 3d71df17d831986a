import { Policy, PolicyStatement } from "aws-cdk-lib/aws-iam";
import type { IFunction } from "aws-cdk-lib/aws-lambda";
import { Construct } from "constructs";
import { toEnvironment } from "../lib/config.ts";
import { timing } from "../lib/timing.ts";
import type { KeySecret } from "./key-secret.ts";
import type { LedgerTable } from "./ledger-table.ts";
import { RunnerFunction } from "./runner-function.ts";
import type { PoolSettings, Settings } from "./settings.ts";

export interface ProcessorProps {
  readonly settings: Settings;
  readonly pool: PoolSettings;
  readonly ledger: LedgerTable;
  readonly runnerKeys: KeySecret;
  readonly modelKey: KeySecret;
}

/** The processor of one pool. It takes events once its settler is known: `settleBy`. */
export class Processor extends Construct {
  readonly runner: RunnerFunction;

  constructor(scope: Construct, id: string, props: ProcessorProps) {
    super(scope, id);
    const { settings, pool, ledger, runnerKeys, modelKey } = props;
    this.runner = new RunnerFunction(this, "Runner", {
      name: "process",
      description: `studio-runner, pool ${pool.name}: works on one run`,
      ...pool.processor,
      environment: environment(props),
      statements: [
        ledger.rowStatement("GetItem", "UpdateItem"),
        runnerKeys.readStatement(),
        modelKey.readStatement(),
      ],
      logging: settings,
    });
  }

  /**
   * Lets a leg call the next one, and Lambda call the settler for a leg that failed: both as the processor's role. In a
   * policy beside the role, because the function waits for all that is in its role: a statement there that named the
   * function, or the settler that names it, would make the function wait for itself.
   */
  settleBy(settler: IFunction): void {
    const { role, function: processor } = this.runner;
    const invoke = new PolicyStatement({
      actions: ["lambda:InvokeFunction"],
      resources: [processor.functionArn, settler.functionArn],
    });
    const policy = new Policy(this, "Onward", { roles: [role], statements: [invoke] });
    const events = this.runner.takeEvents({
      maxEventAgeMs: timing.maxEventAgeMs,
      // Whether to start again is decided by the ledger.
      retries: 0,
      onFailureArn: settler.functionArn,
    });
    // Lambda refuses a destination that the role may not invoke yet.
    events.node.addDependency(policy);
  }
}

function environment({ settings, pool, ledger, runnerKeys, modelKey }: ProcessorProps) {
  const { inference } = settings;
  return toEnvironment({
    RUNNER_POOL: pool.name,
    RUNNER_API_BASE: settings.studio.baseUrl,
    RUNNER_LEDGER_TABLE: ledger.tableName,
    RUNNER_KEY_SECRET: runnerKeys.arn,
    RUNNER_RUN_LIMIT_MS: pool.runLimitMinutes * 60_000,
    OPENAI_KEY_SECRET: modelKey.arn,
    OPENAI_MODEL: inference.model,
    OPENAI_SUMMARY_MODEL: inference.summaryModel,
    OPENAI_BASE_URL: inference.baseUrl,
    OPENAI_MODE: inference.mode,
    OPENAI_STORE: inference.store,
  });
}
