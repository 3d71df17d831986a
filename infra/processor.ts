import { Duration } from "aws-cdk-lib";
import { PolicyStatement } from "aws-cdk-lib/aws-iam";
import { Queue, QueueEncryption } from "aws-cdk-lib/aws-sqs";
import { Construct } from "constructs";
import { toEnvironment } from "../lib/config.ts";
import { timing } from "../lib/timing.ts";
import { acknowledge } from "./acknowledge.ts";
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

/** The processor of one pool, and the queue that gets the events of its crashed, timed out and too old legs. */
export class Processor extends Construct {
  readonly runner: RunnerFunction;
  readonly failures: Queue;

  constructor(scope: Construct, id: string, props: ProcessorProps) {
    super(scope, id);
    const { settings, pool, ledger, runnerKeys, modelKey } = props;
    this.failures = new Queue(this, "Failures", {
      encryption: QueueEncryption.SQS_MANAGED,
      enforceSSL: true,
      retentionPeriod: Duration.days(14), // SQS keeps no message longer
    });
    acknowledge(this.failures, "AwsSolutions-SQS3");
    this.runner = new RunnerFunction(this, "Runner", {
      name: "process",
      description: `studio-runner, pool ${pool.name}: works on one run`,
      ...pool.processor,
      environment: environment(props),
      statements: [
        ledger.rowStatement("UpdateItem"),
        runnerKeys.readStatement(),
        modelKey.readStatement(),
        new PolicyStatement({ actions: ["sqs:SendMessage"], resources: [this.failures.queueArn] }),
      ],
      maxEventAgeMs: timing.maxEventAgeMs,
      // Lambda's own SqsDestination would also grant reading the queue's attributes, which nobody needs.
      onFailure: { bind: () => ({ destination: this.failures.queueArn }) },
      logging: settings,
    });
  }
}

function environment({ settings, pool, ledger, runnerKeys, modelKey }: ProcessorProps) {
  const { inference } = settings;
  return toEnvironment({
    RUNNER_POOL: pool.name,
    RUNNER_API_BASE: settings.studio.baseUrl,
    RUNNER_LEDGER_TABLE: ledger.tableName,
    RUNNER_KEY_SECRET: runnerKeys.arn,
    OPENAI_KEY_SECRET: modelKey.arn,
    OPENAI_MODEL: inference.model,
    OPENAI_SUMMARY_MODEL: inference.summaryModel,
    OPENAI_BASE_URL: inference.baseUrl,
    OPENAI_STORE: inference.store,
  });
}
