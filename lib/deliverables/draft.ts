/** What a run has produced so far. Immutable: a tool returns a new draft. Shapes: Studio API, Complete job. */
export interface Draft {
  readonly files: readonly FileDeliverable[];
  readonly charts: readonly ChartDeliverable[];
  readonly datasets: readonly TableDeliverable[];
  readonly svgs: readonly SvgDeliverable[];
  readonly lists: readonly ListDeliverable[];
  readonly checklists: readonly ChecklistDeliverable[];
}

export const emptyDraft: Draft = {
  files: [],
  charts: [],
  datasets: [],
  svgs: [],
  lists: [],
  checklists: [],
};

export interface FileDeliverable {
  readonly name: string;
  readonly content: string;
}

interface Titled {
  readonly id: string;
  readonly title?: string;
}

export interface PieChart extends Titled {
  readonly kind: "pie";
  readonly segments: readonly { readonly label: string; readonly value: number }[];
}

export interface SeriesChart extends Titled {
  readonly kind: "bar" | "line" | "area" | "stacked_bar";
  readonly labels: readonly string[];
  readonly series: readonly { readonly name: string; readonly values: readonly number[] }[];
  readonly orientation?: "vertical" | "horizontal";
}

export interface ScatterChart extends Titled {
  readonly kind: "scatter";
  readonly series: readonly {
    readonly name: string;
    readonly points: readonly { readonly x: number; readonly y: number; readonly label?: string }[];
  }[];
}

export type ChartDeliverable = PieChart | SeriesChart | ScatterChart;

export interface TableDeliverable extends Titled {
  readonly kind: "table";
  readonly columns: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

export interface ListDeliverable extends Titled {
  readonly kind: "list";
  readonly ordered?: true;
  readonly items: readonly string[];
}

export interface ChecklistDeliverable extends Titled {
  readonly kind: "checklist";
  readonly items: readonly { readonly id: string; readonly label: string; readonly checked: boolean }[];
}

export interface SvgDeliverable extends Titled {
  readonly content: string;
}
