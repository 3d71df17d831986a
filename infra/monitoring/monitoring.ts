import type { Dashboard } from "aws-cdk-lib/aws-cloudwatch";
import type { ITopic } from "aws-cdk-lib/aws-sns";
import { Construct } from "constructs";
import { PoolDashboard } from "./dashboard.ts";
import { levels } from "./levels.ts";
import type { Watched } from "./metric.ts";
import { PoolAlarms, type NamedAlarm } from "./pool-alarms.ts";
import { SavedQueries } from "./queries.ts";

export interface PoolMonitoringProps extends Watched {
  /** Absent if the level has no topic; then there are no alarms either. */
  readonly topic: ITopic | undefined;
}

/** The monitoring of one pool, according to the setting `monitoring.level`. */
export class PoolMonitoring extends Construct {
  readonly alarms: readonly NamedAlarm[];
  readonly savedQueries: SavedQueries | undefined;
  readonly dashboard: Dashboard | undefined;

  constructor(scope: Construct, id: string, props: PoolMonitoringProps) {
    super(scope, id);
    const { topic, settings } = props;
    const contents = levels[settings.monitoring.level];
    this.alarms =
      topic === undefined ? [] : new PoolAlarms(this, "Alarms", { ...props, contents, topic }).alarms;
    this.savedQueries = contents.savedQueries ? new SavedQueries(this, "Queries", props) : undefined;
    const { alarms } = this;
    this.dashboard = contents.dashboard
      ? new PoolDashboard(this, "Dashboard", { ...props, alarms }).dashboard
      : undefined;
  }
}
