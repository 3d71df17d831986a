/** @import { Deliverables } from "../../page-api.ts" */
import { download } from "../download.js";
import { csvOf } from "../exports/csv.js";
import { inBold, markdownTable } from "../exports/markdown-parts.js";
import { fileNameOf } from "../exports/names.js";
import { card, cardButton } from "./card.js";
import { grid } from "./grid.js";

/** @typedef {Deliverables["datasets"][number]} Table */

/** @param {Table} table */
function draw(table) {
  const { id, title = id, columns, rows } = table;
  const meta = rows.length === 1 ? "1 row" : `${rows.length} rows`;
  const save = cardButton("CSV", () => download({ ...fileOf(table), type: "text/csv" }), {
    "aria-label": `Download ${title} as CSV`,
  });
  return {
    element: card({ kind: "table", title, meta, actions: [save] }, grid({ label: title, columns, rows })),
  };
}

/** @param {Table} table */
function fileOf(table) {
  const { id, title = id } = table;
  return { name: `${fileNameOf(title, "table")}.csv`, content: csvOf(table) };
}

export const tableKind = {
  kind: "table",
  /** @param {Deliverables} deliverables */
  items: ({ datasets }) =>
    datasets.map((table) => {
      const { id, title = id } = table;
      const markdown = () => `${inBold(title)}\n\n${markdownTable(table)}`;
      return { kind: "table", id, title, draw: () => draw(table), markdown, file: () => fileOf(table) };
    }),
};
