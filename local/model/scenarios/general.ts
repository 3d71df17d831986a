import type { Paragraph, Scenario, Step } from "../steps.ts";
import { barChart, checklist, file, list, table } from "../steps.ts";
import type { Topic } from "../topic.ts";

const brief = (topic: Topic): string => `# Brief: ${topic.subject}

> ${topic.quote}

## What we take it to mean

A result that can be shown within a month, made by a small group, with a clear way to tell whether it worked.

## What is left open

- Who decides when two wishes collide?
- What may it cost, in money and in days?
- Which part would be missed least?
`;

const firstWave = (topic: Topic): readonly Step[] => [
  table({
    id: "options",
    title: `Ways to go about it: ${topic.subject}`,
    columns: ["Option", "What it takes", "First result", "Main risk"],
    rows: [
      ["Small and quick", "2 people, 2 weeks", "A version to try", "Too small to convince anybody"],
      ["Pilot with friends", "3 people, 5 weeks", "Twelve honest opinions", "Friends are kind"],
      ["Whole thing at once", "6 people, 4 months", "Everything, late", "Learning comes last"],
    ],
  }),
  barChart({
    id: "options-scored",
    title: "The options, scored from 0 to 10",
    labels: ["Small and quick", "Pilot with friends", "Whole thing at once"],
    series: [
      { name: "Speed", values: [9, 6, 2] },
      { name: "Learning", values: [6, 9, 4] },
      { name: "Reach", values: [3, 5, 9] },
    ],
    orientation: "vertical",
  }),
  checklist({
    id: "next-steps",
    title: `Next steps: ${topic.subject}`,
    items: [
      { id: "goal", label: "Write the goal in one sentence", checked: false },
      { id: "person", label: "Name one person who decides", checked: false },
      { id: "measure", label: "Choose one number that shows success", checked: false },
      { id: "date", label: "Set the day of the first showing", checked: false },
    ],
  }),
];

const secondWave = (topic: Topic): readonly Step[] => [
  list({
    id: "questions",
    title: "Questions worth an answer first",
    items: [
      "Who would miss it if it never came?",
      "What do these people do today instead?",
      "What is the smallest piece that would already help them?",
    ],
  }),
  file({ name: "brief.md", content: brief(topic) }),
];

const message = (topic: Topic): readonly Paragraph[] => [
  `## ${topic.subject}`,
  `You wrote: “${topic.quote}”`,
  "Three ways lead there, and they differ mostly in when you learn something:",
  { show: "options" },
  { show: "options-scored" },
  "The pilot teaches the most for its price. To begin:",
  { show: "next-steps" },
  "Before that, three questions, and a short brief to send around:",
  { show: "questions" },
  { show: "brief.md" },
];

/** The scenario for messages that match no other. All its content is about the user's own words. */
export const general: Scenario = {
  keywords: [],
  answer: (topic) => ({ waves: [firstWave(topic), secondWave(topic)], message: message(topic) }),
};
