import type { ITopic } from "aws-cdk-lib/aws-sns";
import { Construct } from "constructs";
import { Dispatcher } from "./dispatcher.ts";
import { KeySecret } from "./key-secret.ts";
import type { LedgerTable } from "./ledger-table.ts";
import { PoolMonitoring } from "./monitoring/monitoring.ts";
import { Processor } from "./processor.ts";
import { Rotator } from "./rotator.ts";
import type { PoolSettings, Settings } from "./settings.ts";
import { Settler } from "./settler.ts";

export interface PoolProps {
  readonly settings: Settings;
  readonly pool: PoolSettings;
  readonly ledger: LedgerTable;
  readonly modelKey: KeySecret | undefined;
  readonly alarmTopic: ITopic | undefined;
}

/** All of one pool: its runner keys, its dispatcher with the schedule, its processor, its settler, and what watches them. */
export class Pool extends Construct {
  readonly settings: PoolSettings;
  readonly runnerKeys: KeySecret;
  readonly dispatcher: Dispatcher;
  readonly processor: Processor;
  readonly settler: Settler;
  /** Only where the settings ask for it. */
  readonly rotator: Rotator | undefined;
  readonly monitoring: PoolMonitoring;

  constructor(scope: Construct, id: string, props: PoolProps) {
    super(scope, id);
    const { pool } = props;
    this.settings = pool;
    this.runnerKeys = new KeySecret(this, "Keys", {
      description: `studio-runner, pool ${pool.name}: runner keys of kind ${pool.kind}`,
      importedArn: pool.keySecretArn,
    });
    const { runnerKeys } = this;
    this.processor = new Processor(this, "Processor", { ...props, runnerKeys });
    const calling = { ...props, runnerKeys, processor: this.processor.runner.function };
    this.settler = new Settler(this, "Settler", calling);
    this.processor.settleBy(this.settler.runner.function);
    this.dispatcher = new Dispatcher(this, "Dispatcher", calling);
    this.rotator = pool.rotation && new Rotator(this, "Rotator", { ...props, runnerKeys });
    this.monitoring = new PoolMonitoring(this, "Monitoring", {
      ...props,
      functions: {
        dispatcher: this.dispatcher.runner,
        processor: this.processor.runner,
        settler: this.settler.runner,
      },
      deadLetters: this.settler.deadLetters,
      topic: props.alarmTopic,
    });
  }
}
