import type { Paragraph, Scenario, Step } from "../steps.ts";
import { areaChart, checklist, file, lineChart, scatterChart, words } from "../steps.ts";
import type { Topic } from "../topic.ts";

const hours = ["08:00", "10:00", "12:00", "14:00", "16:00", "18:00", "20:00", "22:00"];

const runbook = (topic: Topic): string => `# Runbook: slow answers

Written for: ${topic.subject}

## When to use it

The 95th percentile stays above 800 ms for ten minutes, or the queue grows for five.

## First five minutes

1. Say in the incident channel that you have it.
2. Compare the release time with the start of the rise.
3. If they are within fifteen minutes of each other, roll back first and look for the cause afterwards.

## Then

| Look at | Healthy | If it is not |
| --- | --- | --- |
| Database connections | below 70 % of the pool | raise the pool, find the query that holds them |
| Cache hit rate | above 92 % | warm the catalogue keys |
| Queue age | below 30 s | add two workers |

## Afterwards

Write down what was seen, what was done and what would have shown it earlier.
`;

const firstWave = (topic: Topic): readonly Step[] => [
  lineChart({
    id: "latency-by-hour",
    title: `Latency over the day (ms): ${topic.subject}`,
    labels: hours,
    series: [
      { name: "Median", values: [142, 151, 188, 176, 203, 264, 238, 161] },
      { name: "95th percentile", values: [410, 438, 615, 580, 742, 1180, 960, 472] },
      { name: "Target", values: [800, 800, 800, 800, 800, 800, 800, 800] },
    ],
  }),
  areaChart({
    id: "requests-by-hour",
    title: "Requests per second",
    labels: hours,
    series: [
      { name: "Browsing", values: [120, 168, 240, 221, 262, 340, 301, 148] },
      { name: "Checkout", values: [18, 24, 39, 35, 46, 71, 58, 22] },
    ],
  }),
  scatterChart({
    id: "load-and-latency",
    title: "Load (requests per second) and 95th percentile (ms)",
    series: [
      {
        name: "Before the release",
        points: [
          { x: 140, y: 395 },
          { x: 190, y: 430 },
          { x: 255, y: 505 },
          { x: 310, y: 570 },
          { x: 395, y: 655, label: "Friday peak" },
        ],
      },
      {
        name: "After the release",
        points: [
          { x: 138, y: 410 },
          { x: 192, y: 438 },
          { x: 279, y: 615 },
          { x: 308, y: 742 },
          { x: 411, y: 1180, label: "18:00" },
        ],
      },
    ],
  }),
];

const secondWave = (topic: Topic): readonly Step[] => [
  checklist({
    id: "this-week",
    title: "This week",
    items: [
      { id: "rollback-tested", label: "Roll the release back on staging and time it", checked: true },
      { id: "pool-alarm", label: "Alarm when the connection pool is above 70 %", checked: false },
      { id: "slow-query", label: "Add the missing index for the basket query", checked: false },
      { id: "load-test", label: "Repeat the load test at 450 requests per second", checked: false },
      { id: "review", label: "Review the incident with support, 30 minutes", checked: false },
    ],
  }),
  file({ name: "runbooks/slow-answers.md", content: runbook(topic) }),
];

const message = (topic: Topic): readonly Paragraph[] => [
  "## What the numbers say",
  `You wrote: “${topic.quote}”`,
  "The median is fine. The slow tail leaves its target between 17:00 and 21:00.",
  { show: "latency-by-hour" },
  "Traffic explains part of it: the evening peak is three times the morning.",
  { show: "requests-by-hour" },
  "But not all of it: at the same load, answers have been slower since the release.",
  { show: "load-and-latency" },
  "Five things for this week, the first is done:",
  { show: "this-week" },
  "And a runbook for the next time:",
  { show: "runbooks/slow-answers.md" },
];

export const operations: Scenario = {
  keywords: words(
    "operations latency incident incidents outage monitoring deploy deployment support tickets " +
      "oncall runbook traffic performance slow release queue metrics server servers checkout",
  ),
  answer: (topic) => ({ waves: [firstWave(topic), secondWave(topic)], message: message(topic) }),
};
