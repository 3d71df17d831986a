import * as z from "zod";
import { capped, freeId, text, title, limits } from "./fields.ts";
import { defineTool } from "./tool.ts";
import type { TableDeliverable } from "./draft.ts";

const caps = limits.table;

export const tableTool = defineTool({
  name: "create_table",
  kind: "table",
  payloadKey: "datasets",
  wrapper: "table",
  idField: "id",
  makes: "table",
  caps: `${caps.columns} columns (names of ${caps.columnChars} characters), ${caps.rows} rows, ${caps.cellChars} characters a cell`,
  description:
    "Makes a table. Every row has one cell of text per column. Use it in place of a Markdown table.",
  schema: z
    .strictObject({
      kind: z.literal("table"),
      id: freeId,
      title,
      columns: z.array(text(caps.columnChars)).min(1).max(caps.columns).describe("The column names."),
      rows: z
        .array(z.array(capped(caps.cellChars)).describe("One cell per column; may be empty text."))
        .max(caps.rows),
    })
    .superRefine(matchColumns),
});

function matchColumns(
  { columns, rows }: Pick<TableDeliverable, "columns" | "rows">,
  context: z.RefinementCtx,
): void {
  rows.forEach((row, index) => {
    if (row.length === columns.length) return;
    context.addIssue({
      code: "custom",
      path: ["rows", index],
      message: `${row.length} cells given, must be ${columns.length}, one per column`,
    });
  });
}
