import * as z from "zod";

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
  parameters: { ...schema },
  strict: true,
}));

export const offered = strictTools.map(({ name, parameters: schema }) => ({ name, parameters: schema }));

export interface Call {
  readonly name: string;
  readonly arguments: string;
}

const string = (most: number) => z.string().min(1).max(most);
const id = string(64);
const tokenId = id.regex(/^[A-Za-z0-9_-]+$/);
const title = string(200).nullable();

const seriesFits = (lowest: number) =>
  z
    .looseObject({
      id,
      title,
      labels: z.array(string(128)).min(1).max(32),
      series: z
        .array(z.object({ name: string(64), values: z.array(z.number().min(lowest)) }))
        .min(1)
        .max(8),
    })
    .refine(({ labels, series: all }) => all.every(({ values }) => values.length === labels.length));
const anySeries = seriesFits(Number.NEGATIVE_INFINITY);

const svgContent = string(64_000)
  .regex(/^<svg[\s>][^]*<\/svg>$/)
  .refine((content) => !/<(script|foreignObject|iframe|embed|object)|javascript:|\son\w+\s*=/i.test(content));

const caps: Record<string, z.ZodType> = {
  create_file: z.object({
    name: z.string().regex(/^([A-Za-z0-9_-][A-Za-z0-9._-]{0,47}\/){0,4}[A-Za-z0-9_-]{1,44}\.(md|txt)$/),
    content: string(48_000),
  }),
  create_pie_chart: z.object({
    id,
    title,
    segments: z
      .array(z.object({ label: string(128), value: z.number() }))
      .min(1)
      .max(24),
  }),
  create_bar_chart: anySeries,
  create_line_chart: anySeries,
  create_area_chart: anySeries,
  create_stacked_bar_chart: seriesFits(0),
  create_scatter_chart: z.object({
    id,
    title,
    series: z
      .array(
        z.object({
          name: string(64),
          points: z
            .array(z.object({ x: z.number(), y: z.number(), label: string(128).nullable() }))
            .min(1)
            .max(48),
        }),
      )
      .min(1)
      .max(6),
  }),
  create_table: z.object({
    table: z
      .object({
        id: tokenId,
        title,
        columns: z.array(string(512)).min(1).max(12),
        rows: z
          .array(z.array(string(512)))
          .min(1)
          .max(80),
      })
      .refine(({ columns, rows }) => rows.every((row) => row.length === columns.length)),
  }),
  create_list: z.object({
    list: z.object({ id: tokenId, title, items: z.array(string(512)).min(1).max(48) }),
  }),
  create_checklist: z.object({
    checklist: z
      .object({
        id: tokenId,
        title,
        items: z
          .array(
            z.object({
              id: z.string().regex(/^[A-Za-z0-9_-]{1,48}$/),
              label: string(320),
              checked: z.boolean(),
            }),
          )
          .min(1)
          .max(64),
      })
      .refine(({ items }) => new Set(items.map((item) => item.id)).size === items.length),
  }),
  create_svg: z.object({ svg: z.object({ id: tokenId, title, content: svgContent }) }),
};

const kinds: Record<string, string> = {
  create_file: "file",
  create_table: "table",
  create_list: "list",
  create_checklist: "checklist",
  create_svg: "svg",
};

/** What a strict runner makes of a call: the deliverable's placeholder, or nothing. */
export function apply(call: Call): string | undefined {
  try {
    const fields = JSON.parse(call.arguments);
    if (caps[call.name]?.safeParse(fields).success !== true) return undefined;
    const kind = kinds[call.name] ?? "chart";
    const item = fields[kind] ?? fields;
    return `{{artifact:${kind}:${item.name ?? item.id}}}`;
  } catch {
    return undefined;
  }
}

export const answerFor = (call: Call): string =>
  apply(call) === undefined
    ? JSON.stringify({ ok: false, error: "the call breaks a cap" })
    : JSON.stringify({ ok: true });
