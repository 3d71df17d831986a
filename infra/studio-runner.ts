import { Tags } from "aws-cdk-lib";
import { Construct } from "constructs";
import { KeySecret } from "./key-secret.ts";
import { LedgerTable } from "./ledger-table.ts";
import { Pool } from "./pool.ts";
import { parseSettings, type SettingsInput } from "./settings.ts";

/** The settings, without those of a stack. Every one has a default. ARNs may be references within the same CDK app. */
export type StudioRunnerProps = Omit<SettingsInput, "stackName">;

/**
 * Runs Studio jobs in the account of its stack: a ledger, the model's key, and what each pool needs.
 * @throws RunnerError `config_invalid` with every problem of the props at once
 */
export class StudioRunner extends Construct {
  readonly ledger: LedgerTable;
  readonly modelKey: KeySecret;
  readonly pools: readonly Pool[];

  constructor(scope: Construct, id: string, props: StudioRunnerProps = {}) {
    super(scope, id);
    const settings = parseSettings(props);
    this.ledger = new LedgerTable(this, "Ledger", {
      removalPolicy: settings.removalPolicy,
      importedArn: settings.ledgerTableArn,
    });
    this.modelKey = new KeySecret(this, "ModelKey", {
      description: "studio-runner: the model's API key",
      importedArn: settings.inference.keySecretArn,
    });
    const { ledger, modelKey } = this;
    this.pools = settings.pools.map(
      (pool) => new Pool(this, poolId(pool.name), { settings, pool, ledger, modelKey }),
    );
    for (const [name, value] of Object.entries(settings.tags)) Tags.of(this).add(name, value);
  }
}

/** `europe-2` → `PoolEurope2`. */
export function poolId(name: string): string {
  const words = name.split("-").map((word) => word.charAt(0).toUpperCase() + word.slice(1));
  return `Pool${words.join("")}`;
}
