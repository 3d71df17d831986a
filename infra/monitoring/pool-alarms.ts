import { Duration } from "aws-cdk-lib";
import {
  Alarm,
  AlarmRule,
  AlarmState,
  CfnCompositeAlarm,
  ComparisonOperator,
  MathExpression,
  TreatMissingData,
  type IMetric,
} from "aws-cdk-lib/aws-cloudwatch";
import { SnsAction } from "aws-cdk-lib/aws-cloudwatch-actions";
import type { ITopic } from "aws-cdk-lib/aws-sns";
import { Construct } from "constructs";
import { commandLine } from "../command-line.ts";
import { describeAlarm, runbookOf, type AlarmRow, type Source } from "./alarm-row.ts";
import { alarmRows, type AlarmId } from "./alarms.ts";
import type { LevelContents } from "./levels.ts";
import { lambdaMetric, poolMetric, queueMetric, type Reading, type Watched } from "./metric.ts";

export interface PoolAlarmsProps extends Watched {
  readonly contents: LevelContents;
  readonly topic: ITopic;
}

/** An alarm and the name that CloudFormation gives it. */
export interface NamedAlarm {
  readonly id: AlarmId;
  readonly name: string;
  readonly arn: string;
}

const comparisons = {
  below: ComparisonOperator.LESS_THAN_THRESHOLD,
  atLeast: ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
} as const;

const missingData = {
  breaching: TreatMissingData.BREACHING,
  notBreaching: TreatMissingData.NOT_BREACHING,
  ignore: TreatMissingData.IGNORE,
} as const;

/**
 * The alarms of one pool. Paging alarms send through `Page`, if it exists, so that one fault sends one
 * message. All others send to the topic themselves.
 */
export class PoolAlarms extends Construct {
  readonly alarms: readonly NamedAlarm[];

  constructor(scope: Construct, id: string, props: PoolAlarmsProps) {
    super(scope, id);
    const { contents, pool } = props;
    const rows: readonly (AlarmRow & { readonly id: AlarmId })[] = alarmRows;
    const made = rows
      .filter((row) => (contents.alarms === "all" || row.lean) && (row.where?.(pool) ?? true))
      .map((row) => ({ row, alarm: this.#create(row, props) }));
    const named = made.map(({ row, alarm }) => ({
      id: row.id,
      name: alarm.alarmName,
      arn: alarm.alarmArn,
    }));
    const paging = made.filter(({ row }) => row.pages).map(({ alarm }) => alarm);
    this.alarms = contents.page ? [...named, this.#createPage(paging, props)] : named;
  }

  #create(row: AlarmRow, props: PoolAlarmsProps): Alarm {
    const { contents, topic } = props;
    const periods = typeof row.periods === "function" ? row.periods(props) : row.periods;
    const alarm = new Alarm(this, row.id, {
      alarmDescription: describeAlarm(row, props),
      metric: metricOf(row, props),
      threshold: row.limit(props).threshold,
      comparisonOperator: comparisons[row.comparison],
      evaluationPeriods: periods.of,
      datapointsToAlarm: periods.breaking,
      treatMissingData: missingData[row.missing],
    });
    if (row.pages && contents.page) return alarm;
    alarm.addAlarmAction(new SnsAction(topic));
    alarm.addOkAction(new SnsAction(topic));
    return alarm;
  }

  /** Uses an L1 construct, because the L2 construct generates a name. */
  #createPage(paging: readonly Alarm[], { pool, topic }: PoolAlarmsProps): NamedAlarm {
    const rule = AlarmRule.anyOf(...paging.map((alarm) => AlarmRule.fromAlarm(alarm, AlarmState.ALARM)));
    const page = new CfnCompositeAlarm(this, "Page", {
      alarmDescription: [
        `Pool ${pool.name} needs a person now: at least one of its alarms that page is on.`,
        "Look at: which of them, and its own description.",
        `Run: ${commandLine("status", { pool: pool.name })}`,
        `Runbook: ${runbookOf("Page")}`,
      ].join("\n"),
      alarmRule: rule.renderAlarmRule(),
      alarmActions: [topic.topicArn],
      okActions: [topic.topicArn],
    });
    return { id: "Page", name: page.ref, arn: page.attrArn };
  }
}

function metricOf({ sources, expression, periodSeconds }: AlarmRow, props: PoolAlarmsProps): IMetric {
  const metrics = Object.entries(sources).map(([name, source]): readonly [string, IMetric] => [
    name,
    readSource(source, props, periodSeconds),
  ]);
  const [single] = metrics;
  if (expression === undefined && single !== undefined) return single[1];
  return new MathExpression({
    expression: expression?.(props) ?? "",
    usingMetrics: Object.fromEntries(metrics),
    period: Duration.seconds(periodSeconds),
  });
}

function readSource(source: Source, watched: Watched, periodSeconds: number): IMetric {
  const reading = (statistic: Reading["statistic"]): Reading => ({ statistic, periodSeconds });
  if (source.from === "runner")
    return poolMetric(source.metric, watched.pool.name, reading(source.statistic));
  if (source.from === "lambda")
    return lambdaMetric(source.metric, watched.functions[source.of], reading("Sum"));
  return queueMetric(source.metric, watched.deadLetters, reading("Maximum"));
}
