import * as z from "zod";
import { freeId, text, title, limits } from "./fields.ts";
import { defineTool } from "./tool.ts";

const segment = z.strictObject({
  label: text(limits.labelChars).describe("Name in the legend."),
  value: z.number().describe("Weight; the weights need not add up to 100."),
});

export const pieChartTool = defineTool({
  name: "create_pie_chart",
  kind: "chart",
  payloadKey: "charts",
  idField: "id",
  makes: "pie chart",
  caps: `${limits.pie.segments} segments, finite values`,
  description: "Makes a pie chart. Shows the parts of one whole.",
  schema: z.strictObject({
    kind: z.literal("pie"),
    id: freeId,
    title,
    segments: z.array(segment).min(1).max(limits.pie.segments),
  }),
});
