import type { ITopic } from "aws-cdk-lib/aws-sns";
import { Construct } from "constructs";
import { Dispatcher } from "./dispatcher.ts";
import { keyArnFor } from "./encryption.ts";
import { KeySecret } from "./key-secret.ts";
import type { RunStoreTable } from "./run-store-table.ts";
import { PoolMonitoring } from "./monitoring/monitoring.ts";
import { Processor } from "./processor.ts";
import { Rotator } from "./rotator.ts";
import type { PoolSettings, Settings } from "./settings.ts";
import { Recovery } from "./recovery.ts";

export interface PoolProps {
  readonly settings: Settings;
  readonly pool: PoolSettings;
  readonly runStore: RunStoreTable;
  readonly modelKey: KeySecret | undefined;
  readonly alarmTopic: ITopic | undefined;
}

/** One pool: its runner keys, dispatcher with schedule, processor, recovery and monitoring. */
export class Pool extends Construct {
  readonly settings: PoolSettings;
  readonly runnerKeys: KeySecret;
  readonly dispatcher: Dispatcher;
  readonly processor: Processor;
  readonly recovery: Recovery;
  /** Present only if the settings ask for rotation. */
  readonly rotator: Rotator | undefined;
  readonly monitoring: PoolMonitoring;

  constructor(scope: Construct, id: string, props: PoolProps) {
    super(scope, id);
    const { pool } = props;
    this.settings = pool;
    this.runnerKeys = new KeySecret(this, "Keys", {
      description: `studio-runner, pool ${pool.name}: runner keys of kind ${pool.kind}`,
      importedArn: pool.keySecretArn,
      kmsKeyArn: pool.keySecretKmsKeyArn ?? keyArnFor(props.settings, "secrets"),
    });
    const { runnerKeys } = this;
    this.processor = new Processor(this, "Processor", { ...props, runnerKeys });
    const calling = { ...props, runnerKeys, processor: this.processor.runner.function };
    this.recovery = new Recovery(this, "Recovery", calling);
    this.processor.settleBy(this.recovery.runner.function);
    this.dispatcher = new Dispatcher(this, "Dispatcher", calling);
    this.rotator = pool.rotation && new Rotator(this, "Rotator", { ...props, runnerKeys });
    this.monitoring = new PoolMonitoring(this, "Monitoring", {
      ...props,
      functions: {
        dispatcher: this.dispatcher.runner,
        processor: this.processor.runner,
        recovery: this.recovery.runner,
      },
      deadLetters: this.recovery.deadLetters,
      topic: props.alarmTopic,
    });
  }
}
