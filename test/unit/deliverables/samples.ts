import { applyToolCall } from "../../../lib/deliverables/registry.ts";
import { emptyDraft, type Draft } from "../../../lib/deliverables/draft.ts";

export type Fields = Readonly<Record<string, unknown>>;

export const drawing =
  '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 10 10"><rect width="5" height="5"/></svg>';

/** A drawing of a text. */
export const drawn = (text: string): string =>
  `<svg xmlns="http://www.w3.org/2000/svg"><rect/><text>${text}</text></svg>`;

const bars = { labels: ["Q1", "Q2"], series: [{ name: "North", values: [1, -2.5] }] };
const positive = { labels: ["Q1"], series: [{ name: "North", values: [0] }] };
const peak = { x: 3, y: 4, label: "peak" };

/** One valid call per tool, its fields without the wrapper. */
export const samples: Readonly<Record<string, { readonly wrapper?: string; readonly fields: Fields }>> = {
  create_file: { fields: { name: "specs/api.md", content: "# API" } },
  create_pie_chart: { fields: { id: "mix", title: "Mix", segments: [{ label: "A", value: 1 }] } },
  create_bar_chart: { fields: { id: "kpi", title: null, ...bars, orientation: "horizontal" } },
  create_stacked_bar_chart: { fields: { id: "parts", ...positive, orientation: null } },
  create_line_chart: { fields: { id: "trend", ...bars } },
  create_area_chart: { fields: { id: "growth", ...bars } },
  create_scatter_chart: {
    fields: { id: "cloud", series: [{ name: "Runs", points: [{ x: 1, y: 2, label: null }, peak] }] },
  },
  create_table: {
    wrapper: "table",
    fields: { id: "plans", columns: ["Plan", "Price"], rows: [["Free", ""]] },
  },
  create_list: { wrapper: "list", fields: { id: "steps", ordered: true, items: ["Build", "Ship"] } },
  create_checklist: {
    wrapper: "checklist",
    fields: { id: "launch", items: [{ id: "dns", label: "Set DNS", checked: false }] },
  },
  create_svg: { wrapper: "svg", fields: { id: "logo", content: drawing } },
};

/** The sample of `name` with some fields replaced, as the model's JSON. */
export function argumentsOf(name: string, overrides: Fields = {}): string {
  const sample = samples[name]!;
  const fields = { ...sample.fields, ...overrides };
  return JSON.stringify(sample.wrapper === undefined ? fields : { [sample.wrapper]: fields });
}

/** Calls the tool with its sample, some fields replaced. */
export function call(name: string, overrides: Fields = {}, draft: Draft = emptyDraft) {
  return applyToolCall(draft, { name, arguments: argumentsOf(name, overrides) });
}

/** The reason for a rejection, or "" when the call was accepted. */
export function errorOf(result: { readonly output: string }): string {
  const answer: { error?: string } = JSON.parse(result.output);
  return answer.error ?? "";
}

/** Every tool called once. */
export function fullDraft(): Draft {
  return Object.keys(samples).reduce((draft, name) => call(name, {}, draft).draft, emptyDraft);
}
