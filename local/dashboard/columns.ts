import type { ColumnKind } from "./view.ts";

/** How the page shows the columns of a log query, by the name that CloudWatch shows. */
const known: Readonly<Record<string, { readonly head?: string; readonly kind: ColumnKind }>> = {
  "@timestamp": { head: "When", kind: "time" },
  "@log": { head: "Function", kind: "function" },
  Workspace: { kind: "workspace" },
  Run: { kind: "run" },
};

export const kindOf = (column: string): ColumnKind => known[column]?.kind ?? "text";

/** "InputTokens" is "Input tokens", and "UsedMB" is "Used MB": a query's alias takes no space. */
export const headOf = (column: string): string =>
  known[column]?.head ??
  column
    .replaceAll(/(?<=[a-z])(?=[A-Z])/g, " ")
    .replaceAll(/(?<= )[A-Z](?=[a-z])/g, (letter) => letter.toLowerCase());
