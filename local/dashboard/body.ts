import * as z from "zod";

/**
 * The supported part of a CloudWatch dashboard's body.
 * https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/CloudWatch-Dashboard-Body-Structure.html
 */
const cells = z.int().min(0);

const widgetSchema = z.object({
  type: z.string(),
  x: cells.max(23).optional(),
  y: cells.optional(),
  width: cells.min(1).max(24).default(6),
  height: cells.min(1).default(6),
  properties: z.record(z.string(), z.unknown()).default({}),
});

export const bodySchema = z.object({
  /** "inherit": uses each widget's own period. "auto": the period depends on the time range. */
  periodOverride: z.enum(["auto", "inherit"]).default("auto"),
  widgets: z.array(widgetSchema),
});

export type Widget = z.output<typeof widgetSchema>;

const side = z.enum(["left", "right"]);
const axisSchema = z.object({
  label: z.string().default(""),
  min: z.number().optional(),
  max: z.number().optional(),
});

const lineSchema = z.object({
  value: z.number(),
  label: z.string().default(""),
  color: z.string().optional(),
  fill: z.enum(["above", "below", "none"]).default("none"),
  visible: z.boolean().default(true),
  yAxis: side.default("left"),
});
const bandSchema = z.tuple([
  lineSchema.omit({ fill: true }),
  z.object({ value: z.number(), label: z.string().default("") }),
]);

const markSchema = z.object({
  value: z.iso.datetime({ offset: true }),
  label: z.string().default(""),
  color: z.string().optional(),
  visible: z.boolean().default(true),
});

export const metricOptionsSchema = z.object({
  id: z.string().optional(),
  expression: z.string().optional(),
  label: z.string().optional(),
  color: z.string().optional(),
  stat: z.string().optional(),
  period: z.int().positive().optional(),
  visible: z.boolean().default(true),
  yAxis: side.default("left"),
});

export const metricWidgetSchema = z.object({
  title: z.string().default(""),
  view: z.enum(["timeSeries", "singleValue", "gauge", "bar", "pie", "table"]).default("timeSeries"),
  stacked: z.boolean().default(false),
  sparkline: z.boolean().default(true),
  metrics: z.array(z.array(z.union([z.string(), metricOptionsSchema]))).default([]),
  stat: z.string().default("Average"),
  period: z.int().positive().default(300),
  setPeriodToTimeRange: z.boolean().default(false),
  singleValueFullPrecision: z.boolean().default(false),
  yAxis: z.object({ left: axisSchema.optional(), right: axisSchema.optional() }).default({}),
  annotations: z
    .object({
      horizontal: z.array(z.union([lineSchema, bandSchema])).default([]),
      vertical: z.array(markSchema).default([]),
      alarms: z.array(z.string()).default([]),
    })
    .default({ horizontal: [], vertical: [], alarms: [] }),
  legend: z.object({ position: z.enum(["bottom", "right", "hidden"]).default("bottom") }).optional(),
});

export type MetricWidget = z.output<typeof metricWidgetSchema>;

export const textWidgetSchema = z.object({ markdown: z.string() });

export const alarmWidgetSchema = z.object({
  title: z.string().default(""),
  alarms: z.array(z.string()),
  states: z.array(z.enum(["OK", "ALARM", "INSUFFICIENT_DATA"])).optional(),
});

export const logWidgetSchema = z.object({
  title: z.string().default(""),
  query: z.string(),
  view: z.enum(["table", "timeSeries", "bar", "pie"]).default("table"),
});

export type LogWidget = z.output<typeof logWidgetSchema>;
