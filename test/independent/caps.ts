/**
 * The caps of /work/shared/reference/studio-api.md, "Deliverables", written from that page alone: nothing of lib/ is
 * used, so that a misreading there is not repeated here.
 */

type Fields = Readonly<Record<string, unknown>>;

/** Notes what is wrong with a value, under a path like `charts[2].labels`. */
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
    if (like && !like.test(value)) note(path, `"${value}" has characters that are not allowed`);
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
    if (!allowed.includes(value)) note(path, `is ${JSON.stringify(value)}`);
  };

const many =
  (most: number, rule: Rule, least = 0): Rule =>
  (value, path, note) => {
    if (!Array.isArray(value)) return note(path, "is not an array");
    if (value.length > most) note(path, `has ${value.length} entries, more than ${most}`);
    if (value.length < least) note(path, "is empty");
    value.forEach((entry, at) => rule(entry, `${path}[${at}]`, note));
  };

/** An object with these fields and no others; a field whose name ends in `?` may be absent, but not null. */
const object =
  (shape: Readonly<Record<string, Rule>>): Rule =>
  (value, path, note) => {
    if (!isFields(value)) return note(path, "is not an object");
    const names = Object.keys(shape).map((key) => key.replace("?", ""));
    for (const name of Object.keys(value)) if (!names.includes(name)) note(`${path}.${name}`, "is unknown");
    for (const [key, rule] of Object.entries(shape)) {
      const name = key.replace("?", "");
      if (Object.hasOwn(value, name)) rule(value[name], `${path}.${name}`, note);
      else if (!key.endsWith("?")) note(`${path}.${name}`, "is missing");
    }
  };

const id = text(64, { least: 1 });
const plainId = text(64, { least: 1, like: /^[A-Za-z0-9_-]*$/ });
const title = text(200);
const label = text(128);
const seriesName = text(64);

const file = object({
  name: (value, path, note) => {
    text(10_000, { least: 1 })(value, path, note);
    const segments = String(value).split("/");
    if (!/\.(?:md|txt)$/.test(String(value))) note(path, "is neither .md nor .txt");
    if (segments.length > 5) note(path, "lies in more than 4 folders");
    for (const segment of segments) {
      if (!/^[A-Za-z0-9._-]{1,48}$/.test(segment) || segment === "..")
        note(path, `holds the segment "${segment}"`);
    }
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
  const kind = isFields(value) ? String(value["kind"]) : "";
  const rule = chartRules[kind];
  if (rule) rule(value, path, note);
  else note(`${path}.kind`, `is "${kind}"`);
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

const forbiddenInSvg = /<\s*(?:script|foreignObject|iframe|embed|object)\b|javascript:|<[^>]*\son[a-z]+\s*=/i;

const svg = object({
  id: plainId,
  "title?": title,
  content: (value, path, note) => {
    text(64_000)(value, path, note);
    if (!/^\s*<svg[\s>][\s\S]*<\/svg>\s*$/.test(String(value))) note(path, "is not a whole <svg>…</svg>");
    if (forbiddenInSvg.test(String(value))) note(path, "holds what could run");
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

/** Each kind that a placeholder may name: where it lies, and what names it there. */
const kinds = {
  chart: { key: "charts", name: "id" },
  table: { key: "datasets", name: "id" },
  file: { key: "files", name: "name" },
  svg: { key: "svgs", name: "id" },
  list: { key: "lists", name: "id" },
  checklist: { key: "checklists", name: "id" },
} as const;

function namesIn(body: Fields, kind: keyof typeof kinds): readonly string[] {
  const { key, name } = kinds[kind];
  const entries: unknown = body[key];
  return Array.isArray(entries)
    ? entries.map((entry: unknown) => (isFields(entry) ? String(entry[name]).toLowerCase() : ""))
    : [];
}

function checkTogether(body: Fields, note: Note): void {
  for (const kind of Object.keys(kinds) as (keyof typeof kinds)[]) {
    const names = namesIn(body, kind);
    if (new Set(names).size !== names.length) note(kinds[kind].key, "names one thing twice");
  }
  const message = String(body["assistantMessage"]);
  for (const [whole, kind = "", name = ""] of message.matchAll(
    /\{\{\s*artifact\s*:\s*([^:}]+):([^}]+)\}\}/gi,
  )) {
    const known = Object.keys(kinds).find((one) => one === kind.trim().toLowerCase());
    const there = known && namesIn(body, known as keyof typeof kinds).includes(name.trim().toLowerCase());
    if (!there) note("assistantMessage", `names ${whole}, which is not in the payload`);
  }
  const made = Object.values(kinds).some(({ key }) => Array.isArray(body[key]) && body[key].length > 0);
  if (message.trim() === "" && !made) note("assistantMessage", "is blank, and nothing else is there");
}

/** Everything in a `completeWorkspaceJob` body that breaks the API page; none: Studio takes it. */
export function problemsOf(body: unknown): readonly string[] {
  const problems: string[] = [];
  const note: Note = (path, problem) => void problems.push(`${path} ${problem}`);
  payload(body, "body", note);
  if (isFields(body)) checkTogether(body, note);
  return problems;
}
