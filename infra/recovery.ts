import { Duration } from "aws-cdk-lib";
import { PolicyStatement } from "aws-cdk-lib/aws-iam";
import type { IFunction } from "aws-cdk-lib/aws-lambda";
import { Queue, QueueEncryption } from "aws-cdk-lib/aws-sqs";
import { Construct } from "constructs";
import { toEnvironment } from "../lib/core/config.ts";
import { acknowledge } from "./acknowledge.ts";
import { commonVariables } from "./common-variables.ts";
import { keyArnFor, keyStatements, importKey } from "./encryption.ts";
import type { KeySecret } from "./key-secret.ts";
import type { RunStoreTable } from "./run-store-table.ts";
import { bounds } from "./relations.ts";
import { RunnerFunction } from "./runner-function.ts";
import type { PoolSettings, Settings } from "./settings.ts";

export interface RecoveryProps {
  readonly settings: Settings;
  readonly pool: PoolSettings;
  readonly runStore: RunStoreTable;
  readonly runnerKeys: KeySecret;
  readonly processor: IFunction;
}

const memoryMb = 256;

/** The recovery function of one pool, and the queue for events that it could not handle. */
export class Recovery extends Construct {
  readonly runner: RunnerFunction;
  readonly deadLetters: Queue;
  readonly #queueKeyArn: string | undefined;

  constructor(scope: Construct, id: string, props: RecoveryProps) {
    super(scope, id);
    const { settings, pool, runStore, runnerKeys, processor } = props;
    const queueKeyArn = keyArnFor(settings, "queue");
    this.#queueKeyArn = queueKeyArn;
    this.deadLetters = this.#createQueue(queueKeyArn);
    this.runner = new RunnerFunction(this, "Runner", {
      name: "recover",
      description: `studio-runner, pool ${pool.name}: recovers runs whose attempt failed`,
      memoryMb,
      timeoutSeconds: bounds.recoveryTimeoutMs / 1000,
      environment: toEnvironment({
        ...commonVariables(props),
        RUNNER_PROCESSOR_FUNCTION: processor.functionName,
      }),
      statements: [
        ...runStore.rowStatements(pool.name, "GetItem", "UpdateItem"),
        ...runnerKeys.readStatements(),
        new PolicyStatement({ actions: ["lambda:InvokeFunction"], resources: [processor.functionArn] }),
        new PolicyStatement({ actions: ["sqs:SendMessage"], resources: [this.deadLetters.queueArn] }),
        ...keyStatements("sqs", queueKeyArn),
      ],
      settings,
    });
    this.runner.takeEvents({
      // The failed attempt sends no more heartbeats. After one lease there is nothing left to save, and the
      // reaper finishes the run.
      maxEventAgeMs: bounds.studioLeaseMs,
      // Retries are harmless: the second try finds that the run has changed. They happen after 1 and 2
      // minutes, within the maximum age.
      retries: 2,
      onFailureArn: this.deadLetters.queueArn,
    });
  }

  /** Allows taking an event from the queue for dead letters, and handing it to this function again. */
  redriveStatements(): readonly PolicyStatement[] {
    const take = ["ReceiveMessage", "DeleteMessage", "ChangeMessageVisibility"].map(
      (action) => `sqs:${action}`,
    );
    return [
      new PolicyStatement({ actions: take, resources: [this.deadLetters.queueArn] }),
      new PolicyStatement({
        actions: ["lambda:InvokeFunction"],
        resources: [this.runner.function.functionArn],
      }),
      ...keyStatements("sqs", this.#queueKeyArn),
    ];
  }

  #createQueue(kmsKeyArn: string | undefined): Queue {
    const encryptionMasterKey = importKey(this, kmsKeyArn);
    const queue = new Queue(this, "DeadLetters", {
      ...(encryptionMasterKey
        ? { encryption: QueueEncryption.KMS, encryptionMasterKey }
        : { encryption: QueueEncryption.SQS_MANAGED }),
      enforceSSL: true,
      retentionPeriod: Duration.days(14), // SQS's maximum
    });
    acknowledge(queue, "AwsSolutions-SQS3");
    return queue;
  }
}
