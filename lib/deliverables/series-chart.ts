import * as z from "zod";
import { freeId, text, title, limits } from "./fields.ts";
import { defineTool, type Tool } from "./tool.ts";
import type { SeriesChart } from "./draft.ts";

const caps = limits.seriesChart;

interface Row {
  readonly kind: SeriesChart["kind"];
  readonly words: string;
  readonly use: string;
  /** Whether bars may be horizontal. */
  readonly oriented: boolean;
  /** Whether values may be negative. Stacked parts may not. */
  readonly negatives: boolean;
}

const rows: readonly Row[] = [
  {
    kind: "bar",
    words: "bar chart",
    use: "Compares numbers across categories.",
    oriented: true,
    negatives: true,
  },
  {
    kind: "stacked_bar",
    words: "stacked bar chart",
    use: "Shows how parts add up to a whole in each category.",
    oriented: true,
    negatives: false,
  },
  {
    kind: "line",
    words: "line chart",
    use: "Shows a trend over ordered labels.",
    oriented: false,
    negatives: true,
  },
  {
    kind: "area",
    words: "area chart",
    use: "Shows a trend over ordered labels as filled areas.",
    oriented: false,
    negatives: true,
  },
];

/** The bar, stacked bar, line and area charts, which share one definition. */
export const seriesChartTools: readonly Tool[] = rows.map((row) =>
  defineTool({
    name: `create_${row.kind}_chart`,
    kind: "chart",
    payloadKey: "charts",
    idField: "id",
    makes: row.words,
    caps: [
      `${caps.labels} labels, ${caps.series} series, one finite value per label`,
      row.negatives ? [] : "none negative",
    ]
      .flat()
      .join(", "),
    description: `Makes one ${row.words}. ${row.use} Every series has one value per label.`,
    schema: schemaOf(row),
  }),
);

function schemaOf(row: Row) {
  const value = row.negatives ? z.number() : z.number().nonnegative();
  const series = z.strictObject({
    name: text(limits.seriesNameChars).describe("Name in the legend."),
    values: z.array(value).describe("One number per label, in the order of the labels."),
  });
  const plain = z.strictObject({
    kind: z.literal(row.kind),
    id: freeId,
    title,
    labels: z.array(text(limits.labelChars)).min(1).max(caps.labels).describe("The categories."),
    series: z.array(series).min(1).max(caps.series),
  });
  const orientation = z
    .enum(["vertical", "horizontal"])
    .exactOptional()
    .describe("Standing or lying bars; standing when null.");
  return (row.oriented ? plain.extend({ orientation }) : plain).superRefine(matchLengths);
}

function matchLengths(chart: Pick<SeriesChart, "labels" | "series">, context: z.RefinementCtx): void {
  chart.series.forEach(({ values }, index) => {
    if (values.length === chart.labels.length) return;
    context.addIssue({
      code: "custom",
      path: ["series", index, "values"],
      message: `${values.length} values given, must be ${chart.labels.length}, one per label`,
    });
  });
}
