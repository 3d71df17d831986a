import { limits } from "../../../lib/deliverables/fields.ts";
import { barChart, checklist, file, list, table, type Answer } from "../steps.ts";
import type { Topic } from "../topic.ts";

const { most } = limits;

const kinds = [
  ["Chart", "numbers: bar, stacked bar, line, area, pie or scatter", most.charts],
  ["Table", "facts side by side", most.datasets],
  ["List", "points, or steps in order", most.lists],
  ["Checklist", "things to do, which you can tick", most.checklists],
  ["Drawing", "diagrams, as SVG", most.svgs],
  ["File", "documents to keep, in Markdown or plain text", most.files],
] as const;

const firstWave = [
  table({
    id: "kinds",
    title: "What an answer may contain",
    columns: ["Kind", "Good for"],
    rows: kinds.map(([kind, use]) => [kind, use]),
  }),
  barChart({
    id: "most",
    title: "How many of each kind one answer may contain",
    labels: kinds.map(([kind]) => kind),
    series: [{ name: "At most", values: kinds.map(([, , number]) => number) }],
    orientation: "horizontal",
  }),
  checklist({
    id: "next-steps",
    title: "To get a real answer",
    items: [
      { id: "stop", label: "Stop npm start with Ctrl-C", checked: false },
      { id: "key", label: "Write OPENAI_API_KEY and your key into a file named .env", checked: false },
      { id: "start", label: "Run npm start again", checked: false },
      { id: "send", label: "Send the message again, in this workspace", checked: false },
    ],
  }),
];

/** The answer to messages that have none of their own: it says so, and shows what an answer may contain. */
export const general = ({ quote }: Topic): Answer => ({
  hasFigures: false,
  waves: [
    firstWave,
    [
      list({
        id: "without-a-key",
        title: "Without a key",
        items: [
          "Use one of the prompts that a new workspace suggests: each has an answer that was written for it.",
          "End a message with [[failed]], [[slow:20000]] or [[rounds:12]] to watch a failure, a slow model or a long job.",
        ],
      }),
      file({ name: "your-message.md", content: `# Your message\n\n${quote}\n` }),
    ],
  ],
  message: [
    "## There is no canned answer to this message",
    "You are talking to the offline model. It understands nothing: it has an answer for each suggested prompt and for the example workspaces, and your message is none of them.",
    `> ${quote}`,
    "A real model would answer it. This is what it may use:",
    { show: "kinds" },
    { show: "most" },
    { show: "next-steps" },
    "Or stay without a key:",
    { show: "without-a-key" },
    "Files are kept with the answer, like this one:",
    { show: "your-message.md" },
  ],
});
