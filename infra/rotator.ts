import { Duration, Stack } from "aws-cdk-lib";
import { ServicePrincipal } from "aws-cdk-lib/aws-iam";
import { Schedule, ScheduleExpression, ScheduleTargetInput } from "aws-cdk-lib/aws-scheduler";
import { LambdaInvoke } from "aws-cdk-lib/aws-scheduler-targets";
import { CfnRotationSchedule } from "aws-cdk-lib/aws-secretsmanager";
import { Construct } from "constructs";
import { toEnvironment } from "../lib/core/config.ts";
import { timing } from "../lib/core/timing.ts";
import { keyArnFor } from "./encryption.ts";
import { KeySecret } from "./key-secret.ts";
import type { RunStoreTable } from "./run-store-table.ts";
import { RunnerFunction } from "./runner-function.ts";
import { scheduleRole } from "./schedule-role.ts";
import type { PoolSettings, Settings } from "./settings.ts";

export interface RotatorProps {
  readonly settings: Settings;
  readonly pool: PoolSettings;
  readonly runStore: RunStoreTable;
  readonly runnerKeys: KeySecret;
}

const memoryMb = 256;
/** Timeout of one step: sign in, create each of the pool's keys, and try each. */
const timeoutSeconds = 180;

/**
 * The rotator of one pool. It mints, tries and promotes runner keys, and revokes those that nothing uses any
 * more.
 */
export class Rotator extends Construct {
  readonly runner: RunnerFunction;
  /** The secret with which the rotator signs in to Studio. */
  readonly account: KeySecret;

  constructor(scope: Construct, id: string, props: RotatorProps) {
    super(scope, id);
    const { settings, pool, runStore, runnerKeys } = props;
    const { name, rotation } = pool;
    this.account = new KeySecret(this, "Account", {
      description: `studio-runner, pool ${name}: Firebase refresh token of the account whose runner keys are rotated`,
      importedArn: rotation?.accountKeySecretArn,
      kmsKeyArn: rotation?.accountKeySecretKmsKeyArn ?? keyArnFor(settings, "secrets"),
    });
    this.runner = new RunnerFunction(this, "Runner", {
      name: "rotate",
      description: `studio-runner, pool ${name}: rotates the runner keys`,
      memoryMb,
      timeoutSeconds,
      environment: this.#environment(props),
      statements: [
        ...runStore.rowStatements(name, "GetItem", "UpdateItem"),
        runStore.openRunsStatement(name),
        ...runnerKeys.rotateStatements(),
        ...this.account.renewStatements(),
      ],
      settings,
    });
    this.runner.takeEvents({ maxEventAgeMs: timing.revokeEveryMs, retries: 0 });
    this.#revokeNowAndThen(name);
    this.#serveSecretsManager(runnerKeys, rotation?.everyDays);
  }

  #environment({ settings, pool, runStore, runnerKeys }: RotatorProps): Record<string, string> {
    return toEnvironment({
      RUNNER_POOL: pool.name,
      RUNNER_API_BASE: settings.studio.baseUrl,
      RUNNER_RUN_STORE_TABLE: runStore.tableName,
      RUNNER_KEY_SECRET: runnerKeys.arn,
      RUNNER_KIND: pool.kind,
      RUNNER_ACCOUNT_SECRET: this.account.arn,
      RUNNER_SIGN_IN_URL: settings.studio.signInUrl,
      RUNNER_REVOKE_AFTER_MS: timing.revokeAfterMs,
    });
  }

  /**
   * Runs revocation on a schedule. An old key can be revoked only after the jobs that were leased with it
   * have ended, however it was replaced (docs/decisions/0011).
   */
  #revokeNowAndThen(pool: string): void {
    const rotator = this.runner.function;
    const period = Duration.millis(timing.revokeEveryMs);
    void new Schedule(this, "Schedule", {
      description: `studio-runner, pool ${pool}: revokes unused runner keys`,
      schedule: ScheduleExpression.rate(period),
      target: new LambdaInvoke(rotator, {
        input: ScheduleTargetInput.fromObject({ revokeUnused: true }),
        retryAttempts: 0,
        maxEventAge: period,
        role: scheduleRole(this, rotator).withoutPolicyUpdates(),
      }),
    });
  }

  /**
   * Lets Secrets Manager invoke the rotator. Uses an L1 construct, because the L2 construct does not accept
   * an L1 secret and allows calls for any account's secrets.
   */
  #serveSecretsManager({ arn }: KeySecret, everyDays: number | undefined): void {
    const rotator = this.runner.function;
    rotator.addPermission("SecretsManager", {
      principal: new ServicePrincipal("secretsmanager.amazonaws.com"),
      sourceAccount: Stack.of(this).account,
    });
    if (everyDays === undefined) return;
    const schedule = new CfnRotationSchedule(this, "Rotation", {
      secretId: arn,
      rotationLambdaArn: rotator.functionArn,
      rotationRules: { automaticallyAfterDays: everyDays },
      // After the first deploy there are no keys to rotate yet.
      rotateImmediatelyOnUpdate: false,
    });
    // Secrets Manager checks immediately whether it may invoke the function.
    schedule.node.addDependency(rotator);
  }
}
