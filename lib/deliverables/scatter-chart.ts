import * as z from "zod";
import { capped, freeId, text, title, limits } from "./fields.ts";
import { defineTool } from "./tool.ts";

const caps = limits.scatter;

const point = z.strictObject({
  x: z.number(),
  y: z.number(),
  label: capped(limits.labelChars).exactOptional().describe("Words for this point."),
});

const series = z.strictObject({
  name: text(limits.seriesNameChars).describe("Name in the legend."),
  points: z.array(point).min(1).max(caps.points),
});

export const scatterChartTool = defineTool({
  name: "create_scatter_chart",
  kind: "chart",
  payloadKey: "charts",
  idField: "id",
  makes: "scatter chart",
  caps: `${caps.series} series of ${caps.points} points, finite x and y`,
  description: "Makes a scatter chart. Shows how two numbers relate, point by point.",
  schema: z.strictObject({
    kind: z.literal("scatter"),
    id: freeId,
    title,
    series: z.array(series).min(1).max(caps.series),
  }),
});
