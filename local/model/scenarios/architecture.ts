import type { Paragraph, Scenario, Step } from "../steps.ts";
import { file, list, svg, table, words } from "../steps.ts";
import type { Topic } from "../topic.ts";
import { systemDiagram } from "./diagram.ts";

const decisionRecord = (topic: Topic): string => `# Decision: events between the parts

Context: ${topic.subject}

## Decision

The API writes to its own database and publishes an event. Every other part learns of the change from the queue.

## Why

- Uploads come in bursts after a match; the queue takes the burst, the workers take their time.
- A part can be down for an hour without anybody losing a picture.
- Each part can be tested alone: an event in, a result out.

## What it costs

- A new picture appears after about two seconds, not at once.
- Handlers must tolerate seeing the same event twice.

## What would change our mind

Fewer than a hundred uploads a day: then one process and a table of pending work is enough.
`;

const firstWave = (topic: Topic): readonly Step[] => [
  svg({
    id: "system-overview",
    title: `Overview: ${topic.subject}`,
    content: systemDiagram(topic.subject),
  }),
  table({
    id: "parts",
    title: "Parts and their duties",
    columns: ["Part", "Duty", "Technology", "Scales by", "If it is down"],
    rows: [
      [
        "Web app",
        "Upload, browse, share",
        "React, static hosting",
        "CDN",
        "Nobody can look; nothing is lost",
      ],
      ["API", "Accounts, rights, upload links", "Node.js on Lambda", "Requests", "Uploads wait in the app"],
      ["Database", "Albums, members, rights", "DynamoDB", "On demand", "Read-only from the cache"],
      ["Object store", "Originals and thumbnails", "S3", "By itself", "Pictures are missing, pages work"],
      ["Queue", "Work that may wait", "SQS", "By itself", "API keeps events and tries again"],
      ["Image worker", "Thumbnails, face blur", "Lambda, 2 GB", "Queue length", "Thumbnails come late"],
    ],
  }),
  file({ name: "decisions/0001-events.md", content: decisionRecord(topic) }),
];

const secondWave: readonly Step[] = [
  list({
    id: "build-order",
    title: "Order of building",
    ordered: true,
    items: [
      "Sign-in, albums and rights, with the API and its database only.",
      "Direct upload to the object store through short-lived links.",
      "Queue and image worker: thumbnails first, face blur second.",
      "Sharing links that expire, and a log of who opened them.",
      "Load test with one busy Sunday: 4,000 pictures in two hours.",
    ],
  }),
];

const message = (topic: Topic): readonly Paragraph[] => [
  "## Architecture",
  `You wrote: “${topic.quote}”`,
  "The API answers quickly and leaves everything slow to a worker behind a queue.",
  { show: "system-overview" },
  "Six parts, each with one duty:",
  { show: "parts" },
  "The decision that shapes the rest, with its price:",
  { show: "decisions/0001-events.md" },
  "Build it in this order; each step can be shown to a club:",
  { show: "build-order" },
];

export const architecture: Scenario = {
  keywords: words(
    "architecture design diagram system api database backend frontend " +
      "service services app schema infrastructure cloud microservices component components",
  ),
  answer: (topic) => ({ waves: [firstWave(topic), secondWave], message: message(topic) }),
};
