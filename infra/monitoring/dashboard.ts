import { Duration } from "aws-cdk-lib";
import { Alarm, Dashboard, PeriodOverride } from "aws-cdk-lib/aws-cloudwatch";
import { Construct } from "constructs";
import { commandLine } from "../command-line.ts";
import type { Watched } from "./metric.ts";
import type { NamedAlarm } from "./pool-alarms.ts";
import { sectionsOf } from "./sections.ts";
import { text } from "./widgets.ts";

export interface PoolDashboardProps extends Watched {
  readonly alarms: readonly NamedAlarm[];
}

/** The dashboard of one pool. `npm start` draws the same dashboard from the template. */
export class PoolDashboard extends Construct {
  readonly dashboard: Dashboard;

  constructor(scope: Construct, id: string, props: PoolDashboardProps) {
    super(scope, id);
    const { pool, alarms } = props;
    this.dashboard = new Dashboard(this, "Dashboard", {
      defaultInterval: Duration.hours(3),
      periodOverride: PeriodOverride.AUTO,
    });
    const states = alarms.map((alarm) => Alarm.fromAlarmArn(this, `${alarm.id}State`, alarm.arn));
    this.dashboard.addWidgets(
      text(
        `# Pool ${pool.name}\nWhat to do about an alarm: docs/runbook.md. On one screen: \`${commandLine("status", { pool: pool.name })}\``,
        2,
      ),
    );
    for (const { title, rows } of sectionsOf(props, states)) {
      this.dashboard.addWidgets(text(`## ${title}`));
      for (const row of rows) this.dashboard.addWidgets(...row);
    }
  }
}
