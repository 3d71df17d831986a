import { asStrict } from "./strict-tools.ts";

export type Item = Readonly<Record<string, unknown>>;

/** Arguments in the shapes of the deliverables (Studio API, Complete job). */
const calls: Readonly<Record<string, (job: string) => Item>> = {
  create_file: (job) => ({ name: "notes/report.md", content: `# ${job}\n\nÜber 3 € — “quoted” 🚀\r\n\tend` }),
  create_pie_chart: (job) => ({
    id: "Shares",
    title: job,
    segments: [
      { label: "North", value: 12.5 },
      { label: "South", value: 0 },
    ],
  }),
  create_bar_chart: (job) => ({
    id: "bars",
    title: job,
    labels: ["Q1", "Q2"],
    series: [{ name: "Sales", values: [3, -4.25] }],
    orientation: "horizontal",
  }),
  create_stacked_bar_chart: () => ({
    id: "stacked",
    labels: ["Q1"],
    series: [
      { name: "a", values: [1] },
      { name: "b", values: [0] },
    ],
  }),
  create_line_chart: () => ({
    id: "line",
    labels: ["1", "2", "3"],
    series: [{ name: "x", values: [1, 2, 1e9] }],
  }),
  create_area_chart: () => ({ id: "area", labels: ["1"], series: [{ name: "y", values: [-1] }] }),
  create_scatter_chart: () => ({
    id: "scatter",
    title: "Points",
    series: [
      {
        name: "p",
        points: [
          { x: 1, y: 2, label: "one" },
          { x: -1, y: 0.5 },
        ],
      },
    ],
  }),
  create_table: (job) => ({
    table: {
      id: "numbers",
      title: job,
      columns: ["Name", "Value"],
      rows: [
        ["α", "1"],
        ["", "2 | 3"],
      ],
    },
  }),
  create_list: () => ({ list: { id: "steps", title: "", ordered: false, items: ["First", "Second"] } }),
  create_checklist: (job) => ({
    checklist: {
      id: "todo",
      title: job,
      items: [
        { id: "a", label: "Buy", checked: false },
        { id: "b", label: "Sell", checked: true },
      ],
    },
  }),
  create_svg: () => ({
    svg: {
      id: "logo",
      title: "Logo",
      content:
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 10 10"><circle cx="5" cy="5" r="4" fill="#369"/></svg>',
    },
  }),
};

export const toolNames = Object.keys(calls);

const finalMessage = (job: string): string => `Done: ${job}

{{artifact:chart:shares}} {{ Artifact : Chart : bars }} {{artifact:chart:stacked}} {{artifact:chart:line}}
{{artifact:chart:area}} {{artifact:chart:scatter}}
{{artifact:table:numbers}} {{artifact:list:steps}} {{artifact:checklist:todo}} {{artifact:svg:logo}}
{{artifact:file:notes/report.md}}`;

/** The number in a user's "job 17", by which a job is known from its input to its message. */
export const jobIn = (conversation: readonly Item[]): number | undefined =>
  conversation
    .filter(({ role }) => role === "user")
    .map(({ content }) => /\bjob (\d+)\b/.exec(JSON.stringify(content))?.[1])
    .filter((digits) => digits !== undefined)
    .map(Number)[0];

export interface Asked {
  readonly conversation: readonly Item[];
  readonly tools: readonly Item[];
  readonly newId: (prefix: string) => string;
}

/** The model's next output: first a call of every tool, then a message that refers to all of them. */
export function nextOutput({ conversation, tools, newId }: Asked): readonly Item[] {
  const thought = { type: "reasoning", id: newId("rs"), summary: [] };
  const number = jobIn(conversation);
  const job = number === undefined ? undefined : `job ${number}`;
  const answered = conversation.some(({ type }) => type === "function_call_output");
  if (job !== undefined && !answered && tools.length > 0) {
    return [thought, ...toolNames.map((name) => callOf(name, job, { tools, newId }))];
  }
  const text = job === undefined ? "I see no request." : finalMessage(job);
  return [
    thought,
    {
      type: "message",
      id: newId("msg"),
      status: "completed",
      role: "assistant",
      content: [{ type: "output_text", text, annotations: [], logprobs: [] }],
    },
  ];
}

function callOf(name: string, job: string, { tools, newId }: Pick<Asked, "tools" | "newId">): Item {
  const schema = tools.find((tool) => tool["name"] === name)?.["parameters"];
  return {
    type: "function_call",
    id: newId("fc"),
    call_id: newId("call"),
    name,
    arguments: JSON.stringify(asStrict(calls[name]?.(job), schema)),
    status: "completed",
  };
}
