import { Construct } from "constructs";
import { Dispatcher } from "./dispatcher.ts";
import { KeySecret } from "./key-secret.ts";
import type { LedgerTable } from "./ledger-table.ts";
import { Processor } from "./processor.ts";
import type { PoolSettings, Settings } from "./settings.ts";

export interface PoolProps {
  readonly settings: Settings;
  readonly pool: PoolSettings;
  readonly ledger: LedgerTable;
  readonly modelKey: KeySecret;
}

/** All of one pool: its runner keys, its dispatcher with the schedule, its processor. */
export class Pool extends Construct {
  readonly settings: PoolSettings;
  readonly runnerKeys: KeySecret;
  readonly dispatcher: Dispatcher;
  readonly processor: Processor;

  constructor(scope: Construct, id: string, props: PoolProps) {
    super(scope, id);
    const { pool } = props;
    this.settings = pool;
    this.runnerKeys = new KeySecret(this, "Keys", {
      description: `studio-runner, pool ${pool.name}: runner keys of kind ${pool.kind}`,
      importedArn: pool.keySecretArn,
    });
    this.processor = new Processor(this, "Processor", { ...props, runnerKeys: this.runnerKeys });
    this.dispatcher = new Dispatcher(this, "Dispatcher", {
      ...props,
      runnerKeys: this.runnerKeys,
      processor: this.processor.runner.function,
    });
  }
}
