import type { Mistake, Step } from "./steps.ts";
import { file, list, stackedBarChart, svg } from "./steps.ts";
import type { Turn } from "./conversation.ts";

/** Every special word. docs/offline-model.md shows this table, which a test compares. */
export const wordTable: readonly (readonly [word: string, effect: string])[] = [
  ["[[failed]]", "The provider reports that the answer failed."],
  ["[[refuse]]", "The model declines."],
  ["[[incomplete]]", "The answer stops at the output limit."],
  ["[[content-filter]]", "The provider's content filter stops the answer."],
  ["[[empty]]", "The answer is empty."],
  ["[[slow:20000]]", "Each turn takes 20,000 milliseconds."],
  ["[[rounds:12]]", "The model calls tools in 12 rounds before it answers."],
  ["[[endless]]", "The model calls tools without end."],
  ["[[bad-json]]", "The first call of a tool is not JSON; the model corrects it."],
  ["[[unknown-tool]]", "The first call is for a tool that does not exist; the model corrects it."],
  ["[[path-traversal]]", "A file's name leads out of its folder at first; the model corrects it."],
  ["[[svg-script]]", "A drawing contains a script at first; the runner removes it."],
  ["[[negative-stacked]]", "A stacked bar chart has negative values at first; the model corrects it."],
  ["[[dangling]]", "The first answer names a chart that does not exist; the model corrects it."],
  ["[[dangling-forever]]", "Every answer names a chart that does not exist."],
  ["[[long-message]]", "The first answer is longer than 24,000 characters; the model shortens it."],
];

/** `[[name]]` and `[[name:number]]` in a user's text. */
export interface SpecialWords {
  has(name: string): boolean;
  number(name: string): number | undefined;
}

export function specialWords(text: string): SpecialWords {
  const found = new Map<string, number | undefined>();
  for (const [, name = "", digits] of text.matchAll(/\[\[([a-z-]+)(?::(\d{1,7}))?\]\]/gi)) {
    found.set(name.toLowerCase(), digits === undefined ? undefined : Number(digits));
  }
  return { has: (name) => found.has(name), number: (name) => found.get(name) };
}

const partial = "The launch should be staged in three waves, because";

/** Special words that end the job at once, in a way that the API supports. */
export const endings: Readonly<Record<string, Turn>> = {
  refuse: {
    parts: [{ type: "refusal", refusal: "I can't help with that request." }],
    outcome: "completed",
  },
  incomplete: { parts: [{ type: "text", text: partial }], outcome: "max_output_tokens" },
  "content-filter": { parts: [{ type: "text", text: partial }], outcome: "content_filter" },
  empty: { parts: [], outcome: "completed" },
  failed: { parts: [], outcome: "failed" },
};

const withMistake = (step: Step, mistake: Mistake): Step => ({ ...step, mistake });

const sparkline = (inside: string): string =>
  `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 240 80" role="img">${inside}` +
  `<polyline points="8,64 56,48 104,54 152,28 200,34 232,12" fill="none" stroke="#2563eb" stroke-width="4" stroke-linecap="round"/></svg>`;

const quarters = ["Q1", "Q2", "Q3", "Q4"];
const flows = { id: "cash-flow", title: "Cash in and out by quarter", labels: quarters } as const;

/** Special words that make one call wrong at first. The step is the corrected call. */
export const mistakes: Readonly<Record<string, Step>> = {
  "bad-json": withMistake(
    list({ id: "quick-wins", title: "Quick wins", items: ["Fix the sign-up form", "Answer within a day"] }),
    { arguments: '{"list":{"id":"quick-wins","title":"Quick wins","items":["Fix the sign-up form",' },
  ),
  "unknown-tool": withMistake(
    list({ id: "views", title: "Views to build", items: ["Overview", "Detail", "Comparison"] }),
    { tool: "create_hologram", arguments: { id: "views", depth: 3 } },
  ),
  "path-traversal": withMistake(
    file({ name: "notes/field-notes.md", content: "# Field notes\n\nKept inside.\n" }),
    {
      arguments: { name: "../../etc/field-notes.md", content: "# Field notes\n\nTried to leave.\n" },
    },
  ),
  "svg-script": withMistake(svg({ id: "trend", title: "Trend", content: sparkline("") }), {
    arguments: {
      svg: {
        id: "trend",
        title: "Trend",
        content: sparkline("<script>alert('offline')</script>").replace(
          "<polyline",
          '<polyline onclick="alert(1)"',
        ),
      },
    },
  }),
  "negative-stacked": withMistake(
    stackedBarChart({
      ...flows,
      orientation: "vertical",
      series: [
        { name: "In", values: [42, 48, 61, 75] },
        { name: "Out", values: [38, 35, 44, 51] },
      ],
    }),
    {
      arguments: {
        ...flows,
        orientation: "vertical",
        series: [
          { name: "In", values: [42, 48, 61, 75] },
          { name: "Out", values: [-38, -35, -44, -51] },
        ],
      },
    },
  ),
};

/** A small file, to fill a tool round. */
export function roundNote(round: number): Step {
  return file({
    name: `notes/round-${round}.md`,
    content: `# Round ${round}\n\nWritten in tool round ${round} of a canned answer.\n`,
  });
}

export const longText =
  "Every canned sentence of this paragraph only serves to make the message long. ".repeat(340);
