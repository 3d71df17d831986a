import type { Topic } from "./topic.ts";

/** One deliverable of a canned answer, and the call that makes it. */
export interface Step {
  /** The placeholder's KIND. */
  readonly kind: "chart" | "table" | "file" | "svg" | "list" | "checklist";
  /** An id, or a file's name. */
  readonly id: string;
  readonly tool: string;
  /** Returns the tool's arguments for the given id. */
  readonly argumentsFor: (id: string) => object;
  /** A mistake in the first try. */
  readonly mistake?: Mistake;
}

export interface Mistake {
  readonly tool?: string;
  /** A string is sent unchanged and need not be JSON. */
  readonly arguments: object | string;
}

interface Titled {
  readonly id: string;
  readonly title: string;
}

interface SeriesChart extends Titled {
  readonly labels: readonly string[];
  readonly series: readonly { readonly name: string; readonly values: readonly number[] }[];
}

interface DirectedChart extends SeriesChart {
  readonly orientation: "vertical" | "horizontal";
}

interface PieChart extends Titled {
  readonly segments: readonly { readonly label: string; readonly value: number }[];
}

interface ScatterChart extends Titled {
  readonly series: readonly {
    readonly name: string;
    readonly points: readonly { readonly x: number; readonly y: number; readonly label?: string }[];
  }[];
}

interface Table extends Titled {
  readonly columns: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

interface List extends Titled {
  readonly ordered?: true;
  readonly items: readonly string[];
}

interface Checklist extends Titled {
  readonly items: readonly { readonly id: string; readonly label: string; readonly checked: boolean }[];
}

interface Svg extends Titled {
  readonly content: string;
}

const chart = (tool: string, fields: Titled): Step => ({
  kind: "chart",
  id: fields.id,
  tool,
  argumentsFor: (id) => ({ ...fields, id }),
});

export const pieChart = (fields: PieChart): Step => chart("create_pie_chart", fields);
export const barChart = (fields: DirectedChart): Step => chart("create_bar_chart", fields);
export const stackedBarChart = (fields: DirectedChart): Step => chart("create_stacked_bar_chart", fields);
export const lineChart = (fields: SeriesChart): Step => chart("create_line_chart", fields);
export const areaChart = (fields: SeriesChart): Step => chart("create_area_chart", fields);
export const scatterChart = (fields: ScatterChart): Step => chart("create_scatter_chart", fields);

/** A step for the tools that take one object under their kind's name. */
const wrapped = (kind: "table" | "list" | "checklist" | "svg", fields: Titled): Step => ({
  kind,
  id: fields.id,
  tool: `create_${kind}`,
  argumentsFor: (id) => ({ [kind]: { ...(kind === "svg" ? {} : { kind }), ...fields, id } }),
});

export const table = (fields: Table): Step => wrapped("table", fields);
export const list = (fields: List): Step => wrapped("list", fields);
export const checklist = (fields: Checklist): Step => wrapped("checklist", fields);
export const svg = (fields: Svg): Step => wrapped("svg", fields);

export function file(fields: { readonly name: string; readonly content: string }): Step {
  return {
    kind: "file",
    id: fields.name,
    tool: "create_file",
    argumentsFor: (name) => ({ name, content: fields.content }),
  };
}

/** The id of a later try: `mix` → `mix-2`, `plan/brief.md` → `plan/brief-2.md`. */
export function idForTry(step: Step, attempt: number): string {
  const repeats = attempt - (step.mistake === undefined ? 0 : 1);
  if (repeats <= 0) return step.id;
  const suffix = `-${repeats + 1}`;
  return step.kind === "file" ? step.id.replace(/(\.\w+)$/, `${suffix}$1`) : `${step.id}${suffix}`;
}

/** A paragraph of the final message: text, or the place of a deliverable (the step's id). */
export type Paragraph = string | { readonly show: string };

export interface Scenario {
  readonly keywords: readonly string[];
  readonly answer: (topic: Topic) => Answer;
}

export const words = (text: string): readonly string[] => text.split(" ");

export interface Answer {
  /** Tool rounds. The steps of one wave are called in parallel. */
  readonly waves: readonly (readonly Step[])[];
  readonly message: readonly Paragraph[];
}
