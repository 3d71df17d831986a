import { Duration } from "aws-cdk-lib";
import { PolicyStatement } from "aws-cdk-lib/aws-iam";
import type { IFunction } from "aws-cdk-lib/aws-lambda";
import { Schedule, ScheduleExpression, ScheduleTargetInput } from "aws-cdk-lib/aws-scheduler";
import { LambdaInvoke } from "aws-cdk-lib/aws-scheduler-targets";
import { Construct } from "constructs";
import { toEnvironment } from "../lib/core/config.ts";
import { timing } from "../lib/core/timing.ts";
import { commonVariables } from "./common-variables.ts";
import type { KeySecret } from "./key-secret.ts";
import type { RunStoreTable } from "./run-store-table.ts";
import { RunnerFunction } from "./runner-function.ts";
import { scheduleRole } from "./schedule-role.ts";
import type { PoolSettings, Settings } from "./settings.ts";

export interface DispatcherProps {
  readonly settings: Settings;
  readonly pool: PoolSettings;
  readonly runStore: RunStoreTable;
  readonly runnerKeys: KeySecret;
  readonly processor: IFunction;
}

/** The dispatcher of one pool and its schedule. */
export class Dispatcher extends Construct {
  readonly runner: RunnerFunction;
  readonly schedule: Schedule;

  constructor(scope: Construct, id: string, props: DispatcherProps) {
    super(scope, id);
    const { settings, pool, runStore, runnerKeys, processor } = props;
    this.runner = new RunnerFunction(this, "Runner", {
      name: "dispatch",
      description: `studio-runner, pool ${pool.name}: leases ${pool.kind} jobs and starts a run for each`,
      ...pool.dispatcher,
      environment: toEnvironment({
        ...commonVariables(props),
        RUNNER_POLLING: pool.polling,
        RUNNER_CONCURRENCY: pool.concurrency,
        RUNNER_LEASES_PER_KEY: pool.leasesPerKey,
        RUNNER_DAILY_CAP_USD: pool.dailyCapUsd,
        RUNNER_PROCESSOR_FUNCTION: processor.functionName,
        RUNNER_MAX_EVENT_AGE_MS: timing.maxEventAgeMs,
      }),
      statements: [
        ...runStore.rowStatements(pool.name, "GetItem", "PutItem", "UpdateItem"),
        runStore.openRunsStatement(pool.name),
        ...runnerKeys.readStatements(),
        new PolicyStatement({ actions: ["lambda:InvokeFunction"], resources: [processor.functionArn] }),
      ],
      settings,
    });
    this.runner.takeEvents({ maxEventAgeMs: timing.scheduleMs, retries: 0 });
    this.schedule = this.#createSchedule(pool.name);
  }

  /** A late or lost event is not repeated, because the next one does its work. */
  #createSchedule(pool: string): Schedule {
    const dispatcher = this.runner.function;
    const period = Duration.millis(timing.scheduleMs);
    return new Schedule(this, "Schedule", {
      description: `studio-runner, pool ${pool}: starts a dispatch cycle`,
      schedule: ScheduleExpression.rate(period),
      target: new LambdaInvoke(dispatcher, {
        input: ScheduleTargetInput.fromObject({ pool }),
        retryAttempts: 0,
        maxEventAge: period,
        role: scheduleRole(this, dispatcher).withoutPolicyUpdates(),
      }),
    });
  }
}
