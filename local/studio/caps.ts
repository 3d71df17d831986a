/**
 * What Studio refuses, written only from the page "Xenonflare Studio: the job API". Uses nothing of lib/: the
 * local Studio and the tests check the output of lib/deliverables with these rules, so a misreading there
 * must not be repeated here. Every length is `String.length`: UTF-16 units.
 */

type Fields = Readonly<Record<string, unknown>>;

/** Reports what is wrong with a value. `path` is like `charts[2].labels`. */
type Rule = (value: unknown, path: string, note: Note) => void;
type Note = (path: string, problem: string) => void;

const isFields = (value: unknown): value is Fields =>
  typeof value === "object" && value !== null && !Array.isArray(value);

const text =
  (most: number, { least = 0, like }: { readonly least?: number; readonly like?: RegExp } = {}): Rule =>
  (value, path, note) => {
    if (typeof value !== "string") return note(path, "is not a text");
    if (value.length > most) note(path, `has ${value.length} characters, more than ${most}`);
    if (value.length < least) note(path, "is blank");
    if (like && !like.test(value)) note(path, "has characters that are not allowed");
  };

const finite: Rule = (value, path, note) => {
  if (typeof value !== "number" || !Number.isFinite(value)) note(path, "is not a finite number");
};

const notNegative: Rule = (value, path, note) => {
  finite(value, path, note);
  if (typeof value === "number" && value < 0) note(path, "is negative");
};

const flag: Rule = (value, path, note) => {
  if (typeof value !== "boolean") note(path, "is neither true nor false");
};

const exactly =
  (...allowed: readonly unknown[]): Rule =>
  (value, path, note) => {
    if (!allowed.includes(value)) note(path, `is not ${allowed.join(" or ")}`);
  };

const many =
  (most: number, rule: Rule, least = 0): Rule =>
  (value, path, note) => {
    if (!Array.isArray(value)) return note(path, "is not an array");
    if (value.length > most) note(path, `has ${value.length} entries, more than ${most}`);
    if (value.length < least) note(path, "is empty");
    value.forEach((entry, at) => rule(entry, `${path}[${at}]`, note));
  };

const within = (path: string, name: string): string => (path === "" ? name : `${path}.${name}`);

/** An object with these fields and no others. A field whose name ends in `?` may be absent, but not null. */
const object =
  (shape: Readonly<Record<string, Rule>>): Rule =>
  (value, path, note) => {
    if (!isFields(value)) return note(path, "is not an object");
    const names = Object.keys(shape).map((key) => key.replace("?", ""));
    for (const name of Object.keys(value)) if (!names.includes(name)) note(within(path, name), "is unknown");
    for (const [key, rule] of Object.entries(shape)) {
      const name = key.replace("?", "");
      if (Object.hasOwn(value, name)) rule(value[name], within(path, name), note);
      else if (!key.endsWith("?")) note(within(path, name), "is missing");
    }
  };

const id = text(64, { least: 1 });
const plainId = text(64, { least: 1, like: /^[A-Za-z0-9_-]*$/ });
const title = text(200);
const label = text(128);
const seriesName = text(64);

const isSegment = (name: string): boolean => /^[A-Za-z0-9._-]{1,48}$/.test(name) && name !== "..";

const file = object({
  name: (value, path, note) => {
    if (typeof value !== "string") return note(path, "is not a text");
    const segments = value.split("/");
    if (!/\.(?:md|txt)$/i.test(value)) note(path, "is neither .md nor .txt");
    if (segments.length > 5) note(path, "lies in more than 4 folders");
    if (!segments.every(isSegment)) note(path, "has a segment that is not allowed");
  },
  content: text(48_000),
});

function seriesChart(kind: string): Rule {
  const stacked = kind === "stacked_bar";
  const values = many(32, stacked ? notNegative : finite);
  const shape = object({
    kind: exactly(kind),
    id,
    "title?": title,
    labels: many(32, label),
    series: many(8, object({ name: seriesName, values })),
    ...(kind.endsWith("bar") ? { "orientation?": exactly("vertical", "horizontal") } : {}),
  });
  return (value, path, note) => {
    shape(value, path, note);
    if (!isFields(value) || !Array.isArray(value["labels"]) || !Array.isArray(value["series"])) return;
    const labels = value["labels"].length;
    value["series"].forEach((series: unknown, at) => {
      if (isFields(series) && Array.isArray(series["values"]) && series["values"].length !== labels)
        note(`${path}.series[${at}]`, `does not have ${labels} values`);
    });
  };
}

const chartRules: Readonly<Record<string, Rule>> = {
  pie: object({
    kind: exactly("pie"),
    id,
    "title?": title,
    segments: many(24, object({ label, value: finite })),
  }),
  bar: seriesChart("bar"),
  line: seriesChart("line"),
  area: seriesChart("area"),
  stacked_bar: seriesChart("stacked_bar"),
  scatter: object({
    kind: exactly("scatter"),
    id,
    "title?": title,
    series: many(
      6,
      object({
        name: seriesName,
        points: many(48, object({ x: finite, y: finite, "label?": label })),
      }),
    ),
  }),
};

const chart: Rule = (value, path, note) => {
  const kind = isFields(value) && typeof value["kind"] === "string" ? value["kind"] : "";
  const rule = Object.hasOwn(chartRules, kind) ? chartRules[kind] : undefined;
  if (rule) rule(value, path, note);
  else note(`${path}.kind`, "is not a kind of chart");
};

const table = object({
  kind: exactly("table"),
  id,
  "title?": title,
  columns: many(12, text(512)),
  rows: many(80, many(12, text(512))),
});

const list = object({
  kind: exactly("list"),
  id: plainId,
  "title?": title,
  "ordered?": exactly(true),
  items: many(48, text(512)),
});

const checklist = object({
  kind: exactly("checklist"),
  id: plainId,
  "title?": title,
  items: many(
    64,
    object({ id: text(48, { least: 1, like: /^[A-Za-z0-9_-]*$/ }), label: text(320), checked: flag }),
  ),
});

const forbiddenInSvg = /<\s*(?:script|foreignObject|iframe|embed|object)\b|javascript:/i;

/** The public runner takes any word that contains "on" before a "=" for an event handler, even in text. */
const hasHandler = (content: string): boolean =>
  [...content.matchAll(/\b\w+(?=\s*=)/g)].some(([word]) => /on\w/i.test(word));

const svg = object({
  id: plainId,
  "title?": title,
  content: (value, path, note) => {
    text(64_000)(value, path, note);
    if (typeof value !== "string") return;
    if (!/^\s*<svg[\s>][\s\S]*<\/svg>\s*$/.test(value)) note(path, "is not a whole <svg>…</svg>");
    if (forbiddenInSvg.test(value) || hasHandler(value)) note(path, "contains something that could run");
  },
});

const payload = object({
  workspaceId: text(1_000, { least: 1 }),
  assistantMessage: text(24_000),
  files: many(24, file),
  charts: many(12, chart),
  datasets: many(8, table),
  svgs: many(8, svg),
  lists: many(12, list),
  checklists: many(8, checklist),
});

/** Each kind that a placeholder may name, with its payload key and the field that identifies it. */
const kinds = [
  { kind: "chart", key: "charts", name: "id" },
  { kind: "table", key: "datasets", name: "id" },
  { kind: "file", key: "files", name: "name" },
  { kind: "svg", key: "svgs", name: "id" },
  { kind: "list", key: "lists", name: "id" },
  { kind: "checklist", key: "checklists", name: "id" },
] as const;

/** Names like `chart:sales`, in lower case. */
function namesIn(body: Fields, { kind, key, name }: (typeof kinds)[number]): readonly string[] {
  const entries = body[key];
  const names = Array.isArray(entries) ? entries.map((entry: unknown) => isFields(entry) && entry[name]) : [];
  return names.map((one) => `${kind}:${typeof one === "string" ? one.toLowerCase() : ""}`);
}

function checkTogether(body: Fields, note: Note): void {
  const perKind = kinds.map((row) => ({ ...row, names: namesIn(body, row) }));
  for (const { key, names } of perKind) {
    if (new Set(names).size !== names.length) note(key, "contains a name twice");
  }
  const there = new Set(perKind.flatMap(({ names }) => names));
  const message = typeof body["assistantMessage"] === "string" ? body["assistantMessage"] : "";
  for (const { whole, named } of placeholdersIn(message)) {
    if (!there.has(named)) note("assistantMessage", `names ${whole}, which is not in the payload`);
  }
  if (message.trim() === "" && there.size === 0)
    note("assistantMessage", "is blank, and there is no deliverable");
}

const placeholder = /\{\{\s*artifact\s*:\s*(chart|table|file|svg|list|checklist)\s*:([^}]+)$/i;

/** Each placeholder ends at the next "}". Splits there first, which takes linear time. */
function placeholdersIn(message: string): readonly { readonly whole: string; readonly named: string }[] {
  return message
    .split("}}")
    .slice(0, -1)
    .flatMap((before) => {
      const [whole, kind = "", name = ""] = placeholder.exec(before.slice(before.lastIndexOf("}") + 1)) ?? [];
      if (whole === undefined) return [];
      return [{ whole: `${whole}}}`, named: `${kind}:${name.trim()}`.toLowerCase() }];
    });
}

/** Every violation of the API page in a `completeWorkspaceJob` body. Empty: Studio accepts it. */
export function problemsOf(body: unknown): readonly string[] {
  const problems: string[] = [];
  const note: Note = (path, problem) => void problems.push(`${path} ${problem}`);
  payload(body, "", note);
  if (isFields(body)) checkTogether(body, note);
  return problems;
}
