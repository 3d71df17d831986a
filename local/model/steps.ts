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

/** The fields of a deliverable, as its tool takes them. */
type Fields = Readonly<Record<string, unknown>> & { readonly id: string; readonly title: string };

const chart =
  (tool: string) =>
  (fields: Fields): Step => ({
    kind: "chart",
    id: fields.id,
    tool,
    argumentsFor: (id) => ({ ...fields, id }),
  });

export const pieChart = chart("create_pie_chart");
export const barChart = chart("create_bar_chart");
export const stackedBarChart = chart("create_stacked_bar_chart");
export const lineChart = chart("create_line_chart");
export const areaChart = chart("create_area_chart");
export const scatterChart = chart("create_scatter_chart");

/** A step for the tools that take one object under their kind's name. */
const wrapped =
  (kind: "table" | "list" | "checklist" | "svg") =>
  (fields: Fields): Step => ({
    kind,
    id: fields.id,
    tool: `create_${kind}`,
    argumentsFor: (id) => ({ [kind]: { ...(kind === "svg" ? {} : { kind }), ...fields, id } }),
  });

export const table = wrapped("table");
export const list = wrapped("list");
export const checklist = wrapped("checklist");
export const svg = wrapped("svg");

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

export interface Answer {
  /** Tool rounds. The steps of one wave are called in parallel. */
  readonly waves: readonly (readonly Step[])[];
  readonly message: readonly Paragraph[];
  /** Whether it contains figures, which are invented. */
  readonly hasFigures: boolean;
}

/** The answer to one message, which was written for it. */
export interface Scenario extends Answer {
  readonly prompt: string;
}
