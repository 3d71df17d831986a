import { CfnResource, Stack, Tags, Token } from "aws-cdk-lib";
import type { Grant, IGrantable } from "aws-cdk-lib/aws-iam";
import { Topic, type ITopic } from "aws-cdk-lib/aws-sns";
import { Construct, type IConstruct } from "constructs";
import { applyCompanyRules } from "./company-rules.ts";
import { keyArnFor } from "./encryption.ts";
import { KeySecret } from "./key-secret.ts";
import { RunStoreTable } from "./run-store-table.ts";
import { AlarmTopic } from "./monitoring/alarm-topic.ts";
import { levels } from "./monitoring/levels.ts";
import { grantAll, operateStatements, readStatements } from "./grants.ts";
import { addOutputs } from "./outputs.ts";
import { poolId } from "./pool-id.ts";
import { Pool } from "./pool.ts";
import type { StudioRunnerProps } from "./props.ts";
import { invalidSettings, parseSettings, storesModelKey, type Settings } from "./settings.ts";

/** CloudFormation's limit. */
const maxResources = 500;

/**
 * Runs Studio jobs in the stack's account: creates a run store, the model key's secret, and the resources of
 * each pool.
 * @throws RunnerError `config_invalid` with every problem of the props at once
 */
export class StudioRunner extends Construct {
  /** The props with their defaults. */
  readonly settings: Settings;
  readonly runStore: RunStoreTable;
  /** The secret with the model key. Absent if the processors use their AWS identity or sign their requests. */
  readonly modelKey: KeySecret | undefined;
  /** The topic of all alarms; absent at monitoring level `off`. */
  readonly alarmTopic: ITopic | undefined;
  /** In the order of the props. */
  readonly pools: readonly Pool[];

  constructor(scope: Construct, id: string, props: StudioRunnerProps = {}) {
    super(scope, id);
    const { region } = Stack.of(this);
    const settings = parseSettings(props, Token.isUnresolved(region) ? undefined : region);
    this.settings = settings;
    this.runStore = new RunStoreTable(this, "RunStore", {
      removalPolicy: settings.removalPolicy,
      importedArn: settings.runStoreTableArn,
      kmsKeyArn: keyArnFor(settings, "table"),
    });
    this.modelKey = storesModelKey(settings)
      ? new KeySecret(this, "ModelKey", {
          description: "studio-runner: the model's API key",
          importedArn: settings.inference.keySecretArn,
          kmsKeyArn: settings.inference.keySecretKmsKeyArn ?? keyArnFor(settings, "secrets"),
        })
      : undefined;
    this.alarmTopic = this.#topic(settings);
    const { runStore, modelKey, alarmTopic } = this;
    this.pools = settings.pools.map(
      (pool) => new Pool(this, poolId(pool.name), { settings, pool, runStore, modelKey, alarmTopic }),
    );
    this.#fitStack();
    applyCompanyRules(this, settings);
    for (const [name, value] of Object.entries(settings.tags)) Tags.of(this).add(name, value);
  }

  /**
   * Adds the stack outputs by which the command line finds the runner. A stack has them once: give each runner a stack of
   * its own if you operate it by the command line.
   */
  addOutputs(): void {
    addOutputs(Stack.of(this), this);
  }

  /** Allows what the commands that change nothing need, such as `status`, `jobs`, `explain` and `logs`. */
  grantRead(grantee: IGrantable): Grant {
    return grantAll(grantee, readStatements(this));
  }

  /**
   * Allows what the command line needs, except to deploy and destroy. That includes reading and replacing the keys in
   * Secrets Manager.
   */
  grantOperate(grantee: IGrantable): Grant {
    return grantAll(grantee, [...readStatements(this), ...operateStatements(this)]);
  }

  #topic(settings: Settings): ITopic | undefined {
    const { email, level, topicArn } = settings.monitoring;
    if (!levels[level].topic) return undefined;
    if (topicArn !== undefined) return Topic.fromTopicArn(this, "Alarms", topicArn);
    return new AlarmTopic(this, "Alarms", { email, kmsKeyArn: keyArnFor(settings, "topic") }).topic;
  }

  /** Says in the settings' words what CDK would report of the whole stack. */
  #fitStack(): void {
    const all = count(Stack.of(this));
    if (all <= maxResources) return;
    const inPools = this.pools.reduce((sum, pool) => sum + count(pool), 0);
    const perPool = Math.ceil(inPools / this.pools.length);
    const most = Math.floor((maxResources - (all - inPools)) / perPool);
    const less =
      this.settings.monitoring.level === "full"
        ? ', or set monitoring.level to "lean", which makes fewer'
        : "";
    const sentence = `${this.pools.length} pools with these settings make ${all} resources, about ${perPool} each, but a stack holds ${maxResources}. Give at most ${most} and put the others into a second stack${less}.`;
    throw invalidSettings([{ path: "pools", sentence }]);
  }
}

const count = (scope: IConstruct): number => scope.node.findAll().filter(CfnResource.isCfnResource).length;
