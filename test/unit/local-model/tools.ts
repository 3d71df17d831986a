/** The eleven tools as a strict caller offers them, and their caps, both written from studio-api.md ("Deliverables"). */

const text = { type: "string" };
const numbers = { type: "array", items: { type: "number" } };
const texts = { type: "array", items: text };
const orNull = (schema: object) => ({ anyOf: [schema, { type: "null" }] });
const object = (properties: Record<string, object>) => ({
  type: "object",
  properties,
  required: Object.keys(properties),
  additionalProperties: false,
});
const listOf = (properties: Record<string, object>) => ({ type: "array", items: object(properties) });

const titled = { id: text, title: orNull(text) };
const series = { labels: texts, series: listOf({ name: text, values: numbers }) };
const directed = {
  ...titled,
  ...series,
  orientation: orNull({ type: "string", enum: ["vertical", "horizontal"] }),
};

const parameters: Record<string, object> = {
  create_file: object({ name: text, content: text }),
  create_pie_chart: object({ ...titled, segments: listOf({ label: text, value: { type: "number" } }) }),
  create_bar_chart: object(directed),
  create_stacked_bar_chart: object(directed),
  create_line_chart: object({ ...titled, ...series }),
  create_area_chart: object({ ...titled, ...series }),
  create_scatter_chart: object({
    ...titled,
    series: listOf({
      name: text,
      points: listOf({ x: { type: "number" }, y: { type: "number" }, label: { type: ["string", "null"] } }),
    }),
  }),
  create_table: object({
    table: object({ ...titled, columns: texts, rows: { type: "array", items: texts } }),
  }),
  create_list: object({
    list: object({ ...titled, ordered: orNull({ type: "boolean", const: true }), items: texts }),
  }),
  create_checklist: object({
    checklist: object({ ...titled, items: listOf({ id: text, label: text, checked: { type: "boolean" } }) }),
  }),
  create_svg: object({ svg: object({ ...titled, content: text }) }),
};

export const toolNames = [
  "create_area_chart",
  "create_bar_chart",
  "create_checklist",
  "create_file",
  "create_line_chart",
  "create_list",
  "create_pie_chart",
  "create_scatter_chart",
  "create_stacked_bar_chart",
  "create_svg",
  "create_table",
];

export const strictTools = Object.entries(parameters).map(([name, schema]) => ({
  type: "function" as const,
  name,
  description: name,
  parameters: schema as Record<string, unknown>,
  strict: true,
}));

export const offered = strictTools.map(({ name, parameters: schema }) => ({ name, parameters: schema }));

export interface Call {
  readonly name: string;
  readonly arguments: string;
}

interface Made {
  readonly placeholder: string;
}

const isText = (value: unknown, most: number): boolean =>
  typeof value === "string" && value.length > 0 && value.length <= most;
const allText = (values: string[], most: number): boolean => values.every((value) => isText(value, most));
const within = (list: unknown[], most: number): boolean => list.length > 0 && list.length <= most;
const isToken = (id: string, most: number): boolean => new RegExp(`^[A-Za-z0-9_-]{1,${most}}$`).test(id);
const isTitle = (title: unknown): boolean => title === null || isText(title, 200);

const seriesFits = (lowest: number) => (a: any) =>
  isText(a.id, 64) &&
  isTitle(a.title) &&
  within(a.labels, 32) &&
  allText(a.labels, 128) &&
  within(a.series, 8) &&
  a.series.every(
    (s: any) =>
      isText(s.name, 64) &&
      s.values.length === a.labels.length &&
      s.values.every((v: unknown) => Number.isFinite(v) && (v as number) >= lowest),
  );

const fits: Record<string, (a: any) => boolean> = {
  create_file: (a) =>
    isText(a.content, 48_000) &&
    /\.(md|txt)$/.test(a.name) &&
    a.name.split("/").length <= 5 &&
    a.name.split("/").every((s: string) => /^[A-Za-z0-9._-]{1,48}$/.test(s) && !s.includes("..")),
  create_pie_chart: (a) =>
    isText(a.id, 64) &&
    isTitle(a.title) &&
    within(a.segments, 24) &&
    a.segments.every((s: any) => isText(s.label, 128) && Number.isFinite(s.value)),
  create_bar_chart: seriesFits(Number.NEGATIVE_INFINITY),
  create_line_chart: seriesFits(Number.NEGATIVE_INFINITY),
  create_area_chart: seriesFits(Number.NEGATIVE_INFINITY),
  create_stacked_bar_chart: seriesFits(0),
  create_scatter_chart: (a) =>
    isText(a.id, 64) &&
    isTitle(a.title) &&
    within(a.series, 6) &&
    a.series.every(
      (s: any) =>
        isText(s.name, 64) &&
        within(s.points, 48) &&
        s.points.every((p: any) => Number.isFinite(p.x) && Number.isFinite(p.y)),
    ),
  create_table: ({ table: a }) =>
    isToken(a.id, 64) &&
    isTitle(a.title) &&
    within(a.columns, 12) &&
    within(a.rows, 80) &&
    a.rows.every((row: string[]) => row.length === a.columns.length && allText(row, 512)),
  create_list: ({ list: a }) =>
    isToken(a.id, 64) && isTitle(a.title) && within(a.items, 48) && allText(a.items, 512),
  create_checklist: ({ checklist: a }) =>
    isToken(a.id, 64) &&
    isTitle(a.title) &&
    within(a.items, 64) &&
    new Set(a.items.map((i: any) => i.id)).size === a.items.length &&
    a.items.every((i: any) => isToken(i.id, 48) && isText(i.label, 320) && typeof i.checked === "boolean"),
  create_svg: ({ svg: a }) =>
    isToken(a.id, 64) &&
    isTitle(a.title) &&
    isText(a.content, 64_000) &&
    /^<svg[\s>][^]*<\/svg>$/.test(a.content) &&
    !/<(script|foreignObject|iframe|embed|object)|javascript:|\son\w+\s*=/i.test(a.content),
};

const kinds: Record<string, string> = {
  create_file: "file",
  create_table: "table",
  create_list: "list",
  create_checklist: "checklist",
  create_svg: "svg",
};

/** What a strict runner makes of a call: the deliverable's placeholder, or nothing. */
export function apply(call: Call): Made | undefined {
  try {
    const args = JSON.parse(call.arguments);
    if (fits[call.name]?.(args) !== true) return undefined;
    const kind = kinds[call.name] ?? "chart";
    const item = args[kind] ?? args;
    return { placeholder: `{{artifact:${kind}:${item.name ?? item.id}}}` };
  } catch {
    return undefined;
  }
}

export const answerFor = (call: Call): string =>
  apply(call) === undefined
    ? JSON.stringify({ ok: false, error: "the call breaks a cap" })
    : JSON.stringify({ ok: true });
