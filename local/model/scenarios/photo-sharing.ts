import { amber, blue, drawDiagram, green } from "../diagram.ts";
import { file, svg, table, type Scenario } from "../steps.ts";

const diagram = drawDiagram({
  name: "System overview",
  height: 400,
  boxes: [
    { x: 40, y: 170, name: "Web app", note: "browser, phone", ...blue },
    { x: 270, y: 170, name: "API", note: "rights, links", ...blue },
    { x: 500, y: 80, name: "Database", note: "albums, members", ...green },
    { x: 500, y: 260, name: "Queue", note: "work that may wait", ...amber },
    { x: 730, y: 260, name: "Image worker", note: "thumbnails, blur", ...amber },
    { x: 730, y: 80, name: "Object store", note: "originals", ...green },
  ],
  arrows: [
    { path: "M 200 205 H 264", label: "HTTPS", at: [232, 195] },
    { path: "M 430 192 C 465 180 465 120 494 117", label: "reads, writes", at: [420, 140] },
    { path: "M 430 218 C 465 230 465 292 494 295", label: "events", at: [440, 282] },
    { path: "M 660 295 H 724", label: "takes", at: [692, 285] },
    { path: "M 810 260 V 156", label: "stores", at: [838, 212] },
    { path: "M 120 170 C 120 20 700 10 805 74", label: "direct upload", at: [450, 34] },
  ],
  caption: "Pictures go straight to the object store; the API only hands out short-lived links.",
});

const decision = `# Decision: events between the parts

## Decision

The API writes to its own database and publishes an event. Every other part learns of the change from the queue.

## Why

- Uploads come in bursts after a match; the queue takes the burst, the workers take their time.
- No picture is shown before the faces of children are blurred: the worker publishes it, not the API.
- A part can be down for an hour without anybody losing a picture.

## What it costs

- A new picture appears after about two seconds, not at once.
- Handlers must tolerate seeing the same event twice.

## What would change our mind

Fewer than a hundred uploads a day: then one process and a table of pending work is enough.
`;

export const photoSharing: Scenario = {
  prompt:
    "Design the architecture of a photo sharing app for sports clubs: members upload pictures after a match, faces of " +
    "children are blurred, albums are shared by link. Draw the system, list its components and their duties, " +
    "and record the most important decision. About 200 clubs, 4,000 pictures on a busy Sunday.",
  hasFigures: true,
  waves: [
    [
      svg({ id: "system", title: "The system", content: diagram }),
      table({
        id: "components",
        title: "Components and their duties",
        columns: ["Component", "Duty", "Technology", "Scales by", "If it is down"],
        rows: [
          [
            "Web app",
            "Upload, browse, share",
            "React, static hosting",
            "CDN",
            "Nobody can look; nothing is lost",
          ],
          [
            "API",
            "Rights, upload links, album links",
            "Node.js on Lambda",
            "Requests",
            "Uploads wait in the app",
          ],
          ["Database", "Clubs, albums, members", "DynamoDB", "On demand", "Albums open from the cache"],
          ["Object store", "Originals and thumbnails", "S3", "By itself", "Pictures are missing, pages work"],
          ["Queue", "Work that may wait", "SQS", "By itself", "The API keeps events and tries again"],
          [
            "Image worker",
            "Thumbnails, blurred faces",
            "Lambda, 2 GB",
            "Queue length",
            "Pictures appear late",
          ],
        ],
      }),
    ],
    [file({ name: "decisions/0001-events.md", content: decision })],
  ],
  message: [
    "## Photo sharing for sports clubs",
    "The API answers quickly and leaves everything slow to a worker behind a queue.",
    { show: "system" },
    "Six components, each with one duty:",
    { show: "components" },
    "4,000 pictures in the two hours after the matches are one every 1.8 seconds: small for each of these services, and the queue takes the peaks.",
    "The most important decision is how the components talk to each other:",
    { show: "decisions/0001-events.md" },
  ],
};
