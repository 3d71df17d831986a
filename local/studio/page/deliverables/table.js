/** @import { Deliverables } from "../../page-api.ts" */
import { card } from "./card.js";
import { grid } from "./grid.js";

/** @param {Deliverables["datasets"][number]} table */
function draw({ id, title = id, columns, rows }) {
  const meta = rows.length === 1 ? "1 row" : `${rows.length} rows`;
  return { element: card({ kind: "table", title, meta }, grid({ label: title, columns, rows })) };
}

export const tableKind = {
  kind: "table",
  /** @param {Deliverables} deliverables */
  items: ({ datasets }) =>
    datasets.map((table) => ({ kind: "table", id: table.id, draw: () => draw(table) })),
};
