import * as z from "zod";
import {
  alarmWidgetSchema,
  bodySchema,
  type LogWidget,
  logWidgetSchema,
  metricWidgetSchema,
  textWidgetSchema,
  type Widget,
} from "./body.ts";
import { headOf, kindOf } from "./columns.ts";
import { metricContent } from "./metric-widget.ts";
import type { DashboardSource, DrawContext, LogQuery, SourceAlarm, TimeRange } from "./source.ts";
import type { AlarmsContent, AlarmView, DashboardView, PlacedWidget, WidgetContent } from "./view.ts";
import { problemOf } from "../../lib/core/json.ts";

export interface Wanted {
  /** Absent: the first dashboard. */
  readonly name?: string | undefined;
  readonly range: TimeRange;
  /** "15 minutes" */
  readonly rangeText: string;
  /** Amounts of money come from invented prices, and are labelled. */
  readonly isInvented?: boolean | undefined;
}

export type Drawn = Omit<DashboardView, "studioUrl">;

/** The stack's dashboards, with one of them drawn. `undefined`: there is none with that name. */
export function drawDashboard(source: DashboardSource, wanted: Wanted): Drawn | undefined {
  const all = source.dashboards();
  const dashboards = all.map(({ name, title }) => ({ name, title }));
  const frame = { dashboards, ...wanted.range, alarms: source.alarms().map(alarmView) };
  const shown = wanted.name === undefined ? all[0] : all.find(({ name }) => name === wanted.name);
  if (shown === undefined) return wanted.name === undefined ? { ...frame, widgets: [] } : undefined;
  return { ...frame, name: shown.name, widgets: widgetsOf(shown.body, { ...wanted, source }) };
}

function widgetsOf(
  body: unknown,
  { source, range, rangeText, isInvented = false }: Wanted & { source: DashboardSource },
) {
  const { widgets, periodOverride } = bodySchema.parse(body);
  const context = { source, range, rangeText, inherit: periodOverride === "inherit", isInvented };
  return widgets.map((widget) => placed(widget, context));
}

const titledSchema = z.object({ title: z.string().default("") });

function placed(widget: Widget, context: DrawContext): PlacedWidget {
  const { x, y, width, height, properties } = widget;
  const title = titledSchema.safeParse(properties).data?.title ?? "";
  return { x, y, width, height, title, content: contentOf(widget, context) };
}

/** Never throws. A widget that cannot be drawn shows the problem instead. */
function contentOf({ type, properties }: Widget, context: DrawContext): WidgetContent {
  const draw = kinds[type];
  if (draw === undefined)
    return { kind: "problem", sentence: `Widgets of type “${type}” are not drawn here.` };
  try {
    return draw(properties, context);
  } catch (error) {
    return { kind: "problem", sentence: sentenceOf(error) };
  }
}

function sentenceOf(error: unknown): string {
  if (error instanceof z.ZodError) {
    const issues = error.issues.map((issue) => problemOf(issue, "widget"));
    return `The definition of this widget is not supported here (${issues.join("; ")}).`;
  }
  return error instanceof Error ? error.message : String(error);
}

type Draw = (properties: unknown, context: DrawContext) => WidgetContent;

const kinds: Readonly<Record<string, Draw | undefined>> = {
  text: (properties) => ({ kind: "text", markdown: textWidgetSchema.parse(properties).markdown }),
  metric: (properties, context) => metricContent(metricWidgetSchema.parse(properties), context),
  alarm: (properties, context) => alarmsContent(alarmWidgetSchema.parse(properties), context),
  log: (properties, context) => logContent(logWidgetSchema.parse(properties), context),
};

function alarmsContent(
  { alarms, states }: z.output<typeof alarmWidgetSchema>,
  { source }: DrawContext,
): AlarmsContent | WidgetContent {
  const known = source.alarms();
  const found = alarms.map((wanted) => known.find(({ arn, name }) => wanted === arn || wanted === name));
  const missing = alarms.filter((_, index) => found[index] === undefined);
  if (missing.length > 0) throw new Error(`The stack has no alarm ${missing.join(", ")}.`);
  const shown = found
    .filter((alarm) => alarm !== undefined)
    .filter(({ state }) => states === undefined || states.includes(state));
  if (shown.length === 0)
    return { kind: "empty", sentence: "None of these alarms is in a state shown here." };
  return { kind: "alarms", alarms: shown.map(alarmView) };
}

/** Removes the field that is only needed for the lookup. */
const alarmView = ({ arn: _arn, ...view }: SourceAlarm): AlarmView => view;

function logContent({ query, view }: LogWidget, { source, range, rangeText }: DrawContext): WidgetContent {
  if (view !== "table") throw new Error(`Log queries are drawn as tables here, not as “${view}”.`);
  const { columns, rows } = source.queryLogs(splitSources(query), range);
  if (rows.length === 0) {
    return { kind: "empty", sentence: `No log line of the last ${rangeText} answers this query.` };
  }
  return { kind: "table", columns: columns.map(headOf), kinds: columns.map(kindOf), rows };
}

const sourceCommand = /^\s*SOURCE\s+'([^']*)'\s*\|?/;

/** A log widget names its log groups first: `SOURCE 'one' | SOURCE 'two' | fields …`. */
export function splitSources(query: string): LogQuery {
  const logGroups: string[] = [];
  let text = query;
  for (let found = sourceCommand.exec(text); found; found = sourceCommand.exec(text)) {
    logGroups.push(found[1] ?? "");
    text = text.slice(found[0].length);
  }
  return { logGroups, text: text.trim() };
}
